"""Tell the format of a file from its content, and hand it to the reader of that format."""

import os
import re
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from biaskit.annotations.archive import Named, Source
from biaskit.annotations.imagenet_xml import XmlOptions
from biaskit.annotations.photographs import Photographs
from biaskit.annotations.raw import TEXT, RawBox
from biaskit.annotations.repairs import Repair, Repairs

__all__ = ["FORMATS", "Options", "Sorter", "size_limit"]

FORMATS = ("imagenet", "voc", "coco", "yolo", "kaggle", "wsol", "csv", "parquet")
MEGABYTE = 1 << 20
LIMITS = {
    "": 16 * MEGABYTE,
    ".xml": 16 * MEGABYTE,
    ".txt": 256 * MEGABYTE,
    ".yaml": MEGABYTE,
    ".yml": MEGABYTE,
    ".names": MEGABYTE,
    ".json": 1024 * MEGABYTE,
    ".csv": 1024 * MEGABYTE,
    ".parquet": 1024 * MEGABYTE,
}
BATCH_FILES = 500  # a function of the input alone, so that tables are too
BATCH_BYTES = MEGABYTE
_PAPERS = re.compile(r"(^|/)(\.[^/]*|[A-Z]+|Makefile|Dockerfile)$")  # README, LICENSE, .gitignore


@dataclass(frozen=True)
class Options:
    """What the caller decided for all sources; empty values leave it to the files."""

    format: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    units: str | None = None
    split: str | None = None
    wnids: Mapping[str, str] = field(default_factory=dict)


def size_limit(file_format: str) -> Callable[[str], int]:
    """Return the function that gives the most bytes worth reading under a name; 0: none."""
    forced = {"imagenet": ".xml", "voc": ".xml"}.get(file_format)

    def limit(name: str) -> int:
        if _PAPERS.search(name):
            return 0
        ending = os.path.splitext(name)[1].lower()
        if forced and ending not in ("", forced):
            return 0
        return LIMITS.get(ending, 0)

    return limit


class Sorter:
    """Sorts the files of one source by format: XML into batches, others to their readers."""

    def __init__(self, source: Source, options: Options, photographs: Photographs | None) -> None:
        self.options, self.photographs, self.source = options, photographs, source
        rule = options.format if options.format in ("imagenet", "voc") else ""
        self.xml_options = XmlOptions(source.name, rule, options.split, options.wnids)
        self._batch: list[Named] = []
        self._bytes = 0
        self._n_others = 0
        self._repairs = Repairs()
        self._boxes: list[RawBox] = []

    def take(self, item: Named) -> list[Named] | None:
        """Take one file; return a batch of XML when one is full."""
        self._batch.append(item)
        self._bytes += len(item.data)
        if len(self._batch) < BATCH_FILES and self._bytes < BATCH_BYTES:
            return None
        return self.rest()

    def rest(self) -> list[Named]:
        """Return the XML not yet handed on."""
        batch, self._batch, self._bytes = self._batch, [], 0
        return batch

    def others(self) -> tuple[list[Any], list[Repair], int]:
        """Return columns and repairs of the other formats, and how many files they were."""
        rows: list[Any] = list(zip(*self._boxes, strict=True)) or [()] * len(RawBox._fields)
        columns = [
            list(values) if name in TEXT else array("d", values)
            for name, values in zip(RawBox._fields, rows, strict=True)
        ]
        return columns, self._repairs.rows, self._n_others
