"""Responses sampled at every s-th place: what the samples rebuild, what becomes of their sum."""

import altair as alt
import pandas as pd

from biaskit.charts.sweep_titles import chart_title
from biaskit.charts.theme import BLUE, GREY, ORANGE, layered
from biaskit.sweeps.sampling_cases import case_words

__all__ = ["sampling"]

WIDTH, SUMS, HEIGHT = 200, 84, 130  # px of the plots of responses and of sums
_SHOWN = (0, 1)  # shifts whose samples are drawn
_WHOLE = WIDTH + SUMS + 90
_OTHERS = "others"
_COLOURS = alt.Scale(domain=["0", "1", _OTHERS], range=[BLUE, ORANGE, GREY])
_SHAPES = alt.Scale(domain=["0", "1"], range=["circle", "diamond"])
_DASHES = alt.Scale(domain=["0", "1"], range=[[1, 0], [4, 3]])


def sampling(table: pd.DataFrame, curves: pd.DataFrame) -> alt.VConcatChart:
    """
    Draw each case along a line: the response, what two sets of samples rebuild, all the sums.

    Parameters
    ----------
    table : DataFrame
        A table ``sampling``; only its rows of one dimension are told.
    curves : DataFrame
        What ``biaskit.sweeps.sampling_cases.demonstration_curves`` returns for the same options.

    Returns
    -------
    altair.VConcatChart
        A row per case. Left the response as a band, its samples at shift 0 and 1 as points, and
        the response that these samples rebuild as lines: where the lines lie on the band, the
        samples hold the whole response. Right the sum of the samples at every shift, of its mean.

    Examples
    --------
    >>> from biaskit.sweeps.sampling_cases import demonstration, demonstration_curves
    >>> len(sampling(demonstration(), demonstration_curves()).vconcat)
    4
    """
    rows = table[table["dimensions"] == 1]
    if not len(rows):
        nothing = alt.Chart(pd.DataFrame({"x": []})).mark_point().encode(x="x:Q")
        return alt.vconcat(nothing).properties(title=chart_title("No response", width=_WHOLE))
    values = curves["value"]
    domain = [float(values.min()), float(values.max())]
    sums = _sums(curves)
    top = float(sums["sum"].max())
    panels = []
    for number, (_, row) in enumerate(rows.iterrows()):
        last = number == len(rows) - 1
        own = curves[curves["case"] == row["case"]]
        left = _response(own, domain, last=last)
        right = _bars(sums[sums["case"] == row["case"]], top, last=last)
        panels.append(alt.hconcat(left, right, spacing=14).properties(title=_head(number + 1, row)))
    return alt.vconcat(*panels, spacing=12).properties(title=_title(rows))


def _response(curves: pd.DataFrame, domain: list[float], *, last: bool) -> alt.LayerChart:
    own = curves[curves["shift"].isin(_SHOWN)].round({"value": 5})
    own = own.assign(shift=own["shift"].astype(str))
    kinds = {kind: own[own["kind"] == kind] for kind in ("response", "rebuilt", "samples")}
    x = alt.X(
        "place:Q",
        title="place" if last else None,
        scale=alt.Scale(nice=False, padding=4),
        axis=alt.Axis(labels=last, tickCount=5, grid=False),
    )
    y = alt.Y(
        "value:Q",
        title="response",
        scale=alt.Scale(domain=domain, padding=5),
        axis=alt.Axis(tickCount=4),
    )
    colour, shape, dash = (
        kind("shift:N", scale=scale, legend=None)
        for kind, scale in ((alt.Color, _COLOURS), (alt.Shape, _SHAPES), (alt.StrokeDash, _DASHES))
    )
    band = alt.Chart(kinds["response"]).mark_line(
        color=GREY, strokeWidth=5, strokeJoin="round", opacity=0.5
    )
    lines = alt.Chart(kinds["rebuilt"]).mark_line(strokeWidth=1.5)
    points = alt.Chart(kinds["samples"]).mark_point(filled=True, size=28, opacity=1)
    told = ["shift:N", "place:Q", "value:Q"]
    return layered(
        band.encode(x=x, y=y),
        lines.encode(x=x, y=y, color=colour, strokeDash=dash),
        points.encode(x=x, y=y, color=colour, shape=shape, tooltip=told),
    ).properties(width=WIDTH, height=HEIGHT)


def _sums(curves: pd.DataFrame) -> pd.DataFrame:
    """Add up the samples at every shift, as shares of the mean over the shifts of a case."""
    samples = curves[curves["kind"] == "samples"]
    found = (
        samples.groupby(["case", "shift"], sort=False)["value"].sum().rename("sum").reset_index()
    )
    found["sum"] /= found.groupby("case")["sum"].transform("mean").abs()
    shown = found["shift"].astype(str).where(found["shift"].isin(_SHOWN), _OTHERS)
    return found.assign(sum=found["sum"].round(5), shown=shown)


def _bars(sums: pd.DataFrame, top: float, *, last: bool) -> alt.LayerChart:
    y = alt.Y(
        "sum:Q",
        title="sum, of its mean",
        scale=alt.Scale(domain=[0, 1.05 * top], nice=False),
        axis=alt.Axis(values=[0, 0.5, 1, 1.5], format=".2~f"),
    )
    x = alt.X(
        "shift:O",
        title="shift" if last else None,
        axis=alt.Axis(labels=last, labelAngle=0, ticks=last),
    )
    bars = (
        alt.Chart(sums)
        .mark_bar()
        .encode(
            x=x,
            y=y,
            color=alt.Color("shown:N", scale=_COLOURS, legend=None),
            tooltip=["shift:O", "sum:Q"],
        )
    )
    mean = alt.Chart(pd.DataFrame({"sum": [1.0]})).mark_rule(strokeDash=[3, 3]).encode(y=y)
    return layered(bars, mean).properties(width=SUMS, height=HEIGHT)


def _head(number: int, row: pd.Series) -> alt.TitleParams:
    words = case_words(row)
    return chart_title(f"{number}. {_begun(row['case'])}", f"{_begun(words)}.", width=_WHOLE)


def _begun(words: str) -> str:
    return words[:1].upper() + words[1:]


def _title(rows: pd.DataFrame) -> alt.TitleParams:
    n, factor = (int(rows[name].iloc[0]) for name in ("n", "factor"))
    return chart_title(
        f"What samples keep of a response, n = {n:,} places, one in {factor} sampled",
        "Wide and grey: the response, behind the ReLU if there is one. Blue: the samples from "
        "place 0, and what they rebuild. Orange, dashed: those from place 1, as if the response "
        "had moved by one place. Bars: the sum of the samples at every shift.",
        "Off by: root mean square over all shifts, of the response's own without its mean.",
        width=_WHOLE,
    )
