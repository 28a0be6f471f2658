"""
The schema of every table: what one row is, and each column's meaning, unit and limits.

This is the only place where a column name is invented. A function that makes a table ends
with ``SCHEMA.check(table, where)``, which puts the columns in order and refuses what breaks
a limit; tables then travel as Parquet with exactly the types named here.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from biaskit.errors import TableError

__all__ = [
    "BOXES",
    "CALIBRATION",
    "DRIFT",
    "EFFECTS",
    "MEASURES",
    "REPAIRS",
    "SCHEMAS",
    "SIGNIFICANCE",
    "SYMMETRY",
    "Column",
    "Schema",
]

Kind = Literal["text", "number", "integer", "flag"]
ARROW_TYPES: Mapping[str, pa.DataType] = {
    "text": pa.string(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "flag": pa.bool_(),
}


@dataclass(frozen=True)
class Column:
    """What one column holds, in what unit, and between what limits."""

    meaning: str
    unit: str = ""  # "px", "count", "of image width"; empty for names
    low: float = -math.inf
    high: float = math.inf
    kind: Kind = "number"
    values: tuple[str, ...] = ()  # the only words allowed; empty: any text
    missing: bool = False  # may hold NaN


def _text(meaning: str, *values: str, missing: bool = False) -> Column:
    return Column(meaning, kind="text", values=values, missing=missing)


def _count(meaning: str, unit: str = "count", low: float = 0) -> Column:
    return Column(meaning, unit, low=low, kind="integer")


def _log10_p(meaning: str, *, missing: bool = True) -> Column:
    return Column(meaning, "log10", high=0, missing=missing)


@dataclass(frozen=True)
class Schema:
    """A tidy table: one row per ``row``, told apart by ``keys``, with exactly these columns."""

    name: str
    row: str
    columns: Mapping[str, Column]
    keys: Sequence[str] = field(default=())

    def check(self, table: pd.DataFrame, where: str) -> pd.DataFrame:
        """
        Return the table with its columns in order, or say what is wrong with it.

        Parameters
        ----------
        table : DataFrame
            At least the columns of this schema, in any order. Others are refused.
        where : str
            Where the table came from; every message begins with it.

        Raises
        ------
        TableError
            If a column is missing or unknown, a value is missing, of the wrong kind or
            outside its limits, or two rows have the same keys.

        Examples
        --------
        >>> REPAIRS.check(pd.DataFrame({"file": ["a.xml"]}), "repairs.csv")
        Traceback (most recent call last):
        ...
        biaskit.errors.TableError: repairs.csv: column 'object' is missing. A table 'repairs' \
has the columns file, object, kind, found, kept.
        """
        self._check_names(table, where)
        table = table.loc[:, list(self.columns)].reset_index(drop=True)
        for name, column in self.columns.items():
            _check_column(table[name], name, column, where)
        self._check_keys(table, where)
        return table

    def empty(self) -> pd.DataFrame:
        """Return a table of this schema with no rows."""
        return self.arrow_schema().empty_table().to_pandas()

    def sort(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the rows in the order of the keys, so that no table depends on read order."""
        order = table.sort_values(list(self.keys), kind="stable", ignore_index=True)
        return order.loc[:, list(self.columns)]

    def arrow_schema(self) -> pa.Schema:
        """Return the Parquet types of the columns."""
        return pa.schema([(n, ARROW_TYPES[c.kind]) for n, c in self.columns.items()])

    def to_arrow(self, table: pd.DataFrame) -> pa.Table:
        """Return the table in the types of this schema, without pandas' own metadata."""
        arrays = [
            pa.array(table[name], from_pandas=True).cast(ARROW_TYPES[column.kind])
            for name, column in self.columns.items()
        ]
        return pa.Table.from_arrays(
            [a.combine_chunks() if isinstance(a, pa.ChunkedArray) else a for a in arrays],
            schema=self.arrow_schema(),
        )

    def _check_names(self, table: pd.DataFrame, where: str) -> None:
        has = f"A table '{self.name}' has the columns {', '.join(self.columns)}."
        for name in self.columns:
            if name not in table.columns:
                raise TableError(f"{where}: column '{name}' is missing. {has}")
        for name in table.columns:
            if name not in self.columns:
                raise TableError(f"{where}: column '{name}' is unknown. {has}")

    def _check_keys(self, table: pd.DataFrame, where: str) -> None:
        if not self.keys:
            return
        twice = table.duplicated(list(self.keys))
        if twice.any():
            row = int(np.flatnonzero(twice)[0])
            found = ", ".join(f"{key} {table[key].iloc[row]}" for key in self.keys)
            raise TableError(f"{where}: row {row} repeats {found}; expected once per {self.row}.")


