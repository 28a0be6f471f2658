"""Results as plain text for a terminal: the headline first, then a line per category."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

__all__ = ["categories_text", "drift_text", "headline_text"]

# The tests in a category's line, all with chi-square, one box per image.
_COLUMNS = (
    ("position", "frame"),
    ("position", "fit"),
    ("height", "frame"),
    ("height", "log-uniform"),
)
_NULL_WORDS = {"frame": "uniform", "log-uniform": "log-uniform"}


def headline_text(counts: pd.DataFrame, threshold: float) -> str:
    """
    Lay out the table ``biaskit.bias.headline.headline`` returns.

    Parameters
    ----------
    counts : DataFrame
    threshold : float
        log10 p below which a category was counted.

    Returns
    -------
    str
        One block per split; in brackets the least and greatest count the redraws allow.
    """
    blocks = []
    for split, rows in counts.groupby("split", sort=True):
        where = f", split {split!s}" if split else ""
        title = f"Categories with P < 1e{threshold:g} (chi-square, one box per image{where})"
        lines = [title, f"{'':<34}{'all boxes':>24}{'none that touch':>24}"]
        for question, null in dict.fromkeys(zip(rows["question"], rows["null"], strict=True)):
            both = rows[(rows["question"] == question) & (rows["null"] == null)]
            cells = [_count(both[both["edges"] == edges]) for edges in ("with", "without")]
            lines.append(f"{_question(question, null):<34}{cells[0]:>24}{cells[1]:>24}")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _question(question: str, null: str) -> str:
    if question == "position":
        return f"position, null {null}"
    if question == "height":
        return f"height, null {_NULL_WORDS.get(null, null)}"
    place, _, size = null.partition(", ")
    return f"both, {place} and {_NULL_WORDS.get(size, size)}"


def _count(row: pd.DataFrame) -> str:
    if row.empty:
        return "-"
    first = row.iloc[0]
    low, high = first["in_every_draw"], first["in_some_draw"]
    spread = f" ({low}-{high})" if low != high else ""
    return f"{first['below']} of {first['n_tested']}{spread}"


def categories_text(
    significance: pd.DataFrame,
    effects: pd.DataFrame,
    words: Mapping[str, str],
    *,
    limit: int,
) -> str:
    """
    Lay out the headline tests of the categories, the least p under ``fit`` first.

    Parameters
    ----------
    significance, effects : DataFrame
        Tables of these names.
    words : mapping of category to word
    limit : int
        How many categories to show.

    Returns
    -------
    str
        log10 p of four tests (``<`` before a proven bound), Cohen's w of the place with its
        lower limit, and the vertical offset with its interval, all with touching boxes.
    """
    tests = _pick(significance, "test", "chi2").set_index(["category", "split"])
    columns = {
        (measure, null): tests[(tests["measure"] == measure) & (tests["null"] == null)]
        for measure, null in _COLUMNS
    }
    place = columns["position", "fit"]
    order = place["log10_p"].sort_values(kind="stable").index[:limit]
    w = _of_fit(_pick(effects, "effect", "cohens_w"), "position")
    down = _of_fit(_pick(effects, "effect", "offset"), "position_y")
    lines = [_HEADING]
    for category, split in order:
        key = (category, split)
        name = " ".join(filter(None, (split, category, words.get(category, ""))))
        cells = [_p_cell(rows.loc[key]) for rows in columns.values()]
        cells += [_w_cell(w.loc[key]), _offset_cell(down.loc[key])]
        lines.append(_row(name, place.loc[key, "n_images"], *cells))
    if len(place) > limit:
        lines.append(f"... {len(place) - limit:,} more: biaskit export significance")
    return "\n".join(lines)


def _pick(table: pd.DataFrame, column: str, value: str) -> pd.DataFrame:
    one = (table["policy"] == "one") & (table["edges"] == "with")
    return table[one & (table[column] == value)]


def _of_fit(effects: pd.DataFrame, measure: str) -> pd.DataFrame:
    rows = effects[(effects["measure"] == measure) & (effects["null"] == "fit")]
    return rows.set_index(["category", "split"])


def _p_cell(row: pd.Series) -> str:
    if np.isnan(row["log10_p"]):
        return "-"
    return ("<" if row["p_kind"] == "bound" else "") + f"{row['log10_p']:.1f}"


def _w_cell(row: pd.Series) -> str:
    return "-" if np.isnan(row["value"]) else f"{row['value']:.2f} >{row['low']:.2f}"


def _offset_cell(row: pd.Series) -> str:
    if np.isnan(row["value"]):
        return "-"
    # Adding 0 turns a rounded -0.0 into 0.0.
    value, low, high = (round(row[name], 2) + 0.0 for name in ("value", "low", "high"))
    return f"{value:+.2f}" + ("" if np.isnan(low) else f" [{low:+.2f} {high:+.2f}]")


def _row(name: str, n: object, *cells: str) -> str:
    widths = (8, 8, 8, 8, 12, 21)
    rest = "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
    return f"{name[:30]:<30}{n!s:>5}{rest}".rstrip()


_HEADING = "\n".join(
    [
        "log10 p of every category, the least under fit first; < a proven bound. w: how far the",
        "places are from free, with its lower limit; down: their mean below the middle, as a share",
        "of the free room, with its 95 % interval.",
        _row("", "", "place", "", "height", "", "", ""),
        _row("category", "n", "frame", "fit", "uniform", "log-u.", "w", "down"),
    ]
)


def drift_text(drift: pd.DataFrame) -> str:
    """
    Say in how many categories the two sets differ, at a false discovery rate of 5 %.

    Parameters
    ----------
    drift : DataFrame
        A table ``drift``.

    Returns
    -------
    str
    """
    tested = drift[drift["log10_bh"].notna()]
    moved = tested.loc[tested["log10_bh"] <= np.log10(0.05), "category"].nunique()
    return f"Drift: {moved:,} of {tested['category'].nunique():,} categories differ (q <= 0.05)"
