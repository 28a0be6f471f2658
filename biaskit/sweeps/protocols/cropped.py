"""
Protocols that cut windows from the photograph itself: crop, pairs, roll. Nothing is filled.

``crop`` is the paper's: windows of the original photograph, unscaled, that keep the object's box
inside. ``pairs`` is Zhang's: two windows at random of the photograph at the usual size. ``roll``
shifts cyclically, which no camera does, and is exact for networks with circular padding.
"""

import numpy as np

from biaskit.errors import SweepError
from biaskit.sweeps.protocols.resizing import centre_crop, fit_shorter
from biaskit.sweeps.protocols.sequence import Plan, Sequence, centred_shifts

__all__ = ["crop", "pairs", "pick_boxes", "roll"]

Array = np.ndarray
_ALONG = {"horizontal": (0, 1), "vertical": (1, 0), "diagonal": (1, 1)}


def pick_boxes(numbers: Array, boxes: Array, which: str) -> list[tuple[int, Array]]:
    """
    Choose the boxes that windows have to keep inside.

    Parameters
    ----------
    numbers : int array, shape (n,)
        Object numbers.
    boxes : float array, shape (n, 4)
        x_min, y_min, x_max, y_max.
    which : {"largest", "all", "each"}

    Returns
    -------
    list of (object number, box)
        -1 for the box around all.

    Examples
    --------
    >>> boxes = np.array([[0, 0, 2, 2], [1, 1, 9, 9.0]])
    >>> numbers = np.array([3, 4])
    >>> [(number, box.tolist()) for number, box in pick_boxes(numbers, boxes, "largest")]
    [(4, [1.0, 1.0, 9.0, 9.0])]
    >>> pick_boxes(numbers, boxes, "all")[0][1].tolist()
    [0.0, 0.0, 9.0, 9.0]
    """
    if which == "all":
        return [(-1, np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)]))]
    if which == "each":
        return list(zip(numbers.tolist(), boxes, strict=True))
    largest = int(np.argmax((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])))
    return [(int(numbers[largest]), boxes[largest])]


def crop(
    photograph: Array, numbers: Array, boxes: Array, plan: Plan
) -> tuple[list[Sequence], dict[int, str]]:
    """
    Cut windows that keep an object inside, one pixel further at each step.

    Across the direction of the sweep the object is as near the window's middle as the photograph
    allows; along it the windows lie around the middle of their range.

    Parameters
    ----------
    photograph : uint8 array, shape (h, w, 3)
    numbers : int array, shape (n,)
        Object numbers.
    boxes : float array, shape (n, 4)
        x_min, y_min, x_max, y_max as fractions of the photograph's sides.
    plan : Plan
        ``crop-scaled`` resizes the photograph first as the network's own evaluation does.

    Returns
    -------
    list of Sequence
        With ``steps`` frames, or as many as there is room for.
    dict of int to str
        Object number and the reason, where there is room for less than two.
    """
    if plan.protocol == "crop-scaled":
        photograph = fit_shorter(photograph, plan.resize, plan.interpolation)
    shape, size = np.array(photograph.shape[:2]), plan.input_size
    if (shape < size).any():
        return [], {-1: f"photograph is smaller than the input, {size} px"}
    along = np.array(_ALONG[plan.direction])
    found, refused = [], {}
    for number, box in pick_boxes(numbers, boxes, plan.objects):
        low, high = np.floor(box[[1, 0]] * shape + 1e-6), np.ceil(box[[3, 2]] * shape - 1e-6)
        if (high - low > size).any():
            refused[number] = f"box is larger than the input, {size} px"
            continue
        first, last = np.maximum(0, high - size), np.minimum(low, shape - size)
        room = int((last - first)[along > 0].min()) + 1
        if room < 2:
            refused[number] = "no room for a step: the box fills the window or the photograph ends"
            continue
        starts = _starts(first, last, (low + high - size) / 2, along, min(room, plan.steps))
        area = float(np.prod(high - low)) / size**2
        found.append(_windows(photograph, starts, plan, number, area, room))
    return found, refused


