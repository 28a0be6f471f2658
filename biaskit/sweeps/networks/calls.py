"""
The calls by which a network makes its maps, numbered, and which of them are its layers.

Modules do not tell all: activations, additions and poolings are often plain functions. So a network
is watched while it runs once. What it calls in evaluation mode is always the same, and a call is
known by its number from then on: whoever reads a layer, or blurs it, does so at that number.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from biaskit.errors import NetworkError
from biaskit.sweeps.networks.axes import LAST, PRODUCT, UNKNOWN, axes_of
from biaskit.sweeps.networks.call_options import Window, altered, pads_round, pair, window_of
from biaskit.sweeps.networks.chains import Chain, is_arithmetic, step_of
from biaskit.sweeps.networks.strides import is_blur

__all__ = ["Altered", "Calls", "Layer", "find_layers", "seeing", "unaltered"]

FRAMES = 2  # what is shown: by its first axis a map of frames is told from one of heads or windows
_NEW = frozenset(("zeros_like", "ones_like", "full_like", "empty_like", "new_zeros", "new_ones",
                  "new_full", "new_empty", "new_tensor", "rand_like", "randn_like"))  # fmt: skip
_LIKE = frozenset(("to", "type_as", "expand_as", "view_as", "reshape_as"))
_UNFOLDING = frozenset(("permute", "view", "reshape"))
_GATES = frozenset(("sigmoid", "hardsigmoid"))
_unseen = torch._C.DisableTorchFunction  # what is looked at here is no call of the network


class Layer(NamedTuple):
    """
    A convolution or pooling of a network, or another module that was asked for.

    Attributes
    ----------
    name : str
        Of its module, with ``#2`` where it is called again; of the module around it and of the
        function, where there is none.
    kind : {"convolution", "pool", "other"}
        A fixed filter, such as a blur, is a pool.
    reading : str
        One of ``biaskit.tables.inside.READINGS``.
    call : int
        Number of the call that is the layer.
    read : int
        Number of the call whose result is its map, after its activation.
    blur : int
        Number of the call after which places may be dropped instead: its activation, or what it
        leaves before an addition.
    stride : (int, int)
        Vertical and horizontal.
    depth : int
        Convolutions with weights on the longest path to the map.
    channels, height, width : int
        Of the map.
    periodic : bool
        Whether the network pads maps by what is at their other end.
    """

    name: str
    kind: str
    reading: str
    call: int
    read: int
    blur: int
    stride: tuple[int, int]
    depth: int
    channels: int
    height: int
    width: int
    periodic: bool = False


class Calls(TorchFunctionMode):
    """
    Numbers the calls whose result is a map, or several, and lets a subclass see each.

    Subclasses override `called`, or `make` too where a call is to be made otherwise.
    """

    # Of the calls of layers that are made otherwise.
    changed: frozenset[int] = frozenset()

    def __init__(self) -> None:
        super().__init__()
        self.number = -1

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Make a call; torch's own hook."""
        name, kwargs = getattr(func, "__name__", ""), kwargs or {}
        result = self.make(self.number + 1, name, func, args, kwargs)
        if isinstance(result, Tensor) and result.ndim == 4:
            self.number += 1
            return self.called(self.number, name, args, kwargs, result)
        return result

    def make(
        self,
        number: int,  # noqa: ARG002 (for subclasses)
        name: str,  # noqa: ARG002
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Return what a call gives; ``number`` is the one it will have if that is a map."""
        return func(*args, **kwargs)

    def called(
        self,
        number: int,  # noqa: ARG002
        name: str,  # noqa: ARG002
        args: tuple[Any, ...],  # noqa: ARG002
        kwargs: Mapping[str, Any],  # noqa: ARG002
        result: Tensor,
    ) -> Tensor:
        """Return what goes on as the result of a call that made a map."""
        return result

    def __enter__(self) -> "Calls":
        """Count from the start: a network is about to run."""
        self.number = -1
        super().__enter__()
        return self


class Altered(nn.Module):
    """
    A network some of whose calls are made otherwise, its weights and layers kept.

    Parameters
    ----------
    module : Module
        As it is.
    mode : Calls
        Makes its calls.
    """

    def __init__(self, module: nn.Module, mode: Calls) -> None:
        super().__init__()
        self.module = module
        self.mode = mode
        self.within: list[Calls] = []  # see the network's own calls, before they are altered

    def forward(self, frames: Tensor) -> Tensor:
        """Run the network with its calls altered."""
        with ExitStack() as stack:
            for mode in (self.mode, *self.within):
                stack.enter_context(mode)
            answer: Tensor = self.module(frames)
        return answer


def unaltered(module: nn.Module) -> nn.Module:
    """
    Return the network that an altered one is made of, or the module itself.

    Examples
    --------
    >>> plain = nn.ReLU()
    >>> unaltered(Altered(plain, Calls())) is plain
    True
    """
    return module.module if isinstance(module, Altered) else module


@contextmanager
def seeing(module: nn.Module, mode: Calls) -> Iterator[None]:
    """
    Let a mode see a network's own calls while the context lasts, their results as altered.

    So a layer has the same numbers in a network and in every variant of it.

    Examples
    --------
    >>> calls = Calls()
    >>> layers = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU())
    >>> picture = torch.zeros(1, 1, 2, 2)
    >>> with torch.inference_mode(), seeing(layers, calls):
    ...     _ = layers(picture)
    >>> calls.number
    1
    """
    if not isinstance(module, Altered):
        with mode:
            yield
        return
    module.within.append(mode)
    try:
        yield
    finally:
        module.within.remove(mode)


def find_layers(module: nn.Module, side: int, others: tuple[str, ...] = ()) -> list[Layer]:
    """
    Run a network once and return its convolutions and poolings, in the order of their calls.

    A convolution's map is read after the first activation that follows, past normalisation and
    additions; where two layers meet in an addition, the deeper one goes on. Sums with, and
    multiples by, what does not depend on the picture are part of a normalisation; a bound by it,
    and ``x * sigmoid(x)``, are activations. If a map goes elsewhere without an activation, it is
    read as it is, before any addition. Layers whose map has one place only are left out, and
    those whose map has another first axis than the frames, as where heads or windows are folded
    into it.

    Not followed: a map whose axes are turned before its normalisation or activation, as in
    ConvNeXt, which is read as it is; activations put together from others, such as
    ``x * relu6(x + 3) / 6``, which are read at the first; what a call gives several of, such as
    a pooling that returns where its maxima are.

    Parameters
    ----------
    module : Module
        In evaluation mode; as it is, or altered.
    side : int
        Of the input in px.
    others : tuple of str
        Patterns such as ``layer3.*``; modules that match are layers too, read at their output.
        It must be a map of channels, height and width. Channels in the last axis are told where
        they come from a turned map, a linear layer or a normalisation of the last axis, attention
        where it is a product; an array that was given four axes in another way is taken for a map.

    Returns
    -------
    list of Layer
        Empty if nothing makes a map.

    Raises
    ------
    NetworkError
        If a pattern matches no module that makes a map, or one whose output is another array.

    Examples
    --------
    >>> net = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.BatchNorm2d(4), nn.ReLU()).eval()
    >>> (layer,) = find_layers(net, 9)
    >>> layer.name, layer.reading, layer.call, layer.read, layer.depth, layer.height
    ('0', 'activation', 0, 2, 1, 4)
    """
    own, watch = unaltered(module), _Discovery()
    with _own_names(own, others, watch):
        # Made outside: what makes the picture is no call of the network.
        like = next(own.parameters(), torch.zeros(()))
        picture = torch.zeros(FRAMES, 3, side, side, device=like.device)
        watch.traits[picture] = _Trait(seen=True)
        with torch.inference_mode(), seeing(module, watch):
            module(picture)
    missed = [p for p in others if not any(fnmatchcase(name, p) for name in watch.outputs)]
    if missed:
        raise NetworkError(
            f"--layer {missed[0]}: matches no module that makes a map. Their names: "
            + ", ".join(list(dict(own.named_modules()))[1:9])
            + ", …"
        )
    return watch.layers()


@dataclass
class _Trait:
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
def _own_names(module: nn.Module, others: tuple[str, ...], watch: "_Discovery") -> Iterator[None]:
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


class _Discovery(Calls):
    """Follows every convolution's map to its activation."""

    def __init__(self) -> None:
        super().__init__()
        self.running: list[tuple[str, nn.Module]] = []
        self.outputs: dict[str, _Trait] = {}
        self.traits = WeakTensorKeyDictionary()
        self.chains: list[Chain] = []
        self.named: dict[str, int] = {}
        self.periodic = False

    def trait(self, tensor: Tensor) -> _Trait:
        found = self.traits.get(tensor)
        if found is None:
            found = _Trait(learnt=isinstance(tensor, nn.Parameter))
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
                trait = self.traits.setdefault(made, _Trait())
                trait.depth = max(depth + self._convolves(trait), trait.depth)
                trait.seen, trait.learnt = trait.seen or seen, trait.learnt or learnt
        return result

    def _convolves(self, made: _Trait) -> int:
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
        given = [self.trait(one) if isinstance(one, Tensor) else _Trait() for one in two]
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


def _check_output(name: str, made: _Trait) -> None:
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
