"""Effect against evidence, one point per category."""

from collections.abc import Iterable, Mapping

import altair as alt
import numpy as np
import pandas as pd

from biaskit.charts.rows import QUESTION, counted, effect_words, labels, question
from biaskit.charts.theme import BLUE, GREY, ORANGE, layered

__all__ = ["volcano"]

CLASSES = ("P < 10⁻¹⁰", "q < 0.05", "neither")
MANY = 2000  # points; beyond, they are counted in cells
_KEYS = ["category", "split", "measure", "null", "policy", "edges"]


def volcano(
    significance: pd.DataFrame,
    effects: pd.DataFrame,
    *,
    effect: str = "cohens_w",
    test: str = "chi2",
    named: int = 6,
    words: Mapping[str, str] | None = None,
    measure: str = QUESTION["measure"],
    null: str = QUESTION["null"],
    policy: str = QUESTION["policy"],
    edges: str = QUESTION["edges"],
) -> alt.LayerChart:
    """
    Draw every category's effect size against -log10 q, q corrected by Benjamini-Hochberg.

    Parameters
    ----------
    significance, effects : DataFrame
        Tables of these names.
    effect, test : str
        Which effect size, and which test's q.
    named : int
        How many of the largest effects carry their name.
    words : mapping of str, optional
        Category to the word shown instead.
    measure, null, policy, edges : str
        The question both answer.

    Returns
    -------
    altair.LayerChart
        Points, the threshold q = 0.05, and the effect that the null expects. More than 2,000
        categories are counted in cells instead.

    Raises
    ------
    KeyError
        If a table lacks a column.

    Examples
    --------
    >>> from biaskit.tables import EFFECTS, SIGNIFICANCE
    >>> len(volcano(SIGNIFICANCE.empty(), EFFECTS.empty()).layer)
    4
    """
    choice = {"measure": measure, "null": null, "policy": policy, "edges": edges}
    points = _points(
        question(significance, **choice, test=test),
        question(effects, **choice, effect=effect),
        words or {},
    )
    x_title = f"{effect_words(effect)} of {measure.replace('_', ' ')}"
    y_title = "−log10 q (Benjamini-Hochberg)"
    x = alt.X("value:Q", title=x_title, axis=alt.Axis(tickCount=6))
    y = alt.Y("evidence:Q", title=y_title, scale=alt.Scale(type="sqrt"), axis=alt.Axis(tickCount=6))
    body = _counted(points, x_title, y_title) if len(points) > MANY else _marks(points, x, y)
    note = f"{null} null, policy {policy}, {edges} touching boxes, {test}"
    return layered(*_null_lines(points, x, y), body, _names(points, x, y, named)).properties(
        width=340,
        height=260,
        title=alt.TitleParams(f"Effect and evidence: {counted(points['n'])}", subtitle=note),
    )


def _points(p_values: pd.DataFrame, sizes: pd.DataFrame, words: Mapping[str, str]) -> pd.DataFrame:
    both = p_values.merge(sizes, on=_KEYS, how="inner", suffixes=("", "_effect"))
    both = both[both["log10_bh"].notna() & both["value"].notna()].reset_index(drop=True)
    strength = np.select(
        [both["log10_p"] < -10, both["log10_bh"] < np.log10(0.05)], CLASSES[:2], CLASSES[2]
    )
    return pd.DataFrame(
        {
            "name": labels(both, words=words, limit=24),
            "value": both["value"].round(5),
            "low": both["low"],
            "high": both["high"],
            "expected": both["expected"],
            "evidence": (-both["log10_bh"]).round(3) + 0.0,
            "log10_p": both["log10_p"].round(3),
            "n": both["n_images"],
            "strength": strength,
        }
    )


def _null_lines(points: pd.DataFrame, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    expected = points["expected"].median() if len(points) else np.nan
    at = pd.DataFrame({"value": [0.0 if np.isnan(expected) else round(float(expected), 5)]})
    level = pd.DataFrame({"evidence": [-np.log10(0.05)]})
    return [
        alt.Chart(at).mark_rule(color=GREY, strokeDash=[4, 3]).encode(x=x),
        alt.Chart(level).mark_rule(color=GREY, strokeDash=[4, 3]).encode(y=y),
    ]


def _marks(points: pd.DataFrame, x: alt.X, y: alt.Y) -> alt.Chart:
    domain = list(CLASSES)
    colour = alt.Scale(domain=domain, range=[ORANGE, BLUE, GREY])
    shape = alt.Scale(domain=domain, range=["triangle-up", "circle", "square"])
    legend = alt.Legend(title=None, symbolOpacity=1)
    tips = ["name:N", "value:Q", "low:Q", "high:Q", "n:Q", "log10_p:Q"]
    columns = ["name", "value", "low", "high", "evidence", "log10_p", "n", "strength"]
    return (
        alt.Chart(points[columns])
        .mark_point(filled=True, opacity=0.7, size=28)
        .encode(
            x=x,
            y=y,
            color=alt.Color("strength:N", scale=colour, legend=legend),
            shape=alt.Shape("strength:N", scale=shape, legend=legend),
            tooltip=tips,
        )
    )


def _counted(points: pd.DataFrame, x_title: str, y_title: str) -> alt.Chart:
    """Count points in cells that are even on the axes as drawn."""
    height = np.sqrt(points["evidence"].to_numpy())
    counts, at_x, at_y = np.histogram2d(points["value"], height, bins=40)
    i, j = np.nonzero(counts)
    cells = pd.DataFrame(
        {
            "value": at_x[i],
            "value2": at_x[i + 1],
            "evidence": at_y[j] ** 2,
            "evidence2": at_y[j + 1] ** 2,
            "categories": counts[i, j],
        }
    ).round(5)
    scale = alt.Scale(type="sqrt")
    return (
        alt.Chart(cells)
        .mark_rect()
        .encode(
            x=alt.X("value:Q", title=x_title),
            x2="value2:Q",
            y=alt.Y("evidence:Q", title=y_title, scale=scale),
            y2="evidence2:Q",
            color=alt.Color("categories:Q", scale=alt.Scale(scheme="viridis", type="log")),
        )
    )


def _apart(points: pd.DataFrame, order: Iterable[int]) -> list[int]:
    """Leave out points whose name would cover an earlier one."""
    x = points["value"] / max(float(points["value"].max()), 1e-9)
    y = np.sqrt(points["evidence"] / max(float(points["evidence"].max()), 1e-9))
    kept: list[int] = []
    for row in order:
        if all(abs(x[row] - x[k]) > 0.35 or abs(y[row] - y[k]) > 0.06 for k in kept):
            kept.append(row)
    return kept


def _names(points: pd.DataFrame, x: alt.X, y: alt.Y, named: int) -> alt.Chart:
    far = (points["value"] - points["expected"].fillna(0)).abs()
    order = far.sort_values(ascending=False, kind="stable").index
    largest = points.loc[_apart(points, order[: 4 * named])[:named]]
    return (
        alt.Chart(largest[["name", "value", "evidence"]])
        .mark_text(align="right", dx=-6, fontSize=10)
        .encode(x=x, y=y, text="name:N")
    )
