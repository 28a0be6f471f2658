"""A network made linear while it runs, so that gradients tell what its units see of the input."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from biaskit.sweeps.networks.call_options import Window, altered, pair, window_of

__all__ = ["INPUT", "Linear", "Unfollowed", "seen"]

INPUT = 1e-3  # of every place; any value does, for nothing depends on it once all is linear
_LEAST = 1e-5  # far above the rounding of a sum of whole numbers in float32
# fmt: off
_IDENTITIES = frozenset((
    "relu", "relu_", "relu6", "hardtanh", "hardtanh_", "hardswish", "silu", "gelu", "leaky_relu",
    "leaky_relu_", "elu", "elu_", "selu", "selu_", "celu", "mish", "prelu", "softplus", "tanh",
    "dropout", "batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm",
    "local_response_norm",
))
# Products of two maps, by which attention lets every place see every other, and what makes one
# number of a whole map.
_PRODUCTS = frozenset((
    "matmul", "__matmul__", "bmm", "baddbmm", "einsum", "scaled_dot_product_attention",
    "multi_head_attention_forward",
))
_SUMMARIES = frozenset(("mean", "sum", "amax", "norm"))
_POOLS = frozenset(("avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d"))
# What takes channels apart, so that one cannot stand for all.
_BY_CHANNEL = frozenset((
    "chunk", "split", "split_with_sizes", "tensor_split", "unbind", "narrow", "select",
    "index_select", "gather", "view", "view_as", "reshape", "reshape_as", "unflatten", "unfold",
    "pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "roll",
))
# fmt: on


class Unfollowed(ValueError):  # noqa: N818 (it says what the network does, which is no fault)
    """What a network does now cannot be followed, or lets its units see the whole input."""


class Linear(TorchFunctionMode):
    """
    Makes whatever a network calls linear, and loses no path from input to output.

    A convolution becomes a sum over its window and its channels, and so does a pool over its
    window; normalisation and nonlinearity become the identity. Means over a whole map, as in
    squeeze-and-excitation, are held fixed. On its way back a gradient is set to 1 at each of
    these layers wherever it is not 0, or it would vanish at the far ends of deep networks.

    Parameters
    ----------
    collapsed : bool
        Let one channel stand for all behind a convolution: all see the same. That is many times
        faster, and refused where a network takes channels apart.

    Examples
    --------
    A convolution of five channels, collapsed to one:

    >>> import torch
    >>> picture = torch.zeros(1, 3, 1, 9, requires_grad=True)
    >>> with Linear(collapsed=True):
    ...     made = functional.conv2d(picture, torch.zeros(5, 3, 1, 3)).relu()
    >>> made.shape
    torch.Size([1, 1, 1, 7])
    >>> made[0, 0, 0, 2].backward()
    >>> picture.grad[0, 0, 0].tolist()
    [0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    """

    def __init__(self, *, collapsed: bool) -> None:
        super().__init__()
        self.collapsed = collapsed
        self._has_collapsed = False

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Make a call; torch's own hook."""
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        given = [*args, *kwargs.values()]
        if name in _IDENTITIES:
            return given[0]
        if name in _PRODUCTS:
            _refuse_products(given)
        if self._has_collapsed and _depends(given[:1]):
            self._refuse_channels(name, given)
        window = window_of(name, args, kwargs)
        if name == "conv2d" and window is not None:
            return self._convolved(altered(name, args, kwargs), window)
        if name == "linear":
            return self._mixed(*given[:2])
        result = func(*args, **kwargs)
        if given and self._is_global(name, given[0], result):
            return result.detach()
        if window is not None:
            return _pooled(given[0], window, result)
        return result

    def _refuse_channels(self, name: str, given: list[Any]) -> None:
        if name in _BY_CHANNEL or (name == "__getitem__" and _takes_channels(given[1])):
            raise Unfollowed(f"{name} takes channels apart")

    def _convolved(self, options: Mapping[str, Any], window: Window) -> Tensor:
        maps, groups = options["input"], 1 if self.collapsed else options.get("groups", 1)
        made = _summed(maps.unflatten(1, (groups, -1)).sum(2), window)
        self._has_collapsed |= self.collapsed
        copies = 1 if self.collapsed else options["weight"].shape[0] // groups
        return made.repeat_interleave(copies, 1)

    def _mixed(self, maps: Tensor, weight: Tensor) -> Tensor:
        made = _watched(maps.sum(-1, keepdim=True))
        self._has_collapsed |= self.collapsed
        return made.repeat_interleave(1 if self.collapsed else weight.shape[0], -1)

    def _is_global(self, name: str, given: Any, made: Any) -> bool:
        """Tell one number per channel of a map, whether its channels stand second or last."""
        if name not in _SUMMARIES | _POOLS or not _are_maps(given) or not isinstance(made, Tensor):
            return False
        if made.ndim != 4 or max(made.shape[2:]) == 1:
            return made.ndim in (2, 4)
        # Not of one row, whose channels stand second: where they stand last, a row is longer.
        if name in _POOLS or max(made.shape[1:3]) > 1 or given.shape[2] == 1:
            return False
        if self._has_collapsed:
            raise Unfollowed("one channel, or one row: the shape does not tell")
        return True


def seen(gradient: Tensor) -> Tensor:
    """
    Return 1 where a gradient is not 0.

    Examples
    --------
    >>> from torch import tensor
    >>> seen(tensor([0.0, 0.25, 9.0]))
    tensor([0., 1., 1.])
    """
    return (gradient.abs() > _LEAST).to(gradient.dtype)


def _summed(maps: Tensor, window: Window) -> Tensor:
    """
    Sum over a window in each channel by itself.

    From its first to its last place, whether they are next to each other or not: the ends of what
    is seen are the same, and what is cut off at an end of the strip cannot fall into a gap.
    """
    for axis in (0, 1):
        reach = pair(window.dilation)[axis] * (pair(window.kernel)[axis] - 1)
        if window.padding == "same":
            padding = reach // 2, reach - reach // 2
        else:
            padding = (0 if window.padding == "valid" else pair(window.padding)[axis],) * 2
        maps = _summed_along(maps, axis, reach + 1, pair(window.stride)[axis], padding)
    return _watched(maps)


def _summed_along(
    maps: Tensor, axis: int, side: int, stride: int, padding: tuple[int, int]
) -> Tensor:
    """Sum over stretches of rows or columns; many times faster than to convolve one channel."""
    if any(padding):
        maps = functional.pad(maps, (0, 0, *padding) if axis == 0 else padding)
    if side == stride == 1:
        return maps
    sides, strides = ((side, 1), (stride, 1)) if axis == 0 else ((1, side), (1, stride))
    return functional.avg_pool2d(maps, sides, strides, divisor_override=1)


def _pooled(maps: Tensor, window: Window, result: Any) -> Any:
    """Sum over the window of a pool, at as many places as it gives."""
    if not isinstance(result, Tensor):  # values and their places
        return _pooled(maps, window, result[0]), *result[1:]
    if window.ceil:  # a last place may be partly filled
        tall, wide = (stride - 1 for stride in pair(window.stride))
        maps = functional.pad(maps, (0, wide, 0, tall))
    return _summed(maps, window)[..., : result.shape[2], : result.shape[3]]


def _watched(made: Tensor) -> Tensor:
    if made.requires_grad:
        made.register_hook(seen)
    # Else values grow from layer to layer, or are denormal beyond the borders, which is slow.
    made.data.fill_(INPUT)
    return made


def _refuse_products(given: list[Any]) -> None:
    """Refuse what lets every place see every other: products of maps, matrices over places."""
    dependent = [_depends(value) for value in given if not isinstance(value, str)]
    if sum(dependent) > 1 or (dependent[1:2] == [True]):
        raise Unfollowed("places are mixed")


def _takes_channels(index: Any) -> bool:
    """Tell whether an index takes some channels of a map of shape (n, channels, ...)."""
    whole = slice(None)
    parts = index if isinstance(index, tuple) else (index,)
    return len(parts) > 1 and not (isinstance(parts[1], slice) and parts[1] == whole)


def _are_maps(value: Any) -> bool:
    return isinstance(value, Tensor) and value.ndim == 4


def _depends(value: Any) -> bool:
    return any(tensor.requires_grad for tensor in _tensors(value))


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from _tensors(inner)
