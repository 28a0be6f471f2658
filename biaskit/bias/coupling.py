"""Are larger objects nearer the middle? Rank correlation of size and place."""

import itertools
from functools import lru_cache

import numpy as np
from scipy import special

from biaskit.bias.group_sums import Grouping, Weighed
from biaskit.bias.mirror import Outcome

__all__ = ["log10_spearman", "order_within_groups", "rank_correlation"]

_Z = 1.959963984540054
_EXACT = 8  # with so few objects all n! orders are tried
_WEIGHT_UNIT = 2.0**40  # weights are summed as integers: exact, whatever else is in the table


def rank_correlation(
    grouping: Grouping, by_size: np.ndarray, by_distance: np.ndarray, weighed: Weighed
) -> Outcome:
    """
    Correlate the ranks of size and of distance from the middle (Spearman's rho).

    Parameters
    ----------
    grouping : Grouping
    by_size, by_distance : int array, shape (n,)
        All objects in the order of each, group after group (``order_within_groups``).
    weighed : Weighed
        With unequal weights a rank is the weight below plus half the object's own.

    Returns
    -------
    Outcome
        Statistic and effect are the correlation; negative if larger objects are more central.
        p is exact up to 8 objects of equal weight and Student's beyond (see
        ``log10_spearman``). The interval is Bonett and Wright's [1]_.

    References
    ----------
    .. [1] D. G. Bonett and T. A. Wright, "Sample Size Requirements for Estimating Pearson,
       Kendall and Spearman Correlations", Psychometrika 65(1), 2000.
    """
    weight, group = weighed.weight, grouping.group
    x, y = (_ranks(grouping, order, weight) for order in (by_size, by_distance))
    # An image weighs one, or each object does: their sum is the number of either.
    n = np.rint(np.nan_to_num(weighed.total)).astype(np.int64)
    rho = np.where(n >= 3, _correlation(x, y, grouping, weighed), np.nan)
    equal = np.bincount(group[weight == 1], minlength=grouping.n_groups) == n
    log10_p = log10_spearman(rho, n, exact=equal)
    kind = np.where(equal & (n <= _EXACT), "exact", "asymptotic")
    low, high = _bonett_wright(rho, n)
    return Outcome(rho, log10_p, np.where(np.isnan(rho), "", kind), rho, low, high)


def order_within_groups(group: np.ndarray, value: np.ndarray, lot: np.ndarray) -> np.ndarray:
    """
    Return the rows by group, then by value.

    Parameters
    ----------
    group : int array, shape (n,)
    value : float array, shape (n,)
    lot : float array, shape (n,)
        Decides between equal values, so that ranks have no ties and their null law is known.

    Examples
    --------
    >>> order_within_groups(np.zeros(3, int), np.array([2, 1, 2]), np.array([0.9, 0, 0.1])).tolist()
    [1, 2, 0]
    """
    return np.lexsort((lot, value, group))


def _ranks(grouping: Grouping, order: np.ndarray, weight: np.ndarray) -> np.ndarray:
    whole = np.rint(weight[order] * _WEIGHT_UNIT).astype(np.int64)
    below = np.cumsum(whole) - whole
    first = below[np.flatnonzero(np.diff(grouping.group, prepend=-1))]
    ranks = np.empty(len(order))
    # Rows are in the order of their groups, sorted or not.
    ranks[order] = (below - first[grouping.group] + whole / 2) / _WEIGHT_UNIT
    return ranks


def _correlation(x: np.ndarray, y: np.ndarray, grouping: Grouping, weighed: Weighed) -> np.ndarray:
    x, y = (v - np.nan_to_num(grouping.mean(v, weighed))[grouping.group] for v in (x, y))
    scale = np.sqrt(grouping.mean(x * x, weighed) * grouping.mean(y * y, weighed))
    return np.clip(grouping.mean(x * y, weighed) / np.where(scale > 0, scale, np.nan), -1, 1)


def log10_spearman(rho: np.ndarray, n: np.ndarray, *, exact: np.ndarray) -> np.ndarray:
    """
    Return the two-sided p-value of Spearman's rank correlation, as log10.

    Parameters
    ----------
    rho : float array, shape (k,)
        NaN where there is none.
    n : int array, shape (k,)
        Number of ranks.
    exact : bool array, shape (k,)
        Where ranks are 1 to n: up to n = 8 all orders are counted there.

    Returns
    -------
    float array, shape (k,)
        Elsewhere Student's t with n - 2 degrees of freedom, right to a few hundredths of a
        decade down to p = .001 and too small far below; never less than 2 / n!.

    Examples
    --------
    Two of the 24 orders of four ranks are as extreme as a perfect one:

    >>> log10_spearman(np.array([1.0]), np.array([4]), exact=np.array([True])).round(4).tolist()
    [-1.0792]
    """
    found = np.full(len(rho), np.nan)
    usable = ~np.isnan(rho) & (n >= 3)
    found[usable] = _log10_student(rho[usable], n[usable])
    for i in np.flatnonzero(usable & exact & (n <= _EXACT)):
        law = _spearman_law(int(n[i]))
        found[i] = np.log10(np.mean(law >= abs(rho[i]) - 1e-9))
    return found


def _log10_student(rho: np.ndarray, n: np.ndarray) -> np.ndarray:
    """P(|t| > t_rho) = I_x((n - 2)/2, 1/2) with x = 1 - rho^2, in logs where it underflows."""
    a, x = (n - 2) / 2, 1 - rho**2
    plain = special.betainc(a, 0.5, x)
    series = special.hyp2f1(a + 0.5, 1, a + 1, np.where(plain < 1e-290, x, 0))
    with np.errstate(divide="ignore"):
        deep = a * np.log(x) + 0.5 * np.log1p(-x) - np.log(a) - special.betaln(a, 0.5)
        natural = np.where(plain < 1e-290, deep + np.log(series), np.log(plain))
    least = np.log(2) - special.gammaln(n + 1)
    return np.minimum(np.maximum(natural, least), 0) / np.log(10)


@lru_cache(maxsize=_EXACT)
def _spearman_law(n: int) -> np.ndarray:
    """Return the absolute correlation of every order of n ranks with the first."""
    orders = np.array(list(itertools.permutations(range(n))), dtype=np.int8)
    squares = ((orders - np.arange(n)) ** 2).sum(axis=1)
    return np.abs(1 - 6 * squares / (n * (n * n - 1)))


def _bonett_wright(rho: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    inside = np.clip(rho, -1 + 1e-12, 1 - 1e-12)
    error = np.sqrt((1 + inside**2 / 2) / np.where(n > 3, n - 3, np.nan))
    middle = np.arctanh(inside)
    return np.tanh(middle - _Z * error), np.tanh(middle + _Z * error)
