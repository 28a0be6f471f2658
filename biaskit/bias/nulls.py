"""
What a placement or a size is compared with: every null turns an object into a u on (0, 1).

If the null is true, u is exactly uniform and the tests of ``uniformity`` are exact. Three
readings of "without a photographer's choice":

``frame``
    The paper's: box centres uniform on the frame, sizes uniform up to the frame's side. For
    centres it cannot be true of boxes that stay inside: a box of width w has its centre in
    [w/2, 1 - w/2] only. It is kept to repeat the paper.
``fit``
    Every box keeps its size and lands with equal chance on every place where it fits.
``log-uniform``
    No preferred size: ln(size) uniform from 16 px to the frame (8 and 32 px as sensitivity).

Pixels are integers, so u would sit on a grid. Under each null a place or size therefore owns a
cell of (0, 1) as long as its chance, and a number U uniform on (0, 1), drawn by name of the
object, spreads it over that cell (the randomised probability integral transform): u = low +
span * U. The cells of all places of a box fill (0, 1) without gap. A continuous annotation
(lattice 0) has cells of no length and needs no U.
"""

from dataclasses import dataclass

import numpy as np

from biaskit.bias.objects import Objects, Side
from biaskit.chance import keyed_uniform
from biaskit.geometry import SLACK_PX

__all__ = [
    "JOINT_NULLS",
    "LOG_UNIFORM_PX",
    "NULLS_OF",
    "Cells",
    "Stage",
    "Variable",
    "cells",
    "noise",
    "stage_of",
    "variable",
]

LOG_UNIFORM_PX = {"log-uniform": 16, "log-uniform-8px": 8, "log-uniform-32px": 32}

NULLS_OF = {
    "position_x": ("frame", "fit"),
    "position_y": ("frame", "fit"),
    "width": ("frame", "log-uniform"),
    "height": ("frame", "log-uniform", "log-uniform-8px", "log-uniform-32px"),
    "area": ("frame", "log-uniform"),
}
# The joint measures' nulls: what is said of the place, and with it of the height. The paper's
# reading is the frame for both; the honest one keeps sizes and has no preferred size.
JOINT_NULLS = {"frame": "frame", "fit": "log-uniform"}

_TINY = 2.0**-53  # u stays this far inside (0, 1), where logarithms end


@dataclass(frozen=True)
class Cells:
    """The part of (0, 1) that one measure of every object owns; all arrays have shape (n,)."""

    low: np.ndarray  # float: lower end of the cell
    span: np.ndarray  # float: its length, the chance of this place or size; 0 if continuous
    inside: np.ndarray  # bool: enters the test; elsewhere low and span mean nothing

    def spread(self, noise: np.ndarray) -> np.ndarray:
        """Return low + span * noise, strictly inside (0, 1); NaN for objects left out."""
        u = np.clip(self.low + self.span * noise, _TINY, 1 - _TINY)
        return np.where(self.inside, u, np.nan)

    def of(self, rows: np.ndarray) -> "Cells":
        """Return the cells of some objects."""
        return Cells(self.low[rows], self.span[rows], self.inside[rows])


@dataclass(frozen=True)
class Variable:
    """One measure of every object under one null."""

    u: np.ndarray  # float, shape (n,): uniform on (0, 1) under the null; NaN if left out
    excluded: np.ndarray  # bool, shape (n,): no room, touching, or outside the null's range


@dataclass(frozen=True)
class Stage:
    """The part of one image side on which a box may lie; arrays of shape (n,), in px."""

    first: np.ndarray  # least position of a low edge
    length: np.ndarray  # from there to the greatest position of a high edge
    step: np.ndarray  # of the annotation's grid; 1 where continuous
    on_grid: np.ndarray  # bool
    keep: np.ndarray  # bool: the box lies on it


def noise(objects: Objects, measure: str, *, seed: int, draw: int = 0) -> np.ndarray:
    """
    Return the U of every object: uniform on (0, 1), keyed by (seed, measure, draw, object).

    The nulls of a measure, and its readings with and without touching boxes, share one U.
    """
    return keyed_uniform(seed, measure, draw, objects.key)


def variable(
    objects: Objects, measure: str, null: str, edges: str, *, seed: int, draw: int = 0
) -> Variable:
    """
    Turn one measure of every object into a number that is uniform if the null is true.

    Parameters
    ----------
    objects : Objects
        See ``biaskit.bias.objects.arrange``.
    measure : {"position_x", "position_y", "width", "height", "area"}
    null : str
        One of ``NULLS_OF[measure]``.
    edges : {"with", "without"}
        See ``cells``.
    seed, draw : int
        U is keyed by (seed, measure, draw, object).

    Returns
    -------
    Variable

    Raises
    ------
    ValueError
        If this measure has no such null, or ``edges`` is unknown.

    Examples
    --------
    A box of 4 of 10 pixels has 7 places; on the third, u falls between 2/7 and 3/7:

    >>> from biaskit.bias.objects import arrange, boxes_from_pixels
    >>> objects = arrange(boxes_from_pixels([[2, 0, 6, 10]], frame=(10, 10)))
    >>> u = variable(objects, "position_x", "fit", "with", seed=1).u
    >>> bool(2 / 7 < u[0] < 3 / 7)
    True
    """
    found = cells(objects, measure, null, edges)
    return Variable(found.spread(noise(objects, measure, seed=seed, draw=draw)), ~found.inside)


