"""The headline as a page shows it: a sentence, and a table of counts with their ranges."""

from dataclasses import dataclass

import pandas as pd

from biaskit.bias.headline import headline
from biaskit.export.escapes import visible

__all__ = ["Count", "HeadlineRow", "HeadlineTable", "headline_tables", "lead_sentence"]

EDGES = ("with", "without")
_COLUMNS = ["question", "null", "edges", "below", "n_tested", "in_every_draw", "in_some_draw"]
_NULL_WORDS = {
    ("position", "frame"): "centres uniform on the frame (the paper's reading)",
    ("position", "fit"): "every box uniform where it fits",
    ("height", "frame"): "uniform up to the frame (the paper's reading)",
    ("height", "log-uniform"): "log-uniform from 16 px to the frame",
}


@dataclass(frozen=True)
class Count:
    """Categories below the threshold, of those tested."""

    below: int
    tested: int
    least: int  # in every redraw of chance
    most: int  # in some redraw


@dataclass(frozen=True)
class HeadlineRow:
    """One question under one null, in the order of ``EDGES``; None if it was not asked."""

    question: str
    null: str
    words: str
    counts: tuple[Count | None, ...]


@dataclass(frozen=True)
class HeadlineTable:
    """The headline of one split."""

    split: str
    n_categories: int
    rows: tuple[HeadlineRow, ...]


def headline_tables(significance: pd.DataFrame) -> list[HeadlineTable]:
    """
    Count the categories with P < 1e-10 for a page.

    Parameters
    ----------
    significance : DataFrame
        A table ``significance``.

    Returns
    -------
    list of HeadlineTable
        One per split.

    Examples
    --------
    >>> from biaskit.tables import SIGNIFICANCE
    >>> headline_tables(SIGNIFICANCE.empty())
    []
    """
    counts = headline(significance)
    return [
        HeadlineTable(visible(str(split)), int(rows["n_categories"].max()), tuple(_rows(rows)))
        for split, rows in counts.groupby("split", sort=True)
    ]


def _rows(counts: pd.DataFrame) -> list[HeadlineRow]:
    found = {
        (str(question), str(null), str(edges)): Count(*(int(number) for number in numbers))
        for question, null, edges, *numbers in counts[_COLUMNS].itertuples(index=False, name=None)
    }
    asked = dict.fromkeys((question, null) for question, null, _ in found)
    return [
        HeadlineRow(
            question,
            null,
            _NULL_WORDS.get((question, null)) or f"{null.replace(', ', ' (position), ')} (height)",
            tuple(found.get((question, null, edges)) for edges in EDGES),
        )
        for question, null in asked
    ]


def _categories(count: int) -> str:
    return "1 category" if count == 1 else f"{count:,} categories"


def lead_sentence(tables: list[HeadlineTable]) -> str:
    """
    Say the headline of the first split in two sentences.

    Parameters
    ----------
    tables : list of HeadlineTable

    Examples
    --------
    >>> lead_sentence([])
    'Nothing was tested: the table significance has no rows.'
    """
    if not tables:
        return "Nothing was tested: the table significance has no rows."
    found = {(row.question, row.null): row.counts for row in tables[0].rows}
    of_split = f" of the split “{tables[0].split}”" if len(tables) > 1 else ""
    frame, fit = found.get(("position", "frame")), found.get(("position", "fit"))
    parts = []
    if frame and frame[0]:
        parts.append(
            f"Read as in the paper, centres are not uniform on the frame in {frame[0].below:,} of "
            f"{_categories(frame[0].tested)}{of_split} (P < 10⁻¹⁰)."
        )
    if fit and fit[1]:
        parts.append(
            f"With every box free to lie where it fits, and boxes cut by the frame set aside, "
            f"{fit[1].below:,} of {fit[1].tested:,} remain."
        )
    height = found.get(("height", "frame"))
    if height and height[1]:
        parts.append(
            f"Heights, with cut boxes set aside, are not uniform in {height[1].below:,} of "
            f"{height[1].tested:,}."
        )
    return " ".join(parts) or "The headline's questions were not asked."
