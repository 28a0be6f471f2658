"""Sums over the objects of a category and of an image, and the weights they are made with."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from biaskit.bias.objects import Objects
from biaskit.bias.policies import weights

__all__ = ["Grouping", "Weighed", "chosen", "weigh"]


@dataclass(frozen=True)
class Weighed:
    """The weight of every object in a question, with its sums."""

    policy: str
    weight: np.ndarray  # float, shape (n,): 0 where the object does not count
    total: np.ndarray  # float, shape (n_groups,): NaN where nothing counts
    n_images: np.ndarray  # int64, shape (n_groups,): images in which an object counts


class Grouping:
    """
    Sums by image and by group of arrays in canonical order, where each is one run of rows.

    Parameters
    ----------
    objects : Objects
    """

    def __init__(self, objects: Objects):
        self.image = objects.image
        self.group = objects.group
        self.n_groups = objects.n_groups
        self.n_images = len(objects.image_group)
        self._rows = np.searchsorted(objects.group, np.arange(objects.n_groups))
        self.images = np.searchsorted(objects.image_group, np.arange(objects.n_groups + 1))

    def by_image(self, value: np.ndarray) -> np.ndarray:
        """Sum over the objects of each image: (n,) to (n_images,)."""
        return np.bincount(self.image, value, self.n_images)

    def by_group(self, value: np.ndarray) -> np.ndarray:
        """Sum over the objects of each group: (n,) to (n_groups,)."""
        return np.add.reduceat(value, self._rows) if self.n_groups else np.zeros(0)

    def images_by_group(self, value: np.ndarray) -> np.ndarray:
        """Sum over the images of each group: (n_images,) to (n_groups,)."""
        return np.add.reduceat(value, self.images[:-1]) if self.n_groups else np.zeros(0)

    def mean(self, value: np.ndarray, weighed: Weighed) -> np.ndarray:
        """Weighted mean over the objects of each group; NaN where nothing counts."""
        return self.by_group(value * weighed.weight) / weighed.total


def weigh(
    objects: Objects, included: Sequence[np.ndarray], policy: str, *, seed: int
) -> list[Weighed]:
    """
    Weigh the objects that may enter each of several questions under a policy.

    Parameters
    ----------
    objects : Objects
    included : sequence of bool arrays, shape (n,)
    policy : str
        See ``biaskit.bias.policies``.
    seed : int

    Returns
    -------
    list of Weighed
        One per question; the very same one where the same objects are included.
    """
    grouping = Grouping(objects)
    kept: dict[bytes, Weighed] = {}
    found = []
    for mask in included:
        name = np.packbits(mask).tobytes()
        if name not in kept:
            weight = weights(objects, mask, policy, seed=seed)
            total = grouping.by_group(weight)
            present = (grouping.by_image(weight) > 0).astype(np.int64)
            kept[name] = Weighed(
                policy,
                weight,
                np.where(total > 0, total, np.nan),
                grouping.images_by_group(present).astype(np.int64),
            )
        found.append(kept[name])
    return found


def chosen(wanted: Sequence[str] | None, known: Sequence[str]) -> list[str]:
    """
    Return the names asked for in the order of the known ones; all if none were named.

    Raises
    ------
    ValueError
        If a name is unknown.

    Examples
    --------
    >>> chosen(["without"], ("with", "without"))
    ['without']
    """
    for name in wanted or ():
        if name not in known:
            raise ValueError(f"{name!r} is unknown; known: {', '.join(known)}")
    return [name for name in known if wanted is None or name in wanted]
