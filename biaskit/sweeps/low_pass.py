"""
Low-pass filters in front of a sampling at every s-th place: ideal, and binomial.

A frequency is in cycles per place, 0 to 1/2; why what lies at or above 1/(2s) has to go is told in
``biaskit.sweeps.sampling``.
"""

import operator
from collections.abc import Sequence

import numpy as np
from scipy import fft, linalg, ndimage, special

__all__ = ["binomial", "blur", "high_bins", "low_pass", "low_pass_matrix", "one_per_axis"]

Array = np.ndarray
Factor = int | Sequence[int]
_MOST_TAPS = 7


def low_pass_matrix(n: int, factor: int, *, periodic: bool) -> Array:
    """
    Return the ideal low-pass before sampling, as the matrix that filters one axis.

    It cuts every frequency at or above 1/(2s), that of half the rate too, and keeps all others as
    they are.

    Parameters
    ----------
    n : int
        Places along the axis.
    factor : int
        s; 1 cuts nothing.
    periodic : bool
        True: the axis goes on at its other end. False: it is mirrored at its ends.

    Returns
    -------
    float array, shape (n, n)
        Symmetric, each row sums to 1; filtering twice is filtering once.

    Raises
    ------
    ValueError
        If n or the factor is not a whole number of at least 1.

    Examples
    --------
    Of three places under s = 3 only the mean is low enough:

    >>> low_pass_matrix(3, 3, periodic=False).round(3).tolist()
    [[0.333, 0.333, 0.333], [0.333, 0.333, 0.333], [0.333, 0.333, 0.333]]
    """
    (factor,), (n,) = one_per_axis(factor, 1), one_per_axis(n, 1, "n")
    keep = ~high_bins(n, factor, periodic=periodic)
    if periodic:
        return linalg.circulant(fft.ifft(keep.astype(float)).real)
    waves = fft.dct(np.eye(n), axis=0, norm="ortho")[keep]
    return waves.T @ waves


def low_pass(values: Array, factor: Factor, *, periodic: bool) -> Array:
    """
    Cut every frequency at or above half the sampling rate, along every axis.

    Parameters
    ----------
    values : float array
        A response; each axis is one of places.
    factor : int or one int per axis
    periodic : bool
        See ``low_pass_matrix``.

    Returns
    -------
    float array of the same shape

    Raises
    ------
    ValueError
        If the factor is no whole number of at least 1.

    Examples
    --------
    >>> low_pass(np.array([5.0, 3, 5, 3]), 2, periodic=True).round(9).tolist()
    [4.0, 4.0, 4.0, 4.0]
    """
    found = np.asarray(values, float)
    for axis, s in enumerate(one_per_axis(factor, found.ndim)):
        matrix = low_pass_matrix(found.shape[axis], s, periodic=periodic)
        found = np.moveaxis(np.tensordot(matrix, found, (1, axis)), 0, axis)
    return found


def binomial(size: int) -> Array:
    """
    Return the binomial filter: [1 1] convolved with itself, of sum 1.

    Parameters
    ----------
    size : int
        Taps, 1 to 7; 1 leaves all as it is. An even number moves a response by half a place.

    Returns
    -------
    float array, shape (size,)
        Its gain at f is cos(pi f)^(size - 1): 0 at 1/2 from two taps on, so behind it the sum of
        every second place stays; but not 0 at 1/4, so that of every fourth does not.

    Raises
    ------
    ValueError
        If the size is another.

    Examples
    --------
    >>> binomial(3).tolist()
    [0.25, 0.5, 0.25]
    """
    (taps,) = one_per_axis(size, 1, "size")
    if taps > _MOST_TAPS:
        raise ValueError(f"size is {size!r}, expected 1 to {_MOST_TAPS} taps")
    return special.comb(taps - 1, np.arange(taps)) / 2.0 ** (taps - 1)


def blur(values: Array, size: int, *, periodic: bool) -> Array:
    """
    Blur a response with a binomial filter along every axis.

    Parameters
    ----------
    values : float array
        Each axis is one of places.
    size : int
        Taps, see ``binomial``.
    periodic : bool
        True: an axis goes on at its other end. False: it is mirrored at its ends.

    Returns
    -------
    float array of the same shape

    Examples
    --------
    >>> blur(np.array([0.0, 4, 0, 0]), 3, periodic=True).tolist()
    [1.0, 2.0, 1.0, 0.0]
    """
    found = np.asarray(values, float)
    for axis in range(found.ndim):
        mode = "wrap" if periodic else "reflect"  # reflect: the last place comes twice
        found = ndimage.convolve1d(found, binomial(size), axis=axis, mode=mode)
    return found


def high_bins(n: int, factor: int, *, periodic: bool) -> Array:
    """
    Tell which frequencies of an axis are at or above half the sampling rate.

    Parameters
    ----------
    n : int
        Places along the axis.
    factor : int
        s; of 1 none is: no place is dropped.
    periodic : bool
        True: the bins of a DFT; bin k has |f| = min(k, n - k) / n. False: those of a DCT-II, the
        DFT of the axis and its mirror image; f = k / (2n).

    Returns
    -------
    bool array, shape (n,)

    Examples
    --------
    >>> high_bins(4, 2, periodic=True).tolist(), high_bins(4, 2, periodic=False).tolist()
    ([False, True, True, True], [False, False, True, True])
    """
    bins = np.arange(n)
    if factor == 1:
        return np.zeros(n, bool)
    # f >= 1 / (2s), compared in whole numbers.
    above = bins if not periodic else 2 * np.minimum(bins, n - bins)
    return above * factor >= n


def one_per_axis(factor: Factor, n: int, name: str = "factor") -> tuple[int, ...]:
    """
    Return one whole number of at least 1 per axis.

    Parameters
    ----------
    factor : int or sequence of n ints
    n : int
        Axes.
    name : str
        For the message.

    Raises
    ------
    ValueError
        If it is anything else.

    Examples
    --------
    >>> one_per_axis(3, 2), one_per_axis((1, 2), 2)
    ((3, 3), (1, 2))
    """
    try:
        found = tuple(operator.index(s) for s in np.broadcast_to(factor, n).tolist())
    except (TypeError, ValueError):
        found = ()
    if not found or min(found) < 1:
        each = f", or {n} of them" if n > 1 else ""
        raise ValueError(f"{name} is {factor!r}, expected a whole number of at least 1{each}")
    return found
