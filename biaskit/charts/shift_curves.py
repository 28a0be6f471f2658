"""The curve of one image: its probability at every shift, scale or frame, and its largest jump."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from biaskit.charts.jump_pictures import jump_pictures
from biaskit.charts.jumps import Jump, sequence_of
from biaskit.charts.rows import labels
from biaskit.charts.sweep_rows import (
    NETWORK_COLOURS,
    NETWORK_DASHES,
    one_sweep,
    positions,
    seen_words,
    sweep_words,
)
from biaskit.charts.sweep_titles import chart_title
from biaskit.charts.theme import GREY, ORANGE, layered

__all__ = ["curve", "film"]

WIDTH = 330  # px of the plot
_PANELS = {"p_true": "of the true class", "p_first": "of the first frame's class"}


def curve(
    frames: pd.DataFrame,
    swept: pd.DataFrame,
    *,
    image: str | None = None,
    pictures: Sequence[np.ndarray] | None = None,
    words: Mapping[str, str] | None = None,
    network: str | Sequence[str] | None = None,
    protocol: str | None = None,
    direction: str | None = None,
    fill: str | None = None,
) -> alt.VConcatChart:
    """
    Draw how probable one image's class is at every step, a line per network: the paper's Figure 1.

    Parameters
    ----------
    frames, swept : DataFrame
        Tables of these names.
    image : str, optional
        Its id; by default that with the largest single jump.
    pictures : sequence of two uint8 arrays, shape (h, w, 3), optional
        The frames before and after the jump; drawn with what the network said to them. See
        ``biaskit.charts.remade_frames.remade_frames``.
    words : mapping of str, optional
        Class to the word shown instead.
    network, protocol, direction, fill
        Which sweep; see ``biaskit.charts.sweep_rows.one_sweep``.

    Returns
    -------
    altair.VConcatChart
        The probability of the true class, where it is known, over that of the class that was
        first in step 0, with the largest jump marked; below, the two frames around it.

    Raises
    ------
    ExportError
        If the sweep is not there or not one, or the image was not swept.

    Examples
    --------
    >>> from biaskit.tables import FRAMES, SWEPT
    >>> curve(FRAMES.empty(), SWEPT.empty()).title.text
    ['No image']
    """
    choice: dict[str, Any] = {
        "network": network,
        "protocol": protocol,
        "direction": direction,
        "fill": fill,
    }
    rows, jump = sequence_of(one_sweep(frames, **choice), image)
    if jump is None:
        nothing = layered(alt.Chart(pd.DataFrame({"x": []})).mark_point().encode(x="x:Q"))
        return alt.vconcat(nothing).properties(title=chart_title("No image", width=WIDTH))
    about = one_sweep(swept, **choice)
    about = about[about["image_id"] == jump.image_id]
    where, axis = positions(rows)
    rows = rows.assign(at=where)
    drawn = [c for c in _PANELS if rows[c].notna().any() and not _told(rows, c)]
    panels: list[alt.LayerChart | alt.HConcatChart] = [
        _panel(rows, column, jump, axis if column == drawn[-1] else None) for column in drawn
    ]
    if pictures is not None:
        both = rows[(rows["name"] == jump.name) & rows["step"].isin([jump.step, jump.step + 1])]
        panels.append(jump_pictures(both, pictures, words=words or {}, width=WIDTH + 40))
    return (
        alt.vconcat(*panels, spacing=14)
        .properties(title=_title(rows, about, jump, drawn, words or {}))
        .resolve_legend(color="shared", strokeDash="shared")
    )


def film(
    frames: pd.DataFrame,
    swept: pd.DataFrame,
    *,
    image: str | None = None,
    pictures: Sequence[np.ndarray] | None = None,
    words: Mapping[str, str] | None = None,
    network: str | Sequence[str] | None = None,
) -> alt.VConcatChart:
    """
    Draw how probable a film's class is in every frame, a line per network.

    Parameters
    ----------
    frames, swept, image, pictures, words, network
        As in ``curve``; the id of a film is its name without ending.

    Raises
    ------
    ExportError
        If no film was swept, or not this one.

    Examples
    --------
    >>> from biaskit.tables import FRAMES, SWEPT
    >>> film(FRAMES.empty(), SWEPT.empty()).title.text
    ['No image']
    """
    return curve(
        frames,
        swept,
        image=image,
        pictures=pictures,
        words=words,
        network=network,
        protocol="film",
    )


def _told(rows: pd.DataFrame, column: str) -> bool:
    """Say whether a panel would show what the one above it shows."""
    return column == "p_first" and bool(np.allclose(rows["p_true"], rows["p_first"], atol=1e-6))


def _panel(rows: pd.DataFrame, column: str, jump: Jump, axis: str | None) -> alt.LayerChart:
    names = sorted(rows["name"].unique())
    table = rows[["name", "at", "step", "top1", column]].rename(columns={column: "p"}).round(5)
    x = alt.X(
        "at:Q",
        title=axis,
        scale=alt.Scale(zero=False, nice=False, padding=4),
        axis=alt.Axis(labels=axis is not None, tickCount=7, grid=False),
    )
    y = alt.Y(
        "p:Q",
        title=["probability", _PANELS[column]],
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2~f"),
    )
    one = len(names) == 1
    legend = (
        None if one else alt.Legend(title="network", columns=2, symbolType="stroke", labelLimit=175)
    )
    colours = alt.Scale(domain=names, range=list(NETWORK_COLOURS[: len(names)]))
    dashes = alt.Scale(domain=names, range=list(NETWORK_DASHES[: len(names)]))
    lines = (
        alt.Chart(table)
        .mark_line(strokeWidth=1.8, point={"size": 14, "filled": True} if len(table) < 400 else {})
        .encode(
            x=x,
            y=y,
            color=alt.Color("name:N", scale=colours, legend=legend),
            strokeDash=alt.StrokeDash("name:N", scale=dashes, legend=legend),
            tooltip=["name:N", "step:Q", "p:Q", "top1:N"],
        )
    )
    return layered(*_marker(table, column, jump, x, y), lines).properties(width=WIDTH, height=150)


def _marker(
    table: pd.DataFrame, column: str, jump: Jump, x: alt.X, y: alt.Y
) -> tuple[alt.Chart, ...]:
    """Shade the step of the jump; where it is this panel's, ring its two ends."""
    steps = [jump.step, jump.step + 1]
    both = table[(table["name"] == jump.name) & table["step"].isin(steps)].sort_values("step")
    if len(both) < 2:
        return ()
    span = pd.DataFrame({"at": [both["at"].iloc[0]], "end": [both["at"].iloc[1]]})
    shade = alt.Chart(span).mark_rect(color=GREY, opacity=0.3).encode(x=x, x2="end:Q", tooltip=[])
    if column != jump.of:
        return (shade,)
    rings = (
        alt.Chart(both[["at", "p"]])
        .mark_point(size=110, color=ORANGE, strokeWidth=1.8, filled=False)
        .encode(x=x, y=y)
    )
    return shade, rings


