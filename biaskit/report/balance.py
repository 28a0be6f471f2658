"""Left against right, and size with place: counts over all categories."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from biaskit.charts.p_values import number_text
from biaskit.charts.rows import question

__all__ = ["Balance", "balance"]

_WORDS = {
    "mirror_sign": ("left against right: share of objects right of the middle", "share less 1/2"),
    "mirror_mean": ("left against right: mean place", "of the room each box has"),
    "coupling": ("larger objects nearer the edge or the middle", "rank correlation"),
}
_LEVEL = np.log10(0.05)


@dataclass(frozen=True)
class Balance:
    """One test over all categories, as text."""

    words: str
    found: int  # q < 0.05
    tested: int
    effect: str  # median and range of the middle 90 %
    unit: str


def balance(symmetry: pd.DataFrame) -> list[Balance]:
    """
    Count the categories that are not symmetric, or whose size goes with their place.

    Parameters
    ----------
    symmetry : DataFrame
        A table ``symmetry``; policy ``one``, boxes at the frame set aside.

    Returns
    -------
    list of Balance
        One per test that has data.

    Examples
    --------
    >>> from biaskit.tables import SYMMETRY
    >>> balance(SYMMETRY.empty())
    []
    """
    rows = question(symmetry, policy="one", edges="without")
    found = []
    for test, (words, unit) in _WORDS.items():
        mine = rows[(rows["test"] == test) & rows["log10_p"].notna()]
        if len(mine):
            low, middle, high = np.nanquantile(mine["effect"], [0.05, 0.5, 0.95])
            text = f"{_signed(middle)} ({_signed(low)} to {_signed(high)})"
            count = int((mine["log10_bh"] < _LEVEL).sum())
            found.append(Balance(words, count, len(mine), text, unit))
    return found


def _signed(value: float) -> str:
    return number_text(round(float(value), 3) + 0.0, 2).replace("-", "−")
