"""
Effect sizes of landmark pairs, as rows of table ``effects``.

Places and distances have the effects that places and sizes of boxes have. Besides, ``mean`` says
where the mean midpoint is and how large the mean distance, with an interval that holds the
annotators' error: in each resample the images drawn are marked anew, with an error of its own for
each image and a habit for each annotator. (The spread between images holds their own errors
already, so these count twice: the interval is longer by the share of error in that spread, under
a hundredth for eyes marked to two pixels. Habits it does not hold, and they are what matters.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import special

from biaskit.bias.bootstrap import ImageWeights, percentile_interval
from biaskit.bias.distance_parts import distance_parts
from biaskit.bias.effect_rows import Part, as_table
from biaskit.bias.effects import EFFECTS_OF, EffectKind
from biaskit.bias.group_sums import Grouping, Weighed, weigh
from biaskit.bias.landmark_error import ERROR_MEASURES, MarkError
from biaskit.bias.landmark_tests import PAIR_POLICIES
from biaskit.bias.landmarks import PAIR_NULLS, Pairs, pair_uniform
from biaskit.bias.moment_parts import LEVEL, Reading, moment_parts, read
from biaskit.bias.nulls import LOG_UNIFORM_PX
from biaskit.bias.questions import Question, all_questions, question_of
from biaskit.chance import keyed_uniform

__all__ = ["EFFECTS_OF_PAIRS", "pair_effects"]

EFFECTS_OF_PAIRS: Mapping[str, EffectKind] = {
    **EFFECTS_OF,
    "mean": EffectKind(
        "mean midpoint or distance of landmark pairs; the interval holds the annotators' error",
        "of image width; of image height for midpoint_y",
        "two-sided",
    ),
}
_LOG_NULLS = ("frame", "log-uniform")  # the others are for sensitivity


def pair_effects(
    pairs: Pairs,
    *,
    seed: int,
    error: Mapping[str, MarkError],
    n_resamples: int = 1000,
    policies: Sequence[str] = PAIR_POLICIES,
    edges: Sequence[str] = ("with", "without"),
) -> pd.DataFrame:
    """
    Estimate every effect of every category under every null.

    Parameters
    ----------
    pairs : Pairs
    seed : int
        Draws one pair per image, resamples images, and marks them anew.
    error : mapping
        The annotators' error: from ``measured_error`` or ``given_error``.
    n_resamples : int
        Resamples of the images.
    policies, edges : sequences of str
        As in ``pair_significance``.

    Returns
    -------
    DataFrame
        A table ``effects``: offset, central ninth and excess of midpoints, log_mean and
        log_spread of distances, distances of distributions of both and of the tilt, and
        ``mean`` under null ``frame``.

    Examples
    --------
    >>> from biaskit.bias.landmark_error import NO_ERROR
    >>> from biaskit.bias.landmarks import landmark_pairs
    >>> from biaskit.tables import KEYPOINTS
    >>> len(pair_effects(landmark_pairs(KEYPOINTS.empty()), seed=1, error=NO_ERROR))
    0
    """
    objects, images = pairs.objects, ImageWeights(seed, n_resamples)
    parts: list[Part] = []
    if len(pairs):
        grouping = Grouping(objects)
        for edge in edges:
            places = [
                asked
                for asked in all_questions(objects, edge, seed=seed)
                if asked.measure.startswith("position")
            ]
            lengths = [
                question_of(objects, pair_uniform(pairs, m, null, edge), m, null, edge)
                for m in ("distance", "angle")
                for null in PAIR_NULLS[m]
            ]
            questions = [*places, *lengths]
            readings = [read(objects, asked) for asked in places]
            readings += [_log_distance(pairs, asked) for asked in lengths]
            for policy in policies:
                weighed = weigh(objects, [q.included for q in questions], policy, seed=seed)
                asked = zip(questions, weighed, strict=True)
                parts += [part for one in asked for part in distance_parts(grouping, *one)]
                parts += moment_parts(grouping, readings, weighed, images, lambda: None)
                by_name = {(q.measure, q.null): w for q, w in zip(questions, weighed, strict=True)}
                parts += _means(pairs, grouping, by_name, images, error, edge)
    renamed = [replace(p, measure=p.measure.replace("position", "midpoint")) for p in parts]
    return as_table(objects, renamed)


def _log_distance(pairs: Pairs, asked: Question) -> Reading | None:
    if asked.measure != "distance" or asked.null not in _LOG_NULLS:
        return None
    width = pairs.objects.x.frame
    distance = np.where(asked.included, pairs.distance, width)
    value = np.log(distance / width)
    # Where the null is uniform, ln of u has mean -1 and variance 1; u is d over the longest.
    u = np.where(asked.included, asked.u, 0.5)
    ones = np.ones(len(pairs))
    if asked.null == "frame":
        return Reading(asked, value, value - np.log(u) - ones, ones)
    least = LOG_UNIFORM_PX[asked.null]
    span = np.log(np.maximum(distance / least, 1)) / u
    highest = np.log(least / width) + span
    return Reading(asked, value, highest - span / 2, span**2 / 12)


def _means(
    pairs: Pairs,
    grouping: Grouping,
    weighed: Mapping[tuple[str, str], Weighed],
    images: ImageWeights,
    error: Mapping[str, MarkError],
    edges: str,
) -> list[Part]:
    objects, found = pairs.objects, []
    box = objects.table
    values = {
        "midpoint_x": ((box["x_min"] + box["x_max"]) / 2, objects.x.frame),
        "midpoint_y": ((box["y_min"] + box["y_max"]) / 2, objects.y.frame),
        "distance": (pairs.distance / objects.x.frame, objects.x.frame),
    }
    half = np.full(grouping.n_groups, 0.5)
    for measure in ERROR_MEASURES:
        value, side = values[measure]
        one = weighed[measure.replace("midpoint", "position"), "frame"]
        expected = half
        if measure == "distance":
            share = pair_uniform(pairs, "distance", "frame", edges)
            longest = np.where(np.isnan(share), 0, value / np.where(share > 0, share, 1))
            expected = grouping.mean(longest / 2, one)
        centre = grouping.mean(np.asarray(value, float), one)
        low, high = _interval(
            pairs, grouping, np.asarray(value, float), side, one, images, error[measure], measure
        )
        level = np.where(np.isnan(low), np.nan, LEVEL)
        some = one.n_images > 0
        found.append(
            Part(
                *(measure, "frame", one.policy, edges, "mean"),
                *(centre, low, high, np.where(some, expected, np.nan), level, one.n_images),
            )
        )
    return found


def _interval(
    pairs: Pairs,
    grouping: Grouping,
    value: np.ndarray,
    side: np.ndarray,
    weighed: Weighed,
    images: ImageWeights,
    error: MarkError,
    measure: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the interval of the mean over images that are drawn again and marked anew."""
    weight, n = weighed.weight, images.n_resamples
    who, names = pd.factorize(pairs.marks["annotator"], sort=True)
    row = pairs.marks["row"].to_numpy()
    shares = 1 / np.bincount(row, minlength=len(pairs))  # of each annotator in an object's mean
    about = value - np.nan_to_num(grouping.mean(value, weighed))[grouping.group]
    # An annotator's habit of one pixel moves an object's mean by so much:
    moved = np.zeros((len(names), len(pairs)))
    moved[who, row] = shares[row] / side[row]
    columns = [weight, weight * about, weight**2 * shares / side**2, *(weight * moved)]
    sums = np.array([grouping.by_image(column) for column in columns])
    habits = np.array([_normal(images.seed, measure, "habit", name, n) for name in names])
    low, high = np.full((2, grouping.n_groups), np.nan)
    centre = grouping.mean(value, weighed)
    categories = pairs.objects.groups["category"].to_numpy(object)
    for g in range(grouping.n_groups):
        rows = slice(grouping.images[g], grouping.images[g + 1])
        total, summed, squares, *by_annotator = images.totals(sums[:, rows].T)
        whole = np.where(total > 1e-9, total, np.nan)
        own = _normal(images.seed, measure, "own", str(categories[g]), n)
        drawn = summed + error.own * np.sqrt(np.maximum(squares, 0)) * own
        drawn = drawn + error.habit * (np.array(by_annotator) * habits).sum(axis=0)
        ends = percentile_interval((drawn / whole)[None], weighed.n_images[g : g + 1], level=LEVEL)
        low[g], high[g] = (float(end[0]) + centre[g] for end in ends)
    return low, high


def _normal(seed: int, measure: str, part: str, name: str, n: int) -> np.ndarray:
    """Draw n standard normal numbers by name."""
    return special.ndtri(keyed_uniform(seed, "marks", measure, part, name, np.arange(n)))