def _check_column(values: pd.Series, name: str, column: Column, where: str) -> None:
    absent = values.isna().to_numpy()
    if absent.any() and not column.missing:
        row = int(np.flatnonzero(absent)[0])
        raise TableError(f"{where}: row {row}, {name} is missing.")
    if column.kind == "text":
        _check_words(values, name, column, where)
    elif len(values):
        _check_numbers(values, name, column, where)


def _check_words(values: pd.Series, name: str, column: Column, where: str) -> None:
    words = values.cat.categories if isinstance(values.dtype, pd.CategoricalDtype) else values
    if not (pd.api.types.is_string_dtype(words) or len(words) == 0):
        raise TableError(f"{where}: {name} holds {words.dtype}, expected text.")
    if column.values:
        unknown = ~values.isin(column.values).to_numpy() & ~values.isna().to_numpy()
        if unknown.any():
            row = int(np.flatnonzero(unknown)[0])
            expected = ", ".join(column.values)
            raise TableError(
                f"{where}: row {row}, {name} is '{values.iloc[row]}', expected one of {expected}."
            )


def _check_numbers(values: pd.Series, name: str, column: Column, where: str) -> None:
    kinds = {"flag": "b", "integer": "iu", "number": "fiu"}[column.kind]
    array = values.to_numpy()
    if array.dtype.kind not in kinds:
        raise TableError(f"{where}: {name} holds {values.dtype}, expected {column.kind}.")
    if column.kind == "flag":
        return
    outside = (array < column.low) | (array > column.high)
    if column.kind == "number":
        outside |= np.isinf(array)
    if outside.any():
        row = int(np.flatnonzero(outside)[0])
        unit = f" {column.unit}" if column.unit else ""
        raise TableError(
            f"{where}: row {row}, {name} is {array[row]:.10g}{unit}, expected {_limits(column)}."
        )


def _limits(column: Column) -> str:
    if math.isinf(column.high):
        return "a finite number" if math.isinf(column.low) else f"at least {column.low:g}"
    if math.isinf(column.low):
        return f"at most {column.high:g}, and finite"
    return f"{column.low:g} to {column.high:g}"


_CATEGORY = _text("what the object is; for ImageNet its wnid, such as n02097474")
_SPLIT = _text("part of the data set, such as train or val; empty if it has none")
_IMAGE_ID = _text("file name of the image without its ending")
_OBJECT = _count("number of the object within its image, from 0")
_MEASURES = (
    "position",
    "position_x",
    "position_y",
    "width",
    "height",
    "area",
    "position_height",
)
_NULLS = ("frame", "fit", "log-uniform", "log-uniform-8px", "log-uniform-32px")
_POLICIES = ("one", "weighted", "all", "largest")
_EDGES = ("with", "without")
_TESTS = ("chi2", "ks", "kuiper", "cvm", "ad", "smooth", "bonferroni")
_P_KINDS = ("exact", "bound", "asymptotic", "monte_carlo", "")
_QUESTION = {
    "category": _CATEGORY,
    "split": _SPLIT,
    "measure": _text("what is measured of the object", *_MEASURES),
    "null": _text("what it is compared with: where objects would be without a choice", *_NULLS),
    "policy": _text("how several objects of one image count", *_POLICIES),
    "edges": _text("with or without boxes that touch the frame on the axis measured", *_EDGES),
}

