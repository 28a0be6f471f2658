"""The rows of a table that answer one question, and how they are named in charts."""

import unicodedata
from collections.abc import Mapping, Sequence

import pandas as pd

__all__ = [
    "QUESTION",
    "counted",
    "effect_words",
    "labels",
    "named",
    "plain_text",
    "question",
]

# What is asked unless the caller says otherwise: the headline of the audit.
QUESTION = {"measure": "position", "null": "fit", "policy": "one", "edges": "without"}


def question(table: pd.DataFrame, **choice: str) -> pd.DataFrame:
    """
    Return the rows in which every named column has the chosen value.

    Parameters
    ----------
    table : DataFrame
        A table ``significance`` or ``effects``.
    **choice : str
        Column and value, such as ``measure="position"``.

    Raises
    ------
    KeyError
        If a column is missing.

    Examples
    --------
    >>> rows = pd.DataFrame({"null": ["fit", "frame"], "value": [1.0, 2.0]})
    >>> question(rows, null="frame")["value"].tolist()
    [2.0]
    """
    keep = pd.Series(True, index=table.index)
    for column, value in choice.items():
        keep &= table[column] == value
    return table[keep].reset_index(drop=True)


def labels(
    table: pd.DataFrame, *, words: Mapping[str, str] | None = None, limit: int = 28
) -> pd.Series:
    """
    Name each row by its category, or the word for it, and its split if there are several.

    Control characters and marks that turn the direction of writing become visible or go, and
    names longer than ``limit`` characters are cut: a chart must not be changed by a name.

    Examples
    --------
    >>> labels(pd.DataFrame({"category": ["cat"], "split": ["val"]})).tolist()
    ['cat']
    """
    known = words or {}
    names = [str(known.get(name) or name) or "(no name)" for name in table["category"]]
    if "split" in table and table["split"].nunique() > 1:
        names = [f"{a} ({b})" for a, b in zip(names, table["split"], strict=True)]
    return pd.Series([_short(name, limit) for name in names], index=table.index, dtype=object)


def effect_words(effect: str) -> str:
    """
    Write an effect's name for an axis.

    Examples
    --------
    >>> effect_words("cohens_w"), effect_words("total_variation")
    ("Cohen's w", 'total variation')
    """
    return effect.replace("_", " ").replace("cohens", "Cohen's")


def counted(n: pd.Series) -> str:
    """
    Say how many categories there are, and how many images each has.

    Parameters
    ----------
    n : Series
        Images of each category.

    Examples
    --------
    >>> counted(pd.Series([50, 80])), counted(pd.Series([50]))
    ('2 categories, n = 50 to 80 images each', '1 category, n = 50 images')
    """
    if len(n) == 0:
        return "0 categories, n = 0 images"
    low, high = int(n.min()), int(n.max())
    span = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    if len(n) == 1:
        return f"1 category, n = {span} images"
    return f"{len(n):,} categories, n = {span} images each"


def named(
    table: pd.DataFrame, n: Sequence[str], *, words: Mapping[str, str] | None = None
) -> list[str]:
    """Name each row as ``labels`` does, with its number of images."""
    return [
        f"{label} (n = {m})"
        for label, m in zip(labels(table, words=words, limit=18), n, strict=True)
    ]


def _short(name: str, limit: int) -> str:
    plain = plain_text(name)
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"


def plain_text(text: str) -> str:
    r"""
    Put � for controls, marks of direction, line ends and what is no character at all.

    Examples
    --------
    >>> plain_text("tiger\x07cat")
    'tiger�cat'
    """
    return text if text.isprintable() else "".join(_plain(c) for c in text)


def _plain(character: str) -> str:
    kind = unicodedata.category(character)
    return "�" if kind[0] == "C" or kind in ("Zl", "Zp") else character
