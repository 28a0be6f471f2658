"""Pearson's statistic on few objects: its exact law, all terms positive."""

from functools import lru_cache

import numpy as np
from scipy import special

from biaskit.bias.tails.tail import LN10

__all__ = ["MAX_TABLE_N", "log10_survival_small"]

# Tables are made up to one of these sample sizes, so that few serve all categories.
_SIZES = (16, 32, 64, 100)
MAX_TABLE_N = _SIZES[-1]
_BLOCK_ROWS = 16


def log10_survival_small(s: np.ndarray, n: np.ndarray, *, cells: int) -> np.ndarray:
    """
    log10 of P(S >= s), S the sum of squared counts of n objects in equal cells.

    Exact to about 1e-13 relative at any depth. One table per number of cells serves all n.

    Parameters
    ----------
    s : int array, shape (g,)
        Sums of squares, at most n^2.
    n : int array, shape (g,)
        Sample sizes, counts from 1 to MAX_TABLE_N.
    cells : int
        Number of equal cells, 2 or more.

    Returns
    -------
    float array, shape (g,)

    Notes
    -----
    P(S = s) = n! K^-n times the coefficient of z^n q^s in (sum_c z^c q^(c^2) / c!)^K. Cells are
    added one by one to a table over (objects so far, sum of squares so far); no term is negative,
    so the far tail keeps its digits. Because c^2 and c are both odd or both even, only
    (s - n) / 2 is stored.

    Examples
    --------
    Two objects share one of two cells (S = 4) with chance 1/2:

    >>> (10 ** log10_survival_small(np.array([4]), np.array([2]), cells=2)).round(12).tolist()
    [0.5]
    """
    n_max = next(size for size in _SIZES if size >= n.max())
    table, start = _survival_table(cells, n_max)
    # The next sum of squares that n objects can have; each n has n (n - 1) / 2 + 1 places.
    place = np.clip((s - n + 1) // 2, 0, n * (n - 1) // 2)
    return table[start[n] + place]


@lru_cache(maxsize=16)
def _survival_table(cells: int, n_max: int) -> tuple[np.ndarray, np.ndarray]:
    """log10 P(S >= s) for every n <= n_max, one after the other, and where each n begins."""
    weight = _sums_of_weights(cells, n_max)
    m = np.arange(n_max + 1)
    length = m * (m - 1) // 2 + 1
    start = np.cumsum(length) - length
    table = np.empty(length.sum())
    scale = special.gammaln(m + 1) - m * np.log(cells)
    for n in m.tolist():
        upper = np.cumsum(weight[n, : length[n]][::-1])[::-1]
        table[start[n] : start[n] + length[n]] = (np.log(upper) + scale[n]) / LN10
    table.setflags(write=False)
    return table, start


def _sums_of_weights(cells: int, n_max: int) -> np.ndarray:
    """Sum of 1 / (c_1! ... c_K!) over all counts with given total and sum of squares."""
    width = n_max * (n_max - 1) // 2 + 1
    inverse_factorial = np.exp(-special.gammaln(np.arange(n_max + 1) + 1.0))
    total = np.zeros((n_max + 1, width))
    total[0, 0] = 1.0
    for _ in range(cells):
        added = np.zeros_like(total)
        for low in range(0, n_max + 1, _BLOCK_ROWS):
            high = min(low + _BLOCK_ROWS, n_max + 1)
            # m objects reach a sum of squares of m^2 at most.
            used = (high - 1) * (high - 2) // 2 + 1
            block = total[low:high, :used]
            for c in range(n_max + 1 - low):
                rows = min(high, n_max + 1 - c) - low
                shift = c * (c - 1) // 2
                columns = min(used, width - shift)
                added[low + c : low + c + rows, shift : shift + columns] += (
                    inverse_factorial[c] * block[:rows, :columns]
                )
        total = added
    return total
