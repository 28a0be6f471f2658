"""
The calls by which a network makes its maps, numbered, and which of them are its layers.

Modules do not tell all: activations, additions and poolings are often plain functions. So a network
is watched while it runs once. What it calls in evaluation mode is always the same, and a call is
known by its number from then on: whoever reads a layer, or blurs it, does so at that number.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from biaskit.errors import NetworkError
from biaskit.sweeps.networks.call_options import Window, pair, window_of
from biaskit.sweeps.networks.chains import Chain

__all__ = ["Altered", "Calls", "Layer", "find_layers", "seeing", "unaltered"]

# fmt: off
_ACTIVATIONS = frozenset((
    "relu", "relu_", "relu6", "hardtanh", "hardtanh_", "hardswish", "silu", "gelu", "leaky_relu",
    "leaky_relu_", "elu", "elu_", "selu", "selu_", "celu", "mish", "prelu", "softplus", "tanh",
    "clamp", "clamp_", "clamp_min", "clamp_min_",
))
_PASSING = frozenset((
    "batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "dropout",
    "dropout2d", "feature_dropout", "contiguous", "clone", "detach", "to", "float",
))
# fmt: on
_ADDITIONS = frozenset(("add", "add_", "__add__", "__radd__", "__iadd__", "iadd"))


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


class Calls(TorchFunctionMode):
    """
    Numbers the calls whose result is a map, or several, and lets a subclass see each.

    Subclasses override `called`, or `make` too where a call is to be made otherwise.
    """

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
    additions; where two layers meet in an addition, the deeper one goes on. If a map goes
    elsewhere without an activation, it is read as it is, before any addition. Layers whose map
    has one place only are left out.

    Parameters
    ----------
    module : Module
        In evaluation mode; as it is, or altered.
    side : int
        Of the input in px.
    others : tuple of str
        Patterns such as ``layer3.*``; modules that match are layers too, read at their output.

    Returns
    -------
    list of Layer

    Raises
    ------
    NetworkError
        If a pattern matches no module that makes a map.

    Examples
    --------
    >>> net = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.BatchNorm2d(4), nn.ReLU()).eval()
    >>> (layer,) = find_layers(net, 9)
    >>> layer.name, layer.reading, layer.call, layer.read, layer.depth, layer.height
    ('0', 'activation', 0, 2, 1, 4)
    """
    own = unaltered(module)
    with _own_names(own, others) as names:
        watch = _Discovery(names)
        # Made outside: what makes the picture is no call of the network.
        like = next(own.parameters(), torch.zeros(()))
        picture = torch.zeros(1, 3, side, side, device=like.device)
        with torch.inference_mode(), seeing(module, watch):
            module(picture)
    missed = [p for p in others if not any(fnmatchcase(name, p) for name in names.outputs)]
    if missed:
        raise NetworkError(
            f"--layer {missed[0]}: matches no module that makes a map. Their names: "
            + ", ".join(list(dict(own.named_modules()))[1:9])
            + ", …"
        )
    return watch.layers(names.outputs)


class _Names:
    """Which module runs, and what the modules that were asked for have made."""

    def __init__(self) -> None:
        self.running: list[tuple[str, nn.Module]] = []
        self.outputs: dict[str, Tensor] = {}


@contextmanager
def _own_names(module: nn.Module, others: tuple[str, ...]) -> Iterator[_Names]:
    """Keep track of the module that runs, by hooks that are taken off again."""
    names, handles = _Names(), []

    def enter(name: str, layer: nn.Module) -> Callable[..., None]:
        return lambda *_: names.running.append((name, layer))

    def leave(name: str) -> Callable[..., None]:
        wanted = any(fnmatchcase(name, pattern) for pattern in others)

        def hook(_layer: nn.Module, _given: Any, made: Any) -> None:
            names.running.pop()
            if wanted and isinstance(made, Tensor) and made.ndim == 4 and max(made.shape[2:]) > 1:
                names.outputs[name] = made

        return hook

    for name, layer in module.named_modules():
        handles.append(layer.register_forward_pre_hook(enter(name, layer)))
        handles.append(layer.register_forward_hook(leave(name), always_call=True))
    try:
        yield names
    finally:
        for handle in handles:
            handle.remove()


class _Discovery(Calls):
    """Follows every convolution's map to its activation."""

    def __init__(self, names: _Names) -> None:
        super().__init__()
        self.names = names
        self.chains: list[Chain] = []
        self.seen: dict[str, int] = {}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        depth = max((_depth(t) for t in _tensors((args, kwargs or {}))), default=0)
        result = super().__torch_function__(func, types, args, kwargs)
        for made in _tensors(result):
            made._depth = max(  # type: ignore[attr-defined]
                depth + self._convolves(made), _depth(made)
            )
        return result

    def _convolves(self, made: Tensor) -> int:
        chain = self.chains[-1] if self.chains else None
        new = chain is not None and chain.call == self.number and chain.kind == "convolution"
        return int(new and getattr(made, "_call", -1) == self.number)

    def called(
        self,
        number: int,
        name: str,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        result: Tensor,
    ) -> Tensor:
        given = []
        for tensor in _tensors((args, kwargs)):
            chain = getattr(tensor, "_chain", None)
            if chain is not None:
                chain.used(int(getattr(tensor, "_call", -1)), number)
                given.append(chain)
        added, activated = name in _ADDITIONS, name in _ACTIVATIONS
        onward = added or activated or name in _PASSING
        chain = max(given, key=lambda c: (c.depth, c.call), default=None) if onward else None
        if chain is not None:
            chain.passed(number, added=added, activated=activated)
            if chain.read == number:  # a variant drops places only here
                chain.shape = tuple(result.shape[1:])
        window = window_of(name, args, kwargs)
        if window is not None and max(result.shape[2:]) > 1:
            chain = self._begin(number, name, window, (args, kwargs), result)
        result._chain = chain if chain is not None and chain.open else None  # type: ignore[attr-defined]
        result._call = number  # type: ignore[attr-defined]
        return result

    def _begin(self, number: int, name: str, window: Window, given: Any, result: Tensor) -> Chain:
        running, module = self.names.running[-1]
        tensors = [*_tensors(given)]
        weighted = name == "conv2d" and (
            isinstance(module, nn.Conv2d) or isinstance(tensors[1], nn.Parameter)
        )
        leaf = running and not [*module.children()]
        label = running if leaf else f"{running}.{name}".lstrip(".")
        self.seen[label] = self.seen.get(label, 0) + 1
        again = f"#{self.seen[label]}" if self.seen[label] > 1 else ""
        chain = Chain(
            f"{label}{again}",
            "convolution" if weighted else "pool",
            number,
            _depth(tensors[0]) + int(weighted),
            pair(window.stride),
            tuple(result.shape[1:]),
        )
        self.chains.append(chain)
        return chain

    def layers(self, outputs: Mapping[str, Tensor]) -> list[Layer]:
        found = [Layer(*chain.layer()) for chain in self.chains]
        known = {layer.name for layer in found}
        for name, made in outputs.items():
            if name not in known:
                call, shape = int(getattr(made, "_call", -1)), tuple(made.shape[1:])
                if call >= 0:
                    found.append(
                        Layer(
                            name, "other", "output", call, call, call, (1, 1), _depth(made), *shape
                        )
                    )
        return sorted(found, key=lambda layer: layer.call)


def _depth(tensor: Tensor) -> int:
    return int(getattr(tensor, "_depth", 0))


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from _tensors(inner)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _tensors(inner)
