"""Sizes of photographs, from their headers alone: no picture is ever unpacked."""

import hashlib
import os
import warnings
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from biaskit.annotations.raw import image_stem, sound
from biaskit.errors import AnnotationError

__all__ = ["Photograph", "Photographs"]

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp")
TYPES = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".bmp": "BMP", ".gif": "GIF"}
TYPES |= {".tif": "TIFF", ".tiff": "TIFF", ".webp": "WEBP"}
ORIENTATION = 0x0112  # EXIF: 5 to 8 turn the picture by a quarter


@dataclass(frozen=True)
class Photograph:
    """
    What a photograph's header says.

    Attributes
    ----------
    name : str
        Within the folder.
    width, height : int
        In pixels, as stored: before any turn.
    type, expected : str
        Such as PNG: by content and by name.
    mode : str
        Such as RGB or CMYK.
    orientation : int
        EXIF's; 1 is upright, 5 to 8 are quarter turns.
    trouble : str
        Why the header cannot be read; else empty.
    """

    name: str
    width: int = 0
    height: int = 0
    type: str = ""
    expected: str = ""
    mode: str = ""
    orientation: int = 1
    trouble: str = ""


class Photographs:
    """
    The photographs of a folder tree, found by name and read once.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    AnnotationError
        If it is no folder, or holds no photograph.

    Examples
    --------
    >>> Photographs(Path("val")).find("ILSVRC2012_val_00000001").width  # doctest: +SKIP
    500
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise AnnotationError(f"{folder}: no folder of photographs; --images expects one.")
        self.folder = folder
        self._by_stem: dict[str, list[str]] = defaultdict(list)
        self._read: dict[str, Photograph] = {}
        for here, folders, files in os.walk(folder):
            folders.sort()
            for file in sorted(files):
                if file.lower().endswith(ENDINGS):
                    name = os.path.relpath(os.path.join(here, file), folder).replace(os.sep, "/")
                    self._by_stem[image_stem(file)].append(name)
        if not self._by_stem:
            raise AnnotationError(
                f"{folder}: no photograph; names end in one of {', '.join(ENDINGS)}."
            )

    def find(self, image: str) -> Photograph | None:
        """
        Return the photograph of this name, whose folders agree the furthest; None: none.

        One whose header cannot be read counts as none here; see `look`.
        """
        found = self.look(image)
        return None if found is None or found.trouble else found

    def look(self, image: str) -> Photograph | None:
        """Return the photograph of this name, readable or not."""
        names = self._by_stem.get(image.rpartition("/")[2])
        if not names:
            return None
        name = max(names, key=lambda n: _shared_end(image_stem(n), image))
        if name not in self._read:
            self._read[name] = self._header(name)
        return self._read[name]

    def fingerprint(self) -> dict[str, str | int]:
        """Return name, sha256 and bytes of what was looked at: the headers, not the pictures."""
        seen = sorted(repr(photograph) for photograph in self._read.values())
        text = "\n".join(seen).encode("utf-8", "backslashreplace")
        name = sound(self.folder.name or self.folder.resolve().name)
        return {"name": name, "sha256": hashlib.sha256(text).hexdigest(), "bytes": len(text)}

    def _header(self, name: str) -> Photograph:
        path = self.folder / name
        if not path.is_file():  # a pipe would wait for ever
            return Photograph(name, trouble="no plain file")
        try:
            with warnings.catch_warnings():
                # A large picture is no danger while only its header is read.
                warnings.simplefilter("ignore")
                with Image.open(path) as image:
                    turn = image.getexif().get(ORIENTATION, 1)
                    known = TYPES.get(path.suffix.lower(), "")
                    return Photograph(
                        name,
                        image.width,
                        image.height,
                        image.format or "",
                        known,
                        image.mode,
                        turn if isinstance(turn, int) else 1,
                    )
        except (UnidentifiedImageError, Image.DecompressionBombError):
            return Photograph(name, trouble="no picture that can be read")
        except (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError) as error:
            return Photograph(name, trouble=type(error).__name__)


def _shared_end(one: str, other: str) -> int:
    """Count the folders, from the file upwards, in which two paths agree."""
    pairs = zip(reversed(one.split("/")), reversed(other.split("/")), strict=False)
    count = 0
    for a, b in pairs:
        if a != b:
            break
        count += 1
    return count
