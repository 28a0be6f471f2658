"""The images to be marked: drawn by seed per category, and laid where the server may serve them."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from PIL import Image, UnidentifiedImageError

from annotate.home import told
from biaskit.errors import ServerError
from biaskit.sweeps.images import ImageFile, draw_images, find_images

__all__ = ["Shown", "choose_images", "lay_out", "shown_size"]

# What browsers show, as Pillow calls it, whatever the file's name says.
_SHOWN = {"JPEG": "jpg", "MPO": "jpg", "PNG": "png", "GIF": "gif", "BMP": "bmp", "WEBP": "webp"}


@dataclass(frozen=True)
class Shown:
    """
    An image as the page shows it.

    Attributes
    ----------
    image : ImageFile
    path : Path
        The file itself; links are followed once, here, and never by the server.
    width, height : int
        px, upright: with EXIF's orientation applied, as browsers do.
    """

    image: ImageFile
    path: Path
    width: int
    height: int


def choose_images(
    folder: Path,
    *,
    per_category: int | None,
    categories: Sequence[str] = (),
    labels: Path | None = None,
    seed: int,
) -> tuple[list[Shown], dict[str, str]]:
    """
    Draw images of each category.

    A larger number draws the same images and some more, so a round of marking can be extended.

    Parameters
    ----------
    folder : Path
        Of photographs, as for ``biaskit sweep``.
    per_category : int or None
        None: all.
    categories : sequence of str
        Only these; empty: all. Images that nothing tells the category of are of the one named,
        or, where none or several are, of that called like the folder.
    labels : Path, optional
        CSV of image id and category.
    seed : int

    Returns
    -------
    images : list of Shown
        In the order of their ids.
    refused : dict
        File to the reason a browser would not show it.

    Raises
    ------
    ServerError
        If no image is left.
    """
    other = categories[0] if len(categories) == 1 else folder.resolve().name
    found = [
        image if image.category else replace(image, category=other)
        for image in find_images(folder, labels=labels)
    ]
    wanted = [image for image in found if not categories or image.category in categories]
    if not wanted:
        there = ", ".join(sorted({image.category for image in found})[:5])
        raise ServerError(
            f"{folder.name}: none of its {len(found):,} images is of {', '.join(categories)}; "
            f"there are {there}. Name the folder of the category, or --labels."
        )
    drawn = []
    for category in sorted({image.category for image in wanted}):
        of_it = [image for image in wanted if image.category == category]
        drawn += of_it if per_category is None else draw_images(of_it, per_category, seed=seed)
    images, refused = [], {}
    for image in sorted(drawn, key=lambda image: image.image_id):
        try:
            path = (folder / image.file).resolve()
            images.append(Shown(image, path, *shown_size(path)))
        except ServerError as error:
            refused[image.file] = str(error)
    if not images:
        raise ServerError(f"{folder.name}: no image can be shown: {next(iter(refused.values()))}.")
    return images, refused


def shown_size(path: Path) -> tuple[int, int]:
    """
    Return width and height in px of an image as a browser shows it.

    Raises
    ------
    ServerError
        If a browser would not; the message is the reason alone.

    Examples
    --------
    >>> shown_size(Path("no such file.jpg"))
    Traceback (most recent call last):
    ...
    biaskit.errors.ServerError: cannot be read
    """
    try:
        with Image.open(path) as image:
            if image.format not in _SHOWN:
                raise ServerError(f"{image.format} is not shown by browsers, save it as PNG")
            turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
            return image.size[::-1] if turned else image.size
    except UnidentifiedImageError:
        raise ServerError("no picture that can be read") from None
    except (OSError, Image.DecompressionBombError, SyntaxError, ValueError) as error:
        if isinstance(error, ServerError):
            raise
        raise ServerError("cannot be read") from None


def lay_out(images: Sequence[Shown], root: Path, slug: str) -> dict[str, str]:
    """
    Put images into the folder the server serves, as hard links or copies, never as links.

    Label Studio follows symbolic links out of the folder it was given; here there are none.

    Parameters
    ----------
    images : sequence of Shown
    root : Path
        The server's document root.
    slug : str
        The project's folder in it.

    Returns
    -------
    dict
        Image id to the address in a task.

    Raises
    ------
    ServerError
        On a full disk; what was laid out stays and is found again.
    """
    addresses = {}
    with told(f"annotate/images/{slug}"):
        _remove_links(root / slug)
        for shown in images:
            place = root / slug / shown.image.file
            place.parent.mkdir(parents=True, exist_ok=True)
            if not (place.exists() and _same(place, shown.path)):
                _bring(shown.path, place)
            address = quote(f"{slug}/{shown.image.file}")
            addresses[shown.image.image_id] = f"/data/local-files/?d={address}"
    return addresses


def _remove_links(folder: Path) -> None:
    """Remove what somebody may have linked in, folders too."""
    for here, folders, files in os.walk(folder):
        for name in (*folders, *files):
            if os.path.islink(os.path.join(here, name)):
                os.unlink(os.path.join(here, name))


def _same(place: Path, source: Path) -> bool:
    here, there = place.stat(), source.stat()
    return here.st_ino == there.st_ino or (
        here.st_size == there.st_size and here.st_mtime_ns == there.st_mtime_ns
    )


def _bring(source: Path, place: Path) -> None:
    part = place.with_name(f".{place.name}.part")
    part.unlink(missing_ok=True)
    try:
        try:
            os.link(source, part)
        except OSError:  # another disk, or a file that is not ours
            shutil.copy2(source, part)
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)
