"""Labels beside points, placed so that none covers another, a point, or the chart's edge."""

from collections.abc import Sequence

import numpy as np

__all__ = ["label_places"]

_LETTER, _LINE, _AWAY = 6.2, 13.0, 8.0  # px: of a letter, of a line, from the point
_GRID, _FAR = 9.0, 64.0  # px between places all over the chart; how much less they are liked


def label_places(
    x: Sequence[float],
    y: Sequence[float],
    names: Sequence[str],
    *,
    width: float,
    height: float,
    lines: Sequence[tuple[float, float, float, float]] = (),
) -> list[tuple[float, float]]:
    """
    Choose a place for the middle of each label.

    Parameters
    ----------
    x, y : sequences of float
        The points, px from the top left.
    names : sequence of str
        Their labels.
    width, height : float
        Of the chart, px.
    lines : sequence of (left, top, right, bottom)
        What a label had better not cross, such as intervals, px.

    Returns
    -------
    list of (float, float)
        Px of each label's middle; the place, of those around the point, nearest and further
        out, that covers least. The points that are most crowded choose first.

    Examples
    --------
    A lone point has its label to the right, one at the right edge to the left:

    >>> label_places([10, 190], [50, 50], ["a", "b"], width=200, height=100)
    [(21.1, 50.0), (178.9, 50.0)]
    """
    points = np.stack([np.asarray(x, float), np.asarray(y, float)], axis=1)
    sizes = np.array([[_LETTER * len(name), _LINE] for name in names]).reshape(-1, 2)
    taken: list[np.ndarray] = [np.array([*p - 4, *p + 4, 10.0]) for p in points]
    # A thin line through a word can be read; a word on a word cannot.
    taken += [np.array([a - 2, b - 2, c + 2, d + 2, 2.0]) for a, b, c, d in lines]
    near = np.abs(points[:, None] - points[None]).sum(axis=2)
    order = np.argsort(np.sort(near, axis=1)[:, 1:2].ravel(), kind="stable") if len(x) > 1 else [0]
    found: dict[int, tuple[float, float]] = {}
    for k in order[: len(points)]:
        places = _around(points[k], sizes[k]) + _anywhere(points[k], sizes[k], width, height)
        # Beside another's point a label would be read as that one's.
        near_others = [np.array([*p - 13, *p + 13, 4.0]) for p in np.delete(points, k, axis=0)]
        covered = [*taken, *near_others]
        costs = [like + _cost(place, sizes[k], covered, (width, height)) for like, place in places]
        place = places[int(np.argmin(costs))][1]
        edge = sizes[k] / 2 + 1
        taken.append(np.array([*place - edge, *place + edge, 1000.0]))
        found[int(k)] = (round(float(place[0]), 2), round(float(place[1]), 2))
    return [found[k] for k in range(len(points))]


def _around(point: np.ndarray, size: np.ndarray) -> list[tuple[float, np.ndarray]]:
    """Return places around a point, the best liked first, each with how little it is liked."""
    places = []
    for far in (1.0, 2.2, 3.4, 4.6):
        out = _AWAY * far
        sides = [
            (size[0] / 2 + out, 0.0),
            (-size[0] / 2 - out, 0.0),
            (0.0, -size[1] / 2 - out),
            (0.0, size[1] / 2 + out),
            (size[0] / 2 + out, -_LINE * far / 1.5),
            (size[0] / 2 + out, _LINE * far / 1.5),
            (-size[0] / 2 - out, -_LINE * far / 1.5),
            (-size[0] / 2 - out, _LINE * far / 1.5),
        ]
        places += [point + np.array(side) for side in sides]
    return [(2.0 * number, place) for number, place in enumerate(places)]


def _anywhere(
    point: np.ndarray, size: np.ndarray, width: float, height: float
) -> list[tuple[float, np.ndarray]]:
    """Return places all over the chart, less liked the further they are: in a crowd, the only."""
    half = size / 2
    across = np.arange(half[0], max(width - half[0], half[0]) + 1e-9, _GRID)
    down = np.arange(half[1], max(height - half[1], half[1]) + 1e-9, _GRID)
    grid = [np.array([x, y]) for x in across for y in down]
    return [(_FAR + float(np.abs(place - point).sum()), place) for place in grid]


def _cost(
    place: np.ndarray, size: np.ndarray, taken: list[np.ndarray], chart: tuple[float, float]
) -> float:
    """Return the weight of what is covered, and much more for what would leave the chart."""
    low, high = place - size / 2, place + size / 2
    out = np.maximum(-low, 0).sum() + np.maximum(high - np.array(chart), 0).sum()
    boxes = np.array(taken)
    width = np.minimum(boxes[:, 2], high[0]) - np.maximum(boxes[:, 0], low[0])
    height = np.minimum(boxes[:, 3], high[1]) - np.maximum(boxes[:, 1], low[1])
    covered = np.maximum(width, 0) * np.maximum(height, 0)
    return float(out * 1e4 + (covered * boxes[:, 4]).sum())
