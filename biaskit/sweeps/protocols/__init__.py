"""How frames are made of a photograph: each protocol in a file, and `make_sequences` for all."""

import numpy as np

from biaskit.chance import hash_keys
from biaskit.errors import SweepError
from biaskit.sweeps.protocols.boxes import ImageBoxes, boxes_by_image, on_photograph
from biaskit.sweeps.protocols.cropped import crop, pairs, roll
from biaskit.sweeps.protocols.embedded import blank, embed, random_places, repeat, scale
from biaskit.sweeps.protocols.film import film_pieces, is_film, show_film
from biaskit.sweeps.protocols.places import places
from biaskit.sweeps.protocols.planning import DEFAULTS, SHOWN, make_plan
from biaskit.sweeps.protocols.sequence import Plan, Sequence

__all__ = [
    "DEFAULTS",
    "SHOWN",
    "ImageBoxes",
    "Plan",
    "Sequence",
    "boxes_by_image",
    "film_pieces",
    "is_film",
    "make_plan",
    "make_sequences",
    "show_film",
]

_EMBEDDED = {
    "embed": embed,
    "blank": blank,
    "repeat": repeat,
    "random": random_places,
    "scale": scale,
    "pairs": pairs,
    "places": places,
}


def make_sequences(
    photograph: np.ndarray, plan: Plan, *, image_id: str, category: str, boxes: ImageBoxes | None
) -> tuple[list[Sequence], dict[int, str]]:
    """
    Make the frames of one photograph, by any protocol but ``film``.

    Parameters
    ----------
    photograph : uint8 array, shape (h, w, 3)
    plan : Plan
    image_id, category : str
        The id keys what is drawn; the category chooses among the boxes.
    boxes : ImageBoxes or None
        For ``crop``; the others need none.

    Returns
    -------
    list of Sequence
    dict of int to str
        Object number (-1: the image) and the reason, for what cannot be swept over.

    Examples
    --------
    >>> plan = make_plan("embed", input_size=32, resize=36, interpolation="bilinear", seed=0,
    ...     steps=3, fill="black")
    >>> white = np.full((50, 40, 3), 255, np.uint8)
    >>> sequences, _ = make_sequences(white, plan, image_id="a", category="", boxes=None)
    >>> sequences[0].dy.tolist(), sequences[0].canvases.shape
    ([-1.0, 0.0, 1.0], (1, 34, 32, 3))
    """
    seed = int(hash_keys(plan.seed, plan.protocol, image_id)[0] >> np.uint64(1))
    if plan.protocol in _EMBEDDED:
        return _EMBEDDED[plan.protocol](photograph, plan, seed=seed), {}
    if plan.protocol == "roll":
        return roll(photograph, plan), {}
    if boxes is None:
        return [], {-1: "no box in the study's table boxes"}
    chosen = boxes.of(category)
    if not len(chosen.numbers):
        return [], {-1: "no box of its category"}
    try:
        fractions = on_photograph(chosen, photograph.shape[1], photograph.shape[0])
    except SweepError as error:
        return [], {-1: str(error)}
    return crop(photograph, chosen.numbers, fractions, plan)
