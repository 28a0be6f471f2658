"""Tell the format of a file from its content, and hand it to the reader of that format."""

import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from biaskit.annotations.archive import Named, Source
from biaskit.annotations.box_tables import is_kaggle, read_csv, read_kaggle, read_parquet
from biaskit.annotations.coco import read_coco
from biaskit.annotations.imagenet_xml import XmlOptions
from biaskit.annotations.options import Context, Options
from biaskit.annotations.photographs import Photographs
from biaskit.annotations.raw import RawBox, as_columns
from biaskit.annotations.repairs import Refused, Repair, Repairs
from biaskit.annotations.wsol import WSOL_FILES, read_wsol
from biaskit.annotations.yolo import looks_like_labels, names_in, read_labels
from biaskit.errors import AnnotationError

__all__ = ["Sorter", "size_limit"]

MEGABYTE = 1 << 20
LIMITS = {
    "": 16 * MEGABYTE,
    ".xml": 16 * MEGABYTE,
    ".txt": 16 * MEGABYTE,  # the labels of one image, or a list of names
    ".yaml": MEGABYTE,
    ".yml": MEGABYTE,
    ".names": MEGABYTE,
    ".json": 1024 * MEGABYTE,
    ".csv": 1024 * MEGABYTE,
    ".parquet": 1024 * MEGABYTE,
}
LARGEST_WSOL = 256 * MEGABYTE  # one line for each of ImageNet's images
BATCH_FILES = 500  # a function of the input alone, so that tables are too
BATCH_BYTES = MEGABYTE
READERS: Mapping[str, Callable[[str, bytes, Context], list[RawBox]]] = {
    "coco": read_coco,
    "csv": read_csv,
    "kaggle": read_kaggle,
    "parquet": read_parquet,
}
_NAMES = re.compile(r"(^|/)(classes\.txt|[^/]+\.names|[^/]+\.ya?ml)$", re.IGNORECASE)
_PAPERS = re.compile(r"(^|/)(\.[^/]*|[A-Z]+|Makefile|Dockerfile)$")  # README, LICENSE, .gitignore


def size_limit(file_format: str) -> Callable[[str], int]:
    """Return the function that gives the most bytes worth reading under a name; 0: none."""
    forced = {"imagenet": ".xml", "voc": ".xml"}.get(file_format)

    def limit(name: str) -> int:
        if name.endswith(".xml"):
            return LIMITS[".xml"] if forced or not file_format else 0
        if _PAPERS.search(name):
            return 0
        if name.endswith(WSOL_FILES):
            return 0 if forced else LARGEST_WSOL
        ending = os.path.splitext(name)[1].lower()
        if forced and ending not in ("", forced):
            return 0
        return LIMITS.get(ending, 0)

    return limit


class Sorter:
    """
    Sorts the files of one source by format: XML into batches, others to their readers.

    Files that belong together (a YOLO set and its names, the three texts of wsolevaluation)
    wait until the source has been read.
    """

    def __init__(self, source: Source, options: Options, photographs: Photographs | None) -> None:
        self._options, self._source = options, source
        self._photographs = photographs
        rule = options.format if options.format in ("imagenet", "voc") else ""
        self.xml_options = XmlOptions(source.name, rule, options.split, options.wnids)
        self._batch: list[Named] = []
        self._bytes = 0
        self._texts: list[Named] = []
        self._boxes: list[RawBox] = []
        self._repairs = Repairs()
        self._n_others = 0

    def take(self, item: Named) -> list[Named] | None:
        """Take one file; return a batch of XML when one is full."""
        kind = self._options.format or _format_of(item)
        if kind in ("imagenet", "voc"):
            self._batch.append(item)
            self._bytes += len(item.data)
            full = len(self._batch) >= BATCH_FILES or self._bytes >= BATCH_BYTES
            return self.rest() if full else None
        if kind in ("yolo", "wsol"):
            self._texts.append(item)
        elif kind in READERS:
            self._read(item.name, partial(_read_whole, kind, item, self._context()))
        else:
            self._source.left_aside[os.path.splitext(item.name)[1].lower() or "no ending"] += 1
        return None

    def rest(self) -> list[Named]:
        """Return the XML not yet handed on."""
        batch, self._batch, self._bytes = self._batch, [], 0
        return batch

    def others(self) -> tuple[list[Any], list[Repair], int]:
        """Return columns and repairs of the other formats, and how many files they were."""
        texts, self._texts = self._texts, []
        folders: dict[str, dict[str, bytes]] = {}
        for name, data in texts:
            folder, base = name[: name.rfind("/") + 1], name.rpartition("/")[2]
            if base in WSOL_FILES and self._options.format in ("", "wsol"):
                folders.setdefault(folder, {})[base] = data
        for folder, files in folders.items():
            context = self._context()
            name = folder + next(base for base in WSOL_FILES if base in files)
            self._read(name, partial(read_wsol, folder, files, context))
        in_folders = {folder + base for folder, files in folders.items() for base in files}
        self._read_yolo([item for item in texts if item.name not in in_folders])
        return as_columns(self._boxes), self._repairs.rows, self._n_others

    def _read_yolo(self, texts: list[Named]) -> None:
        names: dict[int, str] = {}
        for item in sorted(texts):
            if _NAMES.search(item.name):
                names = names or names_in(*item)
        labels = [item for item in texts if not _NAMES.search(item.name)]
        if labels and self._photographs is None and self._source.path.is_dir():
            with suppress(AnnotationError):  # no photographs: each file is refused for its size
                self._photographs = Photographs(self._source.path)
        for item in labels:
            self._read(item.name, partial(read_labels, *item, names, self._context()))

    def _context(self) -> Context:
        return Context(self._source.name, self._options, self._photographs, self._repairs)

    def _read(self, name: str, read: Callable[[], list[RawBox]]) -> None:
        self._n_others += 1
        try:
            self._boxes += read()
        except Refused as refused:
            self._repairs.add(name, refused.kind, refused.found)
        except RecursionError:
            self._repairs.add(name, "too_deep", "nested too deep")
        except MemoryError:
            self._repairs.add(name, "too_large", "there is not enough memory for it")


def _read_whole(kind: str, item: Named, context: Context) -> list[RawBox]:
    if not item.data.strip():
        raise Refused("empty", f"{len(item.data)} bytes")
    return READERS[kind](*item, context)


def _format_of(item: Named) -> str:
    """Recognise the format of one file; empty: none that we read."""
    name, data = item
    if name.endswith(".xml"):
        return "imagenet"
    ending = os.path.splitext(name)[1].lower()
    start = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if ending in ("", ".xml") or (start.startswith(b"<") and b"<annotation" in data[:1024]):
        return "imagenet"
    if ending == ".json":
        return "coco"
    if ending == ".parquet" or start.startswith(b"PAR1"):
        return "parquet"
    if ending == ".csv":
        return "kaggle" if is_kaggle(data) else "csv"
    if name.rpartition("/")[2] in WSOL_FILES:
        return "wsol"
    return "yolo" if _NAMES.search(name) or looks_like_labels(name, data) else ""
