"""Kolmogorov-Smirnov: the largest distance between sample and null, exact everywhere."""

import numpy as np
from scipy import special

from biaskit.bias.tails.crossings import log_sum_of_crossings
from biaskit.bias.tails.kolmogorov_body import ks_survival_body
from biaskit.bias.tails.tail import LN10, Tail, check_statistics, fill_tail

__all__ = ["ks_tail", "log10_ks_one_sided", "log10_ks_two_sided"]

# From this n d^2 the chance that both D+ and D- reach d is below 2e-11 of the sum of their
# chances; for samples above 140, from where it is below the error of the body, 5e-6.
_ONE_SIDE, _ONE_SIDE_LARGE, _LARGE = 4.0, 2.2, 140


def log10_ks_one_sided(d: np.ndarray, n: np.ndarray) -> np.ndarray:
    """
    log10 of P(D+ >= d) for n values uniform on (0, 1), exact to any depth.

    P = sum_j (d / p_j) Bin(j; n, p_j), p_j = d + j/n, over 0 <= j <= n (1 - d): every term is
    positive, so nothing cancels, however small the sum [1]_.

    Parameters
    ----------
    d : float array, shape (g,), or scalar
        Largest distance in one direction, from 0 to 1; NaN gives NaN.
    n : int array, shape (g,), or scalar
        Sample sizes, counts; 0 gives NaN.

    Returns
    -------
    float array, shape (g,)
        Relative error below 1e-14 / d.

    Raises
    ------
    ValueError
        If a d is outside [0, 1].

    References
    ----------
    .. [1] Z. W. Birnbaum and F. H. Tingey, "One-sided confidence contours for probability
       distribution functions", Annals of Mathematical Statistics 22, 1951.

    Examples
    --------
    For one value D+ is uniform, so P(D+ >= 0.1) is 0.9:

    >>> (10 ** log10_ks_one_sided(0.1, 1)).round(12).tolist()
    [0.9]
    """
    value, size, usable = check_statistics(d, n, name="KS distance")
    log10_p = np.full(value.shape, np.nan)
    log10_p[usable] = _one_sided(value[usable], size[usable])
    return log10_p


def log10_ks_two_sided(d: np.ndarray, n: np.ndarray) -> np.ndarray:
    """
    log10 of P(D >= d), D = max(D+, D-), for n values uniform on (0, 1).

    Parameters
    ----------
    d : float array, shape (g,), or scalar
        Largest distance, from 0 to 1; NaN gives NaN.
    n : int array, shape (g,), or scalar
        Sample sizes, counts; 0 gives NaN.

    Returns
    -------
    float array, shape (g,)

    Raises
    ------
    ValueError
        If a d is outside [0, 1].

    Notes
    -----
    For n d^2 >= 4 it is twice the one-sided sum, too large by less than 2e-11 of itself (exact for
    d >= 1/2). Below, `kolmogorov_body`: 1e-13 up to n = 140, and 1e-7 to 8e-6 of p above, where
    the sum takes over at n d^2 = 2.2. The choice of methods follows [1]_.

    References
    ----------
    .. [1] R. Simard and P. L'Ecuyer, "Computing the Two-Sided Kolmogorov-Smirnov
       Distribution", Journal of Statistical Software 39(11), 2011.

    Examples
    --------
    For one value D is max(u, 1 - u), at least 3/4 with chance 1/2:

    >>> (10 ** log10_ks_two_sided(0.75, 1)).round(12).tolist()
    [0.5]
    """
    value, size, usable = check_statistics(d, n, name="KS distance")
    d_used, n_used = value[usable], size[usable]
    limit = np.where(n_used > _LARGE, _ONE_SIDE_LARGE, _ONE_SIDE)
    body = (n_used * d_used**2 < limit) & (d_used < 0.5)
    result = np.empty(d_used.shape)
    result[body] = np.log10(ks_survival_body(d_used[body], n_used[body]))
    doubled = np.log10(2) + _one_sided(d_used[~body], n_used[~body])
    result[~body] = np.minimum(doubled, 0.0)
    log10_p = np.full(value.shape, np.nan)
    log10_p[usable] = result
    return log10_p


def ks_tail(d: np.ndarray, n: np.ndarray) -> Tail:
    """
    P-values of the two-sided Kolmogorov-Smirnov test, exact at any depth.

    Parameters
    ----------
    d : float array, shape (g,), or scalar
        Largest distance between the empirical distribution and the null, from 0 to 1.
    n : int array, shape (g,), or scalar
        Sample sizes, counts.

    Returns
    -------
    Tail
        Kind ``exact``. Beside it the limit law of sqrt(n) D, too large at small n.

    Raises
    ------
    ValueError
        If a d is outside [0, 1].

    Examples
    --------
    >>> tail = ks_tail([0.9, np.nan], [615, 20])
    >>> tail.log10_p.round(6).tolist(), tail.kind.tolist()
    ([-614.598243, nan], ['exact', ''])
    """
    value, size, usable = check_statistics(d, n, name="KS distance")
    d_used, n_used = value[usable], size[usable]
    exact = log10_ks_two_sided(d_used, n_used)
    return fill_tail(usable, exact, np.full(exact.shape, "exact"), _log10_limit(d_used, n_used))


def _one_sided(d: np.ndarray, n: np.ndarray) -> np.ndarray:
    if np.any(d > 1):
        raise ValueError(f"KS distance is {d.max()}, expected 0 to 1.")
    # A uniform draw can be 0 exactly, and a p-value can not: the last float below 1 stands in.
    inside = np.clip(d, np.finfo(float).tiny, np.nextafter(1.0, 0.0))
    log_p = log_sum_of_crossings(inside, n, weight=_smirnov_weight)
    return np.where(d == 0, 0.0, np.minimum(log_p / LN10, 0.0))


def _smirnov_weight(d: np.ndarray, _n: np.ndarray, _j: np.ndarray, y: np.ndarray) -> np.ndarray:
    return d / y


def _log10_limit(d: np.ndarray, n: np.ndarray) -> np.ndarray:
    scaled = 2 * n * d**2
    with np.errstate(divide="ignore"):
        body = np.log10(special.kolmogorov(np.sqrt(n) * d))
    # Further out the first term of the series is all of it.
    return np.where(scaled > 50, (np.log(2) - scaled) / LN10, body)
