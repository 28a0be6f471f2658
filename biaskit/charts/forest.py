"""Effect sizes with their intervals, one line per category."""

from collections.abc import Mapping

import altair as alt
import pandas as pd

from biaskit.charts.rows import QUESTION, effect_words, named, question
from biaskit.charts.theme import BLUE, GREY, ORANGE, layered

__all__ = ["forest"]


def forest(
    effects: pd.DataFrame,
    *,
    effect: str = "cohens_w",
    top: int = 20,
    words: Mapping[str, str] | None = None,
    measure: str = QUESTION["measure"],
    null: str = QUESTION["null"],
    policy: str = QUESTION["policy"],
    edges: str = QUESTION["edges"],
) -> alt.LayerChart:
    """
    Draw one effect size of the categories furthest from what the null expects.

    Parameters
    ----------
    effects : DataFrame
        A table ``effects``.
    effect : str
        Which effect size.
    top : int
        How many categories, the furthest first.
    words : mapping of str, optional
        Category to the word shown instead.
    measure, null, policy, edges : str
        The question.

    Returns
    -------
    altair.LayerChart
        Point and interval per category, and the null's expectation as a tick; a one-sided
        interval ends at the point.

    Raises
    ------
    KeyError
        If the table lacks a column.

    Examples
    --------
    >>> from biaskit.tables import EFFECTS
    >>> len(forest(EFFECTS.empty()).layer)
    3
    """
    rows = question(effects, measure=measure, null=null, policy=policy, edges=edges, effect=effect)
    rows = rows[rows["value"].notna()]
    expected = rows["expected"].fillna(0.0)
    far = (rows["value"] - expected).abs().sort_values(ascending=False, kind="stable")
    rows = rows.loc[far.index[:top]]
    table = pd.DataFrame(
        {
            "name": named(rows, [f"{n:,}" for n in rows["n"]], words=words),
            "value": rows["value"],
            "low": rows["low"].fillna(rows["value"]),
            "high": rows["high"].fillna(rows["value"]),
            "expected": expected.loc[rows.index],
        }
    ).round(5)
    base = alt.Chart(table).encode(
        y=alt.Y(
            "name:N",
            sort=None,
            title="category (n images)",
            axis=alt.Axis(labelLimit=230, titlePadding=14),
        )
    )
    x = alt.X(
        "value:Q",
        title=f"{effect_words(effect)} of {measure.replace('_', ' ')}",
        scale=alt.Scale(zero=False),
    )
    bars = base.mark_rule(color=BLUE, strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q")
    dots = base.mark_point(color=BLUE, filled=True, size=40).encode(
        x=x, tooltip=["name:N", "value:Q", "low:Q", "high:Q", "expected:Q"]
    )
    null_ticks = base.mark_tick(color=ORANGE, thickness=2, size=12).encode(x="expected:Q")
    level = rows["level"].dropna().max() if len(rows) else float("nan")
    about = f"{level:.0%} intervals, " if level == level else ""
    note = f"{about}orange: expected by the {null} null; policy {policy}, {edges} touching boxes"
    head = f"{effect_words(effect)}: the furthest {len(rows):,} of n = {len(far):,} categories"
    return layered(bars, null_ticks, dots).properties(
        width=300,
        height=alt.Step(18),
        title=alt.TitleParams(head, subtitle=note, subtitleColor=GREY),
    )
