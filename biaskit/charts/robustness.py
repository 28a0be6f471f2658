"""Accuracy against the size of the image in the frame, of networks and people: Figure 7."""

from collections.abc import Sequence
from fractions import Fraction

import altair as alt
import numpy as np
import pandas as pd

from biaskit.charts.line_names import line_ends
from biaskit.charts.named_points import Frame
from biaskit.charts.network_lines import (
    apart,
    axis_words,
    interval_line,
    is_person,
    looks_of,
)
from biaskit.charts.network_rows import condition_words, network_rows, of_one_class
from biaskit.charts.rows import plain_text
from biaskit.charts.sweep_rows import seen_words
from biaskit.charts.sweep_titles import chart_title, counted_images
from biaskit.charts.theme import GREY, layered
from biaskit.errors import ExportError

__all__ = ["ANSWERS", "SIZE", "robustness", "size_words", "who_words"]

ANSWERS = {
    "accuracy": ("Accuracy", ["accuracy,", "share of answers that are right"]),
    "accuracy_top5": ("Top-5 accuracy", ["share of answers with the", "true class among the five"]),
    "worst": ("Worst case", ["share of images that are right", "at every one of their places"]),
}
SIZE = "longer side of the image, of the frame's side"
WIDTH, HEIGHT, _NAMES = 250, 250, 120  # px: of the plot, of the names beside it


def robustness(
    robustness_by: pd.DataFrame,
    *,
    measure: str = "accuracy",
    network: str | Sequence[str] | None = None,
    fill: str | None = None,
) -> alt.LayerChart:
    """
    Draw how accuracy falls as the image gets smaller within the frame: the paper's Figure 7.

    Parameters
    ----------
    robustness_by : DataFrame
        The table of this name.
    measure : {"accuracy", "accuracy_top5", "worst"}
        What counts as right.
    network : str or sequence of str, optional
        Only these networks and people.
    fill : str, optional
        Needed if the table holds several.

    Returns
    -------
    altair.LayerChart
        A line per network or person, with its 95 % intervals over images; sizes on a log scale.

    Raises
    ------
    ExportError
        If there is nothing so, several fills, or none with this measure.

    Examples
    --------
    >>> from biaskit.tables import ROBUSTNESS_BY
    >>> " ".join(robustness(ROBUSTNESS_BY.empty()).title.text)
    'Accuracy against size, 0 networks, n = 0 images'
    """
    if measure not in ANSWERS:
        raise ExportError(f"measure is '{measure}', expected {', '.join(ANSWERS)}.")
    rows = of_one_class(network_rows(robustness_by, network=network, fill=fill))
    known = rows[measure].notna()
    if len(rows) and not known.any():
        raise ExportError(f"no row has {measure} here: no image's true class is known.")
    rows = rows[known]
    names = sorted(rows["name"].unique())
    looks, aside = looks_of(names), apart(len(names))
    at = -np.log2(rows["scale"].to_numpy(float))
    low, high = (at.min() - 0.12, at.max() + 0.12) if len(rows) else (0.0, 2.0)
    frame = Frame((float(low), float(high)), (0.0, 1.0), WIDTH, HEIGHT)
    px = (frame.x[1] - frame.x[0]) / WIDTH
    table = rows.rename(
        columns={measure: "y", f"{measure}_low": "low", f"{measure}_high": "high"}
    ).assign(x=at)
    columns = ["name", "scale", "n_images", "x", "y", "low", "high"]
    table = table[columns].sort_values("x").round(5)
    x, y = _axes(table, frame, measure)
    layers, ends = [_half(y)], {}
    for name, shift in zip(names, aside, strict=True):
        own = table[table["name"] == name]
        own = own.assign(x=(own["x"] + shift * px).round(5))
        layers += interval_line(own, looks[name], x, y, tips=columns[:3] + columns[4:])
        ends[name] = (float(own["x"].iloc[-1]), float(own["y"].iloc[-1]))
    return layered(*layers, *line_ends(frame, ends, looks)).properties(
        width=WIDTH, height=HEIGHT, title=_title(rows, names, measure)
    )


def size_words(scale: float) -> str:
    """
    Write a size as the fraction it is.

    Examples
    --------
    >>> size_words(0.375), size_words(1.0), size_words(0.7071)
    ('3/8', '1', '0.71')
    """
    near = Fraction(scale).limit_denominator(16)
    return str(near) if abs(near - scale) < 1e-6 else f"{scale:.2g}"


def who_words(names: Sequence[str]) -> str:
    """
    Say how many networks and people there are.

    Examples
    --------
    >>> who_words(["resnet50", "people A1", "people A2"]), who_words([])
    ('1 network and 2 people', '0 networks')
    """
    people = sum(is_person(name) for name in names)
    networks = len(names) - people
    who = [f"{networks} network" + ("" if networks == 1 else "s")] if networks or not people else []
    if people:
        who.append("1 person" if people == 1 else f"{people} people")
    return " and ".join(who)


def _axes(table: pd.DataFrame, frame: Frame, measure: str) -> tuple[alt.X, alt.Y]:
    sizes = sorted(table["scale"].unique(), reverse=True)
    words = axis_words([-np.log2(s) for s in sizes], [size_words(float(s)) for s in sizes])
    x = alt.X(
        "x:Q",
        title=[SIZE, "(log scale)"],
        scale=alt.Scale(domain=list(frame.x), nice=False, zero=False),
        axis=alt.Axis(**words, grid=False),
    )
    y = alt.Y(
        "y:Q",
        title=ANSWERS[measure][1],
        scale=alt.Scale(domain=[0, 1], nice=False),
        axis=alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2~f"),
    )
    return x, y


def _half(y: alt.Y) -> alt.Chart:
    """Draw the line of one in two, below which the paper's networks fall."""
    at = pd.DataFrame({"y": [0.5]})
    return alt.Chart(at).mark_rule(color=GREY, strokeWidth=1, strokeDash=[6, 3]).encode(y=y)


def _title(rows: pd.DataFrame, names: list[str], measure: str) -> alt.TitleParams:
    people = sum(is_person(name) for name in names)
    networks = len(names) - people
    n = rows["n_images"].astype(int).tolist() or [0]
    asked = rows[~rows["name"].map(is_person)] if networks else rows
    places = asked["n_places"].dropna()
    each = f"{places.mean():.2g} places each, " if len(places) else ""
    category = plain_text(rows["category"].iloc[0]) if len(rows) else ""
    return chart_title(
        f"{ANSWERS[measure][0]} against size, {who_words(names)}, {counted_images(min(n), max(n))}",
        f"{condition_words(rows, ['fill'])}; {each}bars: 95 % intervals over images"
        if len(rows)
        else "",
        f"category {category}" if category else "",
        seen_words(asked) if networks else "",
        "people: grey diamonds" if people and networks else "",
        width=WIDTH + _NAMES,
    )