BOXES = Schema(
    name="boxes",
    row="annotated object",
    keys=("split", "category", "image_id", "object"),
    columns={
        "category": _CATEGORY,
        "image_id": _IMAGE_ID,
        "object": _OBJECT,
        "split": _SPLIT,
        # The size on the annotator's screen, which is not always the file's own.
        "image_width": _count("width of the image as annotated", "px", low=1),
        "image_height": _count("height of the image as annotated", "px", low=1),
        "x_min": Column("left edge of the box", "of image width", 0, 1),
        "y_min": Column("top edge of the box", "of image height", 0, 1),
        "x_max": Column("right edge of the box", "of image width", 0, 1),
        "y_max": Column("bottom edge of the box", "of image height", 0, 1),
        "lattice": Column("step of the annotation's grid; 0 if continuous", "px", low=0),
    },
)

REPAIRS = Schema(
    name="repairs",
    row="thing a reader changed or refused",
    columns={
        "file": _text("the file within its source, with / between folders"),
        "object": _count("number of the object within its file; -1: the whole file", low=-1),
        "kind": _text("what was wrong, one of biaskit.annotations.repairs.KINDS"),
        "found": _text("what stood there"),
        "kept": _text("what was kept instead; empty: refused"),
    },
)

MEASURES = Schema(
    name="measures",
    row="annotated object",
    keys=("split", "category", "image_id", "object"),
    columns={
        "category": _CATEGORY,
        "image_id": _IMAGE_ID,
        "object": _OBJECT,
        "split": _SPLIT,
        "centre_x": Column("horizontal centre of the box", "of image width", 0, 1),
        "centre_y": Column("vertical centre of the box", "of image height", 0, 1),
        "width": Column("width of the box", "of image width", 0, 1),
        "height": Column("height of the box", "of image height", 0, 1),
        "area": Column("area of the box", "of image area", 0, 1),
        "touches": _text("sides of the frame the box touches: some of L, T, R, B, in this order"),
    },
)

SIGNIFICANCE = Schema(
    name="significance",
    row="test of one category",
    keys=("category", "split", "measure", "null", "policy", "edges", "test"),
    columns={
        **_QUESTION,
        "test": _text("the statistic", *_TESTS),
        "n_images": _count("images that entered the test"),
        "n_objects": _count("objects that entered the test"),
        "n_excluded": _count("objects left out: no room, touching, or smaller than the null"),
        "statistic": Column("value of the statistic; missing without data", missing=True),
        "log10_p": _log10_p("log10 of the p-value: the one to quote"),
        "p_kind": _text("what log10_p is", *_P_KINDS),
        "log10_p_asymptotic": _log10_p("the large-sample value, to stand beside"),
        "log10_p_low": _log10_p("least log10_p over the redraws of chance; missing if not redrawn"),
        "log10_p_high": _log10_p("greatest log10_p over the redraws of chance"),
        "log10_bonferroni": _log10_p("corrected over the categories of this test, Bonferroni"),
        "log10_holm": _log10_p("corrected, Holm"),
        "log10_bh": _log10_p("corrected, Benjamini-Hochberg"),
        "log10_by": _log10_p("corrected, Benjamini-Yekutieli"),
        "flags": _text("cautions, separated by spaces; see the README"),
    },
)

EFFECTS = Schema(
    name="effects",
    row="effect size of one category",
    keys=("category", "split", "measure", "null", "policy", "edges", "effect"),
    columns={
        **_QUESTION,
        "effect": _text("which effect size; see biaskit.bias.effects"),
        "value": Column("estimate, corrected for its bias where it has one", missing=True),
        "low": Column("lower end of the interval", missing=True),
        "high": Column("upper end of the interval; missing for a one-sided one", missing=True),
        "expected": Column("what the null expects", missing=True),
        "level": Column("confidence level of the interval", "share", 0, 1, missing=True),
        "n": _count("images that entered"),
    },
)

