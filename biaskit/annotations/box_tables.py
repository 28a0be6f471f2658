"""
Boxes of a plain table: CSV or Parquet with one row per object, or Kaggle's solution files.

Columns are found by their usual names or by a mapping from ours to theirs. Numbers are edges: in
pixels (lattice 1 px if all are whole, else 0) or in fractions of the image's sides; left to us, a
table whose numbers are all within 0 and 1 is read as fractions. Kaggle's LOC_*_solution.csv holds
the numbers of ImageNet's XML, and no sizes: they come from the photographs.
"""

import io
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from biaskit.annotations.column_names import match_columns
from biaskit.annotations.imagenet_xml import IMAGENET
from biaskit.annotations.limits import Budget
from biaskit.annotations.options import Context
from biaskit.annotations.raw import Convention, RawBox, image_stem, sound
from biaskit.annotations.repairs import Refused

__all__ = [
    "csv_table",
    "is_kaggle",
    "parquet_table",
    "read_csv",
    "read_kaggle",
    "read_parquet",
    "read_table",
]

KAGGLE = ["imageid", "predictionstring"]
MOST_ROWS = 50_000_000
MOST_COLUMNS = 10_000
LONGEST_HEAD = 1 << 20  # bytes of a CSV's first line that are looked at
PIECE_ROWS = 1 << 12  # a Parquet is unpacked piece by piece, so that a bomb is seen in time
PARQUET_ERRORS = (
    pa.ArrowException,
    OSError,
    ValueError,
    OverflowError,
    KeyError,
    TypeError,
)
SIDES = ["x_min", "y_min", "x_max", "y_max"]


def is_kaggle(data: bytes) -> bool:
    """Tell Kaggle's solution files by their first line."""
    head = data[:200].lstrip(b"\xef\xbb\xbf").split(b"\n", 1)[0]
    return [word.strip().lower() for word in head.decode("latin-1").split(",")] == KAGGLE


def read_csv(name: str, data: bytes, context: Context) -> list[RawBox]:
    """
    Read one CSV, separated by comma, semicolon or tab.

    Raises
    ------
    Refused
        If it is not UTF-8, broken, or lacks a column; see `read_table`.
    """
    return read_table(name, csv_table(data), context)


def read_parquet(name: str, data: bytes, context: Context) -> list[RawBox]:
    """
    Read one Parquet file.

    Raises
    ------
    Refused
        If it is broken or lacks a column; see `read_table`.
    """
    # Only what is needed: other columns may hold pictures.
    table = parquet_table(
        data, lambda found: match_columns(found, context.options.columns).values()
    )
    return read_table(name, table, context)


def parquet_table(data: bytes, wanted: Callable[[Sequence[str]], Iterable[str]]) -> pd.DataFrame:
    """
    Return columns of a Parquet file as texts.

    Parameters
    ----------
    data : bytes
        The file.
    wanted : callable
        Given the names of all columns, those to read.

    Raises
    ------
    Refused
        If it is broken, or unpacks to far more than its size.
    """
    try:
        file = pq.ParquetFile(io.BytesIO(data))
        size, names = file.metadata.num_rows, file.schema_arrow.names
    except PARQUET_ERRORS as error:
        raise Refused("broken", str(error)) from None
    if size > MOST_ROWS:  # equal values pack to nothing: a small file may hold billions
        raise Refused("bomb", f"{size:,} rows")
    chosen = list(wanted(names))
    try:
        columns = _unpacked(file, chosen, Budget(len(data)))
    except PARQUET_ERRORS as error:
        raise Refused("broken", str(error)) from None
    return pd.DataFrame(columns, dtype=object)


def _unpacked(file: pq.ParquetFile, names: list[str], budget: Budget) -> dict[str, list[str]]:
    columns: dict[str, list[str]] = {name: [] for name in names}
    for piece in file.iter_batches(PIECE_ROWS, columns=list(columns)):
        budget.spend(piece.nbytes)
        for name, values in columns.items():
            values += ["" if v is None else str(v) for v in piece.column(name).to_pylist()]
    return columns


