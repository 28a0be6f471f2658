"""
Is a category placed or sized as it would be without a choice? All tests, as one table.

``significance`` asks every question (measure, null, policy, edges) of every category, corrects over
categories, and redraws the headline tests. What each word means stands where it is made: nulls in
``nulls``, policies in ``policies``, cautions in ``flags``, kinds of p in ``tails``.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from biaskit.bias.answers import Answer, bonferroni
from biaskit.bias.asking import ask_axis, ask_place, order_by_height
from biaskit.bias.entrants import Entrants
from biaskit.bias.nulls import JOINT_NULLS, NULLS_OF
from biaskit.bias.objects import EDGE_PX, Objects, arrange
from biaskit.bias.policies import POLICIES
from biaskit.bias.redraws import REDRAWN, Redrawn, p_range, prepare, redraw
from biaskit.bias.significance_rows import as_table

__all__ = ["EDGES", "MEASURES_TESTED", "Progress", "significance"]

EDGES = ("with", "without")
MEASURES_TESTED = (*NULLS_OF, "position", "position_height")

Progress = Callable[[int, int], None]  # (steps done, steps in all)
_Job = Callable[[], list[Answer]]


def significance(
    boxes: pd.DataFrame | Objects,
    *,
    seed: int,
    edge_px: float = EDGE_PX,
    draws: int = 20,
    measures: Sequence[str] | None = None,
    nulls: Sequence[str] | None = None,
    policies: Sequence[str] | None = None,
    edges: Sequence[str] | None = None,
    workers: int = 2,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """
    Test every category of a boxes table for uniformity of position and size.

    Parameters
    ----------
    boxes : DataFrame or Objects
        A table ``boxes``, in any order, or what ``arrange`` made of it.
    seed : int
        Decides every U and every object drawn; the same seed gives the same bytes.
    edge_px : float
        A box touches a side if at most this many pixels of room are left there.
    draws : int
        How often chance is drawn for the headline tests, whose range is log10_p_low to
        log10_p_high. The first draw is the table's; with one there is no range.
    measures, nulls, policies, edges : sequences of str, optional
        Only these; all by default. A Bonferroni test needs its parts among them.
    workers : int
        Threads. They change no byte.
    progress : callable, optional
        Called as progress(done, total) after each step.

    Returns
    -------
    DataFrame
        A table ``significance``, texts as categoricals. For the univariate measures: chi2 (10
        bins), ks, kuiper, cvm, ad. For ``position``: chi2 (5 x 5 quadrats, of the frame under
        ``frame``, of the unit square of places under ``fit``), smooth, and bonferroni (twice the
        lesser p of the two axes' KS). For ``position_height``: smooth with the rank of height, and
        bonferroni of the two axes and the height, which is held against the frame under ``frame``
        and against log-uniform under ``fit``.

    Raises
    ------
    ValueError
        If a name is unknown, ``draws`` or ``workers`` is less than 1, or ``edge_px`` negative.

    Examples
    --------
    A box in the same place of 40 images is no accident:

    >>> from biaskit.bias.objects import boxes_from_pixels
    >>> boxes = boxes_from_pixels([[40, 40, 60, 60]] * 40, frame=(100, 100))
    >>> table = significance(boxes, seed=1, measures=["position"], policies=["one"], nulls=["fit"])
    >>> bool((table["log10_p"] < -5).all())
    True
    """
    measures = _chosen("measure", measures, MEASURES_TESTED)
    known_nulls = tuple(dict.fromkeys(n for ns in NULLS_OF.values() for n in ns))
    nulls = _chosen("null", nulls, known_nulls)
    policies = _chosen("policy", policies, POLICIES)
    edges = _chosen("edges", edges, EDGES)
    if draws < 1 or workers < 1:
        raise ValueError(f"draws is {draws} and workers {workers}, expected 1 or more")
    objects = arrange(boxes, edge_px=edge_px)
    jobs = _jobs(objects, measures, nulls, policies, edges, seed=seed)
    preparations = [
        partial(prepare, objects, measure, null, edge)
        for measure, null in REDRAWN
        for edge in edges
        if draws > 1 and "one" in policies and measure in measures and null in nulls
    ]
    again = _run(preparations, workers, None)
    repeats = range(draws) if again else range(0)
    redraws = [partial(redraw, objects, again, seed=seed, draw=draw) for draw in repeats]
    done = _run([*redraws, *jobs], workers, progress)
    answers = [found for part in done[len(redraws) :] for found in part]
    drawn = [np.stack(x2) for x2 in zip(*done[: len(redraws)], strict=True)]
    ends = [partial(p_range, test, x2) for test, x2 in zip(again, drawn, strict=True)]
    answers = _with_ranges(answers, again, _run(ends, workers, None))
    return as_table(objects, answers + _joined(answers, measures))


def _chosen(what: str, asked: Sequence[str] | None, known: Sequence[str]) -> tuple[str, ...]:
    if asked is None:
        return tuple(known)
    for name in asked:
        if name not in known:
            raise ValueError(f"unknown {what} {name!r}; known: {', '.join(known)}")
    return tuple(name for name in known if name in asked)


def _jobs(
    objects: Objects,
    measures: Sequence[str],
    nulls: Sequence[str],
    policies: Sequence[str],
    edges: Sequence[str],
    *,
    seed: int,
) -> list[_Job]:
    jobs: list[_Job] = []
    by_height = order_by_height(objects, seed=seed)
    for edge in edges:
        # Both edges' entrants at once would hold a gigabyte of a huge study.
        entrants = Entrants(objects, seed=seed)
        jobs += [
            partial(ask_axis, entrants, measure, null, edge, policies)
            for measure, its_nulls in NULLS_OF.items()
            for null in its_nulls
            if measure in measures and null in nulls
        ]
        whole = [measure for measure in ("position", "position_height") if measure in measures]
        jobs += [
            partial(ask_place, entrants, by_height, null, edge, policies, measures=whole)
            for null in JOINT_NULLS
            if whole and null in nulls
        ]
    return jobs


def _run(jobs: Sequence[Callable], workers: int, progress: Progress | None) -> list:
    """Run the jobs, most of whose time NumPy spends outside Python's lock, in their order."""
    results = []
    with ThreadPoolExecutor(workers) as pool:
        for result in pool.map(lambda job: job(), jobs):
            results.append(result)
            if progress is not None:
                progress(len(results), len(jobs))
    return results


def _with_ranges(
    answers: Sequence[Answer],
    again: Sequence[Redrawn],
    ends: Sequence[tuple[np.ndarray, np.ndarray]],
) -> list[Answer]:
    ranges = {
        (test.measure, test.null, test.edges): low_high
        for test, low_high in zip(again, ends, strict=True)
    }
    completed = []
    for found in answers:
        asked = found.question
        which = (asked.measure, asked.null, asked.edges)
        if found.test == "chi2" and asked.policy == "one" and which in ranges:
            low, high = ranges[which]
            found = replace(found, low=low, high=high)
        completed.append(found)
    return completed


def _joined(answers: Iterable[Answer], measures: Sequence[str]) -> list[Answer]:
    """Return the Bonferroni tests of the joint measures whose parts are there."""
    ks = {found.question: found for found in answers if found.test == "ks"}
    joined = []
    for asked, along_x in ks.items():
        if asked.measure != "position_x":
            continue
        along_y = ks.get(replace(asked, measure="position_y"))
        height = ks.get(replace(asked, measure="height", null=JOINT_NULLS[asked.null]))
        if "position" in measures and along_y:
            joined.append(bonferroni(replace(asked, measure="position"), [along_x, along_y]))
        if "position_height" in measures and along_y and height:
            whole = replace(asked, measure="position_height")
            joined.append(bonferroni(whole, [along_x, along_y, height]))
    return joined
