"""Nonshiftability against depth, a panel per network, a point per layer: the paper's Figure 5."""

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from biaskit.charts.layer_places import side_by_side, stride_rules
from biaskit.charts.layer_points import READ, layer_points
from biaskit.charts.line_names import line_ends
from biaskit.charts.named_points import Frame
from biaskit.charts.network_lines import Look, looks_of
from biaskit.charts.network_rows import network_rows
from biaskit.charts.rows import plain_text
from biaskit.charts.sweep_rows import sweep_words
from biaskit.charts.sweep_titles import chart_title, counted_images, lines_of
from biaskit.charts.theme import layered
from biaskit.errors import ExportError

__all__ = ["SUMS", "nonshiftability"]

_OVER = ["share of steps that change", "the sum by more than 20 %"]
SUMS = {
    "nonshiftability_chosen": ("Nonshiftability", _OVER, "one channel per image, drawn by seed"),
    "nonshiftability": ("Nonshiftability", _OVER, "all channels"),
    "deviation": (
        "Deviation of sums",
        ["share of frames whose sum is", "over 20 % off its mean"],
        "all channels",
    ),
    "variation_median": (
        "Variation of sums",
        ["standard deviation of the sum", "over shifts, of its mean"],
        "median channel of an image",
    ),
}
_MOST, _WIDE = 40, 4  # names at most; networks up to which each has the full width
_WIDTHS = (310, 140)
HEIGHT = 150  # px


def nonshiftability(
    shiftability_by: pd.DataFrame,
    layers: pd.DataFrame | None = None,
    *,
    measure: str = "nonshiftability_chosen",
    linear: bool = True,
    network: str | Sequence[str] | None = None,
    protocol: str | None = None,
    direction: str | None = None,
    fill: str | None = None,
) -> alt.ConcatChart:
    """
    Draw how often the sum over a map changes as the input is shifted, against depth.

    Parameters
    ----------
    shiftability_by : DataFrame
        The table of this name.
    layers : DataFrame, optional
        The table of this name: then thin lines stand where the subsampling factor grows.
    measure : str
        One of ``SUMS``; the first is the paper's.
    linear : bool
        Whether layers that no activation follows are drawn, as rings: their sums may have any
        sign and a mean near 0, of which 20 % is soon exceeded.
    network : str or sequence of str, optional
        Only these; a network's name stands for all its variants.
    protocol, direction, fill : str, optional
        Needed as far as the table holds several.

    Returns
    -------
    altair.ConcatChart
        A panel per network, a colour per variant, a point with its 95 % interval per layer;
        layers of the same depth stand side by side, the line is their mean without pools.

    Raises
    ------
    ExportError
        If there is nothing so, several sweeps, or none with this measure.

    Examples
    --------
    >>> from biaskit.tables import SHIFTABILITY_BY
    >>> " ".join(nonshiftability(SHIFTABILITY_BY.empty()).title.text)
    'Nonshiftability against depth, 0 networks, n = 0 images'
    """
    if measure not in SUMS:
        raise ExportError(f"measure is '{measure}', expected {', '.join(SUMS)}.")
    rows = network_rows(
        shiftability_by,
        network=network,
        variants=True,
        most=_MOST,
        protocol=protocol,
        direction=direction,
        fill=fill,
    )
    if not linear:
        rows = rows[rows["reading"] != "linear"]
    known = rows[rows[measure].notna()]
    if len(rows) and known.empty:
        raise ExportError(f"no layer has {measure} here: every map's sum is 0.")
    names = sorted(known["network"].unique())
    across = 1 if len(names) <= _WIDE else 2
    width = _WIDTHS[across - 1]
    top = _top(known, measure)
    looks = looks_of(_variants(known))
    panels = [
        _panel(
            known[known["network"] == name], layers, measure, looks, (width, top), k % across == 0
        )
        for k, name in enumerate(names)
    ] or [_panel(known, None, measure, looks, (width, top), True)]
    return alt.concat(*panels, columns=across, spacing=16).properties(
        title=_title(rows, known, measure, width * across + 60 + 50 * (across - 1))
    )


def _variants(rows: pd.DataFrame) -> list[str]:
    return sorted(rows["variant"].unique(), key=lambda name: (name != "plain", name))


def _top(rows: pd.DataFrame, measure: str) -> float:
    """Return the end of the vertical axis: a tenth beyond all intervals."""
    if rows.empty:
        return 1.0
    highest = np.nanmax(rows[[measure, f"{measure}_high"]].to_numpy(float))
    return float(np.clip(np.ceil(highest * 10) / 10, 0.1, 1.0))


