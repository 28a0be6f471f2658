"""
Random crops of the frames of a sweep: where they lie, and the canvas they need.

A crop is a window of the input's size that begins some pixels off its frame, drawn afresh for
every crop of every frame. Crops that reach beyond the room the image has in the frame cut it off
at the border, as random crops usually do; its middle stays inside.
"""

from dataclasses import replace

import numpy as np

from biaskit.chance import keyed_uniform
from biaskit.errors import SweepError
from biaskit.sweeps.protocols import Plan, Sequence
from biaskit.sweeps.protocols.sequence import centred_shifts

__all__ = [
    "CROPS",
    "STEPS",
    "canvas_plan",
    "check_crops",
    "crop_corners",
    "crop_offsets",
    "reach",
    "usual_jitter",
]

CROPS = (1, 2, 4, 8, 16, 32, 64)
STEPS = 9  # frames of a sequence: each costs 65 forward passes
JITTER = 16 / 224  # of the input's side
_ALONG = {"vertical": (1, 0), "horizontal": (0, 1), "diagonal": (1, 1)}  # of y and x


def usual_jitter(input_size: int) -> int:
    """
    Return the jitter that is taken if none is asked for, px.

    Examples
    --------
    >>> usual_jitter(224), usual_jitter(299)
    (16, 21)
    """
    return round(JITTER * input_size)


def reach(plan: Plan, jitter: int) -> int:
    """
    Return how far from the middle window the crops of a plan's frames may begin, px.

    Examples
    --------
    >>> reach(Plan("embed", "vertical", "mean", 9, 224, 256, "bilinear", 160), 16)
    20
    """
    return int(np.abs(centred_shifts(plan.steps)).max()) + jitter


def check_crops(plan: Plan, *, jitter: int, crops: tuple[int, ...] = CROPS) -> None:
    """
    Refuse what crops cannot be taken of.

    Parameters
    ----------
    plan : Plan
        Of ``embed``, in one direction, its background kept.
    jitter : int
        Greatest shift of a crop from its frame, each way, px of the input.
    crops : tuple of int
        Numbers of crops that answer together.

    Raises
    ------
    SweepError
    """
    if plan.protocol != "embed" or plan.direction not in _ALONG or plan.refill:
        refilled = ", refilled" if plan.refill else ""
        raise SweepError(
            f"protocol {plan.protocol}, {plan.direction}{refilled}: crops are taken of embed, "
            f"{', '.join(_ALONG)}, from one canvas."
        )
    if not crops or min(crops) < 1 or list(crops) != sorted(set(crops)):
        given = " ".join(map(str, crops))
        raise SweepError(f"--crops {given}: expected ascending numbers from 1, such as 1 2 4.")
    most = plan.input_size // 2 - 1  # the canvas is twice the input's size
    if jitter < 0 or reach(plan, jitter) > most:
        raise SweepError(
            f"--jitter {jitter}: expected 0 to {most - reach(plan, 0)} px with {plan.steps} steps "
            f"and an input of {plan.input_size} px, so that the image's middle stays inside."
        )


def crop_offsets(seed: int, image_id: str, *, steps: int, jitter: int, n: int) -> np.ndarray:
    """
    Draw how far crops are moved from their frames, all whole pixels up to the jitter alike.

    Returns
    -------
    int array, shape (steps, n, 2)
        Down and to the right, px. The first ones are the same whatever n.

    Examples
    --------
    >>> one, more = (crop_offsets(1, "a", steps=2, jitter=3, n=n) for n in (1, 8))
    >>> bool((one == more[:, :1]).all()), bool((abs(more) <= 3).all())
    (True, True)
    """
    step, number, axis = np.indices((steps, n, 2)).reshape(3, -1)
    chances = keyed_uniform(seed, "crop", image_id, step, number, axis)
    return np.floor(chances * (2 * jitter + 1)).astype(int).reshape(steps, n, 2) - jitter


def canvas_plan(plan: Plan, jitter: int) -> Plan:
    """Return the plan whose only sequence has the canvas on which all frames and crops lie."""
    return replace(plan, direction="diagonal", steps=2 * reach(plan, jitter) + 1)


def crop_corners(
    sequence: Sequence, plan: Plan, image_id: str, *, jitter: int, n: int
) -> np.ndarray:
    """
    Return where frames and their crops begin on the canvas.

    Parameters
    ----------
    sequence : Sequence
        Of `canvas_plan`.
    plan : Plan
        Of the frames.
    image_id : str
    jitter : int
    n : int
        Crops per frame.

    Returns
    -------
    int array, shape (steps, 1 + n, 2)
        First row and column of each frame's window, then of its crops'.
    """
    # Of the diagonal's frames the one with the image shifted by k is the k-th from the middle.
    middle = reach(plan, jitter)
    shifts = middle + np.outer(centred_shifts(plan.steps), _ALONG[plan.direction])
    own = np.stack([sequence.top[shifts[:, 0]], sequence.left[shifts[:, 1]]], axis=1)[:, None]
    offsets = crop_offsets(plan.seed, image_id, steps=plan.steps, jitter=jitter, n=n)
    return np.concatenate([own, own + offsets], axis=1)
