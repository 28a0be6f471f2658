"""
How much of a response's energy sampling loses, and how much of it moves the sum, on the device.

The same as ``biaskit.sweeps.sampling.energies``, which explains it, by matrix products instead of
transforms: on small maps and processors without a fast one they cost less than the network.
"""

from functools import cache

import numpy as np
import torch
from torch import Tensor

__all__ = ["map_energies"]

_LEAST = 1e-9  # of the energy with the mean: what is below is rounding


def map_energies(maps: Tensor, factor: tuple[int, int], *, periodic: bool) -> tuple[Tensor, Tensor]:
    """
    Return shares of energy, without the mean, that sampling at every s-th place folds.

    Parameters
    ----------
    maps : Tensor, shape (n, channels, height, width)
        At every place; cut to multiples of the factor.
    factor : (int, int)
        Vertical and horizontal step of the sampling.
    periodic : bool
        Whether maps wrap round (Fourier) or end (mirrored, cosine transform).

    Returns
    -------
    Tensor, shape (n, channels)
        Share at or above half the sampling rate; NaN where there is no energy, and everywhere
        if the map has fewer places along an axis than the step.
    Tensor, shape (n, channels)
        Share at multiples of the sampling rate other than 0, which is what makes the sums of the
        samples differ between the places at which sampling may start.

    Examples
    --------
    The finest pattern there is, lines of +1 and -1, is lost in full, and folds onto the sum:

    >>> lines = torch.tensor([[1.0, -1.0] * 4] * 8)[None, None]
    >>> above, onto = map_energies(lines, (2, 2), periodic=True)
    >>> round(float(above), 6), round(float(onto), 6)
    (1.0, 1.0)
    """
    height, width = (n - n % s for n, s in zip(maps.shape[2:], factor, strict=True))
    if not height * width:
        nothing = maps.new_full(maps.shape[:2], torch.nan)
        return nothing, nothing
    # What autocast does with a network's layers must not round what is measured of them.
    with torch.autocast(maps.device.type, enabled=False):
        return _shares(maps[:, :, :height, :width], factor, periodic=periodic)


def _shares(maps: Tensor, factor: tuple[int, int], *, periodic: bool) -> tuple[Tensor, Tensor]:
    (height, width), (vertical, horizontal) = maps.shape[2:], factor
    # Channel by channel in memory: products of maps with their channels last are slow.
    maps = maps.contiguous()
    centred = maps - maps.mean((2, 3), keepdim=True)
    total = centred.square().sum((2, 3))
    scale = maps.square().sum((2, 3))
    total = torch.where(total > _LEAST * scale, total, torch.nan)
    rows = _waves(height, vertical, periodic, maps.dtype, maps.device)
    columns = _waves(width, horizontal, periodic, maps.dtype, maps.device)
    kept = (rows @ (centred @ columns.T)).square().sum((2, 3))
    phases = centred.reshape(
        *maps.shape[:2], height // vertical, vertical, width // horizontal, horizontal
    ).sum((2, 4))
    folded = phases.square().sum((2, 3)) * (vertical * horizontal / (height * width))
    return (1 - kept / total).clamp(0, 1), (folded / total).clamp(0, 1)


@cache
def _waves(n: int, s: int, periodic: bool, dtype: torch.dtype, device: torch.device) -> Tensor:
    # A tensor of inference mode could not be used where gradients are asked for.
    with torch.inference_mode(mode=False):
        return torch.as_tensor(_below(n, s, periodic), dtype=dtype, device=device)


def _below(n: int, factor: int, periodic: bool) -> np.ndarray:
    """Return orthonormal waves below half the sampling rate, a row each, over n places."""
    if factor == 1:
        return np.eye(n)  # no place is dropped: nothing is above
    at = np.arange(n)
    if periodic:
        numbers = np.arange(1, n)
        numbers = numbers[numbers < n / (2 * factor)]
        angle = 2 * np.pi * np.outer(numbers, at) / n
        waves = [np.ones((1, n)), *(np.sqrt(2) * wave(angle) for wave in (np.cos, np.sin))]
        return np.concatenate(waves) / np.sqrt(n)
    numbers = np.arange(n)
    numbers = numbers[numbers < n / factor]  # bin k has k / (2 n) cycles per place
    waves_ = np.cos(np.pi * np.outer(numbers, 2 * at + 1) / (2 * n)) * np.sqrt(2 / n)
    waves_[0] /= np.sqrt(2)
    return waves_
