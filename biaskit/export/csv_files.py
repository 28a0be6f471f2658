"""CSV: numbers at full precision, every text quoted, and nothing that a spreadsheet would run."""

from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from biaskit.errors import ExportError
from biaskit.export.formulas import disarm, rearm
from biaskit.schema import Schema

__all__ = ["csv_bytes", "read_csv"]


def csv_bytes(table: pa.Table) -> bytes:
    r"""
    Write a table as UTF-8 CSV with a header.

    A missing text is an empty field, an empty text is a pair of quotes.

    Examples
    --------
    >>> csv_bytes(pa.table({"category": ["=1+1", ""], "log10_p": [-418.25, None]}))
    b'"category","log10_p"\n"\'=1+1",-418.25\n"",\n'
    """
    for name in table.column_names:
        place = table.column_names.index(name)
        if pa.types.is_string(table.schema.field(name).type):
            safe = [None if t is None else disarm(t) for t in table.column(name).to_pylist()]
            table = table.set_column(place, name, pa.array(safe, pa.string()))
    sink = BytesIO()
    pa.csv.write_csv(table, sink)
    return sink.getvalue()


def read_csv(path: Path, schema: Schema) -> pa.Table:
    """
    Read a CSV that ``csv_bytes`` wrote, every text as it was.

    Raises
    ------
    ExportError
        If the file cannot be read, or has a column that is not in the schema.
    """
    kinds = {field.name: field.type for field in schema.arrow_schema()}
    options = pa.csv.ConvertOptions(
        column_types=kinds,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    parse = pa.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False)
    try:
        # One block: a text may be longer than the usual one.
        read = pa.csv.ReadOptions(block_size=min(max(path.stat().st_size, 2**20), 2**30))
        table = pa.csv.read_csv(
            path, read_options=read, convert_options=options, parse_options=parse
        )
    except (pa.ArrowInvalid, OSError) as error:
        raise ExportError(f"{path.name}: cannot be read as CSV: {error}.") from None
    for place, name in enumerate(table.column_names):
        if name not in kinds:
            raise ExportError(f"{path.name}: column '{name}' is not of a table '{schema.name}'.")
        if schema.columns[name].kind == "text":
            texts = [None if t is None else rearm(t) for t in table.column(name).to_pylist()]
            table = table.set_column(place, name, pa.array(texts, pa.string()))
    return table
