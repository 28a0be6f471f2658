"""Which axes of an array with four of them are which: as convolutions make it, or otherwise."""

from typing import Any

from torch import Tensor

__all__ = ["LAST", "MAP", "PRODUCT", "UNKNOWN", "axes_of"]

MAP, LAST, PRODUCT, UNKNOWN = "map", "last", "product", ""

_MAPS = frozenset((
    "conv2d", "conv_transpose2d", "max_pool2d", "max_pool2d_with_indices", "avg_pool2d",
    "adaptive_avg_pool2d", "adaptive_max_pool2d", "lp_pool2d", "batch_norm", "instance_norm",
    "group_norm", "interpolate", "upsample", "pixel_shuffle", "pixel_unshuffle",
))  # fmt: skip
_PRODUCTS = frozenset(("matmul", "__matmul__", "bmm", "einsum", "scaled_dot_product_attention"))
_TURNS = frozenset(("transpose", "transpose_", "swapaxes", "swapdims", "movedim", "moveaxis"))
_SHAPES = frozenset(("view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze"))


def axes_of(
    name: str, args: tuple[Any, ...], given: list[tuple[Tensor, str]], result: Tensor
) -> str:
    """
    Return what the axes of a call's result are.

    Parameters
    ----------
    name : str
        Of the function.
    args : tuple
    given : list of (Tensor, str)
        The arrays it takes that depend on the picture, and their own axes.
    result : Tensor
        Of four axes.

    Returns
    -------
    {"map", "last", "product", ""}
        Frames, channels, height and width; frames, height, width and channels; a product of two
        arrays that depend on the picture, such as attention; what cannot be told.

    Examples
    --------
    >>> import torch
    >>> maps = torch.zeros(2, 8, 5, 5)
    >>> turned = maps.permute(0, 2, 3, 1)
    >>> axes_of("permute", (maps, 0, 2, 3, 1), [(maps, "map")], turned)
    'last'
    """
    first, known = next(
        ((tensor, axes) for tensor, axes in given if tensor.ndim == 4 and axes), (None, UNKNOWN)
    )
    if name in _MAPS:
        return MAP
    if name == "linear" or (name in ("layer_norm", "rms_norm") and _of_one_axis(args)):
        return LAST
    if name in _PRODUCTS and len(given) > 1:
        return PRODUCT
    if first is None:
        return UNKNOWN
    if name == "permute":
        return _turned(known, tuple(n % 4 for n in _numbers(args[1:])))
    if name in _TURNS:
        return known if {n % 4 for n in _numbers(args[1:])} == {2, 3} else UNKNOWN
    if name in _SHAPES and result.shape != first.shape:
        same = result.shape[2:] == first.shape[2:] if known == MAP else False
        return known if same else UNKNOWN
    return known


def _of_one_axis(args: tuple[Any, ...]) -> bool:
    return len(args) > 1 and isinstance(args[1], tuple | list) and len(args[1]) == 1


def _turned(known: str, order: tuple[int, ...]) -> str:
    if order == (0, 2, 3, 1):
        return LAST if known == MAP else UNKNOWN
    if order == (0, 3, 1, 2):
        return MAP if known == LAST else UNKNOWN
    return known if order[:2] == (0, 1) or (known == MAP and order == (1, 0, 2, 3)) else UNKNOWN


def _numbers(args: tuple[Any, ...]) -> list[int]:
    if args and isinstance(args[0], tuple | list):
        args = tuple(args[0])
    return [n for n in args if isinstance(n, int)]
