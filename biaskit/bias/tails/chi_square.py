"""The chi-square law in log space: correct as a law, wrong as Pearson's far tail."""

import numpy as np
from scipy import special

from biaskit.bias.tails.tail import LN10

__all__ = ["log10_chi2_sf"]

_MAX_ITERATIONS = 20_000


def log10_chi2_sf(x2: np.ndarray, df: np.ndarray) -> np.ndarray:
    """
    log10 of P(X >= x2) for X with the chi-square law, to any depth.

    This is a law, not a test: Pearson's statistic follows it in the body only (see
    `pearson_tail`).

    Parameters
    ----------
    x2 : float array, shape (g,), or scalar
        0 or more; NaN gives NaN.
    df : float array, shape (g,), or scalar
        Degrees of freedom, above 0.

    Returns
    -------
    float array, shape (g,)

    Raises
    ------
    ValueError
        If df is not positive or x2 is negative or infinite.

    Notes
    -----
    With a = df/2 and x = x2/2 it is Q(a, x). Where that fits a double its logarithm is taken;
    deeper, Q = e^-x x^a / Gamma(a) times the continued fraction [1]_
    1/(x+1-a- 1(1-a)/(x+3-a- 2(2-a)/(x+5-a- ...))), evaluated forwards.

    References
    ----------
    .. [1] M. Abramowitz and I. A. Stegun, Handbook of Mathematical Functions, 6.5.31.

    Examples
    --------
    With two degrees of freedom the law is exponential, p = e^(-x2/2):

    >>> log10_chi2_sf(20 * np.log(10), 2).round(9).tolist()
    [-10.0]
    """
    x2, df = np.broadcast_arrays(
        np.atleast_1d(np.asarray(x2, dtype=float)), np.atleast_1d(np.asarray(df, dtype=float))
    )
    if not np.all(df > 0):
        raise ValueError(f"df is {df.min()}, expected more than 0 degrees of freedom.")
    if np.any(x2 < 0) or np.any(np.isinf(x2)):
        raise ValueError("x2 is negative or infinite, expected 0 or more.")
    a, x = df / 2, x2 / 2
    q = special.gammaincc(a, x)
    with np.errstate(divide="ignore"):
        log_q = np.log(q)
    deep = (q < 1e-290) & (x > a + 1)
    log_q[deep] = _log_upper_gamma(a[deep], x[deep])
    return log_q / LN10


def _log_upper_gamma(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Logarithm of Q(a, x) for x > a + 1, by the modified Lentz method."""
    b = x + 1 - a
    c = np.full(a.shape, 1e300)
    inverse = 1 / b
    fraction = inverse.copy()
    done = np.zeros(a.shape, dtype=bool)
    for i in range(1, _MAX_ITERATIONS):
        numerator = -i * (i - a)
        b = b + 2
        inverse = 1 / (numerator * inverse + b)
        c = b + numerator / c
        step = c * inverse
        # Each entry stops by itself, so that it does not depend on its company.
        fraction = np.where(done, fraction, fraction * step)
        done |= np.abs(step - 1) < 3e-16
        if done.all():
            break
    return a * np.log(x) - x - special.gammaln(a) + np.log(fraction)