def _panel(
    rows: pd.DataFrame,
    layers: pd.DataFrame | None,
    measure: str,
    looks: dict[str, Look],
    size: tuple[int, float],
    left: bool,
) -> alt.LayerChart:
    width, top = size
    table = rows.rename(columns={measure: "y", f"{measure}_low": "low", f"{measure}_high": "high"})
    at = rows.groupby("layer")["order"].min().to_frame().join(rows.groupby("layer")["depth"].min())
    at["x"] = side_by_side(at["depth"].to_numpy(), at["order"].to_numpy())
    table = table.assign(x=table["layer"].map(at["x"]).astype(float)).sort_values("x")
    deepest = max(4.0, float(at["depth"].max()) + 0.8) if len(at) else 10.0
    frame = Frame((0.0, deepest), (0.0, top), width, HEIGHT)
    x, y = _axes(frame, measure, left)
    parts = [] if layers is None else stride_rules(_placed(rows, layers, at), frame)
    ends = {}
    for variant in _variants(rows):
        own = table[table["variant"] == variant]
        parts += layer_points(own, looks[variant], x, y)
        last = own.sort_values("x").iloc[-1]
        ends[variant] = (float(last["x"]), float(last["y"]))
    if len(ends) > 1:
        parts += line_ends(frame, ends, looks, letters=12)
    if rows.empty:
        parts.append(alt.Chart(table[["x", "y"]]).mark_point().encode(x=x, y=y))
    name = str(rows["network"].iloc[0]) if len(rows) else "no layer"
    title = alt.TitleParams(
        lines_of(name, width), frame="group", fontSize=12, fontWeight="normal", offset=6
    )
    return layered(*parts).properties(width=width, height=HEIGHT, title=title)


def _placed(rows: pd.DataFrame, layers: pd.DataFrame, at: pd.DataFrame) -> pd.DataFrame:
    """Return the network's layers where they stand; those of no sum to judge at their depth."""
    if rows.empty:
        return layers.iloc[:0].assign(at=0.0)
    first = (layers["network"] == rows["network"].iloc[0]) & (
        layers["variant"] == _variants(rows)[0]
    )
    own = layers[first]
    return own.assign(at=own["layer"].map(at["x"]).astype(float).fillna(own["depth"]))


def _axes(frame: Frame, measure: str, left: bool) -> tuple[alt.X, alt.Y]:
    x = alt.X(
        "x:Q",
        title="depth, convolutions with weights"
        if frame.width > 200
        else ["depth, convolutions", "with weights"],
        scale=alt.Scale(domain=list(frame.x), nice=False),
        axis=alt.Axis(tickCount=max(3, frame.width // 45), tickMinStep=1, format=",d", grid=False),
    )
    y = alt.Y(
        "y:Q",
        title=SUMS[measure][1] if left else None,
        scale=alt.Scale(domain=list(frame.y), nice=False),
        axis=alt.Axis(tickCount=5, format=".2~f", labels=left),
    )
    return x, y


def _title(rows: pd.DataFrame, known: pd.DataFrame, measure: str, width: int) -> alt.TitleParams:
    head, _, channels = SUMS[measure]
    networks = known["network"].nunique()
    images = "n_chosen" if measure == "nonshiftability_chosen" else "n_images"
    n = known[images].astype(int).tolist() or [0]
    count = f"{networks} network{'' if networks == 1 else 's'}"
    title = f"{head} against depth, {count}, {counted_images(min(n), max(n))}"
    if known.empty:
        return chart_title(title, width=width)
    read = [READ[reading] for reading in READ if (known["reading"] == reading).any()]
    lost, left_out = len(rows) - len(known), float(known["left_out"].max())
    steps = known["n_steps"].dropna()
    many = f"; {steps.mean():.0f} steps" if len(steps) else ""
    variants = _variants(known)[:1] if known["variant"].nunique() == 1 else []
    return chart_title(
        title,
        f"{sweep_words(known)}{many}; {channels}",
        f"{'; '.join(read)}; line: mean at each depth; bars: 95 % intervals over images",
        f"maps whose sum is 0 are left out: up to {100 * left_out:.0f} % of a layer's"
        if left_out >= 0.005
        else "",
        f"{lost:,} layer{'' if lost == 1 else 's'} without any other map left out" * (lost > 0),
        f"variant {plain_text(variants[0])}" if variants not in ([], ["plain"]) else "",
        width=width,
    )
