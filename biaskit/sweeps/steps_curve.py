"""
The share of jagged images as a curve over the number of steps.

An image that takes more steps has more chances of a transition, so a share of jagged images
without its number of steps says little: here it is given for every number. Where sequences
differ in length (as with crops), a number of steps counts the images that took so many, so
the curve can fall.
"""

import numpy as np
import pandas as pd

from biaskit.sweeps.intervals import wilson
from biaskit.sweeps.sequences import MEANT, SEQUENCE, SWEEP, stack
from biaskit.sweeps.top5 import LISTED

__all__ = ["COLUMNS", "first_transitions", "steps_curve"]

COLUMNS = [*SWEEP, "subset", "steps", "n_images", "share", "low", "high"]


def first_transitions(frames: pd.DataFrame, *, n_classes: int) -> pd.DataFrame:
    """
    Find where the true class first enters or leaves the top 5, in every sequence.

    Frames may be too many for one table; these rows are few, and those of several parts can be
    put one under the other as long as no sequence is cut.

    Parameters
    ----------
    frames : DataFrame
        A table ``frames``, its rows in any order.
    n_classes : int
        Classes that the network tells apart; with fewer than 6 there is no row.

    Returns
    -------
    DataFrame
        The keys of the sequence; ``n_pairs``, the steps it takes; ``first``, the number of steps
        after which there has been a transition, NaN if there is none; ``ever_top5``, whether
        the true class is in the top 5 of any frame. Only sequences of at least two frames
        whose true class is known.

    Raises
    ------
    TableError
        As ``biaskit.sweeps.jaggedness.jaggedness``.

    Examples
    --------
    See ``steps_curve``.
    """
    sequences = stack(frames, n_classes=n_classes)
    first = np.full(len(sequences.table), np.nan)
    ever = np.zeros(len(first), bool)
    for block in sequences.blocks(at_least=2):
        within = block.rank <= LISTED
        moved = within[:, 1:] != within[:, :-1]
        first[block.rows] = np.where(moved.any(axis=1), moved.argmax(axis=1) + 1, np.nan)
        ever[block.rows] = within.any(axis=1)
    table = sequences.table.loc[:, list(SEQUENCE)]
    table = table.assign(n_pairs=sequences.length - 1, first=first, ever_top5=ever)
    meant = sequences.labelled & (sequences.length > 1) & (n_classes >= MEANT)
    return table[meant].reset_index(drop=True)


def steps_curve(transitions: pd.DataFrame) -> pd.DataFrame:
    """
    Return the share of images with any transition within the first steps, for each number.

    Parameters
    ----------
    transitions : DataFrame
        What ``first_transitions`` returns, of one or more parts.

    Returns
    -------
    DataFrame
        Columns ``COLUMNS``: the sweep (network, variant, protocol, direction, fill); subset, "all"
        or "ever top 5" (in any frame of the whole sequence); steps, 1 to the most any image
        took; n_images that took so many; share of them jagged by then, with low and high of
        its 95 % Wilson interval. An image swept several times counts once, up to the length of
        its shortest sequence, and is jagged once any of its sequences is.

    Examples
    --------
    Three frames, the true class on ranks 1, 1 and 9: a transition at the second step.

    >>> from biaskit.tables import FRAMES
    >>> one = dict.fromkeys(FRAMES.columns, 0) | {"category": "dog", "top5": "dog|cat|a|b|c"}
    >>> one |= dict.fromkeys(["network", "variant", "protocol", "direction", "fill"], "")
    >>> frames = pd.DataFrame([one | {"image_id": "1", "step": step} for step in range(3)])
    >>> found = first_transitions(frames.assign(rank_true=[1, 1, 9]), n_classes=1000)
    >>> steps_curve(found)[["subset", "steps", "n_images", "share"]].values.tolist()[:2]
    [['all', 1, 1, 0.0], ['all', 2, 1, 1.0]]
    """
    how = {"n_pairs": "min", "first": "min", "ever_top5": "max"}
    images = transitions.groupby([*SWEEP, "image_id"], sort=True).agg(how).reset_index()
    parts = []
    for names, of_sweep in images.groupby(SWEEP, sort=True):
        steps = np.arange(1, int(of_sweep["n_pairs"].max()) + 1)
        for subset in ("all", "ever top 5"):
            chosen = of_sweep if subset == "all" else of_sweep[of_sweep["ever_top5"]]
            curve = _curve(chosen["n_pairs"].to_numpy(), chosen["first"].to_numpy(), len(steps))
            named = dict(zip(SWEEP, names, strict=True)) | {"subset": subset, "steps": steps}
            parts.append(pd.DataFrame(named | curve))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)


def _curve(n_pairs: np.ndarray, first: np.ndarray, n_steps: int) -> dict[str, np.ndarray]:
    """Count images by number of steps: each is there up to its last, and jagged from its first."""
    in_time = first <= n_pairs  # not so for NaN
    ended = np.bincount(n_pairs + 1, minlength=n_steps + 2)
    begun = np.bincount(first[in_time].astype(np.int64), minlength=n_steps + 2)
    over = np.bincount(n_pairs[in_time] + 1, minlength=n_steps + 2)
    n = (len(n_pairs) - np.cumsum(ended))[1 : n_steps + 1]
    k = np.cumsum(begun - over)[1 : n_steps + 1]
    interval = wilson(k, n)
    share = np.where(n > 0, k / np.maximum(n, 1), np.nan)
    return {"n_images": n, "share": share, "low": interval.low, "high": interval.high}
