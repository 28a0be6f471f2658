"""Boxes as a file gives them, before anything is checked: one row per object."""

import re
from array import array
from typing import Any, NamedTuple

__all__ = [
    "TEXT",
    "Convention",
    "RawBox",
    "as_columns",
    "image_stem",
    "sound",
    "split_of",
    "wnid_in",
]

_WNID = re.compile(r"(?:^|/)(n\d{8})(?!\d)[^/]*", re.ASCII)
_SPLIT = re.compile(r"(train|val|test)(?:ing|id|idation)?(?:\d{4})?$", re.ASCII | re.IGNORECASE)
_SPLIT_WORD = re.compile(
    r"(?:^|[_.-])(train|val|test)(?:\d{4})?(?=[_.-])", re.ASCII | re.IGNORECASE
)
_SPLIT_NAME = re.compile(r"ILSVRC\d{4}_(train|val|test)_", re.ASCII)
_ENDING = re.compile(r"\.(jpe?g|png|bmp|gif|tiff?|webp|xml|txt)$", re.IGNORECASE)
_ARCHIVE = re.compile(r"\.(tar|tgz|tar\.gz|zip)$", re.IGNORECASE)


class Convention(NamedTuple):
    """
    What the four numbers of a box count.

    Attributes
    ----------
    first : float
        Number of the first pixel: 0, or 1 in Pascal VOC.
    reach : float
        Added to the greatest numbers: 1 if they name the last pixel inside, 0 if an edge.
    lattice : float
        Step of the annotation's grid in pixels; 0 if continuous.
    fraction : bool
        Numbers are fractions of the image's sides, not pixels.
    """

    first: float
    reach: float
    lattice: float
    fraction: bool = False


class RawBox(NamedTuple):
    """
    One object as read.

    Attributes
    ----------
    file : str
        The annotation file, within its source.
    number : int
        Of the object within the file.
    image : str
        Name of the image, with folders and without ending.
    object : int
        Of the object within its image.
    category, split : str
        As in the table of boxes.
    width, height : float
        Of the image in pixels; NaN if not given.
    x_min, y_min, x_max, y_max : float
        As written; NaN if missing.
    first, reach, lattice, fraction : float
        The `Convention` of these numbers.
    """

    file: str
    number: int
    image: str
    object: int
    category: str
    split: str
    width: float
    height: float
    x_min: float
    y_min: float
    x_max: float
    y_max: float
    first: float
    reach: float
    lattice: float
    fraction: float


TEXT = ("file", "image", "category", "split")


def sound(text: str) -> str:
    """Return text that can be stored: half characters, as JSON may hold them, spelled out."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def image_stem(name: str) -> str:
    r"""
    Return a file name without the ending of an image or annotation.

    Examples
    --------
    >>> image_stem("val/ILSVRC2012_val_00000001.JPEG")
    'val/ILSVRC2012_val_00000001'
    """
    return _ENDING.sub("", name.replace("\\", "/"))


def split_of(name: str, *, by_stem: bool = False) -> str:
    """
    Tell the part of a data set from a path: its folders from the nearest, or ImageNet's names.

    With ``by_stem`` the file's own name counts too, as for ``instances_val2017.json``.

    Examples
    --------
    >>> split_of("train/n01440764/n01440764_96.xml"), split_of("ILSVRC2012_val_00000001.xml")
    ('train', 'val')
    >>> split_of("Annotation/n02106166-Border_collie/n02106166_1031")
    ''
    """
    *folders, last = name.split("/")
    if by_stem and (found := _SPLIT_WORD.search(last)):
        return found[1].lower()
    if found := _SPLIT_NAME.match(last):
        return found[1]
    for folder in reversed(folders):
        packed = _ARCHIVE.search(folder)  # an archive's name says more: ILSVRC2012_bbox_train_v2
        if found := (_SPLIT_WORD.search(folder) if packed else _SPLIT.match(folder)):
            return found[1].lower()
    return ""


def wnid_in(name: str) -> str:
    """
    Return the WordNet number nearest to the end of a path, or nothing.

    Examples
    --------
    >>> wnid_in("Annotation/n02106166-Border_collie/1031")
    'n02106166'
    """
    found = _WNID.findall(name)
    return found[-1] if found else ""


def as_columns(boxes: list[RawBox]) -> list[Any]:
    """Turn rows into the columns of `RawBox`: lists of text, arrays of numbers."""
    rows: list[Any] = list(zip(*boxes, strict=True)) or [()] * len(RawBox._fields)
    return [
        list(values) if name in TEXT else array("d", values)
        for name, values in zip(RawBox._fields, rows, strict=True)
    ]
