"""One table into one file, whole or not at all, with its provenance beside it."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from biaskit.errors import ExportError
from biaskit.export.csv_files import csv_bytes
from biaskit.export.excel import excel_bytes
from biaskit.export.human import html_bytes, latex_bytes, markdown_bytes
from biaskit.provenance import write_bytes_whole, write_json_whole
from biaskit.schema import Schema

__all__ = ["FORMATS", "export_table"]

FORMATS = ("csv", "parquet", "xlsx", "latex", "html", "md")
_BY_ENDING = {"tex": "latex", "htm": "html", "markdown": "md", "pq": "parquet"}
_HUMAN: Mapping[str, Callable[[pd.DataFrame, Schema, Mapping[str, str]], bytes]] = {
    "latex": latex_bytes,
    "html": html_bytes,
    "md": markdown_bytes,
}


def export_table(
    table: pd.DataFrame,
    path: Path,
    *,
    schema: Schema,
    provenance: Mapping[str, Any],
    format: str | None = None,  # noqa: A002
    columns: Sequence[str] | None = None,
) -> Path:
    """
    Write a table for other programs (CSV, Parquet, Excel) or for people (LaTeX, HTML, Markdown).

    For programs every number stays a number, log10 p included, and every text comes back as
    it was through ``read_export``. In a CSV, a text that a spreadsheet would run as a formula
    begins with an apostrophe, which ``read_export`` takes away. For people, log10 p becomes p,
    such as 3.2 × 10^-418, with ≤ before a bound and ≈ before an asymptotic value, and names
    are escaped.

    Parameters
    ----------
    table : DataFrame
        A table of this schema.
    path : Path
        Its folder must exist. A file that is there is replaced, once the new one is whole.
    schema : Schema
    provenance : mapping
        Where the numbers come from, ready for JSON. Written as ``<file>.json``; its key
        ``exported`` holds the table's name, rows and columns and the sha256 of the file.
    format : {"csv", "parquet", "xlsx", "latex", "html", "md"}, optional
        Otherwise the ending of the path decides.
    columns : sequence of str, optional
        Only these, in this order.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ExportError
        If format or columns are unknown, the file cannot be written, or the format cannot
        hold the table.
    TableError
        If the table breaks its schema.

    Examples
    --------
    >>> from biaskit.tables import REPAIRS
    >>> export_table(REPAIRS.empty(), Path("r.doc"), schema=REPAIRS, provenance={})
    Traceback (most recent call last):
    ...
    biaskit.errors.ExportError: r.doc: format 'doc' is unknown, expected csv, parquet, xlsx, \
latex, html, md.
    """
    kind = _format(path, format)
    names = _columns(path, schema, columns)
    checked = schema.check(table, f"table {schema.name}")[names]
    try:
        content = _encode(checked, path.name, schema, provenance, kind)
    except UnicodeError as error:
        raise ExportError(f"{path.name}: a text is not valid Unicode: {error}.") from None
    exported = {
        "table": schema.name,
        "rows": len(checked),
        "columns": {name: _about(schema, name) for name in names},
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    about = {**provenance, "exported": exported}
    try:
        # The provenance first: no moment at which a number stands there without it.
        write_json_whole(path.with_name(f"{path.name}.json"), about)
        write_bytes_whole(path, content)
    except OSError as error:
        raise ExportError(f"{path.name}: cannot be written: {error.strerror}.") from None
    return path


def _format(path: Path, chosen: str | None) -> str:
    ending = (chosen or path.suffix.lstrip(".")).lower()
    kind = _BY_ENDING.get(ending, ending)
    if kind not in FORMATS:
        expected = ", ".join(FORMATS)
        raise ExportError(f"{path.name}: format '{ending}' is unknown, expected {expected}.")
    return kind


def _columns(path: Path, schema: Schema, chosen: Sequence[str] | None) -> list[str]:
    names = list(schema.columns if chosen is None else chosen)
    for name in names:
        if name not in schema.columns:
            known = ", ".join(schema.columns)
            raise ExportError(
                f"{path.name}: column '{name}' is unknown. A table '{schema.name}' has {known}."
            )
    if len(set(names)) < len(names):
        raise ExportError(f"{path.name}: a column is named twice: {', '.join(names)}.")
    return names


def _encode(
    table: pd.DataFrame, name: str, schema: Schema, provenance: Mapping[str, Any], kind: str
) -> bytes:
    facts = {key: _fact(value) for key, value in provenance.items()}
    if kind in _HUMAN:
        return _HUMAN[kind](table, schema, facts)
    part = Schema(schema.name, schema.row, {n: schema.columns[n] for n in map(str, table)})
    rows = part.to_arrow(table)
    if kind == "csv":
        return csv_bytes(rows)
    if kind == "xlsx":
        return excel_bytes(rows, schema, facts, name)
    sink = BytesIO()
    pa.parquet.write_table(rows, sink)
    return sink.getvalue()


def _fact(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _about(schema: Schema, name: str) -> dict[str, str]:
    column = schema.columns[name]
    return {"meaning": column.meaning, "unit": column.unit, "kind": column.kind}
