"""How large the boxes are: counts per bin, with the band the null allows."""

import altair as alt
import pandas as pd

from biaskit.charts.places import null_words
from biaskit.charts.size_bins import SizeBins, size_bins
from biaskit.charts.theme import BAND, BLUE, layered

__all__ = ["sizes", "sizes_panel"]

LOG_TICKS = [0.0001, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1]


def sizes(
    boxes: pd.DataFrame,
    *,
    title: str = "",
    measure: str = "height",
    null: str = "frame",
    policy: str = "weighted",
    edges: str = "with",
    seed: int | None = None,
    bins: int = 10,
) -> alt.LayerChart:
    """
    Draw the distribution of a size, with the band in which the null holds each bin.

    Parameters
    ----------
    boxes : DataFrame
        A table ``boxes``, as a rule of one category.
    title : str
        What the boxes are; n, null, policy and edges are added.
    measure, null, policy, edges, seed, bins
        As in ``biaskit.charts.size_bins.size_bins``.

    Returns
    -------
    altair.LayerChart
        Bars: counted. Band: 95 % of data sets under the null, bin by bin. Line: expected.

    Raises
    ------
    ValueError
        As ``size_bins`` does.

    Examples
    --------
    >>> from biaskit.tables import BOXES
    >>> len(sizes(BOXES.empty()).layer)
    3
    """
    found = size_bins(
        boxes, measure=measure, null=null, policy=policy, edges=edges, seed=seed, bins=bins
    )
    note = (
        f"n = {found.n_images:,} images; {null_words(null)}, policy {policy}, "
        f"{edges} touching boxes"
    )
    head = f"{title}: {measure} of boxes" if title else f"{measure.capitalize()} of boxes"
    return sizes_panel(found).properties(title=alt.TitleParams(head, subtitle=note))


def sizes_panel(
    found: SizeBins, *, title: bool = True, width: int = 260, height: int = 195
) -> alt.LayerChart:
    """
    Draw counted sizes with the null's band; n in the title.

    Parameters
    ----------
    found : SizeBins
    title : bool
        Write n and what is drawn above it.
    width, height : int
        Of the plot, px.

    Examples
    --------
    >>> from biaskit.tables import BOXES
    >>> sizes_panel(size_bins(BOXES.empty())).layer[0].mark["type"]
    'rect'
    """
    unit = f"of image {'width' if found.measure == 'distance' else found.measure}"
    what = "objects" if found.policy == "all" else "images"
    log = found.null.startswith("log-uniform")
    scale = alt.Scale(
        type="log" if log else "linear",
        domain=[float(found.table["low"].iloc[0]), float(found.table["high"].iloc[-1])],
        nice=False,
    )
    axis = alt.Axis(format=".2~g", grid=False, tickCount=5)
    if log:
        axis.values = LOG_TICKS
    x_title = f"{found.measure}, {unit}"
    x = alt.X("low:Q", scale=scale, title=x_title, axis=axis)
    base = alt.Chart(found.table.round(5)).encode(x=x, x2="high:Q")
    tips = [
        alt.Tooltip(f"{name}:Q", format=".3~g")
        for name in ("low", "high", "observed", "expected", "band_low", "band_high")
    ]
    counts = alt.Y("zero:Q", title=f"{what} per bin", axis=alt.Axis(tickCount=5))
    bars = (
        base.transform_calculate(zero="0")
        .mark_rect(color=BLUE, opacity=0.75, stroke=BLUE, strokeWidth=0.5)
        .encode(y=counts, y2="observed:Q", tooltip=tips)
    )
    band = base.mark_rect(color=BAND, opacity=0.35).encode(y="band_low:Q", y2="band_high:Q")
    line = base.mark_rule(color=BAND, strokeWidth=2).encode(y="expected:Q")
    chart = layered(bars, band, line).properties(width=width, height=height)
    if not title:
        return chart
    head = f"Bars: counted, n = {found.n_images:,}. Grey: {null_words(found.null)}, 95 %"
    return chart.properties(title=alt.TitleParams(head, fontSize=12, fontWeight="normal"))
