"""From what crops said together to rows of the table ``votes``, and their summary ``voting``."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from biaskit.sweeps.over_images import (
    cautious_word,
    check_columns,
    mean_columns,
    ratio,
    share_columns,
)
from biaskit.sweeps.sequences import MEANT
from biaskit.sweeps.top5 import LISTED
from biaskit.tables import VOTES, VOTING

if TYPE_CHECKING:  # a summary of what is there needs no torch
    from biaskit.sweeps.robust.voting import ChunkVotes

__all__ = ["votes_table", "voting"]

_DECIMALS = 6  # of probabilities: kernels of another batch size differ in the seventh
_SEQUENCE = [*VOTING.keys, "image_id"]
_WORDS = [name for name, column in VOTES.columns.items() if column.kind == "text"]


def votes_table(
    names: Mapping[str, str],
    found: "ChunkVotes",
    classes: tuple[str, ...],
    seen: Callable[[str], str],
) -> pd.DataFrame:
    """
    Return the table ``votes`` of a chunk.

    Parameters
    ----------
    names : mapping
        See ``biaskit.sweeps.frame_tables.sweep_names``.
    found : ChunkVotes
    classes : tuple of str
        The network's.
    seen : callable
        See ``biaskit.sweeps.frame_tables.seen_of``.

    Returns
    -------
    DataFrame
        A row per frame, rule and number of crops. Both rules have a row without crops, and say
        the same there and with one.
    """
    if not found.shown:
        return VOTES.empty()
    images, steps, crops = found.shown, found.steps, np.array([0, *found.crops])
    n, n_counts = len(images) * steps, len(crops)
    true = np.array([image.category for image in images], dtype=object)
    words, rank = np.array(classes, dtype=object), found.voted.rank_true
    known = rank > 0

    def per_image(values: list[str]) -> Any:
        whole = pd.Categorical(values)
        return whole.take(np.repeat(np.arange(len(values)), steps * 2 * n_counts))

    def both(vote: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """Put the two rules of every frame one behind the other, all numbers of crops in each."""
        return np.stack([vote, mean], axis=1).ravel()

    top1 = words[np.stack([found.voted.by_vote, found.voted.by_mean], axis=1)]
    right = top1 == np.repeat(true, steps)[:, None, None]
    missing = np.full(rank.shape, np.nan)
    in_top5 = np.where(known & (len(classes) >= MEANT), rank <= LISTED, np.nan)
    p_true = np.clip(found.voted.p_true.round(_DECIMALS), 0, 1)
    table = pd.DataFrame(
        {
            **{k: pd.Categorical([v]).take(np.zeros(2 * n * n_counts, int))
               for k, v in names.items() if k in VOTES.columns},
            "jitter": found.jitter,
            "image_id": per_image([image.image_id for image in images]),
            "category": per_image([image.category for image in images]),
            "seen": per_image([seen(image.image_id) for image in images]),
            "step": np.tile(np.repeat(np.arange(steps), 2 * n_counts), len(images)),
            "rule": pd.Categorical(["vote", "mean"]).take(np.tile(np.repeat([0, 1], n_counts), n)),
            "crops": np.tile(crops, 2 * n),
            "top1": pd.Categorical(top1.ravel()),
            "correct_top1": np.where(both(known, known), right.ravel(), np.nan),
            "in_top5": both(missing, in_top5),
            "p_true": both(p_true, p_true),
        }
    )  # fmt: skip
    return VOTES.check(table, "votes")


def voting(votes: pd.DataFrame, *, seed: int, n_resamples: int = 1000) -> pd.DataFrame:
    """
    Summarise over images what so many crops gain, and what they cost.

    Parameters
    ----------
    votes : DataFrame
        A table ``votes``, its rows in any order.
    seed : int
        Decides the resamples.
    n_resamples : int
        Their number.

    Returns
    -------
    DataFrame
        A table ``voting``. Means over images have bootstrap intervals (images resampled),
        missing with fewer than two; the share of jagged images has Wilson's. What speaks of the
        true class is over the images whose class is known. Pairs are frames one step apart.

    Raises
    ------
    TableError
        If a column is missing.
    ValueError
        If n_resamples is below 1.

    Examples
    --------
    An image whose answer changes at the second of two steps:

    >>> one = dict.fromkeys(VOTES.columns, 0) | {"rule": "mean", "seen": "unknown", "crops": 4}
    >>> one |= {"network": "n", "variant": "plain", "direction": "vertical", "fill": "mean"}
    >>> one |= {"image_id": "a", "category": "dog"}
    >>> rows = pd.DataFrame([one | {"step": k} for k in range(3)])
    >>> rows = rows.assign(top1=["dog", "dog", "cat"], correct_top1=[1, 1, 0], in_top5=1)
    >>> table = voting(rows, seed=1)
    >>> table[["accuracy", "p_top1_change", "jagged", "frames_per_answer"]].round(3).values.tolist()
    [[0.667, 0.5, 0.0, 4.0]]
    """
    check_columns(votes, VOTES)
    images = _images(votes)
    keys = list(VOTING.keys)
    groups = pd.MultiIndex.from_frame(images[keys].drop_duplicates()).sort_values()
    group, n = groups.get_indexer(pd.MultiIndex.from_frame(images[keys])), len(groups)
    n_images = np.bincount(group, minlength=n)
    n_pairs = np.bincount(group, images["n_pairs"].to_numpy(np.float64), minlength=n)
    labelled = images["accuracy"].notna().to_numpy(bool)
    means = {name: images[name].to_numpy(np.float64) for name in ("accuracy", "p_top1_change")}
    table = groups.to_frame(index=False)
    table = table.assign(
        seen=cautious_word(images["seen"], group, n),
        n_images=n_images,
        n_labelled=np.bincount(group[labelled], minlength=n),
        n_steps=ratio(n_pairs, n_images),
        **mean_columns(means, group, n, seed=seed, n_resamples=n_resamples),
        **share_columns("jagged", images["jagged"].to_numpy(np.float64), group, n),
        frames_per_answer=np.maximum(table["crops"].to_numpy(), 1),
    )
    return VOTING.check(table, "voting")


def _images(votes: pd.DataFrame) -> pd.DataFrame:
    """Return a row per image, rule and number of crops, in the order of the names."""
    rows = votes.loc[:, list(VOTES.columns)].astype(dict.fromkeys(_WORDS, "str"))
    rows = rows.sort_values([*_SEQUENCE, "step"], kind="stable", ignore_index=True)
    number = rows.groupby(_SEQUENCE, sort=True).ngroup().to_numpy()
    step, top1 = rows["step"].to_numpy(), pd.factorize(rows["top1"])[0]
    pair = np.zeros(len(rows), bool)
    pair[1:] = (number[1:] == number[:-1]) & (step[1:] == step[:-1] + 1)
    changed = np.zeros(len(rows), bool)
    changed[1:] = top1[1:] != top1[:-1]
    within = rows["in_top5"].to_numpy(np.float64)
    moved = np.full(len(rows), np.nan)
    moved[1:] = np.abs(within[1:] - within[:-1])
    rows = rows.assign(
        n_pairs=pair,
        p_top1_change=np.where(pair, changed, np.nan),
        jagged=np.where(pair, moved, np.nan),
    )
    how = {"accuracy": ("correct_top1", "mean"), "n_pairs": ("n_pairs", "sum")}
    how |= {"p_top1_change": ("p_top1_change", "mean"), "jagged": ("jagged", "max")}
    images = rows.groupby(_SEQUENCE, sort=True).agg(**how).reset_index()
    return images.assign(seen=cautious_word(rows["seen"], number, len(images)))
