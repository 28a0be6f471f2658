"""Pictures for a page: a chart as inline SVG, with a caption that says n and the null."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from biaskit.charts import (
    centre_grid,
    inline_svg,
    number_text,
    places_panel,
    ranks,
    size_bins,
    sizes_panel,
    untitled,
    volcano,
)
from biaskit.charts.places import PANELS
from biaskit.report.sentences import percent, unbroken

__all__ = ["Figure", "evidence_figures", "figures"]


@dataclass(frozen=True)
class Figure:
    """A picture and what it shows; ``svg`` is our own markup, the caption is text."""

    svg: str
    caption: str


def figures(boxes: pd.DataFrame, spoken: str, anchor: str) -> list[Figure]:
    """
    Draw centres, what the null expects, the residual, and heights.

    Every image weighs one in these pictures, and touching boxes are in them, so that they show
    what is there.

    Parameters
    ----------
    boxes : DataFrame
        A table ``boxes``, all of which is drawn together.
    spoken, anchor : str
        What the labels call it; what the ids in the pictures begin with.
    """
    grid = centre_grid(boxes)
    about = f"{grid.n_images:,} images, {grid.n_objects:,} objects"
    peak = grid.table.iloc[int(grid.table["residual"].to_numpy().argmax())]
    place = f"{percent(peak['x'])} to {percent(peak['x2'])} of the width, {percent(peak['y'])} to "
    place += f"{percent(peak['y2'])} of the height"
    details = {
        "observed": f"Heatmap of {grid.columns} by {grid.rows} cells.",
        "expected": "The same cells if every box keeps its size and lies anywhere it fits.",
        "residual": f"The largest excess, {number_text(peak['residual'], 2)} standard deviations, "
        f"is in the cell at {place}.",
    }
    found = [
        Figure(
            inline_svg(
                places_panel(grid, panel, title=False),
                name=f"{anchor}-{panel}",
                label=f"Centres of {spoken}, {words}; {about}",
                description=details[panel],
            ),
            unbroken(f"Centres: {words}, n = {grid.n_images:,} images"),
        )
        for panel, words in PANELS.items()
    ]
    heights = size_bins(boxes)
    chart = sizes_panel(heights, title=False)
    outside = (heights.table["observed"] < heights.table["band_low"]) | (
        heights.table["observed"] > heights.table["band_high"]
    )
    svg = inline_svg(
        chart,
        name=f"{anchor}-height",
        label=f"Heights of {spoken} in ten bins; {about}",
        description=f"{int(outside.sum())} of 10 bins are outside the band of the uniform null.",
    )
    caption = f"Heights, n = {heights.n_images:,} images; grey: uniform, 95 % band per bin"
    return [*found, Figure(svg, unbroken(caption))]


def evidence_figures(
    significance: pd.DataFrame, effects: pd.DataFrame, words: Mapping[str, str]
) -> list[Figure]:
    """
    Draw effect against evidence, and all p-values in order.

    Parameters
    ----------
    significance, effects : DataFrame
        Tables of these names.
    words : mapping of str
        Category to word.
    """
    found = []
    charts = {
        "volcano": (volcano(significance, effects, words=words), "dashed: q = 0.05, no effect"),
        "ranks": (ranks(significance), "grey: what chance gives, 95 % band for each rank"),
    }
    for name, (chart, note) in charts.items():
        label = f"{chart.title.text}; {chart.title.subtitle}"
        svg = inline_svg(untitled(chart), name=f"all-{name}", label=label, description=note)
        found.append(Figure(svg, unbroken(f"{label}; {note}")))
    return found
