"""
Excel workbooks that we wrote, read back to the letter.

Libraries that read workbooks leave control characters in Excel's escapes, and then cannot tell
them from a text that only looks like an escape; so the two XML files that matter are read here.
"""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from lxml import etree

from biaskit.errors import ExportError
from biaskit.schema import Schema

__all__ = ["read_excel"]

_NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_SHEET, _STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"


def read_excel(path: Path, schema: Schema) -> pa.Table:
    """
    Read the first sheet of a workbook that ``excel_bytes`` wrote, every text as it was.

    Excel cannot tell an empty text from a missing one: both come back as empty text, or as
    missing where the schema allows that.

    Raises
    ------
    ExportError
        If the file cannot be read, or has a column that is not in the schema.
    """
    try:
        with zipfile.ZipFile(path) as book:
            texts = _texts(book) if _STRINGS in book.namelist() else []
            rows = list(_rows(book, texts))
    except (OSError, KeyError, IndexError, ValueError, zipfile.BadZipFile, etree.Error) as error:
        raise ExportError(f"{path.name}: cannot be read as xlsx: {error}.") from None
    places = rows[0] if rows else {}
    for name in places.values():
        if name not in schema.columns:
            raise ExportError(f"{path.name}: column '{name}' is not of a table '{schema.name}'.")
    return pa.table(
        {
            name: _column([row.get(place) for row in rows[1:]], schema, name)
            for place, name in places.items()
        }
    )


def _texts(book: zipfile.ZipFile) -> list[str]:
    """Return the workbook's texts, which its cells name by number."""
    return [
        _unescape("".join(t.text or "" for t in item.iter(f"{_NS}t")))
        for item in _elements(book, _STRINGS, "si")
    ]


def _rows(book: zipfile.ZipFile, texts: list[str]) -> Iterator[dict[str, str]]:
    """Yield the rows of the first sheet, each as column letters and content."""
    for row in _elements(book, _SHEET, "row"):
        cells = {}
        for cell in row.iter(f"{_NS}c"):
            value = cell.findtext(f"{_NS}v")
            if value is not None:
                place = cell.get("r", "").rstrip("0123456789")
                cells[place] = texts[int(value)] if cell.get("t") == "s" else value
        yield cells


def _elements(book: zipfile.ZipFile, member: str, tag: str) -> Iterator[etree._Element]:
    with book.open(member) as file:
        events = etree.iterparse(file, tag=f"{_NS}{tag}", resolve_entities=False, no_network=True)
        for _, element in events:
            yield element
            element.clear()


def _column(cells: list[str | None], schema: Schema, name: str) -> pa.Array:
    column = schema.columns[name]
    if column.kind == "text":
        empty = None if column.missing else ""
        return pa.array([empty if cell is None else cell for cell in cells], pa.string())
    target = schema.arrow_schema().field(name).type
    if column.kind == "flag":
        return pa.array([None if cell is None else cell == "1" for cell in cells], target)
    return pa.array([None if cell is None else float(cell) for cell in cells]).cast(target)


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
