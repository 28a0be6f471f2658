"""
Canvases: an image in a larger frame whose rest is filled, in one of several ways.

What is around the object matters more for the answer than how it is put there, so every table
names the fill. ``black``, ``mean``, ``replicate`` and ``reflect`` invent edges or copies of the
object; ``noise`` and ``blur`` a texture; ``telea``, ``navier-stokes`` (both OpenCV's) and ``ring``
carry the image's rim outwards in streaks; ``harmonic`` invents no edge and no object.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import cv2
import numpy as np

from biaskit.sweeps.harmonic import fill_harmonic

__all__ = ["FILLS", "LOCAL_FILLS", "Place", "fill_canvas"]

Array = np.ndarray


class Place(NamedTuple):
    """Where an image lies on its canvas, in px: first row and column, height and width."""

    top: int
    left: int
    height: int
    width: int


def fill_canvas(
    image: Array, size: tuple[int, int], corner: tuple[int, int], fill: str, *, seed: int
) -> Array:
    """
    Put an image on a canvas and fill the rest.

    Parameters
    ----------
    image : uint8 array, shape (h, w, 3)
        RGB.
    size : two ints
        Height and width of the canvas, px.
    corner : two ints
        Row and column of the image's top left pixel; the image may reach outside.
    fill : str
        One of ``FILLS``.
    seed : int
        Of ``noise``; the others draw nothing.

    Returns
    -------
    uint8 array, shape (height, width, 3)
        The image's own pixels are untouched.

    Raises
    ------
    ValueError
        If the fill is unknown, or no pixel of the image is on the canvas.

    Examples
    --------
    >>> image = np.full((2, 2, 3), 200, np.uint8)
    >>> fill_canvas(image, (4, 4), (1, 1), "black", seed=0)[:, 1, 0].tolist()
    [0, 200, 200, 0]
    """
    if fill not in FILLS:
        raise ValueError(f"unknown fill {fill!r}; known: {', '.join(FILLS)}")
    first = np.array(corner)
    low = np.maximum(first, 0)
    high = np.minimum(first + image.shape[:2], size)
    if (high <= low).any():
        raise ValueError(f"an image at {corner} is not on a canvas of {size}")
    place = Place(int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))
    offset = low - first
    shown = image[offset[0] : offset[0] + place.height, offset[1] : offset[1] + place.width]
    if (place.height, place.width) == tuple(size):
        return np.ascontiguousarray(shown)
    canvas: Array = FILLS[fill](np.ascontiguousarray(shown), size, place, seed)
    _put(canvas, shown, place)
    return canvas


def _put(canvas: Array, image: Array, place: Place) -> None:
    canvas[place.top : place.top + place.height, place.left : place.left + place.width] = image


def _colour(colour: Array, size: tuple[int, int]) -> Array:
    return np.broadcast_to(colour.astype(np.uint8), (*size, 3)).copy()


def _black(_image: Array, size: tuple[int, int], _place: Place, _seed: int) -> Array:
    return np.zeros((*size, 3), np.uint8)


def _mean(image: Array, size: tuple[int, int], _place: Place, _seed: int) -> Array:
    return _colour(np.round(image.mean(axis=(0, 1))), size)


def _margins(size: tuple[int, int], place: Place) -> tuple[tuple[int, int], ...]:
    below, right = size[0] - place.top - place.height, size[1] - place.left - place.width
    return (place.top, below), (place.left, right), (0, 0)


def _replicate(image: Array, size: tuple[int, int], place: Place, _seed: int) -> Array:
    return np.pad(image, _margins(size, place), mode="edge")


def _reflect(image: Array, size: tuple[int, int], place: Place, _seed: int) -> Array:
    return np.pad(image, _margins(size, place), mode="symmetric")


def _noise(image: Array, size: tuple[int, int], _place: Place, seed: int) -> Array:
    """Draw every pixel by itself, with the image's mean and spread in each channel."""
    rng = np.random.default_rng(seed)
    drawn = rng.standard_normal((*size, 3), np.float32)
    drawn = drawn * image.std(axis=(0, 1), dtype=np.float32) + image.mean(axis=(0, 1))
    return np.clip(np.rint(drawn), 0, 255).astype(np.uint8)


def _blur(image: Array, size: tuple[int, int], _place: Place, _seed: int) -> Array:
    """Enlarge the image until it covers the canvas, and blur it by a sixteenth of its side."""
    # At a quarter of the size: what is left after such a blur has no finer detail.
    small = tuple(max(1, -(-side // 4)) for side in size)
    zoom = max(small[0] / image.shape[0], small[1] / image.shape[1])
    height, width = (max(s, round(zoom * n)) for s, n in zip(small, image.shape[:2], strict=True))
    method = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
    cover = cv2.resize(image, (width, height), interpolation=method)
    top, left = (height - small[0]) // 2, (width - small[1]) // 2
    cover = cover[top : top + small[0], left : left + small[1]]
    soft = cv2.GaussianBlur(cover, (0, 0), max(small) / 16, borderType=cv2.BORDER_REPLICATE)
    return cv2.resize(soft, (size[1], size[0]), interpolation=cv2.INTER_LINEAR)


def _inpainted(image: Array, size: tuple[int, int], place: Place, method: int) -> Array:
    canvas, unknown = np.zeros((*size, 3), np.uint8), np.full(size, 255, np.uint8)
    _put(canvas, image, place)
    unknown[place.top : place.top + place.height, place.left : place.left + place.width] = 0
    return cv2.inpaint(canvas, unknown, 3, method)


def _telea(image: Array, size: tuple[int, int], place: Place, _seed: int) -> Array:
    return _inpainted(image, size, place, cv2.INPAINT_TELEA)


def _navier_stokes(image: Array, size: tuple[int, int], place: Place, _seed: int) -> Array:
    return _inpainted(image, size, place, cv2.INPAINT_NS)


_TAPS = np.array([1, 11, 55, 165, 330, 462, 462, 330, 165, 55, 11, 1], np.float32) / 2048


def _ring(image: Array, size: tuple[int, int], place: Place, _seed: int) -> Array:
    """Give each next ring of pixels the binomial mean of what is known within its reach."""
    canvas, known = np.zeros((*size, 3), np.float32), np.zeros(size, np.float32)
    _put(canvas, image, place)
    known[place.top : place.top + place.height, place.left : place.left + place.width] = 1
    border = cv2.BORDER_CONSTANT
    while not known.all():
        mass = cv2.sepFilter2D(known, -1, _TAPS, _TAPS, borderType=border)
        total = cv2.sepFilter2D(canvas, -1, _TAPS, _TAPS, borderType=border)
        fresh = (known == 0) & (mass > 1e-6)
        canvas[fresh] = total[fresh] / mass[fresh, None]
        known[fresh] = 1
    return np.clip(np.rint(canvas), 0, 255).astype(np.uint8)


def _harmonic(image: Array, size: tuple[int, int], place: Place, _seed: int) -> Array:
    return fill_harmonic(image, size, place)


FILLS: Mapping[str, Callable[[Array, tuple[int, int], Place, int], Array]] = {
    "harmonic": _harmonic,
    "telea": _telea,
    "navier-stokes": _navier_stokes,
    "ring": _ring,
    "mean": _mean,
    "black": _black,
    "reflect": _reflect,
    "replicate": _replicate,
    "blur": _blur,
    "noise": _noise,
}
# A pixel of these depends on where it lies to the image alone, so a part of the canvas is the
# same whether the rest is made or not.
LOCAL_FILLS = frozenset({"mean", "black", "reflect", "replicate"})
