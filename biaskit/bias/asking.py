"""
From objects to answers: every statistic of one measure under one null, for all policies.

Each function does one (null, edges) and shares what can be shared among the policies: the draw
of U, the sort, the logarithms, the call of the tails.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from biaskit.bias.answers import Answer, Question, answer
from biaskit.bias.coupling import order_within_groups
from biaskit.bias.entrants import Entrants
from biaskit.bias.joint import QUADRATS, centred_ranks, quadrat_of, smooth_statistic
from biaskit.bias.nulls import variable
from biaskit.bias.objects import Objects
from biaskit.bias.policies import lots
from biaskit.bias.tails import legendre_scores
from biaskit.bias.uniformity import BINS, order_by_group, pearson, statistics

__all__ = ["ask_axis", "ask_place", "ask_uniform", "order_by_height"]


@dataclass(frozen=True)
class _PlaceStatistics:
    """Statistics of the place under one policy; float arrays, shape (n_groups,)."""

    chi2: np.ndarray  # Pearson's, on the quadrats
    place: np.ndarray  # smooth
    coupling: np.ndarray  # smooth, with the rank of height


def ask_axis(
    entrants: Entrants, measure: str, null: str, edges: str, policies: Sequence[str]
) -> list[Answer]:
    """
    Test one measure of one dimension.

    Parameters
    ----------
    entrants : Entrants
    measure, null, edges : str
        See ``nulls.variable``.
    policies : sequence of str
        See ``policies.weights``.

    Returns
    -------
    list of Answer
        chi2, ks, kuiper, cvm and ad, each for every policy.
    """
    u = variable(entrants.objects, measure, null, edges, seed=entrants.seed).u
    return ask_uniform(entrants, u, measure, null, edges, policies)


def ask_uniform(
    entrants: Entrants,
    u: np.ndarray,
    measure: str,
    null: str,
    edges: str,
    policies: Sequence[str],
    *,
    tests: Sequence[str] = ("chi2", "ks", "kuiper", "cvm", "ad"),
) -> list[Answer]:
    """
    Test whether one number of every object is uniform.

    Parameters
    ----------
    entrants : Entrants
    u : float array, shape (n,)
        Uniform on (0, 1) under the null; NaN for objects left out.
    measure, null, edges : str
        What the answers call it.
    policies : sequence of str
        See ``policies.weights``.
    tests : sequence of str
        Which of the five.

    Returns
    -------
    list of Answer
        Each test for every policy.
    """
    objects = entrants.objects
    included = ~np.isnan(u)
    ordered = order_by_group(u, objects.group)
    questions, counts, found = [], [], []
    for policy in policies:
        entered = entrants.under(included, policy)
        questions.append(Question(measure, null, policy, edges))
        counts.append(entered.counts)
        # Without weights the statistics are the same and cheaper.
        given = None if policy == "all" else entered.kept[ordered.rows].astype(np.float64)
        found.append(statistics(ordered, objects.n_groups, weights=given))
    answers = []
    for test in tests:
        values = [getattr(one, test) for one in found]
        answers += answer(questions, counts, test, values, cells=BINS)
    return answers


def ask_place(
    entrants: Entrants,
    by_height: np.ndarray,
    null: str,
    edges: str,
    policies: Sequence[str],
    *,
    measures: Sequence[str] = ("position", "position_height"),
) -> list[Answer]:
    """
    Test the place in the plane, and the place together with the rank of height.

    Parameters
    ----------
    entrants : Entrants
    by_height : int array, shape (n,)
        All objects by group, then by height: ``order_by_height``.
    null, edges : str
        Of the place; both axes need room.
    policies : sequence of str
    measures : sequence of str
        ``position`` (chi2 and smooth), ``position_height`` (smooth), or both.

    Returns
    -------
    list of Answer
    """
    objects, seed = entrants.objects, entrants.seed
    u, v = (variable(objects, f"position_{a}", null, edges, seed=seed).u for a in "xy")
    included = ~(np.isnan(u) | np.isnan(v))
    counts, found = [], []
    for policy in policies:
        entered = entrants.under(included, policy)
        counts.append(entered.counts)
        found.append(_place_statistics(objects, u, v, entered.weight, by_height))
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


def order_by_height(objects: Objects, *, seed: int) -> np.ndarray:
    """
    Return all objects by group, then by height as a fraction of the image; int array, shape (n,).

    Lots decide between equal heights. What a policy leaves out does not change the order.
    """
    height = objects.y.size / objects.y.frame
    return order_within_groups(objects.group, height, lots(objects, seed=seed))


def _place_statistics(
    objects: Objects, u: np.ndarray, v: np.ndarray, weight: np.ndarray, by_height: np.ndarray
) -> _PlaceStatistics:
    rank = centred_ranks(by_height, objects.group, objects.n_groups, weights=weight)
    rows = np.flatnonzero(weight)
    group, w, n_groups = objects.group[rows], weight[rows], objects.n_groups
    cell = quadrat_of(u[rows], v[rows])
    scores = legendre_scores(u[rows], v[rows])
    return _PlaceStatistics(
        pearson(cell, group, n_groups, n_cells=QUADRATS**2, weights=w),
        smooth_statistic(scores, group, n_groups, weights=w),
        smooth_statistic(scores * rank, group, n_groups, weights=w),
    )
