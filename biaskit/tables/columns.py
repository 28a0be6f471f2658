"""Columns that several tables share, and short ways to write the kinds of them."""

from biaskit.schema import Column

__all__ = [
    "CATEGORY",
    "IMAGE_ID",
    "OBJECT",
    "P_KINDS",
    "SPLIT",
    "count",
    "log10_p",
    "share",
    "text",
    "with_interval",
]


def text(meaning: str, *values: str, missing: bool = False) -> Column:
    """Return a column of words; of these only, if any are named."""
    return Column(meaning, kind="text", values=values, missing=missing)


def count(meaning: str, unit: str = "count", low: float = 0) -> Column:
    """Return a column of whole numbers."""
    return Column(meaning, unit, low=low, kind="integer")


def log10_p(meaning: str, *, missing: bool = True) -> Column:
    """Return a column of log10 p-values."""
    return Column(meaning, "log10", high=0, missing=missing)


def share(meaning: str, *, missing: bool = True) -> Column:
    """Return a column of shares or probabilities, 0 to 1."""
    return Column(meaning, "share", low=0, high=1, missing=missing)


def with_interval(name: str, column: Column) -> dict[str, Column]:
    """Return a column and the ends of its 95 % interval, ``name_low`` and ``name_high``."""
    low, high = "lower end of its 95 % interval", "upper end of its 95 % interval"
    return {
        name: column,
        f"{name}_low": Column(low, column.unit, column.low, column.high, missing=True),
        f"{name}_high": Column(high, column.unit, column.low, column.high, missing=True),
    }


CATEGORY = text("what the object is; for ImageNet its wnid, such as n02097474")
SPLIT = text("part of the data set, such as train or val; empty if it has none")
IMAGE_ID = text("file name of the image without its ending")
OBJECT = count("number of the object within its image, from 0")
P_KINDS = ("exact", "bound", "asymptotic", "monte_carlo", "")
