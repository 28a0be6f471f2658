"""The layers of one network: a point with its interval for each, and a line through them."""

import altair as alt
import pandas as pd

from biaskit.charts.network_lines import Look

__all__ = ["READ", "layer_points"]

READ = {
    "activation": "dots: after the activation",
    "linear": "rings: no activation follows",
    "pool": "diamonds: pools",
    "output": "squares: outputs of modules",
}
_SHAPES = {"activation": "circle", "linear": "circle", "pool": "diamond", "output": "square"}
_DENSE = 90  # layers beyond which points are small and pale, and the line leads


def layer_points(rows: pd.DataFrame, look: Look, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """
    Draw layers: shapes say where their maps are read, see ``READ``.

    Parameters
    ----------
    rows : DataFrame
        A row per layer: layer, kind, reading, depth, n_images, x (its place), y, low, high.
    look : Look
    x, y : altair channels
        Of the columns x and y.

    Returns
    -------
    list of altair.Chart
        Intervals; the line, which is the mean at each depth, without pools and without layers
        that no activation follows, if it can; points.

    Examples
    --------
    >>> one = {"layer": "a", "kind": "pool", "reading": "pool", "depth": 1, "n_images": 3}
    >>> rows = pd.DataFrame([one | {"x": 1.0, "y": 0.5, "low": 0.4, "high": 0.6}])
    >>> len(layer_points(rows, Look("#000000"), alt.X("x:Q"), alt.Y("y:Q")))
    3
    """
    columns = ["layer", "kind", "reading", "depth", "n_images", "x", "y", "low", "high"]
    table, dense = rows[columns].round(5), len(rows) > _DENSE
    base = alt.Chart(table)
    bars = (
        base.transform_filter("isValid(datum.low) && isValid(datum.high)")
        .mark_rule(color=look.colour, strokeWidth=1.2, opacity=0.15 if dense else 0.35)
        .encode(x=x, y=alt.Y("low:Q", scale=y["scale"]), y2="high:Q")
    )
    mark = alt.Chart(_means(rows).round(5)).mark_line(
        color=look.colour, strokeWidth=1.5 if dense else 1.3, strokeDash=list(look.dash)
    )
    found = [bars, mark.encode(x=x, y=y, order="x:Q")]
    for reading, shape in _SHAPES.items():
        own = table[table["reading"] == reading]
        if own.empty:
            continue
        mark = alt.Chart(own).mark_point(
            color=look.colour,
            shape=shape,
            filled=reading != "linear",
            size=30 if reading == "pool" else 9 if dense else 18,
            strokeWidth=1.2,
            opacity=0.5 if dense and reading != "pool" else 0.9,
        )
        tips = ["layer:N", "kind:N", "depth:Q", "n_images:Q", "y:Q", "low:Q", "high:Q"]
        found.append(mark.encode(x=x, y=y, tooltip=tips))
    return found


def _means(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over the layers of every depth: without pools and linear ones, if it can."""
    rank = rows["reading"].map({"activation": 0, "output": 0, "linear": 1, "pool": 2})
    return rows[rank == rank.min()].groupby("depth", as_index=False)[["x", "y"]].mean()