SYMMETRY = Schema(
    name="symmetry",
    row="symmetry or coupling test of one category",
    keys=("category", "split", "policy", "edges", "test"),
    columns={
        "category": _CATEGORY,
        "split": _SPLIT,
        "policy": _QUESTION["policy"],
        "edges": _QUESTION["edges"],
        "test": _text(
            "mirror_sign and mirror_mean: left against right; coupling: size with eccentricity",
            "mirror_sign",
            "mirror_mean",
            "coupling",
        ),
        "n_images": _count("images that entered the test"),
        "n_objects": _count("objects that entered the test"),
        "statistic": Column("value of the statistic", missing=True),
        "log10_p": _log10_p("log10 of the p-value"),
        "p_kind": _text("what log10_p is", *_P_KINDS),
        "effect": Column(
            "share right of the middle less 1/2; mean of u less 1/2; rank correlation",
            missing=True,
        ),
        "low": Column("lower end of the effect's 95 % interval", missing=True),
        "high": Column("upper end of the effect's 95 % interval", missing=True),
        "log10_bh": _log10_p("corrected over categories, Benjamini-Hochberg"),
        "flags": _text("cautions, separated by spaces"),
    },
)

DRIFT = Schema(
    name="drift",
    row="comparison of one category between two sets of boxes",
    keys=("category", "measure", "test"),
    columns={
        "category": _CATEGORY,
        "measure": _QUESTION["measure"],
        "test": _text("two-sample statistic on image-weighted distributions", "ks", "cvm", "chi2"),
        "n_images_a": _count("images of the first set: this study"),
        "n_images_b": _count("images of the second set: the one it is held against"),
        "n_objects_a": _count("objects of the first set"),
        "n_objects_b": _count("objects of the second set"),
        "statistic": Column("value of the statistic", missing=True),
        "log10_p": _log10_p("log10 of the p-value; whole images permuted between the sets"),
        "p_kind": _text("what log10_p is", *_P_KINDS),
        "difference": Column("mean of the first set less mean of the second", missing=True),
        "low": Column("lower end of the difference's 95 % interval", missing=True),
        "high": Column("upper end of the difference's 95 % interval", missing=True),
        "log10_bonferroni": _log10_p("corrected over categories, Bonferroni"),
        "log10_bh": _log10_p("corrected over categories, Benjamini-Hochberg"),
        "flags": _text("cautions, separated by spaces"),
    },
)

CALIBRATION = Schema(
    name="calibration",
    row="simulated experiment",
    keys=("kind", "subject", "measure", "null", "scenario", "n", "level"),
    columns={
        "kind": _text(
            "size: rejections under the null; power: under a planted bias; coverage: of an "
            "interval; tail: log10 p against exact enumeration",
            "size",
            "power",
            "coverage",
            "tail",
        ),
        "subject": _text("the test or effect on trial"),
        "measure": _text("what is measured", *_MEASURES),
        "null": _text("the null", *_NULLS),
        "scenario": _text("how the data were made"),
        "n": _count("images per simulated category"),
        "level": Column("nominal level; for a tail, the exact log10 p"),
        "rate": Column("share rejected or covered; for a tail, the log10 p given", missing=True),
        "low": Column("lower end of its 99 % binomial interval", missing=True),
        "high": Column("upper end of its 99 % binomial interval", missing=True),
        "runs": _count("simulated categories"),
    },
)

SCHEMAS: Mapping[str, Schema] = {
    schema.name: schema
    for schema in (
        BOXES,
        REPAIRS,
        MEASURES,
        SIGNIFICANCE,
        EFFECTS,
        SYMMETRY,
        DRIFT,
        CALIBRATION,
    )
}
