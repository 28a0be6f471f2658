"""
How often a network, or a person, is right about images at other sizes and places.

From the frames of the protocol ``places``, or from people who were shown them, to shares over
images, and a map of where in the frame answers are right. An image is one unit: its places are
first made one number.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from biaskit.errors import TableError
from biaskit.sweeps.over_images import (
    cautious_word,
    check_columns,
    mean_columns,
    ratio,
    share_columns,
)
from biaskit.sweeps.sequences import MEANT
from biaskit.sweeps.top5 import LISTED
from biaskit.tables import FRAMES, ROBUSTNESS, ROBUSTNESS_BY

__all__ = ["accuracy_map", "robustness_by", "robustness_rows"]

_ASKED = [key for key in ROBUSTNESS_BY.keys if key != "category"]
_IMAGE = [*_ASKED, "image_id"]
_WORDS = [name for name, column in ROBUSTNESS.columns.items() if column.kind == "text"]


def robustness_rows(
    frames: pd.DataFrame,
    seen: str | Mapping[str, str] = "unknown",
    *,
    input_size: int,
    scales: Sequence[float] | None = None,
    n_classes: int | None = None,
) -> pd.DataFrame:
    """
    Return the table ``robustness`` of the frames of a network.

    Parameters
    ----------
    frames : DataFrame
        A table ``frames``; rows of other protocols than ``places`` are not looked at.
    seen : str or mapping from image id to str
        Whether the network was trained on the image: "training", "held out" or "unknown". An
        image that a mapping does not name is "unknown".
    input_size : int
        Side of the network's input, px.
    scales : sequence of float, optional
        Those of the plan, in its order: the table then says what was asked for, which is the same
        for networks with inputs of other sizes. By default it says what whole pixels made of it.
    n_classes : int, optional
        Classes that the network tells apart; with fewer than 6 being among the first five means
        nothing, and is missing. More than that by default.

    Returns
    -------
    DataFrame
        A row per image, scale and place, in the order of its keys.

    Raises
    ------
    TableError
        If a column is missing, or a frame belongs to a scale that ``scales`` lacks.

    Examples
    --------
    >>> one = dict.fromkeys(FRAMES.columns, 0) | {"protocol": "places", "scale": 0.5, "dx": -56.0}
    >>> one |= dict.fromkeys(["network", "variant", "fill", "image_id", "category"], "a")
    >>> frames = pd.DataFrame([one | {"top1": "a", "rank_true": 2, "dy": 28.0}])
    >>> table = robustness_rows(frames, input_size=224)
    >>> table[["scale", "dx", "dy", "correct_top1", "correct_top5"]].values.tolist()
    [[0.5, -0.25, 0.125, 0.0, 1.0]]
    """
    check_columns(frames, FRAMES)
    rows = frames[frames["protocol"] == "places"]
    images = _words(rows["image_id"])
    rank = rows["rank_true"].to_numpy()
    top5 = _flags(rank <= LISTED, rank > 0)
    table = pd.DataFrame(
        {
            **{name: _words(rows[name]) for name in ("network", "variant", "fill")},
            "scale": _asked_for(rows, scales),
            "image_id": images,
            "category": _words(rows["category"]),
            "seen": seen if isinstance(seen, str) else images.map(seen).fillna("unknown"),
            "place": rows["step"].to_numpy(),
            "dx": rows["dx"].to_numpy(np.float64) / input_size,
            "dy": rows["dy"].to_numpy(np.float64) / input_size,
            "top1": _words(rows["top1"]),
            "correct_top1": _flags(rank == 1, rank > 0),
            "correct_top5": top5 if n_classes is None or n_classes >= MEANT else np.nan,
            "p_true": rows["p_true"].to_numpy(np.float64),
            "seconds": np.nan,
        }
    )
    return ROBUSTNESS.sort(ROBUSTNESS.check(table.astype({"seen": "str"}), "robustness"))


def robustness_by(robustness: pd.DataFrame, *, seed: int, n_resamples: int = 1000) -> pd.DataFrame:
    """
    Summarise over images: all of them, and those of every class.

    Parameters
    ----------
    robustness : DataFrame
        A table ``robustness`` of networks or people or both, its rows in any order.
    seed : int
        Decides the resamples.
    n_resamples : int
        Their number.

    Returns
    -------
    DataFrame
        A table ``robustness_by``. Images without a known true class are in no number. Means over
        images have bootstrap intervals (images resampled), missing with fewer than two; the
        share of images that are right at every place they were shown at has Wilson's. It falls
        with the number of places, so compare only where ``n_places`` is the same.

    Raises
    ------
    TableError
        If a column is missing.
    ValueError
        If n_resamples is below 1.

    Examples
    --------
    Two images at two places each, one of them right at one place only:

    >>> one = dict.fromkeys(ROBUSTNESS.columns, 0.0) | {"category": "dog", "seen": "held out"}
    >>> one |= {"network": "n", "variant": "plain", "fill": "mean", "top1": "", "scale": 0.5}
    >>> rows = [one | {"image_id": i, "place": k} for i in "ab" for k in (0, 1)]
    >>> table = robustness_by(pd.DataFrame(rows).assign(correct_top1=[1, 1, 1, 0]), seed=1)
    >>> table[["category", "n_images", "n_places", "accuracy", "worst"]].values.tolist()
    [['', 2, 2.0, 0.75, 0.5], ['dog', 2, 2.0, 0.75, 0.5]]
    """
    check_columns(robustness, ROBUSTNESS)
    images = _images(robustness)
    named = images[images["category"] != ""]
    images = pd.concat([images.assign(category=""), named], ignore_index=True)
    keys = [*_ASKED, "category"]
    groups = pd.MultiIndex.from_frame(images[keys].drop_duplicates()).sort_values()
    images = images[images["accuracy"].notna()]
    group, n = groups.get_indexer(pd.MultiIndex.from_frame(images[keys])), len(groups)
    n_images = np.bincount(group, minlength=n)
    n_places = np.bincount(group, images["n_places"].to_numpy(np.float64), minlength=n)
    means = {
        name: images[name].to_numpy(np.float64) for name in ("accuracy", "accuracy_top5", "p_true")
    }
    table = groups.to_frame(index=False).assign(
        seen=cautious_word(images["seen"], group, n),
        n_images=n_images,
        n_places=ratio(n_places, n_images),
        **mean_columns(means, group, n, seed=seed, n_resamples=n_resamples),
        **share_columns("worst", images["worst"].to_numpy(np.float64), group, n),
    )
    return ROBUSTNESS_BY.check(table, "robustness_by")


def accuracy_map(robustness: pd.DataFrame, *, bins: int = 7) -> pd.DataFrame:
    """
    Return where in the frame the answers are right.

    Parameters
    ----------
    robustness : DataFrame
        A table ``robustness``, its rows in any order.
    bins : int
        Along each side of the frame.

    Returns
    -------
    DataFrame
        For every network, variant, fill and scale a row per bin, of columns ``network``,
        ``variant``, ``fill``, ``scale``; ``dx`` and ``dy``, the bin's middle: of the image's
        middle from the frame's, right and down, of the frame's side (-0.5 to 0.5); ``n_images``
        with a known true class whose middle was ever there; ``accuracy``, the mean over these of
        their own mean there, NaN where there is none.

    Raises
    ------
    TableError
        If a column is missing.
    ValueError
        If there is not one bin.

    Examples
    --------
    >>> one = dict.fromkeys(ROBUSTNESS.columns, 0.0) | {"image_id": "a", "correct_top1": 1.0}
    >>> one |= {"network": "n", "variant": "plain", "fill": "mean", "dx": -0.25, "dy": 0.1}
    >>> accuracy_map(pd.DataFrame([one]), bins=2)[["dx", "dy", "accuracy"]].values.tolist()
    [[-0.25, -0.25, nan], [0.25, -0.25, nan], [-0.25, 0.25, 1.0], [0.25, 0.25, nan]]
    """
    if bins < 1:
        raise ValueError(f"bins is {bins}, expected at least 1")
    check_columns(robustness, ROBUSTNESS)
    rows = _as_words(robustness, [*_IMAGE, "dx", "dy", "correct_top1"])
    asked = rows[_ASKED].drop_duplicates().sort_values(_ASKED)
    middles = (np.arange(bins) + 0.5) / bins - 0.5
    square = pd.DataFrame({"dx": np.tile(middles, bins), "dy": np.repeat(middles, bins)})
    rows = rows[rows["correct_top1"].notna()]
    within = {
        name: middles[np.clip(np.floor((rows[name] + 0.5) * bins), 0, bins - 1).astype(int)]
        for name in ("dx", "dy")
    }
    images = rows.assign(**within).groupby([*_IMAGE, "dx", "dy"])["correct_top1"].mean()
    found = images.groupby([*_ASKED, "dx", "dy"]).agg(n_images="size", accuracy="mean")
    table = found.reindex(pd.MultiIndex.from_frame(asked.merge(square, how="cross"))).reset_index()
    return table.assign(n_images=table["n_images"].fillna(0).astype(np.int64))


def _images(robustness: pd.DataFrame) -> pd.DataFrame:
    """Return a row per image of every network or person and scale, in the order of the names."""
    rows = _as_words(robustness, list(ROBUSTNESS.columns))
    how = {"category": ("category", "first"), "p_true": ("p_true", "mean")}
    how |= {"accuracy": ("correct_top1", "mean"), "worst": ("correct_top1", "min")}
    how |= {"n_places": ("correct_top1", "count"), "accuracy_top5": ("correct_top5", "mean")}
    groups = rows.groupby(_IMAGE, sort=True)
    images = groups.agg(**how).reset_index()
    return images.assign(seen=cautious_word(rows["seen"], groups.ngroup().to_numpy(), len(images)))


def _asked_for(rows: pd.DataFrame, scales: Sequence[float] | None) -> np.ndarray:
    if scales is None:
        return rows["scale"].to_numpy(np.float64)
    number = rows["pass"].to_numpy()
    if len(number) and number.max() >= len(scales):
        raise TableError(
            f"frames: a frame has pass {number.max()}, expected one of {len(scales)} scales from 0."
        )
    return np.array(scales, np.float64)[number]


def _flags(true: np.ndarray, known: np.ndarray) -> np.ndarray:
    return np.where(known, true.astype(np.float64), np.nan)


def _words(column: pd.Series) -> pd.Series:
    """Return a column of words, numbered anew; categoricals would sort by their own order."""
    return column.astype("str").reset_index(drop=True)


def _as_words(table: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    return table.loc[:, names].astype({name: "str" for name in names if name in _WORDS})
