"""Proven upper bounds of Pearson's far tail, for every sample size and depth."""

import numpy as np
from scipy import special

from biaskit.bias.tails.binomial import log_binomial_pmf
from biaskit.bias.tails.tail import LN10

__all__ = ["log10_agrawal_bound", "log10_heavy_cell_bound", "log10_pearson_bound"]

# Above this many objects per cell the second bound would take 10 ms a category or more.
_HEAVY_UP_TO = 1000
_NEWTON_STEPS = 40
_CHUNK = 30_000


def log10_pearson_bound(x2: np.ndarray, n: np.ndarray, *, cells: int) -> np.ndarray:
    """
    log10 of a proven upper bound of P(X2 >= x2): the smaller of two.

    Above 1,000 objects per cell the first alone, `log10_agrawal_bound`.

    Parameters
    ----------
    x2 : float array, shape (g,)
        Pearson's statistic against equal cells.
    n : int array, shape (g,)
        Sample sizes, counts of 1 or more.
    cells : int
        Number of equal cells, 2 or more.

    Returns
    -------
    float array, shape (g,)
        At most 0.

    Examples
    --------
    The chi-square law would say -418.1 here, and the truth is about -193.25:

    >>> bound = log10_pearson_bound(np.array([2000.0]), np.array([615]), cells=16)
    >>> bool(-193.25 < bound[0] < -187)
    True
    """
    best = log10_agrawal_bound(x2, n, cells=cells)
    cheap = n <= _HEAVY_UP_TO * cells
    best[cheap] = np.minimum(best[cheap], log10_heavy_cell_bound(x2[cheap], n[cheap], cells=cells))
    return best


def log10_agrawal_bound(x2: np.ndarray, n: np.ndarray, *, cells: int) -> np.ndarray:
    """
    Bound by the Kullback-Leibler divergence that a given X2 forces.

    X2 >= x forces KL(shares || uniform) >= e, the least divergence with K sum q^2 - 1 = x/n. By
    Lagrange its shares have two levels, m cells at (1 + sqrt(c (K-m)/m)) / K and K - m at
    (1 - sqrt(c m/(K-m))) / K with c = x/n, so e is the least of K - 1 closed forms. The MGF of the
    divergence is at most that of a Gamma(K-1) variable with rate n [1]_, hence
    ln p <= -n e + (K-1) (1 + ln(n e / (K-1))) where n e > K - 1.

    Parameters
    ----------
    x2, n, cells
        As in `log10_pearson_bound`.

    Returns
    -------
    float array, shape (g,)

    References
    ----------
    .. [1] R. Agrawal, "Concentration of the multinomial in Kullback-Leibler divergence near the
       ratio of alphabet and sample sizes", arXiv 1904.02291.

    Examples
    --------
    >>> log10_agrawal_bound(np.array([200.24]), np.array([50]), cells=16).round(2).tolist()
    [-5.26]
    """
    excess = np.minimum(x2 / n, cells - 1.0)
    least = np.full(excess.shape, np.inf)
    for m in range(1, cells):
        high = 1 + np.sqrt(excess * (cells - m) / m)
        low = 1 - np.sqrt(excess * m / (cells - m))
        divergence = (
            special.xlogy(m * high, high) + special.xlogy((cells - m) * low, np.maximum(low, 0.0))
        ) / cells
        # A hair below zero is zero with rounding: all objects in m cells.
        feasible = low > -1e-12
        least = np.where(feasible, np.minimum(least, divergence), least)
    ratio = np.maximum(n * least / (cells - 1), 1.0)
    return (cells - 1) * (1 + np.log(ratio) - ratio) / LN10


