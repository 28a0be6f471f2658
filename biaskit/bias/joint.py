"""
Position as a whole, and position together with size: quadrats and smooth scores.

Two axes can each be uniform while the plane is not, and large boxes can sit elsewhere than
small ones. Quadrats count boxes in a grid of equal cells; the smooth test sums five Legendre
functions of the place (``tails.legendre_scores``), and, for the coupling to size, the same five
times the rank of size.
"""

import numpy as np

from biaskit.bias.uniformity import bins_of, group_sums

__all__ = ["QUADRATS", "centred_ranks", "quadrat_of", "smooth_statistic"]

QUADRATS = 5  # per side: 25 cells


def quadrat_of(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """
    Return the quadrat of each place, numbered along x first.

    Parameters
    ----------
    u, v : float array, shape (m,)
        Horizontal and vertical place, uniform on (0, 1) under the null.

    Returns
    -------
    int array, shape (m,)

    Examples
    --------
    >>> quadrat_of(np.array([0.01, 0.5]), np.array([0.01, 0.99])).tolist()
    [0, 22]
    """
    return bins_of(u, QUADRATS) + QUADRATS * bins_of(v, QUADRATS)


def centred_ranks(
    by_size: np.ndarray, group: np.ndarray, n_groups: int, *, weights: np.ndarray
) -> np.ndarray:
    """
    Return the rank of size within each group, with (weighted) mean 0 and variance 1.

    Parameters
    ----------
    by_size : int array, shape (n,)
        All rows by group, then by size (``coupling.order_within_groups``). With ranks shared by
        equal sizes one odd size among many equal ones would stand sqrt(n) deviations out; in an
        order without ties the ranks are 1 to n whatever the sizes, and all below sqrt 3, as the
        null law of the statistic takes them to be.
    group : int array, shape (n,)
    n_groups : int
    weights : float array, shape (n,)
        0 leaves a row out.

    Returns
    -------
    float array, shape (m,)
        Of the m rows that are not left out. A group of one has rank 0.

    Examples
    --------
    >>> order, group = np.array([2, 0, 1]), np.zeros(3, int)
    >>> centred_ranks(order, group, 1, weights=np.ones(3)).round(4)
    array([ 0.    ,  1.2247, -1.2247])
    """
    ranked = by_size[weights[by_size] > 0]
    rank = np.empty(len(group))
    # Where the group begins does not matter: its mean is taken off.
    rank[ranked] = np.arange(len(ranked))
    rows = np.flatnonzero(weights)
    rank, group, weights = rank[rows], group[rows], weights[rows]
    total = np.maximum(np.bincount(group, weights, minlength=n_groups), 1e-300)
    rank -= (np.bincount(group, weights * rank, minlength=n_groups) / total)[group]
    spread = np.sqrt(np.bincount(group, weights * rank * rank, minlength=n_groups) / total)
    return rank / np.where(spread > 0, spread, 1.0)[group]


def smooth_statistic(
    scores: np.ndarray, group: np.ndarray, n_groups: int, *, weights: np.ndarray
) -> np.ndarray:
    """
    Return the sum of squared standardised scores of every group.

    Parameters
    ----------
    scores : float array, shape (k, m)
        Each with mean 0 and variance 1 under the null.
    group : int array, shape (m,)
    n_groups : int
    weights : float array, shape (m,)
        Their sum over a group is its n.

    Returns
    -------
    float array, shape (n_groups,)
        sum over k of (n^-1/2 sum of weighted scores)^2, near chi-square with k degrees of freedom
        under the null; NaN for groups without rows.

    References
    ----------
    J. Neyman, "'Smooth test' for goodness of fit", Skandinavisk Aktuarietidskrift 20, 1937.

    Examples
    --------
    >>> smooth_statistic(np.array([[2.0, 0.0]]), np.zeros(2, int), 1, weights=np.ones(2)).tolist()
    [2.0]
    """
    n = group_sums(group, n_groups, weights)
    sums = np.stack([np.bincount(group, weights * s, minlength=n_groups) for s in scores])
    total = (sums * sums).sum(axis=0) / np.maximum(n, 1)
    return np.where(n > 0, total, np.nan)
