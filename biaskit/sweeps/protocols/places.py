"""
The protocol ``places``: the whole image at several scales, each at random places of the frame.

How a network does on objects that are smaller, and elsewhere, than where photographers put them.
"""

from dataclasses import replace

import numpy as np

from biaskit.chance import keyed_uniform
from biaskit.errors import SweepError
from biaskit.sweeps.protocols.embedded import placed
from biaskit.sweeps.protocols.resizing import fit_longer
from biaskit.sweeps.protocols.sequence import Plan, Sequence

__all__ = ["LEAST_SIDE", "SCALES", "check_scales", "places", "shown_sides"]

SCALES = (1.0, 3 / 4, 1 / 2, 3 / 8, 1 / 4)  # the paper names one half only
LEAST_SIDE = 8  # px of the longer side; below it there is nothing to see
_DECIMALS = 6  # of a scale as what its draws are keyed by


def shown_sides(plan: Plan) -> list[int]:
    """
    Return the longer side of the image at every scale of a plan, px of the input.

    Examples
    --------
    >>> shown_sides(Plan("places", "any", "mean", 8, 299, 342, "bilinear", 214, scales=(1, 0.5)))
    [299, 150]
    """
    return [round(scale * plan.input_size) for scale in plan.scales]


def check_scales(plan: Plan) -> None:
    """
    Refuse scales at which there would be no image, or one larger than the frame.

    Raises
    ------
    SweepError
        Also if two scales come to the same number of px: they would be the same sweep twice.
    """
    if not plan.scales:
        raise SweepError("--scales: protocol places needs at least one, such as 1/2.")
    for scale in plan.scales:
        # Written so that what is no number is refused too.
        if not LEAST_SIDE <= scale * plan.input_size <= plan.input_size:
            raise SweepError(
                f"--scales {scale:g}: the image would be {scale * plan.input_size:.4g} px long in "
                f"an input of {plan.input_size} px, expected {LEAST_SIDE} to {plan.input_size}."
            )
    sides = shown_sides(plan)
    if len(set(sides)) < len(sides):
        asked = " ".join(f"{scale:g}" for scale in plan.scales)
        raise SweepError(
            f"--scales {asked}: come to {sides} px of an input of {plan.input_size} px. "
            "Give each once."
        )


def places(photograph: np.ndarray, plan: Plan, *, seed: int) -> list[Sequence]:
    """
    Put the whole image at random places of the frame, at every scale of the plan.

    All places at which the whole image lies inside the frame are equally probable, and drawn with
    replacement. At scale 1 there is room along the shorter side only, and none at all for a
    square image: then all its frames are the same.

    Parameters
    ----------
    photograph : uint8 array, shape (h, w, 3)
    plan : Plan
        Its ``steps`` are places per scale.
    seed : int
        The image's own. A place is a fixed function of it, the scale and the place's number, so
        it is the same whatever other scales are asked for; for another input size it is the
        same share of the room there is.

    Returns
    -------
    list of Sequence
        One per scale, whose number is the ``pass``: a canvas of its own and windows of it.

    Examples
    --------
    A square image at half size has 17 places along each side of an input of 32 px:

    >>> plan = Plan("places", "any", "black", 3, 32, 36, "bilinear", 23, scales=(0.5,))
    >>> (sequence,) = places(np.full((40, 40, 3), 255, np.uint8), plan, seed=1)
    >>> sequence.n_frames, sequence.room, bool((abs(sequence.dx) <= 8).all())
    (3, 17, True)
    """
    found = []
    sides = zip(plan.scales, shown_sides(plan), strict=True)
    for number, (scale, side) in enumerate(sides):
        image = fit_longer(photograph, side, plan.interpolation)
        room = plan.input_size - np.array(image.shape[:2])
        shifts = _drawn(seed, scale, plan.steps, room) - (room // 2)[:, None]
        sequence = placed(
            image,
            shifts[0],
            shifts[1],
            replace(plan, longer_side=side),
            room=plan.input_size - side + 1,
            seed=seed,
        )
        found.append(replace(sequence, pass_number=number))
    return found


def _drawn(seed: int, scale: float, n: int, room: np.ndarray) -> np.ndarray:
    """Draw first rows and columns from 0 to the room there is, shape (2, n)."""
    key, numbers = f"{scale:.{_DECIMALS}f}", np.arange(n)
    chances = [keyed_uniform(seed, "place", key, numbers, axis) for axis in ("y", "x")]
    return np.floor(np.array(chances) * (room[:, None] + 1)).astype(int)
