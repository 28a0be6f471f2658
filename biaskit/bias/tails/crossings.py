"""The binomial terms that the exact sums of Smirnov and of Stephens share."""

from collections.abc import Callable, Iterator

import numpy as np

from biaskit.bias.tails.binomial import HALF_LN_2PI, stirling_remainders

__all__ = ["log_sum_of_crossings"]

# Terms held at once: ten arrays of this length stay in a processor's cache.
_CHUNK = 50_000
# Terms smaller than e^-40 of the largest are below the last digit of the sum. The factor
# before the exponential changes by less than n^3 over the range of j.
_DROP, _DROP_PER_LN_N = 40.0, 3.0

Weight = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def log_sum_of_crossings(d: np.ndarray, n: np.ndarray, *, weight: Weight) -> np.ndarray:
    """
    Logarithm of sum_j weight * Bin(j; n, d + j/n) over 0 <= j < n (1 - d).

    Each term is the chance that the empirical distribution of n uniform values crosses the line d
    above (or below) the diagonal at the height j/n, with a binomial law of its own.

    Parameters
    ----------
    d : float array, shape (g,)
        Distance of the line, 0 < d < 1.
    n : int array, shape (g,)
        Sample sizes, counts of 1 or more.
    weight : callable
        Takes (d, n, j, y), flat arrays with one entry per term, y = d + j/n; gives the factor of
        each term. The sum of a category must come out positive.

    Returns
    -------
    float array, shape (g,)
        Natural logarithm of the sums.

    Notes
    -----
    The terms behave as e^(-n KL(x || x + d)) at x = j/n. The divergence is convex along this
    line, so all terms that matter lie in one window of j, found by bisection. The terms of all
    categories are one flat ragged array, summed after a shift by each category's maximum.

    Examples
    --------
    For one value, P(D+ >= d) is 1 - d, the term j = 0:

    >>> unit = lambda d, n, j, y: np.ones_like(y)
    >>> float(np.exp(log_sum_of_crossings(np.array([0.25]), np.array([1]), weight=unit))[0])
    0.75
    """
    first, last = _window(d, n)
    result = np.empty(d.shape)
    for rows in _chunks(last - first + 1):
        result[rows] = _log_sum(d[rows], n[rows], first[rows], last[rows], weight)
    return result


def _log_sum(
    d: np.ndarray, n: np.ndarray, first: np.ndarray, last: np.ndarray, weight: Weight
) -> np.ndarray:
    length = last - first + 1
    start = np.cumsum(length) - length
    j = np.arange(length.sum()) + np.repeat(first - start, length)
    d_term, n_term = np.repeat(d, length), np.repeat(n, length)
    log_pmf = _log_pmf_on_the_line(d_term, n_term, j)
    shift = np.maximum.reduceat(log_pmf, start)
    term = np.exp(log_pmf - np.repeat(shift, length))
    term *= weight(d_term, n_term, j, d_term + j / n_term)
    return shift + np.log(np.add.reduceat(term, start))


def _log_pmf_on_the_line(d: np.ndarray, n: np.ndarray, j: np.ndarray) -> np.ndarray:
    """
    Logarithm of Bin(j; n, d + j/n).

    The distance from j to its mean is n d exactly, so it enters as it is instead of as
    a difference; the error is about n d roundings, against a result of 2 n d^2 or more.
    """
    table = stirling_remainders(int(n.max()))
    rest = n - j
    log_pmf = table[n] - table[j] - table[rest] - HALF_LN_2PI
    # n / rest is exactly 1 at j = 0, so d = 1 - 2^-53 still gives a finite logarithm.
    log_pmf += rest * np.log1p(-d * (n / rest))
    log_pmf += j * np.log1p(d * (n / np.maximum(j, 1)))
    return log_pmf


def _divergence(x: np.ndarray, d: np.ndarray) -> np.ndarray:
    return -(x * np.log1p(d / x) + (1 - x) * np.log1p(-d / (1 - x)))


def _slope(x: np.ndarray, d: np.ndarray) -> np.ndarray:
    return np.log1p(-d / (1 - x)) - np.log1p(d / x) - x / (x + d) + (1 - x) / (1 - x - d)


def _window(d: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and last j whose terms matter, as int arrays."""
    # Nearer to 1 only j = 0 is left, and the divergence would be infinite.
    line = np.minimum(d, 1 - 1e-9)
    left, right = (1 - line) * 1e-6, (1 - line) * (1 - 1e-6)
    bottom = _bisect(left, right, lambda x: _slope(x, line) > 0)
    limit = _divergence(bottom, line) + (_DROP + _DROP_PER_LN_N * np.log(n)) / n
    low = _bisect(left, bottom, lambda x: _divergence(x, line) <= limit)
    high = _bisect(bottom, right, lambda x: _divergence(x, line) > limit)
    # A last j with n - j <= n d would have no chance at all; j = 0 always has one.
    final = np.maximum(np.ceil(n - n * d).astype(np.int64) - 1, 0)
    first = np.clip(np.floor(n * low).astype(np.int64) - 2, 0, final)
    return first, np.clip(np.ceil(n * high).astype(np.int64) + 2, first, final)


def _bisect(
    low: np.ndarray, high: np.ndarray, turned: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    # 24 halvings place a boundary to 1e-7 of the range; its two-term margin covers the rest.
    for _ in range(24):
        middle = (low + high) / 2
        after = turned(middle)
        low, high = np.where(after, low, middle), np.where(after, middle, high)
    return (low + high) / 2


def _chunks(length: np.ndarray) -> Iterator[slice]:
    """Runs of categories with at most _CHUNK terms together, or one category alone."""
    start, total = 0, 0
    for i, terms in enumerate(length.tolist()):
        if i > start and total + terms > _CHUNK:
            yield slice(start, i)
            start, total = i, 0
        total += terms
    if start < len(length):
        yield slice(start, len(length))
