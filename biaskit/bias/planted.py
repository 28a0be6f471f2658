"""
Simulated boxes whose placement and sizes follow a law we chose: the truth is known.

Pixels are whole, images differ in size and shape as in a real data set, and a few boxes fill
their image. Places are drawn in the box's own free room, so a law that is uniform there is the
null ``fit`` exactly, truncation to whole pixels included.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from biaskit.tables import BOXES

__all__ = ["LAWS", "Law", "planted"]

_FRAMES = np.array([[500, 375], [375, 500], [500, 333], [333, 500], [640, 480], [300, 225]])
_SHARES = np.array([0.45, 0.15, 0.18, 0.07, 0.1, 0.05])
MARGIN = 3  # px kept free at every side by laws that never touch: edge_px + 1

# From a generator and image sides to a size of each box, in pixels.
_Sizes = Callable[[np.random.Generator, np.ndarray], np.ndarray]
# From a generator and relative sizes to the places (u, v) in the free room.
_Places = Callable[[np.random.Generator, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Law:
    """How the boxes of a simulated data set are sized and placed."""

    meaning: str
    sizes: _Sizes
    places: _Places
    margin: int = 0  # px at every side of the frame that boxes stay out of
    per_image: int = 1  # near-copies of each box in its image
    lattice: float = 1.0  # 0: continuous numbers, no pixels


def _natural(rng: np.random.Generator, frame: np.ndarray) -> np.ndarray:
    share = rng.beta(1.8, 1.6, frame.shape)
    return np.clip(np.ceil(share * (frame + 4)), 1, frame)


def _point(_: np.random.Generator, frame: np.ndarray) -> np.ndarray:
    return np.ones(frame.shape)


def _uniform(rng: np.random.Generator, frame: np.ndarray) -> np.ndarray:
    return np.floor(rng.random(frame.shape) * frame) + 1


def _log_uniform(least: int) -> _Sizes:
    def sizes(rng: np.random.Generator, frame: np.ndarray) -> np.ndarray:
        return np.floor(least * ((frame + 1) / least) ** rng.random(frame.shape))

    return sizes


def _narrow(middle: float, spread: float) -> _Sizes:
    """Relative sizes between middle / e^spread and middle x e^spread, log-uniform."""

    def sizes(rng: np.random.Generator, frame: np.ndarray) -> np.ndarray:
        share = middle * np.exp(spread * rng.uniform(-1, 1, frame.shape))
        return np.clip(np.rint(share * frame), 1, frame)

    return sizes


def _of_area(log: bool) -> _Sizes:
    """Draw areas uniform up to the frame, or log-uniform from 16 x 16 px, of any shape."""

    def sizes(rng: np.random.Generator, frame: np.ndarray) -> np.ndarray:
        whole = frame.prod(axis=1)
        t = rng.random(len(frame))
        share = (256 / whole) ** (1 - t) if log else 1 - t
        split = rng.random(len(frame))
        return np.column_stack([share**split, share ** (1 - split)]) * frame

    return sizes


def _beta(x: tuple[float, float] = (1, 1), y: tuple[float, float] = (1, 1)) -> _Places:
    def places(rng: np.random.Generator, relative: np.ndarray) -> np.ndarray:
        n = len(relative)
        return np.column_stack([rng.beta(*x, n), rng.beta(*y, n)])

    return places


def _thirds(rng: np.random.Generator, relative: np.ndarray) -> np.ndarray:
    """Half of the objects near a third of the free room, on either side."""
    third = np.where(rng.random(relative.shape) < 0.5, 1 / 3, 2 / 3)
    near = np.clip(third + 0.06 * rng.standard_normal(relative.shape), 0, 1 - 1e-9)
    return np.where(rng.random((len(relative), 1)) < 0.5, near, rng.random(relative.shape))


def _coupled(rng: np.random.Generator, relative: np.ndarray) -> np.ndarray:
    """Larger boxes are more central: Beta(a, a) with a from 1 to 4."""
    a = 1 + 3 * relative.prod(axis=1)[:, None] ** 0.5
    return rng.beta(a, a, relative.shape)


_FREE = _beta()
_CENTRED, _CENTRED_MUCH = _beta((1.4, 1.4), (1.4, 1.4)), _beta((4, 4), (4, 3))
LAWS: Mapping[str, Law] = {
    "free": Law("natural sizes, every place where they fit alike", _natural, _FREE),
    "points": Law("boxes of one pixel anywhere", _point, _FREE),
    "uniform sizes": Law("sizes uniform up to the frame, free", _uniform, _FREE),
    "uniform sizes inside": Law("the same, never touching the frame", _uniform, _FREE, MARGIN),
    "log-uniform sizes": Law("sizes log-uniform from 16 px, free", _log_uniform(16), _FREE),
    "log-uniform sizes inside": Law(
        "the same, never touching the frame", _log_uniform(16), _FREE, MARGIN
    ),
    "log-uniform from 8 px": Law("sizes log-uniform from 8 px, free", _log_uniform(8), _FREE),
    "log-uniform from 32 px": Law("sizes log-uniform from 32 px, free", _log_uniform(32), _FREE),
    "uniform areas": Law("areas uniform up to the frame's", _of_area(False), _FREE, lattice=0),
    "log-uniform areas": Law("areas log-uniform from 256 px", _of_area(True), _FREE, lattice=0),
    "near-copies": Law("free, three near-copies in each image", _natural, _FREE, per_image=3),
    "centred": Law("Beta(1.4, 1.4) on both axes", _natural, _CENTRED),
    "horizon": Law("low in the image: v is Beta(1.3, 1)", _natural, _beta(y=(1.3, 1))),
    "right": Law("right of the middle: u is Beta(1.3, 1)", _natural, _beta(x=(1.3, 1))),
    "thirds": Law("half of the objects near the thirds", _natural, _thirds),
    "coupled": Law("larger boxes are more central", _natural, _coupled),
    "narrow sizes": Law("sizes within a factor 2.5 of each other", _narrow(0.45, 0.46), _FREE),
    "small effect": Law(
        "u is Beta(1.4, 1.4), v Beta(1.3, 1); sizes within a factor 7",
        _narrow(0.35, 1.0),
        _beta((1.4, 1.4), (1.3, 1)),
    ),
    "large effect": Law(
        "u is Beta(4, 4), v Beta(4, 3); sizes within a factor 2",
        _narrow(0.4, 0.35),
        _CENTRED_MUCH,
    ),
}


def planted(law: str, *, n_images: int, n_categories: int = 1, seed: int) -> pd.DataFrame:
    """
    Simulate a data set that follows a law.

    Parameters
    ----------
    law : str
        One of ``LAWS``.
    n_images : int
        Images per category.
    n_categories : int
        Categories, independent of each other.
    seed : int

    Returns
    -------
    DataFrame
        A table ``boxes``.

    Raises
    ------
    ValueError
        If there is no such law.

    Examples
    --------
    >>> boxes = planted("points", n_images=3, n_categories=2, seed=1)
    >>> len(boxes), boxes["category"].unique().tolist()
    (6, ['c00000', 'c00001'])
    """
    if law not in LAWS:
        raise ValueError(f"law {law!r} is unknown; known: {', '.join(LAWS)}")
    it = LAWS[law]
    rng = np.random.default_rng([seed, 0x91A27ED, list(LAWS).index(law), n_images])
    frame = _FRAMES[rng.choice(len(_FRAMES), n_images * n_categories, p=_SHARES)].astype(float)
    room = frame - 2 * it.margin
    size = it.sizes(rng, room)
    place = it.places(rng, size / room)
    free = room - size
    start = np.floor(place * (free + 1)) if it.lattice else place * free
    # A Beta can round to 1 itself.
    start = it.margin + np.minimum(start, free)
    copies = it.per_image
    image = np.repeat(np.arange(len(frame)), copies)
    start, size, frame = (np.repeat(a, copies, axis=0) for a in (start, size, frame))
    if copies > 1:
        jitter = rng.integers(-2, 3, start.shape)
        start = np.clip(start + jitter, 0, frame - size)
    return BOXES.check(_table(image, start, size, frame, it, n_images), "planted")


def _table(
    image: np.ndarray,
    start: np.ndarray,
    size: np.ndarray,
    frame: np.ndarray,
    law: Law,
    n_images: int,
) -> pd.DataFrame:
    category, number = image // n_images, np.arange(len(image)) % law.per_image
    names = pd.Series([f"c{c:05d}" for c in range(int(category.max(initial=-1)) + 1)], dtype=str)
    images = pd.Series([f"i{i:07d}" for i in range(len(image) // law.per_image)], dtype=str)
    high = np.minimum((start + size) / frame, 1.0)
    return pd.DataFrame(
        {
            "category": names.to_numpy()[category],
            "image_id": images.to_numpy()[image],
            "object": number.astype(np.int64),
            "split": pd.Series([""] * len(image), dtype=str),
            "image_width": frame[:, 0].astype(np.int64),
            "image_height": frame[:, 1].astype(np.int64),
            "x_min": start[:, 0] / frame[:, 0],
            "y_min": start[:, 1] / frame[:, 1],
            "x_max": high[:, 0],
            "y_max": high[:, 1],
            "lattice": law.lattice,
        }
    )
