"""
The planted laws: how boxes of a made-up category are sized and placed, and what tests should say.

A law has two halves. One draws sizes, the other draws for each box a pair (u, v) in the unit
square and puts the box at place floor(u (W - w + 1)) of the W - w + 1 places where it fits.
Uniform (u, v) is exactly the absence of a photographer's choice, so whatever else is planted
in (u, v) is what a test that keeps each box's size ought to find.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import norm

__all__ = [
    "LOG_UNIFORM_FROM",
    "PlantedLaw",
    "Verdicts",
    "by_beta",
    "cut_by_frame",
    "draw_boxes",
    "free",
    "herd",
    "larger_more_central",
    "log_uniform",
    "medium",
    "narrow",
    "small",
    "thirds",
    "uniform",
]

Verdict = Literal["reject", "keep", "open"]
Array = np.ndarray
Sizes = Callable[[np.random.Generator, Array], Array]
Places = Callable[[np.random.Generator, Array, Array], Array]

# Frames as ImageNet has them, in px, with roughly its shares.
_FRAMES = np.array(
    [[500, 375], [500, 333], [375, 500], [333, 500], [500, 500], [640, 480], [400, 300]]
)
_SHARES = np.array([0.44, 0.20, 0.14, 0.08, 0.06, 0.05, 0.03])
LOG_UNIFORM_FROM = 16  # px: biaskit's null `log-uniform` begins here
_LEAST_VISIBLE = 12  # px: less of an object nobody would have boxed
_HERD_STEP = 0.02  # of the room along x: neighbours overlap by less than an IoU of 0.95


@dataclass(frozen=True)
class Verdicts:
    """
    What the tests of one category should say: ``reject``, ``keep``, or ``open`` for either.

    ``keep`` means that the null is true (or the images are too few to tell), so that a test
    at level 0.05 still rejects in one seed of twenty. Policy is `one` unless the name says
    otherwise.
    """

    position_frame: Verdict
    position_fit: Verdict
    position_fit_without_touching: Verdict
    position_fit_all_objects: Verdict
    height_uniform: Verdict
    height_log_uniform: Verdict
    mirror: Verdict
    coupling: Verdict


@dataclass(frozen=True)
class PlantedLaw:
    """One made-up category: how many images, how its boxes are drawn, and what to expect."""

    wnid: str
    word: str
    law: str
    why: str
    n_images: int
    sizes: Sizes
    places: Places
    expected: Verdicts
    objects_per_image: int = 1


def draw_boxes(law: PlantedLaw, *, seed: int) -> tuple[Array, Array]:
    """
    Draw the images of a category and their boxes.

    Parameters
    ----------
    law : PlantedLaw
        One of ``biaskit.sample.LAWS``.
    seed : int
        Together with the category's name it decides every number, so that no category
        changes when another is added.

    Returns
    -------
    frames : int array, shape (n_images, 2)
        Width and height of each image, px.
    boxes : int array, shape (n_images, objects_per_image, 4)
        x_min, y_min, x_max, y_max in px, counted from 0, the last pixel included.

    Examples
    --------
    >>> from biaskit.sample import LAWS
    >>> frames, boxes = draw_boxes(LAWS[0], seed=1)
    >>> frames.shape, boxes.shape
    ((320, 2), (320, 1, 4))
    """
    rng = np.random.default_rng([seed, int(law.wnid[1:])])
    frames = rng.choice(_FRAMES, size=law.n_images, p=_SHARES)
    # One row per object: (image, object, axis).
    sides = np.repeat(frames[:, None, :], law.objects_per_image, axis=1)
    sizes = law.sizes(rng, sides)
    low = law.places(rng, sides, sizes)
    # Only an object that the frame cuts reaches outside.
    first, last = np.maximum(low, 0), np.minimum(low + sizes, sides) - 1
    return frames, np.concatenate([first, last], axis=-1)


def medium(rng: np.random.Generator, sides: Array) -> Array:
    """Sizes about half the frame, seldom below a fifth or above four fifths."""
    return _to_px(0.12 + 0.76 * rng.beta(2.5, 2.5, sides.shape), sides)


def small(rng: np.random.Generator, sides: Array) -> Array:
    """Sizes between 0.12 and 0.3 of the frame's sides."""
    return _to_px(rng.uniform(0.12, 0.30, sides.shape), sides)


