"""Proven upper bounds of the smooth tests' far tails."""

import numpy as np
from scipy import special

from biaskit.bias.tails.tail import LN10

__all__ = ["log10_smooth_bound"]

# Lengths s of a direction, and 2 psi(s) / s^2 for each, where psi(s) is the largest
# ln E exp(s l.phi(u, v)) over unit vectors l in R^5; 1 would be a Gaussian. Found by
# monotone ascent from 24 starts each and rounded up; the tests find them again another way.
LENGTHS = 0.001 * 1.15 ** np.arange(69)
TWICE_RATE = np.array(
    [
        *(1.000608, 1.000699, 1.000804, 1.000924, 1.001063, 1.001222, 1.001405, 1.001616, 1.001859),
        *(1.002138, 1.002459, 1.002828, 1.003253, 1.003742, 1.004305, 1.004953, 1.005699, 1.006558),
        *(1.007547, 1.008685, 1.009997, 1.011509, 1.013252, 1.015261, 1.017579, 1.020254, 1.023343),
        *(1.026912, 1.031037, 1.035810, 1.041338, 1.047745, 1.055181, 1.063821, 1.073875, 1.085593),
        *(1.099274, 1.115280, 1.134045, 1.156093, 1.182056, 1.212695, 1.248916, 1.291777, 1.342470),
        *(1.402245, 1.472217, 1.552976, 1.643893, 1.742110, 1.841475, 1.932221, 2.002407, 2.041264),
        *(2.042719, 2.006807, 1.938434, 1.844945, 1.734054, 1.612669, 1.486459, 1.359817, 1.235992),
        *(1.117276, 1.005188, 0.900646, 0.804111, 0.715699, 0.635282),
    ]
)
# Grid steps by which a standardised rank can lengthen a direction: sqrt(1 + 3) = 2 jointly,
# sqrt(3) for the coupling part alone, both below 1.15^5 = 2.011.
_RANK_STEPS = 5


def log10_smooth_bound(t: np.ndarray, n: np.ndarray, *, df: int, ranked: bool) -> np.ndarray:
    """
    log10 of a proven upper bound of P(T >= t) for the smooth tests.

    Parameters
    ----------
    t : float array, shape (g,)
        Sum of squared scores.
    n : int array, shape (g,)
        Sample sizes, counts of 1 or more.
    df : int
        Number of scores, 5 or 10.
    ranked : bool
        Whether scores weighted with size ranks are among them (coupling, joint).

    Returns
    -------
    float array, shape (g,)
        At most 0.

    Notes
    -----
    Method of mixtures. Let psi(s) = max over unit l of ln E exp(s l.phi). For Z = n^-1/2 sum phi_i
    and every direction l of length r = s sqrt(n), E exp(l.Z) <= e^(n psi(s)). Averaged over the
    sphere of radius r, exp(l.Z) is B(r |Z|) with B(x) = Gamma(d/2) (2/x)^(d/2-1) I_(d/2-1)(x),
    which rises with |Z|; so by Markov, for every s,
    P(|Z|^2 >= t) <= e^(n psi(s)) / B(s sqrt(n t)).
    The least over a grid of s is taken. For large n the best s is small, psi(s) is near s^2/2,
    and the bound near the chi-square law.

    Given size ranks a_i (sum 0, sum of squares n, all below sqrt 3) the direction (l, l') acts on
    object i as l + a_i l'. These lengths have mean square |l|^2 + |l'|^2 and are at most 2s (where
    only l' counts sqrt 3 s), so the sum of psi is at most n s^2 k(2s), with k(s) the largest of
    psi(r) / r^2 for r <= s.

    Examples
    --------
    Ten objects can not do much, a thousand can; the chi-square law says -19.4:

    >>> log10_smooth_bound(np.array([100.0]), np.array([10]), df=5, ranked=False).round(1)
    array([-7.6])
    >>> log10_smooth_bound(np.array([100.0]), np.array([1000]), df=5, ranked=False).round(1)
    array([-14.8])
    """
    rate = TWICE_RATE / 2
    lengths = LENGTHS
    if ranked:
        # The table holds psi at grid points; between two of them psi is at most the upper one's,
        # so the ratio is at most that times the square of the step.
        between = rate.copy()
        between[1:] = np.maximum.accumulate(np.maximum(rate[1:] * 1.15**2, 0.0))
        between[0] = rate[1] * 1.15**2
        rate, lengths = between[_RANK_STEPS:], lengths[:-_RANK_STEPS]
    best = np.zeros(t.shape)
    for s, k in zip(lengths, rate, strict=True):
        best = np.minimum(best, n * k * s**2 - _log_sphere_mean(s * np.sqrt(n * t), df))
    return best / LN10


def _log_sphere_mean(x: np.ndarray, df: int) -> np.ndarray:
    """Logarithm of the mean of e^(x w) over the first coordinate w of a unit vector in R^df."""
    order = df / 2 - 1
    x = np.maximum(x, 1e-3)
    bessel = np.log(special.ive(order, x)) + x
    return special.gammaln(df / 2) + order * np.log(2 / x) + bessel
