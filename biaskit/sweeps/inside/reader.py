"""
Reading maps while a network runs: reduced on its device at the moment they are made.

Maps are never kept: torch's activations often work in place, so a map that is looked at later is
another one, and the maps of all layers would not fit into memory.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from biaskit.sweeps.inside.energies import map_energies
from biaskit.sweeps.networks.call_options import altered
from biaskit.sweeps.networks.calls import Calls
from biaskit.sweeps.networks.layers import Layer

__all__ = ["EnergyReader", "MapReader", "SumReader"]

# What a reader computes is no call of the network, and must not be counted by what alters it.
_unseen = torch._C.DisableTorchFunction

_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "conv2d": functional.conv2d,
    "max_pool2d": functional.max_pool2d,
    "max_pool2d_with_indices": functional.max_pool2d,
    "avg_pool2d": functional.avg_pool2d,
}


# After these no map has places below 0: the sum is that of the magnitudes too.
_NONNEGATIVE = frozenset(("relu", "relu_", "relu6", "softplus"))
_CACHED = 2**19  # numbers whose magnitudes stay in a processor's cache until they are summed


class SumReader(Calls):
    """
    Sums every channel's map of every layer, and the magnitudes of its places.

    Parameters
    ----------
    layers : sequence of Layer
        In the order in which their channels stand in what `take` returns.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        super().__init__()
        self.layers = layers
        self.at: dict[int, list[int]] = {}
        for number, layer in enumerate(layers):
            self.at.setdefault(layer.read, []).append(number)
        self._forget()

    def _forget(self) -> None:
        self.sums: list[tuple[Tensor, Tensor] | None] = [None] * len(self.layers)
        self.n_frames = -1

    def __enter__(self) -> "SumReader":
        """Count from the start, without what a pass that was broken off has left."""
        self._forget()
        super().__enter__()
        return self

    def called(
        self,
        number: int,
        name: str,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        result: Tensor,
    ) -> Tensor:
        """
        Sum the map if a layer is read here.

        Raises
        ------
        ValueError
            If its first axis is not as long as that of the maps before: it is not of the frames.
        """
        at = self.at.get(number)
        if at is None:
            return result
        with _unseen():
            if self.n_frames not in (-1, len(result)):
                raise ValueError(
                    f"{self.layers[at[0]].name}: {len(result)} maps after {self.n_frames} of the "
                    "layers before, expected one for each frame"
                )
            self.n_frames = len(result)
            sums = result.sum((2, 3), dtype=torch.float32)
            positive = _is_nonnegative(name, args, kwargs)
            both = (sums, sums if positive else _magnitudes(result))
        for layer in at:
            self.sums[layer] = both
        return result

    def take(self, filled: int) -> Tensor:
        """
        Return what was summed of the last batch's first frames.

        Returns
        -------
        Tensor, shape (2, filled, all channels)
            The sums, and the sums of the magnitudes.

        Raises
        ------
        ValueError
            If a layer was not read.
        """
        missing = [la.name for la, one in zip(self.layers, self.sums, strict=True) if one is None]
        if missing:
            raise ValueError(f"{missing[0]}: was not read in this pass")
        parts = [[one[k][:filled] for one in self.sums if one is not None] for k in (0, 1)]
        self._forget()
        return torch.stack([torch.cat(part, dim=1) for part in parts])


def _is_nonnegative(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    if name.startswith(("hardtanh", "clamp")):
        given = {**dict(zip(("input", "min"), args, strict=False)), **kwargs}
        low = given.get("min", given.get("min_val"))
        return isinstance(low, int | float) and low >= 0
    return name in _NONNEGATIVE


def _magnitudes(maps: Tensor) -> Tensor:
    """Return sums of |x| over maps; in parts on the CPU, where it is memory that takes the time."""
    if maps.is_cuda:
        return torch.linalg.vector_norm(maps, 1, (2, 3), dtype=torch.float32)
    parts = maps.split(max(1, _CACHED // maps[0].numel()))
    return torch.cat([part.abs().sum((2, 3), dtype=torch.float32) for part in parts])


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

    def take(self, n_frames: int) -> list[dict[str, tuple[np.ndarray, np.ndarray]]]:
        """Return the energies of each frame of the last pass, copied from the device at once."""
        if not self.found:
            return [{} for _ in range(n_frames)]
        whole = torch.cat([torch.stack(both) for both in self.found.values()], dim=2)
        above, onto = whole.cpu().numpy()
        ends = np.cumsum([both[0].shape[1] for both in self.found.values()])[:-1]
        names = list(self.found)
        self.found = {}
        return [
            dict(
                zip(
                    names, zip(np.split(one, ends), np.split(other, ends), strict=True), strict=True
                )
            )
            for one, other in zip(above, onto, strict=True)
        ]


class MapReader(Calls):
    """
    Keeps the maps of some layers, for pictures.

    Parameters
    ----------
    layers : sequence of Layer
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        super().__init__()
        self.at: dict[int, list[str]] = {}
        for layer in layers:
            self.at.setdefault(layer.read, []).append(layer.name)
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
        for layer in self.at.get(number, ()):
            with _unseen():
                self.maps[layer] = result.float().clone()
        return result
