"""
A network watched while it runs once: every convolution's map followed to its activation.

What is known of an array goes with it from call to call: how deep it is, whether it depends on the
picture or on a parameter, and whose map it is on its way to an activation.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.weak import WeakTensorKeyDictionary

from biaskit.errors import NetworkError
from biaskit.sweeps.networks.axes import LAST, PRODUCT, UNKNOWN, axes_of
from biaskit.sweeps.networks.call_options import Window, altered, pads_round, pair, window_of
from biaskit.sweeps.networks.calls import Calls
from biaskit.sweeps.networks.chains import Chain, is_arithmetic, step_of
from biaskit.sweeps.networks.layer import Layer
from biaskit.sweeps.networks.strides import is_blur

__all__ = ["FRAMES", "Discovery", "Trait", "naming"]

FRAMES = 2  # what is shown: by its first axis a map of frames is told from one of heads or windows
_NEW = frozenset(("zeros_like", "ones_like", "full_like", "empty_like", "new_zeros", "new_ones",
                  "new_full", "new_empty", "new_tensor", "rand_like", "randn_like"))  # fmt: skip
_LIKE = frozenset(("to", "type_as", "expand_as", "view_as", "reshape_as"))
_UNFOLDING = frozenset(("permute", "view", "reshape"))
_GATES = frozenset(("sigmoid", "hardsigmoid"))
_unseen = torch._C.DisableTorchFunction  # what is looked at here is no call of the network


@dataclass
class Trait:
    """What is known of an array: where it comes from."""

    depth: int = 0
    chain: Chain | None = None
    call: int = -1
    seen: bool = False  # depends on the picture
    learnt: bool = False  # depends on a parameter
    axes: str = UNKNOWN
    gate_of: int = -1  # the call whose map it is the sigmoid of
    shape: tuple[int, ...] = ()  # of an output


@contextmanager
def naming(module: nn.Module, others: tuple[str, ...], watch: "Discovery") -> Iterator[None]:
    """Tell which module runs, and what it has made, by hooks that are taken off again."""
    handles = []

    def enter(name: str, layer: nn.Module) -> Callable[..., None]:
        return lambda *_: watch.running.append((name, layer))

    def leave(name: str) -> Callable[..., None]:
        wanted = any(fnmatchcase(name, pattern) for pattern in others)

        def hook(_layer: nn.Module, _given: Any, made: Any) -> None:
            watch.running.pop()
            if wanted and isinstance(made, Tensor) and made.ndim == 4 and max(made.shape[2:]) > 1:
                # As it is now: what follows may change it in place.
                watch.outputs[name] = replace(watch.trait(made), shape=tuple(made.shape))

        return hook

    for name, layer in module.named_modules():
        handles.append(layer.register_forward_pre_hook(enter(name, layer)))
        handles.append(layer.register_forward_hook(leave(name), always_call=True))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


class Discovery(Calls):
    """Follows every convolution's map to its activation."""

    def __init__(self) -> None:
        super().__init__()
        self.running: list[tuple[str, nn.Module]] = []
        self.outputs: dict[str, Trait] = {}
        self.traits = WeakTensorKeyDictionary()
        self.chains: list[Chain] = []
        self.named: dict[str, int] = {}
        self.periodic = False

    def trait(self, tensor: Tensor) -> Trait:
        """Return what is known of an array."""
        found = self.traits.get(tensor)
        if found is None:
            found = Trait(learnt=isinstance(tensor, nn.Parameter))
        return found

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        name, kwargs = getattr(func, "__name__", ""), kwargs or {}
        origin = () if name in _NEW else args[:1] if name in _LIKE else (args, kwargs)
        given = [self.trait(tensor) for tensor in _tensors(origin)]
        depth = max((one.depth for one in given), default=0)
        seen, learnt = any(one.seen for one in given), any(one.learnt for one in given)
        self.periodic |= pads_round(name, args, kwargs)
        result = super().__torch_function__(func, types, args, kwargs)
        for made in _tensors(args[:1] if name == "__setitem__" else result):
            if not isinstance(made, nn.Parameter):
                trait = self.traits.setdefault(made, Trait())
                trait.depth = max(depth + self._convolves(trait), trait.depth)
                trait.seen, trait.learnt = trait.seen or seen, trait.learnt or learnt
        return result

    def _convolves(self, made: Trait) -> int:
        chain = self.chains[-1] if self.chains else None
        new = chain is not None and chain.call == self.number and chain.kind == "convolution"
        return int(new and made.call == self.number)

    def called(
        self,
        number: int,
        name: str,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        result: Tensor,
    ) -> Tensor:
        """Follow the maps that a call is given, and begin a new one at a layer."""
        given = [(tensor, self.trait(tensor)) for tensor in _tensors((args, kwargs))]
        for _, one in given:
            if one.chain is not None:
                one.chain.used(one.call, number)
        two = (*args, *kwargs.values())[:2]
        chain = self._onward(number, name, two, result)
        window = window_of(name, args, kwargs)
        if window is not None and max(result.shape[2:]) > 1:
            chain = self._begin(number, name, window, altered(name, args, kwargs), result)
        axes = [(tensor, one.axes) for tensor, one in given if one.seen]
        gate = given[0][1] if name in _GATES and given else None
        trait = self.traits.setdefault(result, self.trait(result))
        trait.gate_of = gate.call if gate is not None and gate.chain is not None else -1
        trait.axes = axes_of(name, (*args, *kwargs.values()), axes, result)
        trait.chain = chain if chain is not None and chain.open else None
        trait.call = number
        return result

    def _onward(self, number: int, name: str, two: Any, result: Tensor) -> Chain | None:
        """Return the layer whose map a call takes on, if one does."""
        given = [self.trait(one) if isinstance(one, Tensor) else Trait() for one in two]
        chains = [one.chain for one in given if one.chain is not None]
        chain = max(chains, key=lambda c: (c.depth, c.call), default=None)
        if chain is None:
            return None
        maps = next(
            one for one in two if isinstance(one, Tensor) and self.trait(one).chain is chain
        )
        step = step_of(name, tuple(one.seen for one in given))
        if name in _UNFOLDING and chain.joined and result.shape[2:] == maps.shape[2:]:
            step = "passing"
        # What is larger than the map makes another one of it.
        if is_arithmetic(name) and _together(two) != maps.shape:
            return None
        gate = next((one for one in given if one.gate_of == self.trait(maps).call), None)
        if gate is not None and name.strip("_") in ("mul", "imul", "rmul"):
            step = "activation"
            chain.gated(gate.gate_of, gate.call)
        if not step:
            return None
        chain.passed(number, added=step == "addition", activated=step == "activation")
        if chain.read == number:  # a variant drops places only here
            chain.shape = tuple(result.shape)
            chain.joined &= len(result) != FRAMES
        return chain

    def _begin(
        self, number: int, name: str, window: Window, options: Mapping[str, Any], result: Tensor
    ) -> Chain:
        running, module = self.running[-1]
        leaf = running and not [*module.children()]
        label = running if leaf else f"{running}.{name}".lstrip(".")
        self.named[label] = self.named.get(label, 0) + 1
        again = f"#{self.named[label]}" if self.named[label] > 1 else ""
        weighted = name == "conv2d" and not self._is_fixed(options["input"], options["weight"])
        chain = Chain(
            f"{label}{again}",
            "convolution" if weighted else "pool",
            number,
            self.trait(options["input"]).depth + int(weighted),
            pair(window.stride),
            tuple(result.shape),
        )
        self.chains.append(chain)
        return chain

    def _is_fixed(self, maps: Tensor, weight: Tensor) -> bool:
        """Tell a filter that is not learnt and the same for every channel, such as a blur."""
        with _unseen():
            return not self.trait(weight).learnt and is_blur(weight, channels=maps.shape[1])

    def layers(self) -> list[Layer]:
        """Return the layers that were found, in the order of their calls."""
        whole = [chain for chain in self.chains if chain.shape[0] == FRAMES]
        found = [Layer(*chain.layer()) for chain in whole]
        known = {layer.name for layer in found}
        for name, made in self.outputs.items():
            if name not in known:
                _check_output(name, made)
                _, channels, height, width = made.shape
                at, depth = (made.call,) * 3, made.depth
                found.append(
                    Layer(name, "other", "output", *at, (1, 1), depth, channels, height, width)
                )
        found.sort(key=lambda layer: layer.call)
        return [layer._replace(periodic=self.periodic) for layer in found]


def _together(two: tuple[Any, ...]) -> torch.Size:
    """Return the shape that two operands, arrays or numbers, have together."""
    return torch.broadcast_shapes(*(one.shape for one in two if isinstance(one, Tensor)))


def _check_output(name: str, made: Trait) -> None:
    wrong = {
        made.axes == PRODUCT: "it is a product of two such arrays, as attention is",
        made.axes == LAST: "its channels are in the last axis",
        made.shape[0] != FRAMES: f"its first axis is not that of the {FRAMES} frames shown",
        made.call < 0: "it is one of several that one call has made",
    }
    if True in wrong:
        raise NetworkError(
            f"--layer {name}: gives an array of shape {made.shape}, expected frames, channels, "
            f"height and width: {wrong[True]}. Name another module."
        )


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from _tensors(inner)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _tensors(inner)
