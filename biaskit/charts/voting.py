"""Test-time augmentation: what several random crops per answer gain, and what they cost."""

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from biaskit.charts.line_names import line_ends
from biaskit.charts.named_points import Frame
from biaskit.charts.network_lines import (
    Look,
    apart,
    axis_words,
    interval_line,
    looks_of,
)
from biaskit.charts.network_rows import condition_words, network_rows
from biaskit.charts.sweep_rows import seen_words
from biaskit.charts.sweep_titles import chart_title, counted_images
from biaskit.charts.theme import layered
from biaskit.errors import ExportError

__all__ = ["voting"]

_MEASURES = {
    "accuracy": ["accuracy, share of", "frames that are right"],
    "p_top1_change": ["P(answer changes)", "per step"],
    "jagged": ["share of images with", "a top-5 transition"],
}
_RULES = {
    "mean": "filled, solid: the most probable by the mean over crops",
    "vote": "hollow, dashed: the class most crops vote for",
}
_NONE, _MOST = -1.5, 5  # where no augmentation stands, in doublings; networks: one per colour
WIDTH, HEIGHT, _NAMES = 240, 140, 120


def voting(
    voting: pd.DataFrame,
    *,
    network: str | Sequence[str] | None = None,
    direction: str | None = None,
    fill: str | None = None,
    jitter: int | None = None,
) -> alt.VConcatChart:
    """
    Draw accuracy and jaggedness against the number of random crops that answer together.

    Parameters
    ----------
    voting : DataFrame
        The table of this name.
    network : str or sequence of str, optional
        Only these; five at most.
    direction, fill : optional
        Needed as far as the table holds several.
    jitter : int, optional
        Px; needed if the table holds several for one network. Between networks it differs with the
        size of their input.

    Returns
    -------
    altair.VConcatChart
        A panel per measure, a line per network and rule, with 95 % intervals over images; the
        frame itself, without augmentation, apart on the left, and level with it a thin line.

    Raises
    ------
    ExportError
        If there is nothing so, or several conditions.

    Examples
    --------
    >>> from biaskit.tables import VOTING
    >>> " ".join(voting(VOTING.empty()).title.text)
    'Answers by several crops, 0 networks, n = 0 images'
    """
    asked = voting if jitter is None else voting[voting["jitter"] == jitter]
    if asked.empty and len(voting):
        there = ", ".join(map(str, sorted(voting["jitter"].unique())))
        raise ExportError(f"there is nothing with jitter {jitter} px. There are: {there} px.")
    rows = network_rows(asked, network=network, most=_MOST, direction=direction, fill=fill)
    several = rows.groupby("name")["jitter"].unique()
    several = several[several.map(len) > 1]
    if len(several):
        each = ", ".join(map(str, sorted(several.iloc[0])))
        raise ExportError(
            f"{several.index[0]} was asked with jitter {each} px. Choose one by jitter."
        )
    drawn = [m for m in _MEASURES if rows[m].notna().any()] or ["accuracy"]
    panels = [_panel(rows, measure, last=measure == drawn[-1]) for measure in drawn]
    return alt.vconcat(*panels, spacing=14).properties(title=_title(rows, drawn))


def _panel(rows: pd.DataFrame, measure: str, *, last: bool) -> alt.LayerChart:
    table = rows.rename(columns={measure: "y", f"{measure}_low": "low", f"{measure}_high": "high"})
    crops = table["crops"].to_numpy(float)
    table = table.assign(x=np.where(crops > 0, np.log2(np.maximum(crops, 1)), _NONE))
    columns = ["name", "rule", "crops", "n_images", "x", "y", "low", "high"]
    # Without crops there is nothing to vote about: one point stands for both rules.
    same = (table["crops"] == 0) & (table["rule"] == "vote") & bool((table["rule"] == "mean").any())
    table = table.loc[table["y"].notna() & ~same, columns].sort_values("x").round(5)
    top = max(2.0, float(table["x"].max())) if len(table) else 2.0
    frame = Frame((_NONE - 0.4, top + 0.4), _reach(table), WIDTH, HEIGHT)
    x, y = _axes(table, frame, measure, last=last)
    looks = looks_of(sorted(rows["name"].unique()))
    lines = sorted(set(zip(table["name"].astype(str), table["rule"].astype(str), strict=True)))
    shifts = apart(len(lines)) * (frame.x[1] - frame.x[0]) / WIDTH
    layers, ends = _levels(table, frame, looks, y), {}
    for (name, rule), shift in zip(lines, shifts, strict=True):
        own = table[(table["name"] == name) & (table["rule"] == rule)]
        own = own.assign(x=(own["x"] + shift).round(5))
        look = looks[name]
        if rule == "vote":
            look = Look(look.colour, (3, 2), filled=False)
        for part in (own[own["crops"] == 0], own[own["crops"] > 0]):
            tips = [c for c in columns if c != "x"]
            layers += interval_line(part, look, x, y, tips=tips) if len(part) else []
        if name not in ends or rule == "mean":
            ends[name] = (float(own["x"].iloc[-1]), float(own["y"].iloc[-1]))
    if not layers:
        layers = interval_line(table, Look("#000000"), x, y)
    return layered(*layers, *line_ends(frame, ends, looks)).properties(width=WIDTH, height=HEIGHT)


