"""Views for people: images at another size in a random place of a filled canvas (Figure 7)."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from annotate.home import told
from annotate.images import Shown
from biaskit.chance import hash_keys, keyed_uniform
from biaskit.errors import ServerError, SweepError
from biaskit.provenance import write_bytes_whole
from biaskit.sweeps.images import ImageFile, open_photograph
from biaskit.sweeps.protocols.resizing import fit_longer

__all__ = ["View", "ViewPlan", "make_views"]


@dataclass(frozen=True)
class ViewPlan:
    """
    How images are shown.

    Attributes
    ----------
    side : int
        Of the square canvas, px.
    scale : float
        Longer side of the image, of the canvas' side.
    fill : str
        What fills the rest; see ``biaskit.sweeps.canvases``.
    places : int
        Random places of each image.
    seed : int
    """

    side: int
    scale: float
    fill: str
    places: int
    seed: int

    @property
    def longer_side(self) -> int:
        """Longer side of the image, px."""
        return max(8, round(self.side * self.scale))


@dataclass(frozen=True)
class View:
    """
    One image at one place.

    Attributes
    ----------
    shown : Shown
        The file; its id is a number that tells nothing about the class.
    image_id, category : str
        Of the photograph in it.
    place : int
        From 0.
    dx, dy : float
        Of the image's middle from the canvas', right and down, of the canvas' side.
    """

    shown: Shown
    image_id: str
    category: str
    place: int
    dx: float
    dy: float


def make_views(
    images: Sequence[Shown], plan: ViewPlan, folder: Path
) -> tuple[list[View], dict[str, str]]:
    """
    Write the views of some images as PNG files, and return them.

    Place and file name depend on the seed and the image's id alone; a view that is there is not
    made again.

    Parameters
    ----------
    images : sequence of Shown
    plan : ViewPlan
    folder : Path

    Returns
    -------
    views : list of View
    refused : dict
        File to the reason it cannot be shown.

    Raises
    ------
    ServerError
        If OpenCV is not installed, the fill is unknown, or the disk is full.
    """
    if find_spec("cv2") is None:
        raise ServerError("canvases need OpenCV. To install it: pip install 'biaskit[sweeps]'")
    from biaskit.sweeps.canvases import FILLS

    if plan.fill not in FILLS:
        raise ServerError(f"--fill {plan.fill!r} is unknown, expected {', '.join(FILLS)}.")
    views: list[View] = []
    refused: dict[str, str] = {}
    for shown in images:
        try:
            views += _views_of(shown, plan, folder)
        except SweepError as error:
            refused[shown.image.file] = str(error)
    return views, refused


def _views_of(shown: Shown, plan: ViewPlan, folder: Path) -> list[View]:
    from biaskit.sweeps.canvases import fill_canvas

    name, found = shown.image.image_id, []
    image = None
    for place in range(plan.places):
        if image is None:
            image = fit_longer(
                open_photograph(shown.path.read_bytes()), plan.longer_side, "bicubic"
            )
        room = [plan.side - length for length in image.shape[:2]]
        lots = [float(keyed_uniform(plan.seed, "view", name, place, axis)[0]) for axis in "yx"]
        top, left = (int(lot * (free + 1)) for lot, free in zip(lots, room, strict=True))
        about = (plan.seed, plan.side, str(plan.scale), plan.fill, name, place)
        token = f"{int(hash_keys('view', *about)[0]):016x}"
        path = folder / f"{token}.png"
        if not path.exists():
            size, seed = (plan.side, plan.side), int(hash_keys(plan.seed, name)[0] >> np.uint64(33))
            canvas = fill_canvas(image, size, (top, left), plan.fill, seed=seed)
            _write(canvas, path)
        file = ImageFile(path.name, token, "")
        middles = [
            (corner + length / 2) / plan.side - 0.5
            for corner, length in zip((left, top), image.shape[1::-1], strict=True)
        ]
        found.append(
            View(
                Shown(file, path, plan.side, plan.side),
                name,
                shown.image.category,
                place,
                middles[0],
                middles[1],
            )
        )
    return found


def _write(canvas: np.ndarray, path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(canvas).save(buffer, "PNG")
    with told(f"annotate/views/{path.parent.name}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes_whole(path, buffer.getvalue())
