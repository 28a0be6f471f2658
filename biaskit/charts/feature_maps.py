"""Feature maps of several layers as the image is shifted: the paper's Figure 4."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from biaskit.charts.line_names import short_name
from biaskit.charts.map_grids import COLUMNS, MapGrid, MapRow, map_grid
from biaskit.charts.network_rows import network_rows
from biaskit.charts.rows import plain_text
from biaskit.charts.shift_maps import map_picture
from biaskit.charts.sweep_rows import sweep_words
from biaskit.charts.sweep_titles import chart_title
from biaskit.charts.theme import GREY, ORANGE, layered

__all__ = ["maps"]

_MUCH = 0.2  # of the mean sum: what the paper calls a change
_CELL, _SPACE, _HEAD, _FOOT = 56, 4, 36, 38  # px: a map, between maps, above, below a row
_TOP = 30  # px of the shifts above all rows
_LINE = 56  # letters above a row
_ALL = 10_000  # networks: the first is drawn, however many there are
WIDTH = COLUMNS * _CELL + (COLUMNS - 1) * _SPACE


def maps(
    feature_maps: pd.DataFrame,
    *,
    network: str | Sequence[str] | None = None,
    image: str | None = None,
    layers: Sequence[str] | None = None,
    protocol: str | None = None,
    direction: str | None = None,
    fill: str | None = None,
) -> alt.LayerChart:
    """
    Draw maps of some layers at neighbouring shifts, and how far their sums are off the mean.

    Parameters
    ----------
    feature_maps : DataFrame
        The table of this name.
    network : str or sequence of str, optional
    image : str, optional
        Of which network and image; by default the first, and the title says of how many.
    layers : sequence of str, optional
        Which layers; by default six at most, from the first to the deepest.
    protocol, direction, fill : str, optional
        Needed as far as the table holds several.

    Returns
    -------
    altair.LayerChart
        A row per layer, the deepest below, with colours of its own; a column per shift, six at
        most, neighbours around the middle; under every map how far its sum is off the layer's
        mean sum, and the sum.

    Raises
    ------
    ExportError
        If there is nothing so, several sweeps, the image or a layer is not there, or a map's
        levels are not as many as its places.

    Examples
    --------
    >>> from biaskit.tables import FEATURE_MAPS
    >>> maps(FEATURE_MAPS.empty()).title.text
    ['Feature maps under shift, n = 0 images']
    """
    condition: dict[str, Any] = {"protocol": protocol, "direction": direction, "fill": fill}
    rows = network_rows(feature_maps, network=network, most=_ALL, **condition)
    if rows.empty:
        return _nothing()
    grid = map_grid(rows, image=image, layers=layers)
    pictures, words, above = [], [], float(_TOP)
    for row in grid.rows:
        words.append(_head(row, above))
        above += _HEAD
        tall = _tall(row)
        pictures.append(_pictures(row, above, tall))
        above += tall + _FOOT
    return _chart(grid, pd.concat(pictures), pd.concat(words), above).properties(
        title=_title(grid, sweep_words(rows))
    )


def _tall(row: MapRow) -> int:
    """Return px of a row: maps keep their shape, within reason."""
    height, width = row.maps[0].values.shape if row.maps else (1, 1)
    return int(np.clip(round(_CELL * height / width), 12, 3 * _CELL))


def _pictures(row: MapRow, above: float, tall: int) -> pd.DataFrame:
    """Return a line per map: its picture and where it is, its sum and how far that is off."""
    found = [
        {
            "layer": row.layer,
            "sum": one.total,
            "x": one.column * float(_CELL + _SPACE),
            "y": above,
            "picture": map_picture(one.values, width=_CELL, height=tall),
            "total": _number(one.total),
            "off": _signed(one.off),
            "much": bool(abs(one.off) > _MUCH),
        }
        for one in row.maps
    ]
    names = ["layer", "sum", "x", "y", "picture", "total", "off", "much"]
    table = pd.DataFrame(found, columns=names)
    return table.assign(x2=table["x"] + _CELL, y2=above + tall, much=table["much"].astype(bool))


def _head(row: MapRow, above: float) -> pd.DataFrame:
    """Return the two lines above a row: which layer, and what its colours are."""
    height, width = row.maps[0].values.shape if row.maps else (0, 0)
    about = f"depth {row.depth}, {height} x {width}, channel {row.channel}"
    name = short_name(row.layer, max(8, _LINE - len(about)))
    scale = f"colours {_number(row.low)} to {_number(row.high)}; mean sum {_number(row.mean)}"
    lines = {"y": [above + 9, above + 24], "word": [f"{name}: {about}", scale]}
    return pd.DataFrame(lines | {"first": [True, False]})


def _signed(off: float) -> str:
    """Write a deviation in percent; that of a layer whose mean sum is 0 does not exist."""
    if np.isnan(off):
        return "no mean"
    percent = round(100 * off)
    return f"{percent:+d} %".replace("-", "−") if percent else "0 %"


def _number(value: float) -> str:
    """Write three digits at least, and no exponent where it can be read without."""
    text = f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.3g}"
    return text.replace("-", "−")


def _chart(
    grid: MapGrid, pictures: pd.DataFrame, words: pd.DataFrame, height: float
) -> alt.LayerChart:
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, WIDTH], nice=False, zero=False))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[height, 0], nice=False, zero=False))
    at = {"x": x, "x2": "x2:Q", "y": y, "y2": "y2:Q"}
    images = alt.Chart(pictures[["layer", "sum", "x", "x2", "y", "y2", "picture"]].round(5))
    framed = alt.Chart(pictures.loc[pictures["much"], ["x", "x2", "y", "y2"]])
    middle = pictures["x"] + _CELL / 2
    off = pd.DataFrame({"x": middle, "y": pictures["y2"] + 9, "word": pictures["off"]})
    sums = pd.DataFrame({"x": middle, "y": pictures["y2"] + 24, "word": pictures["total"]})
    columns = np.arange(len(grid.shifts)) * float(_CELL + _SPACE) + _CELL / 2
    heads = words.assign(x=0.0)[["x", "y", "word"]]
    much, first = pictures["much"].to_numpy(bool), words["first"].to_numpy(bool)
    return layered(
        images.mark_image(aspect=False).encode(**at, url="picture:N", tooltip=["layer:N", "sum:Q"]),
        framed.mark_rect(fillOpacity=0, stroke=ORANGE, strokeWidth=2).encode(**at),
        _text(pd.DataFrame({"x": [0.0], "y": 6.0, "word": [grid.axis]}), x, y, align="left"),
        _text(pd.DataFrame({"x": columns, "y": 22.0, "word": grid.shifts}), x, y),
        _text(heads[first], x, y, align="left"),
        _text(heads[~first], x, y, align="left", color=GREY),
        _text(off[~much], x, y),
        _text(off[much], x, y, fontWeight="bold"),
        _text(sums, x, y, color=GREY),
    ).properties(width=WIDTH, height=height)


def _text(table: pd.DataFrame, x: alt.X, y: alt.Y, **options: Any) -> alt.Chart:
    mark = alt.Chart(table).mark_text(fontSize=12, baseline="middle", **options)
    return mark.encode(x=x, y=y, text="word:N")


def _nothing() -> alt.LayerChart:
    mark = alt.Chart(pd.DataFrame({"word": ["no map"]})).mark_text(color=GREY)
    return layered(mark.encode(text="word:N")).properties(
        width=WIDTH,
        height=60,
        title=chart_title("Feature maps under shift, n = 0 images", width=WIDTH),
    )


def _title(grid: MapGrid, sweep: str) -> alt.TitleParams:
    return chart_title(
        f"Feature maps under shift, {plain_text(grid.name)}, n = 1 image",
        f"image {plain_text(grid.image)}; {sweep}",
        f"shown: {', '.join(grid.part)}" if grid.part else "",
        "below each map: how far its sum is off the layer's mean over all shifts, framed if over "
        "20 %; its sum",
        "colours: dark the layer's least value, bright its greatest",
        width=WIDTH,
    )
