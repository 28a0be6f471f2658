"""One function per chart: tables in, an Altair chart out; no files, no widgets."""

from biaskit.charts.agreement import bland_altman
from biaskit.charts.antialiasing import antialiasing
from biaskit.charts.catalogue import CHARTS, ChartKind, draw
from biaskit.charts.drift import drift
from biaskit.charts.feature_maps import maps
from biaskit.charts.forest import forest
from biaskit.charts.from_study import curve_pictures, tables_of
from biaskit.charts.grids import CentreGrid, centre_grid
from biaskit.charts.jumps import Jump, largest_jump
from biaskit.charts.landmarks import distance_bins, distances, midpoints
from biaskit.charts.marks import marked_photograph, marks, typical_image
from biaskit.charts.network_points import accuracy, depth
from biaskit.charts.nonshiftability import nonshiftability
from biaskit.charts.p_values import number_text, p_text
from biaskit.charts.places import places, places_panel
from biaskit.charts.ranks import ranks
from biaskit.charts.remade_frames import remade_frames
from biaskit.charts.render import CHART_FORMATS, inline_svg, save_chart
from biaskit.charts.robust_places import robust_places
from biaskit.charts.robustness import robustness
from biaskit.charts.shift_curves import curve, film
from biaskit.charts.shift_grids import ShiftGrid, shift_grids
from biaskit.charts.shift_maps import shifts
from biaskit.charts.size_bins import SizeBins, size_bins
from biaskit.charts.sizes import sizes, sizes_panel
from biaskit.charts.study_charts import ANIMATION, save_study_chart, save_sweep
from biaskit.charts.subsampling import factors
from biaskit.charts.sweep_animation import ANIMATION_FORMATS, animation_pages, save_animation
from biaskit.charts.sweep_lines import lags, steps
from biaskit.charts.theme import untitled
from biaskit.charts.volcano import volcano
from biaskit.charts.voting import voting

__all__ = [
    "ANIMATION",
    "ANIMATION_FORMATS",
    "CHARTS",
    "CHART_FORMATS",
    "CentreGrid",
    "ChartKind",
    "Jump",
    "ShiftGrid",
    "SizeBins",
    "accuracy",
    "animation_pages",
    "antialiasing",
    "bland_altman",
    "centre_grid",
    "curve",
    "curve_pictures",
    "depth",
    "distance_bins",
    "distances",
    "draw",
    "drift",
    "factors",
    "film",
    "forest",
    "inline_svg",
    "lags",
    "largest_jump",
    "maps",
    "marked_photograph",
    "marks",
    "midpoints",
    "nonshiftability",
    "number_text",
    "p_text",
    "places",
    "places_panel",
    "ranks",
    "remade_frames",
    "robust_places",
    "robustness",
    "save_animation",
    "save_chart",
    "save_study_chart",
    "save_sweep",
    "shift_grids",
    "shifts",
    "size_bins",
    "sizes",
    "sizes_panel",
    "steps",
    "tables_of",
    "typical_image",
    "untitled",
    "volcano",
    "voting",
]
