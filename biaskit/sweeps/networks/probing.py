"""The subsampling factor of a network, measured: what each unit of its last map can see."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

__all__ = ["Probed", "probe"]

# Sides in px of the strips that are tried in turn: no wider than a network needs, for time.
_HEIGHTS = (32, 64, 107)
_LENGTHS = (512, 1024, 2048, 4096, 8192)
# fmt: off
_IDENTITIES = frozenset((
    "relu", "relu_", "relu6", "hardtanh", "hardtanh_", "hardswish", "silu", "gelu", "leaky_relu",
    "leaky_relu_", "elu", "elu_", "selu", "celu", "mish", "prelu", "softplus", "tanh", "dropout",
    "batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm", "local_response_norm",
))
# fmt: on
# Products of two maps, by which attention lets every place see every other, and what makes one
# number of a whole map.
_PRODUCTS = frozenset(
    ("matmul", "__matmul__", "bmm", "baddbmm", "einsum", "scaled_dot_product_attention")
)
_SUMMARIES = frozenset(
    ("mean", "sum", "amax", "norm", "adaptive_avg_pool2d", "adaptive_max_pool2d")
)
_LEAST = 1e-4  # weight, far above the rounding of a convolution in float32
_INPUT = 1e-3  # any value does: nothing depends on it once all is linear
_UNITS = 3  # neighbours that are compared: two shifts, which must agree


@dataclass(frozen=True)
class Probed:
    """
    What the units of a network's last map see of the input.

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

    Every filter is replaced by a mean, normalisation and nonlinearity by the identity and the
    greatest value of a pool by its mean, so that no path from input to output is lost. The
    gradient of a unit of the last map that still has places is then not zero exactly where the
    unit sees the input, and the shift of that region from one unit to the next, away from the
    borders, is the factor. On its way back the gradient is set to 1 wherever it is not 0, or
    it would vanish at the far ends of deep networks. What a network multiplies with a mean
    over the whole map, as squeeze-and-excitation does, is held fixed.

    Parameters
    ----------
    module : Module
        In evaluation mode. It is not changed, and its weights do not matter.
    side : int
        Of its input in px.

    Returns
    -------
    Probed
        Both NaN if every unit sees the whole input, if the network takes inputs of its own size
        only, or if neighbours do not move by the same.

    Examples
    --------
    >>> step = nn.Conv2d(3, 3, 3, stride=2)
    >>> probe(nn.Sequential(step, nn.ReLU(), nn.Conv2d(3, 2, 3, stride=2)), 32)
    Probed(factor=4.0, field=7.0)
    """
    last = _last_map(module, side)
    if last is None:
        return _NONE
    copy = _mean_filters(module)
    height = next((h for h in (*_HEIGHTS, side) if _map(module, copy, last, h, h) is not None), 0)
    for length in _LENGTHS if height else ():
        strip = _map(module, copy, last, height, length)
        if strip is None:
            return _NONE
        found = _compared(*strip)
        if found is not None:
            return found
    return _NONE


def _last_map(module: nn.Module, side: int) -> tuple[str, int] | None:
    """Return name and number of the call that makes the last square map; None if none is left."""
    calls: dict[str, int] = {}
    last: tuple[str, int] | None = None

    def watch(name: str, layer: nn.Module) -> Callable[..., None]:
        def hook(_layer: nn.Module, _given: Any, made: Any) -> None:
            nonlocal last
            calls[name] = calls.get(name, -1) + 1
            if not isinstance(made, Tensor):
                return
            if made.ndim == 3 and made.shape[1] > 1:
                last = None  # the map became a row of tokens, which attention mixes at will
            elif made.ndim == 4 and made.shape[2] == made.shape[3] > 1 and not _adaptive(layer):
                last = name, calls[name]

        return hook

    handles = [m.register_forward_hook(watch(n, m)) for n, m in module.named_modules() if n]
    try:
        with torch.inference_mode():
            module(torch.zeros(1, 3, side, side))
    finally:
        for handle in handles:
            handle.remove()
    return last


def _adaptive(layer: nn.Module) -> bool:
    return "Adaptive" in type(layer).__name__


class _Mixed(ValueError):  # noqa: N818 (as _Reached)
    """A network multiplies two maps, so that its units see the whole input."""


class _Reached(Exception):  # noqa: N818 (it is no error: the last map is made, the rest needless)
    def __init__(self, made: Tensor) -> None:
        super().__init__()
        self.made = made


def _map(
    module: nn.Module, copy: dict[str, Tensor], last: tuple[str, int], height: int, length: int
) -> tuple[Tensor, Tensor] | None:
    """Return a strip and the last map made of it; None if the network does not take it."""
    name, number = last
    calls = -1

    def stop(_layer: nn.Module, _given: Any, made: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == number:
            raise _Reached(made)

    handle = module.get_submodule(name).register_forward_hook(stop)
    picture = torch.full((1, 3, height, length), _INPUT, requires_grad=True)
    try:
        with torch.enable_grad(), _Linear():
            torch.func.functional_call(module, copy, (picture,))
    except _Reached as reached:
        return (picture, reached.made) if min(reached.made.shape[-2:]) > 0 else None
    except (RuntimeError, ValueError, TypeError, AssertionError, LookupError):
        return None  # a network for one size of input refuses in its own way
    finally:
        handle.remove()
    return None


def _compared(picture: Tensor, made: Tensor) -> Probed | None:
    """Compare what neighbouring units see; None if that reaches an end of the strip."""
    first = made.shape[3] // 2 - _UNITS // 2
    if made.shape[3] < _UNITS or made.grad_fn is None:
        return None
    seen = []
    for column in range(first, first + _UNITS):
        start, end = _region(picture, made[0, :, made.shape[2] // 2, column].sum())
        if start < 0:
            return _NONE
        if start == 0 or end == picture.shape[3] - 1:
            return None
        seen.append((start, end))
    steps = {later - sooner for side in zip(*seen, strict=True) for sooner, later in pairwise(side)}
    step, (start, end) = steps.pop(), seen[0]
    return Probed(float(step), float(end - start + 1)) if not steps and step > 0 else _NONE


def _region(picture: Tensor, unit: Tensor) -> tuple[int, int]:
    """Return the first and last column that a unit sees; -1 if it sees nothing."""
    (gradient,) = torch.autograd.grad(unit, picture, retain_graph=True)
    seen = torch.nonzero(_ones(gradient).sum((0, 1, 2)))
    return (int(seen[0]), int(seen[-1])) if len(seen) else (-1, -1)


def _ones(gradient: Tensor) -> Tensor:
    return (gradient.abs() > _LEAST / 10).to(gradient.dtype)


def _mean_filters(module: nn.Module) -> dict[str, Tensor]:
    """Return weights under which every layer is a mean, without taking memory for them."""
    filters: dict[str, Tensor] = {}
    for name, parameter in module.named_parameters():
        fan_in = math.prod(parameter.shape[1:])
        value = 0.0 if name.endswith("bias") else max(_LEAST, 1 / fan_in)
        filters[name] = torch.tensor(value).expand(parameter.shape)
    return filters


class _Linear(TorchFunctionMode):
    """Makes whatever a network calls linear, and keeps means over the whole map fixed."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name in _IDENTITIES:
            return args[0]
        if name in _PRODUCTS and all(_depends(value) for value in args[:2]):
            raise _Mixed
        if name == "max_pool2d":
            func = _mean_pool
        elif name == "conv2d" and len(args) > 1:
            args = (args[0], _seeing(args[1]), *args[2:])
        result = func(*args, **kwargs)
        if name in ("conv2d", "max_pool2d", "avg_pool2d") and result.requires_grad:
            result.register_hook(_ones)
            result.data.fill_(_INPUT)  # else zeros beyond the borders make values denormal, slow
        if name in _SUMMARIES and _is_global(args[0], result):
            return result.detach()
        return result


def _seeing(weight: Tensor) -> Tensor:
    """Return a filter without zeros, which standardising a mean would leave."""
    return weight if bool((weight > 0).all()) else torch.full_like(weight, _LEAST)


def _mean_pool(
    picture: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,  # noqa: ARG001 (max_pool2d's own signature; a mean has none)
    ceil_mode: bool = False,
    return_indices: bool = False,  # noqa: ARG001
) -> Tensor:
    return functional.avg_pool2d(picture, kernel_size, stride, padding, ceil_mode=ceil_mode)


def _is_global(given: Any, made: Any) -> bool:
    """Tell one number per channel of a map, whether its channels stand second or last."""
    if not (isinstance(given, Tensor) and given.ndim == 4 and isinstance(made, Tensor)):
        return False
    places = (made.shape[2:], made.shape[1:3]) if made.ndim == 4 else ()
    return made.ndim == 2 or any(max(sides) == 1 for sides in places)


def _depends(value: Any) -> bool:
    return isinstance(value, Tensor) and value.requires_grad
