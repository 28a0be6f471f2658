"""Before and after anti-aliasing: what blur before the strides changes, and what it costs."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from biaskit.charts.line_names import short_name
from biaskit.charts.network_lines import Look, looks_of
from biaskit.charts.network_rows import network_rows
from biaskit.charts.sweep_rows import seen_words, sweep_words
from biaskit.charts.sweep_titles import chart_title, counted_images
from biaskit.charts.theme import GREY, layered

__all__ = ["antialiasing"]

_MEASURES = {
    "accuracy": ("accuracy", "share of frames"),
    "agreement": ("agreement with plain", "share of frames"),
    "p_top1_change": ("P(top-1 change)", "share of steps"),
    "nonshiftability": ("nonshiftability", "share of steps"),
}
_PLAIN = "plain"
_MOST, _LETTERS, _COLOURS = 60, 18, 5  # variants, letters of a name, colours
_ROW, _BREAK = 15, 0.6  # px of a row; rows between two networks
_WIDTHS, _LABELS = {2: 124, 3: 82}, 120  # px of a panel by panels in a row, of the names


def antialiasing(
    antialiasing: pd.DataFrame,
    *,
    network: str | Sequence[str] | None = None,
    protocol: str | None = None,
    direction: str | None = None,
    fill: str | None = None,
) -> alt.ConcatChart:
    """
    Draw the variants of every network beside each other: right, alike, jumpy, shiftable.

    Parameters
    ----------
    antialiasing : DataFrame
        The table of this name.
    network : str or sequence of str, optional
        Only these; a network's name stands for all its variants.
    protocol, direction, fill : str, optional
        Needed as far as the table holds several.

    Returns
    -------
    altair.ConcatChart
        A panel per measure, a dot with its 95 % interval per variant, and a thin line where the
        network as it is stands. A network that is seldom right has few answers to change: the
        measures are only to be read together.

    Raises
    ------
    ExportError
        If there is nothing so, or several sweeps.

    Examples
    --------
    >>> from biaskit.tables import ANTIALIASING
    >>> " ".join(antialiasing(ANTIALIASING.empty()).title.text)
    'Before and after anti-aliasing, 0 networks, n = 0 images'
    """
    rows = network_rows(
        antialiasing,
        network=network,
        variants=True,
        most=_MOST,
        protocol=protocol,
        direction=direction,
        fill=fill,
    )
    places = _places(rows)
    looks = _looks(sorted(rows["variant"].unique()))
    drawn = [m for m in _MEASURES if rows[m].notna().any()] or list(_MEASURES)
    across = 3 if len(drawn) == 3 else 2
    panels = [
        _panel(rows, places, measure, looks, _WIDTHS[across], left=k % across == 0)
        for k, measure in enumerate(drawn)
    ]
    return alt.concat(*panels, columns=across, spacing=18).properties(title=_title(rows, drawn))


def _looks(variants: Sequence[str]) -> dict[str, Look]:
    """Give each variant a colour, from the sixth on with hollow dots; plain is grey."""
    others = looks_of([variant for variant in variants if variant != _PLAIN])
    looks = {
        variant: replace(look, filled=k < _COLOURS)
        for k, (variant, look) in enumerate(others.items())
    }
    return {_PLAIN: Look(GREY)} | looks if _PLAIN in variants else looks


def _places(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the lines of text from the top: a network's name, and its variants below it."""
    found, at = [], 0.0
    for name, own in rows.groupby("network", sort=True):
        found.append({"network": name, "variant": "", "text": short_name(str(name), _LETTERS)})
        found[-1]["at"] = at
        for variant in sorted(own["variant"], key=lambda v: (v != _PLAIN, v)):
            at += 1
            words = short_name(variant, _LETTERS)
            found.append({"network": name, "variant": variant, "text": words, "at": at})
        at += 1 + _BREAK
    return pd.DataFrame(found, columns=["network", "variant", "text", "at"])


def _panel(
    rows: pd.DataFrame,
    places: pd.DataFrame,
    measure: str,
    looks: dict[str, Look],
    width: int,
    *,
    left: bool,
) -> alt.LayerChart:
    low, high = f"{measure}_low", f"{measure}_high"
    table = rows.merge(places, on=["network", "variant"])
    columns = ["network", "variant", "at", "n_images", measure, low, high]
    table = table[columns].rename(columns={measure: "x", low: "low", high: "high"}).round(5)
    x, y = _axes(table, places, measure)
    layers = []
    for variant, look in looks.items():
        own = table[(table["variant"] == variant) & table["x"].notna()]
        base = alt.Chart(own)
        layers += [
            base.transform_filter("isValid(datum.low) && isValid(datum.high)")
            .mark_rule(color=look.colour, strokeWidth=2, opacity=0.55)
            .encode(x=alt.X("low:Q", scale=x["scale"]), x2="high:Q", y=y),
            base.mark_point(
                color=look.colour, filled=look.filled, size=40, strokeWidth=2, opacity=1
            ).encode(
                x=x, y=y, tooltip=["network:N", "variant:N", "x:Q", "low:Q", "high:Q", "n_images:Q"]
            ),
        ]
    lines = [_as_it_is(table, looks, x, y)] if _PLAIN in looks else []
    words = _labels(places, y) if left else []
    nothing = [alt.Chart(table[["x", "at"]]).mark_point().encode(x=x, y=y)] * table.empty
    return layered(*nothing, *lines, *layers, *_missing(table, y), *words).properties(
        width=width,
        height=int(_ROW * (_end(places) + 1)),
        title=alt.TitleParams(
            _MEASURES[measure][0], frame="group", fontSize=12, fontWeight="normal", offset=4
        ),
    )


