"""Results of landmark pairs as plain text: a line per category, with its mean place."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

__all__ = ["pairs_text"]

# The tests in a category's line: measure, null, test, and the heading.
_COLUMNS = (
    ("midpoint", "frame", "chi2", "frame"),
    ("midpoint", "fit", "chi2", "fit"),
    ("distance", "frame", "chi2", "uniform"),
    ("distance", "log-uniform", "chi2", "log-u."),
    ("angle", "circle", "kuiper", "tilt"),
)
_MEANS = ("midpoint_x", "midpoint_y", "distance")
_WIDTHS = (8, 8, 9, 8, 8, 16, 16, 18)


def pairs_text(
    significance: pd.DataFrame,
    effects: pd.DataFrame,
    words: Mapping[str, str],
    *,
    threshold: float,
    limit: int,
) -> str:
    """
    Lay out the tests of landmark pairs, the least p of the midpoint under ``fit`` first.

    Parameters
    ----------
    significance, effects : DataFrame
        Tables of these names.
    words : mapping of category to word
    threshold : float
        log10 p below which a category is counted.
    limit : int
        How many categories to show.

    Returns
    -------
    str
    """
    one = significance[(significance["policy"] == "one") & (significance["edges"] == "with")]
    columns = [
        one[(one["measure"] == measure) & (one["null"] == null) & (one["test"] == test)]
        .astype({"category": str})
        .set_index("category")
        for measure, null, test, _ in _COLUMNS
    ]
    mean = effects[(effects["effect"] == "mean") & (effects["policy"] == "one")]
    mean = mean[mean["edges"] == "with"].astype({"category": str, "measure": str})
    means = mean.set_index(["measure", "category"])
    place = columns[1]
    lines = [_headline(columns, threshold), "", _HEADING]
    order = place["log10_p"].sort_values(kind="stable").index[:limit]
    for category in order:
        name = " ".join(filter(None, (category, words.get(category, ""))))
        cells = [_p(rows.loc[category]) for rows in columns]
        cells += [_interval(means.loc[(measure, category)]) for measure in _MEANS]
        lines.append(_row(name, place.loc[category, "n_images"], *cells))
    if len(place) > limit:
        lines.append(f"... {len(place) - limit:,} more: biaskit export significance")
    return "\n".join(lines)


def _headline(columns: list[pd.DataFrame], threshold: float) -> str:
    told = []
    for (measure, null, _, _), rows in zip(_COLUMNS, columns, strict=True):
        tested = rows["log10_p"].notna()
        below = int((rows.loc[tested, "log10_p"] < threshold).sum())
        told.append(f"{measure} ({null}) {below} of {int(tested.sum())}")
    return f"Landmark pairs, categories with P < 1e{threshold:g}: {', '.join(told)}"


def _p(row: pd.Series) -> str:
    if np.isnan(row["log10_p"]):
        return "-"
    return ("<" if row["p_kind"] == "bound" else "") + f"{row['log10_p']:.1f}"


def _interval(row: pd.Series) -> str:
    value, low, high = (row[name] for name in ("value", "low", "high"))
    if np.isnan(value):
        return "-"
    told = f"{value:.3f}".lstrip("0")
    if np.isnan(low):
        return told
    return told + f" [{low:.2f} {high:.2f}]".replace("0.", ".")


def _row(name: str, n: object, *cells: str) -> str:
    rest = "".join(f"{cell:>{width}}" for cell, width in zip(cells, _WIDTHS, strict=True))
    return f"{name[:24]:<24}{n!s:>5}{rest}".rstrip()


_HEADING = "\n".join(
    [
        "log10 p of every category, the least of the midpoint under fit first; < a proven bound.",
        "x, y: mean midpoint, of the frame's sides; apart: mean distance, of its width; with 95 %",
        "intervals that hold the annotators' error where it is known.",
        _row("", "", "midpoint", "", "distance", "", "", "", "", ""),
        _row("category", "n", *(head for *_, head in _COLUMNS), "x", "y", "apart"),
    ]
)
