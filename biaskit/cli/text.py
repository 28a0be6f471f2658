"""Results as plain text for a terminal: the headline first, then a line per category."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

__all__ = ["categories_text", "drift_text", "headline_text"]

# The tests in a category's line: heading, measure, null. All with chi-square, one box per image.
_COLUMNS = (
    ("place/frame", "position", "frame"),
    ("place/fit", "position", "fit"),
    ("height/unif.", "height", "frame"),
    ("height/log-u.", "height", "log-uniform"),
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
        where = f", split {split}" if split else ""
        title = f"Categories with P < 1e{threshold:g} (chi-square, one box per image{where})"
        lines = [title, f"{'':<34}{'all boxes':>22}{'none that touch':>22}"]
        for (question, null), both in rows.groupby(["question", "null"], sort=False):
            cells = [_count(both[both["edges"] == edges]) for edges in ("with", "without")]
            lines.append(f"{_question(str(question), str(null)):<34}{cells[0]:>22}{cells[1]:>22}")
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
        log10 p of four tests, Cohen's w of the place with its lower limit, and the vertical
        offset with its interval, all with touching boxes.
    """
    tests = _pick(significance, "test", "chi2")
    value = {
        heading: tests[(tests["measure"] == measure) & (tests["null"] == null)].set_index(
            ["category", "split"]
        )["log10_p"]
        for heading, measure, null in _COLUMNS
    }
    place = tests[(tests["measure"] == "position") & (tests["null"] == "fit")]
    table = place.set_index(["category", "split"])[["n_images"]].assign(**value)
    table["w"] = _with_interval(_pick(effects, "effect", "cohens_w"), "position", "{:.2f}")
    table["down"] = _with_interval(_pick(effects, "effect", "offset"), "position_y", "{:+.2f}")
    table = table.sort_values(["place/fit", "place/frame"], kind="stable")
    names = [
        " ".join(filter(None, (split, category, words.get(category, "")[:24])))
        for category, split in table.index
    ]
    table.insert(0, "category", names)
    lines = [
        "log10 p against each null; w: distance of the places from free (lower limit);",
        "down: mean place below the middle, share of the free room, 95 % interval",
        _row(["category", "n", *value, "w", "down"]),
    ]
    for _, row in table.head(limit).iterrows():
        ps = ["-" if np.isnan(row[heading]) else f"{row[heading]:.1f}" for heading in value]
        lines.append(_row([row["category"], f"{row['n_images']}", *ps, row["w"], row["down"]]))
    if len(table) > limit:
        lines.append(f"... {len(table) - limit:,} more: biaskit export significance")
    return "\n".join(lines)


def _pick(table: pd.DataFrame, column: str, value: str) -> pd.DataFrame:
    one = (table["policy"] == "one") & (table["edges"] == "with")
    return table[one & (table[column] == value)]


def _with_interval(effects: pd.DataFrame, measure: str, form: str) -> pd.Series:
    rows = effects[(effects["measure"] == measure) & (effects["null"] == "fit")]
    rows = rows.set_index(["category", "split"])

    def cell(value: float, low: float, high: float) -> str:
        if np.isnan(value):
            return "-"
        ends = f"≥ {form.format(low)}" if np.isnan(high) else f"{low:+.2f} {high:+.2f}"
        return f"{form.format(value)} [{ends}]"

    cells = [cell(*row) for row in rows[["value", "low", "high"]].to_numpy(np.float64)]
    return pd.Series(cells, index=rows.index, dtype=object)


def _row(cells: list[str]) -> str:
    widths = (34, 6, 13, 11, 13, 14, 17, 22)
    first, *rest = (
        f"{cell:<{w}}" if k == 0 else f"{cell:>{w}}"
        for k, (cell, w) in enumerate(zip(cells, widths, strict=True))
    )
    return "".join([first, *rest]).rstrip()


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
