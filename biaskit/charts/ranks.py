"""All p-values of one question in order, against the order chance would give them."""

import altair as alt
import numpy as np
import pandas as pd
from scipy.stats import beta

from biaskit.charts.rows import QUESTION, counted, question
from biaskit.charts.theme import BAND, BLUE, GREY, layered

__all__ = ["ranks"]

KEPT = 400  # points drawn: all of the smallest p-values, and ever fewer of the rest


def ranks(
    significance: pd.DataFrame,
    *,
    test: str = "chi2",
    measure: str = QUESTION["measure"],
    null: str = QUESTION["null"],
    policy: str = QUESTION["policy"],
    edges: str = QUESTION["edges"],
) -> alt.LayerChart:
    """
    Draw the sorted p-values of all categories against those expected if every null were true.

    Parameters
    ----------
    significance : DataFrame
        A table ``significance``.
    test, measure, null, policy, edges : str
        The question.

    Returns
    -------
    altair.LayerChart
        Points on the grey line: no evidence. The band holds each rank in 95 % of studies in
        which every null is true (order statistics of independent categories).

    Raises
    ------
    KeyError
        If the table lacks a column.

    Examples
    --------
    >>> from biaskit.tables import SIGNIFICANCE
    >>> len(ranks(SIGNIFICANCE.empty()).layer)
    3
    """
    rows = question(significance, measure=measure, null=null, policy=policy, edges=edges, test=test)
    found = rows.loc[rows["log10_p"].notna()]
    points = _ordered(found["log10_p"].to_numpy(np.float64))
    x = alt.X("expected:Q", title="−log10 p expected at this rank", axis=alt.Axis(tickCount=5))
    scale = alt.Scale(type="sqrt")
    y = alt.Y("observed:Q", title="−log10 p", scale=scale, axis=alt.Axis(tickCount=6))
    base = alt.Chart(points).encode(x=x)
    band = base.mark_area(color=BAND, opacity=0.35).encode(
        y=alt.Y("low:Q", title="−log10 p", scale=scale), y2="high:Q"
    )
    line = base.mark_line(color=GREY).encode(y=alt.Y("expected:Q", title="−log10 p", scale=scale))
    dots = base.mark_point(color=BLUE, filled=True, size=24).encode(
        y=y, tooltip=["rank:Q", "observed:Q", "expected:Q"]
    )
    head = f"All p-values in order: {counted(found['n_images'])}"
    note = f"{measure}, {null} null, policy {policy}, {edges} touching boxes, {test}"
    return layered(band, line, dots).properties(
        width=340, height=260, title=alt.TitleParams(head, subtitle=note)
    )


def _ordered(log10_p: np.ndarray) -> pd.DataFrame:
    """Return ranks, their -log10 p, and what the null expects and allows there."""
    m = len(log10_p)
    rank = np.arange(1, m + 1)
    if m > KEPT:
        spaced = np.rint(np.geomspace(1, m, KEPT)).astype(int)
        rank = np.unique(np.concatenate([rank[:100], spaced]))
    observed = np.sort(log10_p)[rank - 1] if m else np.zeros(0)
    return pd.DataFrame(
        {
            "rank": rank,
            "observed": -observed + 0.0,
            "expected": -np.log10((rank - 0.5) / max(m, 1)),
            "low": -np.log10(beta.ppf(0.975, rank, m - rank + 1)) if m else np.zeros(0),
            "high": -np.log10(beta.ppf(0.025, rank, m - rank + 1)) if m else np.zeros(0),
        }
    ).round(4)
