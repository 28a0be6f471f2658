"""
How several objects of one image count: every policy turns objects into weights.

Objects of one image are not independent; three near-copies per image make a test of all boxes
reject half of all true nulls. ``one`` draws one object per image by its name and is exact at any
depth; ``weighted`` lets every image weigh one (conservative); ``all`` is the paper's reading;
``largest`` takes the largest object, drawn by name where two are equally large.
"""

import numpy as np

from biaskit.bias.objects import Objects
from biaskit.chance import keyed_uniform

__all__ = ["FLAG_OF", "POLICIES", "weights"]

POLICIES = ("one", "weighted", "all", "largest")
# Cautions that go with every p-value of a policy.
FLAG_OF = {"one": "", "weighted": "image-weighted", "all": "dependent", "largest": "selected"}


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
    lot = keyed_uniform(seed, objects.key, "one object", draw)
    if policy == "largest":
        area = objects.x.size * objects.y.size / (objects.x.frame * objects.y.frame)
        return _first_of_image(objects, included, (lot, -area))
    return _first_of_image(objects, included, (lot,))


def _first_of_image(
    objects: Objects, included: np.ndarray, rank: tuple[np.ndarray, ...]
) -> np.ndarray:
    """Give weight 1 to the included object of each image that comes first by ``rank``."""
    rows = np.flatnonzero(included)
    order = rows[np.lexsort((*(r[rows] for r in rank), objects.image[rows]))]
    first = np.ones(len(order), bool)
    first[1:] = objects.image[order][1:] != objects.image[order][:-1]
    taken = np.zeros(len(objects))
    taken[order[first]] = 1.0
    return taken
