"""The means of every question: where centres lie and how large objects are, as rows of effects."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from biaskit.bias.bootstrap import ImageWeights
from biaskit.bias.effect_rows import Part
from biaskit.bias.group_sums import Grouping, Weighed
from biaskit.bias.moments import Interval, Moment, estimate_moments
from biaskit.bias.nulls import LOG_UNIFORM_PX, stage_of
from biaskit.bias.objects import Objects, Side
from biaskit.bias.questions import Question

__all__ = ["Reading", "moment_parts", "read"]

LEVEL = 0.95
_MAIN_NULLS = ("frame", "fit", "log-uniform")  # the others are for sensitivity


@dataclass(frozen=True)
class Reading:
    """What the means of one question are made of, whatever the policy; arrays of shape (n,)."""

    asked: Question
    value: np.ndarray  # float: anything finite where the object is not included
    expected: np.ndarray | None = None  # float: mean of such a value under the null
    variance: np.ndarray | None = None  # float: and its variance


@dataclass(frozen=True)
class _Wanted:
    asked: Question
    effect: str
    moment: Moment
    expected: np.ndarray


def read(objects: Objects, asked: Question) -> Reading | None:
    """
    Return what the means of a question are made of.

    Parameters
    ----------
    objects : Objects
    asked : Question

    Returns
    -------
    Reading or None
        None for nulls that are there for sensitivity: their means are those of another.
    """
    if asked.null not in _MAIN_NULLS:
        return None
    if asked.measure == "position":
        return _central(objects, asked)
    if asked.measure.startswith("position"):
        return Reading(asked, np.where(asked.included, asked.u - 0.5, 0))
    return _log_size(objects, asked)


def moment_parts(
    grouping: Grouping,
    readings: Sequence[Reading | None],
    weighed: Sequence[Weighed],
    images: ImageWeights,
    step: Callable[[], None],
) -> list[Part]:
    """
    Estimate offsets, central ninths, and means and spreads of log size.

    Parameters
    ----------
    grouping : Grouping
    readings : sequence of Reading or None
        Of questions of one kind of edges: ``read``.
    weighed : sequence of Weighed
        The weights for each question.
    images : ImageWeights
    step : callable
        Called after each group.

    Returns
    -------
    list of Part
    """
    wanted = [
        want
        for reading, one in zip(readings, weighed, strict=True)
        if reading is not None
        for want in _wanted(grouping, reading, one)
    ]
    found = estimate_moments(grouping, [w.moment for w in wanted], images, level=LEVEL, step=step)
    return [_part(*pair) for pair in zip(wanted, found, strict=True)]


def _part(want: _Wanted, got: Interval) -> Part:
    weighed = want.moment.weighed
    return Part(
        *(want.asked.measure, want.asked.null, weighed.policy, want.asked.edges, want.effect),
        *(got.value, got.low, got.high),
        np.where(weighed.n_images > 0, want.expected, np.nan),
        np.where(np.isnan(got.low), np.nan, LEVEL),
        weighed.n_images,
    )


def _wanted(grouping: Grouping, reading: Reading, weighed: Weighed) -> list[_Wanted]:
    asked, value = reading.asked, reading.value
    none = np.zeros(grouping.n_groups)
    if reading.expected is None:
        return [_Wanted(asked, "offset", Moment("mean", value, weighed, none), none)]
    expected = grouping.mean(reading.expected, weighed)
    if reading.variance is None:
        excess = Moment("share", value - reading.expected, weighed, expected)
        return [
            _Wanted(asked, "central_ninth", Moment("share", value, weighed, none), expected),
            _Wanted(asked, "central_excess", excess, none),
        ]
    about = reading.expected - np.nan_to_num(expected)[grouping.group]
    variance = grouping.mean(reading.variance + about**2, weighed)
    return [
        _Wanted(asked, "log_mean", Moment("mean", value, weighed, none), expected),
        _Wanted(asked, "log_spread", Moment("spread", value, weighed, none), np.sqrt(variance)),
    ]


def _central(objects: Objects, asked: Question) -> Reading:
    # Excluded objects are NaN and so never inside.
    inside = np.all((asked.u >= 1 / 3) & (asked.u < 2 / 3), axis=1).astype(np.float64)
    chance = np.full(len(objects), 1 / 9)
    if asked.null == "frame":
        across, down = (_middle_third(objects, s, asked.edges) for s in (objects.x, objects.y))
        chance = across * down
    return Reading(asked, inside, chance)


def _middle_third(objects: Objects, side: Side, edges: str) -> np.ndarray:
    """
    Return the chance that a box, placed freely where it fits, has its centre in the middle third.

    Of the stage, as u is: its centre moves over length - size in the middle of it, and on a grid
    every place is spread over one step more.
    """
    stage = stage_of(objects, side, edges)
    reach = stage.length - side.size + np.where(stage.on_grid, stage.step, 0.0)
    return stage.length / np.maximum(3 * reach, np.maximum(stage.length, 1e-9))


def _log_size(objects: Objects, asked: Question) -> Reading:
    size, frame, top = _sizes(objects, asked)
    value = np.where(asked.included, np.log(np.maximum(size, 1e-300) / frame), 0)
    return Reading(asked, value, *_expected_log(asked, np.log(top / frame), top))


def _sizes(objects: Objects, asked: Question) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Size, side of the image, and largest size that the null allows, in pixels."""
    axes = {"width": [objects.x], "height": [objects.y], "area": [objects.x, objects.y]}
    size, frame, top = (np.ones(len(objects)) for _ in range(3))
    for side in axes[asked.measure]:
        size, frame = size * side.size, frame * side.frame
        top = top * np.maximum(stage_of(objects, side, asked.edges).length, 1)
    return size, frame, top


def _expected_log(
    asked: Question, highest: np.ndarray, top: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of ln(size / frame) under the null, for a box of each image."""
    if asked.null == "frame":  # minus ln(uniform) has mean and variance 1
        return highest - np.ones(len(top)), np.ones(len(top))
    least = LOG_UNIFORM_PX[asked.null] ** (2 if asked.measure == "area" else 1)
    span = np.log(np.maximum(top / least, 1))
    return highest - span / 2, span**2 / 12