def read_table(name: str, table: pd.DataFrame, context: Context) -> list[RawBox]:
    """
    Turn a table of texts into raw boxes.

    Parameters
    ----------
    name : str
        The file within its source.
    table : DataFrame of str
        One row per object.
    context : Context
        Its options name columns and units; its repairs receive ``no_category``,
        ``no_image`` and ``not_a_number``.

    Returns
    -------
    list of RawBox

    Raises
    ------
    Refused
        Of kind ``not_annotation``, naming the columns found and how to map them.
    """
    columns = match_columns(list(table.columns), context.options.columns)
    values = {ours: table[theirs].tolist() for ours, theirs in columns.items()}
    edges = _edges(values)
    convention = _convention(edges, values, context.options.units)
    split, n_rows = context.split(name), len(table)
    lattice = [_number(text) for text in values.get("lattice", [""] * n_rows)]
    sizes = [
        [_number(text) for text in values.get(side, [""] * n_rows)]
        for side in ("image_width", "image_height")
    ]
    seen: Counter[str] = Counter()
    boxes: list[RawBox] = []
    for row in range(n_rows):
        image = image_stem(sound(values["image_id"][row].strip()))
        category = sound(values["category"][row].strip())
        kind = "" if category else "no_category"
        kind = kind if image else "no_image"
        kind = kind if np.isfinite(edges[row]).all() else "not_a_number"
        if kind:
            found = " ".join(values[side][row] or "?" for side in columns)
            context.repairs.add(name, kind, found, number=row)
            continue
        part = values["split"][row] if "split" in values else split
        if context.options.split is not None:
            part = context.options.split
        seen[f"{part}/{image}"] += 1
        grid = convention.lattice if math.isnan(lattice[row]) else lattice[row]
        first = (name, row, image, seen[f"{part}/{image}"] - 1, category, sound(part))
        size = (sizes[0][row], sizes[1][row])
        boxes.append(RawBox._make((*first, *size, *edges[row], *convention._replace(lattice=grid))))
    return boxes


def csv_table(data: bytes) -> pd.DataFrame:
    r"""
    Return a CSV as texts, whatever separates its columns.

    Raises
    ------
    Refused
        If it is empty, not UTF-8, broken, or has more columns than any table of ours.

    Examples
    --------
    >>> csv_table(b"a;b\n1;2").values.tolist()
    [['1', '2']]
    """
    head = next(iter(data.lstrip(b"\xef\xbb\xbf\r\n")[:LONGEST_HEAD].splitlines()), b"")
    separator = max(",;\t", key=lambda mark: head.count(mark.encode()))
    n_columns = head.count(separator.encode()) + 1
    if n_columns > MOST_COLUMNS:  # each takes time, whatever its length
        raise Refused("not_annotation", f"{n_columns:,} columns")
    try:
        return pd.read_csv(
            io.BytesIO(data),
            sep=separator,
            dtype="str",
            keep_default_na=False,
            index_col=False,
            encoding="utf-8-sig",
        )
    except UnicodeDecodeError as error:
        raise Refused("not_utf8", str(error)) from None
    except (ValueError, OverflowError, pd.errors.ParserError, pd.errors.ParserWarning) as error:
        kind = "empty" if isinstance(error, pd.errors.EmptyDataError) else "broken"
        raise Refused(kind, str(error)) from None


def _edges(values: Mapping[str, list[str]]) -> np.ndarray:
    def column(name: str) -> np.ndarray:
        return np.array([_number(text) for text in values[name]], dtype=float)

    x, y = column("x_min"), column("y_min")
    if "x_max" in values:
        return np.stack([x, y, column("x_max"), column("y_max")], axis=1)
    return np.stack([x, y, x + column("box_width"), y + column("box_height")], axis=1)


def _convention(edges: np.ndarray, values: Mapping[str, Any], units: str | None) -> Convention:
    known = edges[np.isfinite(edges).all(axis=1)]
    if units is None:
        within = len(known) > 0 and known.min() >= 0 and known.max() <= 1
        units = "fraction" if within or "lattice" in values else "px"
    whole = units == "px" and bool((known == np.floor(known)).all())
    return Convention(first=0, reach=0, lattice=float(whole), fraction=units == "fraction")


def _number(text: str) -> float:
    try:
        return float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        return math.nan


def read_kaggle(name: str, data: bytes, context: Context) -> list[RawBox]:
    """
    Read one of Kaggle's LOC_train_solution.csv and LOC_val_solution.csv.

    Parameters
    ----------
    name : str
        The file within its source; it tells the split.
    data : bytes
        Lines of ``ImageId,PredictionString``, the latter of wnid and four numbers, repeated.
    context : Context
        Its photographs give the sizes.

    Returns
    -------
    list of RawBox
        Sizes are NaN where there is no photograph.

    Raises
    ------
    Refused
        If no photographs were named, or it is not UTF-8 or broken.
    """
    if context.photographs is None:
        raise Refused(
            "no_size",
            "Kaggle's solutions hold no image sizes: name the folder of the photographs with "
            "--images",
        )
    table, split = csv_table(data), context.split(name)
    boxes: list[RawBox] = []
    number = -1
    seen: Counter[str] = Counter()
    for image, text in zip(table.iloc[:, 0], table.iloc[:, 1], strict=True):
        words, stem = text.split(), image_stem(image)
        photograph = context.photographs.find(image)
        size = (photograph.width, photograph.height) if photograph else (math.nan, math.nan)
        for place in range(0, max(len(words), 1), 5):
            number += 1
            seen[stem] += 1
            category, *texts = words[place : place + 5] or [""]
            numbers = [_number(text) for text in texts]
            if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
                found = f"{image}: {' '.join(words[place : place + 5])}"
                context.repairs.add(name, "not_a_number", found, number=number)
                continue
            first = (name, number, stem, seen[stem] - 1, category, split)
            boxes.append(RawBox._make((*first, *size, *numbers, *IMAGENET)))
    return boxes
