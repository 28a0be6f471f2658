"""Every category in one row: n, p and effect together, in text a machine can sort."""

import math
from dataclasses import dataclass

from biaskit.charts.p_values import number_text, p_text
from biaskit.report.answers import Answers, Effect, Verdict
from biaskit.report.names import Name
from biaskit.report.sentences import EDGES, percent

__all__ = ["COLUMNS", "Cell", "Row", "listing_row"]

COLUMNS = (
    ("category", "id and word"),
    ("images", "images that entered the test of position / of height, if they differ"),
    ("P position", "fit null, chi-square on 5 × 5 cells, one object per image, touching set aside"),
    ("q", "the same, corrected over categories by Benjamini-Hochberg"),
    ("w", "Cohen's w of position: 0 is chance, 0.5 is large; behind it the lower 95 % limit"),
    ("down", "mean centre below the middle, % of image height, with 95 % interval"),
    ("right", "mean centre right of the middle, % of image width, with 95 % interval"),
    ("P height", "frame null: uniform height, chi-square on 10 bins"),
    ("height", "typical height, % of image height, with 95 % interval"),
    ("flags", "cautions"),
)


@dataclass(frozen=True)
class Cell:
    """Text, and a number to sort by; empty if there is none."""

    text: str
    value: str = ""


@dataclass(frozen=True)
class Row:
    """One category."""

    name: Name
    cells: tuple[Cell, ...]
    is_shown: bool  # has a section of its own to link to


def listing_row(answers: Answers, name: Name, *, is_shown: bool) -> Row:
    """
    Return the row of one category.

    Parameters
    ----------
    answers : Answers
    name : Name
    is_shown : bool

    Returns
    -------
    Row
        With as many cells as ``COLUMNS``, less the first, which is the name.

    Examples
    --------
    >>> name = Name("cat", "", "cat", "", "category-1")
    >>> len(listing_row(Answers({}, {}), name, is_shown=False).cells) == len(COLUMNS) - 1
    True
    """
    group = (name.category, name.split)
    position = answers.verdict(group, "position", "fit", EDGES)
    height = answers.verdict(group, "height", "frame", EDGES)
    w = answers.effect(group, "position", "fit", EDGES, "cohens_w")
    down = answers.effect(group, "position_y", "frame", EDGES, "offset")
    right = answers.effect(group, "position_x", "frame", EDGES, "offset")
    typical = answers.effect(group, "height", "frame", EDGES, "log_mean")
    ns = dict.fromkeys(v.n for v in (position, height) if v is not None)
    flags = sorted({f for v in (position, height) if v for f in v.flags.split()})
    return Row(
        name,
        (
            Cell(" / ".join(f"{n:,}" for n in ns), str(next(iter(ns), ""))),
            _p(position),
            _q(position),
            _w(w),
            _span(down),
            _span(right),
            _p(height),
            _size(typical),
            Cell(" ".join(flags)),
        ),
        is_shown,
    )


def _p(verdict: Verdict | None) -> Cell:
    if verdict is None:
        return Cell("")
    return Cell(p_text(verdict.log10_p, verdict.p_kind, raised=True), _short(verdict.log10_p))


def _q(verdict: Verdict | None) -> Cell:
    if verdict is None or math.isnan(verdict.log10_q):
        return Cell("")
    return Cell(p_text(verdict.log10_q, verdict.p_kind, raised=True), _short(verdict.log10_q))


def _w(effect: Effect | None) -> Cell:
    if effect is None:
        return Cell("")
    limit = "" if math.isnan(effect.low) else f" (≥ {number_text(effect.low, 2)})"
    return Cell(f"{number_text(effect.value, 2)}{limit}", _short(effect.value))


def _span(effect: Effect | None) -> Cell:
    if effect is None:
        return Cell("")
    return Cell(_with_interval(effect.value, effect.low, effect.high), _short(effect.value))


def _size(effect: Effect | None) -> Cell:
    if effect is None:
        return Cell("")
    middle, low, high = (math.exp(x) for x in (effect.value, effect.low, effect.high))
    return Cell(_with_interval(middle, low, high), _short(middle))


def _with_interval(value: float, low: float, high: float) -> str:
    interval = "" if math.isnan(low) else f" ({_bare(low)} to {_bare(high)})"
    return f"{_bare(value)}{interval}"


def _bare(share: float) -> str:
    return percent(share).removesuffix(" %")


def _short(value: float) -> str:
    return f"{value:.5g}"
