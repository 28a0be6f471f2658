"""A layer's map on its way to its activation, and which calls lead it there."""

from collections.abc import Mapping
from typing import Any

__all__ = ["Chain", "is_arithmetic", "step_of"]

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
_ARITHMETIC: Mapping[str, str] = {
    name: kind for kind, names in {
        "add": ("add", "radd", "iadd"),
        "times": (
            "sub", "rsub", "isub", "subtract", "mul", "rmul", "imul", "multiply", "div", "divide",
            "truediv", "itruediv", "true_divide",
        ),
        "bound": ("maximum", "minimum", "max", "min", "fmax", "fmin"),
    }.items() for name in names
}
# fmt: on


def is_arithmetic(name: str) -> bool:
    """
    Tell whether a call combines two operands place by place.

    Examples
    --------
    >>> is_arithmetic("__iadd__"), is_arithmetic("batch_norm")
    (True, False)
    """
    return name.strip("_") in _ARITHMETIC


def step_of(name: str, seen: tuple[bool, ...]) -> str:
    """
    Return what a call does with a map on its way to its activation.

    Parameters
    ----------
    name : str
        Of the function.
    seen : tuple of bool
        Which of its first two operands depend on the picture. A sum with, or a multiple by, what
        does not is part of a normalisation; a bound by it is an activation.

    Returns
    -------
    {"activation", "addition", "passing", ""}
        Empty where the map goes elsewhere.

    Examples
    --------
    >>> step_of("__add__", (True, True)), step_of("__add__", (True, False))
    ('addition', 'passing')
    >>> step_of("maximum", (True, False)), step_of("mul", (True, True))
    ('activation', '')
    """
    if name in _ACTIVATIONS:
        return "activation"
    if name in _PASSING:
        return "passing"
    name = name.strip("_")
    kind = _ARITHMETIC.get(name)
    if kind is None or len(seen) < 2:
        return ""
    if all(seen):
        return "addition" if kind == "add" else ""
    if "div" in name and seen[1]:
        return ""  # a constant over a map
    return "activation" if kind == "bound" else "passing"


class Chain:
    """
    The calls a layer's map goes through until it is read.

    Parameters
    ----------
    name, kind : str
    call : int
        Number of the layer's own call.
    depth : int
    stride : (int, int)
    shape : tuple of int
        Frames, channels, height and width; where it is read, as far as that is known.

    Examples
    --------
    A convolution, its normalisation, an addition, its activation:

    >>> chain = Chain("conv", "convolution", 4, 1, (2, 2), (1, 8, 5, 5))
    >>> chain.passed(5)
    >>> chain.passed(6, added=True)
    >>> chain.passed(7, activated=True)
    >>> chain.read, chain.blur, chain.reading
    (7, 5, 'activation')
    """

    def __init__(
        self,
        name: str,
        kind: str,
        call: int,
        depth: int,
        stride: tuple[int, int],
        shape: tuple[int, ...],
    ) -> None:
        self.name, self.kind, self.call, self.depth = name, kind, call, depth
        self.stride, self.shape = stride, shape
        # All frames are one map, for each has filters of its own; they are taken apart again.
        self.joined = shape[0] == 1
        self.open = kind == "convolution"
        self.reading = "linear" if self.open else "pool"
        self.read = call
        self._path = [call]  # the states of the map before anything is added to it
        self._added = False
        self._users: dict[int, set[int]] = {}

    def used(self, state: int, number: int) -> None:
        """Note that a call takes the map as it was after the call ``state``."""
        self._users.setdefault(state, set()).add(number)

    def gated(self, state: int, gate: int) -> None:
        """Note that what a call made of the map only leads back to it, as in ``x * sigmoid(x)``."""
        self._users.get(state, set()).discard(gate)

    def passed(self, number: int, *, added: bool = False, activated: bool = False) -> None:
        """Note that the map goes on as the result of this call."""
        if not self.open:
            return
        self._added |= added
        if not self._added:
            self._path.append(number)
        if activated or not self._added:
            self.read = number
        if activated:
            self.reading, self.open = "activation", False

    @property
    def blur(self) -> int:
        """The last state that all which follows takes: places may be dropped there instead."""
        shared = (state for state in self._path if len(self._users.get(state, ())) > 1)
        return next(shared, self._path[-1])

    def layer(self) -> tuple[Any, ...]:
        """Return the fields of a `biaskit.sweeps.networks.calls.Layer`, but the last."""
        return (
            self.name,
            self.kind,
            self.reading,
            self.call,
            self.read,
            self.blur,
            self.stride,
            self.depth,
            *self.shape[1:],
        )
