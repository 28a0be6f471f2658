"""
What replaces a stride: the layer at every place, and a low-pass filter that drops places.

A layer of stride s gives the places 0, s, 2s, ... of the map that it would give with stride 1. That
map is made first, on exactly the padding the layer has; then it is blurred and sampled at the same
places, so that a filter of one tap gives what the stride gave.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from biaskit.sweeps.low_pass import binomial, low_pass_matrix
from biaskit.sweeps.networks.call_options import altered, pair, window_of

__all__ = ["Blur", "call_named", "dense"]

Pair = tuple[int, int]


def dense(
    name: str,
    func: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    periodic: bool = False,
) -> Any:
    """
    Make a call of a convolution or pooling with stride 1.

    Parameters
    ----------
    name, func, args, kwargs
        As the network calls it.
    periodic : bool
        Whether maps go on at their other end. A layer without padding that gives n / s of n places
        then gives n, not a few less; the filter behind it needs the whole period.

    Returns
    -------
    Tensor
        Its places 0, s, 2s, ... are those the call itself would give, and as many.

    Examples
    --------
    The last, partly filled place counts if the pool says so, and then is there:

    >>> row = torch.tensor([1.0, 2, 3, 9]).view(1, 1, 1, 4)
    >>> pool = functional.max_pool2d
    >>> pool(row, (1, 3), 2, ceil_mode=True).flatten().tolist()
    [3.0, 9.0]
    >>> made = dense("max_pool2d", pool, (row, (1, 3), 2), {"ceil_mode": True})
    >>> made.flatten().tolist()
    [3.0, 9.0, 9.0]
    """
    window = window_of(name, args, kwargs)
    if window is None:
        raise ValueError(f"{name} is no convolution or pooling with a window")
    options = altered(name, args, kwargs, stride=1)
    maps = options["input"]
    padding = (0, 0) if isinstance(window.padding, str) else pair(window.padding)
    for axis in (0, 1):
        n, pad, stride = maps.shape[axis + 2], padding[axis], pair(window.stride)[axis]
        length = pair(window.dilation)[axis] * (pair(window.kernel)[axis] - 1) + 1
        room = n + 2 * pad - length
        kept = _kept(n, pad, room, stride, ceil=window.ceil)
        last = (kept - 1) * stride
        wrapped = periodic and not pad and n == kept * stride and last <= room
        lacking = (n - 1 if wrapped else last) - room
        if lacking > 0:
            ends = (0, 0, 0, lacking) if axis == 0 else (0, lacking)
            maps = _grown(maps, ends, wrapped=wrapped)
    if "ceil_mode" in options:
        options["ceil_mode"] = False
    return call_named(func, {**options, "input": maps})


def call_named(func: Callable[..., Any], options: Mapping[str, Any]) -> Any:
    """
    Make a call whose options all have names, map and weight first: so others that watch know them.

    Examples
    --------
    >>> options = {"stride": 2, "input": torch.ones(1, 1, 2, 2), "weight": torch.ones(1, 1, 1, 1)}
    >>> call_named(functional.conv2d, options).shape[2:]
    torch.Size([1, 1])
    """
    first = [options[key] for key in ("input", "weight") if key in options]
    return func(*first, **{k: v for k, v in options.items() if k not in ("input", "weight")})


def _kept(n: int, pad: int, room: int, stride: int, *, ceil: bool) -> int:
    """Return the number of places a layer gives, by torch's own rule."""
    if not ceil:
        return room // stride + 1
    last = -(-room // stride)
    return last + (last * stride < n + pad)  # a place that would begin in the padding is none


def _grown(maps: Tensor, ends: tuple[int, ...], *, wrapped: bool) -> Tensor:
    if wrapped:
        return functional.pad(maps, (*ends, 0, 0)[:4], mode="circular")
    return functional.pad(maps, ends, value=-torch.inf)


class Blur:
    """
    Filters maps and drops places.

    An axis of stride 1 is left alone. The binomial filter is a convolution, the same for every
    channel; the ideal low-pass, and any filter that is longer than the map, is one matrix per
    axis. The filters are no weights, and none of a network's entries.

    Parameters
    ----------
    taps : int or None
        Of a binomial filter; None: the ideal low-pass, see ``low_pass_matrix``.
    periodic : bool
        Whether maps go on at their other end. Else they are mirrored.

    Examples
    --------
    >>> stripes = torch.tensor([0.0, 4, 0, 4]).view(1, 1, 1, 4)
    >>> Blur(3, periodic=True)(stripes, (1, 2)).flatten().tolist()
    [2.0, 2.0]
    """

    def __init__(self, taps: int | None, *, periodic: bool) -> None:
        self.taps, self.periodic = taps, periodic
        self._made: dict[tuple[Any, ...], Tensor] = {}

    def __call__(self, maps: Tensor, stride: Pair) -> Tensor:
        """
        Return the places 0, s, 2s, ... of maps of shape (n, channels, height, width), blurred.

        Precision and memory format stay; sums of an ideal filter are made in float32 at least.
        """
        # Filtering is no layer: what autocast does with layers must not round a map once more.
        with torch.autocast(maps.device.type, enabled=False):
            if self._fits(maps, stride):
                return self._convolved(maps, stride)
            return self._multiplied(maps, stride)

    def _fits(self, maps: Tensor, stride: Pair) -> bool:
        sides = zip(maps.shape[2:], stride, strict=True)
        return self.taps is not None and all(s == 1 or n > self.taps // 2 for n, s in sides)

    def _convolved(self, maps: Tensor, stride: Pair) -> Tensor:
        tall, wide = (1 if s == 1 or self.taps is None else self.taps for s in stride)
        ends = ((wide - 1) // 2, wide // 2, (tall - 1) // 2, tall // 2)
        if any(ends):
            maps = functional.pad(maps, ends, mode="circular" if self.periodic else "reflect")
        weight = self._kept(
            lambda: np.outer(binomial(tall), binomial(wide)), (tall, wide), maps.dtype, maps.device
        )
        channels = maps.shape[1]
        return functional.conv2d(
            maps, weight.expand(channels, 1, tall, wide), stride=stride, groups=channels
        )

    def _multiplied(self, maps: Tensor, stride: Pair) -> Tensor:
        exact = torch.promote_types(maps.dtype, torch.float32)
        n, channels, height, width = maps.shape
        values = maps.permute(0, 2, 3, 1).to(exact)  # of channels_last maps no copy
        if stride[0] > 1:
            rows = self._matrix(height, stride[0], exact, maps.device)
            values = (rows @ values.reshape(n, height, -1)).view(n, -1, width, channels)
        if stride[1] > 1:
            columns = self._matrix(width, stride[1], exact, maps.device)
            tall = values.shape[1]
            values = (columns @ values.reshape(n * tall, width, channels)).view(
                n, tall, -1, channels
            )
        made = values.permute(0, 3, 1, 2).to(maps.dtype)
        last = maps.is_contiguous(memory_format=torch.channels_last)
        return made if last else made.contiguous()

    def _matrix(self, n: int, stride: int, dtype: torch.dtype, device: torch.device) -> Tensor:
        def whole() -> np.ndarray:
            if self.taps is None:
                return low_pass_matrix(n, stride, periodic=self.periodic)
            return ndimage.correlate1d(
                np.eye(n),
                binomial(self.taps),
                axis=0,
                mode="wrap" if self.periodic else "mirror",
                origin=self.taps % 2 - 1,
            )

        return self._kept(lambda: whole()[::stride].copy(), (n, stride, "axis"), dtype, device)

    def _kept(
        self,
        make: Callable[[], np.ndarray],
        key: tuple[Any, ...],
        dtype: torch.dtype,
        device: torch.device,
    ) -> Tensor:
        """Make a filter once for each size, precision and device."""
        full = (*key, dtype, device)
        if full not in self._made:
            # A tensor of inference mode could not be used where gradients are asked for.
            with torch.inference_mode(mode=False):
                self._made[full] = torch.from_numpy(make()).to(device=device, dtype=dtype)
        return self._made[full]
