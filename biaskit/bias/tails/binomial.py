"""Binomial probabilities in log space, accurate where the plain formula loses digits."""

from functools import lru_cache

import numpy as np
from scipy import special

from biaskit.bias.tails.tail import LN10, check_statistics

__all__ = ["HALF_LN_2PI", "log10_binomial_tail", "log_binomial_pmf", "stirling_remainders"]

HALF_LN_2PI = 0.5 * float(np.log(2 * np.pi))


def stirling_remainders(n_max: int) -> np.ndarray:
    """
    Tabulate ln k! - (k ln k - k + ln(2 pi) / 2) for k = 0 .. n_max and somewhat beyond.

    It is ln(k) / 2 plus Stirling's series 1/12k - 1/360k^3 + ..., so binomial
    coefficients come without subtracting large logarithms of factorials [1]_.

    Parameters
    ----------
    n_max : int
        Largest k wanted, a count.

    Returns
    -------
    float array, read-only
        Entry k is the remainder of k; at least n_max + 1 entries.

    References
    ----------
    .. [1] C. Loader, "Fast and Accurate Computation of Binomial Probabilities", 2000.

    Examples
    --------
    >>> float(stirling_remainders(1)[1].round(4))  # ln 1! is 0, so 1 - ln(2 pi) / 2
    0.0811
    """
    return _remainders_up_to(1 << max(int(n_max), 1).bit_length())


@lru_cache(maxsize=4)
def _remainders_up_to(size: int) -> np.ndarray:
    k = np.arange(size + 1, dtype=float)
    # Sixteen terms by the definition: there the numbers are small and nothing is lost.
    table = special.gammaln(k + 1) - special.xlogy(k, k) + k - HALF_LN_2PI
    big = k[16:]
    inverse = 1 / (big * big)
    series = 1 / 12 - inverse * (
        1 / 360 - inverse * (1 / 1260 - inverse * (1 / 1680 - inverse / 1188))
    )
    table[16:] = 0.5 * np.log(big) + series / big
    table.setflags(write=False)
    return table


def log_binomial_pmf(k: np.ndarray, n: np.ndarray, p: np.ndarray) -> np.ndarray:
    """
    Natural logarithm of the binomial probability of k successes in n trials.

    Parameters
    ----------
    k, n : int arrays that broadcast
        Counts, 0 <= k <= n.
    p : float array that broadcasts
        Chance of a success, strictly between 0 and 1.

    Returns
    -------
    float array

    Examples
    --------
    >>> float(np.exp(log_binomial_pmf(1, 2, 0.5)).round(12))
    0.5
    """
    k, n = np.asarray(k, dtype=np.int64), np.asarray(n, dtype=np.int64)
    if np.any((k < 0) | (k > n)):
        raise ValueError("k of a binomial probability reaches outside 0 to n.")
    table = stirling_remainders(int(n.max(initial=1)))
    ways = table[n] - table[k] - table[n - k] - HALF_LN_2PI
    return (
        ways
        + special.xlogy(k, n * p / np.maximum(k, 1))
        + special.xlogy(n - k, n * (1 - p) / np.maximum(n - k, 1))
    )


def log10_binomial_tail(k: np.ndarray, n: np.ndarray) -> np.ndarray:
    """
    Two-sided exact p-value of the sign test, to any depth.

    Under the null each of n objects falls left or right of the middle with chance one
    half. The p-value is twice the smaller tail, P(X <= min(k, n - k)), cut at 1: exact,
    conservative by the steps of the binomial law, and as small as 2^(1 - n).

    Parameters
    ----------
    k : int array, shape (g,), or scalar
        Number on one side, a count from 0 to n; NaN where there is none.
    n : int array, shape (g,), or scalar
        Number on both sides; 0 gives NaN.

    Returns
    -------
    float array, shape (g,)
        log10 p.

    Raises
    ------
    ValueError
        If k is not a whole number, or reaches outside 0 to n.

    Notes
    -----
    Where the tail fits a double it is the regularised incomplete beta function. Deeper it is
    the largest term times 1 + r_1 + r_1 r_2 + ..., r_i = (m - i + 1) / (n - m + i), all positive.

    Examples
    --------
    All of eleven on one side has p = 2 / 2^11:

    >>> log10_binomial_tail(11, 11).round(6).tolist()
    [-3.0103]
    """
    value, size, usable = check_statistics(k, n, name="the number on one side")
    count, n_used = value[usable], size[usable]
    if np.any(count != np.floor(count)) or np.any(count > n_used):
        raise ValueError(f"number on one side is {count}, expected whole numbers from 0 to n.")
    smaller = np.minimum(count, n_used - count)
    tail = special.bdtr(smaller, n_used, 0.5)
    with np.errstate(divide="ignore"):
        log_tail = np.log(tail)
    deep = tail < 1e-290
    log_tail[deep] = _log_lower_tail_of_a_fair_coin(smaller[deep], n_used[deep])
    log10_p = np.full(value.shape, np.nan)
    log10_p[usable] = np.minimum((log_tail + np.log(2)) / LN10, 0.0)
    return log10_p


def _log_lower_tail_of_a_fair_coin(m: np.ndarray, n: np.ndarray) -> np.ndarray:
    largest = log_binomial_pmf(m.astype(np.int64), n, np.full(m.shape, 0.5))
    total, term, i = np.ones(m.shape), np.ones(m.shape), 0
    while np.any(term > 1e-17 * total):
        i += 1
        term = term * np.maximum(m - i + 1, 0) / (n - m + i)
        total += term
    return largest + np.log(total)
