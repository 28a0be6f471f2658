"""Strips of input that a network is run on, made linear, and units that are read on the way."""

import math
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from biaskit.sweeps.networks.calls import Calls, seeing
from biaskit.sweeps.networks.linear_calls import INPUT, Linear, seen

__all__ = ["UNITS", "Strip", "seen_columns", "strip_of"]

UNITS = 3  # neighbours that are read: two shifts, which must agree


class Strip(NamedTuple):
    """
    A strip of input, and what was read of the maps made of it.

    Attributes
    ----------
    picture : Tensor, shape (3, 3, height, length)
        The strip, once for each unit.
    units : dict
        By the number of the call that makes a map: the sum of three neighbours in the map's
        middle, each of a picture of its own.
    """

    picture: Tensor
    units: dict[int, Tensor]


def strip_of(
    module: nn.Module, sides: tuple[int, int], wanted: Collection[int], *, collapsed: bool
) -> Strip:
    """
    Run a network on a strip until all that is wanted is read, or it fails.

    Parameters
    ----------
    module : Module
        In evaluation mode; as it is, or altered. It is not changed, and its weights do not matter.
    sides : (int, int)
        Height and length in px.
    wanted : collection of int
        Numbers of calls that make maps.
    collapsed : bool
        Whether one channel stands for all, see `Linear`.

    Returns
    -------
    Strip
        Without the units that a network does not get to, for it refuses the size, or does what
        `Linear` cannot follow.

    Examples
    --------
    >>> net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 3), nn.Flatten(), nn.Linear(9, 1))
    >>> [*strip_of(net.eval(), (8, 16), {0, 1, 2, 3}, collapsed=False).units]
    [0, 1]
    """
    device = next(module.parameters(), torch.zeros(())).device
    picture = torch.full((UNITS, 3, *sides), INPUT, device=device, requires_grad=True)
    filters = _mean_filters(module)  # made here: what makes them is no call of the network
    reader = _Reader(wanted)
    try:
        with torch.enable_grad(), Linear(collapsed=collapsed), seeing(module, reader):
            torch.func.functional_call(module, filters, (picture,))
    except (_Done, RuntimeError, ValueError, TypeError, AssertionError, LookupError):
        pass  # a network for one size of input refuses in its own way; what was read still holds
    return Strip(picture, reader.units)


def seen_columns(strip: Strip, number: int) -> Tensor | None:
    """
    Return which columns of the strip each of three neighbouring units sees.

    Parameters
    ----------
    strip : Strip
    number : int
        One of ``strip.units``.

    Returns
    -------
    Tensor of bool, shape (3, length), or None
        None if they do not depend on the input.

    Examples
    --------
    >>> net = nn.Conv2d(3, 4, 3, stride=2).eval()
    >>> seen_columns(strip_of(net, (3, 9), {0}, collapsed=True), 0).int().tolist()[0]
    [0, 0, 1, 1, 1, 0, 0, 0, 0]
    """
    unit = strip.units[number]
    if not unit.requires_grad:
        return None
    (gradient,) = torch.autograd.grad(unit, strip.picture, retain_graph=True)
    return seen(gradient).bool().any(1).any(1)


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
    if maps.shape[3] < UNITS or len(maps) != UNITS:
        return maps.sum()  # which sees both ends
    row, first = maps.shape[2] // 2, maps.shape[3] // 2 - UNITS // 2
    units = [maps[k, :, row, first + k].sum() for k in range(UNITS)]
    return units[0] + units[1] + units[2]


def _mean_filters(module: nn.Module) -> dict[str, Tensor]:
    """Return weights of means, without taking memory for them; for what is no known layer."""
    filters: dict[str, Tensor] = {}
    for name, parameter in module.named_parameters():
        fan_in = math.prod(parameter.shape[1:])
        value = 0.0 if name.endswith("bias") else 1 / max(1, fan_in)
        filters[name] = torch.tensor(value, device=parameter.device).expand(parameter.shape)
    return filters
