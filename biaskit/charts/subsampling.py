"""How coarse the maps of a network are, and how far their units see, by depth; as measured."""

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd

from biaskit.charts.line_names import short_name
from biaskit.charts.named_points import Frame
from biaskit.charts.network_lines import Look, apart, axis_words, looks_of
from biaskit.charts.network_rows import network_rows
from biaskit.charts.sweep_titles import chart_title
from biaskit.charts.theme import ORANGE, layered

__all__ = ["PAPER", "factors"]

PAPER = 45  # the subsampling factor that the paper gives all three networks, without derivation
WIDTH, HEIGHT, _LETTERS = 320, 190, 26  # px of a panel; letters of a name
_TITLES = {
    "subsampling_factor": ["subsampling factor,", "px of the input (log scale)"],
    "field": ["receptive field,", "px of the input (log scale)"],
}
_X = ("depth, convolutions with weights", 10.0)


class _Key:
    """The legend: here lines coincide, and a name beside one would be read as another's."""

    def __init__(self, looks: Mapping[str, Look]) -> None:
        names = list(looks)
        colours = alt.Scale(domain=names, range=[look.colour for look in looks.values()])
        dashes = alt.Scale(domain=names, range=[list(look.dash) for look in looks.values()])
        legend = alt.Legend(title="network", columns=2, symbolType="stroke", labelLimit=175)
        self.colour = alt.Color("name:N", scale=colours, legend=legend)
        self.dash = alt.StrokeDash("name:N", scale=dashes, legend=legend)


def factors(
    layers: pd.DataFrame, *, network: str | Sequence[str] | None = None
) -> alt.VConcatChart:
    """
    Draw the subsampling factor and the receptive field of every layer against its depth.

    Parameters
    ----------
    layers : DataFrame
        The table of this name.
    network : str or sequence of str, optional
        Names, with the variant behind a blank unless it is plain; by default all networks as
        they are, or all variants if there is none such.

    Returns
    -------
    altair.VConcatChart
        A line per network through the greatest of every depth, and a dot per layer; a dashed
        rule at the paper's factor of 45. Fields that reach over all of the input are drawn at
        the top, as triangles.

    Raises
    ------
    ExportError
        If a network is not there, or there are more than ten.

    Examples
    --------
    >>> from biaskit.tables import LAYERS
    >>> " ".join(factors(LAYERS.empty()).title.text)
    'Subsampling by depth, 0 networks, n = 0 layers'
    """
    plain = layers[layers["variant"] == "plain"]
    usual = plain if len(plain) and network is None else layers
    rows = network_rows(usual, network=network).sort_values(["depth", "order"])
    short = {name: short_name(name, _LETTERS) for name in rows["name"].unique()}
    if len(set(short.values())) == len(short):  # a legend cuts names at their ends
        rows["name"] = rows["name"].map(short)
    looks = looks_of(sorted(rows["name"].unique()))
    panels = [_panel(rows, column, looks) for column in _TITLES]
    return (
        alt.vconcat(*panels, spacing=16)
        .properties(title=_title(rows))
        .resolve_scale(color="shared", strokeDash="shared")
    )


def _panel(rows: pd.DataFrame, column: str, looks: dict[str, Look]) -> alt.LayerChart:
    factor = column == "subsampling_factor"
    known = rows[rows[column].notna()]
    table = known.assign(y=np.log2(known[column].to_numpy(float)))
    top = max(6.0 if factor else 4.0, float(table["y"].max()) if len(table) else 0.0) + 0.6
    deepest = max(_X[1], float(rows["depth"].max()) * 1.04) if len(rows) else _X[1]
    frame = Frame((0.0, deepest), (-0.3, top), WIDTH, HEIGHT)
    x, y = _axes(frame, column)
    layers = _paper(y) if factor else []
    # Factors of several networks coincide as a rule: side by side all are seen.
    shifts = (
        apart(len(looks), min(1.8, 8 / max(len(looks), 1))) / HEIGHT * (frame.y[1] - frame.y[0])
    )
    key = _Key(looks)
    for (name, look), shift in zip(looks.items(), shifts, strict=True):
        own = table[table["name"] == name]
        own = own.assign(y=own["y"] + (shift if factor else 0.0))
        layers += _lines(own, look, key, x, y, steps=factor)
        if not factor:
            layers += _whole(rows[(rows["name"] == name) & rows[column].isna()], look, x, y, top)
    if not layers:
        layers.append(alt.Chart(table[["depth", "y"]]).mark_point().encode(x=x, y=y))
    return layered(*layers).properties(width=WIDTH, height=HEIGHT)


