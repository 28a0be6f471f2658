"""
Nonshiftability: how often the sum over a feature map changes as the input is shifted.

The paper's words, "changes by more than 20 % of its mean", can be read in two ways, and both are
measured: from one step to the next (`nonshiftability`), and from the mean (`deviation`). A large
deviation with few changes is drift, such as an object that leaves the map at its border; aliasing
changes the sum from pixel to pixel.
"""

from dataclasses import dataclass

import numpy as np

__all__ = ["THRESHOLD", "SumMeasures", "measure_sums"]

THRESHOLD = 0.2  # of the mean, as in the paper
_LEAST = 1e-6  # of the magnitudes: what a sum of float32 numbers that cancel leaves is below


@dataclass(frozen=True)
class SumMeasures:
    """
    What a channel's sums over the frames of a sequence say; arrays of shape (n_channels,).

    Attributes
    ----------
    n_steps : int
        Pairs of neighbouring frames.
    n_changes : int array
        Pairs with |S(t+1) - S(t)| > 0.2 |mean S|; 0 where the mean is 0, but for rounding.
    nonshiftability, deviation, variation : float array
        Share of such pairs; share of frames with |S - mean S| > 0.2 |mean S|; standard deviation
        of S over |mean S|. NaN where the mean is 0: such a map has no scale to judge by.
    mean_sum : float array
    """

    n_steps: int
    n_changes: np.ndarray
    nonshiftability: np.ndarray
    deviation: np.ndarray
    variation: np.ndarray
    mean_sum: np.ndarray


def measure_sums(sums: np.ndarray, magnitudes: np.ndarray | None = None) -> SumMeasures:
    """
    Return how a channel's sum changes over the frames of a sequence.

    Parameters
    ----------
    sums : float array, shape (n_frames, n_channels)
        S(t): the sum over a channel's map at every frame, at least two.
    magnitudes : float array of that shape, optional
        Sums of |x| over the same places. A mean of S up to 1e-6 of theirs is what rounding leaves
        of a sum that is 0, as behind a filter without a mean, and counts as 0.

    Returns
    -------
    SumMeasures

    Raises
    ------
    ValueError
        If there are fewer than two frames.

    References
    ----------
    A. Azulay and Y. Weiss, "Why do deep convolutional networks generalize so poorly to small image
    transformations?", arXiv 1805.12177v1, Figure 5.

    Examples
    --------
    A sum that jumps between 1 and 2, one that stays, and one of a dead map:

    >>> found = measure_sums(np.array([[1, 5, 0], [2, 5, 0], [1, 5, 0], [2, 5, 0.0]]))
    >>> found.nonshiftability.tolist(), found.deviation.tolist()
    ([1.0, 0.0, nan], [1.0, 0.0, nan])

    A sum that is 0 but for rounding:

    >>> measure_sums(np.array([[1e-5], [-3e-5]]), np.array([[200.0], [200]])).nonshiftability
    array([nan])
    """
    if len(sums) < 2:
        raise ValueError(f"{len(sums)} frames, expected at least 2")
    sums = np.asarray(sums, np.float64)
    mean = sums.mean(axis=0)
    scale = np.abs(mean)
    least = 0.0 if magnitudes is None else _LEAST * np.asarray(magnitudes, np.float64).mean(axis=0)
    known = scale > least
    changes = (np.abs(np.diff(sums, axis=0)) > THRESHOLD * scale).sum(axis=0) * known
    deviations = (np.abs(sums - mean) > THRESHOLD * scale).mean(axis=0)
    spread = sums.std(axis=0)
    return SumMeasures(
        n_steps=len(sums) - 1,
        n_changes=changes,
        nonshiftability=np.where(known, changes / (len(sums) - 1), np.nan),
        deviation=np.where(known, deviations, np.nan),
        variation=np.divide(spread, scale, out=np.full(len(scale), np.nan), where=known),
        mean_sum=mean,
    )
