"""Titles of the charts of sweeps: cut into lines as wide as the chart, so that none is cropped."""

import re
import textwrap

import altair as alt

from biaskit.charts.rows import plain_text
from biaskit.charts.theme import GREY

__all__ = ["chart_title", "counted_images", "lines_of"]

_COUNT, _TIE = re.compile(r"n = [\d,]+( to [\d,]+)? \w+"), "\u00a0"  # is not cut in two
_NOTE, _HEAD = 6.0, 7.2  # px of a letter, about: 12 px type, and 13 px bold


def lines_of(text: str, width: int, *, bold: bool = False) -> list[str]:
    """
    Cut a text into lines that fit a width.

    Parameters
    ----------
    text : str
    width : int
        Px.
    bold : bool
        As in a title.

    Examples
    --------
    >>> lines_of("one two three", 60)
    ['one two', 'three']
    """
    letters = max(8, int(width / (_HEAD if bold else _NOTE)))
    kept = _COUNT.sub(lambda count: count[0].replace(" ", _TIE), plain_text(text))
    lines = textwrap.wrap(kept, letters, break_on_hyphens=False)
    return [line.replace(_TIE, " ") for line in lines] or [""]


def chart_title(head: str, *notes: str, width: int) -> alt.TitleParams:
    """
    Return a title with what must be known about it below; empty notes are left out.

    Parameters
    ----------
    head : str
    *notes : str
        Each begins on a line of its own.
    width : int
        Px of the whole chart.

    Examples
    --------
    >>> title = chart_title("Head", "a note", "", width=100)
    >>> title.text, title.subtitle
    (['Head'], ['a note'])
    """
    below = [line for note in notes if note for line in lines_of(note, width)]
    return alt.TitleParams(
        text=lines_of(head, width, bold=True), subtitle=below, subtitleColor=GREY, frame="group"
    )


def counted_images(low: int, high: int) -> str:
    """
    Write a number of images, or a range of it over networks.

    Examples
    --------
    >>> counted_images(1, 1), counted_images(38, 1000)
    ('n = 1 image', 'n = 38 to 1,000 images')
    """
    if low != high:
        return f"n = {low:,} to {high:,} images"
    return f"n = {low:,} image" + ("" if low == 1 else "s")
