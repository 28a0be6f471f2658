"""Proven upper bounds of Pearson's far tail, for every sample size and depth."""

import numpy as np
from scipy import special

from biaskit.bias.tails.binomial import log_binomial_pmf
from biaskit.bias.tails.light_cells import LightCells
from biaskit.bias.tails.tail import LN10

__all__ = ["log10_agrawal_bound", "log10_heavy_cell_bound", "log10_pearson_bound"]

# Above this many objects per cell the second bound would take 10 ms a category or more.
_HEAVY_UP_TO = 1000
# The light term goes about as this power of 1 / b; only the speed of the search rests on it.
_LIGHT_FALLS = 0.7
# So often the meeting point is foretold, then the rest is halved.
_FORETOLD = 4


def log10_pearson_bound(x2: np.ndarray, n: np.ndarray, *, cells: int) -> np.ndarray:
    """
    log10 of a proven upper bound of P(X2 >= x2): the smaller of two.

    Above 1,000 objects per cell the first alone, `log10_agrawal_bound`.

    Parameters
    ----------
    x2 : float array, shape (g,)
        Pearson's statistic against equal cells.
    n : int array, shape (g,)
        Sample sizes, counts of 1 or more.
    cells : int
        Number of equal cells, 2 or more.

    Returns
    -------
    float array, shape (g,)
        At most 0.

    Examples
    --------
    The chi-square law would say -418.1 here, and the truth is about -193.25:

    >>> bound = log10_pearson_bound(np.array([2000.0]), np.array([615]), cells=16)
    >>> bool(-193.25 < bound[0] < -187)
    True
    """
    best = log10_agrawal_bound(x2, n, cells=cells)
    cheap = n <= _HEAVY_UP_TO * cells
    best[cheap] = np.minimum(best[cheap], log10_heavy_cell_bound(x2[cheap], n[cheap], cells=cells))
    return best


def log10_agrawal_bound(x2: np.ndarray, n: np.ndarray, *, cells: int) -> np.ndarray:
    """
    Bound by the Kullback-Leibler divergence that a given X2 forces.

    X2 >= x forces KL(shares || uniform) >= e, the least divergence with K sum q^2 - 1 = x/n. By
    Lagrange its shares have two levels, m cells at (1 + sqrt(c (K-m)/m)) / K and K - m at
    (1 - sqrt(c m/(K-m))) / K with c = x/n, so e is the least of K - 1 closed forms. The MGF of the
    divergence is at most that of a Gamma(K-1) variable with rate n [1]_, hence
    ln p <= -n e + (K-1) (1 + ln(n e / (K-1))) where n e > K - 1.

    Parameters
    ----------
    x2, n, cells
        As in `log10_pearson_bound`.

    Returns
    -------
    float array, shape (g,)

    References
    ----------
    .. [1] R. Agrawal, "Concentration of the multinomial in Kullback-Leibler divergence near the
       ratio of alphabet and sample sizes", arXiv 1904.02291.

    Examples
    --------
    >>> log10_agrawal_bound(np.array([200.24]), np.array([50]), cells=16).round(2).tolist()
    [-5.26]
    """
    excess = np.minimum(x2 / n, cells - 1.0)
    least = np.full(excess.shape, np.inf)
    for m in range(1, cells):
        high = 1 + np.sqrt(excess * (cells - m) / m)
        low = 1 - np.sqrt(excess * m / (cells - m))
        divergence = (
            special.xlogy(m * high, high) + special.xlogy((cells - m) * low, np.maximum(low, 0.0))
        ) / cells
        # A hair below zero is zero with rounding: all objects in m cells.
        feasible = low > -1e-12
        least = np.where(feasible, np.minimum(least, divergence), least)
    ratio = np.maximum(n * least / (cells - 1), 1.0)
    return (cells - 1) * (1 + np.log(ratio) - ratio) / LN10