def _end(places: pd.DataFrame) -> float:
    return float(places["at"].max()) if len(places) else 1.0


def _axes(table: pd.DataFrame, places: pd.DataFrame, measure: str) -> tuple[alt.X, alt.Y]:
    reach = (0.0, 1.0)
    if table["x"].notna().any():
        # Twentieths beyond all intervals, from 0 if that is near.
        least = float(np.floor(np.nanmin(table[["x", "low"]]) * 20 - 0.2) / 20)
        most = float(np.ceil(np.nanmax(table[["x", "high"]]) * 20 + 0.2) / 20)
        reach = (0.0 if least < 0.2 else least, min(1.0, most))
    lines = places.loc[places["variant"] != "", "at"].tolist()
    x = alt.X(
        "x:Q",
        title=_MEASURES[measure][1],
        scale=alt.Scale(domain=list(reach), nice=False, zero=False),
        axis=alt.Axis(tickCount=4, format=".2~f", grid=False),
    )
    y = alt.Y(
        "at:Q",
        title=None,
        scale=alt.Scale(domain=[-0.5, _end(places) + 0.5], nice=False, reverse=True),
        axis=alt.Axis(
            values=lines, tickCount=max(1, len(lines)), labels=False, ticks=False, domain=False
        ),
    )
    return x, y


def _as_it_is(table: pd.DataFrame, looks: dict[str, Look], x: alt.X, y: alt.Y) -> alt.Chart:
    """Draw where each network as it is stands, through the rows of its variants."""
    rows = table[table["x"].notna()]
    plain = rows[rows["variant"] == _PLAIN].set_index("network")["x"]
    ends = table.groupby("network")["at"].agg(["min", "max"]).join(plain, how="inner")
    ends = ends.rename(columns={"min": "at", "max": "end"}).reset_index(drop=True)
    ends["end"] += 0.4
    mark = alt.Chart(ends).mark_rule(color=looks[_PLAIN].colour, strokeWidth=1, opacity=0.5)
    return mark.encode(x=x, y=y, y2="end:Q")


def _labels(places: pd.DataFrame, y: alt.Y) -> list[alt.Chart]:
    """Write the networks' names in bold, and their variants' below."""
    look: dict[str, Any] = {"fontSize": 12, "align": "right", "baseline": "middle", "dx": -8}
    network = places["variant"] == ""
    heads, below = (alt.Chart(places.loc[rows, ["at", "text"]]) for rows in (network, ~network))
    at = {"x": alt.value(0), "y": y, "text": "text:N"}
    return [
        heads.mark_text(**look, fontWeight="bold").encode(**at),
        below.mark_text(**look).encode(**at),
    ]


def _missing(table: pd.DataFrame, y: alt.Y) -> list[alt.Chart]:
    """Say of which variants a measure is not known."""
    rows = table.loc[table["x"].isna(), ["at"]].assign(word="not measured")
    if rows.empty:
        return []
    mark = alt.Chart(rows).mark_text(fontSize=11, color=GREY, align="left", baseline="middle")
    return [mark.encode(x=alt.value(4), y=y, text="word:N")]


def _title(rows: pd.DataFrame, drawn: list[str]) -> alt.TitleParams:
    networks = rows["network"].nunique()
    n = rows["n_images"].astype(int).tolist() or [0]
    width = 2 * _WIDTHS[2] + _LABELS
    head = (
        f"Before and after anti-aliasing, {networks} network{'' if networks == 1 else 's'}, "
        f"{counted_images(min(n), max(n))}"
    )
    if rows.empty:
        return chart_title(head, width=width - _LABELS)
    inside = rows.loc[rows["nonshiftability"].notna(), "n_inside"].astype(int)
    sums = counted_images(inside.min(), inside.max()) if len(inside) else ""
    without = [_MEASURES[m][0] for m in _MEASURES if m not in drawn]
    title = chart_title(
        head,
        "weights kept, not retrained: accuracy is expected to fall",
        f"{sweep_words(rows)}; bars: 95 % intervals over images; thin lines: plain",
        f"nonshiftability of layers that drop places, {sums}" if sums else "",
        f"not measured: {', '.join(without)}" if without else "",
        seen_words(rows),
        width=width,
    )
    title.frame = "bounds"  # from the names' left, not the plots'
    return title