def log10_heavy_cell_bound(x2: np.ndarray, n: np.ndarray, *, cells: int) -> np.ndarray:
    """
    Bound by splitting off the samples in which one cell is heavy.

    Either some cell holds more than b objects, with chance at most K P(Bin(n, 1/K) > b), or none
    does. Then, with counts as Poisson variables of mean mu = n/K conditioned on their total, and
    z = (c - mu) / sqrt(mu) so that X2 = sum z^2, Markov's inequality gives for every a and t >= 0
    p <= e^(-t x) (E[e^(a z + t z^2); c <= b])^K / P(Poisson(n) = n).
    The factor is convex in (a, t) and minimised by Newton's method; any a and t are valid. One
    term falls with b and the other rises, so the b at which they meet is found by bisection; twice
    the larger of the two never rises with x2.

    Parameters
    ----------
    x2, n, cells
        As in `log10_pearson_bound`.

    Returns
    -------
    float array, shape (g,)

    Examples
    --------
    Sixteen cells, 615 objects: the truth at 120 is about -15.7.

    >>> bound = log10_heavy_cell_bound(np.array([120.0]), np.array([615]), cells=16)
    >>> bool(-15.7 < bound[0] < -12)
    True
    """
    mean = n / cells
    one_cell = mean + np.sqrt(x2 * mean * (cells - 1) / cells)
    low = np.floor(mean).astype(np.int64)
    high = np.minimum(np.floor(one_cell).astype(np.int64) + 2, n)
    open_rows = np.flatnonzero(high - low > 1)
    while len(open_rows):
        x_open, n_open = x2[open_rows], n[open_rows]
        middle = (low[open_rows] + high[open_rows]) // 2
        heavy = _log_some_cell_above(middle, n_open, cells)
        light = _log_chernoff(x_open, n_open, middle, cells, against=heavy)
        low[open_rows] = np.where(heavy > light, middle, low[open_rows])
        high[open_rows] = np.where(heavy > light, high[open_rows], middle)
        open_rows = open_rows[high[open_rows] - low[open_rows] > 1]
    # Left of the meeting point the heavy term is the larger, right of it the light one.
    above = np.maximum(_log_chernoff(x2, n, high, cells), _log_some_cell_above(high, n, cells))
    best = np.minimum(above, _log_some_cell_above(low, n, cells))
    return np.minimum(best + np.log(2), 0.0) / LN10


