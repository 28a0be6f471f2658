"""
How jaggedly a network answers along a sequence of frames, at every lag.

All measures compare two frames of one sequence that lie some steps apart, or count frames.
Their names in the literature:

- ``transitions`` at lag 1 is the paper's jump: the true class enters or leaves the top 5 [1]_;
- ``p_top1_change`` at lag 1 is its P(top-1 change), and ImageNet-P's flip probability [2]_;
- ``consistency`` is Zhang's [3]_, taken over all pairs at a lag instead of random pairs; under
  the protocol ``pairs`` each sequence is one of his pairs;
- ``top5_distance`` at lag 1 is ImageNet-P's top-5 distance (``biaskit.sweeps.top5``).

References
----------
.. [1] A. Azulay and Y. Weiss, "Why do deep convolutional networks generalize so poorly to small
   image transformations?", arXiv 1805.12177v1, 2018.
.. [2] D. Hendrycks and T. Dietterich, "Benchmarking Neural Network Robustness to Common
   Corruptions and Perturbations", ICLR 2019.
.. [3] R. Zhang, "Making Convolutional Networks Shift-Invariant Again", ICML 2019.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from biaskit.sweeps.sequences import Block, Sequences, stack
from biaskit.sweeps.top5 import LISTED, top5_distance
from biaskit.tables import JAGGEDNESS

__all__ = ["jaggedness"]

# Without a known true class these say nothing.
_NEED_TRUTH = (
    "transitions",
    "mean_abs_change",
    "ever_top5",
    "accuracy",
    "accuracy_top5",
    "right_first",
    "fidelity",
    "worst",
    "worst_p_true",
    "margin_at_change",
)
# With fewer than six classes these say nothing.
_NEED_TOP5 = ("transitions", "ever_top5", "accuracy_top5", "top5_distance")
_MEASURES = (
    *_NEED_TRUTH,
    "p_top1_change",
    "mean_abs_change_first",
    "consistency",
    "confidence",
    "top5_distance",
)


def jaggedness(
    frames: pd.DataFrame, *, seen: str | Mapping[str, str] = "unknown", n_classes: int
) -> pd.DataFrame:
    """
    Measure every sequence of frames at every lag.

    Parameters
    ----------
    frames : DataFrame
        A table ``frames``, its rows in any order, of networks with the same number of classes.
        A sequence is whole: it has every step from 0.
    seen : str or mapping from image id to str
        Whether the network was trained on the image: "training", "held out" or "unknown". An
        image that a mapping does not name is "unknown".
    n_classes : int
        Classes that the network tells apart. With fewer than 6 nearly every class is in the
        top 5, and the measures that speak of it are missing.

    Returns
    -------
    DataFrame
        A table ``jaggedness``: a row per sequence and lag, 1 to the number of frames less 1, so
        none for a sequence of one frame. ``p_top1_change`` at lag 1 is ImageNet-P's flip
        probability. What is said of frames (``accuracy``, ``worst``, ``ever_top5``, ...) is the
        same at every lag. Time grows with the square of the number of steps.

    Raises
    ------
    TableError
        If a step is missing or there twice, the true class changes within a sequence, a list of
        five has not five classes, or a word of ``seen`` is none of the three.

    Examples
    --------
    Three frames, the answers dog, cat, dog; the true class dog has ranks 1, 2, 1:

    >>> from biaskit.tables import FRAMES
    >>> one = dict.fromkeys(FRAMES.columns, 0) | {"category": "dog", "top5": "dog|cat|a|b|c"}
    >>> names = dict.fromkeys(["network", "variant", "protocol", "direction", "fill"], "")
    >>> names |= {"protocol": "embed", "direction": "vertical", "image_id": "1"}
    >>> frames = pd.DataFrame([one | names | {"step": step} for step in range(3)])
    >>> frames = frames.assign(top1=["dog", "cat", "dog"], rank_true=[1, 2, 1])
    >>> table = jaggedness(frames, n_classes=1000)
    >>> table[["lag", "n_steps", "p_top1_change", "fidelity", "transitions"]].values.tolist()
    [[1.0, 2.0, 1.0, 0.0, 0.0], [2.0, 1.0, 0.0, 1.0, 0.0]]
    """
    sequences = stack(frames, n_classes=n_classes)
    n_lags = sequences.length - 1
    first = np.cumsum(n_lags) - n_lags
    measures = {name: np.full(int(n_lags.sum()), np.nan) for name in _MEASURES}
    for block in sequences.blocks(at_least=2):
        places = first[block.rows][:, None] + np.arange(block.n_steps - 1)
        for name, values in _of_block(block).items():
            measures[name][places] = values
    row = np.repeat(np.arange(len(n_lags)), n_lags)
    for name in _NEED_TRUTH:
        measures[name][~sequences.labelled[row]] = np.nan
    lag = np.arange(len(row)) - first[row] + 1
    table = _names(sequences, seen).iloc[row].reset_index(drop=True)
    table = table.assign(lag=lag, n_steps=sequences.length[row] - lag, **measures)
    return JAGGEDNESS.check(table, "jaggedness")


def _names(sequences: Sequences, seen: str | Mapping[str, str]) -> pd.DataFrame:
    images = sequences.table["image_id"]
    words = seen if isinstance(seen, str) else [seen.get(name, "unknown") for name in images]
    return sequences.table.assign(seen=pd.Series(words, index=images.index, dtype="str"))


def _of_block(block: Block) -> dict[str, np.ndarray]:
    """Return the measures of a block, each of shape (sequences, lags) or (sequences, 1)."""
    by_lag = [_at_lag(block, lag) for lag in range(1, block.n_steps)]
    measures = {name: np.stack([one[name] for one in by_lag], axis=1) for name in by_lag[0]}
    measures |= {name: values[:, None] for name, values in _over_frames(block).items()}
    if block.top5 is None:
        for name in _NEED_TOP5:
            measures.pop(name, None)
    return measures


def _over_frames(block: Block) -> dict[str, np.ndarray]:
    right, within = block.rank == 1, block.rank <= LISTED
    return {
        "ever_top5": within.any(axis=1),
        "accuracy": right.mean(axis=1),
        "accuracy_top5": within.mean(axis=1),
        "right_first": right[:, 0],
        "worst": right.all(axis=1),
        "worst_p_true": block.p_true.min(axis=1),
        "confidence": block.p_top1.mean(axis=1),
    }


def _at_lag(block: Block, lag: int) -> dict[str, np.ndarray]:
    n_pairs = block.n_steps - lag
    before, after = np.s_[..., :-lag], np.s_[..., lag:]
    right, within = block.rank == 1, block.rank <= LISTED
    n_same = np.count_nonzero(block.top1[before] == block.top1[after], axis=1)
    measures = {
        "transitions": np.count_nonzero(within[before] != within[after], axis=1),
        "p_top1_change": (n_pairs - n_same) / n_pairs,
        "consistency": n_same / n_pairs,
        "fidelity": np.count_nonzero(right[before] & right[after], axis=1) / n_pairs,
        "mean_abs_change": _mean_change(block.p_true, lag),
        "mean_abs_change_first": _mean_change(block.p_first, lag),
        "margin_at_change": _margin_at_change(block.margin, right, lag),
    }
    if block.top5 is not None:
        distance = top5_distance(block.top5[before], block.top5[after])
        measures["top5_distance"] = distance.sum(axis=1, dtype=np.int64) / n_pairs
    return measures


def _mean_change(p: np.ndarray, lag: int) -> np.ndarray:
    change = np.abs(p[:, lag:] - p[:, :-lag])
    return change.sum(axis=1) / change.shape[1]


def _margin_at_change(margin: np.ndarray, right: np.ndarray, lag: int) -> np.ndarray:
    """Average the smaller |margin| of the pairs whose rightness differs, if both are known."""
    size = np.abs(margin)
    smaller = np.minimum(size[:, :-lag], size[:, lag:])
    chosen = (right[:, :-lag] != right[:, lag:]) & ~np.isnan(smaller)
    count = np.count_nonzero(chosen, axis=1)
    total = np.where(chosen, smaller, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