def _starts(first: Array, last: Array, middle: Array, along: Array, steps: int) -> Array:
    """Return first row and column of every window, shape (steps, 2)."""
    across = np.clip(np.rint(middle), first, last)
    begin = np.where(along > 0, first + (last - first + 1 - steps) // 2, across)
    # The object moves right when the window moves left.
    return (begin + along * np.arange(steps)[::-1, None]).astype(int)


def _windows(
    photograph: Array, starts: Array, plan: Plan, number: int, area: float, room: int
) -> Sequence:
    low, high = starts.min(axis=0), starts.max(axis=0) + plan.input_size
    canvas = photograph[low[0] : high[0], low[1] : high[1]]
    middle = starts[(len(starts) - 1) // 2]
    return Sequence(
        object_number=number,
        pass_number=0,
        canvases=np.ascontiguousarray(canvas)[None],
        canvas=np.zeros(len(starts), int),
        top=starts[:, 0] - low[0],
        left=starts[:, 1] - low[1],
        dx=(middle[1] - starts[:, 1]).astype(float),
        dy=(middle[0] - starts[:, 0]).astype(float),
        scale=np.full(len(starts), max(photograph.shape[:2]) / plan.input_size),
        box_area=area,
        room=room,
    )


def pairs(photograph: Array, plan: Plan, *, seed: int) -> list[Sequence]:
    """
    Cut pairs of windows at random places of the photograph at its usual size.

    The photograph is resized so that a window of 224 px has 256 px to move in (for other inputs
    in the same ratio) and cut to a square; offsets are 0 to 31 px, as in Zhang's own code.

    References
    ----------
    R. Zhang, "Making convolutional networks shift-invariant again", ICML 2019.
    """
    side = round(plan.input_size * 256 / 224)
    square = centre_crop(fit_shorter(photograph, side, plan.interpolation), side)
    offsets = np.random.default_rng(seed).integers(0, side - plan.input_size, (plan.pairs, 2, 2))
    middle = (side - plan.input_size) // 2
    return [
        Sequence(
            object_number=-1,
            pass_number=number,
            canvases=np.ascontiguousarray(square)[None],
            canvas=np.zeros(2, int),
            top=both[:, 0],
            left=both[:, 1],
            dx=(middle - both[:, 1]).astype(float),
            dy=(middle - both[:, 0]).astype(float),
            scale=np.full(2, _scale(photograph, side, plan)),
            box_area=1.0,
            room=side - plan.input_size,
        )
        for number, both in enumerate(offsets)
    ]


def roll(photograph: Array, plan: Plan) -> list[Sequence]:
    """Shift the network's own evaluation crop cyclically: what leaves on one side comes back."""
    size = plan.input_size
    if plan.steps > size:
        raise SweepError(
            f"--steps {plan.steps}: after {size} a cyclic shift is back where it began."
        )
    resized = fit_shorter(photograph, max(plan.resize, size), plan.interpolation)
    square, along = centre_crop(resized, size), _ALONG[plan.direction]
    shifts = centred_shifts(plan.steps)
    dy, dx = shifts * along[0], shifts * along[1]
    tiles = np.tile(square, (1 + along[0], 1 + along[1], 1))
    return [
        Sequence(
            object_number=-1,
            pass_number=0,
            canvases=tiles[None],
            canvas=np.zeros(len(shifts), int),
            top=-dy % size,
            left=-dx % size,
            dx=dx.astype(float),
            dy=dy.astype(float),
            scale=np.full(len(shifts), _scale(photograph, max(plan.resize, size), plan)),
            box_area=1.0,
            room=size,
        )
    ]


def _scale(photograph: Array, shorter: int, plan: Plan) -> float:
    longest, least = max(photograph.shape[:2]), min(photograph.shape[:2])
    return shorter * longest / least / plan.input_size
