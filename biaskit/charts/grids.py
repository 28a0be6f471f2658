"""Centres of boxes counted in cells of the frame, beside what a null expects in each cell."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from biaskit.bias.nulls import Stage, stage_of
from biaskit.bias.objects import Objects, Side, arrange
from biaskit.bias.policies import weights

__all__ = ["CentreGrid", "centre_grid", "included_objects"]

_BLOCK = 4096  # images at a time: cells times images would not fit in memory at once


@dataclass(frozen=True)
class CentreGrid:
    """
    Centres counted in cells of equal size, row by row from the top left.

    ``table`` has one row per cell: x, x2, y, y2 (edges, fractions of the image sides);
    observed and expected (images, or objects under policy ``all``); sd (of the count, if the
    null is true); residual = (observed - expected) / sd, 0 where nothing can vary.
    """

    table: pd.DataFrame
    columns: int
    rows: int
    n_images: int
    n_objects: int
    aspect: float  # height over width of the median frame
    null: str
    policy: str
    edges: str


def centre_grid(
    boxes: pd.DataFrame,
    *,
    null: str = "fit",
    policy: str = "weighted",
    edges: str = "with",
    seed: int | None = None,
    columns: int | None = None,
) -> CentreGrid:
    """
    Count the centres of boxes in cells of the frame and say what the null expects there.

    Under ``fit`` every box keeps its size, so its centre can reach only some cells, and each of
    them with its own chance; these chances are summed over the boxes, exactly on the
    annotation's grid. Under ``frame`` every cell expects the same.

    Parameters
    ----------
    boxes : DataFrame
        A table ``boxes``; all of it is counted together.
    null : {"fit", "frame"}
    policy : {"weighted", "one", "largest", "all"}
        The default needs no chance: every image weighs one, however many objects it has.
    edges : {"with", "without"}
        ``without`` leaves out boxes that touch the frame, and narrows the null to the interior.
    seed : int or None
        Decides which object ``one`` and ``largest`` take; needed for these.
    columns : int or None
        Cells across. None takes as many as the number of images can fill: odd, 5 to 21, so
        that the middle of the frame is the middle of a cell.

    Returns
    -------
    CentreGrid
        Cells are about square on the median frame.

    Raises
    ------
    ValueError
        If an option is unknown, or ``one`` or ``largest`` lacks its seed.

    Examples
    --------
    >>> from biaskit.tables import BOXES
    >>> centre_grid(BOXES.empty()).n_images
    0
    """
    if null not in ("fit", "frame"):
        raise ValueError(f"null is {null!r}, expected 'fit' or 'frame'")
    objects = arrange(boxes)
    weight = included_objects(objects, policy=policy, edges=edges, seed=seed)
    n_images = len(np.unique(objects.image[weight > 0]))
    aspect = float(np.median(objects.y.frame / objects.x.frame)) if len(objects) else 1.0
    columns = columns or _odd(float(np.clip(n_images**0.5, 5, 21)))
    rows = _odd(columns * aspect)
    totals = np.zeros((3, rows, columns))
    unit = np.arange(len(objects)) if policy == "all" else objects.image
    for part in _blocks(unit[weight > 0]):
        taken = np.flatnonzero(weight > 0)[part]
        totals += _count(
            _cells(objects.x, stage_of(objects, objects.x, edges), taken, columns, null),
            _cells(objects.y, stage_of(objects, objects.y, edges), taken, rows, null),
            weight[taken],
            unit[taken],
        )
    table = _table(totals, columns, rows)
    n_objects = int((weight > 0).sum())
    return CentreGrid(table, columns, rows, n_images, n_objects, aspect, null, policy, edges)


def included_objects(objects: Objects, *, policy: str, edges: str, seed: int | None) -> np.ndarray:
    """Return the weight of every object under a policy, 0 for those left out."""
    if edges not in ("with", "without"):
        raise ValueError(f"edges is {edges!r}, expected 'with' or 'without'")
    if seed is None and policy in ("one", "largest"):
        raise ValueError(f"policy {policy!r} draws objects by chance and needs a seed")
    keep = (
        ~(objects.x.touches | objects.y.touches)
        if edges == "without"
        else np.ones(len(objects), bool)
    )
    return weights(objects, keep, policy, seed=seed or 0)


def _odd(value: float) -> int:
    """Return the odd number next to a positive value."""
    return 2 * round((value - 1) / 2) + 1


def _blocks(unit: np.ndarray) -> Iterator[slice]:
    """Cut rows into runs of whole images."""
    starts = np.flatnonzero(np.diff(unit, prepend=-1))
    cuts = [*starts[::_BLOCK], len(unit)]
    for low, high in pairwise(cuts):
        yield slice(low, high)


def _cells(
    side: Side, stage: Stage, taken: np.ndarray, n_cells: int, null: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return, per object and cell of one axis, whether its centre lies there and its chance to."""
    start, size, frame = (v[taken, None] for v in (side.start, side.size, side.frame))
    first, length, step, on_grid = (
        v[taken, None] for v in (stage.first, stage.length, stage.step, stage.on_grid)
    )
    inner = np.arange(1, n_cells) / n_cells
    reach = inner * frame - size / 2  # a box that starts before this has its centre before
    tiny = 1e-9 * frame
    before = start < reach - tiny
    observed = _differences(before.astype(float))
    if null == "frame":
        return observed, np.full(observed.shape, 1 / n_cells)
    room = length - size
    places = np.maximum(np.floor(room / step + 1e-9) + 1, 1)
    steps = np.clip(np.ceil((reach - first - tiny) / step), 0, places) / places
    free = np.where(room > 0, room, 1.0)
    line = np.where(room > tiny, np.clip((reach - first) / free, 0, 1), before)
    return observed, _differences(np.where(on_grid, steps, line))


def _differences(cumulative: np.ndarray) -> np.ndarray:
    """Turn shares before each inner edge into shares of each cell."""
    n = len(cumulative)
    return np.diff(np.hstack([np.zeros((n, 1)), cumulative, np.ones((n, 1))]), axis=1)


def _count(
    x: tuple[np.ndarray, np.ndarray],
    y: tuple[np.ndarray, np.ndarray],
    weight: np.ndarray,
    unit: np.ndarray,
) -> np.ndarray:
    """Return observed, expected and variance of every cell, summed over some objects."""
    observed = (y[0] * weight[:, None]).T @ x[0]
    share = np.einsum("n,nr,nc->nrc", weight, y[1], x[1])
    first = np.flatnonzero(np.diff(unit, prepend=-1))
    # Objects of an image may depend on each other; the variance of their mean is largest if
    # they move as one, and that is the one reported.
    share = np.add.reduceat(share, first, axis=0)
    return np.stack([observed, share.sum(axis=0), (share * (1 - share)).sum(axis=0)])


def _table(totals: np.ndarray, columns: int, rows: int) -> pd.DataFrame:
    row, column = (index.ravel() for index in np.indices((rows, columns)))
    observed, expected, variance = (part.ravel() for part in totals)
    sd = np.sqrt(np.maximum(variance, 0))
    gap = observed - expected
    residual = np.divide(gap, sd, out=np.zeros_like(gap), where=sd > 1e-6)
    return pd.DataFrame(
        {
            "x": column / columns,
            "x2": (column + 1) / columns,
            "y": row / rows,
            "y2": (row + 1) / rows,
            "observed": observed,
            "expected": expected,
            "sd": sd,
            "residual": residual,
        }
    )
