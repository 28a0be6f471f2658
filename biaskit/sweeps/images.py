"""Photographs of a folder: their names, their true classes, their pixels."""

import csv
import io
import os
import re
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from biaskit.chance import keyed_uniform
from biaskit.errors import SweepError

__all__ = [
    "ENDINGS",
    "ImageFile",
    "draw_images",
    "find_images",
    "open_photograph",
    "seen_by_name",
]

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp")
MAX_PIXELS = 178_956_970  # Pillow's own limit against bombs: half a gigabyte of RGB
MIN_SIDE = 8  # px; a photograph smaller than a stride shows a network nothing
_WNID = re.compile(r"n\d{8}(?!\d)", re.ASCII)
MAX_RATIO = 50  # of the sides; a longer strip grows beyond memory when its shorter side is fitted


@dataclass(frozen=True)
class ImageFile:
    """
    A photograph to be swept over.

    Attributes
    ----------
    file : str
        Its path within the folder, with / between folders.
    image_id : str
        File name without ending; with its folders where two files share a name.
    category : str
        True class; empty if not known.
    """

    file: str
    image_id: str
    category: str


def find_images(folder: Path, *, labels: Path | None = None) -> list[ImageFile]:
    """
    List the photographs of a folder tree with their true classes.

    The class is, in this order: that of the labels file; a folder's name, or the wnid it begins
    with; the wnid the file's name begins with; else none.

    Parameters
    ----------
    folder : Path
    labels : Path, optional
        CSV with a header, of image id (or file name) and category; ``labels.csv`` in the folder
        if there is one.

    Returns
    -------
    list of ImageFile
        In the order of their ids.

    Raises
    ------
    SweepError
        If it is no folder, holds no photograph, or the labels cannot be read or name none of them.

    Examples
    --------
    >>> find_images(Path("no such folder"))
    Traceback (most recent call last):
    ...
    biaskit.errors.SweepError: no such folder: is no folder. Expected a folder of photographs.
    """
    if not folder.is_dir():
        raise SweepError(f"{folder}: is no folder. Expected a folder of photographs.")
    files = _files(folder)
    if not files:
        raise SweepError(f"{folder}: no photograph; names end in one of {', '.join(ENDINGS)}.")
    beside = folder / "labels.csv"
    known = _labels(labels or beside) if labels or beside.is_file() else {}
    stems, paths = Counter(map(_stem, files)), Counter(map(_path, files))
    found, labelled = [], 0
    for file in files:
        # The shortest name that is this file's alone.
        unique = stems[_stem(file)] == 1
        image_id = _stem(file) if unique else _path(file) if paths[_path(file)] == 1 else file
        label = known.get(_path(file), known.get(_stem(file)) if unique else None)
        labelled += label is not None
        found.append(ImageFile(file, image_id, label or _category(file, image_id)))
    if known and not labelled:
        raise SweepError(
            f"{(labels or beside).name}: names none of the {len(found):,} photographs; its first "
            f"name is {next(iter(known))!r}, the first photograph {found[0].image_id!r}."
        )
    return sorted(found, key=lambda image: image.image_id)


def draw_images(images: list[ImageFile], n: int, *, seed: int) -> list[ImageFile]:
    """
    Draw some images, each by its own number: one more or less changes none of the others' luck.

    Examples
    --------
    >>> images = [ImageFile(f"{k}.jpg", str(k), "") for k in range(9)]
    >>> drawn = draw_images(images, 4, seed=1)
    >>> len(drawn), drawn == draw_images(images[::-1], 4, seed=1)
    (4, True)
    """
    names = np.array([image.image_id for image in images], dtype=object)
    order = np.argsort(keyed_uniform(seed, "image", names), kind="stable")[:n]
    return sorted((images[k] for k in order), key=lambda image: image.image_id)


def _files(folder: Path) -> list[str]:
    found = []
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            if name.lower().endswith(ENDINGS) and not name.startswith("."):
                path = os.path.relpath(os.path.join(here, name), folder)
                if any("\udc80" <= letter <= "\udcff" for letter in path):
                    raise SweepError(f"{path!r}: a file name that is not UTF-8. Rename it.")
                found.append(path.replace(os.sep, "/"))
    return sorted(found)


def _stem(file: str) -> str:
    return _path(file).rpartition("/")[2]


def _path(file: str) -> str:
    return file.rpartition(".")[0]


