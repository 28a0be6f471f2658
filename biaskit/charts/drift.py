"""What changed between two sets of boxes, one line per category."""

from collections.abc import Mapping

import altair as alt
import numpy as np
import pandas as pd

from biaskit.charts.rows import named
from biaskit.charts.theme import BLUE, GREY, ORANGE, layered

__all__ = ["drift"]


def drift(
    drift: pd.DataFrame,
    *,
    measure: str = "position_y",
    test: str = "ks",
    top: int = 20,
    words: Mapping[str, str] | None = None,
) -> alt.LayerChart:
    """
    Draw the differences of a mean between two sets of boxes, strongest evidence first.

    Parameters
    ----------
    drift : DataFrame
        A table ``drift``.
    measure, test : str
        Which measure, and which test's p decides order and colour.
    top : int
        How many categories.
    words : mapping of str, optional
        Category to the word shown instead.

    Returns
    -------
    altair.LayerChart
        Difference (first set less second) with its 95 % interval; the null is the line at 0.

    Raises
    ------
    KeyError
        If the table lacks a column.

    Examples
    --------
    >>> from biaskit.tables import DRIFT
    >>> len(drift(DRIFT.empty()).layer)
    3
    """
    rows = drift[(drift["measure"] == measure) & (drift["test"] == test)]
    rows = rows[rows["difference"].notna()]
    total = len(rows)
    rows = rows.sort_values(["log10_p", "category"], kind="stable").head(top)
    n = [f"{a:,} and {b:,}" for a, b in zip(rows["n_images_a"], rows["n_images_b"], strict=True)]
    table = pd.DataFrame(
        {
            "name": named(rows, n, words=words),
            "difference": rows["difference"].round(5),
            "low": rows["low"].round(5),
            "high": rows["high"].round(5),
            "log10 q": rows["log10_bh"].round(3),
            "evidence": np.where(rows["log10_bh"] < np.log10(0.05), "q < 0.05", "q ≥ 0.05"),
        }
    )
    scale = alt.Scale(domain=["q < 0.05", "q ≥ 0.05"], range=[ORANGE, BLUE])
    unit = {"position_x": "image width", "width": "image width", "area": "image area"}.get(
        measure, "image height"
    )
    title = f"difference of mean {measure.replace('_', ' ')}, of {unit}"
    base = alt.Chart(table).encode(
        y=alt.Y(
            "name:N",
            sort=None,
            title="category (n images)",
            axis=alt.Axis(labelLimit=230, titlePadding=14),
        ),
        color=alt.Color("evidence:N", scale=scale, legend=alt.Legend(title=None)),
    )
    bars = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title=title), x2="high:Q")
    dots = base.mark_point(filled=True, size=40).encode(
        x=alt.X("difference:Q", title=title),
        tooltip=["name:N", "difference:Q", "low:Q", "high:Q", "log10 q:Q"],
    )
    zero = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=GREY, strokeDash=[4, 3])
    head = f"Drift: {len(rows):,} of n = {total:,} categories, strongest evidence first"
    note = f"first set less second, 95 % intervals; dashed: no change; {test} test"
    return layered(zero.encode(x=alt.X("zero:Q", title=title)), bars, dots).properties(
        width=200, height=alt.Step(18), title=alt.TitleParams(head, subtitle=note)
    )
