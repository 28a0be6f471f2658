"""
How several objects of one image count: every policy turns objects into weights.

Objects of one image are not independent; three near-copies per image make a test of all boxes
reject half of all true nulls. ``one`` draws one object per image by its name and is exact at any
depth; ``weighted`` lets every image weigh one (conservative); ``all`` is the paper's reading;
``largest`` takes the largest object, drawn by name where two are equally large.

An object is drawn from those of its image that may enter. Where others are set aside for their
place or size (touching the frame, smaller than the null's range), ``one`` and ``largest`` stay
exact only if that does not hang on the place or size of the one tested. The worst case tried,
without touching boxes: two in every image, always half the room apart, of which one enters alone
if the other touches; 50 images reject as often as stated, 500 up to .19 at 5 %. Drawing first and
setting aside after would hold there too, and loses 6 % of ImageNet's validation images.
"""

import numpy as np

from biaskit.bias.objects import Objects
from biaskit.chance import keyed_uniform

__all__ = ["POLICIES", "Candidates", "lots", "weights"]

POLICIES = ("one", "weighted", "all", "largest")


def weights(
    objects: Objects, included: np.ndarray, policy: str, *, seed: int, draw: int = 0
) -> np.ndarray:
    """
    Return the weight of every object under a policy.

    Parameters
    ----------
    objects : Objects
    included : bool array, shape (n,)
        The objects that may enter the test.
    policy : {"one", "weighted", "all", "largest"}
    seed, draw : int
        Which object ``one`` takes is keyed by (seed, draw, object).

    Returns
    -------
    float array, shape (n,)
        0 for objects that do not count. Under ``weighted`` the weights of an image sum to 1.

    Raises
    ------
    ValueError
        If the policy is unknown or ``included`` has another length.

    Examples
    --------
    >>> from biaskit.bias.objects import arrange, boxes_from_pixels
    >>> objects = arrange(boxes_from_pixels([[2, 0, 6, 9], [3, 0, 6, 9]], frame=(10, 10)))
    >>> weights(objects, np.array([True, False]), "one", seed=1).tolist()
    [1.0, 0.0]
    """
    if policy not in POLICIES:
        raise ValueError(f"policy {policy!r} is unknown; known: {', '.join(POLICIES)}")
    if included.shape != objects.group.shape:
        raise ValueError(f"included has shape {included.shape}, expected ({len(objects)},)")
    if policy == "all":
        return included.astype(np.float64)
    if policy == "weighted":
        per_image = np.bincount(objects.image[included], minlength=len(objects.image_group))
        return np.where(included, 1.0 / np.maximum(per_image[objects.image], 1), 0.0)
    rows = np.flatnonzero(included)
    if policy == "largest":
        share = objects.x.size * objects.y.size / (objects.x.frame * objects.y.frame)
        rows = rows[_least(objects.image[rows], -share[rows])]
    rows = Candidates(objects.image[rows], rows).draw(lots(objects, seed=seed, draw=draw))
    taken = np.zeros(len(objects))
    taken[rows] = 1.0
    return taken


def lots(objects: Objects, *, seed: int, draw: int = 0) -> np.ndarray:
    """Return the lot of every object: ``one`` takes the object with the least lot of its image."""
    return keyed_uniform(seed, "one object", draw, objects.key)


class Candidates:
    """
    Objects of which each image gives one.

    Parameters
    ----------
    image : int array, shape (m,)
        Rising image number of each.
    rows : int array, shape (m,)
        The objects, as rows of a lot.

    Examples
    --------
    >>> candidates = Candidates(np.array([0, 0, 3]), np.array([0, 1, 2]))
    >>> candidates.draw(np.array([0.5, 0.1, 0.9])).tolist()
    [1, 2]
    """

    def __init__(self, image: np.ndarray, rows: np.ndarray):
        self._rows = rows
        self._starts = np.flatnonzero(np.diff(image, prepend=-1))
        self._lengths = np.diff(self._starts, append=len(image))

    def draw(self, lot: np.ndarray) -> np.ndarray:
        """
        Return the row with the least lot of each image.

        Parameters
        ----------
        lot : float array, shape (n,)

        Returns
        -------
        int array, shape (number of different images,)
        """
        if not len(self._rows):
            return self._rows
        value = lot[self._rows]
        least = np.minimum.reduceat(value, self._starts)
        found = np.flatnonzero(value == np.repeat(least, self._lengths))
        if len(found) > len(self._starts):
            # Two equal lots of one image: 2^-52 rare, but then the first one.
            found = found[np.searchsorted(found, self._starts)]
        return self._rows[found]


def _least(run: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Mark the least value, with its ties, of each run of equal numbers."""
    if len(run) == 0:
        return np.zeros(0, bool)
    starts = np.flatnonzero(np.diff(run, prepend=run[0] - 1))
    lengths = np.diff(starts, append=len(run))
    return value == np.repeat(np.minimum.reduceat(value, starts), lengths)
