"""Tables for people: LaTeX (booktabs), HTML, Markdown; p-values never as 0."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from biaskit.charts.p_values import exponent_and_factor, number_text, p_text
from biaskit.export.escapes import html_text, latex_text, markdown_text
from biaskit.schema import Column, Schema

__all__ = ["html_bytes", "is_p", "latex_bytes", "markdown_bytes"]

LONG = 40  # rows that fit a page


def latex_bytes(table: pd.DataFrame, schema: Schema, provenance: Mapping[str, str]) -> bytes:
    r"""
    Write a table in the manner of booktabs: a tabular, or a longtable beyond 40 rows.

    Examples
    --------
    >>> from biaskit.tables import REPAIRS
    >>> latex_bytes(REPAIRS.empty(), REPAIRS, {}).decode().splitlines()[2]
    '\\begin{tabular}{lrlll}'
    """
    names = [str(name) for name in table]
    kinds = [schema.columns[name] for name in names]
    align = "".join("l" if column.kind == "text" else "r" for column in kinds)
    long = len(table) > LONG
    frame = "longtable" if long else "tabular"
    packages = "booktabs, longtable, textcomp" if long else "booktabs, textcomp"
    head = " & ".join(
        latex_text(_head(name, column)) for name, column in zip(names, kinds, strict=True)
    )
    return _lines(
        f"% {_one_line(schema, provenance)}",
        f"% Needs the packages {packages}.",
        rf"\begin{{{frame}}}{{{align}}}",
        r"\toprule",
        rf"{head} \\",
        r"\midrule",
        *([r"\endhead", r"\bottomrule", r"\endfoot"] if long else []),
        *(rf"{' & '.join(row)} \\" for row in _rows(table, schema, latex_text, _latex_p)),
        *([] if long else [r"\bottomrule"]),
        rf"\end{{{frame}}}",
    )


def html_bytes(table: pd.DataFrame, schema: Schema, provenance: Mapping[str, str]) -> bytes:
    """
    Write a table as an HTML page of its own, which fetches nothing.

    Examples
    --------
    >>> from biaskit.tables import REPAIRS
    >>> b"<th>kind</th>" in html_bytes(REPAIRS.empty(), REPAIRS, {})
    True
    """
    heads = "".join(_html_head(name, schema.columns[name]) for name in map(str, table))
    rows = (
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>"
        for row in _rows(table, schema, html_text, _html_p)
    )
    facts = "".join(
        f"<dt>{html_text(k)}</dt><dd>{html_text(v)}</dd>" for k, v in provenance.items()
    )
    return _lines(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html_text(schema.name)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{html_text(schema.name)}</h1><p>One row per {html_text(schema.row)}.</p>",
        f"<div><table><thead><tr>{heads}</tr></thead><tbody>",
        *rows,
        "</tbody></table></div>",
        f"<h2>Provenance</h2><dl>{facts}</dl></body></html>",
    )


def markdown_bytes(table: pd.DataFrame, schema: Schema, provenance: Mapping[str, str]) -> bytes:
    """
    Write a table in GitHub's Markdown.

    Examples
    --------
    >>> from biaskit.tables import REPAIRS
    >>> markdown_bytes(REPAIRS.empty(), REPAIRS, {}).decode().splitlines()[0]
    '| file | object | kind | found | kept |'
    """
    # Our own column names need no escape, apart from the underscore, which is harmless here.
    names = [str(name) for name in table]
    heads = [_head(name, schema.columns[name]) for name in names]
    rules = ["---" if schema.columns[name].kind == "text" else "---:" for name in names]
    rows = _rows(table, schema, markdown_text, p_text)
    return _lines(
        *(f"| {' | '.join(row)} |" for row in (heads, rules, *rows)),
        "",
        markdown_text(_one_line(schema, provenance)),
    )


def _rows(
    table: pd.DataFrame,
    schema: Schema,
    text: Callable[[str], str],
    p: Callable[[float, str], str],
) -> list[list[str]]:
    """Return every cell as text, escaped, with logarithms of p turned into p."""
    # Every p-value of a row is of the kind its row names; those beside it are asymptotic.
    kinds = table["p_kind"].tolist() if "p_kind" in table else ["exact"] * len(table)
    columns = []
    for name in table:
        column = schema.columns[str(name)]
        values = table[name].tolist()
        if is_p(str(name), column):
            beside = "asymptotic" if str(name).endswith("asymptotic") else None
            cells = [
                "" if pd.isna(v) else p(float(v), beside or kind)
                for v, kind in zip(values, kinds, strict=True)
            ]
        else:
            cells = ["" if pd.isna(v) else text(_plain(v)) for v in values]
        columns.append(cells)
    return [list(row) for row in zip(*columns, strict=True)] if columns else []


def is_p(name: str, column: Column) -> bool:
    """
    Tell whether a column holds logarithms of p-values.

    Examples
    --------
    >>> is_p("log10_p", Column("p", "log10")), is_p("n", Column("images", "count"))
    (True, False)
    """
    return name.startswith("log10_") and column.unit == "log10"


def _plain(value: Any) -> str:
    return number_text(value, 4) if isinstance(value, float) else str(value)


def _head(name: str, column: Column) -> str:
    if is_p(name, column):
        return "p" if name == "log10_p" else f"p {name.removeprefix('log10_').removeprefix('p_')}"
    label = name.replace("_", " ")
    unit = "" if column.unit in ("", "count") else f" ({column.unit})"
    return f"{label}{unit}"


def _html_head(name: str, column: Column) -> str:
    return f"<th>{html_text(_head(name, column))}</th>"


def _latex_p(log10_p: float, kind: str) -> str:
    sign = {"bound": r"\le ", "asymptotic": r"\approx "}.get(kind, "")
    if log10_p > -3:
        return f"${sign}{10**log10_p:.2g}$"
    factor, exponent = exponent_and_factor(log10_p)
    return rf"${sign}{factor:g} \times 10^{{{exponent}}}$"


def _html_p(log10_p: float, kind: str) -> str:
    text = p_text(log10_p, kind)
    number, _, exponent = text.partition("^")
    raised = exponent.replace("-", "−")
    return f"{html_text(number)}<sup>{raised}</sup>" if exponent else html_text(text)


def _one_line(schema: Schema, provenance: Mapping[str, str]) -> str:
    facts = ", ".join(f"{key} {value}" for key, value in provenance.items() if len(value) < 80)
    # One line: a break would end the comment it stands in.
    return " ".join(f"biaskit table {schema.name}; {facts}".split())


def _lines(*lines: str) -> bytes:
    return ("\n".join(lines) + "\n").encode("utf-8", errors="strict")


_STYLE = (
    ":root{color-scheme:light dark}body{font:15px/1.45 system-ui,sans-serif;margin:1.5rem}"
    "div{overflow-x:auto}table{border-collapse:collapse}"
    "th,td{padding:.25rem .6rem;border-bottom:1px solid #8886;text-align:left;"
    "white-space:nowrap;font-variant-numeric:tabular-nums;unicode-bidi:isolate}"
    "thead th{border-bottom:2px solid;position:sticky;top:0;background:Canvas}"
    "dt{font-weight:600}dd{margin:0 0 .4rem;overflow-wrap:anywhere}"
)
