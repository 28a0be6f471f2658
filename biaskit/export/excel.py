"""Excel: text stays text, numbers stay numbers, and the same table gives the same bytes."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pyarrow as pa
import xlsxwriter

from biaskit.errors import ExportError
from biaskit.schema import Schema

__all__ = ["excel_bytes"]

MAX_ROWS = 1_048_576  # with the header
MAX_TEXT = 32_767  # UTF-16 units in one cell
# xlsxwriter escapes what looks like an escape, but not where two of them share their middle.
_AMBIGUOUS = re.compile(r"_x[0-9A-Fa-f]{4}(?:_x[0-9A-Fa-f]{4}_|[\x00-\x08\x0b-\x1f\ufffe\uffff])")
# Text is written as text even if it looks like a formula, an address or a number.
_OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": False,
}
_MADE = datetime(2020, 1, 1, tzinfo=UTC).replace(tzinfo=None)  # Excel wants a date: always this one


def excel_bytes(table: pa.Table, schema: Schema, provenance: Mapping[str, str], name: str) -> bytes:
    """
    Write a table as an xlsx workbook: the rows, what the columns mean, and the provenance.

    Parameters
    ----------
    table : pyarrow.Table
    schema : Schema
        Says meaning and unit of the columns.
    provenance : mapping of str
        One row each on the last sheet.
    name : str
        Of the file, for messages.

    Returns
    -------
    bytes
        Numbers have 16 significant digits. Control characters are written in Excel's own way,
        ``_x0007_``, which Excel and ``read_export`` turn back.

    Raises
    ------
    ExportError
        If there are more rows, or a longer text, than a sheet can hold.
    """
    _check(table, name)
    sink = BytesIO()
    book = xlsxwriter.Workbook(sink, _OPTIONS)
    book.set_properties({"created": _MADE})
    bold = book.add_format({"bold": True})
    sheet = book.add_worksheet(schema.name[:31])
    for place, column in enumerate(table.column_names):
        sheet.write_string(0, place, column, bold)
        _write_column(sheet, place, table.column(column))
        sheet.set_column(place, place, min(40, max(10, len(column) + 2)))
    sheet.freeze_panes(1, 1)
    if table.num_columns:
        sheet.autofilter(0, 0, max(table.num_rows, 1), table.num_columns - 1)
    _write_texts(
        book.add_worksheet("columns"),
        [["column", "unit", "meaning"]]
        + [[c, schema.columns[c].unit, schema.columns[c].meaning] for c in table.column_names],
        bold,
    )
    rows = [[key, value[:MAX_TEXT]] for key, value in provenance.items()]
    _write_texts(book.add_worksheet("provenance"), [["what", "value"], *rows], bold)
    book.close()
    return sink.getvalue()


def _check(table: pa.Table, name: str) -> None:
    if table.num_rows + 1 > MAX_ROWS:
        raise ExportError(
            f"{name}: {table.num_rows:,} rows, a sheet holds {MAX_ROWS - 1:,}. "
            "Write csv or parquet instead."
        )
    for column in table.column_names:
        if not pa.types.is_string(table.schema.field(column).type):
            continue
        for row, text in enumerate(table.column(column).to_pylist()):
            trouble = _trouble(text or "")
            if trouble:
                raise ExportError(
                    f"{name}: row {row}, {column} {trouble}. Write csv or parquet instead."
                )


def _trouble(text: str) -> str:
    """Say why a cell cannot hold a text; empty if it can."""
    units = len(text.encode("utf-16-le")) // 2
    if units > MAX_TEXT:
        return f"has {units:,} characters, a cell holds {MAX_TEXT:,}"
    if _AMBIGUOUS.search(text):
        return "mixes control characters with Excel's way of writing them, such as _x0007_"
    return ""


def _write_column(sheet: Any, place: int, values: pa.ChunkedArray) -> None:
    text, flag = pa.types.is_string(values.type), pa.types.is_boolean(values.type)
    write = sheet.write_string if text else sheet.write_boolean if flag else sheet.write_number
    for row, value in enumerate(values.to_pylist(), start=1):
        if value is not None and not (isinstance(value, float) and math.isnan(value)):
            write(row, place, value)


def _write_texts(sheet: Any, rows: list[list[str]], head: Any) -> None:
    for row, texts in enumerate(rows):
        for place, text in enumerate(texts):
            sheet.write_string(row, place, text, head if row == 0 else None)
    sheet.set_column(0, 1, 24)
    sheet.set_column(2, 2, 90)
