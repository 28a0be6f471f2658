"""
Reading maps while a network runs: reduced on its device at the moment they are made.

Maps are never kept: torch's activations often work in place, so a map that is looked at later is
another one, and the maps of all layers would not fit into memory.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from biaskit.sweeps.inside.energies import map_energies
from biaskit.sweeps.networks.call_options import altered
from biaskit.sweeps.networks.calls import Calls, Layer

__all__ = ["EnergyReader", "MapReader", "SumReader", "is_periodic"]

# What a reader computes is no call of the network, and must not be counted by what alters it.
_unseen = torch._C.DisableTorchFunction

_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "conv2d": functional.conv2d,
    "max_pool2d": functional.max_pool2d,
    "max_pool2d_with_indices": functional.max_pool2d,
    "avg_pool2d": functional.avg_pool2d,
}


def is_periodic(module: nn.Module) -> bool:
    """Tell whether a network's maps wrap round, by the padding of its convolutions."""
    modes = {m.padding_mode for m in module.modules() if isinstance(m, nn.Conv2d)}
    return "circular" in modes


class SumReader(Calls):
    """
    Sums every channel's map of every layer.

    Parameters
    ----------
    layers : sequence of Layer
        In the order in which their channels stand in what `take` returns.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        super().__init__()
        self.at: dict[int, list[int]] = {}
        for number, layer in enumerate(layers):
            self.at.setdefault(layer.read, []).append(number)
        self.sums: list[Tensor | None] = [None] * len(layers)

    def called(
        self,
        number: int,
        name: str,  # noqa: ARG002
        args: tuple[Any, ...],  # noqa: ARG002
        kwargs: Mapping[str, Any],  # noqa: ARG002
        result: Tensor,
    ) -> Tensor:
        """Sum the map if a layer is read here."""
        for layer in self.at.get(number, ()):
            with _unseen():
                self.sums[layer] = result.sum((2, 3), dtype=torch.float32)
        return result

    def take(self, filled: int) -> Tensor:
        """Return the sums of the last batch's first frames, shape (filled, all channels)."""
        found = [part[:filled] for part in self.sums if part is not None]
        self.sums = [None] * len(self.sums)
        return torch.cat(found, dim=1)


class EnergyReader(Calls):
    """
    Measures the energies of the responses of which layers drop places, before they do.

    Parameters
    ----------
    layers : sequence of Layer
    periodic : bool
        Whether maps wrap round.
    """

    def __init__(self, layers: Sequence[Layer], *, periodic: bool) -> None:
        super().__init__()
        self.periodic = periodic
        self.at = {layer.call: layer for layer in layers if max(layer.stride) > 1}
        self.found: dict[str, tuple[Tensor, Tensor]] = {}

    def called(
        self,
        number: int,
        name: str,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        result: Tensor,
    ) -> Tensor:
        """Make the response at every place, and measure it."""
        layer = self.at.get(number)
        if layer is not None:
            options = altered(name, args, kwargs, stride=1)
            with _unseen():
                dense = _FUNCTIONS[name](**options)
                dense = dense[0] if isinstance(dense, tuple) else dense
                self.found[layer.name] = map_energies(
                    dense.float(), layer.stride, periodic=self.periodic
                )
        return result


class MapReader(Calls):
    """
    Keeps one channel's map of some layers, for pictures.

    Parameters
    ----------
    layers : sequence of Layer
    channels : sequence of int, or None
        Which channel of each; None: all.
    """

    def __init__(self, layers: Sequence[Layer], channels: Sequence[int] | None = None) -> None:
        super().__init__()
        self.at: dict[int, list[tuple[str, slice]]] = {}
        for number, layer in enumerate(layers):
            part = (
                slice(None) if channels is None else slice(channels[number], channels[number] + 1)
            )
            self.at.setdefault(layer.read, []).append((layer.name, part))
        self.maps: dict[str, Tensor] = {}

    def called(
        self,
        number: int,
        name: str,  # noqa: ARG002
        args: tuple[Any, ...],  # noqa: ARG002
        kwargs: Mapping[str, Any],  # noqa: ARG002
        result: Tensor,
    ) -> Tensor:
        """Keep the map if a layer is read here."""
        for layer, part in self.at.get(number, ()):
            with _unseen():
                self.maps[layer] = result[:, part].float().clone()
        return result
