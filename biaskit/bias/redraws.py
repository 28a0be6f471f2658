"""How much chance of our own is in a verdict: the headline tests with U and object drawn again."""

import numpy as np

from biaskit.bias.answers import tail_of
from biaskit.bias.joint import QUADRATS, quadrat_of
from biaskit.bias.nulls import Cells, cells, noise
from biaskit.bias.objects import Objects
from biaskit.bias.policies import lots, take
from biaskit.bias.uniformity import BINS, bins_of, group_sums, pearson

__all__ = ["REDRAWN", "redraw"]

# The chi-square tests that are printed first: (measure, null), at policy ``one``.
REDRAWN = (
    ("position", "frame"),
    ("position", "fit"),
    ("height", "frame"),
    ("height", "log-uniform"),
)


def redraw(
    objects: Objects, measure: str, null: str, edges: str, *, seed: int, draws: int
) -> np.ndarray:
    """
    Repeat a headline test with other draws of U and of the object of each image.

    Parameters
    ----------
    objects : Objects
    measure, null : str
        A pair of ``REDRAWN``.
    edges : {"with", "without"}
    seed : int
    draws : int
        How many, the first being that of the table.

    Returns
    -------
    float array, shape (draws, n_groups)
        log10 p of the chi-square test at policy ``one``; NaN where not tested.
    """
    axes = ("position_x", "position_y") if measure == "position" else (measure,)
    found = [cells(objects, axis, null, edges) for axis in axes]
    inside = np.flatnonzero(np.logical_and.reduce([part.inside for part in found]))
    image = objects.image[inside]
    n_cells = QUADRATS**2 if measure == "position" else BINS
    statistic, n = [], np.zeros(objects.n_groups, np.int64)
    for draw in range(draws):
        rows = take(image, inside, lots(objects, seed=seed, draw=draw))
        u = [
            _at(part, rows).spread(noise(objects, axis, seed=seed, draw=draw)[rows])
            for axis, part in zip(axes, found, strict=True)
        ]
        group = objects.group[rows]
        cell = quadrat_of(*u) if measure == "position" else bins_of(u[0], BINS)
        statistic.append(pearson(cell, group, objects.n_groups, n_cells=n_cells))
        n = group_sums(group, objects.n_groups, None)
    stacked = np.stack(statistic)
    tail = tail_of("chi2", stacked.ravel(), np.tile(n, draws), cells=n_cells)
    return tail.log10_p.reshape(stacked.shape)


def _at(part: Cells, rows: np.ndarray) -> Cells:
    return Cells(part.low[rows], part.span[rows], part.inside[rows])