def _log_some_cell_above(largest: np.ndarray, n: np.ndarray, cells: int) -> np.ndarray:
    """Logarithm of K P(Bin(n, 1/K) > b): first term times a geometric series above the rest."""
    first = np.minimum(largest + 1, n)
    ratio = (n - first) / (first + 1) / (cells - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_tail = np.where(ratio < 1, -np.log1p(-ratio), np.inf)
    log_tail = log_tail + log_binomial_pmf(first, n, np.full(n.shape, 1 / cells)) + np.log(cells)
    return np.where(largest >= n, -np.inf, log_tail)


def _first_tilt(x: np.ndarray, n: np.ndarray, largest: np.ndarray, cells: int) -> np.ndarray:
    """Start (a, t), shape (2, g): neither the law's own tilt nor the heaviest count runs away."""
    mean = n / cells
    drop = _log_poisson(np.floor(mean), mean) - _log_poisson(largest, mean)
    level = drop * mean / np.maximum((largest - mean) ** 2, 1e-9)
    t = 0.5 * (1 - (cells - 1) / np.maximum(x, 1e-9))
    return np.array([np.zeros(x.shape), np.clip(np.minimum(t, level), 0.0, 0.45)])


def _log_poisson(c: np.ndarray, mean: np.ndarray) -> np.ndarray:
    return c * np.log(mean) - mean - special.gammaln(c + 1.0)


def _log_chernoff(
    x: np.ndarray,
    n: np.ndarray,
    largest: np.ndarray,
    cells: int,
    *,
    against: np.ndarray | None = None,
) -> np.ndarray:
    """Least bound; with ``against`` only as far as needed to tell which of the two is less."""
    target = np.full(x.shape, np.nan) if against is None else against + _log_poisson(n, n)
    result = np.empty(x.shape)
    # Sums run over a length that depends on the row alone, or rounding would depend on company.
    length = 16 * np.ceil((largest + 1) / 16).astype(np.int64)
    for columns in np.unique(length).tolist():
        same = np.flatnonzero(length == columns)
        rows = max(1, _CHUNK // columns)
        for start in range(0, len(same), rows):
            some = same[start : start + rows]
            result[some] = _minimise(
                x[some], n[some], largest[some], target[some], cells, columns=columns
            )
    return result


def _minimise(
    x: np.ndarray,
    n: np.ndarray,
    largest: np.ndarray,
    target: np.ndarray,
    cells: int,
    *,
    columns: int,
) -> np.ndarray:
    """
    Least value of -t x + K ln E[e^(a z + t z^2); c <= b] - ln P(Poisson(n) = n).

    Where ``target`` is not missing, a search ends once the first two terms are below it, or the
    quadratic model promises that they will stay above.
    """
    mean = (n / cells)[:, None]
    c = np.arange(columns)[None, :]
    z = (c - mean) / np.sqrt(mean)
    log_mass = np.where(c <= largest[:, None], _log_poisson(c, mean), -np.inf)
    least = np.empty(x.shape)
    live = np.arange(len(x))  # rows whose search goes on
    a, t = _first_tilt(x, n, largest, cells)
    value, gradient, hessian = _log_mgf(a, t, z, log_mass)
    value = cells * value - t * x
    size = np.ones(x.shape)
    for _ in range(_NEWTON_STEPS):
        step_a, step_t, promise = _newton_step(cells * gradient, cells * hessian, x)
        # What the quadratic model still promises is far below a digit of log10 p.
        done = np.abs(promise) < 1e-9
        done |= (value < target) | (value - 2 * np.abs(promise) - 0.01 > target) & (promise < 1)
        if done.any():
            least[live[done]] = value[done]
            going = ~done
            live, x, target, size = (v[going] for v in (live, x, target, size))
            a, t, value = (v[going] for v in (a, t, value))
            step_a, step_t, z, log_mass = (v[going] for v in (step_a, step_t, z, log_mass))
            gradient, hessian = gradient[:, going], hessian[:, going]
            if not len(live):
                break
        # Long steps leave the region where the quadratic model says anything.
        shrink = size / np.maximum(1.0, np.maximum(np.abs(step_a) / 3.0, np.abs(step_t) / 0.2))
        new_a, new_t = a + shrink * step_a, np.maximum(t + shrink * step_t, 0.0)
        new_value, new_gradient, new_hessian = _log_mgf(new_a, new_t, z, log_mass)
        new_value = cells * new_value - new_t * x
        better = new_value < value
        a, t = np.where(better, new_a, a), np.where(better, new_t, t)
        value = np.where(better, new_value, value)
        gradient = np.where(better, new_gradient, gradient)
        hessian = np.where(better, new_hessian, hessian)
        size = np.where(better, np.minimum(2 * size, 1.0), size / 4)
    least[live] = value
    return least - _log_poisson(n, n)


def _newton_step(
    gradient: np.ndarray, hessian: np.ndarray, x: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Steps of a and t, and twice the decrease that the quadratic model promises."""
    slope_a, slope_t = gradient[0], gradient[1] - x
    aa, at, tt = hessian[0] + 1e-12, hessian[1], hessian[2] + 1e-12
    determinant = aa * tt - at * at
    # With one heavy cell the two moments are nearly proportional; then each is stepped by itself.
    singular = determinant < 1e-13 * aa * tt
    determinant = np.where(singular, aa * tt, determinant)
    at = np.where(singular, 0.0, at)
    step_a = np.clip(-(tt * slope_a - at * slope_t) / determinant, -1e6, 1e6)
    step_t = np.clip(-(aa * slope_t - at * slope_a) / determinant, -1e6, 1e6)
    return step_a, step_t, -(slope_a * step_a + slope_t * step_t)


def _log_mgf(
    a: np.ndarray, t: np.ndarray, z: np.ndarray, log_mass: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logarithm of E[e^(a z + t z^2)], its gradient (2, g) and its second derivatives (3, g)."""
    exponent = (a[:, None] + t[:, None] * z) * z + log_mass
    shift = exponent.max(axis=1)
    mass = np.exp(exponent - shift[:, None])
    total = mass.sum(axis=1)
    moments = []
    for _ in range(4):
        mass = mass * z
        moments.append(mass.sum(axis=1) / total)
    m1, m2, m3, m4 = moments
    return (
        shift + np.log(total),
        np.array([m1, m2]),
        np.array([m2 - m1 * m1, m3 - m1 * m2, m4 - m2 * m2]),
    )
