"""What a reading gives back: the checked tables, and one helpful line if there is nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from biaskit.annotations.options import FORMATS
from biaskit.annotations.repairs import KINDS, NOTES, Repairs
from biaskit.errors import AnnotationError
from biaskit.tables import BOXES

__all__ = ["BoxesRead", "boxes_read", "refuse_repaired"]


@dataclass(frozen=True)
class BoxesRead:
    """
    What was read.

    Attributes
    ----------
    boxes : DataFrame
        The checked table BOXES, in the order of its keys.
    repairs : DataFrame
        The checked table REPAIRS: all that was changed, refused or left aside.
    inputs : list of dict
        ``name``, ``sha256`` and ``bytes`` of every source; no absolute path.
    n_files : int
        Annotation files seen, refused ones included.
    n_objects : int
        Objects with a box that the files held, before any was refused or left out as a copy.
    n_images : int
        Images in ``boxes``.
    n_refused : int
        Rows of ``repairs`` with nothing kept, notes on things left aside apart.
    counts : mapping
        How many repairs of each kind; see `biaskit.annotations.repairs.KINDS`.
    """

    boxes: pd.DataFrame
    repairs: pd.DataFrame
    inputs: list[dict[str, str | int]]
    n_files: int
    n_objects: int
    n_images: int
    n_refused: int
    counts: Mapping[str, int]


def refuse_repaired(raw: pd.DataFrame, repairs: Repairs) -> pd.DataFrame:
    """Drop every object and file that was repaired, and say so in the same rows."""
    files: set[str] = set()
    objects: set[tuple[str, int]] = set()
    for place, row in enumerate(repairs.rows):
        if row.kept and row.kind not in NOTES:
            repairs.rows[place] = row._replace(kept="")
            files.update([row.file] if row.object < 0 else [])
            objects.add((row.file, row.object))
    named = pd.MultiIndex.from_arrays([raw["file"], raw["number"].astype(int)])
    bad = raw["file"].isin(files).to_numpy() | named.isin(list(objects) or [("", -2)])
    return raw[~bad].reset_index(drop=True)


def boxes_read(
    raw: pd.DataFrame,
    repairs: Repairs,
    inputs: list[dict[str, str | int]],
    n_files: int,
    n_objects: int,
) -> BoxesRead:
    """
    Check and sort what is left, or say in one line why nothing is.

    Raises
    ------
    AnnotationError
        If no box is left.
    """
    if raw.empty:
        raise AnnotationError(_nothing(inputs, repairs, n_files))
    whole = {"object": "object", "width": "image_width", "height": "image_height"}
    boxes = raw.rename(columns=whole)[list(BOXES.columns)]
    boxes = boxes.astype(dict.fromkeys(whole.values(), "int64"))
    boxes = BOXES.check(BOXES.sort(boxes), "boxes")
    table = repairs.table()
    refused = (table["kept"] == "") & ~table["kind"].isin(list(NOTES))
    return BoxesRead(
        boxes=boxes,
        repairs=table,
        inputs=sorted(inputs, key=lambda i: (str(i["name"]), str(i["sha256"]))),
        n_files=n_files,
        n_objects=n_objects,
        n_images=len(boxes[["split", "image_id"]].drop_duplicates()),
        n_refused=int(refused.sum()),
        counts=repairs.counts,
    )


def _nothing(inputs: list[dict[str, str | int]], repairs: Repairs, n_files: int) -> str:
    where = ", ".join(sorted(str(entry["name"]) for entry in inputs))
    if not repairs.rows:
        return f"{where}: no box in {n_files} files. Known formats: {', '.join(FORMATS)}."
    first = min(repairs.rows, key=lambda row: (row.kind in NOTES, row))
    counts = ", ".join(f"{kind} {count}" for kind, count in repairs.counts.items())
    found = f" ({first.found})" if first.found else ""
    return (
        f"{where}: no box could be read; {counts}. "
        f"First: {first.file}: {first.kind}, {KINDS[first.kind]}{found}."
    )
