"""
Two samples of images against each other: distances, and their law when images change sides.

Under the null the images of both sets come from one source, so which set an image is in is
chance: whole images are dealt out anew, with all their objects. Each image weighs one.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

__all__ = ["Pooled", "chi2_distances", "deal_out", "ks_and_cvm_distances", "p_value", "pool"]

_AT_ONCE = 2_000_000  # numbers held per step: 16 MB
_UNSHARED = 2**18  # products up to this size no matrix library shares among threads


@dataclass(frozen=True)
class Pooled:
    """The objects of both sets in one category, in order of their value."""

    image: np.ndarray  # int, shape (m,): number of the object's image, 0 to n_images - 1
    weight: np.ndarray  # float, shape (m,): 1 / objects of that image
    last: np.ndarray  # int, shape (k,): where each run of equal values ends


def pool(value: np.ndarray, image: np.ndarray, n_images: int) -> Pooled:
    """
    Put the objects of both sets in order.

    Parameters
    ----------
    value : float array, shape (m,)
    image : int array, shape (m,)
        Number of each object's image among those of both sets.
    n_images : int

    Returns
    -------
    Pooled
    """
    order = np.lexsort((image, value))
    last = np.flatnonzero(np.r_[np.diff(value[order]) != 0, True])
    weight = 1.0 / np.bincount(image, minlength=n_images)
    return Pooled(image[order], weight[image[order]], last)


def deal_out(
    n_first: int, n_images: int, *, n_permutations: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """
    Yield who is in the first set: as observed, then at random.

    Parameters
    ----------
    n_first : int
        Images of the first set; observed are numbers 0 to n_first - 1.
    n_images : int
        Images of both.
    n_permutations : int
    rng : numpy.random.Generator

    Yields
    ------
    bool array, shape (some, n_images)
        Together 1 + n_permutations rows with n_first True each; the first row is observed.
    """
    yield np.arange(n_images)[None] < n_first
    step = max(1, _AT_ONCE // n_images)
    for start in range(0, n_permutations, step):
        lots = rng.random((min(step, n_permutations - start), n_images), dtype=np.float32)
        chosen = np.argpartition(lots, n_first - 1, axis=1)[:, :n_first]
        dealt = np.zeros(lots.shape, bool)
        np.put_along_axis(dealt, chosen, True, axis=1)
        yield dealt


def ks_and_cvm_distances(pooled: Pooled, dealt: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """
    Return Kolmogorov-Smirnov and Cramer-von Mises distances of the two sets.

    Parameters
    ----------
    pooled : Pooled
    dealt : bool array, shape (p, n_images)
        Who is in the first set.

    Returns
    -------
    ks, cvm : float array, shape (p,)
        max |F - G| and ab / (a + b) times the integral of (F - G)^2 over the pooled
        distribution, F and G the image-weighted distribution functions of a and b images.

    Examples
    --------
    Two below two: F reaches 1 before G leaves 0.

    >>> pooled = pool(np.array([1.0, 2.0, 3.0, 4.0]), np.arange(4), 4)
    >>> ks, cvm = ks_and_cvm_distances(pooled, np.array([[True, True, False, False]]))
    >>> float(ks[0]), float(cvm[0])
    (1.0, 0.375)
    """
    n_images = dealt.shape[1]
    a = np.count_nonzero(dealt[0])
    b = n_images - a
    if len(pooled.image) == n_images:  # one object each: whole numbers, twice as fast
        reached = np.cumsum(dealt[:, pooled.image], axis=1, dtype=np.int32)
    else:
        reached = np.cumsum(dealt[:, pooled.image] * pooled.weight, axis=1)
    both = np.cumsum(pooled.weight)[pooled.last]
    apart = reached[:, pooled.last] * (n_images / (a * b)) - both / b
    mass = np.diff(both, prepend=0.0) / n_images
    return np.abs(apart).max(axis=1), (apart**2 * mass).sum(axis=1) * a * b / n_images


def chi2_distances(cells: np.ndarray, dealt: np.ndarray) -> np.ndarray:
    """
    Return the chi-square distance of the cell shares of the two sets.

    Parameters
    ----------
    cells : float array, shape (n_images, n_cells)
        Share of each image's objects in each cell.
    dealt : bool array, shape (p, n_images)

    Returns
    -------
    float array, shape (p,)
        ab / (a + b) times the sum of (share - share')^2 / pooled share: Pearson's statistic
        of the 2 x K table if every image has one object.

    Examples
    --------
    >>> cells, dealt = np.array([[1.0, 0], [0, 1]]), np.array([[True, False]])
    >>> chi2_distances(cells, dealt).tolist()
    [2.0]
    """
    n_images, n_cells = cells.shape
    a = np.count_nonzero(dealt[0])
    # Rounded to 2^-30, sums are exact and do not depend on their order.
    cells = np.ldexp(np.rint(np.ldexp(cells, 30)), -30)
    step = max(1, _UNSHARED // (n_images * n_cells))
    rows = dealt.astype(np.float64)
    first = np.concatenate([rows[i : i + step] @ cells for i in range(0, len(rows), step)])
    total = cells.sum(axis=0)
    used = total > 0
    apart = first[:, used] * (n_images / (a * (n_images - a))) - total[used] / (n_images - a)
    scale = a * (n_images - a) / (total[used])
    return (apart**2 * scale).sum(axis=1)


def p_value(distances: np.ndarray) -> tuple[float, bool]:
    """
    Return log10 of the share of dealings at least as far apart as the first, and if it is alone.

    Parameters
    ----------
    distances : float array, shape (1 + n_permutations,)
        The first is the observed one and counts itself, so p is never 0.

    Examples
    --------
    >>> p_value(np.array([3.0, 1.0, 2.0, 3.0]))[0]
    -0.3010299956639812
    """
    # Distances that are equal but for rounding are equal.
    as_far = np.count_nonzero(distances >= distances[0] * (1 - 1e-9) - 1e-15)
    return float(np.log10(as_far / len(distances))), as_far == 1