def log10_heavy_cell_bound(x2: np.ndarray, n: np.ndarray, *, cells: int) -> np.ndarray:
    """
    Bound by splitting off the samples in which one cell is heavy.

    Either some cell holds more than b objects, with chance at most K P(Bin(n, 1/K) > b), or none
    does, with the chance that `LightCells` bounds. One term falls with b and the other rises, so
    twice the larger of the two at the b where they meet is least; it never rises with x2.

    Parameters
    ----------
    x2, n, cells
        As in `log10_pearson_bound`.

    Returns
    -------
    float array, shape (g,)

    Examples
    --------
    Sixteen cells, 615 objects: the truth at 120 is about -15.7.

    >>> bound = log10_heavy_cell_bound(np.array([120.0]), np.array([615]), cells=16)
    >>> bool(-15.7 < bound[0] < -12)
    True
    """
    light = LightCells(x2, n, cells)
    low, high = _neighbours_of_the_cut(light, x2, n, cells)
    # Left of the meeting point the heavy term is the larger, right of it the light one.
    every = np.arange(len(x2))
    above = np.maximum(light.log_bound(every, high), _log_some_cell_above(high, n, cells))
    best = np.minimum(above, _log_some_cell_above(low, n, cells))
    return np.minimum(best + np.log(2), 0.0) / LN10


def _neighbours_of_the_cut(
    light: LightCells, x2: np.ndarray, n: np.ndarray, cells: int
) -> tuple[np.ndarray, np.ndarray]:
    """
    Return the last b at which the heavy term is the larger, and the one after it.

    Where they meet is foretold from the light term at one b, which changes little, and hit to
    within one or two: as good as always three b need a search for the best tilt.
    """
    mean = n / cells
    one_cell = mean + np.sqrt(x2 * mean * (cells - 1) / cells)
    low = np.floor(mean).astype(np.int64)
    high = np.minimum(np.floor(one_cell).astype(np.int64) + 2, n)
    # The first tilt says enough for a first guess.
    at, at_once = high.copy(), np.full(n.shape, np.inf)
    value = light.log_bound(np.arange(len(n)), high, against=at_once)
    rows = np.flatnonzero(high - low > 1)
    foretold = 0
    while len(rows):
        if foretold < _FORETOLD:
            guess = _meeting(value[rows], at[rows], low[rows], high[rows], n[rows], cells)
            at[rows] = np.minimum(guess, high[rows] - 1)
            foretold += 1
        else:
            at[rows] = (low[rows] + high[rows]) // 2
        heavy = _log_some_cell_above(at[rows], n[rows], cells)
        value[rows] = light.log_bound(rows, at[rows], against=heavy)
        left = heavy > value[rows]
        low[rows] = np.where(left, at[rows], low[rows])
        high[rows] = np.where(left, high[rows], at[rows])
        rows = rows[high[rows] - low[rows] > 1]
    return low, high


def _meeting(
    light: np.ndarray,
    at: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    n: np.ndarray,
    cells: int,
) -> np.ndarray:
    """Return the first b between two at which the heavy term would be below the light one."""
    low, high = low.copy(), high.copy()
    while np.any(high - low > 1):
        middle = np.maximum((low + high) // 2, 1)
        foretold = light * (at / middle) ** _LIGHT_FALLS
        above = _log_some_cell_above(middle, n, cells) > foretold
        going = high - low > 1
        low, high = np.where(going & above, middle, low), np.where(going & ~above, middle, high)
    return high


def _log_some_cell_above(largest: np.ndarray, n: np.ndarray, cells: int) -> np.ndarray:
    """Logarithm of K P(Bin(n, 1/K) > b): first term times a geometric series above the rest."""
    first = np.minimum(largest + 1, n)
    ratio = (n - first) / (first + 1) / (cells - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_tail = np.where(ratio < 1, -np.log1p(-ratio), np.inf)
    log_tail = log_tail + log_binomial_pmf(first, n, np.full(n.shape, 1 / cells)) + np.log(cells)
    return np.where(largest >= n, -np.inf, log_tail)
