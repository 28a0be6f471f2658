"""Where in the frame answers are right: accuracy over the places of the image."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from biaskit.charts.line_names import short_name
from biaskit.charts.network_rows import condition_words, network_rows
from biaskit.charts.robustness import SIZE, size_words, who_words
from biaskit.charts.sweep_rows import seen_words
from biaskit.charts.sweep_titles import chart_title, counted_images
from biaskit.charts.theme import GREY, layered
from biaskit.errors import ExportError
from biaskit.sweeps.robust.robustness import accuracy_map

__all__ = ["robust_places"]

_PAPER = 0.5  # the size that the paper shows images at
_SIDES = {1: 266, 2: 161, 3: 112}  # px of a panel by panels in a row, in whole cells of sevenths
_WORDS = 22  # px of a cell that has room for its number
_FEW = 10  # images of a cell below which it is pale: its share says little
_DARK = 0.55  # above, the cell is so bright that its number is black


def robust_places(
    robustness: pd.DataFrame,
    *,
    scale: float | None = None,
    network: str | Sequence[str] | None = None,
    fill: str | None = None,
) -> alt.ConcatChart:
    """
    Draw how often answers are right by where the image stands in the frame.

    Parameters
    ----------
    robustness : DataFrame
        The table of this name, or what ``accuracy_map`` makes of it.
    scale : float, optional
        Longer side of the image, of the frame's; by default a half, else the least there is.
    network : str or sequence of str, optional
        Only these networks and people.
    fill : str, optional
        Needed if the table holds several.

    Returns
    -------
    altair.ConcatChart
        A panel per network or person, a square per bin of the place of the image's middle; where
        no image stood, none.

    Raises
    ------
    ExportError
        If there is nothing so, several fills, no such scale, or no true class is known.

    Examples
    --------
    >>> from biaskit.tables import ROBUSTNESS
    >>> robust_places(ROBUSTNESS.empty()).title.text
    ['Accuracy over places, 0 networks,', 'n = 0 images per cell']
    """
    rows = network_rows(robustness, network=network, fill=fill)
    if rows.empty:
        word = alt.Chart(pd.DataFrame({"word": ["no answer"]})).mark_text(color=GREY)
        return alt.concat(layered(word.encode(text="word:N")).properties(height=40)).properties(
            title=_title(rows, rows.assign(n_images=0), None)
        )
    size = _size(rows, scale)
    rows = rows[np.isclose(rows["scale"], size)]
    cells = rows if "n_images" in rows else network_rows(accuracy_map(rows))
    if cells["accuracy"].isna().all():
        raise ExportError("there is no accuracy to draw: no image's true class is known.")
    names = sorted(cells["name"].unique())
    across = 2 if len(names) in (2, 4) else min(3, len(names))
    panels = [
        _panel(cells[cells["name"] == name], str(name), _SIDES[across], left=k % across == 0)
        for k, name in enumerate(names)
    ]
    return (
        alt.concat(*panels, columns=across, spacing=14)
        .properties(title=_title(rows, cells, size, _SIDES[across] * across + 60))
        .resolve_scale(color="shared")
    )


def _size(rows: pd.DataFrame, scale: float | None) -> float:
    there = np.sort(rows["scale"].unique())
    wanted = scale if scale is not None else _PAPER
    if np.isclose(there, wanted).any():
        return float(there[np.isclose(there, wanted)][0])
    if scale is None:
        return float(there[0])
    sizes = ", ".join(f"{s:g}" for s in there)
    raise ExportError(f"no image was shown at scale {scale:g}. There are: {sizes}.")


def _panel(cells: pd.DataFrame, name: str, side: int, *, left: bool) -> alt.LayerChart:
    n = max(1, cells["dx"].nunique())
    known = cells.loc[cells["accuracy"].notna(), ["dx", "dy", "accuracy", "n_images"]]
    table = known.assign(
        x=known["dx"] - 0.5 / n,
        x2=known["dx"] + 0.5 / n,
        y=known["dy"] - 0.5 / n,
        y2=known["dy"] + 0.5 / n,
        word=[_word(value) for value in known["accuracy"]],
    ).round(5)
    x, y = _axes(left, side)
    frame = pd.DataFrame({"x": [-0.5], "x2": [0.5], "y": [-0.5], "y2": [0.5]})
    box: dict[str, Any] = {"x2": "x2:Q", "y": y, "y2": "y2:Q"}
    layers = [
        alt.Chart(frame).mark_rect(fillOpacity=0, stroke=GREY, strokeWidth=1).encode(x=x, **box),
        alt.Chart(table)
        .mark_rect()
        .encode(
            x=x,
            **box,
            color=_colour(),
            opacity=alt.condition(alt.datum.n_images < _FEW, alt.value(0.4), alt.value(1)),
            tooltip=["dx:Q", "dy:Q", "accuracy:Q", "n_images:Q"],
        ),
    ]
    if side / n >= _WORDS:
        sure = table[table["n_images"] >= _FEW]
        for ink, own in (
            ("white", sure[sure["accuracy"] < _DARK]),
            ("black", sure[sure["accuracy"] >= _DARK]),
        ):
            mark = alt.Chart(own[["dx", "dy", "word"]]).mark_text(fontSize=11, color=ink)
            layers.append(mark.encode(x="dx:Q", y="dy:Q", text="word:N"))
    title = alt.TitleParams(
        short_name(name, int(side / 6.4)), frame="group", fontSize=12, fontWeight="normal", offset=6
    )
    return layered(*layers).properties(width=side, height=side, title=title)


def _word(value: float) -> str:
    return f"{value:.2f}".lstrip("0") if value < 0.995 else "1"


def _axes(left: bool, side: int) -> tuple[alt.X, alt.Y]:
    wide = side > 200
    values = [-0.5, -0.25, 0, 0.25, 0.5] if wide else [-0.5, 0, 0.5]
    # Flush, or the label at the top would lift the name of this panel above the others'.
    ends: dict[str, Any] = {"values": values, "format": ".2~f", "grid": False, "labelFlush": True}
    scale: dict[str, Any] = {"domain": [-0.5, 0.5], "nice": False}
    x = alt.X(
        "x:Q",
        title=["image's middle from the frame's,", "right, of the frame's side"]
        if wide
        else ["right, of", "the frame's side"],
        scale=alt.Scale(**scale),
        axis=alt.Axis(**ends),
    )
    y = alt.Y(
        "y:Q",
        title=("down, of the frame's side" if wide else ["down, of", "the frame's side"])
        if left
        else None,
        scale=alt.Scale(**scale, reverse=True),
        axis=alt.Axis(**ends, labels=left),
    )
    return x, y


def _colour() -> alt.Color:
    legend = alt.Legend(
        title="accuracy, share of answers that are right",
        gradientLength=220,
        titleLimit=300,
        values=[0, 0.25, 0.5, 0.75, 1],
        format=".2~f",
    )
    return alt.Color("accuracy:Q", scale=alt.Scale(scheme="viridis", domain=[0, 1]), legend=legend)


def _title(
    rows: pd.DataFrame, cells: pd.DataFrame, size: float | None, width: int = 326
) -> alt.TitleParams:
    names = sorted(rows["name"].unique())
    n = cells.loc[cells["n_images"] > 0, "n_images"].astype(int).tolist() or [0]
    head = f"Accuracy over places, {who_words(names)}, {counted_images(min(n), max(n))} per cell"
    if size is None:
        return chart_title(head, width=width)
    return chart_title(
        head,
        f"{SIZE}: {size_words(size)}; {condition_words(rows, ['fill'])}",
        "a cell: where the image's middle stood in the frame; none where it never did",
        f"pale: fewer than {_FEW} images" if min(n) < _FEW else "",
        seen_words(rows) if "seen" in rows else "",
        width=width,
    )