def narrow(rng: np.random.Generator, sides: Array) -> Array:
    """Sizes of half the frame, give or take 3 % of it."""
    return _to_px(rng.normal(0.5, 0.03, sides.shape), sides)


def uniform(rng: np.random.Generator, sides: Array) -> Array:
    """Width and height each uniform up to the whole frame."""
    # Of one pixel a reader thinks that somebody clicked and did not drag.
    return np.maximum(_to_px(rng.random(sides.shape), sides), 2)


def log_uniform(rng: np.random.Generator, sides: Array) -> Array:
    """Width and height each with a uniform logarithm, from 16 px to the whole frame."""
    # Whole pixels k with chances proportional to log((k + 1) / k).
    ratio = (sides + 1) / LOG_UNIFORM_FROM
    size = np.floor(LOG_UNIFORM_FROM * ratio ** rng.random(sides.shape))
    return np.minimum(size, sides).astype(np.int64)


def free(rng: np.random.Generator, sides: Array, sizes: Array) -> Array:
    """Put each box on any of the places where it fits, all alike."""
    return _place(rng.random(sides.shape), sides, sizes)


def by_beta(x: tuple[float, float], y: tuple[float, float]) -> Places:
    """Make a law whose (u, v) follow two Beta laws; (1, 1) is free placement."""

    def places(rng: np.random.Generator, sides: Array, sizes: Array) -> Array:
        share = [rng.beta(*parameters, sides.shape[:-1]) for parameters in (x, y)]
        return _place(np.stack(share, axis=-1), sides, sizes)

    return places


def thirds(rng: np.random.Generator, sides: Array, sizes: Array) -> Array:
    """Centres at one of the four points a third from the sides, give or take 4 % of the side."""
    centre = rng.integers(1, 3, sides.shape) / 3 + rng.normal(0, 0.04, sides.shape)
    low = np.floor(centre * sides - sizes / 2 + 0.5).astype(np.int64)
    return np.clip(low, 0, sides - sizes)


def cut_by_frame(rng: np.random.Generator, sides: Array, sizes: Array) -> Array:
    """Let each object lie anywhere, partly outside too; the frame cuts off what is outside."""
    reach = np.minimum(sizes, _LEAST_VISIBLE)
    return rng.integers(reach - sizes, sides - reach, endpoint=True)


def larger_more_central(rng: np.random.Generator, sides: Array, sizes: Array) -> Array:
    """
    Put larger boxes nearer the middle, with (u, v) uniform on the unit square all the same.

    The square is a nest of rings, max(|2u - 1|, |2v - 1|) = r, with r^2 uniform. A Gaussian
    copula ties r to the height; on its ring a box lands anywhere.
    """
    height = np.clip((sizes[..., 1] - 0.5) / sides[..., 1], 1e-6, 1 - 1e-6)
    normal = -0.8 * norm.ppf(height) + 0.6 * rng.standard_normal(height.shape)
    ring = np.sqrt(norm.cdf(normal))
    along = ring * rng.uniform(-1, 1, ring.shape)
    across = ring * rng.choice([-1, 1], ring.shape)
    flip = rng.random(ring.shape) < 0.5
    xy = np.stack([np.where(flip, along, across), np.where(flip, across, along)], axis=-1)
    return _place((1 + xy) / 2, sides, sizes)


def herd(rng: np.random.Generator, sides: Array, sizes: Array) -> Array:
    """
    Put the first box of an image anywhere it fits, and the others beside it.

    Steps that leave the unit square come in again on the other side: so each box by itself
    is placed freely, and only their togetherness is not.
    """
    n_images, n_objects, _ = sides.shape
    start = rng.random((n_images, 1, 2))
    step = np.zeros((n_images, n_objects, 2))
    step[..., 0] = _HERD_STEP * np.arange(n_objects)
    step[..., 1] = rng.uniform(-0.03, 0.03, (n_images, n_objects))
    return _place((start + step) % 1, sides, sizes)


def _to_px(share: Array, sides: Array) -> Array:
    # Rounded up, so that (size - U) / side is uniform where the share is.
    return np.clip(np.ceil(share * sides), 1, sides).astype(np.int64)


def _place(share: Array, sides: Array, sizes: Array) -> Array:
    n_places = sides - sizes + 1
    # A share that rounds to 1 must not fall off the last place.
    return np.minimum(np.floor(share * n_places), n_places - 1).astype(np.int64)
