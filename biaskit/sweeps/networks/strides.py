"""Where a network drops places: its poolings, and its strides without a blur before them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from biaskit.sweeps.networks.call_options import altered, pair, window_of

__all__ = ["Strides", "count_strides", "is_blur"]

_MAX = ("max_pool2d", "max_pool2d_with_indices")
_MEAN = ("avg_pool2d",)
_CONVOLUTIONS = ("conv2d",)
_PASSING = ("pad", "contiguous")  # what may stand between a blur and a stride


@dataclass(frozen=True)
class Strides:
    """
    How many layers of a network drop places.

    Parameters
    ----------
    poolings : int
        Pooling layers with a stride; those over the whole map are left out.
    without_blur : int
        Convolutions and poolings with a stride that neither blur by themselves, as a mean over
        as many places as it steps does, nor follow a fixed filter.
    """

    poolings: int
    without_blur: int


def count_strides(module: nn.Module, side: int) -> Strides:
    """
    Count poolings and strides as they are called in one pass.

    The same filter for every channel, nowhere negative, counts as a blur. Adaptive poolings, and
    places dropped by indexing, are not seen.

    Parameters
    ----------
    module : Module
        In evaluation mode.
    side : int
        Of the input in px.

    Examples
    --------
    >>> count_strides(nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.MaxPool2d(2)), 32)
    Strides(poolings=1, without_blur=2)
    """
    watch = _Watch()
    with torch.inference_mode(), watch:
        module(torch.zeros(1, 3, side, side))
    return Strides(watch.poolings, watch.without_blur)


class _Watch(TorchFunctionMode):
    """Counts while a network runs."""

    def __init__(self) -> None:
        super().__init__()
        self.blurred: list[Tensor] = []  # kept alive, so that no other tensor gets their id
        self.poolings = self.without_blur = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        name = getattr(func, "__name__", "")
        if name in (*_MAX, *_MEAN):
            self._pooling(result, name, args, kwargs)
        elif name in _CONVOLUTIONS:
            self._convolution(result, name, args, kwargs)
        elif name in _PASSING and args and self._is_blurred(args[0]):
            self.blurred.append(result)
        return result

    def _pooling(self, result: Any, name: str, args: Any, kwargs: Any) -> None:
        places = result[0] if isinstance(result, tuple) else result
        window = window_of(name, args, kwargs)
        if window is None or max(pair(window.stride)) == 1 or max(places.shape[-2:]) == 1:
            return
        self.poolings += 1
        sides = zip(pair(window.kernel), pair(window.stride), strict=True)
        covers = name in _MEAN and all(k >= s for k, s in sides)
        given = altered(name, args, kwargs)["input"]
        self.without_blur += not (covers or self._is_blurred(given))

    def _convolution(self, result: Tensor, name: str, args: Any, kwargs: Any) -> None:
        options, window = altered(name, args, kwargs), window_of(name, args, kwargs)
        given = options["input"]
        if is_blur(options["weight"], channels=given.shape[-3]):
            self.blurred.append(result)
        elif window is not None and max(pair(window.stride)) > 1:
            self.without_blur += not self._is_blurred(given)

    def _is_blurred(self, tensor: Any) -> bool:
        return any(tensor is known for known in self.blurred)


def is_blur(weight: Tensor, *, channels: int) -> bool:
    """
    Tell a blur: the same filter for every channel alone, nowhere negative, wider than a place.

    Whether it is trained cannot be asked, for a network that is used has nothing to train; but
    no training makes the filters of all channels equal.

    Examples
    --------
    >>> is_blur(torch.ones(8, 1, 3, 3), channels=8), is_blur(torch.rand(8, 1, 3, 3), channels=8)
    (True, False)
    """
    alone = channels > 1 and tuple(weight.shape[:2]) == (channels, 1) and weight[0].numel() > 1
    return alone and bool((weight >= 0).all()) and bool((weight == weight[:1]).all())
