"""Pearson's chi-square test on equal cells: exact where it can be, bounded beyond."""

import numpy as np

from biaskit.bias.tails.chi_square import log10_chi2_sf
from biaskit.bias.tails.pearson_bound import log10_pearson_bound
from biaskit.bias.tails.pearson_fourier import (
    FLOOR,
    NUMERICAL_ERROR,
    fourier_reaches,
    survival_by_fourier,
)
from biaskit.bias.tails.pearson_table import MAX_TABLE_N, log10_survival_small
from biaskit.bias.tails.tail import LOG10_BODY, Tail, below_body, check_statistics, fill_tail

__all__ = ["pearson_tail"]


def pearson_tail(x2: np.ndarray, n: np.ndarray, *, cells: int) -> Tail:
    """
    P-values of Pearson's chi-square test of n objects on equally likely cells.

    The chi-square law is far too small in the tail: with 25 cells, 50 objects and X2 = 700 it
    says 10^-131.6 and the truth is 10^-42.7. No p-value can lie below cells^(1 - n).

    Parameters
    ----------
    x2 : float array, shape (g,), or scalar
        Pearson's statistic, sum (c - n/K)^2 / (n/K).
    n : int array, shape (g,), or scalar
        Sample sizes, counts.
    cells : int
        Number of equally likely cells K, 2 or more.

    Returns
    -------
    Tail
        Up to 100 objects ``exact`` at any depth (`pearson_table`). Above, ``exact`` down to
        p = 1e-11 (`pearson_fourier`, absolute error 1e-13) and below that ``bound``
        (`pearson_bound`, or 1e-11 itself if that is smaller). For samples so large that the
        exact law would take more than about a second (from n of about 3,000 at
        25 cells), the chi-square law down to 1e-3, ``asymptotic``, then 1e-3 until the bound is
        smaller.

    Raises
    ------
    ValueError
        If there are fewer than two cells, or X2 is negative or infinite.

    Examples
    --------
    >>> tail = pearson_tail([700.0, 30.0], [50, 50], cells=25)
    >>> tail.log10_p.round(4).tolist(), tail.kind.tolist()
    ([-42.7394, -0.7104], ['exact', 'exact'])
    >>> tail.log10_p_asymptotic.round(4).tolist()
    [-131.6056, -0.7334]
    """
    if int(cells) != cells or cells < 2:
        raise ValueError(f"cells is {cells}, expected a whole number of 2 or more.")
    value, size, usable = check_statistics(x2, n, name="chi-square")
    x, n_used = value[usable], size[usable]
    law = log10_chi2_sf(x, np.array(cells - 1))
    log10_p, kind = law.copy(), np.full(x.shape, "exact", dtype="<U11")
    squares = _sum_of_squares(x, n_used, cells)
    small = n_used <= MAX_TABLE_N
    middle = ~small & fourier_reaches(n_used, cells=cells)
    if small.any():
        log10_p[small] = log10_survival_small(squares[small], n_used[small], cells=cells)
    if middle.any():
        p = survival_by_fourier(squares[middle], n_used[middle], cells=cells)
        log10_p[middle] = np.log10(np.maximum(p, FLOOR + NUMERICAL_ERROR))
        kind[middle] = np.where(p < FLOOR, "bound", "exact")
    kind[~small & ~middle] = "asymptotic"
    deep = (kind == "bound") | ((kind == "asymptotic") & (law < LOG10_BODY))
    if deep.any():
        bound = log10_pearson_bound(x[deep], n_used[deep], cells=cells)
        bound = np.maximum(bound, (1 - n_used[deep]) * np.log10(cells))
        # What the exact law has reached is proven without a bound.
        bound = np.where(middle[deep], np.minimum(bound, np.log10(FLOOR + NUMERICAL_ERROR)), bound)
        log10_p[deep], kind[deep] = below_body(bound)
    return fill_tail(usable, log10_p, kind, law)


def _sum_of_squares(x2: np.ndarray, n: np.ndarray, cells: int) -> np.ndarray:
    """
    Least whole sum of squared counts that gives this X2 or more, at most n^2.

    X2 = (K/n) S - n. Sums that differ by rounding only are the same sum.
    """
    real = n * (x2 + n) / cells
    return np.minimum(np.ceil(real - 1e-4 - 1e-12 * real), n.astype(float) ** 2).astype(np.int64)
