"""Raw boxes as columns: what travels from worker processes, and the frame made of it."""

from array import array
from collections.abc import Sequence

import pandas as pd
import pyarrow as pa

from biaskit.annotations.raw import TEXT, RawBox

__all__ = ["Columns"]


class Columns:
    """
    Raw boxes gathered piece by piece, in far less memory than rows would take.

    Examples
    --------
    >>> Columns().frame().empty
    True
    """

    def __init__(self) -> None:
        self._pieces: dict[str, list[pa.Array]] = {name: [] for name in RawBox._fields}
        self._sources: list[pa.Array] = []

    def add(self, columns: Sequence[Sequence[str] | array], source: int) -> None:
        """Append columns in the order of `RawBox`, read from the source of this number."""
        for name, values in zip(RawBox._fields, columns, strict=True):
            kind = pa.string() if name in TEXT else pa.float64()
            piece = pa.array(values, kind)
            # Names repeat in a piece: most of the memory of a large set would be copies.
            self._pieces[name].append(piece)
        self._sources.append(pa.array([source] * len(columns[0]), pa.int32()))

    def frame(self) -> pd.DataFrame:
        """Return all rows, with the number of their source in the column ``source``."""
        arrays = {
            name: pa.chunked_array(pieces, pa.string() if name in TEXT else pa.float64())
            for name, pieces in self._pieces.items()
        }
        arrays["source"] = pa.chunked_array(self._sources, pa.int32())
        self._pieces = {name: [] for name in RawBox._fields}
        self._sources = []
        return pa.table(arrays).to_pandas(self_destruct=True)