def _title(
    rows: pd.DataFrame, about: pd.DataFrame, jump: Jump, drawn: list[str], words: Mapping[str, str]
) -> alt.TitleParams:
    category = (
        labels(rows.head(1), words=words, limit=36).iloc[0] if rows["category"].iloc[0] else ""
    )
    film_ = rows["protocol"].iloc[0] == "film"
    shown = f"{'Film' if film_ else 'Image'} {jump.image_id}" + (
        f": {category}" if category else ""
    )
    whose = _PANELS[jump.of]
    n = rows.groupby("name").size()
    steps = f"{n.min():,}" if n.min() == n.max() else f"{n.min():,} to {n.max():,}"
    size = f"{jump.size:+.2g}".replace("-", "−")
    notes = [
        f"{sweep_words(rows)}; n = 1 {'film' if film_ else 'image'}, {steps} frames",
        f"row of the grid: {rows['dy'].iloc[0]:g} px down".replace("-", "−")
        if rows["direction"].iloc[0] == "grid"
        else "",
        seen_words(about).replace("images:", "film:" if film_ else "image:"),
        f"largest jump, marked: {size} from one frame to the next, {jump.name}, {whose}",
        ""
        if "p_true" in drawn
        else "its true class is not known, so no probability of it is drawn",
        "the first frame's class is the true one"
        if len(drawn) == 1 and drawn[0] == "p_true"
        else "",
    ]
    return chart_title(shown, *notes, width=WIDTH + 50)
