"""
What the units of a network's layers see of the input, measured.

A network is run on strips of input, made linear; see `biaskit.sweeps.networks.linear_calls`. The
gradient of a unit is then not 0 exactly where the unit sees the input. Nothing is read from the
network's options: what counts is what it calls.
"""

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from biaskit.sweeps.networks.calls import Calls, Layer, seeing
from biaskit.sweeps.networks.linear_calls import INPUT, Linear, seen

__all__ = ["Probed", "probe", "probe_layers"]

# Sides in px of the strips that are tried in turn: no wider than a network needs, for time.
_HEIGHTS = (32, 64, 107)
_LENGTHS = (512, 1024, 2048, 4096, 8192)
_UNITS = 3  # neighbours that are compared: two shifts, which must agree


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
    >>> from biaskit.sweeps.networks.calls import find_layers
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
        picture = torch.zeros(1, 3, side, side, device=_device(module))
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


class _Strip(NamedTuple):
    """A strip of input, and three units of each layer that could be read."""

    picture: Tensor
    units: dict[int, Tensor]


class _Done(Exception):  # noqa: N818 (it is no error: all is read, the rest needless)
    pass


class _Reader(Calls):
    """Reads units in the middle of maps, each in a picture of its own."""

    def __init__(self, wanted: Collection[int]) -> None:
        super().__init__()
        self.wanted = wanted
        self.units: dict[int, Tensor] = {}

    def called(
        self,
        number: int,
        name: str,  # noqa: ARG002
        args: tuple[Any, ...],  # noqa: ARG002
        kwargs: Mapping[str, Any],  # noqa: ARG002
        result: Tensor,
    ) -> Tensor:
        if number in self.wanted:
            # At once: what follows may change the map in place.
            self.units[number] = _middle(result)
            if len(self.units) == len(self.wanted):
                raise _Done
        return result


def _middle(maps: Tensor) -> Tensor:
    if maps.shape[3] < _UNITS or len(maps) != _UNITS:
        return maps.sum()  # which sees both ends
    row, first = maps.shape[2] // 2, maps.shape[3] // 2 - _UNITS // 2
    units = [maps[k, :, row, first + k].sum() for k in range(_UNITS)]
    return units[0] + units[1] + units[2]


def _probed(module: nn.Module, side: int, wanted: Collection[int]) -> dict[int, Probed]:
    """Return what was measured of the maps that these calls make."""
    copy = _mean_filters(module)
    found: dict[int, Probed] = {}

    def run(collapsed: bool, height: int, length: int, left: Collection[int]) -> _Strip:
        return _run(module, copy, Linear(collapsed=collapsed), (height, length), left)

    best, way = 0, (True, side)
    for collapsed, height in product((True, False), (*_HEIGHTS, side)):
        reached = len(run(collapsed, height, _LENGTHS[0], wanted).units)
        if reached > best:
            best, way = reached, (collapsed, height)
        if best == len(wanted):
            break
    left = set(wanted)
    for length in _LENGTHS:
        strip = run(*way, length, left)
        left &= set(strip.units)
        for number in sorted(left):
            measured = _compared(strip, number)
            if measured is not None:
                found[number] = measured
                left.remove(number)
        if not left:
            break
    return found


def _run(
    module: nn.Module,
    copy: Mapping[str, Tensor],
    linear: Linear,
    sides: tuple[int, int],
    wanted: Collection[int],
) -> _Strip:
    """Run a network on a strip until all that is wanted is read, or it fails."""
    picture = torch.full((_UNITS, 3, *sides), INPUT, device=_device(module), requires_grad=True)
    reader = _Reader(wanted)
    try:
        with torch.enable_grad(), linear, seeing(module, reader):
            torch.func.functional_call(module, dict(copy), (picture,))
    except (_Done, RuntimeError, ValueError, TypeError, AssertionError, LookupError):
        pass  # a network for one size of input refuses in its own way; what was read still holds
    return _Strip(picture, reader.units)


def _compared(strip: _Strip, number: int) -> Probed | None:
    """Compare what neighbouring units see; None if that reaches an end of the strip."""
    unit = strip.units[number]
    if unit.grad_fn is None:
        return _NONE
    (gradient,) = torch.autograd.grad(unit, strip.picture, retain_graph=True)
    columns = seen(gradient).amax((1, 2))
    if not bool(columns.any(1).all()):
        return _NONE
    if bool(columns[:, [0, -1]].any()):
        return None
    starts, ends = columns.argmax(1), columns.shape[1] - 1 - columns.flip(1).argmax(1)
    steps = {*starts.diff().tolist(), *ends.diff().tolist()}
    step, length = steps.pop(), int(ends[0] - starts[0]) + 1
    return Probed(float(step), float(length)) if not steps and step > 0 else _NONE


def _mean_filters(module: nn.Module) -> dict[str, Tensor]:
    """Return weights of means, without taking memory for them; for what is no known layer."""
    filters: dict[str, Tensor] = {}
    for name, parameter in module.named_parameters():
        fan_in = math.prod(parameter.shape[1:])
        value = 0.0 if name.endswith("bias") else 1 / max(1, fan_in)
        filters[name] = torch.tensor(value, device=parameter.device).expand(parameter.shape)
    return filters


def _device(module: nn.Module) -> torch.device:
    return next(module.parameters(), torch.zeros(())).device
