"""Read box files of any format we know into one checked table: the face of this package."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd

from biaskit.annotations.archive import Source
from biaskit.annotations.columns import Columns
from biaskit.annotations.formats import Sorter, size_limit
from biaskit.annotations.options import FORMATS, Options
from biaskit.annotations.photograph_checks import check_photographs
from biaskit.annotations.photographs import Photographs
from biaskit.annotations.processes import Batch, parse_batches
from biaskit.annotations.raw import sound
from biaskit.annotations.repairs import Repair, Repairs
from biaskit.annotations.result import BoxesRead, boxes_read, refuse_repaired
from biaskit.annotations.same_image import SAME, leave_out_copies, one_file_per_image
from biaskit.annotations.settle import settle_boxes, settle_sizes
from biaskit.annotations.synsets import wnids_of
from biaskit.engines import default_workers
from biaskit.errors import AnnotationError

__all__ = ["BoxesRead", "read_boxes"]

Progress = Callable[[int, int | None, str], None]


def read_boxes(
    sources: Sequence[Path],
    *,
    format: str | None = None,  # noqa: A002 -- the word users know from --format
    images: Path | None = None,
    columns: Mapping[str, str] | None = None,
    units: str | None = None,
    split: str | None = None,
    words: Path | None = None,
    strict: bool = False,
    workers: int | None = None,
    near_copies: float | None = SAME,
    progress: Progress | None = None,
) -> BoxesRead:
    """
    Read box files into one checked table, with every repair and refusal on record.

    The format of each file is recognised from its content. Neither the order of sources and
    files nor the number of processes changes the tables.

    Parameters
    ----------
    sources : sequence of Path
        Folders, files and archives (.tar, .tar.gz, .tgz, .zip, and archives within these).
    format : str or None
        One of `biaskit.annotations.options.FORMATS` instead of what the content says.
    images : Path or None
        Folder of the photographs: sizes are checked against their headers, and taken from
        them where the annotation has none.
    columns : mapping or None
        Of a CSV or Parquet: our column to theirs, such as ``{"x_min": "left"}``.
    units : str or None
        Of a CSV or Parquet: ``px`` or ``fraction`` of the image's sides.
    split : str or None
        Name of the part, such as val; None: from the paths.
    words : Path or None
        File of wnids and words, where words stand for wnids.
    strict : bool
        Refuse what would be repaired.
    workers : int or None
        Processes that parse XML; None: one per processor.
    near_copies : float or None
        Overlap (IoU) above which two boxes of one image and category are one object marked
        twice, of which the first is kept; None keeps all.
    progress : callable or None
        Told the files read, the total if known, and the source.

    Returns
    -------
    BoxesRead

    Raises
    ------
    AnnotationError
        If no box at all could be read, or an option contradicts the files.
    ArchiveError
        If a source does not exist.

    Examples
    --------
    >>> read = read_boxes([Path("ILSVRC2012_bbox_val_v3.tgz")])  # doctest: +SKIP
    >>> read.n_images, read.n_objects  # doctest: +SKIP
    (50000, 80477)
    """
    split = None if split is None else sound(split)
    options = Options(_known(format), columns or {}, units, split, wnids_of(words))
    if units not in (None, "px", "fraction"):
        raise AnnotationError(f"unknown units '{units}', expected px or fraction.")
    if not sources:
        raise AnnotationError("no source: name a folder, a file or an archive of boxes.")
    photographs = Photographs(images) if images is not None else None
    reading = _Reading([Source(Path(path), size_limit(options.format)) for path in sources])
    reading.run(options, photographs, workers or default_workers(), progress)
    raw, repairs = reading.frame(), reading.repairs
    n_objects = len(raw)
    raw = settle_boxes(settle_sizes(raw, repairs, photographs), repairs)
    raw = one_file_per_image(raw, repairs)
    if near_copies is not None:
        raw = leave_out_copies(raw, repairs, near_copies)
    if photographs:
        check_photographs(raw, repairs, photographs)
    if strict:
        raw = refuse_repaired(raw, repairs)
    inputs = reading.inputs + ([photographs.fingerprint()] if photographs else [])
    return boxes_read(raw, repairs, inputs, reading.n_files, n_objects)


def _known(name: str | None) -> str:
    if name is None or name in FORMATS:
        return name or ""
    raise AnnotationError(f"unknown format '{name}', expected one of {', '.join(FORMATS)}.")


class _Reading:
    """All sources on their way into columns."""

    def __init__(self, sources: list[Source]) -> None:
        self.sources = sources
        self.repairs = Repairs()
        self.inputs: list[dict[str, str | int]] = []
        self.n_files = 0
        self._columns = Columns()
        self._prefixes = [f"{s.name}/" if len(sources) > 1 else "" for s in sources]
        self._now = ""

    def run(
        self,
        options: Options,
        photographs: Photographs | None,
        workers: int,
        progress: Progress | None,
    ) -> None:
        """Read everything, XML in other processes, the rest here."""
        batches = self._batches(options, photographs)
        # Closing ends the processes at once, also when the caller keeps the traceback.
        with closing(parse_batches(batches, workers)) as parsed:
            for source, n_files, columns, repairs in parsed:
                self._columns.add(columns, source)
                self.repairs.extend(repairs, self._prefixes[source])
                self.n_files += n_files
                if progress:
                    progress(self.n_files, None, self._now)
        self.inputs = [source.fingerprint() for source in self.sources]

    def _batches(self, options: Options, photographs: Photographs | None) -> Iterator[Batch]:
        for number, source in enumerate(self.sources):
            self._now = source.name
            sorter = Sorter(source, options, photographs)
            for item in source.items():
                if isinstance(item, Repair):
                    self.n_files += 1
                    self.repairs.extend([item], self._prefixes[number])
                elif batch := sorter.take(item):
                    yield number, sorter.xml_options, batch
            if batch := sorter.rest():
                yield number, sorter.xml_options, batch
            found, repairs, n_files = sorter.others()
            self._columns.add(found, number)
            self.repairs.extend(repairs, self._prefixes[number])
            self.n_files += n_files
            if source.left_aside:
                self._note_left_aside(source, self._prefixes[number])

    def _note_left_aside(self, source: Source, prefix: str) -> None:
        ends = ", ".join(f"{count} {end}" for end, count in sorted(source.left_aside.items()))
        self.repairs.add(prefix + source.name, "other_file", ends)

    def frame(self) -> pd.DataFrame:
        """Return the raw boxes in an order that depends on names and contents alone."""
        raw = self._columns.frame()
        identity = [(i["name"], i["sha256"], i["bytes"]) for i in self.inputs]
        rank = {number: rank for rank, number in enumerate(_sorted_order(identity))}
        raw["source"] = raw["source"].map(rank).astype("int32")
        if len(self.sources) > 1:
            prefix = np.array([self._prefixes[n] for n in rank], dtype=object)
            raw["file"] = pd.array(prefix[raw["source"]], dtype="str") + raw["file"]
        return raw.sort_values(["source", "file", "number"], kind="stable", ignore_index=True)


def _sorted_order(values: Sequence[tuple[str | int, ...]]) -> list[int]:
    return sorted(range(len(values)), key=values.__getitem__)
