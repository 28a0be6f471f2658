"""Jaggedness against depth and against accuracy: a point with its intervals per network."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import altair as alt
import numpy as np
import pandas as pd

from biaskit.charts.named_points import Bars, Frame, named_points
from biaskit.charts.rows import plain_text
from biaskit.charts.sweep_rows import one_sweep, seen_words, sweep_words, with_names
from biaskit.charts.sweep_titles import chart_title, counted_images
from biaskit.charts.theme import BLUE, layered
from biaskit.errors import ExportError

__all__ = ["MEASURES", "accuracy", "depth"]

MEASURES = {
    "jagged": "share of images with a transition",
    "transitions_per_step": "transitions per step",
    "p_top1_change": "P(top-1 change) per step",
    "mean_abs_change": "mean |change| of the true class's probability",
}
WIDTH, HEIGHT = 310, 260


@dataclass(frozen=True)
class _Axis:
    """What an axis shows: a column, its title, and how far it reaches."""

    column: str
    title: str
    domain: tuple[float, float] | None  # None: as far as the intervals do
    format: str


def depth(
    jaggedness_by: pd.DataFrame,
    networks: pd.DataFrame,
    *,
    measure: str = "jagged",
    subset: str = "all",
    network: str | Sequence[str] | None = None,
    protocol: str | None = None,
    direction: str | None = None,
    fill: str | None = None,
) -> alt.LayerChart:
    """
    Draw jaggedness against depth.

    Parameters
    ----------
    jaggedness_by, networks : DataFrame
        Tables of these names. Depth is layers with weights on the longest path.
    measure : str
        One of ``MEASURES``.
    subset : {"all", "ever top 5", "all right"}
        Of which images; see the table ``jaggedness_by``.
    network, protocol, direction, fill
        Which sweep; see ``biaskit.charts.sweep_rows.one_sweep``.

    Returns
    -------
    altair.LayerChart
        A point per network with its 95 % interval over images.

    Raises
    ------
    ExportError
        If the sweep is not there or not one, a network has no depth in ``networks``, or the
        measure or subset is unknown or missing.

    Examples
    --------
    >>> from biaskit.tables import JAGGEDNESS_BY, NETWORKS
    >>> depth(JAGGEDNESS_BY.empty(), NETWORKS.empty()).title.text
    ['Jaggedness against depth, 0 networks,', 'n = 0 images']
    """
    rows = _rows(jaggedness_by, measure, subset, network, protocol, direction, fill)
    cards = with_names(networks).drop_duplicates("name").set_index("name")["depth"]
    lacking = [name for name in rows["name"] if name not in cards.index]
    if lacking:
        plain = " ".join(dict.fromkeys(rows.loc[rows["name"].isin(lacking), "network"]))
        raise ExportError(
            f"the depth of {', '.join(lacking)} is not known: the table 'networks' does not have "
            f"it. To add it: biaskit networks {plain} --study DIR"
        )
    rows = rows.assign(depth=cards.reindex(rows["name"]).to_numpy(float))
    top = max(10.0, float(rows["depth"].max()) * 1.08) if len(rows) else 10.0
    axis = _Axis("depth", "depth, layers with weights", (0, top), ",d")
    return _points(rows, axis, measure, subset, "depth")


def accuracy(
    jaggedness_by: pd.DataFrame,
    *,
    measure: str = "jagged",
    subset: str = "all",
    network: str | Sequence[str] | None = None,
    protocol: str | None = None,
    direction: str | None = None,
    fill: str | None = None,
) -> alt.LayerChart:
    """
    Draw jaggedness against accuracy over the same frames.

    Parameters
    ----------
    jaggedness_by : DataFrame
        The table of this name.
    measure, subset, network, protocol, direction, fill
        As in ``depth``.

    Returns
    -------
    altair.LayerChart
        A point per network with its 95 % intervals over images.

    Raises
    ------
    ExportError
        If the sweep is not there or not one, or the measure or subset is unknown or missing.

    Examples
    --------
    >>> from biaskit.tables import JAGGEDNESS_BY
    >>> accuracy(JAGGEDNESS_BY.empty()).title.text
    ['Jaggedness against accuracy, 0 networks,', 'n = 0 images']
    """
    rows = _rows(jaggedness_by, measure, subset, network, protocol, direction, fill)
    axis = _Axis("accuracy", "accuracy, share of frames that are right", None, ".2~f")
    return _points(rows, axis, measure, subset, "accuracy")


def _rows(
    table: pd.DataFrame,
    measure: str,
    subset: str,
    network: str | Sequence[str] | None,
    protocol: str | None,
    direction: str | None,
    fill: str | None,
) -> pd.DataFrame:
    if measure not in MEASURES:
        raise ExportError(f"measure is '{measure}', expected {', '.join(MEASURES)}.")
    rows = one_sweep(table, network=network, protocol=protocol, direction=direction, fill=fill)
    if (rows["category"] == "").any():
        rows = rows[rows["category"] == ""]
    there = rows["subset"].unique()
    if len(rows) and subset not in there:
        raise ExportError(f"subset '{subset}' is not there; there are {', '.join(there)}.")
    rows = rows[rows["subset"] == subset]
    known = rows[measure].notna() & rows["accuracy"].notna()
    if len(rows) and not known.any():
        raise ExportError(
            f"no network has {MEASURES[measure]} here: no image of the subset '{subset}' has a "
            "true class that is known, or the networks have fewer than 6 classes."
        )
    if rows.loc[known, "category"].nunique() > 1:
        raise ExportError("the rows are of several categories; choose one.")
    return rows[known].reset_index(drop=True)


def _points(
    rows: pd.DataFrame, axis: _Axis, measure: str, subset: str, word: str
) -> alt.LayerChart:
    columns = ["name", axis.column, measure, f"{measure}_low", f"{measure}_high", "n_labelled"]
    if axis.column == "accuracy":
        columns += ["accuracy_low", "accuracy_high"]
    table = rows[columns].round(5)
    for low, of in ((c, c.rpartition("_")[0]) for c in columns if c.endswith(("_low", "_high"))):
        table[low] = table[low].fillna(table[of])
    axis = replace(axis, domain=axis.domain or _reach(table, axis.column))
    reach = _reach(table, measure)
    x_scale = alt.Scale(domain=list(axis.domain or (0, 1)), nice=False)
    y_scale = alt.Scale(domain=list(reach), nice=False)
    x = alt.X(
        f"{axis.column}:Q",
        title=axis.title,
        scale=x_scale,
        axis=alt.Axis(tickCount=5, format=axis.format),
    )
    y = alt.Y(f"{measure}:Q", title=MEASURES[measure], scale=y_scale, axis=alt.Axis(tickCount=6))
    base = alt.Chart(table)
    bars = base.mark_rule(color=BLUE, strokeWidth=1.6, opacity=0.45).encode(
        x=x, y=alt.Y(f"{measure}_low:Q", scale=y_scale), y2=f"{measure}_high:Q"
    )
    layers = [bars]
    if axis.column == "accuracy":
        layers.append(
            base.mark_rule(color=BLUE, strokeWidth=1.6, opacity=0.45).encode(
                x=alt.X("accuracy_low:Q", scale=x_scale), x2="accuracy_high:Q", y=y
            )
        )
    tips = [f"{column}:{'N' if column == 'name' else 'Q'}" for column in columns]
    layers.append(
        base.mark_point(filled=True, size=55, color=BLUE, opacity=1).encode(x=x, y=y, tooltip=tips)
    )
    frame = Frame(axis.domain or (0, 1), reach, WIDTH, HEIGHT)
    names = named_points(
        frame,
        table["name"].tolist(),
        table[axis.column].to_numpy(float),
        table[measure].to_numpy(float),
        _bars(table, axis.column, measure),
    )
    return layered(*layers, *names).properties(
        width=WIDTH, height=HEIGHT, title=_title(rows, word, measure, subset)
    )


def _reach(table: pd.DataFrame, column: str) -> tuple[float, float]:
    """Return the ends of an axis: twentieths, beyond all intervals and from 0 if that is near."""
    if table.empty:
        return 0.0, 1.0
    low = float(np.floor(table[f"{column}_low"].min() * 20 - 0.2) / 20)
    high = float(np.ceil(table[f"{column}_high"].max() * 20 + 0.2) / 20)
    return (0.0 if low < 0.2 else low), min(1.0, high)


def _bars(table: pd.DataFrame, x: str, y: str) -> Bars:
    """Return both ends of every interval, from left to right and from bottom to top."""
    bars = list(zip(table[x], table[f"{y}_low"], table[x], table[f"{y}_high"], strict=True))
    if f"{x}_low" in table:
        bars += zip(table[f"{x}_low"], table[y], table[f"{x}_high"], table[y], strict=True)
    return bars


def _title(rows: pd.DataFrame, word: str, measure: str, subset: str) -> alt.TitleParams:
    n = rows["n_labelled"].astype(int).tolist() or [0]
    steps = rows["n_steps"].dropna()
    count = f"{len(rows)} network" + ("" if len(rows) == 1 else "s")
    of = {
        "all": "",
        "ever top 5": "of images whose true class is ever in the top 5",
        "all right": "of images that every network gets right in step 0",
    }[subset]
    many = f", {steps.mean():.0f} steps per image" if len(steps) else ""
    category = plain_text(rows["category"].iloc[0]) if len(rows) else ""
    return chart_title(
        f"Jaggedness against {word}, {count}, {counted_images(min(n), max(n))}",
        f"{sweep_words(rows)}{many}; lines: 95 % intervals over images" if len(rows) else "",
        f"category {category}" if category else "",
        of if measure else "",
        seen_words(rows) if len(rows) else "",
        width=WIDTH,
    )
