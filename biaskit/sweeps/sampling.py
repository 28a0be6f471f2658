"""
What sampling at every s-th place keeps of a response: its energy by frequency, its sum, itself.

A frequency f is in cycles per place, 0 to 1/2. Sampling at every s-th place has the rate 1/s:
what lies at or above half of it, 1/(2s), cannot be told from lower frequencies in the samples. A
response without such energy can be rebuilt from its samples wherever it stands: it is shiftable
[2]_, and a global pool behind the samples is invariant [1]_.

The sum alone needs less. With X(f) = sum over t of x(t) exp(-2 pi i f t), and since the mean over
k = 0 .. s-1 of exp(2 pi i k (t - p) / s) is 1 where t - p is a multiple of s and else 0, the sum
of the samples at places p, p + s, p + 2s, ... is

    S(p) = (1/s) sum over k = 0 .. s-1 of X(k/s) exp(2 pi i k p / s).

It depends on p only through energy at multiples of the sampling rate other than 0. Energy above
half the rate, but not there, leaves the sum as it is and the response not to be rebuilt.

References
----------
.. [1] A. Azulay and Y. Weiss, "Why do deep convolutional networks generalize so poorly to small
   image transformations?", arXiv 1805.12177v1, 2018, section 3.
.. [2] E. P. Simoncelli, W. T. Freeman, E. H. Adelson and D. J. Heeger, "Shiftable multi-scale
   transforms", IEEE Transactions on Information Theory 38(2), 1992.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import fft, signal

from biaskit.sweeps.low_pass import (
    binomial,
    blur,
    high_bins,
    low_pass,
    low_pass_matrix,
    one_per_axis,
)

__all__ = [
    "Energies",
    "binomial",
    "blur",
    "energies",
    "interpolate",
    "low_pass",
    "low_pass_matrix",
    "subsample",
]

Array = np.ndarray
Factor = int | Sequence[int]
_AXES = (-2, -1)


@dataclass(frozen=True)
class Energies:
    """Shares of the energy of maps; NaN where there is none, or no place is dropped."""

    above_nyquist: Array  # at or above half the sampling rate along either axis
    onto_dc: Array  # at multiples of the sampling rate other than 0: what moves the sum


def energies(maps: Array, factor: Factor, *, periodic: bool) -> Energies:
    """
    Measure how much energy of maps lies where sampling them would fold it.

    Energy is the sum of squares without the mean. Maps are first cut to multiples of the factor,
    at the right and bottom: else the sums of the phases would count different numbers of places.

    Parameters
    ----------
    maps : float array, shape (..., height, width)
        As they are before places are dropped.
    factor : int or two ints
        s, places from one sample to the next along y and x, or along both.
    periodic : bool
        True for maps that go on at the opposite border, as with circular padding: the energy
        above half the rate is read from a plain DFT. False for maps that end at their border: a
        DFT would see the jump between opposite borders as high frequencies, so they are mirrored
        (DCT-II, whose bin k has frequency k / (2n)).

    Returns
    -------
    Energies
        Each of shape (...). Along an axis of factor 1 nothing is above. The bin at exactly half
        the rate counts as above.

    Raises
    ------
    ValueError
        If the factor is no whole number of at least 1, the maps have no two axes or are smaller
        than it, or a value is not finite.

    Notes
    -----
    What folds onto the sum needs no transform: the s_y s_x sums S of the phases are, by the
    formula above, an inverse DFT of X(k / s_y, l / s_x), so by Parseval the energy at these
    frequencies but (0, 0) is s_y s_x / (height width) times the sum of (S - mean S)^2. A sum
    knows no border, so this holds for either kind of map; the frequencies are those of the plain
    DFT, and of mirrored maps this share can be larger than the other.

    Examples
    --------
    A wave of two places per cycle is above, and at, the rate of every second place:

    >>> stripes = np.tile([1.0, -1.0], (4, 2))
    >>> found = energies(stripes, 2, periodic=True)
    >>> float(found.above_nyquist), float(found.onto_dc)
    (1.0, 1.0)
    """
    maps = np.asarray(maps)
    if maps.ndim < 2:
        raise ValueError(f"maps have shape {maps.shape}, expected (..., height, width)")
    s_y, s_x = factors = one_per_axis(factor, 2)
    with np.errstate(invalid="ignore"):  # infinity less infinity: refused by its result
        centred = _centred(_cut(maps, factors))
    *shape, height, width = centred.shape
    if s_y == s_x == 1:
        return Energies(np.full(shape, np.nan), np.full(shape, np.nan))
    total = _summed(centred**2)
    phases = centred.reshape(*shape, height // s_y, s_y, width // s_x, s_x)
    sums = phases.sum(axis=-4).sum(axis=-2, dtype=np.float64)
    folded = (s_y * s_x) ** 2 / (height * width) * sums.var(axis=_AXES)
    return Energies(_share(_above(centred, factors, periodic), total), _share(folded, total))


def subsample(values: Array, factor: Factor, shift: Factor = 0) -> Array:
    """
    Take every s-th place of a periodic response that was moved towards 0 by some places.

    Parameters
    ----------
    values : array
        Each axis is one of places.
    factor : int or one int per axis
    shift : int or one int per axis
        Places; the first sample is the one at this place.

    Raises
    ------
    ValueError
        If the factor is no whole number of at least 1, or an axis is not a multiple of it: its
        samples would not be evenly spaced where it closes.

    Examples
    --------
    >>> subsample(np.arange(6), 3, 1).tolist(), subsample(np.arange(6), 3, 5).tolist()
    ([1, 4], [5, 2])
    """
    found = np.asarray(values)
    factors = one_per_axis(factor, found.ndim)
    if any(n % s for n, s in zip(found.shape, factors, strict=True)):
        raise ValueError(f"shape is {found.shape}, expected multiples of the factor {factors}")
    shifts = tuple(np.broadcast_to(shift, found.ndim))
    moved = np.roll(found, tuple(-p for p in shifts), axis=tuple(range(found.ndim)))
    return moved[tuple(slice(None, None, s) for s in factors)]


def interpolate(samples: Array, factor: Factor) -> Array:
    """
    Rebuild a periodic response from its samples: the one without energy above half their rate.

    Parameters
    ----------
    samples : float array
        At places 0, s, 2s, ... along every axis.
    factor : int or one int per axis

    Returns
    -------
    float array
        s times as long along every axis.

    Examples
    --------
    >>> wave = np.cos(2 * np.pi * np.arange(12) / 12)
    >>> bool(np.allclose(interpolate(wave[::3], 3), wave))
    True
    """
    found = np.asarray(samples, float)
    for axis, s in enumerate(one_per_axis(factor, found.ndim)):
        found = signal.resample(found, s * found.shape[axis], axis=axis)
    return found


def _cut(maps: Array, factors: tuple[int, ...]) -> Array:
    """Leave out the last rows and columns, so that each phase has as many places as the others."""
    height, width = (n - n % s for n, s in zip(maps.shape[-2:], factors, strict=True))
    if not height or not width:
        raise ValueError(f"maps have shape {maps.shape}, smaller than the factor {factors}")
    return maps[..., :height, :width]


def _centred(maps: Array) -> Array:
    """Return the maps without their mean, scaled to at most 1: no square under- or overflows."""
    # Less its first value a constant map is 0 to the last bit; less its mean it would not be.
    found = maps.astype(np.result_type(maps, np.float32)) - maps[..., :1, :1]
    found -= found.mean(axis=_AXES, keepdims=True)
    peak = np.maximum(found.max(axis=_AXES), -found.min(axis=_AXES))[..., None, None]
    if not np.isfinite(peak).all():
        raise ValueError("maps hold a value that is not finite")
    return found / np.where(peak == 0, 1, peak)


def _summed(squares: Array) -> Array:
    return squares.sum(axis=-1).sum(axis=-1, dtype=np.float64)


def _above(centred: Array, factors: tuple[int, ...], periodic: bool) -> Array:
    """Sum the energy at or above half the rate along either axis."""
    high_y, high_x = (
        high_bins(n, s, periodic=periodic) for n, s in zip(centred.shape[-2:], factors, strict=True)
    )
    if not periodic:
        power = fft.dctn(centred, axes=_AXES, norm="ortho") ** 2
        return _summed(power * (high_y[:, None] | high_x))
    half = fft.rfft2(centred, norm="ortho")
    columns = half.shape[-1]
    # The other half of the spectrum mirrors this one, but for the columns 0 and width / 2.
    times = np.full(columns, 2)
    times[[0, *([-1] if centred.shape[-1] % 2 == 0 else [])]] = 1
    mask = (high_y[:, None] | high_x[:columns]) * times
    return _summed((half.real**2 + half.imag**2) * mask.astype(half.real.dtype))


def _share(part: Array, total: Array) -> Array:
    """Return part / total, at most 1 whatever the rounding; NaN without energy."""
    found = np.divide(part, total, out=np.full(total.shape, np.nan), where=total > 0)
    return np.minimum(found, 1)
