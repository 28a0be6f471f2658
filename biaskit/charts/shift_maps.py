"""Image x shift maps: the probability of the true class, a line per image, a panel per network."""

import base64
import io
from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from PIL import Image

from biaskit.charts.shift_grids import ORDERS, ShiftGrid, shift_grids
from biaskit.charts.sweep_rows import one_sweep, seen_words, sweep_words
from biaskit.charts.sweep_titles import chart_title, counted_images, lines_of
from biaskit.charts.theme import layered

__all__ = ["LINES", "map_picture", "shifts", "thinned"]

# Dark blue to yellow, even in lightness: it reads in grey, and for the colour-blind.
_RAMP = (
    "#440154", "#482576", "#414487", "#355f8d", "#2a788e", "#21918c",
    "#22a884", "#44bf70", "#7ad151", "#bddf26", "#fde725",
)  # fmt: skip
_STOPS = [k / 10 for k in range(11)]
LINES = 400  # of a map at most; beyond, neighbours in the order are averaged
_WIDTHS = {1: 300, 2: 180}  # px of a panel by panels in a row
_NARROW, _IN_A_ROW = 118, 3


def shifts(
    frames: pd.DataFrame,
    swept: pd.DataFrame,
    jaggedness: pd.DataFrame,
    *,
    sort: str = "sum",
    network: str | Sequence[str] | None = None,
    protocol: str | None = None,
    direction: str | None = None,
    fill: str | None = None,
) -> alt.ConcatChart:
    """
    Draw the probability of the true class of every image at every step, as Figure 2 of the paper.

    Parameters
    ----------
    frames, swept, jaggedness : DataFrame
        Tables of these names.
    sort : {"sum", "box", "jaggedness"}
        Order of the images in each panel, the largest first: by the sum of the probabilities,
        the area of the object's box, or the number of transitions in or out of the top 5.
    network, protocol, direction, fill
        Which sweep; see ``biaskit.charts.sweep_rows.one_sweep``.

    Returns
    -------
    altair.ConcatChart
        A panel per network, each a picture of one pixel per cell; of more than 400 images
        some that follow each other in the order are averaged, and the chart says so.

    Raises
    ------
    ExportError
        As ``shift_grids``.

    Examples
    --------
    >>> from biaskit.tables import FRAMES, JAGGEDNESS, SWEPT
    >>> chart = shifts(FRAMES.empty(), SWEPT.empty(), JAGGEDNESS.empty())
    >>> chart.title.text
    ['Probability of the true class, n = 0 images']
    """
    choice: dict[str, Any] = {
        "network": network,
        "protocol": protocol,
        "direction": direction,
        "fill": fill,
    }
    grids = shift_grids(frames, swept, jaggedness, sort=sort, **choice)
    # Four stand two by two, and no row is nearly empty.
    across = 2 if len(grids) == 4 else min(_IN_A_ROW, max(1, len(grids)))
    width = _WIDTHS.get(across, _NARROW)
    most = max((len(grid.values) for grid in grids), default=0)
    height = int(np.clip(12 * most, 36, 400 if len(grids) <= _IN_A_ROW else 240))
    panels = [
        # Panels of unlike numbers of images need axes of their own.
        _panel(grid, sort, width, height, left=number % across == 0 or len(grid.values) != most)
        for number, grid in enumerate(grids)
    ] or [layered(_legend())]
    counts = [grid.n_images for grid in grids] or [0]
    head = f"Probability of the true class, {counted_images(min(counts), max(counts))}"
    about = one_sweep(swept, **choice)
    about = about[about["n_frames"] > 0]
    return (
        alt.concat(*panels, columns=across, spacing=14)
        .properties(
            title=chart_title(
                head,
                f"{sweep_words(about)}; " * bool(len(about)) + f"largest {ORDERS[sort]} on top",
                seen_words(about),
                *_left_out(grids),
                width=across * width + 60 + 14 * (across - 1),
            )
        )
        .resolve_scale(color="shared")
    )


def _left_out(grids: list[ShiftGrid]) -> list[str]:
    most = max((len(grid.values) for grid in grids), default=0)
    unlabelled = max((grid.n_unlabelled for grid in grids), default=0)
    sequences = any(len(grid.values) > grid.n_images for grid in grids)
    return [
        f"a line is the mean of {-(-most // LINES)} images" if most > LINES else "",
        f"{unlabelled:,} images whose true class is not known are left out" if unlabelled else "",
        f"some images were swept several times: {most:,} sequences" if sequences else "",
    ]


