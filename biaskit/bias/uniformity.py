"""
Statistics of uniformity for every category at once: one sort, then runs.

A loop over a thousand categories spends its time in calls. Here the rows of all categories are
sorted by (category, u) in one go, so every category is one run of rows, and a statistic is a
maximum or a sum over runs. The same order serves every policy: leaving rows out keeps it.
"""

from dataclasses import dataclass

import numpy as np

__all__ = [
    "BINS",
    "Ordered",
    "Statistics",
    "bins_of",
    "group_sums",
    "order_by_group",
    "pearson",
    "statistics",
]

BINS = 10  # cells of the chi-square test of one variable

# Weights are summed as integers: exact, and free of what stands in other categories.
_WEIGHT_UNIT = 2.0**40


@dataclass(frozen=True)
class Ordered:
    """Rows sorted by (group, u); all arrays have shape (m,)."""

    rows: np.ndarray  # int: where each came from
    group: np.ndarray  # int: rising
    u: np.ndarray  # float in (0, 1): rising within a group
    log_low: np.ndarray  # ln u
    log_high: np.ndarray  # ln(1 - u)


@dataclass(frozen=True)
class Statistics:
    """Distances from uniformity, one per group; float arrays, shape (n_groups,), NaN if empty."""

    chi2: np.ndarray  # Pearson's, on BINS equal bins
    ks: np.ndarray  # Kolmogorov-Smirnov D
    kuiper: np.ndarray  # Kuiper V = D+ + D-
    cvm: np.ndarray  # Cramer-von Mises W2
    ad: np.ndarray  # Anderson-Darling A2


@dataclass(frozen=True)
class _Steps:
    """The empirical distribution function at each row, and the runs of rows."""

    starts: np.ndarray  # int: first row of each run
    before: np.ndarray  # float, shape (m,): its value left of u
    after: np.ndarray  # float, shape (m,): its value right of u


def order_by_group(u: np.ndarray, group: np.ndarray) -> Ordered:
    """
    Sort the rows that have a u by group, then by u.

    Parameters
    ----------
    u : float array, shape (n,)
        Strictly inside (0, 1); NaN for rows left out.
    group : int array, shape (n,)

    Returns
    -------
    Ordered

    Notes
    -----
    One key, group + u, sorts eight times faster than two. It rounds u to 2^-43 at a thousand
    groups, so rows closer than that may swap, but the u that enter are not rounded.

    Examples
    --------
    >>> order_by_group(np.array([0.9, 0.2, 0.5, np.nan]), np.array([0, 1, 0, 0])).rows.tolist()
    [2, 0, 1]
    """
    rows = np.flatnonzero(~np.isnan(u))
    rows = rows[np.argsort(group[rows] + u[rows])]
    sorted_u = u[rows]
    # 1 - u is exact where its logarithm is large.
    return Ordered(rows, group[rows], sorted_u, np.log(sorted_u), np.log(1 - sorted_u))


