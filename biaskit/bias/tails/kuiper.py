"""Kuiper's V = D+ + D-: as sensitive at the edges as in the middle."""

import numpy as np

from biaskit.bias.tails.crossings import log_sum_of_crossings
from biaskit.bias.tails.tail import LN10, Tail, check_statistics, fill_tail

__all__ = ["kuiper_tail", "log10_kuiper"]

# Below this n V^2, where p is above .8, the asymptotic series is nearer than the sum.
_SUM_FROM = 0.8
# From here, where p is below .2, what is missing from the sum is less than 6e-5 of it.
_EXACT_FROM = 2.0


def log10_kuiper(v: np.ndarray, n: np.ndarray) -> np.ndarray:
    """
    log10 of P(V >= v) for n values uniform on (0, 1).

    Stephens's upper-tail sum [1]_: with y = v + t/n, over 0 <= t <= n (1 - v),
    P = sum_t Bin(t; n, y) / ((1-y) y^3)
    [n y^3 - (3-2/n) t y^2 + (3-2/n) t(t-1) y/n - t(t-1)(t-2)/n^2].

    Parameters
    ----------
    v : float array, shape (g,), or scalar
        D+ plus D-, from 1/n to 1; NaN gives NaN.
    n : int array, shape (g,), or scalar
        Sample sizes, counts; 0 gives NaN.

    Returns
    -------
    float array, shape (g,)

    Raises
    ------
    ValueError
        If a v is outside [0, 1].

    Notes
    -----
    The sum is exact for v >= 1/2. Below, configurations with two excursions are missing from it;
    their terms m >= 2 of the asymptotic series are added. Against an exact determinant p is then
    too small by 6e-5 of itself at most for n v^2 >= 2 (p below .2), by 7e-3 at 1.2 (p near .5)
    and, for fewer than ten values only, by 2 to 5 % at .8 to 1. Where p is above .8 (n v^2
    < 0.8) the whole series is used.

    References
    ----------
    .. [1] M. A. Stephens, "The goodness-of-fit statistic V_n: distribution and significance
       points", Biometrika 52, 1965.

    Examples
    --------
    For one value V is always 1; for two, P(V >= v) is 2 (1 - v) from v = 1/2 on:

    >>> (10 ** log10_kuiper([1.0, 0.75], [1, 2])).round(12).tolist()
    [1.0, 0.5]
    """
    value, size, usable = check_statistics(v, n, name="Kuiper's V")
    if np.any(value[usable] > 1 + 1e-12):
        raise ValueError(f"Kuiper's V is {np.nanmax(value)}, expected 0 to 1.")
    inside = np.clip(value[usable], 0.0, np.nextafter(1.0, 0.0))
    log10_p = np.full(value.shape, np.nan)
    log10_p[usable] = _log_upper_tail(inside, size[usable]) / LN10
    return log10_p


def kuiper_tail(v: np.ndarray, n: np.ndarray) -> Tail:
    """
    P-values of Kuiper's test, exact in the tail at any depth.

    Parameters
    ----------
    v : float array, shape (g,), or scalar
        D+ plus D-, from 0 to 1.
    n : int array, shape (g,), or scalar
        Sample sizes, counts.

    Returns
    -------
    Tail
        Kind ``exact`` for V >= 1/2 or n V^2 >= 2, ``asymptotic`` nearer to p = 1 (see
        `log10_kuiper` for the digits). Beside it the asymptotic series with its 1/sqrt(n) term.

    Raises
    ------
    ValueError
        If a v is outside [0, 1].

    Examples
    --------
    >>> kuiper_tail(0.95, 615).log10_p.round(6).tolist()
    [-796.043534]
    """
    value, size, usable = check_statistics(v, n, name="Kuiper's V")
    exact = log10_kuiper(value[usable], size[usable])
    series = _log10_series(value[usable], size[usable])
    tail = (value[usable] >= 0.5) | (size[usable] * value[usable] ** 2 >= _EXACT_FROM)
    kind = np.where(tail | (size[usable] == 1), "exact", "asymptotic")
    return fill_tail(usable, exact, kind, series)


def _log_upper_tail(v: np.ndarray, n: np.ndarray) -> np.ndarray:
    log_p = np.zeros(v.shape)
    tail = (n * v**2 >= _SUM_FROM) | (v >= 0.5)
    v_tail, n_tail = v[tail], n[tail]
    log_sum = log_sum_of_crossings(v_tail, n_tail, weight=_stephens_weight)
    scale = np.sqrt(n_tail) * v_tail
    # Beyond this they are less than a rounding, and e^-log_sum would overflow.
    two_excursions = (v_tail < 0.5) & (scale < 4)
    missing = np.where(two_excursions, _series(scale, n_tail, first=2), 0.0)
    log_p[tail] = log_sum + np.log1p(missing * np.exp(-np.maximum(log_sum, -100.0)))
    log_p[~tail] = np.log(np.minimum(_series(np.sqrt(n) * v, n, first=1)[~tail], 1.0))
    # V is at least 1/n, and for one value exactly 1.
    return np.where(v * n <= 1, 0.0, np.minimum(log_p, 0.0))


def _stephens_weight(_v: np.ndarray, n: np.ndarray, t: np.ndarray, y: np.ndarray) -> np.ndarray:
    a = 3 - 2 / n
    polynomial = n * y**3 - a * t * y**2 + a * t * (t - 1) * y / n - t * (t - 1) * (t - 2) / n**2
    # y may round to 1 at the last t, where Bin(t; n, y) has no chance left.
    return np.divide(polynomial, (1 - y) * y**3, out=np.zeros_like(y), where=y < 1)


def _series(scale: np.ndarray, n: np.ndarray, *, first: int) -> np.ndarray:
    """Terms m >= first of the asymptotic series, scale = sqrt(n) V."""
    total = np.zeros(scale.shape)
    for m in range(first, 12):
        square = m**2 * scale**2
        edge = 8 * scale / (3 * np.sqrt(n)) * m**2 * (4 * square - 3)
        total += (2 * (4 * square - 1) - edge) * np.exp(-2 * square)
    # The series needs sqrt(n) V above about .4; below, p is 1 to six digits.
    return np.where(scale < 0.4, float(first == 1), total)


def _log10_series(v: np.ndarray, n: np.ndarray) -> np.ndarray:
    scale = np.sqrt(n) * v
    far = scale**2 > 8
    # The second order turns negative when V is no longer small; then the first stands alone.
    first_order = 2 * (4 * scale**2 - 1)
    lead = first_order - 8 * v / 3 * (4 * scale**2 - 3)
    lead = np.where(lead > 0.1 * np.abs(first_order), lead, first_order)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_far = np.log(lead) - 2 * scale**2
        log_near = np.log(np.clip(_series(scale, n, first=1), 1e-300, 1.0))
    return np.where(far, log_far, log_near) / LN10
