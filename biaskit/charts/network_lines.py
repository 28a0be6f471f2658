"""Lines of networks, and people, with their intervals: looks, places, axes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from biaskit.charts.sweep_rows import NETWORK_COLOURS, NETWORK_DASHES
from biaskit.charts.theme import GREY

__all__ = [
    "PEOPLE",
    "Look",
    "apart",
    "axis_words",
    "interval_line",
    "is_person",
    "looks_of",
]

PEOPLE = "people"  # the names of people begin so


@dataclass(frozen=True)
class Look:
    """
    How one line is drawn.

    Attributes
    ----------
    colour : str
    dash : sequence of int
        Px of line and gap.
    shape : str
        Of its points.
    filled : bool
        Whether its points are.
    """

    colour: str
    dash: Sequence[int] = (1, 0)
    shape: str = "circle"
    filled: bool = True


def looks_of(names: Sequence[str]) -> dict[str, Look]:
    """
    Give every network a colour, and a dash from the sixth on; people are grey diamonds.

    Examples
    --------
    >>> looks_of(["a", "people A1"])["people A1"].shape
    'diamond'
    """
    networks = [name for name in names if not is_person(name)]
    people = [name for name in names if is_person(name)]
    dashes = ([1, 0], [5, 3], [2, 2])
    looks = {
        name: Look(
            NETWORK_COLOURS[k % len(NETWORK_COLOURS)], NETWORK_DASHES[k % len(NETWORK_DASHES)]
        )
        for k, name in enumerate(networks)
    }
    return looks | {
        name: Look(GREY, dashes[k % len(dashes)], "diamond") for k, name in enumerate(people)
    }


def is_person(name: str) -> bool:
    """
    Tell whether a name is a person's, not a network's.

    Examples
    --------
    >>> is_person("people A1"), is_person("resnet50")
    (True, False)
    """
    return name == PEOPLE or name.startswith(f"{PEOPLE} ")


def apart(n: int, px: float = 3.0) -> np.ndarray:
    """
    Return px by which ``n`` intervals at one place stand aside of it, so that all are seen.

    They are ``px`` from each other, and 18 px from the first to the last at most.

    Examples
    --------
    >>> apart(3).tolist()
    [-3.0, 0.0, 3.0]
    """
    return (np.arange(n) - (n - 1) / 2) * min(px, 18 / max(n - 1, 1))


def interval_line(
    rows: pd.DataFrame, look: Look, x: alt.X, y: alt.Y, *, tips: Sequence[str] = ()
) -> list[alt.Chart]:
    """
    Draw a line through points with their intervals.

    Parameters
    ----------
    rows : DataFrame
        Columns x, y, low, high, and those of ``tips``; rows without y are left out.
    look : Look
    x, y : altair channels
        Of the columns x and y.
    tips : sequence of str
        Columns to show beside a point.

    Returns
    -------
    list of altair.Chart
        Intervals, line, points.

    Examples
    --------
    >>> rows = pd.DataFrame({"x": [0.0], "y": [0.5], "low": [0.4], "high": [0.6]})
    >>> len(interval_line(rows, Look("#000000"), alt.X("x:Q"), alt.Y("y:Q")))
    3
    """
    known = rows[rows["y"].notna()]
    base = alt.Chart(known)
    bars = (
        base.transform_filter("isValid(datum.low) && isValid(datum.high)")
        .mark_rule(color=look.colour, strokeWidth=1.6, opacity=0.5)
        .encode(x=x, y=alt.Y("low:Q", scale=y["scale"]), y2="high:Q")
    )
    line = base.mark_line(color=look.colour, strokeWidth=1.8, strokeDash=list(look.dash)).encode(
        x=x, y=y, order="x:Q"
    )
    points = base.mark_point(
        color=look.colour,
        filled=look.filled,
        shape=look.shape,
        size=52 if look.shape == "diamond" else 34,
        strokeWidth=1.6,
        opacity=1,
    ).encode(x=x, y=y, tooltip=[f"{tip}:{_kind(known[tip])}" for tip in tips])
    return [bars, line, points]


def _kind(column: pd.Series) -> str:
    return "Q" if pd.api.types.is_numeric_dtype(column) else "N"


def axis_words(values: Sequence[float], words: Sequence[str]) -> dict[str, Any]:
    """
    Return the options of an axis that has these words at these values.

    The words become part of an expression: only for words of our own, never for names.

    Examples
    --------
    >>> axis_words([0.0], ["none"])["values"]
    [0.0]
    """
    told = "".join(
        f"abs(datum.value - {value:.6f}) < 1e-4 ? '{word}' : "
        for value, word in zip(values, words, strict=True)
    )
    places = [round(float(v), 6) for v in values]
    # Without a count every other value is left out where they are near each other.
    return {"values": places, "tickCount": max(1, len(places)), "labelExpr": f"{told}''"}
