"""Near copies among thousands of boxes of one image, in time that grows with their number."""

import math
from collections import defaultdict
from collections.abc import Iterator
from itertools import product

import numpy as np

__all__ = ["copies_in_crowd"]

TINY = 1e-150  # of the image's side; the product of two is still above 0


def copies_in_crowd(boxes: np.ndarray, threshold: float) -> Iterator[tuple[int, int, float]]:
    """
    Yield which box is left out for which earlier one that is kept, and their overlap.

    Two boxes that overlap by more than t differ in either side by less than a factor of t, and
    begin within (1 - t) of the longer side of each other. So boxes are filed by the logarithm
    of their sides and by their place in units of these: a box is compared with the few kept
    ones in the drawers around its own, even if a file holds a million in one place.

    Parameters
    ----------
    boxes : float array, shape (n, 4)
        x_min, y_min, x_max, y_max, in the order in which they are to be kept.
    threshold : float
        From 0.5 to below 1: of lower ones, too many drawers would have to be searched.

    Yields
    ------
    kept, left_out : int
        Rows of ``boxes``.
    overlap : float
        Intersection over union, above the threshold.

    Examples
    --------
    >>> boxes = np.array([[0, 0, 1, 1], [0, 0, 0.5, 1], [0, 0.02, 1, 1]])
    >>> list(copies_in_crowd(boxes, 0.95))
    [(0, 2, 0.98)]
    """
    if not 0.5 <= threshold < 1:
        raise ValueError(f"threshold is {threshold}, expected 0.5 to below 1")
    drawers: dict[tuple[int, ...], list[int]] = defaultdict(list)
    rows = boxes.tolist()
    for row, box in enumerate(rows):
        x, y = box[0], box[1]
        width, height = max(box[2] - x, TINY), max(box[3] - y, TINY)
        around = product(_around(x, width, threshold), _around(y, height, threshold))
        near = sorted(one for (a, b) in around for one in drawers.get((*a, *b), ()))
        for one in near:
            if (overlap := _overlap(rows[one], box)) > threshold:
                yield one, row, overlap
                break
        else:
            drawers[*_drawer(x, width, threshold), *_drawer(y, height, threshold)].append(row)


def _drawer(start: float, side: float, threshold: float) -> tuple[int, int]:
    """Return along one axis the drawer of a box: the level of its side, and its place there."""
    level = math.floor(math.log(side) / -math.log(threshold))
    return level, math.floor(start / _unit(level, threshold))


def _around(start: float, side: float, threshold: float) -> list[tuple[int, int]]:
    """Return along one axis all drawers in which a near copy may lie."""
    level = math.floor(math.log(side) / -math.log(threshold))
    reach = (1 - threshold) * side / threshold
    found = []
    for other in (level - 1, level, level + 1):
        unit = _unit(other, threshold)
        first, last = math.floor((start - reach) / unit), math.floor((start + reach) / unit)
        found += [(other, place) for place in range(first, last + 1)]
    return found


def _unit(level: int, threshold: float) -> float:
    return (1 - threshold) * threshold**-level


def _overlap(one: list[float], other: list[float]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    area = (one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1])
    if width <= 0 or height <= 0 or area == 0:
        return 0.0
    return width * height / (area - width * height)