def statistics(ordered: Ordered, n_groups: int, *, weights: np.ndarray | None = None) -> Statistics:
    """
    Return five distances of every group from the uniform distribution.

    Parameters
    ----------
    ordered : Ordered
    n_groups : int
        Groups are numbered 0 to n_groups - 1; those without rows give NaN.
    weights : float array, shape (m,), optional
        Weight of each ordered row; 0 leaves it out. The sum over a group takes the place of its
        number of rows and must be whole.

    Returns
    -------
    Statistics

    Notes
    -----
    With F the (weighted) empirical distribution function, F- and F+ its values left and right of
    a row, and h = F+ - F- the row's share of its group:

    - D+ = max(F+ - u), D- = max(u - F-), D = max(D+, D-), V = D+ + D-;
    - W2 = n sum h (a^2 + a b + b^2) / 3 with a = u - F-, b = u - F+;
    - A2 = -n - n sum h [(F+ + F-) ln u + (2 - F+ - F-) ln(1 - u)].

    The sums are the integrals of (F - u)^2 and (F - u)^2 / (u (1 - u)) worked out piece by piece;
    with equal weights they are the textbook's formulas.

    Examples
    --------
    One value at 0.3 is 0.7 away from the step it should not make yet:

    >>> found = statistics(order_by_group(np.array([0.3]), np.array([0])), 1)
    >>> float(found.ks[0]), float(found.kuiper[0])
    (0.7, 1.0)
    """
    o = ordered if weights is None else _subset(ordered, weights > 0)
    w = None if weights is None else weights[weights > 0]
    empty = np.full(n_groups, np.nan)
    if len(o.rows) == 0:
        return Statistics(*(empty.copy() for _ in range(5)))
    steps = _steps(o.group, w)
    present = o.group[steps.starts]
    n = group_sums(o.group, n_groups, w)[present]
    a, b, share = o.u - steps.before, o.u - steps.after, steps.after - steps.before
    d_plus = -np.minimum.reduceat(b, steps.starts)
    d_minus = np.maximum.reduceat(a, steps.starts)
    cubes = np.add.reduceat(share * (a * a + a * b + b * b), steps.starts)
    height = steps.after + steps.before
    logs = share * (height * o.log_low + (2 - height) * o.log_high)
    values = (
        np.maximum(d_plus, d_minus),
        d_plus + d_minus,
        n * cubes / 3,
        -n - n * np.add.reduceat(logs, steps.starts),
    )
    filled = []
    for value in values:
        filled.append(empty.copy())
        filled[-1][present] = value
    chi2 = pearson(bins_of(o.u, BINS), o.group, n_groups, n_cells=BINS, weights=w)
    return Statistics(chi2, *filled)


def pearson(
    cell: np.ndarray,
    group: np.ndarray,
    n_groups: int,
    *,
    n_cells: int,
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """
    Return Pearson's X2 of every group against equal chances of all cells.

    Parameters
    ----------
    cell, group : int array, shape (m,)
        Cell 0 to n_cells - 1 and group of each row, in any order.
    n_groups, n_cells : int
    weights : float array, shape (m,), optional
        As in ``statistics``.

    Returns
    -------
    float array, shape (n_groups,)
        NaN for groups without rows.

    Notes
    -----
    X2 = (K / n) sum c^2 - n: with whole counts the sum is an exact integer.

    Examples
    --------
    >>> pearson(np.array([0, 0, 0, 1]), np.zeros(4, int), 1, n_cells=2).tolist()
    [1.0]
    """
    flat = group * n_cells + cell
    counts = np.bincount(flat, weights, minlength=n_groups * n_cells).reshape(n_groups, n_cells)
    counts = counts.astype(np.float64)
    n = np.rint(counts.sum(axis=1))
    squares = (counts * counts).sum(axis=1)
    x2 = n_cells * squares / np.where(n > 0, n, 1.0) - n
    # Rounding may leave a perfectly even group a hair below 0.
    return np.where(n > 0, np.maximum(x2, 0.0), np.nan)


def bins_of(u: np.ndarray, n_bins: int) -> np.ndarray:
    """Return which of ``n_bins`` equal parts of (0, 1) each u lies in."""
    return np.minimum((u * n_bins).astype(np.int64), n_bins - 1)


def group_sums(group: np.ndarray, n_groups: int, weights: np.ndarray | None) -> np.ndarray:
    """Return the size of every group, in rows or whole weights; shape (n_groups,)."""
    return np.rint(np.bincount(group, weights, minlength=n_groups)).astype(np.int64)


def _subset(o: Ordered, keep: np.ndarray) -> Ordered:
    if keep.all():
        return o
    return Ordered(o.rows[keep], o.group[keep], o.u[keep], o.log_low[keep], o.log_high[keep])


def _steps(group: np.ndarray, weights: np.ndarray | None) -> _Steps:
    starts = np.flatnonzero(np.diff(group, prepend=group[0] - 1))
    lengths = np.diff(starts, append=len(group))
    if weights is None:
        size = np.ones(len(group), np.int64)
    else:
        size = np.rint(weights * _WEIGHT_UNIT).astype(np.int64)
    # May wrap around in a huge study; differences within a group do not.
    total = np.cumsum(size)
    ahead = np.repeat(total[starts] - size[starts], lengths)
    after = (total - ahead).astype(np.float64)
    whole = np.repeat(after[starts + lengths - 1], lengths)
    return _Steps(starts, (after - size) / whole, after / whole)
