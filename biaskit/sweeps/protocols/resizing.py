"""Photographs at other sizes: every resizing here is antialiased, and done once."""

import numpy as np
from PIL import Image

__all__ = ["centre_crop", "fit_longer", "fit_shorter"]

_METHODS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def _resize(image: np.ndarray, size: tuple[int, int], interpolation: str) -> np.ndarray:
    if interpolation not in _METHODS:
        raise ValueError(f"unknown interpolation {interpolation!r}; known: {', '.join(_METHODS)}")
    if size == image.shape[:2]:
        return image
    turned = size[1], size[0]
    return np.asarray(Image.fromarray(image).resize(turned, _METHODS[interpolation]))


def fit_longer(image: np.ndarray, side: int, interpolation: str) -> np.ndarray:
    """
    Return the image with its longer side of this many px; the shorter one has at least 1.

    Examples
    --------
    >>> fit_longer(np.zeros((30, 60, 3), np.uint8), 20, "bilinear").shape
    (10, 20, 3)
    """
    zoom = side / max(image.shape[:2])
    height, width = (max(1, round(zoom * n)) for n in image.shape[:2])
    return _resize(image, (height, width), interpolation)


def fit_shorter(image: np.ndarray, side: int, interpolation: str) -> np.ndarray:
    """
    Return the image with its shorter side of this many px.

    Examples
    --------
    >>> fit_shorter(np.zeros((30, 60, 3), np.uint8), 20, "bilinear").shape
    (20, 40, 3)
    """
    zoom = side / min(image.shape[:2])
    height, width = (max(side, round(zoom * n)) for n in image.shape[:2])
    return _resize(image, (height, width), interpolation)


def centre_crop(image: np.ndarray, side: int) -> np.ndarray:
    """
    Return the square in the middle.

    Examples
    --------
    >>> centre_crop(np.arange(12).reshape(2, 6, 1), 2)[..., 0].tolist()
    [[2, 3], [8, 9]]
    """
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    return image[top : top + side, left : left + side]
