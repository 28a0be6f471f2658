"""Backgrounds for the composite photographs, in the colours of the photographs themselves."""

from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image
from scipy import ndimage

from biaskit.sample.cutouts import CutOut

__all__ = ["make_background"]

Array = np.ndarray
Background = Callable[[np.random.Generator, CutOut, int, int], Array]
_GRAIN = 2.5  # of 255: a surface without any noise looks drawn


def make_background(
    cut_out: CutOut, number: int, size: tuple[int, int], *, rng: np.random.Generator
) -> Array:
    """
    Make the background of a category's photograph ``number``; its kinds take turns.

    Parameters
    ----------
    cut_out : CutOut
        The object that will stand before it.
    number : int
        Number of the photograph within its category, from 0.
    size : two ints
        Width and height, px.
    rng : numpy.random.Generator
        Source of its colours and grain.

    Returns
    -------
    uint8 array, shape (height, width, 3)
    """
    kinds = _KINDS[cut_out.wnid]
    width, height = size
    smooth = kinds[number % len(kinds)](rng, cut_out, width, height)
    grain = rng.normal(0, _GRAIN, (height, width, 1))
    return np.clip(np.rint(smooth + grain), 0, 255).astype(np.uint8)


def _out_of_focus(rng: np.random.Generator, cut_out: CutOut, width: int, height: int) -> Array:
    """Return the photograph itself, mirrored or not, far out of focus."""
    image = cut_out.photograph[:, :: rng.choice([-1, 1])]
    # An eighth of the size holds all that such a blur leaves, and takes no time.
    little = _stretch(image, image.shape[1] // 8, image.shape[0] // 8)
    return _stretch(_blur(little, 0.07), width, height) * rng.uniform(0.85, 1.1)


def _plain(rng: np.random.Generator, cut_out: CutOut, width: int, height: int) -> Array:
    """Return one colour of the photograph, a little lighter towards a corner."""
    colour = cut_out.photograph.reshape(-1, 3).mean(axis=0) * rng.uniform(0.8, 1.25)
    x, y = np.linspace(-1, 1, width), np.linspace(-1, 1, height)
    light = x[None, :] * rng.uniform(-0.15, 0.15) + y[:, None] * rng.uniform(-0.15, 0.15)
    return colour * (1 + light[..., None])


def _sky(rng: np.random.Generator, cut_out: CutOut, width: int, height: int) -> Array:
    """Return the evening sky of the photograph's empty columns, drawn out to the frame."""
    column = np.median(cut_out.photograph[:380, 5:50], axis=1)[:, None]
    return _stretch(_blur(column, 0.02), width, height) * rng.uniform(0.9, 1.4)


def _day_sky(rng: np.random.Generator, cut_out: CutOut, width: int, height: int) -> Array:
    """Return a clear sky by day, paler towards the horizon."""
    del cut_out
    top = np.array([58.0, 104, 168]) * rng.uniform(0.8, 1.1)
    return _vertical(top, np.array([158.0, 190, 220]), width, height)


def _wood(rng: np.random.Generator, cut_out: CutOut, width: int, height: int) -> Array:
    """Return the wooden table right of the saucer, drawn out and hardly out of focus."""
    table = cut_out.photograph[:, 485:600][:: rng.choice([-1, 1])]
    return _stretch(_blur(table, 0.008), width, height) * rng.uniform(0.85, 1.1)


def _floor(rng: np.random.Generator, cut_out: CutOut, width: int, height: int) -> Array:
    """Return a pale wall and a concrete floor that meet softly."""
    floor = cut_out.photograph[455:, :200].reshape(-1, 3).mean(axis=0)
    wall = np.array([205.0, 203, 196]) * rng.uniform(0.75, 1.1)
    y = np.linspace(0, 1, height)
    share = 1 / (1 + np.exp(-(y - rng.uniform(0.42, 0.55)) * 60))[:, None, None]
    light = 0.92 + 0.16 * y[:, None, None]
    return np.broadcast_to((wall * (1 - share) + floor * share) * light, (height, width, 3))


def _vertical(top: Array, bottom: Array, width: int, height: int) -> Array:
    share = np.linspace(0, 1, height)[:, None, None]
    return np.broadcast_to(top * (1 - share) + bottom * share, (height, width, 3))


def _blur(image: Array, share: float) -> Array:
    """Blur by a Gaussian whose sigma is a share of the longer side."""
    sigma = share * max(image.shape)
    return ndimage.gaussian_filter(image.astype(float), (sigma, sigma, 0), mode="nearest")


def _stretch(image: Array, width: int, height: int) -> Array:
    whole = Image.fromarray(np.clip(np.rint(image), 0, 255).astype(np.uint8))
    return np.asarray(whole.resize((width, height), Image.Resampling.BICUBIC)).astype(float)


_KINDS: Mapping[str, tuple[Background, ...]] = {
    "n02123159": (_out_of_focus, _plain),
    "n03773504": (_sky, _day_sky),
    "n03785016": (_floor, _out_of_focus),
    "n07920052": (_wood, _plain, _out_of_focus),
}
