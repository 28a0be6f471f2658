"""Read marks of points of any format we know into one checked table."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd

from biaskit.annotations.archive import Named, Source
from biaskit.annotations.formats import LIMITS
from biaskit.annotations.keypoint_coco import read_coco_points
from biaskit.annotations.keypoint_cvat import looks_like_cvat, read_cvat
from biaskit.annotations.keypoint_export import looks_like_export, read_export
from biaskit.annotations.keypoint_labels import labels_of
from biaskit.annotations.keypoint_raw import MarkContext, MarkOptions, RawMark
from biaskit.annotations.keypoint_settle import one_mark_per_point, settle_marks
from biaskit.annotations.keypoint_tables import WHOLE, read_csv_points, read_parquet_points
from biaskit.annotations.photographs import Photographs
from biaskit.annotations.raw import sound
from biaskit.annotations.repairs import KINDS, NOTES, Refused, Repair, Repairs
from biaskit.annotations.result import refuse_repaired
from biaskit.errors import AnnotationError
from biaskit.tables import KEYPOINT_REPAIRS, KEYPOINTS

__all__ = ["MARK_FORMATS", "KeypointsRead", "read_keypoints"]

Progress = Callable[[int, int | None, str], None]
_READERS: Mapping[str, Callable[[str, bytes, MarkContext], list[RawMark]]] = {
    "label-studio": read_export,
    "coco": read_coco_points,
    "cvat": read_cvat,
    "csv": read_csv_points,
    "parquet": read_parquet_points,
}
MARK_FORMATS = tuple(_READERS)
_ENDINGS = {".json": "", ".xml": "cvat", ".csv": "csv", ".parquet": "parquet"}
_LARGEST_XML = 256 << 20  # one file for all images of a job


@dataclass(frozen=True)
class KeypointsRead:
    """
    What was read.

    Attributes
    ----------
    keypoints : DataFrame
        The checked table KEYPOINTS, in the order of its keys.
    repairs : DataFrame
        The checked table KEYPOINT_REPAIRS: all that was changed, refused or left aside.
    inputs : list of dict
        ``name``, ``sha256`` and ``bytes`` of every source; no absolute path.
    n_files : int
        Files seen, refused ones included.
    n_images : int
        Images in ``keypoints``.
    n_annotators : int
        Who marked them.
    n_skipped : int
        Markings that were skipped by their annotator.
    n_refused : int
        Rows of ``repairs`` with nothing kept, notes on things left aside apart.
    counts : mapping
        How many repairs of each kind; see `biaskit.annotations.repairs.KINDS`.
    """

    keypoints: pd.DataFrame
    repairs: pd.DataFrame
    inputs: list[dict[str, str | int]]
    n_files: int
    n_images: int
    n_annotators: int
    n_skipped: int
    n_refused: int
    counts: Mapping[str, int]


def read_keypoints(
    sources: Sequence[Path],
    *,
    format: str | None = None,  # noqa: A002 -- the word users know from --format
    images: Path | None = None,
    labels: Path | None = None,
    category: str | None = None,
    columns: Mapping[str, str] | None = None,
    units: str | None = None,
    annotators: Mapping[str, str] | None = None,
    strict: bool = False,
    progress: Progress | None = None,
) -> KeypointsRead:
    """
    Read marks into one checked table, with every repair, refusal and skip on record.

    Neither the order of sources and files nor that of rows changes the tables.

    Parameters
    ----------
    sources : sequence of Path
        Files, folders and archives: Label Studio's JSON export, COCO keypoints, CVAT's XML for
        images, CSV, Parquet.
    format : str or None
        One of `MARK_FORMATS` instead of what the content says.
    images : Path or None
        Folder of the photographs. Sizes, and turns by EXIF, are held against their headers, and
        sizes are taken from them where the annotation has none.
    labels : Path or None
        A CSV of image and category; it has the last word.
    category : str or None
        What all images show of which nothing else says it.
    columns : mapping or None
        Of a CSV or Parquet: our column to theirs, such as ``{"left_eye_x": "lx"}``.
    units : str or None
        Of a CSV or Parquet: ``px``, ``fraction`` or ``percent`` of the image's sides.
    annotators : mapping or None
        From what the files call an annotator, such as a number, to A1, A2 ...; whoever is not in
        it gets the next ones.
    strict : bool
        Refuse what would be repaired.
    progress : callable or None
        Told the files read, the total if known, and the source.

    Returns
    -------
    KeypointsRead
        Annotators are A1, A2 ... in the order of their numbers in these sources; their names
        are kept nowhere.

    Raises
    ------
    AnnotationError
        If no mark at all could be read, or an option contradicts the files.
    ArchiveError
        If a source does not exist.
    ValueError
        If a name given to an annotator is not A and a number.

    Examples
    --------
    >>> read = read_keypoints([Path("export.json")])  # doctest: +SKIP
    >>> read.keypoints["point"].unique().tolist()  # doctest: +SKIP
    ['left_eye', 'right_eye']
    """
    if format is not None and format not in MARK_FORMATS:
        raise AnnotationError(
            f"unknown format '{format}', expected one of {', '.join(MARK_FORMATS)}."
        )
    if units is not None and units not in WHOLE:
        raise AnnotationError(f"unknown units '{units}', expected {', '.join(WHOLE)}.")
    if not sources:
        raise AnnotationError("no source: name a file, a folder or an archive of marks.")
    given = sound(category or "")
    options = MarkOptions(format or "", columns or {}, units, given, labels_of(labels))
    photographs = Photographs(images) if images is not None else None
    reading = _Reading(options)
    reading.run([Path(path) for path in sources], progress)
    raw, repairs = reading.frame(), reading.repairs
    raw = settle_marks(raw, repairs, photographs)
    raw = raw.assign(image_id=_image_ids(raw, repairs), annotator=_plain(raw, annotators or {}))
    raw = one_mark_per_point(raw, repairs)
    if strict:
        raw = refuse_repaired(raw, repairs)
    inputs = reading.inputs + ([photographs.fingerprint()] if photographs else [])
    if raw.empty:
        raise AnnotationError(_nothing(inputs, repairs, reading.n_files))
    return _result(raw, repairs, inputs, reading.n_files)


class _Reading:
    """All sources on their way into raw marks."""

    def __init__(self, options: MarkOptions) -> None:
        self.options = options
        self.repairs = Repairs()
        self.inputs: list[dict[str, str | int]] = []
        self.n_files = 0
        self._marks: list[tuple[tuple[str, str], list[RawMark]]] = []

    def run(self, paths: list[Path], progress: Progress | None) -> None:
        for path in paths:
            source = Source(path, self._limit)
            prefix = f"{source.name}/" if len(paths) > 1 else ""
            here = Repairs()
            marks: list[RawMark] = []
            for item in source.items():
                self.n_files += 1
                if isinstance(item, Repair):
                    here.extend([item])
                else:
                    marks += self._file(item, here)
                if progress:
                    progress(self.n_files, None, source.name)
            if source.left_aside:
                ends = ", ".join(f"{n} {end}" for end, n in sorted(source.left_aside.items()))
                here.add(source.name, "other_file", ends)
            self.repairs.extend(here.rows, prefix)
            print_of = source.fingerprint()
            self.inputs.append(print_of)
            named = [mark._replace(file=prefix + mark.file) for mark in marks]
            self._marks.append(((str(print_of["name"]), str(print_of["sha256"])), named))

    def _limit(self, name: str) -> int:
        ending = os.path.splitext(name)[1].lower()
        if ending not in _ENDINGS and not self.options.format:
            return 0
        return _LARGEST_XML if ending == ".xml" else LIMITS.get(ending, LIMITS[".json"])

    def _file(self, item: Named, repairs: Repairs) -> list[RawMark]:
        context = MarkContext(self.options, repairs)
        try:
            if not item.data.strip():
                raise Refused("empty", f"{len(item.data)} bytes")
            return _READERS[self.options.format or _format_of(item)](*item, context)
        except Refused as refused:
            repairs.add(item.name, refused.kind, refused.found)
        except RecursionError:
            repairs.add(item.name, "too_deep", "nested too deep")
        except MemoryError:
            repairs.add(item.name, "too_large", "there is not enough memory for it")
        return []

    def frame(self) -> pd.DataFrame:
        """Return all marks in an order that depends on names and contents alone."""
        marks = [mark for _, own in sorted(self._marks, key=lambda s: s[0]) for mark in own]
        raw = pd.DataFrame(marks, columns=list(RawMark._fields))
        kinds = {name: "str" for name, kind in RawMark.__annotations__.items() if kind is str}
        numbers = dict.fromkeys(("order", "x", "y", "whole", "width", "height", "lead_time"), float)
        return raw.astype({**kinds, **numbers, "number": "int64", "object": "int64"})


def _format_of(item: Named) -> str:
    ending = os.path.splitext(item.name)[1].lower()
    if item.data.startswith(b"PAR1"):
        return "parquet"
    if ending == ".xml":
        if not looks_like_cvat(item.data):
            raise Refused("not_annotation", "XML, but not CVAT's for images")
        return "cvat"
    if ending == ".json":
        return "label-studio" if looks_like_export(item.data) else "coco"
    return _ENDINGS.get(ending) or "csv"


def _image_ids(raw: pd.DataFrame, repairs: Repairs) -> pd.Series:
    """Name each image by its file; where two of a category share one, by its folders too."""
    stem = raw["image"].str.rpartition("/")[2] if len(raw) else raw["image"]
    several = raw.groupby([raw["category"], stem])["image"].transform("nunique") > 1
    for (file, image), rows in raw[several].groupby(["file", "image"], sort=True):
        number = int(rows["number"].iloc[0])
        repairs.add(str(file), "same_name", str(image), str(image), number=number)
    return stem.where(~several, raw["image"])


def _plain(raw: pd.DataFrame, given: Mapping[str, str]) -> pd.Series:
    """Call annotators A1, A2 ... : numbers first, in their order, then names."""
    for name in given.values():
        if not re.fullmatch(r"A[1-9][0-9]*", name):
            raise ValueError(f"annotator is to be called {name!r}, expected A1, A2 ...")
    free = (f"A{k}" for k in count(1) if f"A{k}" not in given.values())
    names = sorted(raw["annotator"].unique(), key=_by_number)
    called = {name: given.get(name) or next(free) for name in names}
    return raw["annotator"].map(called).astype("str")


def _by_number(name: str) -> tuple[bool, int, str]:
    whole = name.isascii() and name.isdigit() and len(name) < 19
    return not whole, int(name) if whole else 0, name


def _result(
    raw: pd.DataFrame, repairs: Repairs, inputs: list[dict[str, str | int]], n_files: int
) -> KeypointsRead:
    names = {"width": "image_width", "height": "image_height"}
    table = raw.rename(columns=names)[list(KEYPOINTS.columns)]
    table = KEYPOINTS.check(KEYPOINTS.sort(table), "keypoints")
    found = KEYPOINT_REPAIRS.check(repairs.table(), "keypoint_repairs")
    refused = (found["kept"] == "") & ~found["kind"].isin(list(NOTES))
    counts = repairs.counts
    return KeypointsRead(
        keypoints=table,
        repairs=found,
        inputs=sorted(inputs, key=lambda i: (str(i["name"]), str(i["sha256"]))),
        n_files=n_files,
        n_images=len(table[["category", "image_id"]].drop_duplicates()),
        n_annotators=table["annotator"].nunique(),
        n_skipped=counts.get("skipped", 0),
        n_refused=int(np.count_nonzero(refused)),
        counts=counts,
    )


def _nothing(inputs: list[dict[str, str | int]], repairs: Repairs, n_files: int) -> str:
    where = ", ".join(sorted(str(entry["name"]) for entry in inputs))
    if not repairs.rows:
        return f"{where}: no mark in {n_files} files. Known formats: {', '.join(MARK_FORMATS)}."
    first = min(repairs.rows, key=lambda row: (row.kind in NOTES, row))
    counts = ", ".join(f"{kind} {count}" for kind, count in repairs.counts.items())
    found = f" ({first.found})" if first.found else ""
    return (
        f"{where}: no mark could be read; {counts}. "
        f"First: {first.file}: {first.kind}, {KINDS[first.kind]}{found}."
    )
