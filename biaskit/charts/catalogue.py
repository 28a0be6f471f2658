"""Every chart by name: what it shows, and which tables it is drawn from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from biaskit.charts.drift import drift
from biaskit.charts.forest import forest
from biaskit.charts.places import places
from biaskit.charts.ranks import ranks
from biaskit.charts.sizes import sizes
from biaskit.charts.volcano import volcano
from biaskit.errors import ExportError

__all__ = ["CHARTS", "ChartKind", "draw"]


@dataclass(frozen=True)
class ChartKind:
    """A chart that ``biaskit chart NAME`` can draw."""

    function: Callable[..., alt.TopLevelMixin]
    tables: tuple[str, ...]  # names of its positional arguments
    about: str


CHARTS: Mapping[str, ChartKind] = {
    "places": ChartKind(places, ("boxes",), "centres of the boxes, expected, residual"),
    "sizes": ChartKind(sizes, ("boxes",), "distribution of a size, with the null's band"),
    "volcano": ChartKind(volcano, ("significance", "effects"), "effect against log10 q"),
    "ranks": ChartKind(ranks, ("significance",), "all p-values in order, against chance"),
    "forest": ChartKind(forest, ("effects",), "effect sizes with their intervals"),
    "drift": ChartKind(drift, ("drift",), "what changed between two sets of boxes"),
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
        Only this category.
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
    biaskit.errors.ExportError: chart 'pie' is unknown, expected places, sizes, volcano, ranks, \
forest, drift.
    """
    if name not in CHARTS:
        raise ExportError(f"chart '{name}' is unknown, expected {', '.join(CHARTS)}.")
    kind = CHARTS[name]
    taken = []
    for table in kind.tables:
        if table not in tables:
            raise ExportError(f"chart '{name}' needs the table '{table}', which is not there.")
        rows = tables[table]
        if category is not None:
            rows = rows[rows["category"] == category]
            if rows.empty:
                raise ExportError(f"chart '{name}': the table '{table}' has no '{category}'.")
        taken.append(rows)
    if category is not None and kind.tables == ("boxes",):
        options.setdefault("title", category)
    return kind.function(*taken, **options)
