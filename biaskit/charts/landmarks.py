"""Landmark pairs: where their midpoints are and how far apart their points, beside the null."""

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd
from scipy.stats import binom

from biaskit.bias.landmarks import Pairs, landmark_pairs, pair_uniform
from biaskit.bias.nulls import LOG_UNIFORM_PX
from biaskit.charts.grids import centre_grid, included_objects
from biaskit.charts.places import null_words
from biaskit.charts.rows import plain_text
from biaskit.charts.size_bins import LEVEL, SizeBins
from biaskit.charts.sizes import sizes_panel
from biaskit.charts.theme import BAND, BLUE, GREY, ORANGE, layered

__all__ = ["distance_bins", "distances", "midpoints"]

WIDTH = 300  # px of the frame
_NULLS = ("frame", "log-uniform", "log-uniform-8px", "log-uniform-32px")


def midpoints(
    keypoints: pd.DataFrame,
    *,
    title: str = "",
    null: str = "fit",
    pair: Sequence[str] | None = None,
    width: int = WIDTH,
) -> alt.LayerChart:
    """
    Draw the midpoint of every pair over the frame, above what the null expects.

    Parameters
    ----------
    keypoints : DataFrame
        A table ``keypoints``, as a rule of one category.
    title : str
        What was marked; n and null are added.
    null : {"fit", "frame"}
    pair : two str, optional
        See ``biaskit.bias.landmarks.landmark_pairs``.
    width : int
        Of the frame, px; its height is that of the median picture.

    Returns
    -------
    altair.LayerChart
        Grey: the null, darker where it expects more. Dots: pairs. Cross: their mean, each image
        weighing one.

    Raises
    ------
    TableError
        If it is not clear which points make a pair.

    Examples
    --------
    >>> from biaskit.tables import KEYPOINTS
    >>> len(midpoints(KEYPOINTS.empty()).layer)
    4
    """
    pairs = landmark_pairs(keypoints, pair=pair)
    box = pairs.objects.table
    grid = centre_grid(box, null=null)
    cells = grid.table[["x", "x2", "y", "y2", "expected"]]
    top = max(float(cells["expected"].max()), 1e-9) if len(cells) else 1.0
    scale = alt.Scale(domain=[0, top], range=[0, 0.35], nice=False)
    shade = (
        alt.Chart(cells.round(4))
        .mark_rect(color=BAND)
        .encode(
            x=_axis("x", "x, of image width"),
            x2="x2:Q",
            y=_axis("y", "y, of image height"),
            y2="y2:Q",
            opacity=alt.Opacity("expected:Q", scale=scale, legend=None),
        )
    )
    dots = pd.DataFrame(
        {
            "x": ((box["x_min"] + box["x_max"]) / 2).round(4),
            "y": ((box["y_min"] + box["y_max"]) / 2).round(4),
            "image": [plain_text(str(name)) for name in box["image_id"]],
        }
    )
    tips = [
        alt.Tooltip("image:N"),
        alt.Tooltip("x:Q", format=".3f"),
        alt.Tooltip("y:Q", format=".3f"),
    ]
    many = len(dots) > 400
    points = (
        alt.Chart(dots)
        .mark_circle(color=BLUE, size=14 if many else 26, opacity=0.4 if many else 0.6)
        .encode(x=_axis("x"), y=_axis("y"), tooltip=tips)
    )
    weight = included_objects(pairs.objects, policy="weighted", edges="with", seed=None)
    mean = pd.DataFrame([_mean(dots, weight)] if len(dots) else [], columns=["x", "y"])
    # A cross of two strokes on a wider one of the page's colour would need to know the page.
    cross = (
        alt.Chart(mean.round(4))
        .mark_point(shape="cross", size=180, filled=True, color=ORANGE, opacity=1)
        .encode(
            x=_axis("x"), y=_axis("y"),
            tooltip=[alt.Tooltip(f"{a}:Q", title=f"mean {a}", format=".3f") for a in "xy"],
        )
    )  # fmt: skip
    middle = (
        alt.Chart(pd.DataFrame({"x": [0.5], "y": [0.5]}))
        .mark_point(shape="circle", size=110, color=GREY, strokeWidth=2, filled=False, opacity=1)
        .encode(x=_axis("x"), y=_axis("y"))
    )
    head = f"{title}: midpoints" if title else "Midpoints"
    note = [
        f"n = {grid.n_images:,} images, {len(pairs):,} pairs{_names(pairs)}",
        f"grey: expected, {null_words(null)}; cross: mean; ring: middle",
    ]
    return layered(shade, middle, points, cross).properties(
        width=width,
        height=round(width * grid.aspect),
        title=alt.TitleParams(plain_text(head), subtitle=note),
    )


def _mean(dots: pd.DataFrame, weight: np.ndarray) -> dict[str, float]:
    return {axis: float(np.average(dots[axis], weights=weight)) for axis in "xy"}


def _axis(field: str, title: str | None = None) -> alt.X | alt.Y:
    scale = alt.Scale(domain=[0, 1], nice=False, zero=True, reverse=field == "y")
    kind = alt.X if field == "x" else alt.Y
    if title is None:
        return kind(f"{field}:Q", scale=scale)
    axis = alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2~f", grid=False)
    return kind(f"{field}:Q", title=title, scale=scale, axis=axis)