def _category(file: str, image_id: str) -> str:
    parents = file.split("/")[:-1]
    if parents:
        wnid = _WNID.match(parents[-1])
        return wnid[0] if wnid else parents[-1]
    wnid = _WNID.match(image_id)
    return wnid[0] if wnid else ""


def _labels(path: Path) -> dict[str, str]:
    """Read image id and category from the columns so named, else from the first two."""
    try:
        rows = list(csv.reader(io.StringIO(path.read_text("utf-8-sig"))))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SweepError(f"{path}: cannot be read as CSV ({type(error).__name__}).") from None
    rows = [row for row in rows if row]
    if len(rows) < 2 or len(rows[0]) < 2:
        raise SweepError(f"{path}: expected a header and rows of image id and category.")
    header = [name.strip().lower() for name in rows[0]]
    image = next((i for i, name in enumerate(header) if name in _IMAGE_NAMES), 0)
    category = next((i for i, name in enumerate(header) if name in _CATEGORY_NAMES), 1)
    short = [number for number, row in enumerate(rows, 1) if len(row) <= max(image, category)]
    if short:
        raise SweepError(f"{path}: row {short[0]} has {len(rows[short[0] - 1])} columns.")
    labels: dict[str, str] = {}
    for number, row in enumerate(rows[1:], 2):
        name, label = row[image].strip(), row[category].strip()
        name = _path(name) if name.lower().endswith(ENDINGS) else name
        if labels.setdefault(name, label) != label:
            raise SweepError(
                f"{path.name}: row {number} gives {name!r} the class {label!r}, an earlier one "
                f"{labels[name]!r}."
            )
    return labels


_IMAGE_NAMES = ("image_id", "image", "file", "filename", "name")
_CATEGORY_NAMES = ("category", "wnid", "label", "class")


def seen_by_name(image_id: str) -> str:
    """
    Say whether ImageNet's networks were trained on an image, as far as its name tells.

    Examples
    --------
    >>> seen_by_name("ILSVRC2012_val_00000001"), seen_by_name("n02123159_1")
    ('held out', 'unknown')
    """
    return "held out" if image_id.startswith(("ILSVRC2012_val_", "ILSVRC2012_test_")) else "unknown"


def open_photograph(data: bytes) -> np.ndarray:
    """
    Return a photograph's pixels, upright.

    EXIF's orientation is applied, CMYK and palettes become RGB, 16-bit grey keeps its upper 8
    bits, and transparency is dropped.

    Parameters
    ----------
    data : bytes
        A file's content, of any of the kinds in ``ENDINGS``, whatever its name says.

    Returns
    -------
    uint8 array, shape (height, width, 3)

    Raises
    ------
    SweepError
        If it is no picture, is cut short, has more than 178,956,970 pixels, a side of less than
        8 px, sides of more than 50 to 1, or numbers that are no brightness; the message is the
        reason alone.

    Examples
    --------
    >>> open_photograph(b"<html>")
    Traceback (most recent call last):
    ...
    biaskit.errors.SweepError: no picture that can be read
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # large ones are allowed up to the limit
            with Image.open(io.BytesIO(data)) as image:
                _check_size(*image.size)
                return _rgb(image)
    except SweepError:
        raise
    except (UnidentifiedImageError, Image.DecompressionBombError):
        raise SweepError("no picture that can be read") from None
    except MemoryError:
        raise SweepError("does not fit into memory") from None
    except Exception as error:
        raise SweepError(f"broken picture: {str(error) or type(error).__name__}") from None


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise SweepError(f"{width} x {height} px, more than {MAX_PIXELS:,} pixels")
    if min(width, height) < MIN_SIDE:
        raise SweepError(f"{width} x {height} px, a side of less than {MIN_SIDE} px")
    if max(width, height) > MAX_RATIO * min(width, height):
        raise SweepError(f"{width} x {height} px, a strip of more than {MAX_RATIO} to 1")


def _rgb(image: Image.Image) -> np.ndarray:
    if image.mode == "F":
        raise SweepError("floating-point pixels, of which no number is known to be white")
    if image.mode.startswith("I"):
        deep = np.asarray(image).astype(np.int64)
        if deep.max() > 65535 or deep.min() < 0:
            raise SweepError("32-bit pixels, of which no number is known to be white")
        # Files of 16 bits come as I;16 or as I; convert("RGB") would clip them to white.
        grey = Image.fromarray((deep // 256).astype(np.uint8))
        grey.info = image.info
        image = grey
    try:
        turned = ImageOps.exif_transpose(image)
    except Exception:
        turned = image
    return np.asarray(turned.convert("RGB"))
