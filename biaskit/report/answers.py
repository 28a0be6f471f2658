"""The rows of significance and effects that a page needs, found by category and question."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from biaskit.charts.rows import question

__all__ = ["ASKED", "Answers", "Asked", "Effect", "Verdict", "answers"]

EFFECTS_SHOWN = (
    "offset",
    "central_ninth",
    "total_variation",
    "cohens_w",
    "log_mean",
    "log_spread",
)
POLICY, TEST = "one", "chi2"  # the headline, fixed beforehand


class Asked(NamedTuple):
    """A question of the headline and how a page words it."""

    measure: str
    null: str
    words: str


ASKED = (
    Asked("position", "frame", "position, centres uniform on the frame"),
    Asked("position", "fit", "position, uniform where each box fits"),
    Asked("height", "frame", "height, uniform up to the frame"),
    Asked("height", "log-uniform", "height, log-uniform from 16 px"),
)


@dataclass(frozen=True)
class Verdict:
    """One test of one category."""

    n: int  # images
    log10_p: float
    p_kind: str
    log10_q: float  # Benjamini-Hochberg
    flags: str


@dataclass(frozen=True)
class Effect:
    """One effect size of one category; a missing ``high`` makes ``low`` a lower limit."""

    n: int
    value: float
    low: float
    high: float
    expected: float


_Key = tuple[str, str, str, str, str]
_EffectKey = tuple[str, str, str, str, str, str]


@dataclass(frozen=True)
class Answers:
    """Verdicts and effects by (category, split, measure, null, edges[, effect])."""

    verdicts: Mapping[_Key, Verdict]
    effects: Mapping[_EffectKey, Effect]

    def verdict(
        self, group: tuple[str, str], measure: str, null: str, edges: str
    ) -> Verdict | None:
        """Return a test's result; None if it was not made or had no data."""
        found = self.verdicts.get((*group, measure, null, edges))
        return None if found is None or pd.isna(found.log10_p) else found

    def effect(
        self, group: tuple[str, str], measure: str, null: str, edges: str, effect: str
    ) -> Effect | None:
        """Return an effect; None if it was not estimated or had no data."""
        found = self.effects.get((*group, measure, null, edges, effect))
        return None if found is None or pd.isna(found.value) else found


def answers(significance: pd.DataFrame, effects: pd.DataFrame) -> Answers:
    """
    Index the headline's rows of two tables.

    Parameters
    ----------
    significance, effects : DataFrame
        Tables of these names; others than policy ``one`` are left aside.

    Returns
    -------
    Answers

    Raises
    ------
    KeyError
        If a column is missing.

    Examples
    --------
    >>> from biaskit.tables import EFFECTS, SIGNIFICANCE
    >>> found = answers(SIGNIFICANCE.empty(), EFFECTS.empty())
    >>> found.verdict(("cat", ""), "height", "frame", "with") is None
    True
    """
    tested = question(significance, policy=POLICY, test=TEST)
    tested_nulls = {asked.null for asked in ASKED}
    tested = tested[tested["null"].isin(tested_nulls)]
    sized = question(effects, policy=POLICY)
    sized = sized[sized["effect"].isin(EFFECTS_SHOWN) & sized["null"].isin(tested_nulls)]
    verdicts = {
        (str(r.category), str(r.split), str(r.measure), str(r.null), str(r.edges)): Verdict(
            int(r.n_images), float(r.log10_p), str(r.p_kind), float(r.log10_bh), str(r.flags)
        )
        for r in _rows(tested)
    }
    found = {
        (
            *(str(r.category), str(r.split), str(r.measure), str(r.null), str(r.edges)),
            str(r.effect),
        ): Effect(int(r.n), float(r.value), float(r.low), float(r.high), float(r.expected))
        for r in _rows(sized)
    }
    return Answers(verdicts, found)


def _rows(table: pd.DataFrame) -> Iterator[Any]:
    return table.itertuples(index=False, name="Row")