def cells(objects: Objects, measure: str, null: str, edges: str) -> Cells:
    """
    Return the part of (0, 1) that one measure of every object owns under a null.

    Parameters
    ----------
    objects : Objects
    measure, null : str
        See ``variable``.
    edges : {"with", "without"}
        ``without`` sets aside boxes that touch the frame on the axis measured (area: on any)
        and narrows the null to the interior, under every null alike.

    Returns
    -------
    Cells

    Raises
    ------
    ValueError
        If this measure has no such null, or ``edges`` is unknown.

    Notes
    -----
    With W the image side, w the box side and x the box start, all in lattice steps, and e the
    first step that does not touch (on a grid of whole pixels edge_px + 1; 0 with touching boxes):

    - fit: low = (x - e) / (W - w + 1 - 2e), for boxes with at least two such places;
    - frame, position: low = (x - e + (w - 1) / 2) / (W - 2e), the centre spread over one step;
    - frame, size: low = (w - 1) / (W - 2e);
    - log-uniform from k: low = ln(w / k) / ln((W - 2e + 1) / k), span = ln(1 + 1/w) over the same.

    Continuous boxes lie on the interval from edge_px to W - edge_px and lose the "+ 1" and "- 1".
    Areas are counted in squares of the grid; as not every number of squares is the product of
    two sides, their nulls hold to about one part in the number of squares.
    """
    if null not in NULLS_OF.get(measure, ()):
        raise ValueError(f"measure {measure!r} has no null {null!r}; known: {NULLS_OF}")
    if edges not in ("with", "without"):
        raise ValueError(f"edges is {edges!r}, expected 'with' or 'without'")
    low_px = LOG_UNIFORM_PX.get(null)
    if measure == "area":
        x, y = (stage_of(objects, side, edges) for side in (objects.x, objects.y))
        size, top = objects.x.size * objects.y.size, x.length * y.length
        square = None if low_px is None else float(low_px) ** 2
        return _size(size, top, x.step * y.step, x.on_grid, x.keep & y.keep, square)
    side: Side = objects.x if measure in ("position_x", "width") else objects.y
    stage = stage_of(objects, side, edges)
    if measure in ("width", "height"):
        return _size(side.size, stage.length, stage.step, stage.on_grid, stage.keep, low_px)
    return _fit(side, stage) if null == "fit" else _centre(side, stage)


def stage_of(objects: Objects, side: Side, edges: str) -> Stage:
    """
    Return the part of one side of every image on which the null lets boxes lie.

    Parameters
    ----------
    objects : Objects
    side : Side
        One of its axes.
    edges : {"with", "without"}
        The whole frame, or what a box can reach without touching it.

    Returns
    -------
    Stage

    Examples
    --------
    Two pixels at either end still touch, so a box stands on pixels 3 to 6 of 10:

    >>> from biaskit.bias.objects import arrange, boxes_from_pixels
    >>> objects = arrange(boxes_from_pixels([[3, 0, 6, 10]], frame=(10, 10)), edge_px=2)
    >>> stage = stage_of(objects, objects.x, "without")
    >>> stage.first.tolist(), stage.length.tolist()
    ([3.0], [4.0])
    """
    margin = objects.edge_px if edges == "without" else None
    on_grid = side.lattice > 0
    step = np.where(on_grid, side.lattice, 1.0)
    if margin is None:
        first = np.zeros_like(side.frame)
        last = np.where(on_grid, np.floor(side.frame / step + SLACK_PX) * step, side.frame)
        return Stage(first, last, step, on_grid, np.ones(len(first), bool))
    # The same comparisons as in geometry.touching, on the points of the grid.
    first = np.where(on_grid, (np.floor((margin + SLACK_PX) / step) + 1) * step, margin)
    room = side.frame - margin
    last = np.where(on_grid, (np.ceil((room - SLACK_PX) / step) - 1) * step, room)
    return Stage(first, np.maximum(last - first, 0), step, on_grid, ~side.touches)


def _fit(side: Side, stage: Stage) -> Cells:
    x, free = side.start - stage.first, stage.length - side.size
    # On a grid the last place counts too, and U fills the cell of each place.
    places = np.where(stage.on_grid, np.rint(free / stage.step) + 1, free)
    room = np.where(stage.on_grid, places >= 2, free > SLACK_PX)
    within = (x > -SLACK_PX) & (x < free + SLACK_PX)
    total = np.where(room, places, 1.0)
    low = np.where(stage.on_grid, np.rint(x / stage.step), x) / total
    return Cells(low, np.where(stage.on_grid, 1 / total, 0.0), stage.keep & room & within)


def _centre(side: Side, stage: Stage) -> Cells:
    length = np.where(stage.length > 0, stage.length, 1.0)
    cell = np.where(stage.on_grid, stage.step, 0.0)
    low = (side.start - stage.first + (side.size - cell) / 2) / length
    return Cells(low, cell / length, stage.keep & (stage.length > 0))


def _size(
    size: np.ndarray,
    top: np.ndarray,
    step: np.ndarray,
    on_grid: np.ndarray,
    keep: np.ndarray,
    low_px: float | None,
) -> Cells:
    """Size against ``top``, the largest the null allows; ``low_px`` None for uniform sizes."""
    k = np.where(on_grid, np.rint(size / step), size)
    k_top = np.where(on_grid, np.rint(top / step), top)
    cell = on_grid.astype(np.float64)
    # Where one size only is possible, u would be U itself.
    inside = keep & (k > 0) & (k <= k_top + SLACK_PX) & (k_top > cell)
    k, k_top = np.where(inside, k, 1.0), np.where(inside, k_top, 1.0)
    if low_px is None:
        return Cells((k - cell) / k_top, cell / k_top, inside)
    k_low = np.where(on_grid, np.ceil(low_px / step - SLACK_PX), low_px)
    inside &= (k >= k_low - SLACK_PX) & (k_top > k_low)
    total = np.where(inside, np.log((k_top + cell) / k_low), 1.0)
    return Cells(np.log(k / k_low) / total, np.log1p(cell / k) / total, inside)
