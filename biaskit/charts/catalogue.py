"""Every chart by name: what it shows, and which tables it is drawn from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from biaskit.charts.agreement import bland_altman
from biaskit.charts.antialiasing import antialiasing
from biaskit.charts.drift import drift
from biaskit.charts.feature_maps import maps
from biaskit.charts.forest import forest
from biaskit.charts.landmarks import distances, midpoints
from biaskit.charts.marks import marks
from biaskit.charts.network_points import accuracy, depth
from biaskit.charts.nonshiftability import nonshiftability
from biaskit.charts.places import places
from biaskit.charts.ranks import ranks
from biaskit.charts.robust_places import robust_places
from biaskit.charts.robustness import robustness
from biaskit.charts.shift_curves import curve, film
from biaskit.charts.shift_maps import shifts
from biaskit.charts.sizes import sizes
from biaskit.charts.subsampling import factors
from biaskit.charts.sweep_lines import lags, steps
from biaskit.charts.volcano import volcano
from biaskit.charts.voting import voting
from biaskit.errors import ExportError

__all__ = ["CHARTS", "ChartKind", "draw"]


@dataclass(frozen=True)
class ChartKind:
    """A chart that ``biaskit chart NAME`` can draw."""

    function: Callable[..., alt.TopLevelMixin]
    tables: tuple[str, ...]  # names of its positional arguments
    about: str
    options: tuple[str, ...] = ()  # of its function, that a person may set
    sweeps: bool = False  # drawn from one sweep of those in a study


_SWEEP = ("network", "protocol", "direction", "fill")
_TITLED = ("title",)
_OF_PAIRS = ("title", "pair")
_ONE_TABLE = (("boxes",), ("keypoints",))  # drawn of one category as a rule
CHARTS: Mapping[str, ChartKind] = {
    "places": ChartKind(places, ("boxes",), "centres of the boxes, expected, residual", _TITLED),
    "sizes": ChartKind(sizes, ("boxes",), "distribution of a size, with the null's band", _TITLED),
    "midpoints": ChartKind(
        midpoints, ("keypoints",), "midpoints of landmark pairs, with the null", _OF_PAIRS
    ),
    "distances": ChartKind(
        distances, ("keypoints",), "distances of landmark pairs, with the null's band", _OF_PAIRS
    ),
    "marks": ChartKind(
        marks, ("keypoints",), "one photograph with its marks", (*_OF_PAIRS, "image", "images")
    ),
    "agreement": ChartKind(
        bland_altman, ("mark_pairs", "agreement"), "what annotators differ by, and their limits"
    ),
    "volcano": ChartKind(volcano, ("significance", "effects"), "effect against log10 q"),
    "ranks": ChartKind(ranks, ("significance",), "all p-values in order, against chance"),
    "forest": ChartKind(forest, ("effects",), "effect sizes with their intervals"),
    "drift": ChartKind(drift, ("drift",), "what changed between two sets of boxes"),
    "shifts": ChartKind(
        shifts,
        ("frames", "swept", "jaggedness"),
        "probability of the true class, image x shift",
        (*_SWEEP, "sort"),
        sweeps=True,
    ),
    "curve": ChartKind(
        curve,
        ("frames", "swept"),
        "probability against shift, of one image",
        (*_SWEEP, "image", "images"),
        sweeps=True,
    ),
    "film": ChartKind(
        film,
        ("frames", "swept"),
        "probability over the frames of a film",
        ("network", "image", "images"),
        sweeps=True,
    ),
    "depth": ChartKind(
        depth,
        ("jaggedness_by", "networks"),
        "jaggedness against depth",
        (*_SWEEP, "measure", "subset"),
        sweeps=True,
    ),
    "accuracy": ChartKind(
        accuracy,
        ("jaggedness_by",),
        "jaggedness against accuracy",
        (*_SWEEP, "measure", "subset"),
        sweeps=True,
    ),
    "steps": ChartKind(
        steps,
        ("frames", "jaggedness"),
        "share of jagged images over the number of steps",
        _SWEEP,
        sweeps=True,
    ),
    "lags": ChartKind(lags, ("jaggedness",), "consistency at every lag", _SWEEP, sweeps=True),
    "maps": ChartKind(
        maps,
        ("feature_maps",),
        "feature maps of some layers as the image is shifted",
        (*_SWEEP, "image", "layers"),
    ),
    "nonshiftability": ChartKind(
        nonshiftability,
        ("shiftability_by", "layers"),
        "how often sums over maps change, against depth",
        (*_SWEEP, "measure", "linear"),
    ),
    "factors": ChartKind(
        factors, ("layers",), "subsampling factor and receptive field by depth", ("network",)
    ),
    "antialiasing": ChartKind(
        antialiasing, ("antialiasing",), "networks before and after anti-aliasing", _SWEEP
    ),
    "robustness": ChartKind(
        robustness,
        ("robustness_by",),
        "accuracy against the size of the image",
        ("network", "fill", "measure"),
    ),
    "robust-places": ChartKind(
        robust_places,
        ("robustness",),
        "accuracy over the places of the image",
        ("network", "fill", "scale"),
    ),
    "voting": ChartKind(
        voting,
        ("voting",),
        "what several crops per answer gain",
        ("network", "direction", "fill", "jitter"),
    ),
}


def draw(
    name: str,
    tables: Mapping[str, pd.DataFrame],
    *,
    category: str | None = None,
    **options: Any,
) -> alt.TopLevelMixin:
    """
    Draw a chart by its name.

    Parameters
    ----------
    name : str
        One of ``CHARTS``.
    tables : mapping
        At least the tables this chart needs.
    category : str, optional
        Only rows of this category, of tables that know one.
    **options
        What the chart's function takes.

    Returns
    -------
    altair chart

    Raises
    ------
    ExportError
        If the chart, one of its tables or the category is not there.

    Examples
    --------
    >>> draw("pie", {})
    Traceback (most recent call last):
    ...
    biaskit.errors.ExportError: chart 'pie' is unknown, expected places, sizes, midpoints, \
distances, marks, agreement, volcano, ranks, forest, drift, shifts, curve, film, depth, accuracy, \
steps, lags, maps, nonshiftability, factors, antialiasing, robustness, robust-places, voting.
    """
    if name not in CHARTS:
        raise ExportError(f"chart '{name}' is unknown, expected {', '.join(CHARTS)}.")
    kind = CHARTS[name]
    taken = []
    for table in kind.tables:
        if table not in tables:
            raise ExportError(f"chart '{name}' needs the table '{table}', which is not there.")
        rows = tables[table]
        if category is not None and "category" in rows:
            rows = rows[rows["category"] == category]
            if rows.empty:
                raise ExportError(f"chart '{name}': the table '{table}' has no '{category}'.")
        taken.append(rows)
    if category is not None and kind.tables in _ONE_TABLE:
        options.setdefault("title", category)
    return kind.function(*taken, **options)