def _levels(table: pd.DataFrame, frame: Frame, looks: dict[str, Look], y: alt.Y) -> list[alt.Chart]:
    """Draw what a network does without augmentation as a thin line across all crops."""
    found = []
    for name, own in table[table["crops"] == 0].groupby("name"):
        at = pd.DataFrame({"y": own["y"].iloc[:1], "x": _NONE, "x2": frame.x[1]})
        mark = alt.Chart(at).mark_rule(color=looks[str(name)].colour, opacity=0.4, strokeWidth=1)
        found.append(mark.encode(x="x:Q", x2="x2:Q", y=y))
    return found


def _reach(table: pd.DataFrame) -> tuple[float, float]:
    """Return the ends of an axis: twentieths beyond all intervals, from 0 if that is near."""
    if table.empty:
        return 0.0, 1.0
    low = float(np.floor(np.nanmin(table[["low", "y"]].to_numpy(float)) * 20) / 20)
    high = float(np.ceil(np.nanmax(table[["high", "y"]].to_numpy(float)) * 20) / 20)
    return (0.0 if low < 0.2 else low), max(high, low + 0.05)


def _axes(table: pd.DataFrame, frame: Frame, measure: str, *, last: bool) -> tuple[alt.X, alt.Y]:
    crops = sorted(table["crops"].unique())
    words = ["none" if n == 0 else f"{n:,}" for n in crops]
    at = [_NONE if n == 0 else float(np.log2(n)) for n in crops]
    x = alt.X(
        "x:Q",
        title="random crops per answer (log scale)" if last else None,
        scale=alt.Scale(domain=list(frame.x), nice=False, zero=False),
        axis=alt.Axis(**axis_words(at, words), grid=False, labels=last),
    )
    y = alt.Y(
        "y:Q",
        title=_MEASURES[measure],
        scale=alt.Scale(domain=list(frame.y), nice=False, zero=False),
        axis=alt.Axis(tickCount=4, format=".2~f"),
    )
    return x, y


def _px(jitter: pd.Series) -> str:
    low, high = int(jitter.min()), int(jitter.max())
    return f"{low} px" if low == high else f"{low} to {high} px, by the size of the input"


def _title(rows: pd.DataFrame, drawn: list[str]) -> alt.TitleParams:
    networks = rows["name"].nunique()
    n = rows["n_images"].astype(int).tolist() or [0]
    head = (
        f"Answers by several crops, {networks} network{'' if networks == 1 else 's'}, "
        f"{counted_images(min(n), max(n))}"
    )
    if rows.empty:
        return chart_title(head, width=WIDTH + _NAMES)
    labelled = rows["n_labelled"].astype(int)
    known = f"; {labelled.min():,} of known class" if labelled.min() < min(n) else ""
    rules = [_RULES[rule] for rule in _RULES if (rows["rule"] == rule).any()]
    steps = rows["n_steps"].dropna()
    many = f"{steps.mean():.0f} steps per image, " if len(steps) else ""
    passes = (rows["frames_per_answer"] == rows["crops"].clip(lower=1)).all()
    return chart_title(
        head,
        "cost: forward passes per answer" + (", as many as crops" if passes else ""),
        f"{condition_words(rows, ['direction', 'fill'])}, jitter {_px(rows['jitter'])}{known}",
        f"{many}bars: 95 % intervals over images",
        *rules,
        seen_words(rows),
        "no true class is known" if drawn == ["p_top1_change"] else "",
        width=WIDTH + _NAMES,
    )
