"""Marks as a file gives them, before anything is checked: one row per point."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from biaskit.annotations.raw import image_stem, split_of, wnid_in
from biaskit.annotations.repairs import Refused, Repairs

__all__ = ["MarkContext", "MarkOptions", "RawMark", "state_of", "stem_of"]

# Folders that say how pictures are kept, and not what they show.
_KEPT = re.compile(
    r"(|\.|\.\.|data|images?|img|imgs|photos?|pictures?|jpe?g|jpegimages|uploads?|files?|media|"
    r"[0-9]+|val_photos|local-files)$",
    re.IGNORECASE,
)
_STATES = {
    "visible": ("visible", "seen", "2"),
    "occluded": ("occluded", "hidden", "covered", "1"),
    "absent": ("absent", "not_visible", "invisible", "missing", "not_there", "none", "0", "no"),
}
_STATE_OF = {word: state for state, words in _STATES.items() for word in words}


class RawMark(NamedTuple):
    """
    One point as read.

    Attributes
    ----------
    file : str
        Within its source.
    number : int
        Of the marking (or row) within the file.
    image : str
        Name of the image, with folders and without ending.
    photograph : str
        Where the picture lies, if that is another name.
    category : str
    object : int
        Of the object within its image.
    annotator : str
        As the file names them: a number or a name, which never goes further than the readers.
    order : float
        By which the markings of one image by one annotator are numbered.
    marking : str
        Tells these markings apart.
    point, visibility : str
    x, y : float
        As written; NaN if absent.
    whole : float
        What x and y are when they reach the far side: 100 for percent, 1 for fractions, 0 for
        pixels.
    width, height : float
        Of the image in pixels; NaN if not given.
    lead_time : float
        Seconds; NaN if not given.
    source : str
        As in the table of keypoints.
    """

    file: str
    number: int
    image: str
    photograph: str
    category: str
    object: int
    annotator: str
    order: float
    marking: str
    point: str
    visibility: str
    x: float
    y: float
    whole: float
    width: float
    height: float
    lead_time: float = math.nan
    source: str = "file"


@dataclass(frozen=True)
class MarkOptions:
    """
    What the caller decided; empty values leave it to the files.

    Attributes
    ----------
    format : str
        One of `biaskit.annotations.keypoints.MARK_FORMATS`.
    columns : mapping
        Of a CSV or Parquet: our column to theirs.
    units : str or None
        Of a CSV or Parquet: ``px``, ``fraction`` or ``percent``.
    category : str
        What all images show of which nothing else says it.
    labels : mapping
        From the name of an image, without folders and ending, to its category.
    """

    format: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    units: str | None = None
    category: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class MarkContext:
    """What the reader of one file is given besides the file."""

    options: MarkOptions
    repairs: Repairs

    def category(self, image: str, said: str = "", *, path: str = "") -> str:
        """
        Tell what an image shows.

        The list of labels comes first, then what the file says, a wnid in the name, the
        category given for all, and the nearest folder that is no part (train, val) of a set.

        Raises
        ------
        Refused
            Of kind ``no_category``.

        Examples
        --------
        >>> MarkContext(MarkOptions(), Repairs()).category("terrier/val/1")
        'terrier'
        """
        options = self.options
        for found in (
            options.labels.get(image.rpartition("/")[2], ""),
            said.strip(),
            wnid_in(path) or wnid_in(image),
            options.category,
            _folder_of(path) or _folder_of(image),
        ):
            if found:
                return found
        raise Refused(
            "no_category", f"{image}: --category says it for all, --labels for each image"
        )


def _folder_of(image: str) -> str:
    *folders, last = image.split("/")
    for folder in reversed(folders):
        if not _KEPT.match(folder) and not split_of(f"{folder}/{last}"):
            return folder
    return ""


def state_of(text: str) -> str:
    """
    Return what a word says of a point: visible, occluded, absent; empty if none of these.

    Examples
    --------
    >>> state_of("Not visible"), state_of("2"), state_of("blue")
    ('absent', 'visible', '')
    """
    plain = re.sub(r"[\s_-]+", "_", text.strip().lower()).strip("_")
    return _STATE_OF.get(plain, "")


def stem_of(name: str) -> str:
    """Return the name of an image without folders and ending."""
    return image_stem(name).rpartition("/")[2]
