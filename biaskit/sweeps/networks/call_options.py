"""What a call of a convolution or pooling was told: kernel, stride and padding, however given."""

from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["Window", "altered", "pads_round", "pair", "window_of"]

_CONVOLUTION = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
_MAX = ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
_MEAN = (
    "input", "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad",
    "divisor_override",
)  # fmt: skip
_SIGNATURES: Mapping[str, tuple[str, ...]] = {
    "conv2d": _CONVOLUTION,
    "max_pool2d": _MAX,
    "max_pool2d_with_indices": _MAX,
    "avg_pool2d": _MEAN,
}


class Window(NamedTuple):
    """
    How a layer moves over the map it is given.

    Attributes
    ----------
    kernel, stride, padding, dilation : int or tuple, or str for padding
        As the call has them.
    ceil : bool
        Whether the last, partly filled place counts.
    """

    kernel: Any
    stride: Any
    padding: Any
    dilation: Any
    ceil: bool


def pair(value: Any) -> tuple[int, int]:
    """
    Return a number for each direction.

    Examples
    --------
    >>> pair(2), pair((3,)), pair([1, 2])
    ((2, 2), (3, 3), (1, 2))
    """
    if isinstance(value, int):
        return value, value
    numbers = [int(n) for n in value]
    return numbers[0], numbers[-1]


def window_of(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Window | None:
    """
    Return how a convolution or pooling moves over its map; None for every other call.

    Adaptive poolings are left out: how they move depends on the map.

    Examples
    --------
    >>> window_of("max_pool2d", (None, 3), {"padding": 1})
    Window(kernel=3, stride=3, padding=1, dilation=1, ceil=False)
    """
    if name not in _SIGNATURES:
        return None
    given = {**dict(zip(_SIGNATURES[name], args, strict=False)), **kwargs}
    kernel = tuple(given["weight"].shape[2:]) if name == "conv2d" else given["kernel_size"]
    stride = given.get("stride", 1 if name == "conv2d" else None)
    if stride is None or stride == []:
        stride = kernel
    return Window(
        kernel,
        stride,
        given.get("padding", 0),
        given.get("dilation", 1),
        bool(given.get("ceil_mode", False)),
    )


def altered(
    name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], **changes: Any
) -> dict[str, Any]:
    """
    Return all options of a call by name, some of them changed; the first one is ``input``.

    Examples
    --------
    >>> altered("max_pool2d", (None, 3, 2), {}, stride=1)
    {'input': None, 'kernel_size': 3, 'stride': 1}
    """
    return {**dict(zip(_SIGNATURES[name], args, strict=False)), **kwargs, **changes}


def pads_round(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """
    Tell whether a call pads a map by what is at its other end, as circular convolutions do.

    Examples
    --------
    >>> pads_round("pad", (None, (1, 1), "circular"), {}), pads_round("pad", (None, (1, 1)), {})
    (True, False)
    """
    return name == "pad" and any(
        isinstance(value, str) and value == "circular" for value in (*args, *kwargs.values())
    )
