"""
From objects to answers: every statistic of one measure under one null, for all policies.

Each function does one (null, edges) and shares what can be shared among the policies: the draw
of U, the sort, the logarithms, the call of the tails.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from biaskit.bias.answers import Answer, Question, answer, count
from biaskit.bias.joint import QUADRATS, centred_ranks, quadrat_of, smooth_statistic
from biaskit.bias.nulls import variable
from biaskit.bias.objects import Objects
from biaskit.bias.policies import lots, weights
from biaskit.bias.tails import legendre_scores
from biaskit.bias.uniformity import BINS, order_by_group, pearson, statistics

__all__ = ["ask_axis", "ask_place"]


@dataclass(frozen=True)
class _PlaceStatistics:
    """Statistics of the place under one policy; float arrays, shape (n_groups,)."""

    chi2: np.ndarray  # Pearson's, on the quadrats
    place: np.ndarray  # smooth
    coupling: np.ndarray  # smooth, with the rank of height


def ask_axis(
    objects: Objects, measure: str, null: str, edges: str, policies: Sequence[str], *, seed: int
) -> list[Answer]:
    """
    Test one measure of one dimension.

    Parameters
    ----------
    objects : Objects
    measure, null, edges : str
        See ``nulls.variable``.
    policies : sequence of str
        See ``policies.weights``.
    seed : int

    Returns
    -------
    list of Answer
        chi2, ks, kuiper, cvm and ad, each for every policy.
    """
    u = variable(objects, measure, null, edges, seed=seed).u
    included = ~np.isnan(u)
    ordered = order_by_group(u, objects.group)
    questions, counts, found = [], [], []
    for policy in policies:
        weight = weights(objects, included, policy, seed=seed)
        questions.append(Question(measure, null, policy, edges))
        counts.append(count(objects, included, weight > 0))
        # Without weights the statistics are the same and cheaper.
        given = None if policy == "all" else weight[ordered.rows]
        found.append(statistics(ordered, objects.n_groups, weights=given))
    answers = []
    for test in ("chi2", "ks", "kuiper", "cvm", "ad"):
        values = [getattr(one, test) for one in found]
        answers += answer(questions, counts, test, values, cells=BINS)
    return answers


def ask_place(
    objects: Objects,
    null: str,
    edges: str,
    policies: Sequence[str],
    *,
    seed: int,
    measures: Sequence[str] = ("position", "position_height"),
) -> list[Answer]:
    """
    Test the place in the plane, and the place together with the rank of height.

    Parameters
    ----------
    objects : Objects
    null, edges : str
        Of the place; both axes need room.
    policies : sequence of str
    seed : int
    measures : sequence of str
        ``position`` (chi2 and smooth), ``position_height`` (smooth), or both.

    Returns
    -------
    list of Answer
    """
    u, v = (variable(objects, f"position_{a}", null, edges, seed=seed).u for a in "xy")
    included = ~(np.isnan(u) | np.isnan(v))
    lot = lots(objects, seed=seed)
    counts, found = [], []
    for policy in policies:
        weight = weights(objects, included, policy, seed=seed)
        counts.append(count(objects, included, weight > 0))
        found.append(_place_statistics(objects, u, v, weight, lot))
    answers: list[Answer] = []
    if "position" in measures:
        asked = [Question("position", null, policy, edges) for policy in policies]
        quadrats, place = [one.chi2 for one in found], [one.place for one in found]
        answers += answer(asked, counts, "chi2", quadrats, cells=QUADRATS**2)
        answers += answer(asked, counts, "smooth", place, df=5, seed=seed)
    if "position_height" in measures:
        asked = [Question("position_height", null, policy, edges) for policy in policies]
        joint = [one.place + one.coupling for one in found]
        answers += answer(asked, counts, "smooth", joint, df=10, seed=seed)
    return answers


def _place_statistics(
    objects: Objects, u: np.ndarray, v: np.ndarray, weight: np.ndarray, lot: np.ndarray
) -> _PlaceStatistics:
    rows = np.flatnonzero(weight)
    group, w, n_groups = objects.group[rows], weight[rows], objects.n_groups
    cell = quadrat_of(u[rows], v[rows])
    scores = legendre_scores(u[rows], v[rows])
    height = objects.y.size[rows] / objects.y.frame[rows]
    rank = centred_ranks(height, group, lot[rows], n_groups, weights=w)
    return _PlaceStatistics(
        pearson(cell, group, n_groups, n_cells=QUADRATS**2, weights=w),
        smooth_statistic(scores, group, n_groups, weights=w),
        smooth_statistic(scores * rank, group, n_groups, weights=w),
    )
