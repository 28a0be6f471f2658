"""
How far a category is from a null, as one number: total variation, KL, Cohen's w, KS distance.

A distance is never negative, so chance alone makes every plug-in value positive, the more the
smaller the sample. Each value here has what chance adds taken off, and a lower limit only:
among categories for which the null is true at most one in twenty has a limit above zero.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import interpolate, optimize, special, stats

__all__ = [
    "Estimate",
    "cohens_w",
    "detectable_w",
    "kl_divergence",
    "ks_distance",
    "total_variation",
]

_Z = 1.6448536269514722  # 95 % of a normal law lie below it
_KS_SQUARE = np.pi**2 / 12  # mean of n D^2 when the null is true, for large n
_POWER = 0.8


@dataclass(frozen=True)
class Estimate:
    """A distance of every group from its null; arrays of shape (n_groups,)."""

    value: np.ndarray  # what chance adds taken off; NaN without data
    low: np.ndarray  # one-sided 95 % limit; NaN without data


def total_variation(shares: np.ndarray, n: np.ndarray) -> Estimate:
    """
    Return the share of objects that would have to move to make the cells equal.

    Parameters
    ----------
    shares : float array, shape (n_groups, n_cells)
        Share of objects in each cell; NaN rows for groups without data.
    n : float array, shape (n_groups,)
        Effective number of independent objects: theirs over the design effect.

    Returns
    -------
    Estimate
        With TV = 1/2 sum |q_k - 1/K| and E what it is on average when the null is true
        (exactly known), the value is sqrt(TV^2 - E^2), or 0. The limit is that value less
        1.645 times sqrt(1 / 4n), the greatest standard error it can have, where chi-square
        rejects the null at 5 %, elsewhere 0. (With the estimated standard error coverage falls
        to .7 at n = 20: few objects do not know how many cells they would have reached.)

    Examples
    --------
    Everything in one of four cells: three quarters would have to move.

    >>> tv = total_variation(np.array([[1.0, 0, 0, 0]]), np.array([1e6]))
    >>> round(float(tv.value[0]), 3)
    0.75
    """
    n_cells = shares.shape[1]
    plug_in = 0.5 * np.abs(shares - 1 / n_cells).sum(axis=1)
    by_chance = _null_total_variation(n, n_cells)
    value = np.sqrt(np.maximum(plug_in**2 - by_chance**2, 0))
    return Estimate(value, _gated(value - _Z / np.sqrt(4 * n), shares, n))


def _null_total_variation(n: np.ndarray, n_cells: int) -> np.ndarray:
    """K/2 times the mean deviation of a binomial share (De Moivre's closed form)."""
    whole = np.maximum(np.rint(n), 1)
    p = 1 / n_cells
    top = np.floor(whole * p) + 1
    log_choose = -special.betaln(whole - top + 1, top + 1) - np.log1p(whole)
    log_term = log_choose + top * np.log(p) + (whole - top + 1) * np.log1p(-p)
    return n_cells / 2 * 2 * top * np.exp(log_term) / whole


def kl_divergence(shares: np.ndarray, n: np.ndarray, spread: np.ndarray) -> Estimate:
    """
    Return the Kullback-Leibler divergence of the cell shares from equal shares, in nats.

    Parameters
    ----------
    shares, n
        As in ``total_variation``.
    spread : float array, shape (n_groups,)
        Standard error of the plug-in value, from whole images.

    Returns
    -------
    Estimate
        ln K + sum q ln q less its exact mean when the null is true, cut at 0. (Miller and
        Madow's (occupied cells - 1) / 2n takes off far too little where cells hold only a
        few objects.) The limit is that value less 1.645 standard errors where chi-square
        rejects the null at 5 %, elsewhere 0.

    Examples
    --------
    Everything in one of four cells is ln 4 away:

    >>> kl = kl_divergence(np.array([[1.0, 0, 0, 0]]), np.array([1e6]), np.zeros(1))
    >>> round(float(kl.value[0]), 3)
    1.386
    """
    plug_in = np.log(shares.shape[1]) + special.xlogy(shares, shares).sum(axis=1)
    value = np.maximum(plug_in - _null_kl(n, shares.shape[1]), 0)
    return Estimate(value, _gated(value - _Z * spread, shares, n))


def _null_kl(n: np.ndarray, n_cells: int) -> np.ndarray:
    whole, back = np.unique(np.maximum(np.rint(np.nan_to_num(n)), 1), return_inverse=True)
    return np.array([_null_kl_of(int(one), n_cells) for one in whole])[back]


@lru_cache(maxsize=65536)
def _null_kl_of(n: int, n_cells: int) -> float:
    """Mean of ln K + sum q ln q over equal cells: exact, or to 1 / n^3 with full cells."""
    if n > 200 * n_cells:
        return (n_cells - 1) / (2 * n) + (n_cells**2 - 1) / (12 * n**2)
    k = np.arange(n + 1)
    mean = n_cells * (stats.binom.pmf(k, n, 1 / n_cells) * special.xlogy(k / n, k / n)).sum()
    return float(np.log(n_cells) + mean)


def _gated(limit: np.ndarray, shares: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Keep a limit above zero only where chi-square rejects the null at 5 %."""
    n_cells = shares.shape[1]
    rejected = _pearson(shares, n) > special.chdtri(n_cells - 1, 0.05)
    low = np.where(rejected, np.maximum(limit, 0), 0)
    return np.where(np.isnan(shares[:, 0]), np.nan, low)


def _pearson(shares: np.ndarray, n: np.ndarray) -> np.ndarray:
    return n * shares.shape[1] * ((shares - 1 / shares.shape[1]) ** 2).sum(axis=1)


def cohens_w(shares: np.ndarray, n: np.ndarray) -> Estimate:
    """
    Return Cohen's w, sqrt(K sum (q_k - 1/K)^2): chi-square without the sample size.

    Parameters
    ----------
    shares, n
        As in ``total_variation``; n is the number of objects over their design effect.

    Returns
    -------
    Estimate
        sqrt((X2 - df) / n), or 0: w^2 is without bias. The limit inverts the noncentral
        chi-square law: the w under which an X2 this large has a chance of 5 %.

    Examples
    --------
    Half of the cells twice as full as they should be: w is 1.

    >>> w = cohens_w(np.array([[0.5, 0.5, 0, 0]]), np.array([1e6]))
    >>> round(float(w.value[0]), 3)
    1.0
    """
    x2, df = _pearson(shares, n), shares.shape[1] - 1
    value = np.sqrt(np.maximum(x2 - df, 0) / n)
    return Estimate(value, np.sqrt(_least_noncentrality(x2, df) / n))


def _least_noncentrality(x2: np.ndarray, df: int) -> np.ndarray:
    """Return the lambda with P(noncentral chi-square >= x2) = 5 %, or 0."""
    roots, table = _noncentrality_table(df)
    root = np.sqrt(x2)
    inside = table(np.clip(root, roots[0], roots[-1]))
    # Beyond the table sqrt(x2) is normal with mean sqrt(lambda + df - 1): off by 1e-5 of it.
    beyond = (root - _Z) ** 2 - (df - 1)
    found = np.where(root > roots[-1], beyond, np.maximum(inside, 0) ** 2)
    return np.where(root <= roots[0], 0.0, found) + 0 * root


@lru_cache(maxsize=32)
def _noncentrality_table(df: int) -> tuple[np.ndarray, interpolate.PchipInterpolator]:
    """Sqrt(lambda) over sqrt(x2); dense near 0, where lambda starts as a square root."""
    first = np.sqrt(special.chdtri(df, 0.05))
    roots = first + np.concatenate([[0], np.geomspace(1e-6, 400, 1500)])
    noncentral = np.maximum(special.chndtrinc(roots**2, df, 0.95), 0)
    noncentral[0] = 0
    return roots, interpolate.PchipInterpolator(roots, np.sqrt(noncentral))


def detectable_w(n: np.ndarray, n_cells: int, *, level: float) -> np.ndarray:
    """
    Return the smallest Cohen's w that chi-square finds with power .8.

    Parameters
    ----------
    n : float array
        Effective number of objects; 0 gives NaN.
    n_cells : int
        Cells of the test.
    level : float
        Level of the test. The chi-square law is used, which is too hopeful at 1e-10.

    Examples
    --------
    >>> round(float(detectable_w(np.array([80.0]), 16, level=0.05)[0]), 3)
    0.485
    """
    needed = _noncentrality_needed(n_cells - 1, level)
    return np.sqrt(needed / np.where(n > 0, n, np.nan))


@lru_cache(maxsize=64)
def _noncentrality_needed(df: int, level: float) -> float:
    critical = stats.chi2.isf(level, df)
    return float(
        optimize.brentq(lambda x: special.chndtr(critical, df, x) - (1 - _POWER), 1e-6, 1e4)
    )


def ks_distance(distance: np.ndarray, n: np.ndarray) -> Estimate:
    """
    Return the Kolmogorov-Smirnov distance of the truth from the null.

    Parameters
    ----------
    distance : float array, shape (n_groups,)
        Greatest distance of the sample's distribution function from the null's.
    n : float array, shape (n_groups,)
        Effective number of independent objects.

    Returns
    -------
    Estimate
        sqrt(D^2 - pi^2 / 12n), or 0. The limit is D less the 95 % point of the distance of a
        sample from its own law; by the triangle inequality it holds whatever the truth is.

    Examples
    --------
    >>> d = ks_distance(np.array([0.3]), np.array([100.0]))
    >>> round(float(d.value[0]), 3), round(float(d.low[0]), 3)
    (0.286, 0.166)
    """
    value = np.sqrt(np.maximum(distance**2 - _KS_SQUARE / n, 0))
    return Estimate(value, np.maximum(distance - _ks_quantile(n), 0))


def _ks_quantile(n: np.ndarray) -> np.ndarray:
    nodes, table = _ks_table()
    root = np.sqrt(np.clip(n, nodes[0], None))
    return table(1 / root) / root


@lru_cache(maxsize=1)
def _ks_table() -> tuple[np.ndarray, interpolate.PchipInterpolator]:
    nodes = np.unique(np.geomspace(1, 10_000, 60).astype(int))
    scaled = stats.kstwo.isf(0.05, nodes) * np.sqrt(nodes)
    x = np.concatenate([[0], 1 / np.sqrt(nodes[::-1])])
    y = np.concatenate([[stats.kstwobign.isf(0.05)], scaled[::-1]])
    return nodes, interpolate.PchipInterpolator(x, y)