def _axes(frame: Frame, column: str) -> tuple[alt.X, alt.Y]:
    doublings = np.arange(0, int(frame.y[1]) + 1)
    doublings = doublings[:: 1 if len(doublings) <= 8 else 2]
    x = alt.X(
        "depth:Q",
        title=_X[0] if column == "field" else None,
        scale=alt.Scale(domain=list(frame.x), nice=False),
        axis=alt.Axis(tickCount=7, tickMinStep=1, format=",d", grid=False),
    )
    y = alt.Y(
        "y:Q",
        title=_TITLES[column],
        scale=alt.Scale(domain=list(frame.y), nice=False, zero=False),
        axis=alt.Axis(**axis_words(doublings.tolist(), [f"{2**k:,}" for k in doublings])),
    )
    return x, y


def _lines(
    rows: pd.DataFrame, look: Look, key: "_Key", x: alt.X, y: alt.Y, *, steps: bool
) -> list[alt.Chart]:
    """Draw a line through the greatest of every depth, and a dot per layer."""
    if rows.empty:
        return []
    columns = ["name", "layer", "depth", "stride", "subsampling_factor", "field", "y"]
    dots = rows[columns].round(5)
    line = dots.groupby(["name", "depth"], as_index=False)["y"].max()
    drawn = (
        alt.Chart(line)
        .mark_line(strokeWidth=1.8, interpolate="step-after" if steps else "linear")
        .encode(x=x, y=y, order="depth:Q", color=key.colour, strokeDash=key.dash)
    )
    tips = ["name:N", "layer:N", *(f"{c}:Q" for c in columns[2:-1])]
    points = (
        alt.Chart(dots)
        .mark_point(color=look.colour, filled=True, size=12, opacity=0.6)
        .encode(x=x, y=y, tooltip=tips)
    )
    return [drawn, points]


def _whole(rows: pd.DataFrame, look: Look, x: alt.X, y: alt.Y, top: float) -> list[alt.Chart]:
    """Draw layers that see all of the input as triangles at the top."""
    if rows.empty:
        return []
    table = rows[["name", "layer", "depth"]].assign(y=top)
    mark = alt.Chart(table).mark_point(color=look.colour, shape="triangle-up", size=26, filled=True)
    return [mark.encode(x=x, y=y, tooltip=["name:N", "layer:N"])]


def _paper(y: alt.Y) -> list[alt.Chart]:
    at = pd.DataFrame({"y": [float(np.log2(PAPER))], "word": [f"the paper's {PAPER}"]}).round(5)
    rule = alt.Chart(at).mark_rule(color=ORANGE, strokeWidth=1.4, strokeDash=[6, 3]).encode(y=y)
    word = (
        alt.Chart(at)
        .mark_text(fontSize=12, align="left", baseline="bottom", dy=-2)
        .encode(x=alt.value(4), y=y, text="word:N")
    )
    return [rule, word]


def _title(rows: pd.DataFrame) -> alt.TitleParams:
    networks = rows["name"].nunique()
    n = len(rows)
    head = (
        f"Subsampling by depth, {networks} network{'' if networks == 1 else 's'}, "
        f"n = {n:,} layer{'' if n == 1 else 's'}"
    )
    if not n:
        return chart_title(head, width=WIDTH + 50)
    lost, whole = int(rows["subsampling_factor"].isna().sum()), int(rows["field"].isna().sum())
    return chart_title(
        head,
        "measured: the least shift of the input that moves a map by one cell, and the length of "
        "what a unit sees",
        "lines: the greatest of each depth; those that coincide are drawn side by side",
        f"{lost:,} without a factor: no shift moves their map by one cell" * (lost > 0),
        f"{whole:,} that see all of the input: triangles at the top" * (whole > 0),
        width=WIDTH + 50,
    )
