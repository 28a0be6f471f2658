"""
Networks with a blur before every loss of places, their weights kept as they are.

Zhang [1]_ puts a low-pass filter between a layer evaluated at every place and the dropping of
places, after the layer's activation, and trains the network again. Here nothing is trained again:
accuracy is expected to fall, the more so the longer the filter, and a variant's jaggedness means
nothing without its accuracy beside it.

References
----------
.. [1] R. Zhang, "Making Convolutional Networks Shift-Invariant Again", ICML 2019.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from biaskit.errors import NetworkError
from biaskit.sweeps.antialiasing.blurs import Blur, call_named, dense
from biaskit.sweeps.networks.call_options import Window, altered, pads_round, pair, window_of
from biaskit.sweeps.networks.calls import Altered, Calls, seeing
from biaskit.sweeps.networks.layers import Layer, find_layers
from biaskit.sweeps.networks.variants import Variant, parse_variant

__all__ = ["antialiased"]

Pair = tuple[int, int]
_SAME = 1e-4  # of the greatest logit; kernels of other sizes round otherwise, by 1e-6 or so
# From the call of a layer to the call after which it is blurred; one less: before the layer itself.
Places = Mapping[int, int]


def antialiased(
    module: nn.Module, variant: str, side: int, *, name: str = "the network"
) -> nn.Module:
    """
    Blur a network's maps before places are dropped.

    Each layer with a stride is run at every place; after its activation, where one follows and
    nothing else takes the map before, else right before what follows, the map is filtered and
    places are dropped, so that what is behind sees maps of the size it was trained for. A max pool
    becomes a dense max and a blurred dropping of places. Left as they are: means over at least as
    many places as they step over, and fixed filters, such as the blur pools of timm: these blur
    already. Along axes of stride 1 nothing is changed. Filters are mirrored at the borders;
    periodic, if the network pads its maps circularly.

    Parameters
    ----------
    module : Module
        In evaluation mode, float32, on the CPU. Its weights are shared, not copied.
    variant : str
        See ``parse_variant``; ``plain`` gives the module itself.
    side : int
        Of its input in px; inputs of other sizes may be given later.
    name : str
        For messages.

    Returns
    -------
    Module
        An `Altered` network: its entries are those of the module, with ``module.`` before.

    Raises
    ------
    NetworkError
        If there is no such variant; if the network has nothing to blur, so that the variant would
        be plain; or if it would answer otherwise even with a filter of one tap.

    Notes
    -----
    With a filter of one tap the answer must be the original's; this is asked before any other
    filter is put in. If a map is used in a way that was not seen, that layer is blurred right
    behind itself, before its activation. A convolution of one place without an activation, as in
    a shortcut, is blurred before itself: the same, for both are linear, and far cheaper.

    Examples
    --------
    >>> net = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.ReLU(), nn.Flatten()).eval()
    >>> picture = torch.rand(1, 3, 8, 8)
    >>> one, three = antialiased(net, "blur-1", 8), antialiased(net, "blur-3", 8)
    >>> torch.allclose(one(picture), net(picture), atol=1e-6)
    True
    >>> torch.allclose(three(picture), net(picture), atol=1e-6)
    False
    """
    wanted = parse_variant(variant)
    if wanted is None:
        return module
    survey = _Survey()
    picture = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode(), seeing(module, survey):
        answer = module(picture)
    layers = [layer for layer in find_layers(module, side) if survey.wants(layer, wanted)]
    if not layers:
        raise NetworkError(
            f"{name}: has no stride to blur under variant '{variant}', which would be plain."
        )
    periodic = survey.periodic

    def same(places: Places) -> bool:
        found = _altered(module, layers, places, Blur(1, periodic=periodic))
        return _agrees(found, picture, answer)

    places = {layer.call: survey.place(layer) for layer in layers}
    if not same(places):
        places = {call: place if same({call: place}) else call for call, place in places.items()}
        if not same(places):
            raise NetworkError(
                f"{name}: cannot be run as variant '{variant}': where its layers are run at every "
                "place and as many are dropped behind them, it answers otherwise."
            )
    return _altered(module, layers, places, Blur(wanted.taps, periodic=periodic))


def _altered(module: nn.Module, layers: Sequence[Layer], places: Places, blur: Blur) -> Altered:
    strides = {layer.call: layer.stride for layer in layers}
    return Altered(module, _Blurred(strides, places, blur))


def _agrees(found: nn.Module, picture: Tensor, answer: Tensor) -> bool:
    try:
        with torch.inference_mode():
            again = found(picture)
    except RuntimeError:  # shapes that do not fit
        return False
    return again.shape == answer.shape and bool(
        (again - answer).abs().max() <= _SAME * answer.abs().max()
    )


class _Blurred(Calls):
    """Makes some calls at every place, and blurs and drops places where it is told."""

    def __init__(self, strides: Mapping[int, Pair], places: Places, blur: Blur) -> None:
        super().__init__()
        self.blur = blur
        self.dense = {call for call, place in places.items() if place >= call}
        self.before = {call: strides[call] for call in places if call not in self.dense}
        self.after = {places[call]: strides[call] for call in self.dense}
        self.changed = frozenset(places)

    def make(
        self,
        number: int,
        name: str,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        # What makes no map, such as the standardising of a weight, comes by the next one's number.
        if window_of(name, args, kwargs) is not None:
            if number in self.dense:
                return dense(name, func, args, kwargs, periodic=self.blur.periodic)
            if number in self.before:
                options = altered(name, args, kwargs, stride=1)
                options["input"] = self.blur(options["input"], self.before[number])
                return call_named(func, options)
        return func(*args, **kwargs)

    def called(
        self,
        number: int,
        name: str,  # noqa: ARG002
        args: tuple[Any, ...],  # noqa: ARG002
        kwargs: Mapping[str, Any],  # noqa: ARG002
        result: Tensor,
    ) -> Tensor:
        return self.blur(result, self.after[number]) if number in self.after else result


class _Survey(Calls):
    """Notes of every layer how it moves, and whether places were dropped before it."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.windows: dict[int, Window] = {}
        self.full_size: set[int] = set()
        self.periodic = False

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Pass on, from what a call is given to what it makes, that places were dropped."""
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        coarse = any(getattr(tensor, "_coarse", False) for tensor in _tensors((args, kwargs)))
        result = super().__torch_function__(func, types, args, kwargs)
        window = window_of(name, args, kwargs)
        if self.number == len(self.names):
            self.names.append(name)
            if window is not None:
                self.windows[self.number] = window
                if not coarse:
                    self.full_size.add(self.number)
        coarse |= window is not None and max(pair(window.stride)) > 1
        self.periodic |= pads_round(name, args, kwargs)
        for made in _tensors(result):
            made._coarse = coarse  # type: ignore[attr-defined]
        return result

    def wants(self, layer: Layer, wanted: Variant) -> bool:
        """Tell whether a variant blurs a layer."""
        if max(layer.stride) == 1 or layer.kind == "other":
            return False
        name, window = self.names[layer.call], self.windows[layer.call]
        if name == "avg_pool2d":
            sides = [*zip(pair(window.kernel), layer.stride, strict=True)]
            # A mean whose last place is partly filled divides by less: no stride 1 gives that.
            if all(k >= s for k, s in sides) or (window.ceil and max(pair(window.kernel)) > 1):
                return False
        if layer.kind == "pool":
            return name != "conv2d"  # a fixed filter is a blur, or means to be one
        return wanted.layers == "all" or (
            wanted.layers == "inner" and layer.call not in self.full_size
        )

    def place(self, layer: Layer) -> int:
        """Return the call after which a layer is blurred, if that turns out to be the same."""
        window = self.windows[layer.call]
        between = self.names[layer.call + 1 : layer.blur + 1]
        bare = isinstance(window.padding, str) or pair(window.padding) == (0, 0)
        single = layer.kind == "convolution" and bare and pair(window.kernel) == (1, 1)
        return layer.call - 1 if single and {*between} <= {"batch_norm"} else layer.blur


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from _tensors(inner)
    elif isinstance(value, dict):
        yield from _tensors([*value.values()])
