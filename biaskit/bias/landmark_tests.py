"""All tests of landmark pairs, as rows of table ``significance``."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from biaskit.bias.answers import Answer, bonferroni
from biaskit.bias.asking import ask_place, ask_uniform, order_by_height
from biaskit.bias.entrants import Entrants
from biaskit.bias.landmarks import PAIR_NULLS, Pairs, pair_uniform
from biaskit.bias.significance_rows import as_table

__all__ = ["PAIR_POLICIES", "pair_significance"]

# The largest pair of an image is none of the readings: a pair has no area.
PAIR_POLICIES = ("one", "weighted", "all")
_ANGLE_TESTS = ("kuiper",)
_TESTS = ("chi2", "ks", "kuiper", "cvm", "ad")


def pair_significance(
    pairs: Pairs,
    *,
    seed: int,
    policies: Sequence[str] = PAIR_POLICIES,
    edges: Sequence[str] = ("with", "without"),
) -> pd.DataFrame:
    """
    Test every category for uniform midpoints, distances and tilts.

    Parameters
    ----------
    pairs : Pairs
    seed : int
        Decides which pair of an image enters, and the draws of tails that are estimated.
    policies, edges : sequences of str
        See ``biaskit.bias.significance``; ``largest`` is none of the policies.

    Returns
    -------
    DataFrame
        A table ``significance``. For midpoint_x, midpoint_y and distance: chi2 (10 bins), ks,
        kuiper, cvm, ad. For ``midpoint``: chi2 (5 x 5 cells), smooth, bonferroni (twice the
        lesser p of the two axes' KS). For ``angle``: kuiper. The numbers are continuous, so
        nothing is drawn but the pair of an image, and log10_p has no range over redraws.

    Examples
    --------
    >>> from biaskit.bias.landmarks import landmark_pairs
    >>> from biaskit.tables import KEYPOINTS
    >>> len(pair_significance(landmark_pairs(KEYPOINTS.empty()), seed=1))
    0
    """
    objects = pairs.objects
    answers: list[Answer] = []
    if len(pairs):
        by_height = order_by_height(objects, seed=seed)
        for edge in edges:
            entrants = Entrants(objects, seed=seed)
            for measure, nulls in PAIR_NULLS.items():
                tests = _ANGLE_TESTS if measure == "angle" else _TESTS
                for null in nulls:
                    u = pair_uniform(pairs, measure, null, edge)
                    answers += ask_uniform(entrants, u, measure, null, edge, policies, tests=tests)
            for null in PAIR_NULLS["midpoint_x"]:
                found = ask_place(entrants, by_height, null, edge, policies, measures=("position",))
                answers += [
                    replace(one, question=replace(one.question, measure="midpoint"))
                    for one in found
                ]
        answers += _joined(answers)
    return as_table(objects, answers)


def _joined(answers: Sequence[Answer]) -> list[Answer]:
    ks = {found.question: found for found in answers if found.test == "ks"}
    return [
        bonferroni(
            replace(asked, measure="midpoint"), [found, ks[replace(asked, measure="midpoint_y")]]
        )
        for asked, found in ks.items()
        if asked.measure == "midpoint_x"
    ]
