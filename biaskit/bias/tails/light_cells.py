"""Pearson's far tail while every cell is light: Markov's inequality at its best tilt."""

import numpy as np
from scipy import special

__all__ = ["LightCells"]

_NEWTON_STEPS = 40
_CHUNK = 120_000  # numbers held at once


class LightCells:
    """
    Proven bounds of the chance that X2 >= x and no cell holds more than b objects.

    With counts as Poisson variables of mean mu = n/K conditioned on their total, and
    z = (c - mu) / sqrt(mu) so that X2 = sum z^2, Markov's inequality gives for every a and t >= 0
    p <= e^(-t x) (E[e^(a z + t z^2); c <= b])^K / P(Poisson(n) = n).
    The factor is convex in (a, t) and minimised by Newton's method; any a and t are valid. Every
    search starts from the tilt that the row's last one ended with: a good start where b is near.

    Parameters
    ----------
    x : float array, shape (g,)
        Pearson's statistic.
    n : int array, shape (g,)
        Sample sizes, counts of 1 or more.
    cells : int
        Number of equal cells, 2 or more.

    Examples
    --------
    The more one cell may hold, the more likely it is:

    >>> light = LightCells(np.array([120.0]), np.array([615]), 16)
    >>> of_60, of_80 = (light.log_bound(np.array([0]), np.array([b]))[0] for b in (60, 80))
    >>> bool(of_60 < of_80 < -25)
    True
    """

    def __init__(self, x: np.ndarray, n: np.ndarray, cells: int):
        self._x, self._n, self._cells = x, n, cells
        self._log_total = _log_poisson(n, n)
        self._a, self._t = np.zeros((2, *x.shape))
        # Logarithm of the tilted mass of the largest count, which b changes little.
        self._edge = np.full(x.shape, np.nan)

    def log_bound(
        self, rows: np.ndarray, largest: np.ndarray, *, against: np.ndarray | None = None
    ) -> np.ndarray:
        """
        Return the natural logarithm of the least bound.

        Parameters
        ----------
        rows : int array, shape (m,)
            Rows of x and n, each at most once.
        largest : int array, shape (m,)
            The b of each.
        against : float array, shape (m,), optional
            With it, bounds are made only as good as needed to tell which of the two is less.

        Returns
        -------
        float array, shape (m,)
        """
        target = np.full(rows.shape, np.nan)
        if against is not None:
            target = against + self._log_total[rows]
        result = np.empty(rows.shape)
        # Sums run over a length that depends on the row alone, or rounding would depend on company.
        length = 16 * np.ceil((largest + 1) / 16).astype(np.int64)
        for columns in np.unique(length).tolist():
            same = np.flatnonzero(length == columns)
            at_once = max(1, _CHUNK // columns)
            for start in range(0, len(same), at_once):
                some = same[start : start + at_once]
                result[some] = self._least(rows[some], largest[some], target[some], columns)
        return result - self._log_total[rows]

    def _least(
        self, rows: np.ndarray, largest: np.ndarray, target: np.ndarray, columns: int
    ) -> np.ndarray:
        x, a, edge = self._x[rows], self._a[rows], self._edge[rows]
        mean = (self._n[rows] / self._cells)[:, None]
        c = np.arange(columns)
        z = (c - mean) / np.sqrt(mean)
        log_mass = np.where(c <= largest[:, None], _log_poisson(c, mean), -np.inf)
        z_edge, mass_edge = z[np.arange(len(z)), largest], log_mass[np.arange(len(z)), largest]
        first = _first_t(x, z_edge, mass_edge, log_mass.max(axis=1), self._cells)
        near = (edge - mass_edge - a * z_edge) / z_edge**2
        # Where b is too near the mean for that, the last t is good enough.
        near = np.clip(near, 0.0, 1.1 * self._t[rows])
        t = np.where(np.isnan(edge), first, near)
        value, a, t = _minimise(a, t, x, z, log_mass, target, cells=self._cells)
        self._a[rows], self._t[rows] = a, t
        self._edge[rows] = mass_edge + (a + t * z_edge) * z_edge
        return value


def _log_poisson(c: np.ndarray, mean: np.ndarray) -> np.ndarray:
    return c * np.log(mean) - mean - special.gammaln(c + 1.0)


def _first_t(
    x: np.ndarray, z_edge: np.ndarray, mass_edge: np.ndarray, mass_middle: np.ndarray, cells: int
) -> np.ndarray:
    """Return the chi-square law's own t, or that which lifts the largest count to the likeliest."""
    own = 0.5 * (1 - (cells - 1) / np.maximum(x, 1e-9))
    level = (mass_middle - mass_edge) / np.maximum(z_edge**2, 1e-9)
    return np.clip(np.minimum(own, level), 0.0, 0.45)


def _minimise(
    a: np.ndarray,
    t: np.ndarray,
    x: np.ndarray,
    z: np.ndarray,
    log_mass: np.ndarray,
    target: np.ndarray,
    *,
    cells: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """
    Least value of -t x + K ln E[e^(a z + t z^2); c <= b], with its a and t.

    Where ``target`` is not missing, a search ends once the value is below it, or the quadratic
    model promises that it will stay above.
    """
    least = np.empty((3, len(x)))
    live = np.arange(len(x))  # rows whose search goes on
    value, gradient, hessian = _log_mgf(a, t, z, log_mass)
    value = cells * value - t * x
    size = np.ones(x.shape)
    for _ in range(_NEWTON_STEPS):
        step_a, step_t, promise = _newton_step(cells * gradient, cells * hessian, x)
        # What the quadratic model still promises is far below a digit of log10 p.
        done = np.abs(promise) < 1e-9
        done |= (value < target) | (value - 2 * np.abs(promise) - 0.01 > target) & (promise < 1)
        if done.any():
            least[:, live[done]] = value[done], a[done], t[done]
            going = ~done
            live, x, target, size = (v[going] for v in (live, x, target, size))
            a, t, value = (v[going] for v in (a, t, value))
            step_a, step_t, z, log_mass = (v[going] for v in (step_a, step_t, z, log_mass))
            gradient, hessian = gradient[:, going], hessian[:, going]
            if not len(live):
                break
        # Long steps leave the region where the quadratic model says anything.
        reach_a, reach_t = np.maximum(3.0, np.abs(a)), np.maximum(0.2, t)
        longer = np.maximum(np.abs(step_a) / reach_a, np.abs(step_t) / reach_t)
        shrink = size / np.maximum(1.0, longer)
        new_a, new_t = a + shrink * step_a, np.maximum(t + shrink * step_t, 0.0)
        new_value, new_gradient, new_hessian = _log_mgf(new_a, new_t, z, log_mass)
        new_value = cells * new_value - new_t * x
        better = new_value < value
        a, t = np.where(better, new_a, a), np.where(better, new_t, t)
        value = np.where(better, new_value, value)
        gradient = np.where(better, new_gradient, gradient)
        hessian = np.where(better, new_hessian, hessian)
        size = np.where(better, np.minimum(2 * size, 1.0), size / 4)
    least[:, live] = value, a, t
    return least[0], least[1], least[2]


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
    step_a = -(tt * slope_a - at * slope_t) / determinant
    step_t = -(aa * slope_t - at * slope_a) / determinant
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