def thinned(values: np.ndarray, lines: int = LINES) -> np.ndarray:
    """
    Average rows that follow each other until there are few enough.

    Parameters
    ----------
    values : float array, shape (n_rows, n_columns)
        NaN does not count.
    lines : int

    Returns
    -------
    float array, shape (at most ``lines``, n_columns)

    Examples
    --------
    >>> thinned(np.array([[0.0], [1.0], [0.5]]), 2).ravel().tolist()
    [0.5, 0.5]
    """
    group = -(-len(values) // lines) if len(values) else 1
    if group == 1:
        return values
    starts = np.arange(0, len(values), group)
    known = ~np.isnan(values)
    total = np.add.reduceat(np.where(known, values, 0.0), starts, axis=0)
    n = np.add.reduceat(known.astype(int), starts, axis=0)
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)


def map_picture(values: np.ndarray, *, width: int, height: int) -> str:
    """
    Return a grid of values from 0 to 1 as a picture with sharp cells, clear where they are NaN.

    Parameters
    ----------
    values : float array, shape (n_rows, n_columns)
    width, height : int
        Px of the chart; the picture has at least twice as many, as no viewer then blurs cells.

    Returns
    -------
    str
        A data URI of a PNG.

    Examples
    --------
    >>> map_picture(np.zeros((2, 2)), width=10, height=10)[:22]
    'data:image/png;base64,'
    """
    known = ~np.isnan(values)
    level = np.where(known, np.rint(np.where(known, values, 0) * 254), 255).astype(np.uint8)
    tall, wide = (
        -(-2 * px // max(n, 1)) for px, n in zip((height, width), values.shape, strict=True)
    )
    cells = np.repeat(np.repeat(level, tall, axis=0), wide, axis=1)
    stops = np.array([[int(c[k : k + 2], 16) for k in (1, 3, 5)] for c in _RAMP])
    at = np.arange(255) / 254
    colours = [np.interp(at, _STOPS, stops[:, k]) for k in range(3)]
    palette = np.vstack([np.rint(np.stack(colours, axis=1)), [0, 0, 0]]).astype(np.uint8)
    picture = Image.fromarray(cells).convert("P")
    picture.putpalette(palette.ravel().tolist())
    content = io.BytesIO()
    clear = {} if known.all() else {"transparency": 255}
    picture.save(content, "PNG", optimize=True, **clear)
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def _panel(grid: ShiftGrid, sort: str, width: int, height: int, *, left: bool) -> alt.LayerChart:
    n, at = len(grid.values), grid.at
    step = float(at[1] - at[0]) if len(at) > 1 else 1.0
    low, high = (float(at[0] - step / 2), float(at[-1] + step / 2)) if n else (0.0, 1.0)
    cell = {"x": low, "x2": high, "y": 0, "y2": max(n, 1)}
    picture = map_picture(thinned(grid.values), width=width, height=height)
    table = pd.DataFrame([cell | {"picture": picture}] if n else [], columns=[*cell, "picture"])
    x_axis = alt.Axis(tickCount=max(3, width // 45), grid=False, titleLimit=width + 60)
    # A title that is longer than the map is tall would lift this panel's name above the others'.
    y_title = (f"image, by {sort}" if n >= 8 else "image") if left else None
    y_axis = alt.Axis(
        tickMinStep=1,
        tickCount=max(1, min(5, n)),
        format=",d",
        grid=False,
        labels=left and n > 1,
        ticks=left and n > 1,
        labelFlush=True,  # else the 0 lifts the title of this panel above the others'
    )
    scale = alt.Scale(domain=[low, high], nice=False, zero=False)
    title = alt.TitleParams(
        lines_of(grid.name, width), frame="group", fontSize=12, fontWeight="normal"
    )
    map_ = (
        alt.Chart(table)
        .mark_image(aspect=False)
        .encode(
            x=alt.X("x:Q", title=_axis_title(grid.axis, width), scale=scale, axis=x_axis),
            x2="x2:Q",
            y=alt.Y(
                "y:Q",
                title=y_title,
                axis=y_axis,
                scale=alt.Scale(domain=[0, max(n, 1)], nice=False, reverse=True),
            ),
            y2="y2:Q",
            url="picture:N",
        )
    )
    return layered(map_, _legend()).properties(width=width, height=height, title=title)


def _axis_title(axis: str, width: int) -> str | list[str]:
    return axis if width > 200 else axis.split(", ")


def _legend() -> alt.Chart:
    """Draw nothing but the colours' legend."""
    legend = alt.Legend(
        title="probability of the true class",
        gradientOpacity=1,
        gradientLength=220,
        titleLimit=300,
        values=[0, 0.25, 0.5, 0.75, 1],
        format=".2~f",
    )
    scale = alt.Scale(domain=_STOPS, range=list(_RAMP), interpolate="rgb")
    colour = alt.Color("p:Q", scale=scale, legend=legend)
    none = pd.DataFrame({"p": [0.0]})
    return alt.Chart(none).mark_point(opacity=0, size=0).encode(color=colour)
