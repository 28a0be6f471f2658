"""Exported files back into tables, every text as it was."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from biaskit.errors import ExportError
from biaskit.export.csv_files import read_csv
from biaskit.export.excel_reader import read_excel
from biaskit.provenance import read_json
from biaskit.schema import Schema
from biaskit.tables import SCHEMAS

__all__ = ["read_export"]

_READERS = {
    "csv": read_csv,
    "xlsx": read_excel,
    "parquet": lambda path, _: pa.parquet.read_table(path),
}


def read_export(path: Path, *, schema: Schema | None = None) -> pd.DataFrame:
    """
    Read a CSV, Parquet or Excel file that ``export_table`` wrote.

    Parameters
    ----------
    path : Path
        Ends with .csv, .parquet or .xlsx.
    schema : Schema, optional
        Otherwise the file's provenance, ``<file>.json``, names the table.

    Returns
    -------
    DataFrame
        The columns that were written, in their types.

    Raises
    ------
    ExportError
        If the format is none of these, the schema is not known, or the file is broken.

    Notes
    -----
    Without biaskit, ``pandas.read_csv(path, dtype=str, keep_default_na=False)`` and
    ``pandas.read_excel(path, dtype=str, keep_default_na=False)`` give the same text, but for
    cells that a CSV has to keep from running as a formula, which begin with an apostrophe
    there, and for control characters in Excel's escapes.

    Examples
    --------
    >>> read_export(Path("table.html"))
    Traceback (most recent call last):
    ...
    biaskit.errors.ExportError: table.html: format 'html' is not read back, only csv, xlsx, parquet.
    """
    kind = path.suffix.lstrip(".").lower()
    if kind not in _READERS:
        known = ", ".join(_READERS)
        raise ExportError(f"{path.name}: format '{kind}' is not read back, only {known}.")
    if schema is None:
        about = (read_json(path.with_name(f"{path.name}.json")) or {}).get("exported")
        schema = SCHEMAS.get(str(about["table"])) if about else None
        if schema is None:
            raise ExportError(
                f"{path.name}: {path.name}.json does not name a table we know; pass its schema."
            )
    return _READERS[kind](path, schema).to_pandas()
