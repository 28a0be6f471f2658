"""
What a table may hold: columns with meaning, unit and limits, and the check of a table against them.

The tables themselves are listed in ``biaskit.tables``.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from biaskit.errors import TableError

__all__ = ["Column", "Schema"]

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
        >>> from biaskit.tables import REPAIRS
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
