"""
Marks of a plain table: CSV or Parquet, a row per object (wide) or per point (long).

Numbers are pixels, fractions or percent of the image's sides; left to us, a table whose numbers
are all within 0 and 1 is read as fractions. Nothing, or -1 in both x and y, is "not marked".
"""

import math
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from biaskit.annotations.box_tables import csv_table, parquet_table
from biaskit.annotations.keypoint_columns import PointColumns, match_point_columns
from biaskit.annotations.keypoint_raw import MarkContext, RawMark, state_of
from biaskit.annotations.raw import image_stem, sound
from biaskit.annotations.repairs import Refused

__all__ = ["read_csv_points", "read_parquet_points"]

WHOLE = {"px": 0.0, "fraction": 1.0, "percent": 100.0}
_NOTHING = {"", "nan", "na", "none", "null"}


def read_csv_points(name: str, data: bytes, context: MarkContext) -> list[RawMark]:
    """
    Read one CSV, separated by comma, semicolon or tab.

    Raises
    ------
    Refused
        If it is not UTF-8, broken, or lacks a column.
    """
    return _read(name, csv_table(data), context)


def read_parquet_points(name: str, data: bytes, context: MarkContext) -> list[RawMark]:
    """
    Read one Parquet file.

    Raises
    ------
    Refused
        If it is broken or lacks a column.
    """
    given = context.options.columns
    table = parquet_table(data, lambda found: match_point_columns(found, given).theirs)
    return _read(name, table, context)


def _read(name: str, table: pd.DataFrame, context: MarkContext) -> list[RawMark]:
    columns = match_point_columns(list(table.columns), context.options.columns)
    values = {theirs: table[theirs].astype(str).tolist() for theirs in columns.theirs}
    places = [(p, its["x"], its["y"]) for p, its in columns.points.items()]
    if columns.long:
        places = [("", columns.long["x"], columns.long["y"])]
    numbers = {c: [_number(text) for text in values[c]] for _, *xy in places for c in xy}
    whole = WHOLE[context.options.units or _units(numbers)]
    objects = _objects(columns, values, len(table))
    marks: list[RawMark] = []
    for row in range(len(table)):
        try:
            blank = _row(name, row, columns, values, objects, context)._replace(whole=whole)
        except Refused as refused:
            context.repairs.add(name, refused.kind, refused.found, number=row)
            continue
        for place in _points(columns, values, numbers, row):
            if isinstance(place, Refused):
                context.repairs.add(name, place.kind, place.found, number=row)
            else:
                point, state, x, y = place
                marks.append(blank._replace(point=point, visibility=state, x=x, y=y))
    return marks


def _units(numbers: Mapping[str, list[float]]) -> str:
    known = np.array([v for values in numbers.values() for v in values], dtype=float)
    known = known[np.isfinite(known) & (known != -1)]
    return "fraction" if len(known) and known.min() >= 0 and known.max() <= 1 else "px"


def _objects(columns: PointColumns, values: Mapping[str, list[str]], n: int) -> list[int]:
    """
    Number the objects of each image: in the order of their names, else of their rows.

    Rows of annotators, of points or of repeats are no objects of their own, nor are rows that
    say the same.
    """
    images = values[columns.common["image_id"]]
    if "object" in columns.common:
        names = values[columns.common["object"]]
        if all(name.isascii() and name.isdigit() and len(name) < 10 for name in names):
            return [int(name) for name in names]
    elif columns.long or "annotator" in columns.common or "annotation" in columns.common:
        return [0] * n
    else:
        names = ["\0".join(row) for row in zip(*values.values(), strict=True)]
    of_image: dict[str, dict[str, int]] = {}
    for image, name in zip(images, names, strict=True):
        of_image.setdefault(image, {}).setdefault(name, len(of_image[image]))
    if "object" in columns.common:
        ordered = {image: sorted(named) for image, named in of_image.items()}
        of_image = {i: {name: k for k, name in enumerate(named)} for i, named in ordered.items()}
    return [of_image[image][name] for image, name in zip(images, names, strict=True)]


def _row(
    name: str,
    row: int,
    columns: PointColumns,
    values: Mapping[str, list[str]],
    objects: list[int],
    context: MarkContext,
) -> RawMark:
    """Return what a row says of all its points."""

    def said(ours: str) -> str:
        theirs = columns.common.get(ours)
        text = sound(values[theirs][row].strip()) if theirs else ""
        return "" if text.lower() in _NOTHING else text

    image = image_stem(said("image_id"))
    if not image:
        raise Refused("no_image", f"row {row}")
    category = context.category(image, said("category"))
    again = _number(said("annotation"))
    seconds = _number(said("lead_time"))
    if said("lead_time") and not 0 <= seconds < math.inf:
        context.repairs.add(name, "bad_time", said("lead_time"), "no time", number=row)
        seconds = math.nan
    return RawMark(
        file=name,
        number=row,
        image=image,
        photograph=image,
        category=category,
        object=objects[row],
        annotator=said("annotator"),
        order=0.0 if math.isnan(again) else again,
        marking=said("annotation"),
        point="",
        visibility="",
        x=math.nan,
        y=math.nan,
        whole=0.0,
        width=_number(said("image_width")),
        height=_number(said("image_height")),
        lead_time=seconds,
    )


def _points(
    columns: PointColumns,
    values: Mapping[str, list[str]],
    numbers: Mapping[str, list[float]],
    row: int,
) -> Iterator[tuple[str, str, float, float] | Refused]:
    if columns.long:
        point = sound(values[columns.long["point"]][row].strip())
        named = {point: columns.long} if point else {}
        if not point:
            yield Refused("no_point", f"row {row}")
    else:
        named = {p: dict(its) for p, its in columns.points.items()}
    for point, its in named.items():
        texts = [values[its[part]][row].strip() for part in ("x", "y")]
        x, y = (numbers[its[part]][row] for part in ("x", "y"))
        word = values[its["visibility"]][row].strip() if "visibility" in its else ""
        state = state_of(word.removesuffix(".0"))
        nothing = all(text.lower() in _NOTHING for text in texts) or (x == -1 and y == -1)
        if nothing and state in ("visible", "occluded"):
            yield Refused("contradiction", f"{point} is {word}, at no place")
        elif nothing or state == "absent":
            yield point, "absent", math.nan, math.nan
        elif not (math.isfinite(x) and math.isfinite(y)):
            yield Refused("not_a_number", f"{point}: {' '.join(texts)}")
        elif word and not state:
            yield Refused("other_answer", f"{point}: visibility {word}")
            yield point, "visible", x, y
        else:
            yield point, state or "visible", x, y


def _number(text: str) -> float:
    try:
        return float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        return math.nan
