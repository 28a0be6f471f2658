"""Boxes as plain arrays: overlap, touching the frame, pixels of the annotation's grid."""

import numpy as np

__all__ = ["SLACK_PX", "box_pixels", "iou_matrix", "touching"]

# Fractions of a side are turned back into pixels with rounding; this is far above it.
SLACK_PX = 1e-6


def box_pixels(
    low: np.ndarray, high: np.ndarray, side: np.ndarray, lattice: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """
    Turn edges in fractions of a side back into pixels of the annotation.

    Parameters
    ----------
    low, high : float array, shape (n,)
        Left and right (or top and bottom) edge, in fractions of the image side.
    side : array, shape (n,)
        Image width (or height) in pixels, as annotated.
    lattice : float array, shape (n,)
        Step of the annotation's grid in pixels; 0 if the numbers are continuous.

    Returns
    -------
    start, size : float array, shape (n,)
        Position of the low edge and extent, in pixels; on a lattice, exact multiples of it.

    Examples
    --------
    >>> start, size = box_pixels(np.array([.2]), np.array([.7]), np.array([10]), np.array([1.]))
    >>> float(start[0]), float(size[0])
    (2.0, 5.0)
    """
    start, stop = low * side, high * side
    step = np.where(lattice > 0, lattice, 1.0)
    on_grid = lattice > 0
    start = np.where(on_grid, np.rint(start / step) * step, start)
    stop = np.where(on_grid, np.rint(stop / step) * step, stop)
    return start, stop - start


def touching(
    start: np.ndarray, size: np.ndarray, side: np.ndarray, edge_px: float
) -> tuple[np.ndarray, np.ndarray]:
    """
    Tell which boxes end within ``edge_px`` pixels of the low and of the high side of the frame.

    Parameters
    ----------
    start, size, side : float array, shape (n,)
        Low edge, extent and image side, in pixels.
    edge_px : float
        A box touches if at most this many whole pixels lie between it and the frame.

    Returns
    -------
    low, high : bool array, shape (n,)

    Examples
    --------
    Two pixels of room on the left still touch, three on the right do not:

    >>> low, high = touching(np.array([2.0]), np.array([5.0]), np.array([10.0]), edge_px=2)
    >>> bool(low[0]), bool(high[0])
    (True, False)
    """
    room = side - start - size
    return start <= edge_px + SLACK_PX, room <= edge_px + SLACK_PX


def iou_matrix(boxes: np.ndarray) -> np.ndarray:
    """
    Return the overlap of every pair of boxes: area of intersection over area of union.

    Parameters
    ----------
    boxes : float array, shape (n, 4)
        x_min, y_min, x_max, y_max in one unit.

    Returns
    -------
    float array, shape (n, n)
        1 on the diagonal (boxes without area: 0).

    Examples
    --------
    Half of one box is the whole of the other:

    >>> iou_matrix(np.array([[0, 0, 2, 1], [0, 0, 1, 1]]))[0, 1]
    np.float64(0.5)
    """
    boxes = np.asarray(boxes, dtype=np.float64)
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    inter = np.clip(high - low, 0, None).prod(axis=2)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    union = area[:, None] + area[None, :] - inter
    return np.divide(inter, union, out=np.zeros_like(inter), where=union > 0)
