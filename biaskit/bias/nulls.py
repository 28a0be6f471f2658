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

Pixels are integers, so u would sit on a grid; a number U uniform on (0, 1), drawn by name of
the object, spreads each grid point over its cell (the randomised probability integral
transform). A continuous annotation (lattice 0) needs no U.
"""

from dataclasses import dataclass

import numpy as np

from biaskit.bias.objects import Objects, Side
from biaskit.chance import keyed_uniform

__all__ = ["LOG_UNIFORM_PX", "NULLS_OF", "Variable", "variable"]

LOG_UNIFORM_PX = {"log-uniform": 16, "log-uniform-8px": 8, "log-uniform-32px": 32}

NULLS_OF = {
    "position_x": ("frame", "fit"),
    "position_y": ("frame", "fit"),
    "width": ("frame", "log-uniform"),
    "height": ("frame", "log-uniform", "log-uniform-8px", "log-uniform-32px"),
    "area": ("frame", "log-uniform"),
}


@dataclass(frozen=True)
class Variable:
    """One measure of every object under one null."""

    u: np.ndarray  # float, shape (n,): uniform on (0, 1) under the null; NaN if left out
    excluded: np.ndarray  # bool, shape (n,): no room, touching, or outside the null's range


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
        ``without`` sets aside boxes that touch the frame on the axis measured (area: on any)
        and narrows the null to the interior.
    seed, draw : int
        U is keyed by (seed, draw, object, measure's axis).

    Returns
    -------
    Variable

    Raises
    ------
    ValueError
        If this measure has no such null, or ``edges`` is unknown.

    Notes
    -----
    With W the image side, w the box side and x the box start, all in lattice steps, and
    e = edge_px + 1 (0 with touching boxes):

    - fit: u = (x - e + U) / (W - w + 1 - 2e), for boxes with at least two such places;
    - frame, position: u = (x + (w - 1) / 2 + U) / W, the centre spread over one step;
    - frame, size: u = (w - 1 + U) / (W - 2e);
    - log-uniform from k0: u = [ln w + U ln(1 + 1/w) - ln k0] / [ln(W - 2e + 1) - ln k0].
    """
    if null not in NULLS_OF.get(measure, ()):
        raise ValueError(f"measure {measure!r} has no null {null!r}; known: {NULLS_OF}")
    if edges not in ("with", "without"):
        raise ValueError(f"edges is {edges!r}, expected 'with' or 'without'")
    if measure == "area":
        return _area(objects, null, edges, seed=seed, draw=draw)
    axis = "x" if measure in ("position_x", "width") else "y"
    side: Side = getattr(objects, axis)
    noise = keyed_uniform(seed, objects.key, f"{measure}/{axis}", draw)
    margin = objects.edge_px + 1 if edges == "without" else 0.0
    keep = ~side.touches if edges == "without" else np.ones(len(objects), bool)
    if measure in ("width", "height"):
        low = LOG_UNIFORM_PX.get(null)
        u, room = _size(side.size, side.frame - 2 * margin, side.lattice, noise, low)
    elif null == "fit":
        u, room = _fit(side, margin, noise)
    else:
        u, room = _centre(side, noise), np.ones(len(objects), bool)
    return _left_out(u, keep & room)


def _left_out(u: np.ndarray, keep: np.ndarray) -> Variable:
    # A continuous value may sit on 0 or 1 itself, where logarithms end.
    tiny = 2.0**-53
    return Variable(np.where(keep, np.clip(u, tiny, 1 - tiny), np.nan), ~keep)


def _fit(side: Side, margin: float, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    step = np.where(side.lattice > 0, side.lattice, 1.0)
    free = side.frame - side.size - 2 * margin
    # On a lattice the last place counts too, and U fills the cell of each place.
    on_grid = side.lattice > 0
    places = free / step + 1
    u_grid = ((side.start - margin) / step + noise) / np.maximum(places, 1)
    u_line = (side.start - margin) / np.where(free > 0, free, 1.0)
    room = np.where(on_grid, places >= 2 - 1e-9, free > 1e-9)
    return np.where(on_grid, u_grid, u_line), room


def _centre(side: Side, noise: np.ndarray) -> np.ndarray:
    spread = np.where(side.lattice > 0, side.lattice * (noise - 0.5), 0.0)
    return (side.start + side.size / 2 + spread) / side.frame


def _size(
    size: np.ndarray,
    top: np.ndarray,
    lattice: np.ndarray,
    noise: np.ndarray,
    low: float | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Size against ``top``, the largest the null allows; ``low`` is None for uniform sizes."""
    step = np.where(lattice > 0, lattice, 1.0)
    on_grid = lattice > 0
    k, k_top = size / step, np.maximum(top / step, 1)
    fits = (k <= k_top + 1e-9) & (k > 0)
    if low is None:
        return np.where(on_grid, k - 1 + noise, k) / k_top, fits
    k_low = low / step
    safe = np.maximum(k, 1e-12)
    grid = np.log(safe) + noise * np.log1p(1 / safe) - np.log(k_low)
    span_grid = np.log(k_top + 1) - np.log(k_low)
    span_line = np.log(k_top) - np.log(k_low)
    span = np.where(on_grid, span_grid, span_line)
    u = np.where(on_grid, grid, np.log(safe) - np.log(k_low)) / np.where(span > 0, span, 1.0)
    return u, fits & (k >= k_low - 1e-9) & (span > 0)


def _area(objects: Objects, null: str, edges: str, *, seed: int, draw: int) -> Variable:
    x, y = objects.x, objects.y
    noise = keyed_uniform(seed, objects.key, "area/xy", draw)
    margin = objects.edge_px + 1 if edges == "without" else 0.0
    keep = ~(x.touches | y.touches) if edges == "without" else np.ones(len(objects), bool)
    top = np.maximum(x.frame - 2 * margin, 0) * np.maximum(y.frame - 2 * margin, 0)
    low = LOG_UNIFORM_PX.get(null)
    u, room = _size(
        x.size * y.size, top, x.lattice * y.lattice, noise, None if low is None else low**2
    )
    return _left_out(u, keep & room)
