"""What a tail function returns, and how its arguments are checked."""

from dataclasses import dataclass

import numpy as np

__all__ = ["LN10", "LOG10_BODY", "Tail", "below_body", "check_statistics", "fill_tail"]

LN10 = float(np.log(10.0))

# Below this an asymptotic value is no longer a headline: a bound takes over.
LOG10_BODY = -3.0


@dataclass(frozen=True)
class Tail:
    """
    P-values as log10, each with the word that says how far to trust it.

    Attributes
    ----------
    log10_p : float array, shape (g,)
        The headline p-value, valid in the sense of its kind; NaN where there is none.
    kind : str array, shape (g,)
        ``exact``, ``bound`` (the true p is proven to be no larger), ``monte_carlo`` (never
        below 1 / (draws + 1)), ``asymptotic`` (a large-sample law says so; never below 1e-3,
        where it rests until a bound goes deeper), or empty.
    log10_p_asymptotic : float array, shape (g,)
        The best cheap approximation, to any depth. It stands beside, never as headline.
    """

    log10_p: np.ndarray
    kind: np.ndarray
    log10_p_asymptotic: np.ndarray


def check_statistics(
    statistic: np.ndarray, n: np.ndarray, *, name: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """
    Broadcast a statistic against its sample sizes and mark where both are usable.

    Parameters
    ----------
    statistic : float array, shape (g,), or scalar
        NaN says that there is no statistic.
    n : int array, shape (g,), or scalar
        Sample sizes in counts; 0 says that there is no sample.
    name : str
        Name of the statistic for messages.

    Returns
    -------
    statistic, n, usable : arrays of one shape, at least one-dimensional
        As float, int64 and bool.

    Raises
    ------
    ValueError
        If a statistic is infinite or negative, or an n is negative or not whole.
    """
    value, size = np.broadcast_arrays(
        np.atleast_1d(np.asarray(statistic, dtype=float)), np.atleast_1d(np.asarray(n))
    )
    if not np.all(np.isfinite(size.astype(float))) or np.any(size != np.floor(size)):
        raise ValueError(f"n of {name} holds {size}, expected whole numbers of objects.")
    if np.any(size < 0):
        raise ValueError(f"n of {name} is {size.min()}, expected 0 or more objects.")
    if np.any(np.isinf(value)) or np.any(value < 0):
        raise ValueError(
            f"{name} is {value[np.isinf(value) | (value < 0)][0]}, expected 0 or more and finite. "
            "Has a log10 p been passed instead of the statistic?"
        )
    return value, size.astype(np.int64), ~np.isnan(value) & (size > 0)


def below_body(log10_bound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """
    Headline where a large-sample law says less than 1e-3: the proven bound, or 1e-3 itself.

    That p is no larger than 1e-3 is what the law says, so until the bound says it too the kind is
    ``asymptotic``: just below, the law can be too small by a third.

    Parameters
    ----------
    log10_bound : float array, shape (g,)

    Returns
    -------
    log10_p : float array, shape (g,)
    kind : str array, shape (g,)

    Examples
    --------
    >>> [part.tolist() for part in below_body(np.array([-1.5, -7.2]))]
    [[-3.0, -7.2], ['asymptotic', 'bound']]
    """
    proven = log10_bound < LOG10_BODY
    return np.where(proven, log10_bound, LOG10_BODY), np.where(proven, "bound", "asymptotic")


def fill_tail(
    usable: np.ndarray, log10_p: np.ndarray, kind: np.ndarray, log10_p_asymptotic: np.ndarray
) -> Tail:
    """
    Put the results of the usable rows back among the unusable ones.

    Parameters
    ----------
    usable : bool array, shape (g,)
        Rows that had a statistic and a sample.
    log10_p, kind, log10_p_asymptotic : arrays, shape (number of usable rows,)
        Their results.

    Returns
    -------
    Tail
        With NaN and the empty kind in the other rows.

    Examples
    --------
    >>> row = np.array([-2.0])
    >>> fill_tail(np.array([False, True]), row, np.array(["exact"]), row).kind.tolist()
    ['', 'exact']
    """
    headline, beside = np.full(usable.shape, np.nan), np.full(usable.shape, np.nan)
    kinds = np.full(usable.shape, "", dtype="<U11")
    # Rounding may leave a p-value a hair above 1.
    headline[usable] = np.minimum(log10_p, 0.0)
    kinds[usable] = kind
    beside[usable] = np.minimum(log10_p_asymptotic, 0.0)
    return Tail(headline, kinds, beside)
