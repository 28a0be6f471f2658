"""Where the centres are: counted, as the null expects them, and the difference."""

import altair as alt
import numpy as np
import pandas as pd

from biaskit.charts.grids import CentreGrid, centre_grid
from biaskit.charts.theme import RESIDUAL

__all__ = ["PANELS", "null_words", "places", "places_panel"]

WIDTH = 260  # px of the plot, about: a whole number of px per cell leaves no hairlines
PANELS = {
    "observed": "counted",
    "expected": "if placed by chance",
    "residual": "counted less expected",
}


def places(
    boxes: pd.DataFrame,
    *,
    title: str = "",
    null: str = "fit",
    policy: str = "weighted",
    edges: str = "with",
    seed: int | None = None,
    columns: int | None = None,
) -> alt.HConcatChart:
    """
    Draw the centres of boxes, what the null expects, and the residual, in the true aspect.

    Parameters
    ----------
    boxes : DataFrame
        A table ``boxes``, as a rule of one category.
    title : str
        What the boxes are; n, null, policy and edges are added.
    null, policy, edges, seed, columns
        As in ``biaskit.charts.grids.centre_grid``.

    Returns
    -------
    altair.HConcatChart
        Three heatmaps; the first two share their colours.

    Raises
    ------
    ValueError
        As ``centre_grid`` does.

    Examples
    --------
    >>> from biaskit.tables import BOXES
    >>> len(places(BOXES.empty(), title="nothing").hconcat)
    3
    """
    grid = centre_grid(boxes, null=null, policy=policy, edges=edges, seed=seed, columns=columns)
    head = f"{title}: centres" if title else "Centres"
    note = (
        f"n = {grid.n_images:,} images, {grid.n_objects:,} objects; "
        f"null {grid.null}, policy {grid.policy}, {grid.edges} touching boxes"
    )
    panels = [places_panel(grid, panel) for panel in PANELS]
    return (
        alt.hconcat(*panels, spacing=24)
        .properties(title=alt.TitleParams(head, subtitle=note))
        .resolve_scale(color="independent")
    )


def places_panel(grid: CentreGrid, panel: str, *, title: bool = True) -> alt.Chart:
    """
    Draw one of the three heatmaps of a grid.

    Parameters
    ----------
    grid : CentreGrid
    panel : {"observed", "expected", "residual"}
    title : bool
        Write the panel's name and n above it.

    Raises
    ------
    ValueError
        If there is no such panel.

    Examples
    --------
    >>> from biaskit.tables import BOXES
    >>> places_panel(centre_grid(BOXES.empty()), "observed").to_dict()["mark"]["type"]
    'rect'
    """
    if panel not in PANELS:
        raise ValueError(f"panel is {panel!r}, expected one of {', '.join(PANELS)}")
    cell_width = max(1, round(WIDTH / grid.columns))
    width = cell_width * grid.columns
    height = max(1, round(width * grid.aspect / grid.rows)) * grid.rows
    chart = (
        alt.Chart(grid.table.round(4)[["x", "x2", "y", "y2", panel]])
        .mark_rect()
        .encode(
            x=_axis("x", "of image width"),
            x2="x2:Q",
            y=_axis("y", "of image height"),
            y2="y2:Q",
            color=_colour(grid, panel),
            tooltip=[
                alt.Tooltip("x:Q", title="from x, of image width", format=".2f"),
                alt.Tooltip("y:Q", title="from y, of image height", format=".2f"),
                alt.Tooltip(f"{panel}:Q", title=PANELS[panel], format=".3~f"),
            ],
        )
        .properties(width=width, height=height)
    )
    if title:
        name = PANELS[panel].capitalize()
        note = null_words(grid.null) if panel == "expected" else ""
        text = f"{name}, n = {grid.n_images:,}" + (f" ({note})" if note else "")
        chart = chart.properties(title=alt.TitleParams(text, fontSize=12, fontWeight="normal"))
    return chart


def null_words(null: str) -> str:
    """
    Name a null in a few words.

    Examples
    --------
    >>> null_words("fit")
    'fit null'
    """
    return {"log-uniform": "log-uniform null from 16 px"}.get(null, f"{null} null")


def _axis(field: str, unit: str) -> alt.X | alt.Y:
    scale = alt.Scale(domain=[0, 1], nice=False, zero=True, reverse=field == "y")
    axis = alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2~f", grid=False)
    kind = alt.X if field == "x" else alt.Y
    return kind(f"{field}:Q", title=f"{field}, {unit}", scale=scale, axis=axis)


def _colour(grid: CentreGrid, panel: str) -> alt.Color:
    unit = "objects" if grid.policy == "all" else "images"
    if panel == "residual":
        largest = float(grid.table["residual"].abs().max())
        # Beyond 8 the colour stays the same: one crowded cell must not blanch all others.
        limit = float(np.clip(np.ceil(largest), 3, 8))
        # Two points beside 0: the colour passes from one hue to the other without mixing them.
        domain = [-limit, -1e-6, 1e-6, limit]
        scale = alt.Scale(domain=domain, range=list(RESIDUAL), clamp=True)
        title = "residual, in standard deviations of the null"
        values = [-limit, -limit / 2, 0, limit / 2, limit]
        signed = "(datum.value > 0 ? '+' : '') + format(datum.value, '.3~g')"
        if largest > limit:
            beyond = f"abs(datum.value) == {limit} ? (datum.value > 0 ? '≥ ' : '≤ ') : ''"
            signed = f"({beyond}) + {signed}"
        legend = alt.Legend(
            title=title,
            titleLimit=WIDTH + 40,
            values=values,
            labelExpr=signed,
            gradientLength=WIDTH - 20,
        )
        return alt.Color("residual:Q", scale=scale, legend=legend)
    top = float(max(grid.table["observed"].max(), grid.table["expected"].max(), 1e-9))
    # Counts scatter with the root of their size: on this scale equal steps mean as much.
    scale = alt.Scale(type="sqrt", scheme="viridis", domain=[0, top])
    even = [top * share**2 for share in (0, 0.25, 0.5, 0.75, 1)]
    even = sorted({round(value) for value in even}) if top >= 4 else even
    legend = alt.Legend(
        title=f"{unit} per cell", gradientLength=WIDTH - 20, values=even, format=",.2~r"
    )
    return alt.Color(f"{panel}:Q", scale=scale, legend=legend)
