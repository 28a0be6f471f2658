"""The table ``calibration`` as Markdown: one table for each kind, one line for each subject."""

import pandas as pd

__all__ = ["describe"]

_HEADINGS = {
    "size": "Size: share of rejections when the null is true",
    "power": "Power: share of rejections when a bias is planted",
    "coverage": "Coverage: share of 95 % intervals and limits that hold the truth",
    "tail": "Far tails: log10 p given, beside the exact one",
}
_LINE = ["scenario", "measure", "null", "subject"]


def describe(table: pd.DataFrame) -> str:
    """
    Lay out a table ``calibration``.

    Parameters
    ----------
    table : DataFrame

    Returns
    -------
    str
        Markdown. A rate whose 99 % interval lies wholly on the wrong side of its promise
        has a ``!``: a size above its level, or a coverage below it. With a hundred rates, about
        one has it by chance.

    Examples
    --------
    >>> from biaskit.tables import CALIBRATION
    >>> describe(CALIBRATION.empty())
    ''
    """
    blocks = []
    for kind, heading in _HEADINGS.items():
        rows = table[table["kind"] == kind]
        if len(rows):
            body = _tail_lines(rows) if kind == "tail" else _rate_lines(rows, kind)
            blocks.append("\n".join([f"## {heading}", "", *body]))
    return "\n\n".join(blocks)


def _rate_lines(rows: pd.DataFrame, kind: str) -> list[str]:
    ns = sorted(rows["n"].unique())
    levels = " / ".join(f"{level:g}" for level in sorted(rows["level"].unique(), reverse=True))
    heads = ["data", "measure", "null", "of", *(f"n = {n}" for n in ns)]
    lines = [f"Level {levels}. Runs: {_runs(rows)}.", "", *_header(heads)]
    for key, line in rows.groupby(_LINE, sort=True):
        cells = [_rates(line[line["n"] == n], kind) for n in ns]
        lines.append(_line([*map(str, key), *cells]))
    return lines


def _runs(rows: pd.DataFrame) -> str:
    low, high = rows["runs"].min(), rows["runs"].max()
    return f"{high:,}" if low == high else f"{low:,} to {high:,}"


def _rates(cell: pd.DataFrame, kind: str) -> str:
    found = []
    for _, row in cell.sort_values("level", ascending=False).iterrows():
        off = {"size": row["low"] > row["level"], "coverage": row["high"] < row["level"]}
        digits = 4 if row["level"] < 0.005 else 3
        found.append(f"{row['rate']:.{digits}f}".lstrip("0") + ("!" if off.get(kind) else ""))
    return " / ".join(text if text[0] != "." or text.strip(".0") else "0" for text in found) or "-"


def _tail_lines(rows: pd.DataFrame) -> list[str]:
    lines = _header(["of", "case", "n", "exact", "given", "difference"])
    for _, row in rows.sort_values(["subject", "n", "scenario", "level"]).iterrows():
        apart = row["rate"] - row["level"]
        text = f"{apart:+.0e}" if 0 < abs(apart) < 1e-3 else f"{apart:+.3f}"
        numbers = [f"{row['n']}", f"{row['level']:.6f}", f"{row['rate']:.6f}", text]
        lines.append(_line([row["subject"], row["scenario"], *numbers]))
    return lines


def _header(names: list[str]) -> list[str]:
    return [_line(names), _line(["---"] * len(names))]


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
