"""
Intervals for shares and means over images: Wilson's, and a bootstrap of images.

Frames of one image are far from independent, so an image is one unit: its frames are first
made one number, and images are resampled with what they hold.

Two measures against hidden disorder: groups of equal size share their resamples, so a group's
interval depends on the seed and on the group alone (and intervals of two groups must not be
combined as if independent); and what is summed are whole multiples of 2^-30, of which no sum is
rounded, so that a matrix library may add in any order and on any number of threads.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

__all__ = ["LEVEL", "Interval", "bootstrap_means", "wilson"]

LEVEL = 0.95
_STREAM = 0x57EE5  # tells these draws from others made with the same seed
_STEP = 2.0**-30  # 2^30 times 8 million images is still below 2^53
_WEIGHTS = 1 << 22  # weights held at once: 32 MB
_REPLICATES = 1 << 22


@dataclass(frozen=True)
class Interval:
    """
    Lower and upper ends, each a float array; NaN where there is no interval.

    Examples
    --------
    >>> Interval(np.array([0.1]), np.array([0.3])).low
    array([0.1])
    """

    low: np.ndarray
    high: np.ndarray


def wilson(k: np.ndarray, n: np.ndarray, *, level: float = LEVEL) -> Interval:
    """
    Return Wilson's interval for a share.

    It holds the shares that a score test does not reject, stays within 0 and 1, and says
    something even if none or all of the images count [1]_.

    Parameters
    ----------
    k, n : int array, shape (...)
        Images that count, of how many.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        NaN where n is 0.

    Raises
    ------
    ValueError
        If k is not between 0 and n.

    References
    ----------
    .. [1] E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference",
       Journal of the American Statistical Association 22, 1927.

    Examples
    --------
    None of n gives an upper end of z^2 / (n + z^2), and z is 1.96:

    >>> interval = wilson(np.array([0]), np.array([100]))
    >>> float(interval.low[0]), round(float(interval.high[0]), 3)
    (0.0, 0.037)
    """
    k, n = np.asarray(k, np.float64), np.asarray(n, np.float64)
    if ((k < 0) | (k > n)).any():
        raise ValueError("k is outside 0 to n: are the counts in the right order?")
    z2 = special.ndtri((1 + level) / 2) ** 2
    some = np.where(n > 0, n, np.nan)
    middle = (k + z2 / 2) / (some + z2)
    half = np.sqrt(z2 * (k * (some - k) / some + z2 / 4)) / (some + z2)
    low, high = np.where(k == 0, 0, middle - half), np.where(k == n, 1, middle + half)
    return Interval(np.where(n > 0, low, np.nan), np.where(n > 0, high, np.nan))


def bootstrap_means(
    values: np.ndarray,
    group: np.ndarray,
    n_groups: int,
    *,
    seed: int,
    n_resamples: int,
    level: float = LEVEL,
) -> Interval:
    """
    Return bootstrap intervals for the mean over images, of many groups at once.

    The percentile interval takes the spread too small by sqrt(1 - 1/n). Its tails are moved
    out, as Hesterberg proposes [1]_, so that a normal sample of n gets Student's interval: with
    20 images from 2.5 % to 1.6 %. It never reaches beyond the group's own values.

    Parameters
    ----------
    values : float array, shape (n_images,)
        One number per image, between -1 and 1, within each group in a fixed order such as that
        of the names; NaN: the image is set aside.
    group : int array, shape (n_images,)
        The group of each image, from 0; an image of two groups stands there twice.
    n_groups : int
        How many groups there are.
    seed, n_resamples : int
        What decides the resamples, and their number.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        Arrays of shape (n_groups,), NaN with fewer than two images.

    Raises
    ------
    ValueError
        If n_resamples is below 1, or a value outside -1 to 1.

    References
    ----------
    .. [1] T. Hesterberg, "What Teachers Should Know About the Bootstrap", The American
       Statistician 69(4), 2015, section 5.3.

    Examples
    --------
    Where all images say the same there is nothing to resample; one image gives no interval:

    >>> interval = bootstrap_means(
    ...     np.array([0.2, 0.2, 0.7]), np.array([0, 0, 1]), 2, seed=1, n_resamples=99
    ... )
    >>> interval.low.tolist(), interval.high.tolist()
    ([0.2, nan], [0.2, nan])
    """
    values, group = np.asarray(values, np.float64), np.asarray(group)
    if n_resamples < 1:
        raise ValueError(f"n_resamples is {n_resamples}, expected at least 1")
    if (np.abs(values) > 1).any():
        raise ValueError("a value is outside -1 to 1: are these shares or their differences?")
    known = ~np.isnan(values)
    order = np.flatnonzero(known)[np.argsort(group[known], kind="stable")]
    size = np.bincount(group[known], minlength=n_groups)
    start = np.cumsum(size) - size
    low, high = np.full(n_groups, np.nan), np.full(n_groups, np.nan)
    for n in np.unique(size[size >= 2]).tolist():
        found = np.flatnonzero(size == n)
        samples = values[order[start[found][:, None] + np.arange(n)]]
        low[found], high[found] = _ends(samples, seed, n_resamples, level)
    return Interval(low, high)


def _ends(
    samples: np.ndarray, seed: int, n_resamples: int, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends for samples of one size, shape (groups, images)."""
    n = samples.shape[1]
    mean = samples.sum(axis=1) / n
    whole = np.rint((samples - mean[:, None]) / _STEP)
    tail = special.ndtr(special.stdtrit(n - 1, (1 - level) / 2) * np.sqrt(n / (n - 1)))
    ends = np.empty((2, len(samples)))
    groups = max(1, _REPLICATES // n_resamples)
    for first in range(0, len(samples), groups):
        part = slice(first, first + groups)
        moved = _resampled_sums(whole[part], seed, n_resamples) * (_STEP / n)
        ends[:, part] = np.quantile(moved, [tail, 1 - tail], axis=1)
    ends = np.clip(mean + ends, samples.min(axis=1), samples.max(axis=1))
    return ends[0], ends[1]


def _resampled_sums(whole: np.ndarray, seed: int, n_resamples: int) -> np.ndarray:
    """Sum every group in every resample: shape (groups, resamples), always the same draws."""
    n = whole.shape[1]
    rng = np.random.default_rng([seed, _STREAM, n])
    sums = np.empty((len(whole), n_resamples))
    step = max(1, _WEIGHTS // n)
    for first in range(0, n_resamples, step):
        m = min(step, n_resamples - first)
        drawn = rng.integers(0, n, (m, n)) + n * np.arange(m)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=m * n).reshape(m, n)
        sums[:, first : first + m] = whole @ weights.T.astype(np.float64)
    return sums
