"""Curves of whole sweeps, a line with its band per network: over steps, and over lags."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from biaskit.charts.sweep_rows import (
    NETWORK_COLOURS,
    NETWORK_DASHES,
    one_sweep,
    seen_words,
    sweep_words,
)
from biaskit.charts.sweep_titles import chart_title, counted_images
from biaskit.charts.theme import layered
from biaskit.errors import ExportError
from biaskit.sweeps.sequences import MEANT
from biaskit.sweeps.steps_curve import first_transitions, steps_curve

__all__ = ["lag_table", "lags", "steps"]

WIDTH = 330
_SUBSETS = {"all": "all images", "ever top 5": "true class ever in the top 5"}


def steps(
    frames: pd.DataFrame,
    jaggedness: pd.DataFrame,
    *,
    network: str | Sequence[str] | None = None,
    protocol: str | None = None,
    direction: str | None = None,
    fill: str | None = None,
) -> alt.VConcatChart:
    """
    Draw the share of jagged images over the number of steps that were taken.

    Parameters
    ----------
    frames : DataFrame
        A table ``frames``, or what ``biaskit.sweeps.steps_curve.first_transitions`` makes of its
        parts, one under the other: frames may be too many for one table.
    jaggedness : DataFrame
        The table of this name: it knows which networks have a top 5 that means something, and
        whether they were trained on the images.
    network, protocol, direction, fill
        Which sweep; see ``biaskit.charts.sweep_rows.one_sweep``.

    Returns
    -------
    altair.VConcatChart
        With 95 % Wilson bands; of all images, and of those whose true class is ever in the top 5.

    Raises
    ------
    ExportError
        If the sweep is not there or not one, or no transition can be known.

    Examples
    --------
    >>> from biaskit.tables import FRAMES, JAGGEDNESS
    >>> steps(FRAMES.empty(), JAGGEDNESS.empty()).title.text
    ['Share of jagged images, n = 0 images']
    """
    choice: dict[str, Any] = {
        "network": network,
        "protocol": protocol,
        "direction": direction,
        "fill": fill,
    }
    about = one_sweep(jaggedness[jaggedness["lag"] == 1], **choice)
    known = about.loc[about["transitions"].notna(), "name"].unique()
    if len(about) and not len(known):
        raise ExportError(
            "no transition in or out of the top 5 is known: no image's true class is, or the "
            "networks have fewer than 6 classes."
        )
    rows = one_sweep(frames, **choice)
    rows = rows[rows["name"].isin(known)]
    found = rows if "first" in rows else first_transitions(rows, n_classes=MEANT)
    curves = steps_curve(found)
    curves = one_sweep(curves) if len(curves) else curves.assign(name="")
    counts = found.groupby(["network", "variant"])["image_id"].nunique().tolist() or [0]
    panels = [
        _lines(
            curves[curves["subset"] == subset].rename(columns={"steps": "x", "share": "y"}),
            x_title="one-pixel steps taken" if _by_pixel(about) else "steps taken",
            y_title=["share of images", words],
        )
        for subset, words in _SUBSETS.items()
    ]
    left_out = sorted(set(about["name"]) - set(known))
    title = chart_title(
        f"Share of jagged images, {counted_images(min(counts), max(counts))}",
        f"{sweep_words(about)}; jagged: the true class has entered or left the top 5; "
        "bands: 95 % Wilson intervals"
        if len(about)
        else "",
        seen_words(about) if len(about) else "",
        f"without {', '.join(left_out)}: no transition is known" if left_out else "",
        width=WIDTH + 50,
    )
    return (
        alt.vconcat(*panels, spacing=14)
        .properties(title=title)
        .resolve_legend(color="shared", strokeDash="shared")
    )


def lags(
    jaggedness: pd.DataFrame,
    *,
    network: str | Sequence[str] | None = None,
    protocol: str | None = None,
    direction: str | None = None,
    fill: str | None = None,
) -> alt.LayerChart:
    """
    Draw how often frames some steps apart have the same most probable class.

    Parameters
    ----------
    jaggedness : DataFrame
        The table of this name.
    network, protocol, direction, fill
        Which sweep; see ``biaskit.charts.sweep_rows.one_sweep``.

    Returns
    -------
    altair.LayerChart
        A line per network over the lag, with a band of 1.96 standard errors over images.

    Raises
    ------
    ExportError
        If the sweep is not there or not one.

    Examples
    --------
    >>> from biaskit.tables import JAGGEDNESS
    >>> lags(JAGGEDNESS.empty()).title.text
    ['Consistency at every lag, n = 0 images']
    """
    rows = one_sweep(jaggedness, network=network, protocol=protocol, direction=direction, fill=fill)
    table = lag_table(rows)
    counts = table.groupby("name")["n_images"].max().tolist() or [0]
    single = max(counts) < 2
    bands = "no band: one image" if single else "bands: 1.96 standard errors over images"
    title = chart_title(
        f"Consistency at every lag, {counted_images(min(counts), max(counts))}",
        f"{sweep_words(rows)}; {bands}" if len(rows) else "",
        seen_words(rows) if len(rows) else "",
        "fewer images at the longer lags"
        if len(table) and (table.groupby("name")["n_images"].nunique() > 1).any()
        else "",
        width=WIDTH + 50,
    )
    words = "lag, px between the frames" if _by_pixel(rows) else "lag, steps between the frames"
    return _lines(
        table.rename(columns={"lag": "x", "consistency": "y"}),
        x_title=words,
        y_title=["pairs of frames with the", "same most probable class"],
        height=220,
    ).properties(title=title)


def lag_table(rows: pd.DataFrame) -> pd.DataFrame:
    """
    Average consistency over images at every lag; an image swept several times counts once.

    Parameters
    ----------
    rows : DataFrame
        Of one sweep of a table ``jaggedness``, with ``name``.

    Returns
    -------
    DataFrame
        name, lag, consistency, low and high (1.96 standard errors to each side, cut to 0 and 1;
        missing for one image), n_images.

    Examples
    --------
    >>> rows = pd.DataFrame({"name": "a", "lag": 1, "image_id": ["1", "2"],
    ...     "consistency": [0.5, 1.0]})
    >>> lag_table(rows)[["lag", "consistency", "high", "n_images"]].values.tolist()
    [[1.0, 0.75, 1.0, 2.0]]
    """
    images = rows.groupby(["name", "lag", "image_id"], observed=True)["consistency"].mean()
    found = images.groupby(level=["name", "lag"]).agg(["mean", "std", "count"]).reset_index()
    reach = 1.96 * found["std"] / np.sqrt(found["count"].clip(lower=1))
    return pd.DataFrame(
        {
            "name": found["name"],
            "lag": found["lag"],
            "consistency": found["mean"],
            "low": (found["mean"] - reach).clip(lower=0),
            "high": (found["mean"] + reach).clip(upper=1),
            "n_images": found["count"],
        }
    )


def _by_pixel(rows: pd.DataFrame) -> bool:
    words = ("vertical", "horizontal", "grid")
    return len(rows) > 0 and rows["direction"].iloc[0] in words


def _lines(
    table: pd.DataFrame, *, x_title: str, y_title: list[str], height: int = 160
) -> alt.LayerChart:
    names = sorted(table["name"].unique())
    table = table[["name", "x", "y", "low", "high", "n_images"]].round(5)
    table = table[table["y"].notna()]
    colours = alt.Scale(domain=names, range=list(NETWORK_COLOURS[: len(names)]))
    dashes = alt.Scale(domain=names, range=list(NETWORK_DASHES[: len(names)]))
    legend = alt.Legend(
        title="network", columns=2, symbolType="stroke", symbolOpacity=1, labelLimit=175
    )
    x = alt.X(
        "x:Q",
        title=x_title,
        scale=alt.Scale(zero=True, nice=False),
        axis=alt.Axis(tickMinStep=1, tickCount=7, format=",d", grid=False),
    )
    y = alt.Y(
        "y:Q",
        title=y_title,
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2~f"),
    )
    colour = alt.Color("name:N", scale=colours, legend=legend)
    band = (
        alt.Chart(table)
        .mark_area(opacity=0.14)
        .encode(
            x=x,
            y=alt.Y("low:Q", scale=alt.Scale(domain=[0, 1])),
            y2="high:Q",
            color=colour,
        )
    )
    few = len(table) and table["x"].nunique() < 3
    lines = (
        alt.Chart(table)
        .mark_line(strokeWidth=1.8, point={"size": 30} if few else False)
        .encode(
            x=x,
            y=y,
            color=colour,
            strokeDash=alt.StrokeDash("name:N", scale=dashes, legend=legend),
            tooltip=["name:N", "x:Q", "y:Q", "low:Q", "high:Q", "n_images:Q"],
        )
    )
    return layered(band, lines).properties(width=WIDTH, height=height)
