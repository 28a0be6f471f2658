"""The section on drift: how many categories moved, and which moved most."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from biaskit.charts import drift as drift_chart
from biaskit.charts import inline_svg, p_text, untitled
from biaskit.report.figures import Figure
from biaskit.report.names import Names
from biaskit.report.sentences import percent

__all__ = ["Change", "Changes", "changes"]

TOP = 20  # rows of the table
_DRAWN = ("position_y", "position_x", "height", "width", "area")
_LEVEL = np.log10(0.05)


@dataclass(frozen=True)
class Change:
    """One measure of one category, as text."""

    name: str
    anchor: str
    cells: tuple[str, ...]  # measure, test, n, difference, p, q


@dataclass(frozen=True)
class Changes:
    """What the section shows."""

    sentence: str
    figures: tuple[Figure, ...]
    rows: tuple[Change, ...]


def changes(drift: pd.DataFrame, names: Names) -> Changes:
    """
    Sum up a comparison of two sets of boxes.

    Parameters
    ----------
    drift : DataFrame
        A table ``drift``.
    names : Names
        Categories that are not among them are shown by their id.

    Returns
    -------
    Changes

    Examples
    --------
    >>> from biaskit.tables import DRIFT
    >>> changes(DRIFT.empty(), Names(pd.DataFrame({"category": [], "split": []}), {})).sentence
    'No category could be compared.'
    """
    tested = drift[drift["log10_p"].notna()]
    moved = tested.loc[tested["log10_bh"] < _LEVEL, "category"].nunique()
    total = tested["category"].nunique()
    if not total:
        return Changes("No category could be compared.", (), ())
    sentence = (
        f"{moved:,} of {total:,} categories differ between the two sets in at least one measure "
        f"at q < 0.05 (Benjamini-Hochberg over categories, each measure and test by itself). "
        f"Differences are this set less the other."
    )
    main = _main_tests(tested)
    # Permutations cannot go below their number: among ties the larger difference comes first.
    main = main.assign(size=-main["difference"].abs().fillna(0))
    ordered = main.sort_values(["log10_bh", "log10_p", "size", "category"], kind="stable")
    rows = tuple(_change(row, names) for row in ordered.head(TOP).itertuples(index=False))
    return Changes(sentence, _figures(main, names.words), rows)


def _figures(tested: pd.DataFrame, words: Mapping[str, str]) -> tuple[Figure, ...]:
    found = []
    drawn = tested[tested["measure"].isin(_DRAWN) & tested["difference"].notna()]
    # The two measures with most categories that moved.
    moved = drawn["log10_bh"].lt(_LEVEL).groupby(drawn["measure"], observed=True).sum()
    for measure in sorted(moved.index, key=lambda m: (-moved[m], _DRAWN.index(m)))[:2]:
        rows = drawn[drawn["measure"] == measure]
        if len(rows):
            test = str(rows["test"].iloc[0])
            what = measure.replace("_", " ")
            svg = inline_svg(
                untitled(drift_chart(tested, measure=measure, test=test, top=12, words=words)),
                name=f"drift-{measure}",
                label=f"Difference of mean {what} between the two sets, with 95 % intervals",
                description=f"The 12 categories with the strongest evidence of {len(rows):,}.",
            )
            found.append(Figure(svg, f"Difference of mean {what}, n of each set in brackets"))
    return tuple(found)


def _main_tests(tested: pd.DataFrame) -> pd.DataFrame:
    """Keep one test per measure: Kolmogorov-Smirnov, or the only one there is."""
    has_ks = tested.loc[tested["test"] == "ks", "measure"].unique()
    return tested[(tested["test"] == "ks") | ~tested["measure"].isin(has_ks)]


def _change(row: tuple, names: Names) -> Change:
    r = row._asdict()  # type: ignore[attr-defined]
    name = names.any_split(str(r["category"]))
    n = f"{r['n_images_a']:,} and {r['n_images_b']:,}"
    difference = ""
    if not pd.isna(r["difference"]):
        difference = f"{percent(r['difference'])} ({percent(r['low'])} to {percent(r['high'])})"
    p = p_text(r["log10_p"], str(r["p_kind"]), raised=True)
    q = p_text(r["log10_bh"], raised=True)
    measure = str(r["measure"]).replace("_", " ")
    return Change(name.label, name.anchor, (measure, str(r["test"]), n, difference, p, q))
