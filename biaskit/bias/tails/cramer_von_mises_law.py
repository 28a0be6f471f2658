"""The law of Cramer-von Mises W2 for large samples, and its first correction."""

from functools import lru_cache

import numpy as np
from scipy import interpolate, special

from biaskit.bias.tails.tail import LN10

__all__ = ["log10_cvm_limit", "one_over_n_term"]

# From here one term of the series is all of it.
_ONE_TERM_FROM = 3.0
# A midpoint rule of this step in t integrates e^(-t^2) to rounding; 6.2^2 is 38 nats.
_T = np.arange(0.1, 6.2, 0.2)
_TERMS, _NODES = 16, 40


def log10_cvm_limit(x: np.ndarray) -> np.ndarray:
    """
    log10 of P(W2 >= x) for infinitely many objects, to any depth.

    Smirnov's form [1]_, free of cancellation: P = (1/pi) sum_j (-1)^(j+1) times the integral over
    s from (2j-1) pi to 2j pi of (2/s) sqrt(-s/sin s) e^(-x s^2/2).

    Parameters
    ----------
    x : float array, shape (g,), or scalar
        0 or more; NaN gives NaN.

    Returns
    -------
    float array, shape (g,)
        Relative error of the logarithm below 1e-12 for x above 0.03.

    References
    ----------
    .. [1] N. V. Smirnov, "Sur la distribution de omega^2", Comptes rendus 202, 1936.

    Examples
    --------
    Its 5 % point is 0.461:

    >>> (10 ** log10_cvm_limit(0.461)).round(2).tolist()
    [0.05]
    """
    x = np.atleast_1d(np.asarray(x, dtype=float))
    log_p = np.full(x.shape, np.nan)
    body, tail = x < _ONE_TERM_FROM, x >= _ONE_TERM_FROM
    half_square, weight = _body_rule()
    # Below 0.02 the law is 1 to ten digits, and the series would need more terms.
    # A product with a vector would round differently in other company.
    p = np.sum(np.exp(-np.maximum(x[body], 0.02)[:, None] * half_square) * weight, axis=1)
    log_p[body] = np.log(np.clip(p, 1e-300, 1.0))
    log_p[tail] = _log_one_term(x[tail])
    return log_p / LN10


@lru_cache(maxsize=1)
def _body_rule() -> tuple[np.ndarray, np.ndarray]:
    """Nodes s^2/2 and weights: s = (2j-1) pi + pi (1 - cos t)/2 absorbs the root at the ends."""
    t = np.pi * (np.arange(_NODES) + 0.5) / _NODES
    j = np.arange(1, _TERMS + 1)[:, None]
    beyond = np.pi * (1 - np.cos(t)) / 2
    s = (2 * j - 1) * np.pi + beyond
    width = np.pi / 2 * np.sin(t) * (np.pi / _NODES)
    weight = -((-1.0) ** j) / np.pi * (2 / s) * np.sqrt(s / np.sin(beyond)) * width
    return (s**2 / 2).ravel(), weight.ravel()


def _log_one_term(x: np.ndarray) -> np.ndarray:
    """The first integral with s^2 = pi^2 + 2 t^2 / x, in logs."""
    x = x[:, None]
    s = np.sqrt(np.pi**2 + 2 * _T**2 / x)
    # s - pi without subtracting.
    beyond = 2 * _T**2 / (x * (s + np.pi))
    ds = 2 * _T / (x * s) * 0.2
    total = np.sum(np.exp(-(_T**2)) * (2 / s) * np.sqrt(s / np.sin(beyond)) * ds, axis=1)
    return -(np.pi**2) * x[:, 0] / 2 + np.log(total / np.pi)


def one_over_n_term(x: np.ndarray) -> np.ndarray:
    """
    Coefficient of 1/n in P(W2 >= x).

    Parameters
    ----------
    x : float array, shape (g,)

    Returns
    -------
    float array, shape (g,)
        Zero above x = 3, where p is below 1e-7.

    Notes
    -----
    Minus the sum of V(x)/12 and the function psi_1 of Csorgo and Faraway [1]_, V the limit's
    distribution function: a series of Bessel functions K of orders 1/4, 3/4 and 5/4, evaluated
    once on a grid and interpolated.

    References
    ----------
    .. [1] S. Csorgo and J. J. Faraway, "The exact and asymptotic distributions of Cramer-von
       Mises statistics", Journal of the Royal Statistical Society B 58, 1996.

    Examples
    --------
    At the 5 % point of the limit, p at n = 10 differs from 0.05 by about 0.002:

    >>> (one_over_n_term(np.array([0.461])) / 10).round(4).tolist()
    [-0.0021]
    """
    spline = _one_over_n_spline()
    inside = (x > spline.x[0]) & (x < spline.x[-1])
    return np.where(inside, spline(np.clip(x, spline.x[0], spline.x[-1])), 0.0)


@lru_cache(maxsize=1)
def _one_over_n_spline() -> interpolate.CubicSpline:
    x = np.geomspace(0.015, _ONE_TERM_FROM, 600)
    below = -np.expm1(log10_cvm_limit(x) * LN10)
    return interpolate.CubicSpline(x, -(below / 12 + _psi_1(x)))


def _psi_1(x: np.ndarray) -> np.ndarray:
    root, total = 2 * np.sqrt(x), np.zeros(x.shape)
    for k in range(24):
        m, half = 2 * k + 1, special.gamma(k + 0.5)
        term = m * half * _two((4 * k + 3) / root) / (9 * x**0.75)
        term += half * _three((4 * k + 1) / root) / (72 * x**1.25)
        term += (m + 2) * (k + 0.5) * half * _three((4 * k + 5) / root) / (6 * x**1.25)
        for order in (1, 5):
            term += 7 * m * half * _two((4 * k + order) / root) / (144 * x**0.75)
        total -= term / (np.pi * special.gamma(k + 1))
    return total


def _two(y: np.ndarray) -> np.ndarray:
    z = y**2 / 4
    bessel = special.kve(0.25, z) + special.kve(0.75, z)
    return np.exp(-2 * z) * (y / 2) ** 1.5 * bessel / np.sqrt(np.pi)


def _three(y: np.ndarray) -> np.ndarray:
    z = y**2 / 4
    bessel = 2 * special.kve(0.25, z) + 3 * special.kve(0.75, z) - special.kve(1.25, z)
    return np.exp(-2 * z) * (y / 2) ** 2.5 * bessel / np.sqrt(np.pi)
