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

__all__ = ["moment_parts"]

LEVEL = 0.95
_MAIN_NULLS = ("frame", "fit", "log-uniform")  # the others are for sensitivity


@dataclass(frozen=True)
class _Wanted:
    asked: Question
    effect: str
    moment: Moment
    expected: np.ndarray


def moment_parts(
    objects: Objects,
    questions: Sequence[Question],
    weighed: Sequence[Weighed],
    images: ImageWeights,
    step: Callable[[], None],
) -> list[Part]:
    """
    Estimate offsets, central ninths, and means and spreads of log size.

    Parameters
    ----------
    objects : Objects
    questions : sequence of Question
        Of one kind of edges.
    weighed : sequence of Weighed
        The weights for each question.
    images : ImageWeights
    step : callable
        Called after each group.

    Returns
    -------
    list of Part
    """
    grouping = Grouping(objects)
    wanted: list[_Wanted] = []
    for asked, one in zip(questions, weighed, strict=True):
        if asked.null in _MAIN_NULLS:
            wanted += _WANTED_OF[asked.measure](objects, grouping, asked, one)
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


def _offset(_: Objects, grouping: Grouping, asked: Question, weighed: Weighed) -> list[_Wanted]:
    none = np.zeros(grouping.n_groups)
    value = np.where(asked.included, asked.u - 0.5, 0)
    return [_Wanted(asked, "offset", Moment("mean", value, weighed, none), none)]


def _central(
    objects: Objects, grouping: Grouping, asked: Question, weighed: Weighed
) -> list[_Wanted]:
    none = np.zeros(objects.n_groups)
    # Excluded objects are NaN and so never inside.
    inside = np.all((asked.u >= 1 / 3) & (asked.u < 2 / 3), axis=1).astype(np.float64)
    chance = np.full(len(objects), 1 / 9)
    if asked.null == "frame":
        across, down = (_middle_third(objects, s, asked.edges) for s in (objects.x, objects.y))
        chance = across * down
    expected = grouping.mean(chance, weighed)
    excess = Moment("share", inside - chance, weighed, expected)
    return [
        _Wanted(asked, "central_ninth", Moment("share", inside, weighed, none), expected),
        _Wanted(asked, "central_excess", excess, none),
    ]


def _middle_third(objects: Objects, side: Side, edges: str) -> np.ndarray:
    """
    Return the chance that a box, placed freely where it fits, has its centre in the middle third.

    Of the stage, as u is: its centre moves over length - size in the middle of it, and on a grid
    every place is spread over one step more.
    """
    stage = stage_of(objects, side, edges)
    reach = stage.length - side.size + np.where(stage.on_grid, stage.step, 0.0)
    return stage.length / np.maximum(3 * reach, np.maximum(stage.length, 1e-9))


def _log_size(
    objects: Objects, grouping: Grouping, asked: Question, weighed: Weighed
) -> list[_Wanted]:
    none = np.zeros(objects.n_groups)
    size, frame, top = _sizes(objects, asked)
    value = np.where(asked.included, np.log(np.maximum(size, 1e-300) / frame), 0)
    mean, variance = _expected_log(grouping, asked, frame, top, weighed)
    return [
        _Wanted(asked, "log_mean", Moment("mean", value, weighed, none), mean),
        _Wanted(asked, "log_spread", Moment("spread", value, weighed, none), np.sqrt(variance)),
    ]


def _sizes(objects: Objects, asked: Question) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Size, side of the image, and largest size that the null allows, in pixels."""
    axes = {"width": [objects.x], "height": [objects.y], "area": [objects.x, objects.y]}
    size, frame, top = (np.ones(len(objects)) for _ in range(3))
    for side in axes[asked.measure]:
        size, frame = size * side.size, frame * side.frame
        top = top * np.maximum(stage_of(objects, side, asked.edges).length, 1)
    return size, frame, top


def _expected_log(
    grouping: Grouping, asked: Question, frame: np.ndarray, top: np.ndarray, weighed: Weighed
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of ln(size / frame) under the null, over boxes of these images."""
    highest = np.log(top / frame)
    if asked.null == "frame":  # minus ln(uniform) has mean and variance 1
        below, variance = np.ones(len(top)), np.ones(len(top))
    else:
        least = LOG_UNIFORM_PX[asked.null] ** (2 if asked.measure == "area" else 1)
        span = np.log(np.maximum(top / least, 1))
        below, variance = span / 2, span**2 / 12
    mean = grouping.mean(highest - below, weighed)
    about = highest - below - np.nan_to_num(mean)[grouping.group]
    return mean, grouping.mean(variance + about**2, weighed)


_Maker = Callable[[Objects, Grouping, Question, Weighed], list[_Wanted]]
_WANTED_OF: dict[str, _Maker] = {
    "position": _central,
    "position_x": _offset,
    "position_y": _offset,
    "width": _log_size,
    "height": _log_size,
    "area": _log_size,
}
