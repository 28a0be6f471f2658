"""Composite photographs: an object cut out of one photograph, put freely on other backgrounds."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from biaskit.sample.backgrounds import make_background
from biaskit.sample.cutouts import CutOut, cut_outs
from biaskit.sample.xml_files import write_box_xml

__all__ = ["N_CATEGORIES", "N_PER_CATEGORY", "Photograph", "write_photographs"]

Array = np.ndarray
N_CATEGORIES, N_PER_CATEGORY = 4, 10
# Shares of the longest length that fits: every size from small to large once.
_SCALES = (0.50, 0.95)
_FRAMES = ((500, 375), (500, 375), (375, 500), (500, 333), (500, 375))
_JPEG = {"quality": 92, "subsampling": 0, "optimize": False, "progressive": False}


@dataclass(frozen=True)
class Photograph:
    """
    A composite photograph that was written.

    Attributes
    ----------
    wnid, image_id : str
        Category, and file name without its ending.
    size : two ints
        Width and height, px.
    box : four ints
        x_min, y_min, x_max, y_max of the object, px from 0, the last pixel included.
    points : dict of str to (x, y)
        Named points of the object, px, (0, 0) the outer corner of the image.
    """

    wnid: str
    image_id: str
    size: tuple[int, int]
    box: tuple[int, int, int, int]
    points: dict[str, tuple[float, float]]


def write_photographs(
    folder: Path, *, seed: int, written: Callable[[], None]
) -> tuple[Photograph, ...]:
    """
    Write ``photos/<wnid>/<wnid>_<n>.JPEG``, their boxes as XML, and ``labels.csv``.

    Sizes run evenly from half to nearly all of what fits, in a random order; each box is
    then put with equal chance on every place where it fits.

    Parameters
    ----------
    folder : Path
        An existing folder.
    seed : int
        Decides places, the order of sizes, and backgrounds.
    written : callable
        Called after each photograph.

    Returns
    -------
    tuple of Photograph
        In the order of their names.
    """
    photographs = []
    for cut_out in cut_outs():
        # A stream of its own for each category, as in the laws.
        rng = np.random.default_rng([seed, int(cut_out.wnid[1:])])
        scales = rng.permutation(np.linspace(*_SCALES, N_PER_CATEGORY))
        for number, scale in enumerate(scales):
            image, photograph = _compose(cut_out, number, float(scale), rng=rng)
            _save(folder, image, photograph)
            photographs.append(photograph)
            written()
    lines = ["image_id,wnid", *(f"{p.image_id},{p.wnid}" for p in photographs)]
    (folder / "labels.csv").write_bytes(("\n".join(lines) + "\n").encode())
    return tuple(photographs)


def _save(folder: Path, image: Image.Image, photograph: Photograph) -> None:
    path = folder / "photos" / photograph.wnid / f"{photograph.image_id}.JPEG"
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, "JPEG", **_JPEG)
    write_box_xml(
        folder / "boxes_photos",
        photograph.wnid,
        photograph.image_id,
        photograph.size,
        [photograph.box],
        source="biaskit sample",
    )


def _compose(
    cut_out: CutOut, number: int, scale: float, *, rng: np.random.Generator
) -> tuple[Image.Image, Photograph]:
    frame = _FRAMES[number % len(_FRAMES)]
    x_min, y_min, x_max, y_max = cut_out.box
    zoom = scale * min(frame[0] / (x_max - x_min), frame[1] / (y_max - y_min))
    size = np.ceil(zoom * np.array([x_max - x_min, y_max - y_min])).astype(int)
    low = rng.integers(0, np.array(frame) - size, endpoint=True)
    # Where the cut-out's own corner comes to lie, in whole pixels.
    corner = low - np.round(zoom * np.array([x_min, y_min])).astype(int)
    layer, zooms = _resized(cut_out.rgba, zoom)
    background = make_background(cut_out, number, frame, rng=rng)
    image = _paste(Image.fromarray(background), layer, corner, shadow=cut_out.shadow)
    photograph = Photograph(
        wnid=cut_out.wnid,
        image_id=f"{cut_out.wnid}_{number + 1}",
        size=frame,
        box=(int(low[0]), int(low[1]), int(low[0] + size[0]) - 1, int(low[1] + size[1]) - 1),
        points={
            name: (float(corner[0] + zooms[0] * x), float(corner[1] + zooms[1] * y))
            for name, (x, y) in cut_out.points.items()
        },
    )
    return image, photograph


def _resized(rgba: Array, zoom: float) -> tuple[Image.Image, tuple[float, float]]:
    """Resize to whole pixels, and return the zoom that this really was, along x and y."""
    height, width = rgba.shape[:2]
    size = round(zoom * width), round(zoom * height)
    # Premultiplied ("RGBa"), or the old background would bleed in at the rim.
    small = Image.fromarray(rgba).convert("RGBa").resize(size, Image.Resampling.BICUBIC)
    return small.convert("RGBA"), (size[0] / width, size[1] / height)


def _paste(
    background: Image.Image, layer: Image.Image, corner: Array, *, shadow: float
) -> Image.Image:
    opaque = Image.new("L", background.size)
    opaque.paste(layer.getchannel("A"), (int(corner[0]), int(corner[1])))
    if shadow:
        reach = max(2, background.height // 40)
        dark = ImageChops.offset(opaque, reach // 2, reach)
        dark = dark.filter(ImageFilter.GaussianBlur(reach)).point(lambda v: round(v * shadow))
        background.paste((0, 0, 0), (0, 0), dark)
    colours = Image.new("RGB", background.size)
    colours.paste(layer.convert("RGB"), (int(corner[0]), int(corner[1])))
    background.paste(colours, (0, 0), opaque)
    return background
