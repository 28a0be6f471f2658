"""
How far annotators are off: from images that several of them marked, or from a number given.

One annotator's midpoint (or distance) is the truth, plus a habit of that annotator, the same on
every image, plus an error that is new each time. Two annotators on the same images tell both
apart: their differences have twice the variance of the error, and their mean is the difference
of two habits. Habits are what resampling images cannot see.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from math import sqrt

import numpy as np
import pandas as pd

__all__ = ["ERROR_MEASURES", "NO_ERROR", "MarkError", "given_error", "measured_error"]

ERROR_MEASURES = ("midpoint_x", "midpoint_y", "distance")


@dataclass(frozen=True)
class MarkError:
    """
    Error of one annotator's measurement, px.

    Attributes
    ----------
    own : float
        Standard deviation of what is new on each image.
    habit : float
        Standard deviation between annotators of what is the same on each image.
    n : int
        Images that two annotators share, summed over pairs of annotators; 0: not measured.
    """

    own: float = 0.0
    habit: float = 0.0
    n: int = 0


NO_ERROR: Mapping[str, MarkError] = dict.fromkeys(ERROR_MEASURES, MarkError())


def given_error(error_px: float, habit_px: float = 0.0) -> dict[str, MarkError]:
    """
    Turn the error of one coordinate of one mark into that of midpoint and distance.

    Parameters
    ----------
    error_px : float
        Standard deviation of what is new in each mark, px.
    habit_px : float
        Between annotators, of what is the same in each mark, px.

    Returns
    -------
    dict
        From each of ``ERROR_MEASURES``. A midpoint is a mean of two marks, a distance the
        difference of two: own errors are divided and multiplied by sqrt 2. A habit moves both
        marks alike, so it stays in the midpoint and leaves the distance.

    Raises
    ------
    ValueError
        If a number is negative or not finite.

    Examples
    --------
    >>> round(given_error(2.0)["midpoint_x"].own, 3), round(given_error(2.0)["distance"].own, 3)
    (1.414, 2.828)
    """
    if not (0 <= error_px < np.inf and 0 <= habit_px < np.inf):
        raise ValueError(f"error_px is {error_px} and habit_px {habit_px}, expected 0 px or more")
    place = MarkError(error_px / sqrt(2), habit_px)
    return {
        "midpoint_x": place,
        "midpoint_y": place,
        "distance": MarkError(error_px * sqrt(2), 0.0),
    }


def measured_error(single: pd.DataFrame) -> dict[str, MarkError]:
    """
    Estimate both parts of the error from objects that several annotators marked.

    Parameters
    ----------
    single : DataFrame
        One row per object and annotator: row (number of the object), annotator, and the
        ``ERROR_MEASURES`` in px.

    Returns
    -------
    dict
        From each of ``ERROR_MEASURES``; all 0 where no two annotators share two objects. With D
        and S^2 the mean and variance of a pair's differences on m objects: own^2 is the mean of
        S^2 / 2 weighted by m - 1, habit^2 the mean of (D^2 - S^2 / m) / 2 over pairs, or 0.

    Examples
    --------
    Two annotators, the second always 2 px further right: a habit, and no error of its own.

    >>> single = pd.DataFrame({"row": [0, 1, 0, 1], "annotator": ["A1", "A1", "A2", "A2"],
    ...     "midpoint_x": [5.0, 9, 7, 11], "midpoint_y": 0.0, "distance": 8.0})
    >>> found = measured_error(single)["midpoint_x"]
    >>> found.own, round(found.habit, 3), found.n
    (0.0, 1.414, 2)
    """
    found = {}
    for measure in ERROR_MEASURES:
        wide = single.pivot(index="row", columns="annotator", values=measure)
        squares, freedom, habits, n = 0.0, 0, [], 0
        for one, other in combinations(wide.columns, 2):
            gap = (wide[one] - wide[other]).dropna().to_numpy(float)
            if len(gap) < 2:
                continue
            variance = float(gap.var(ddof=1))
            squares += (len(gap) - 1) * variance / 2
            freedom += len(gap) - 1
            habits.append((gap.mean() ** 2 - variance / len(gap)) / 2)
            n += len(gap)
        own = np.sqrt(squares / freedom) if freedom else 0.0
        habit = np.sqrt(max(float(np.mean(habits)), 0.0)) if habits else 0.0
        found[measure] = MarkError(float(own), float(habit), n)
    return found