def _names(pairs: Pairs) -> str:
    names = sorted({str(name).replace(" ", " and ") for name in pairs.points})
    told = f" of {plain_text(names[0])}" if len(names) == 1 else ""
    return told if len(told) < 40 else ""


def distances(
    keypoints: pd.DataFrame,
    *,
    title: str = "",
    null: str = "log-uniform",
    pair: Sequence[str] | None = None,
    bins: int = 16,
) -> alt.LayerChart:
    """
    Draw the distribution of distances, with the band in which the null holds each bin.

    Parameters
    ----------
    keypoints : DataFrame
        A table ``keypoints``, as a rule of one category.
    title : str
        What was marked; n and null are added.
    null, pair, bins
        As in ``distance_bins``.

    Returns
    -------
    altair.LayerChart
        Bars: counted. Band: 95 % of data sets under the null, bin by bin. Line: expected.

    Raises
    ------
    ValueError
        If the null is unknown.

    Examples
    --------
    >>> from biaskit.tables import KEYPOINTS
    >>> len(distances(KEYPOINTS.empty()).layer)
    3
    """
    found = distance_bins(keypoints, null=null, pair=pair, bins=bins)
    head = f"{title}: distance of the points" if title else "Distance of the points"
    least = LOG_UNIFORM_PX.get(null)
    short = f"; {found.n_below:,} below {least} px left out" if found.n_below else ""
    note = [
        f"n = {found.n_images:,} images, {found.n_objects:,} pairs{short}",
        f"bars: counted; grey: {null_words(null)}, 95 %",
    ]
    chart = sizes_panel(found, title=False, width=WIDTH)
    return chart.properties(title=alt.TitleParams(plain_text(head), subtitle=note))


def distance_bins(
    keypoints: pd.DataFrame,
    *,
    null: str = "log-uniform",
    pair: Sequence[str] | None = None,
    bins: int = 16,
) -> SizeBins:
    """
    Count distances in bins and say what the null expects in each.

    Parameters
    ----------
    keypoints : DataFrame
        A table ``keypoints``; all of it is counted together, each image weighing one.
    null : {"frame", "log-uniform", "log-uniform-8px", "log-uniform-32px"}
        See ``biaskit.bias.landmarks``.
    pair : two str, optional
        See ``biaskit.bias.landmarks.landmark_pairs``.
    bins : int
        Number of bins, at least 1.

    Returns
    -------
    SizeBins
        Edges as fractions of the image's width; the band as in ``size_bins``.

    Raises
    ------
    ValueError
        If the null is unknown.

    Examples
    --------
    >>> from biaskit.tables import KEYPOINTS
    >>> len(distance_bins(KEYPOINTS.empty(), bins=4).table)
    4
    """
    if null not in _NULLS:
        raise ValueError(f"distance has no null {null!r}; known: {', '.join(_NULLS)}")
    pairs = landmark_pairs(keypoints, pair=pair)
    objects = pairs.objects
    share = pair_uniform(pairs, "distance", "frame", "with")
    inside = ~np.isnan(pair_uniform(pairs, "distance", null, "with"))
    weight = included_objects(objects, policy="weighted", edges="with", seed=None)
    n_below = int((~inside & ~np.isnan(share)).sum())
    width = objects.x.frame[inside]
    value = pairs.distance[inside] / width
    longest = value / share[inside]
    weight = _weighted(objects.image[inside]) if inside.any() else weight[:0]
    logs = null != "frame"
    if logs:
        least = LOG_UNIFORM_PX[null] / width
        start = float(np.quantile(least, 0.05)) if len(least) else 0.01
        top = float(max(longest.max(initial=0.0), 1.0)) if len(longest) else 1.0
        edge = np.geomspace(start, top, bins + 1)
        reach = [(np.log(e) - np.log(least)) / np.log(longest / least) for e in edge[1:-1]]
    else:
        edge = np.linspace(0, max(float(value.max(initial=0.0)), 1.0), bins + 1)
        reach = [e / longest for e in edge[1:-1]]
    n = len(value)
    below = np.clip(np.array(reach).reshape(bins - 1, n).T, 0, 1)
    chance = np.diff(np.hstack([np.zeros((n, 1)), below, np.ones((n, 1))]), axis=1)
    where = np.clip(np.searchsorted(edge, value, side="right") - 1, 0, bins - 1)
    total = round(float(weight.sum()))
    expected = weight @ chance
    outside, mean = (1 - LEVEL) / 2, expected / total if total else np.zeros(bins)
    table = pd.DataFrame(
        {
            "low": edge[:-1],
            "high": edge[1:],
            "observed": np.bincount(where, weight, minlength=bins),
            "expected": expected,
            "band_low": binom.ppf(outside, total, mean) if total else np.zeros(bins),
            "band_high": binom.ppf(1 - outside, total, mean) if total else np.zeros(bins),
        }
    )
    n_images = len(np.unique(objects.image[inside]))
    return SizeBins(table, n_images, n, n_below, "distance", null, "weighted", "with")


def _weighted(image: np.ndarray) -> np.ndarray:
    """Let every image weigh one among the pairs that are counted."""
    _, back, times = np.unique(image, return_inverse=True, return_counts=True)
    return 1.0 / times[back]
