"""Tables as files: CSV, Parquet, Excel, LaTeX, HTML, Markdown, each with its provenance."""

from biaskit.export.read import read_export
from biaskit.export.write import FORMATS, export_table

__all__ = ["FORMATS", "export_table", "read_export"]
