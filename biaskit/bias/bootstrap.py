"""
Resampling of whole images: one set of weights for every category, sums free of rounding.

Objects of one image are not independent, so a bootstrap of boxes gives intervals that are far
too short; images are resampled instead, each with a weight drawn from Poisson(1). What a
resample needs of an image are a few sums over its objects, so a thousand resamples of a category
are one matrix product. All categories share the weights: their intervals must not be combined.

Floating sums depend on their order, and a matrix library chooses the order by processor and by
number of threads. Here the numbers of an image are first rounded to whole multiples of 2^-15
of the category's largest. Then no partial sum over 128 images needs more than the 24 bits of a
short float, none is rounded, and every order gives the same bytes. An offset moves by less than
a hundredth of a pixel, far less than its interval is wide.
"""

import numpy as np
from scipy import special

__all__ = ["ImageWeights", "percentile_interval"]

HEAVIEST = 15  # a Poisson(1) weight above it has a chance of 2e-14; it is cut there
# Products are cut into pieces so small that no matrix library shares them among threads:
# waiting for a thread whose core is taken costs twenty times what the product does.
_IMAGES, _RESAMPLES, _COLUMNS = 128, 50, 40
_BITS = 15  # 2^15 times the weights of 128 images, less than 2^9 in all, is below 2^24
_BLOCKS_KEPT = 128  # blocks of 128 images kept as floats, half a megabyte each; others as bytes
_STREAM = 0xB007  # tells these draws from others made with the same seed


class ImageWeights:
    """
    Poisson(1) weights of images: row = number of the image in its category, column = resample.

    Parameters
    ----------
    seed : int
        Another seed gives independent weights.
    n_resamples : int
        Number of columns.

    Examples
    --------
    Two images with one object each; a resample's total is the sum of two weights:

    >>> totals = ImageWeights(1, n_resamples=4000).totals(np.ones((2, 1)))
    >>> totals.shape, bool(abs(totals.mean() - 2) < 0.1)
    ((1, 4000), True)
    """

    def __init__(self, seed: int, n_resamples: int):
        if n_resamples < 1:
            raise ValueError(f"n_resamples is {n_resamples}, expected at least 1")
        self.seed = seed
        self.n_resamples = n_resamples
        self._bytes: dict[int, np.ndarray] = {}
        self._floats: dict[int, np.ndarray] = {}

    def totals(self, columns: np.ndarray) -> np.ndarray:
        """
        Sum the columns of one category's images in every resample.

        Parameters
        ----------
        columns : float array, shape (n_images, d)
            One row per image, in canonical order; an image that does not enter has zeros.

        Returns
        -------
        float array, shape (d, n_resamples)
            Of the columns rounded to 2^-15 of their largest entry; the same on any number
            of threads.
        """
        largest = np.abs(columns).max(axis=0, initial=0.0)
        step = np.ldexp(1.0, np.frexp(np.where(largest > 0, largest, 1.0))[1] - _BITS)
        whole = np.rint(columns.T * (1 / step)[:, None]).astype(np.float32)
        pieces = range(0, len(whole), _COLUMNS)
        summed = np.concatenate([self._summed(whole[i : i + _COLUMNS]) for i in pieces])
        return summed * step[:, None]

    def _summed(self, whole: np.ndarray) -> np.ndarray:
        n_pieces = -(-self.n_resamples // _RESAMPLES)
        total = np.zeros((n_pieces, len(whole), _RESAMPLES))
        for block, first in enumerate(range(0, whole.shape[1], _IMAGES)):
            part = whole[:, first : first + _IMAGES]
            total += part @ self._block(block)[:, : part.shape[1]]
        joined = np.ascontiguousarray(total.transpose(1, 0, 2))
        return joined.reshape(len(whole), -1)[:, : self.n_resamples]

    def _block(self, number: int) -> np.ndarray:
        """Return the weights of 128 images as (pieces of 50 resamples, images, resamples)."""
        if number in self._floats:
            return self._floats[number]
        if number not in self._bytes:
            rng = np.random.default_rng([self.seed, _STREAM, number])
            n_pieces = -(-self.n_resamples // _RESAMPLES)
            drawn = rng.poisson(1.0, (n_pieces, _IMAGES, _RESAMPLES))
            self._bytes[number] = np.minimum(drawn, HEAVIEST).astype(np.uint8)
        weights = self._bytes[number].astype(np.float32)
        if len(self._floats) < _BLOCKS_KEPT:
            self._floats[number] = weights
        return weights


def percentile_interval(
    replicates: np.ndarray, n_images: np.ndarray | int, *, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """
    Return the percentile interval of a statistic, widened for small samples.

    The plain percentile interval is that of a normal law with known spread, and that spread is
    taken too small by sqrt(1 - 1/n). The expanded one [1]_ moves the percentiles out until a
    normal sample of n gets Student's interval: with n = 20, from 2.5 % to 1.6 %.

    Parameters
    ----------
    replicates : float array, shape (k, n_resamples)
        The statistic in every resample; NaN where a resample was empty: set aside.
    n_images : int, or integer array, shape (k,)
        Images that entered. Fewer than two give no interval.
    level : float
        Confidence level.

    Returns
    -------
    low, high : float array, shape (k,)
        NaN without an interval.

    References
    ----------
    .. [1] T. Hesterberg, "What Teachers Should Know About the Bootstrap", The American
       Statistician 69(4), 2015, section 5.3.

    Examples
    --------
    >>> low, high = percentile_interval(np.linspace(0, 1, 1001)[None], 10**9)
    >>> round(float(low[0]), 4), round(float(high[0]), 4)
    (0.025, 0.975)
    """
    ordered = np.sort(replicates, axis=1)  # NaN goes to the end of each row
    valid = np.count_nonzero(~np.isnan(ordered), axis=1)
    n = np.broadcast_to(np.asarray(n_images, np.float64), valid.shape)
    tail = _expanded_tail(n, (1 - level) / 2)
    bad = (n < 2) | (valid < 2)
    low, high = _quantile(ordered, valid, tail), _quantile(ordered, valid, 1 - tail)
    return np.where(bad, np.nan, low), np.where(bad, np.nan, high)


def _expanded_tail(n: np.ndarray, tail: float) -> np.ndarray:
    df = np.maximum(n - 1, 1)
    reach = special.stdtrit(df, tail) * np.sqrt((df + 1) / df)
    return special.ndtr(reach)


def _quantile(ordered: np.ndarray, valid: np.ndarray, share: np.ndarray) -> np.ndarray:
    place = share * np.maximum(valid - 1, 0)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(valid - 1, 0))
    rows = np.arange(len(ordered))
    low, high = ordered[rows, below], ordered[rows, above]
    return low + (high - low) * (place - below)
