"""The distances of one question: cells and distribution functions in, rows of effects out."""

from dataclasses import dataclass

import numpy as np

from biaskit.bias import distances
from biaskit.bias.distances import Estimate
from biaskit.bias.effect_rows import Part
from biaskit.bias.group_sums import Grouping, Weighed
from biaskit.bias.questions import Question, greatest_distance

__all__ = ["DETECTABLE", "Cells", "count_cells", "distance_parts"]

LEVEL = 0.95
DETECTABLE = {"detectable_w_5pct": 0.05, "detectable_w_1e-10": 1e-10}


@dataclass(frozen=True)
class Cells:
    """How full the cells of each group are, and how many independent objects that stands for."""

    shares: np.ndarray  # (n_groups, n_cells); NaN without data
    n: np.ndarray  # (n_groups,): objects over the design effect; NaN without data


def count_cells(grouping: Grouping, asked: Question, weighed: Weighed) -> Cells:
    """
    Count the objects in each cell.

    Parameters
    ----------
    grouping : Grouping
    asked : Question
    weighed : Weighed
        Only policy ``all`` has a design effect: elsewhere each image weighs one and n is their
        number, which is right for one object per image and on the safe side for ``weighted``.

    Returns
    -------
    Cells
    """
    size = grouping.n_groups * asked.n_cells
    counts = np.bincount(asked.cell, weighed.weight, size).reshape(-1, asked.n_cells)
    shares = counts / weighed.total[:, None]
    n = weighed.total
    if weighed.policy == "all":
        n = n / _design_effect(grouping, asked, weighed, shares)
    return Cells(shares, n)


def _design_effect(
    grouping: Grouping, asked: Question, weighed: Weighed, shares: np.ndarray
) -> np.ndarray:
    """
    Compare the variance of the shares between images with that of independent objects.

    For every image i, cell k: s_ik objects, m_i in all. The sum over k and i of
    (s_ik - m_i q_k)^2 is written out, so that only s_ik^2 needs the cells of an image.
    """
    weight, q = weighed.weight, np.nan_to_num(shares)
    size = grouping.by_image(weight)
    mixed = grouping.by_image(weight * q.ravel()[asked.cell])
    cell = asked.cell - grouping.group * asked.n_cells
    keys, times = np.unique((grouping.image * asked.n_cells + cell)[weight > 0], return_counts=True)
    squares = np.bincount(keys // asked.n_cells, times.astype(float) ** 2, grouping.n_images)
    concentration = (q**2).sum(axis=1)
    spread_out = np.repeat(concentration, np.diff(grouping.images))
    between = grouping.images_by_group(squares - 2 * size * mixed + size**2 * spread_out)
    within = weighed.total * (1 - concentration)
    ratio = np.divide(between, within, out=np.ones(len(within)), where=within > 1e-9)
    return np.maximum(ratio, 1.0)


def _standard_error(
    grouping: Grouping, cells: Cells, score: np.ndarray, asked: Question, weighed: Weighed
) -> np.ndarray:
    """Return the standard error of sum_k q_k score_k, (n_groups,), from whole images."""
    q = np.nan_to_num(cells.shares)
    about = score - (q * score).sum(axis=1, keepdims=True)
    if weighed.policy in ("one", "largest"):  # an image is an object
        squares = weighed.total * (q * about**2).sum(axis=1)
    else:
        summed = grouping.by_image(weighed.weight * about.ravel()[asked.cell])
        squares = grouping.images_by_group(summed**2)
    n = weighed.n_images
    return np.sqrt(squares * (n / np.maximum(n - 1, 1))) / weighed.total


def distance_parts(grouping: Grouping, asked: Question, weighed: Weighed) -> list[Part]:
    """
    Estimate total variation, KL, Cohen's w and, on one axis, the KS distance.

    Parameters
    ----------
    grouping : Grouping
    asked : Question
    weighed : Weighed

    Returns
    -------
    list of Part
        With them the least Cohen's w that could have been found.
    """
    cells = count_cells(grouping, asked, weighed)
    q = np.nan_to_num(cells.shares)
    # How much one more object in a cell changes the divergence.
    score = np.log(np.where(q > 0, q * asked.n_cells, 1.0))
    spread = _standard_error(grouping, cells, score, asked, weighed)
    found = {
        "total_variation": distances.total_variation(cells.shares, cells.n),
        "kl_divergence": distances.kl_divergence(cells.shares, cells.n, spread),
        "cohens_w": distances.cohens_w(cells.shares, cells.n),
    }
    if asked.ordered is not None:
        reach = greatest_distance(asked.ordered, weighed.weight, grouping.n_groups)
        found["ks_distance"] = distances.ks_distance(reach, cells.n)
    parts = [_part(asked, weighed, name, one) for name, one in found.items()]
    none = np.full(grouping.n_groups, np.nan)
    for name, level in DETECTABLE.items():
        w = Estimate(distances.detectable_w(cells.n, asked.n_cells, level=level), none)
        parts.append(_part(asked, weighed, name, w, is_distance=False))
    return parts


def _part(
    asked: Question, weighed: Weighed, name: str, found: Estimate, *, is_distance: bool = True
) -> Part:
    none = np.full(len(found.value), np.nan)
    known = np.isfinite(found.value) & is_distance
    return Part(
        *(asked.measure, asked.null, weighed.policy, asked.edges, name),
        *(found.value, found.low, none),
        *(np.where(known, 0.0, np.nan), np.where(known, LEVEL, np.nan), weighed.n_images),
    )
