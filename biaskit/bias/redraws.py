"""How much chance of our own is in a verdict: the headline tests with U and object drawn again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from biaskit.bias.answers import tail_of
from biaskit.bias.joint import QUADRATS, quadrat_of
from biaskit.bias.nulls import Cells, cells, noise
from biaskit.bias.objects import Objects
from biaskit.bias.policies import Candidates, lots
from biaskit.bias.uniformity import BINS, bins_of, group_sums, pearson

__all__ = ["REDRAWN", "Redrawn", "p_range", "prepare", "redraw"]

# The chi-square tests that are printed first: (measure, null), at policy ``one``.
REDRAWN = (
    ("position", "frame"),
    ("position", "fit"),
    ("height", "frame"),
    ("height", "log-uniform"),
)


@dataclass(frozen=True)
class Redrawn:
    """A headline test with everything that no draw changes."""

    measure: str
    null: str
    edges: str
    axes: tuple[str, ...]  # one measure, or the two of the position
    cells: tuple[Cells, ...]  # of each axis, for all objects
    alone: np.ndarray  # int: rows that may enter, each the only one of its image
    alone_cells: tuple[Cells, ...]  # of these
    others: Candidates  # the other rows that may enter
    n: np.ndarray  # int, shape (n_groups,): images that enter
    n_cells: int


def prepare(objects: Objects, measure: str, null: str, edges: str) -> Redrawn:
    """
    Work out what the draws of a headline test share.

    Parameters
    ----------
    objects : Objects
    measure, null : str
        A pair of ``REDRAWN``.
    edges : {"with", "without"}

    Returns
    -------
    Redrawn
    """
    axes = ("position_x", "position_y") if measure == "position" else (measure,)
    found = tuple(cells(objects, axis, null, edges) for axis in axes)
    inside = np.flatnonzero(np.logical_and.reduce([part.inside for part in found]))
    images, per_image = np.unique(objects.image[inside], return_counts=True)
    n = group_sums(objects.image_group[images], objects.n_groups, None)
    single = np.repeat(per_image == 1, per_image)
    n_cells = QUADRATS**2 if measure == "position" else BINS
    alone, others = inside[single], inside[~single]
    alone_cells = tuple(part.of(alone) for part in found)
    candidates = Candidates(objects.image[others], others)
    return Redrawn(measure, null, edges, axes, found, alone, alone_cells, candidates, n, n_cells)


def redraw(objects: Objects, tests: Sequence[Redrawn], *, seed: int, draw: int) -> list[np.ndarray]:
    """
    Draw U and the object of each image once, and return X2 of every test.

    Parameters
    ----------
    objects : Objects
    tests : sequence of Redrawn
    seed, draw : int
        Draw 0 is that of the table.

    Returns
    -------
    list of float array, shape (n_groups,)
        Pearson's X2 of each test, policy ``one``; NaN in groups without objects.
    """
    lot = lots(objects, seed=seed, draw=draw)
    axes = sorted({axis for test in tests for axis in test.axes})
    noises = {axis: noise(objects, axis, seed=seed, draw=draw) for axis in axes}
    found = []
    for test in tests:
        chosen = test.others.draw(lot)
        u = [
            np.concatenate(
                [one.spread(noises[axis][test.alone]), all_.of(chosen).spread(noises[axis][chosen])]
            )
            for axis, one, all_ in zip(test.axes, test.alone_cells, test.cells, strict=True)
        ]
        cell = quadrat_of(*u) if test.measure == "position" else bins_of(u[0], BINS)
        group = np.concatenate([objects.group[test.alone], objects.group[chosen]])
        found.append(pearson(cell, group, objects.n_groups, n_cells=test.n_cells))
    return found


def p_range(test: Redrawn, x2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """
    Return the least and the greatest log10 p among the draws.

    A draw changes no n, so p falls as X2 rises: two tails stand for all draws.

    Parameters
    ----------
    test : Redrawn
    x2 : float array, shape (draws, n_groups)

    Returns
    -------
    low, high : float array, shape (n_groups,)
        NaN where not tested.
    """
    ends = np.concatenate([x2.max(axis=0), x2.min(axis=0)])
    tail = tail_of("chi2", ends, np.tile(test.n, 2), cells=test.n_cells)
    low, high = tail.log10_p.reshape(2, -1)
    return low, high
