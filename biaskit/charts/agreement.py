"""Bland and Altman's chart of two annotators: differences, their bias and limits of agreement."""

import altair as alt
import numpy as np
import pandas as pd

from biaskit.charts.rows import plain_text
from biaskit.charts.theme import BLUE, GREEN, GREY, ORANGE, layered
from biaskit.errors import ExportError

__all__ = ["bland_altman"]

_WHERE = {"x": "horizontal", "y": "vertical"}
_COLOURS = [BLUE, ORANGE, GREEN]


def bland_altman(
    mark_pairs: pd.DataFrame,
    agreement: pd.DataFrame,
    *,
    annotator: str | None = None,
    other: str | None = None,
) -> alt.HConcatChart:
    """
    Draw what two annotators differ by against the mean of both, along x and along y.

    Parameters
    ----------
    mark_pairs : DataFrame
        The table of this name.
    agreement : DataFrame
        The table of this name; bias and limits of all images together are taken from it.
    annotator, other : str, optional
        Whom to compare; the same name twice for an annotator's own repeats. By default the two
        with most marks in common.

    Returns
    -------
    altair.HConcatChart
        A point per image and point of the pair. Lines: bias (full) and 95 % limits of agreement
        (dashed); dotted: no difference.

    Raises
    ------
    ExportError
        If nothing was marked twice, or not by these.

    Examples
    --------
    >>> from biaskit.tables import AGREEMENT, MARK_PAIRS
    >>> bland_altman(MARK_PAIRS.empty(), AGREEMENT.empty())
    Traceback (most recent call last):
    ...
    biaskit.errors.ExportError: no image was marked twice, neither by two annotators nor by one.
    """
    rows = _of_two(mark_pairs, annotator, other)
    first = rows.iloc[0]
    # Of one category alone there is no line of all together.
    lines_of = "" if (agreement["category"] == "").any() else first["category"]
    same = (
        (agreement["category"] == lines_of)
        & (agreement["kind"] == first["kind"])
        & (agreement["annotator"] == first["annotator"])
        & (agreement["other"] == first["other"])
    )
    n_swapped = int(rows.drop_duplicates(["category", "image_id", "object"])["swapped"].sum())
    rows = rows[~rows["swapped"]]
    panels = [_panel(rows, agreement[same], axis) for axis in ("x", "y")]
    n = len(rows.drop_duplicates(["category", "image_id", "object"]))
    who = (
        f"{first['annotator']} the first time minus the second"
        if first["kind"] == "within"
        else f"{first['annotator']} minus {first['other']}"
    )
    left_out = f"; {n_swapped:,} with left and right swapped left out" if n_swapped else ""
    note = f"lines: bias; dashed: 95 % limits of agreement; dotted: no difference{left_out}"
    return alt.HConcatChart(
        hconcat=panels,
        title=alt.TitleParams(f"{who}, n = {n:,} images", subtitle=note, subtitleColor=GREY),
    ).resolve_scale(color="shared")


def _of_two(pairs: pd.DataFrame, annotator: str | None, other: str | None) -> pd.DataFrame:
    both = pairs["x"].notna() & pairs["other_x"].notna() & pairs["kind"].isin(["between", "within"])
    rows = pairs[both]
    if rows.empty:
        raise ExportError("no image was marked twice, neither by two annotators nor by one.")
    for column, name in (("annotator", annotator), ("other", other)):
        rows = rows if name is None else rows[rows[column] == name]
    if rows.empty:
        there = pairs.loc[both, ["annotator", "other"]].drop_duplicates().to_numpy()
        names = ", ".join(f"{a} and {b}" for a, b in there)
        raise ExportError(f"{annotator} and {other} have no mark in common, expected {names}.")
    # Two people before one and their repeats, then most marks, then names.
    groups = rows.groupby(["kind", "annotator", "other"], sort=True).size()
    kind, one, two = min(groups.index, key=lambda key: (key[0] != "between", -groups[key], key))
    chosen = (rows["kind"] == kind) & (rows["annotator"] == one) & (rows["other"] == two)
    return rows[chosen]


def _panel(rows: pd.DataFrame, limits: pd.DataFrame, axis: str) -> alt.LayerChart:
    points = sorted(rows["point"].unique())
    names = [plain_text(point.replace("_", " ")) for point in points]
    value, other = rows[axis].to_numpy(), rows[f"other_{axis}"].to_numpy()
    table = pd.DataFrame(
        {
            "image": [plain_text(name) for name in rows["image_id"]],
            "point": [names[points.index(point)] for point in rows["point"]],
            "mean": np.round((value + other) / 2, 3),
            "difference": np.round(value - other, 3),
        }
    )
    lines = limits[(limits["quantity"] == axis) & limits["point"].isin(points)]
    lines = lines.assign(point=[names[points.index(point)] for point in lines["point"]])
    colour = alt.Color(
        "point:N", title=None, scale=alt.Scale(domain=names, range=_COLOURS[: len(names)])
    )
    y = alt.Y("difference:Q", title=f"{_WHERE[axis]} difference, px")
    dots = (
        alt.Chart(table)
        .mark_point(filled=True, size=30, opacity=0.6)
        .encode(
            x=alt.X(
                "mean:Q", title=f"mean {_WHERE[axis]} position, px", scale=alt.Scale(zero=False)
            ),
            y=y,
            color=colour,
            tooltip=["image:N", "point:N", "mean:Q", "difference:Q"],
        )
    )
    zero = alt.Chart(pd.DataFrame({"at": [0.0]})).mark_rule(color=GREY, strokeDash=[1, 3])
    bias = alt.Chart(lines[["point", "mean"]].dropna()).mark_rule(strokeWidth=2)
    ends = lines.melt(id_vars="point", value_vars=["low", "high"], value_name="at").dropna()
    reach = alt.Chart(ends[["point", "at"]].round(4)).mark_rule(strokeDash=[6, 4])
    return layered(
        zero.encode(y="at:Q"),
        bias.encode(y="mean:Q", color=colour),
        reach.encode(y="at:Q", color=colour),
        dots,
    ).properties(width=260, height=240)
