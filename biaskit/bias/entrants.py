"""Which objects enter a test under a policy, worked out once for all questions that agree on it."""

from dataclasses import dataclass

import numpy as np

from biaskit.bias.answers import Counts
from biaskit.bias.objects import Objects
from biaskit.bias.policies import weights

__all__ = ["Entered", "Entrants"]


@dataclass(frozen=True)
class Entered:
    """What a policy makes of the objects that may enter a test."""

    kept: np.ndarray  # their weights, as bool where none is a fraction: an eighth of the memory
    counts: Counts

    @property
    def weight(self) -> np.ndarray:
        """Weight of every object, float, shape (n,): 0 for objects that do not count."""
        return self.kept.astype(np.float64)


class Entrants:
    """
    The objects, and who of them enters: most questions let the same ones in.

    Parameters
    ----------
    objects : Objects
    seed : int
        See ``policies.weights``.

    Examples
    --------
    >>> from biaskit.bias.objects import arrange, boxes_from_pixels
    >>> objects = arrange(boxes_from_pixels([[2, 0, 6, 9], [3, 0, 6, 9]], frame=(10, 10)))
    >>> entered = Entrants(objects, seed=1).under(np.array([True, False]), "all")
    >>> entered.counts.n_objects.tolist(), entered.counts.n_excluded.tolist()
    ([1], [1])
    """

    def __init__(self, objects: Objects, *, seed: int):
        self.objects = objects
        self.seed = seed
        self._kept: dict[tuple[str, bytes], Entered] = {}

    def under(self, included: np.ndarray, policy: str) -> Entered:
        """
        Return who enters.

        Parameters
        ----------
        included : bool array, shape (n,)
            The objects that may enter.
        policy : str
            See ``policies.weights``.

        Returns
        -------
        Entered
            The very same one where the same objects may enter.
        """
        name = policy, np.packbits(included).tobytes()
        if name not in self._kept:
            weight = weights(self.objects, included, policy, seed=self.seed)
            taken = weight > 0
            counts = _count(self.objects, included, taken)
            self._kept[name] = Entered(weight if policy == "weighted" else taken, counts)
        return self._kept[name]


def _count(objects: Objects, included: np.ndarray, taken: np.ndarray) -> Counts:
    """
    Count what entered: ``included`` may enter, ``taken`` the policy takes; bool, shape (n,).

    Objects of the same image that the policy passes over are not among the excluded.
    """
    n_groups = objects.n_groups
    may_enter, entered, all_of_it = (
        np.bincount(objects.group[rows], minlength=n_groups)
        for rows in (included, taken, slice(None))
    )
    image = objects.image[taken]
    first = np.diff(image, prepend=-1) > 0
    n_images = np.bincount(objects.image_group[image[first]], minlength=n_groups)
    return Counts(n_images, entered, all_of_it - may_enter)
