"""What a caller decides for all files that are read together."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from biaskit.annotations.photographs import Photographs
from biaskit.annotations.raw import split_of
from biaskit.annotations.repairs import Repairs

__all__ = ["FORMATS", "Context", "Options"]

FORMATS = ("imagenet", "voc", "coco", "yolo", "kaggle", "wsol", "csv", "parquet")


@dataclass(frozen=True)
class Options:
    """
    What the caller decided; empty values leave it to the files.

    Attributes
    ----------
    format : str
        One of `FORMATS`.
    columns : mapping
        Of a CSV or Parquet: our column to theirs.
    units : str or None
        Of a CSV or Parquet: ``px`` or ``fraction``.
    split : str or None
        Name of the part.
    wnids : mapping
        From word, in lower case, to wnid.
    """

    format: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    units: str | None = None
    split: str | None = None
    wnids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """What the reader of one file is given besides the file."""

    source: str
    options: Options
    photographs: Photographs | None
    repairs: Repairs

    def split(self, name: str) -> str:
        """Return the part that a file belongs to: as decided, else from its path and name."""
        if self.options.split is not None:
            return self.options.split
        return split_of(f"{self.source}/{name}", by_stem=True)
