"""One function per chart: tables in, an Altair chart out; no files, no widgets."""

from biaskit.charts.catalogue import CHARTS, ChartKind, draw
from biaskit.charts.drift import drift
from biaskit.charts.forest import forest
from biaskit.charts.grids import CentreGrid, centre_grid
from biaskit.charts.p_values import number_text, p_text
from biaskit.charts.places import places, places_panel
from biaskit.charts.ranks import ranks
from biaskit.charts.render import CHART_FORMATS, inline_svg, save_chart
from biaskit.charts.size_bins import SizeBins, size_bins
from biaskit.charts.sizes import sizes, sizes_panel
from biaskit.charts.theme import untitled
from biaskit.charts.volcano import volcano

__all__ = [
    "CHARTS",
    "CHART_FORMATS",
    "CentreGrid",
    "ChartKind",
    "SizeBins",
    "centre_grid",
    "draw",
    "drift",
    "forest",
    "inline_svg",
    "number_text",
    "p_text",
    "places",
    "places_panel",
    "ranks",
    "save_chart",
    "size_bins",
    "sizes",
    "sizes_panel",
    "untitled",
    "volcano",
]
