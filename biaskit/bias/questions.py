"""
One question about every object: a measure under a null, as u, as cells, and in sorted order.

What does not depend on the policy is worked out here once and shared by all four.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from biaskit.bias.nulls import NULLS_OF, variable
from biaskit.bias.objects import Objects

__all__ = [
    "BINS",
    "QUADRATS",
    "Question",
    "Sorted",
    "all_questions",
    "greatest_distance",
    "question_of",
]

QUADRATS = 5  # per side, for position: the headline test's
BINS = 10  # for one axis or size: the headline test's
_WEIGHT_UNIT = 2.0**40


@dataclass(frozen=True)
class Sorted:
    """The included objects by group and u; arrays of shape (m,) unless said otherwise."""

    row: np.ndarray  # row of the object
    u: np.ndarray
    first: np.ndarray  # where each group that has objects begins
    run: np.ndarray  # number of that group among them
    group: np.ndarray  # which group each of them is


@dataclass(frozen=True)
class Question:
    """A measure of every object under a null; arrays of shape (n,) unless said otherwise."""

    measure: str
    null: str
    edges: str
    included: np.ndarray  # bool: has room, does not touch if that matters
    n_cells: int
    cell: np.ndarray  # int64: group * n_cells + cell of the object; cell 0 if not included
    u: np.ndarray  # uniform on (0, 1) under the null; shape (n, 2) for position; NaN if not in
    ordered: Sorted | None  # None for position


def all_questions(
    objects: Objects, edges: str, *, seed: int, mapped: Callable[..., Iterable[Question]] = map
) -> list[Question]:
    """
    Ask every measure under each of its nulls.

    Parameters
    ----------
    objects : Objects
    edges : {"with", "without"}
    seed : int
        Spreads integer pixels, see ``biaskit.bias.nulls``.
    mapped : callable
        ``map``, or that of a pool of threads.

    Returns
    -------
    list of Question
        In the order of (measure, null).
    """
    names = [(measure, null) for measure, nulls in NULLS_OF.items() for null in nulls]
    single = mapped(lambda name: _one_axis(objects, name[0], name[1], edges, seed=seed), names)
    found = dict(zip(names, single, strict=True))
    for null in NULLS_OF["position_x"]:
        joint = _both_axes(objects, found["position_x", null], found["position_y", null])
        found["position", null] = joint
    return [found[key] for key in sorted(found)]


def _one_axis(objects: Objects, measure: str, null: str, edges: str, *, seed: int) -> Question:
    u = variable(objects, measure, null, edges, seed=seed).u
    return question_of(objects, u, measure, null, edges)


def question_of(objects: Objects, u: np.ndarray, measure: str, null: str, edges: str) -> Question:
    """
    Return the question whether one number of every object is uniform.

    Parameters
    ----------
    objects : Objects
    u : float array, shape (n,)
        Uniform on (0, 1) under the null; NaN for objects left out.
    measure, null, edges : str
        What the question is called.

    Returns
    -------
    Question
    """
    included = ~np.isnan(u)
    cell = objects.group * BINS + _cells(u, BINS)
    ordered = _sort(objects, u, np.flatnonzero(included))
    return Question(measure, null, edges, included, BINS, cell, u, ordered)


def _sort(objects: Objects, u: np.ndarray, rows: np.ndarray) -> Sorted:
    # One key holds group and value: a single sort, to 1e-13 of u at 1,000 groups.
    row = rows[np.argsort(objects.group[rows] + u[rows], kind="stable")]
    group = objects.group[row]
    first = np.flatnonzero(np.diff(group, prepend=-1))
    run = np.repeat(np.arange(len(first)), np.diff(first, append=len(row)))
    return Sorted(row, u[row], first, run, group[first])


def _both_axes(objects: Objects, x: Question, y: Question) -> Question:
    """Joint position needs room on both axes."""
    included = x.included & y.included
    u = np.where(included[:, None], np.column_stack([x.u, y.u]), np.nan)
    cell = _cells(u[:, 1], QUADRATS) * QUADRATS + _cells(u[:, 0], QUADRATS)
    cell += objects.group * QUADRATS**2
    return Question("position", x.null, x.edges, included, QUADRATS**2, cell, u, None)


def _cells(u: np.ndarray, n_cells: int) -> np.ndarray:
    return np.minimum(np.nan_to_num(u) * n_cells, n_cells - 1).astype(np.int64)


def greatest_distance(ordered: Sorted, weight: np.ndarray, n_groups: int) -> np.ndarray:
    """
    Return the greatest distance of each group's weighted distribution function from uniform.

    Parameters
    ----------
    ordered : Sorted
    weight : float array, shape (n,)
        Weight of each object, 0 where it does not count.
    n_groups : int

    Returns
    -------
    float array, shape (n_groups,)
        The Kolmogorov-Smirnov statistic; NaN where no object counts.
    """
    found = np.full(n_groups, np.nan)
    if not len(ordered.row):
        return found
    # Summed as integers: exact, so no category feels the others before it.
    w = np.rint(weight[ordered.row] * _WEIGHT_UNIT).astype(np.int64)
    reached = np.cumsum(w)
    before = (reached - w)[ordered.first]
    total = np.add.reduceat(w, ordered.first)
    scale = (1 / np.where(total > 0, total, np.nan))[ordered.run]
    reached -= before[ordered.run]
    above = reached * scale - ordered.u
    below = ordered.u - (reached - w) * scale
    found[ordered.group] = np.maximum.reduceat(np.maximum(above, below), ordered.first)
    return found
