"""The table that is printed first: how many categories are not as they would be by chance."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

__all__ = ["PAPER_THRESHOLD", "headline"]

PAPER_THRESHOLD = -10.0  # log10: the paper's P < 1e-10

_POSITION_NULLS = ("frame", "fit")
_SIZE_NULLS = ("frame", "log-uniform")


@dataclass(frozen=True)
class _Verdicts:
    """log10 p of one question in every category: first draw, least and greatest of all draws."""

    first: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def both(self, other: "_Verdicts") -> "_Verdicts":
        """Return the greater p of two questions: it is small only if both are."""
        return _Verdicts(
            np.maximum(self.first, other.first),
            np.maximum(self.low, other.low),
            np.maximum(self.high, other.high),
        )


def headline(
    significance: pd.DataFrame,
    *,
    threshold: float = PAPER_THRESHOLD,
    policy: str = "one",
) -> pd.DataFrame:
    """
    Count the categories whose chi-square test is below a threshold, as the paper does.

    Parameters
    ----------
    significance : DataFrame
        A table ``significance``.
    threshold : float
        log10 p below which a category counts.
    policy : str
        ``one`` (redrawn) or another, whose three counts are then the same.

    Returns
    -------
    DataFrame
        One row per split, question (``position``, ``height``, ``both``), null and edges:
        n_categories in all, n_tested of them with data enough for the question, and how many of
        these are ``below`` the threshold in the table, ``in_every_draw`` and ``in_some_draw`` of
        U and object. The null of ``both`` names that of the position, then that of the height.
        Questions whose tests are not in the table have no row.

    Notes
    -----
    For ``both``, ``in_some_draw`` counts categories where each of the two tests is below in some
    draw, not of necessity in the same one.

    Examples
    --------
    >>> from biaskit.tables import SIGNIFICANCE
    >>> len(headline(SIGNIFICANCE.empty()))
    0
    """
    table = significance
    rows = table[(table["test"] == "chi2") & (table["policy"] == policy)]
    rows = rows[rows["measure"].isin(["position", "height"])]
    counts = []
    for split in sorted(rows["split"].unique()):
        of_split = rows[rows["split"] == split]
        for edges in ("with", "without"):
            verdicts = _verdicts(of_split[of_split["edges"] == edges])
            for (question, null), found in verdicts.items():
                counts.append(
                    {"split": split, "question": question, "null": null, "edges": edges}
                    | _count(found, threshold)
                )
    names = ("split", "question", "null", "edges", "n_categories", "n_tested")
    columns = [*names, "below", "in_every_draw", "in_some_draw"]
    return pd.DataFrame(counts, columns=columns)


def _verdicts(rows: pd.DataFrame) -> dict[tuple[str, str], _Verdicts]:
    position = _of(rows, "position", _POSITION_NULLS)
    height = _of(rows, "height", _SIZE_NULLS)
    both = {
        ("both", f"{p_null}, {h_null}"): place.both(size)
        for (_, p_null), place in position.items()
        for (_, h_null), size in height.items()
    }
    return position | height | both


def _of(
    rows: pd.DataFrame, measure: str, nulls: tuple[str, ...]
) -> dict[tuple[str, str], _Verdicts]:
    found = {}
    for null in nulls:
        # The same order of categories for every question.
        one = rows[(rows["measure"] == measure) & (rows["null"] == null)].sort_values("category")
        if len(one):
            first, low, high = (
                one[name].to_numpy(np.float64)
                for name in ("log10_p", "log10_p_low", "log10_p_high")
            )
            # Not redrawn: the table's value stands for all draws.
            low, high = (np.where(np.isnan(end), first, end) for end in (low, high))
            found[measure, null] = _Verdicts(first, low, high)
    return found


def _count(found: _Verdicts, threshold: float) -> dict[str, int]:
    return {
        "n_categories": len(found.first),
        "n_tested": int(np.count_nonzero(~np.isnan(found.first))),
        "below": int(np.count_nonzero(found.first < threshold)),
        "in_every_draw": int(np.count_nonzero(found.high < threshold)),
        "in_some_draw": int(np.count_nonzero(found.low < threshold)),
    }
