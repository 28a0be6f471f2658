"""Smooth (Legendre score) tests of position, of its coupling with size, and of both."""

from functools import lru_cache

import numpy as np

from biaskit.bias.tails.chi_square import log10_chi2_sf
from biaskit.bias.tails.smooth_bound import log10_smooth_bound
from biaskit.bias.tails.tail import LOG10_BODY, Tail, check_statistics, fill_tail

__all__ = ["legendre_scores", "smooth_tail"]

# Below this many objects the chi-square law is wrong by more than it may be at 1 %.
_MONTE_CARLO_BELOW = 100
N_DRAWS = 9999
N_POSITION, N_JOINT = 5, 10


def legendre_scores(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """
    Five Legendre functions of a place: mean 0, variance 1, uncorrelated when it is uniform.

    Parameters
    ----------
    u, v : float arrays of one shape (...)
        Horizontal and vertical place, each uniform on [0, 1] under the null.

    Returns
    -------
    float array, shape (5, ...)
        P1(u), P2(u), P1(v), P2(v) and P1(u) P1(v): off to one side, towards the
        middle or the edges, the same vertically, and along a diagonal.

    Examples
    --------
    >>> legendre_scores(np.array(0.5), np.array(1.0)).round(3).tolist()
    [0.0, -1.118, 1.732, 2.236, 0.0]
    """
    x, y = 2 * np.asarray(u, dtype=float) - 1, 2 * np.asarray(v, dtype=float) - 1
    p1_u, p1_v = np.sqrt(3) * x, np.sqrt(3) * y
    p2_u, p2_v = np.sqrt(5) * (1.5 * x * x - 0.5), np.sqrt(5) * (1.5 * y * y - 0.5)
    return np.stack([p1_u, p2_u, p1_v, p2_v, p1_u * p1_v])


def smooth_tail(
    t: np.ndarray, n: np.ndarray, *, df: int, seed: int, coupling: bool = False
) -> Tail:
    """
    P-values of the smooth tests.

    With phi the `legendre_scores` and a the standardised rank of an object's size in its category,
    Z = n^-1/2 sum phi and C = n^-1/2 sum a phi. Position: T = |Z|^2. Coupling: T = |C|^2.
    Joint: T = |Z|^2 + |C|^2. Under free placement given sizes all ten have mean 0 and variance 1.

    Parameters
    ----------
    t : float array, shape (g,), or scalar
        T, 0 or more.
    n : int array, shape (g,), or scalar
        Sample sizes, counts.
    df : int
        5 for position (or coupling), 10 for the joint form.
    seed : int
        Of the Monte Carlo table below 100 objects; every category shares its draws.
    coupling : bool
        With df = 5: whether T is that of coupling instead of position.

    Returns
    -------
    Tail
        Below 100 objects ``monte_carlo`` with 9,999 draws, so not below 1e-4, or the proven
        bound (``bound``) where that is smaller. From 100 on the chi-square law down to 1e-3,
        ``asymptotic``, then 1e-3 until the bound is smaller. Beside it the chi-square law.

    Raises
    ------
    ValueError
        If df is neither 5 nor 10, or coupling is asked for with 10.

    Notes
    -----
    For uniform places the order of sizes can be taken as the order of the draws, so one stream of
    99 places gives the statistics of every n < 100 by cumulative sums of phi and i phi.

    Examples
    --------
    >>> tail = smooth_tail([11.07, 100.0], [400, 400], df=5, seed=1)
    >>> (10 ** tail.log10_p).round(3).tolist(), tail.kind.tolist()
    ([0.05, 0.0], ['asymptotic', 'bound'])
    """
    if df not in (N_POSITION, N_JOINT) or (coupling and df != N_POSITION):
        raise ValueError(
            f"df is {df}{' with coupling' if coupling else ''}, expected {N_POSITION} for position "
            f"or coupling and {N_JOINT} for the joint form."
        )
    value, size, usable = check_statistics(t, n, name="smooth statistic")
    t_used, n_used = value[usable], size[usable]
    law = log10_chi2_sf(t_used, np.array(df))
    headline, kind = law.copy(), np.full(law.shape, "asymptotic", dtype="<U11")
    few = n_used < _MONTE_CARLO_BELOW
    for n_few in np.unique(n_used[few]).tolist():
        here = n_used == n_few
        table = _null_table(int(seed), df, coupling)[n_few]
        as_large = N_DRAWS - np.searchsorted(table, t_used[here] * (1 - 1e-12), side="left")
        headline[here] = np.log10((1 + as_large) / (1 + N_DRAWS))
        kind[here] = "monte_carlo"
    bound = np.zeros(law.shape)
    deep = np.where(few, headline, law) < LOG10_BODY
    bound[deep] = log10_smooth_bound(
        t_used[deep], n_used[deep], df=df, ranked=coupling or df == N_JOINT
    )
    beyond = deep & ~few
    headline[beyond] = LOG10_BODY
    lower = deep & (bound < headline)
    headline[lower], kind[lower] = bound[lower], "bound"
    return fill_tail(usable, headline, kind, law)


@lru_cache(maxsize=6)
def _null_table(seed: int, df: int, coupling: bool) -> np.ndarray:
    """Sorted draws of T under the null: row n for samples of n objects."""
    # Position, coupling and joint use the same places.
    rng = np.random.default_rng([seed, 0x5300])
    n = np.arange(1, _MONTE_CARLO_BELOW, dtype=float)
    middle, spread = (n + 1) / 2, np.sqrt(np.maximum(n * n - 1, 1e-300) / 12)
    table = np.zeros((_MONTE_CARLO_BELOW, N_DRAWS))
    # A thousand draws at a time, or a table would pass through 200 MB.
    for start in range(0, N_DRAWS, 1000):
        stop = min(start + 1000, N_DRAWS)
        u, v = rng.random((2, stop - start, len(n)))
        phi = legendre_scores(u, v)
        plain = np.cumsum(phi, axis=2)
        ranked = (np.cumsum(phi * n, axis=2) - middle * plain) / spread
        # One object has no rank to speak of.
        ranked[:, :, 0] = 0.0
        total = np.zeros(plain.shape[1:])
        if not coupling:
            total += np.sum(plain**2, axis=0) / n
        if coupling or df == N_JOINT:
            total += np.sum(ranked**2, axis=0) / n
        table[1:, start:stop] = total.T
    table.sort(axis=1)
    table.setflags(write=False)
    return table
