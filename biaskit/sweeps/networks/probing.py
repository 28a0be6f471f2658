"""
What the units of a network's layers see of the input, measured.

A network is run on strips of input, made linear; see `biaskit.sweeps.networks.strips` and
`biaskit.sweeps.networks.linear_calls`. The gradient of a unit is then not 0 exactly where the unit
sees the input. Nothing is read from the network's options: what counts is what it calls.
"""

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn

from biaskit.sweeps.networks.calls import Calls, seeing
from biaskit.sweeps.networks.layers import Layer
from biaskit.sweeps.networks.strips import seen_columns, strip_of

__all__ = ["Probed", "probe", "probe_layers"]

# Sides in px of the strips that are tried in turn: no wider than a network needs, for time.
_HEIGHTS = (32, 64, 107)
_LENGTHS = (512, 1024, 2048, 4096, 8192)
# Layers in a row that a strip is too short for, after which it is too short for deeper ones.
_MISSES = 8


@dataclass(frozen=True)
class Probed:
    """
    What the units of a layer see of the input.

    Parameters
    ----------
    factor : float
        Shift in px from what one unit sees to what the next one sees.
    field : float
        Length in px of what a unit sees.
    """

    factor: float
    field: float


_NONE = Probed(math.nan, math.nan)


def probe(module: nn.Module, side: int) -> Probed:
    """
    Measure the least shift of the input that moves a network's last map by one cell.

    Parameters
    ----------
    module : Module
        In evaluation mode. It is not changed, and its weights do not matter.
    side : int
        Of its input in px.

    Returns
    -------
    Probed
        Both NaN as for `probe_layers`.

    Examples
    --------
    >>> step = nn.Conv2d(3, 3, 3, stride=2)
    >>> probe(nn.Sequential(step, nn.ReLU(), nn.Conv2d(3, 2, 3, stride=2)), 32)
    Probed(factor=4.0, field=7.0)
    """
    last = _last_map(module, side)
    return _NONE if last is None else _probed(module, side, {last}).get(last, _NONE)


def probe_layers(module: nn.Module, side: int, layers: Sequence[Layer]) -> list[Probed]:
    """
    Measure the least shift of the input that moves each layer's map by one cell.

    Three neighbours in the middle of each map are compared, on a strip of input so long that what
    they see touches neither end.

    Parameters
    ----------
    module : Module
        In evaluation mode; as it is, or altered. It is not changed, and its weights do not matter.
    side : int
        Of its input in px.
    layers : sequence of Layer
        Of this network, from `find_layers`; what is measured is the map where a layer is read.

    Returns
    -------
    list of Probed
        One for each layer. Both NaN if every unit sees the whole input, if the network takes inputs
        of its own size only, if neighbours do not move by the same, or behind something that cannot
        be followed. What a network multiplies with a mean over the whole map, as
        squeeze-and-excitation does, is held fixed.

    Examples
    --------
    >>> from biaskit.sweeps.networks.layers import find_layers
    >>> net = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.ReLU(), nn.MaxPool2d(2)).eval()
    >>> probe_layers(net, 32, find_layers(net, 32))
    [Probed(factor=2.0, field=3.0), Probed(factor=4.0, field=5.0)]
    """
    found = _probed(module, side, {layer.read for layer in layers})
    return [found.get(layer.read, _NONE) for layer in layers]


class _Numbers(Calls):
    """Tells of every map which call has made it."""

    def called(
        self,
        number: int,
        name: str,  # noqa: ARG002
        args: tuple[Any, ...],  # noqa: ARG002
        kwargs: Mapping[str, Any],  # noqa: ARG002
        result: Tensor,
    ) -> Tensor:
        result._call = number  # type: ignore[attr-defined]
        return result


def _last_map(module: nn.Module, side: int) -> int | None:
    """Return the number of the call that makes the last square map; None if none is left."""
    last: int | None = None

    def hook(layer: nn.Module, _given: Any, made: Any) -> None:
        nonlocal last
        if not isinstance(made, Tensor):
            return
        if made.ndim == 3 and made.shape[1] > 1:
            last = None  # the map became a row of tokens, which attention mixes at will
        elif made.ndim == 4 and made.shape[2] == made.shape[3] > 1 and not _adaptive(layer):
            last = getattr(made, "_call", None)

    with _hooked(module, hook):
        like = next(module.parameters(), torch.zeros(()))
        picture = torch.zeros(1, 3, side, side, device=like.device)
        with torch.inference_mode(), seeing(module, _Numbers()):
            module(picture)
    return last


@contextmanager
def _hooked(module: nn.Module, hook: Callable[..., None]) -> Iterator[None]:
    handles = [m.register_forward_hook(hook) for name, m in module.named_modules() if name]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _adaptive(layer: nn.Module) -> bool:
    return "Adaptive" in type(layer).__name__


def _probed(module: nn.Module, side: int, wanted: Collection[int]) -> dict[int, Probed]:
    """Return what was measured of the maps that these calls make."""
    found: dict[int, Probed] = {}
    collapsed, height = _way(module, side, wanted)
    for length in _LENGTHS:
        strip = strip_of(module, (height, length), wanted, collapsed=collapsed)
        misses = 0
        for number in sorted(strip.units):
            measured = _compared(seen_columns(strip, number)) if misses < _MISSES else None
            if measured is not None:
                found[number] = measured
            misses = misses + 1 if measured is None else 0
        wanted = strip.units.keys() - found.keys()
        if not wanted:
            break
    return found


def _way(module: nn.Module, side: int, wanted: Collection[int]) -> tuple[bool, int]:
    """Return whether one channel is enough, and the least height, with which most is read."""
    best, way = 0, (True, side)
    for collapsed, height in product((True, False), (*_HEIGHTS, side)):
        strip = strip_of(module, (height, _LENGTHS[0]), wanted, collapsed=collapsed)
        if len(strip.units) > best:
            best, way = len(strip.units), (collapsed, height)
        if best == len(wanted):
            break
    return way


def _compared(columns: Tensor | None) -> Probed | None:
    """Compare what neighbouring units see; None if that reaches an end of the strip."""
    if columns is None or not bool(columns.any(1).all()):
        return _NONE
    width = columns.shape[1]
    starts, ends = _first(columns), width - 1 - _first(columns.flip(1))
    steps = {*starts.diff().tolist(), *ends.diff().tolist()}
    step, length = steps.pop(), int(ends[0] - starts[0]) + 1
    # What is cut off at an end begins, or ends, less than a step from it in all three: they do
    # not move alike. They need not touch it, for strides may leave last columns that none sees.
    if not steps and step > 0:
        return Probed(float(step), float(length))
    room = min(int(starts.min()), width - 1 - int(ends.max()))
    return _NONE if room > width // 4 else None


def _first(columns: Tensor) -> Tensor:
    return columns.to(torch.uint8).argmax(1)
