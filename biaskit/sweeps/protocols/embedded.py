"""
Protocols that put the whole image into a filled canvas: embed, random, scale, and two controls.

The canvas is made once, at twice the input's size, and the frames are windows of it at whole
pixels: from one step to the next nothing is interpolated and nothing is filled anew.
"""

import numpy as np

from biaskit.errors import SweepError
from biaskit.sweeps.canvases import LOCAL_FILLS, fill_canvas
from biaskit.sweeps.protocols.resizing import fit_longer
from biaskit.sweeps.protocols.sequence import Plan, Sequence, centred_shifts

__all__ = ["blank", "check_room", "embed", "placed", "random_places", "repeat", "scale"]

Array = np.ndarray
_ALONG = {"horizontal": (0, 1), "vertical": (1, 0), "diagonal": (1, 1)}  # of y and x


def check_room(plan: Plan) -> None:
    """
    Refuse a plan whose image would leave the frame.

    Raises
    ------
    SweepError
    """
    size, longer = plan.input_size, plan.longer_side
    if plan.protocol == "scale":
        least, longest = (longer + int(k) for k in centred_shifts(plan.steps)[[0, -1]])
        if longest > size or least < 8:
            raise SweepError(
                f"--steps {plan.steps}: the image would be {least} to {longest} px long in an "
                f"input of {size} px, expected 8 to {size}. Take fewer steps, or a --side nearer "
                f"{size // 2}."
            )
        return
    room = size - longer
    if longer < 8 or longer > size:
        raise SweepError(f"--side {longer}: expected 8 to {size} px, the input's side.")
    if plan.protocol in ("embed", "blank") and plan.steps > room + 1:
        raise SweepError(
            f"--steps {plan.steps}: an image of {longer} px has room for {room + 1} in an input of "
            f"{size} px. Take fewer, or a smaller --side."
        )


def embed(photograph: Array, plan: Plan, *, seed: int) -> list[Sequence]:
    """
    Shift the whole image, in its filled canvas, one pixel at a time.

    Parameters
    ----------
    photograph : uint8 array, shape (h, w, 3)
    plan : Plan
        Direction horizontal, vertical, diagonal or grid (a sequence per row).
    seed : int
        Of the fill.

    Returns
    -------
    list of Sequence
        The middle step has the image in the middle of the frame.
    """
    image = fit_longer(photograph, plan.longer_side, plan.interpolation)
    shifts = centred_shifts(plan.steps)
    if plan.direction == "grid":
        dy, dx = np.repeat(shifts, plan.steps), np.tile(shifts, plan.steps)
    else:
        along = _ALONG[plan.direction]
        dy, dx = shifts * along[0], shifts * along[1]
    room = plan.input_size - plan.longer_side + 1
    whole = placed(image, dy, dx, plan, room=room, seed=seed)
    if plan.direction != "grid":
        return [whole]
    return [
        _part(whole, np.s_[k * plan.steps : (k + 1) * plan.steps], k) for k in range(plan.steps)
    ]


def blank(photograph: Array, plan: Plan, *, seed: int) -> list[Sequence]:
    """Sweep a rectangle of the image's mean colour: what the canvas' own border does."""
    colour = np.round(photograph.mean(axis=(0, 1))).astype(np.uint8)
    return embed(np.broadcast_to(colour, photograph.shape).copy(), plan, seed=seed)


def repeat(photograph: Array, plan: Plan, *, seed: int) -> list[Sequence]:
    """Show the same frame again and again: what the arithmetic alone does."""
    image = fit_longer(photograph, plan.longer_side, plan.interpolation)
    still = np.zeros(plan.steps, int)
    return [placed(image, still, still, plan, room=0, seed=seed)]


def random_places(photograph: Array, plan: Plan, *, seed: int) -> list[Sequence]:
    """Put the whole image at random places of the frame, each with equal chance."""
    image = fit_longer(photograph, plan.longer_side, plan.interpolation)
    rng = np.random.default_rng(seed)
    places = [
        rng.integers(0, plan.input_size - n, plan.steps, endpoint=True) for n in image.shape[:2]
    ]
    first = _first(image, plan)
    room = plan.input_size - plan.longer_side + 1
    return [placed(image, places[0] - first[0], places[1] - first[1], plan, room=room, seed=seed)]


def scale(photograph: Array, plan: Plan, *, seed: int) -> list[Sequence]:
    """
    Enlarge the whole image by one pixel of its longer side per step, in the middle of the frame.

    Each step is resized from the photograph, antialiased, and filled anew: a background kept from
    another size would show a seam.
    """
    sides = plan.longer_side + centred_shifts(plan.steps)
    canvases, area = [], 0.0
    for side in sides.tolist():
        image = fit_longer(photograph, side, plan.interpolation)
        canvases.append(_frame(image, _first(image, plan), plan, seed))
        area = max(area, image.shape[0] * image.shape[1] / plan.input_size**2)
    return [_each(canvases, np.zeros(plan.steps), np.zeros(plan.steps), sides, plan, area, 0)]


def _first(image: Array, plan: Plan) -> tuple[int, int]:
    """Return the row and column in the frame at which an image in the middle begins."""
    return (plan.input_size - image.shape[0]) // 2, (plan.input_size - image.shape[1]) // 2


def _frame(image: Array, corner: tuple[int, int], plan: Plan, seed: int) -> Array:
    size = (plan.input_size, plan.input_size)
    return fill_canvas(image, size, corner, plan.fill, seed=seed)


def placed(image: Array, dy: Array, dx: Array, plan: Plan, *, room: int, seed: int) -> Sequence:
    """
    Cut the frames with an image shifted from the middle, from one canvas.

    Parameters
    ----------
    image : uint8 array, shape (h, w, 3)
        As it is shown.
    dy, dx : int arrays, shape (n_frames,)
        Shifts down and to the right, px of the input.
    plan : Plan
        Its ``longer_side`` is the image's.
    room : int
        See `Sequence`.
    seed : int
        Of the fill.
    """
    size, first = plan.input_size, _first(image, plan)
    area = image.shape[0] * image.shape[1] / size**2
    if plan.refill:
        corners = zip((first[0] + dy).tolist(), (first[1] + dx).tolist(), strict=True)
        canvases = [_frame(image, corner, plan, seed) for corner in corners]
        sides = np.full(len(dy), plan.longer_side)
        return _each(canvases, dy, dx, sides, plan, area, room)
    corner = np.array([size - image.shape[0] // 2, size - image.shape[1] // 2])
    top, left = corner[0] - first[0] - dy, corner[1] - first[1] - dx
    low, high = np.array([top.min(), left.min()]), np.array([top.max(), left.max()]) + size
    if plan.fill in LOCAL_FILLS:
        near, extent = corner - low, high - low
        canvas = fill_canvas(image, _pair(extent), _pair(near), plan.fill, seed=seed)
    else:
        whole = fill_canvas(image, (2 * size, 2 * size), _pair(corner), plan.fill, seed=seed)
        canvas = whole[low[0] : high[0], low[1] : high[1]]
    return Sequence(
        object_number=-1,
        pass_number=0,
        canvases=np.ascontiguousarray(canvas)[None],
        canvas=np.zeros(len(dy), int),
        top=top - low[0],
        left=left - low[1],
        dx=dx.astype(float),
        dy=dy.astype(float),
        scale=np.full(len(dy), plan.longer_side / size),
        box_area=area,
        room=room,
    )


def _pair(values: Array) -> tuple[int, int]:
    return int(values[0]), int(values[1])


def _each(
    canvases: list[Array], dy: Array, dx: Array, sides: Array, plan: Plan, area: float, room: int
) -> Sequence:
    """Make a sequence of frames that each have a canvas of their own."""
    zeros = np.zeros(len(canvases), int)
    return Sequence(
        object_number=-1,
        pass_number=0,
        canvases=np.stack(canvases),
        canvas=np.arange(len(canvases)),
        top=zeros,
        left=zeros,
        dx=dx.astype(float),
        dy=dy.astype(float),
        scale=sides / plan.input_size,
        box_area=area,
        room=room,
    )


def _part(whole: Sequence, rows: slice, number: int) -> Sequence:
    """Return some frames of a sequence as one of their own, on the canvases they need."""
    parts = {
        name: getattr(whole, name)[rows] for name in ("canvas", "top", "left", "dx", "dy", "scale")
    }
    canvases = whole.canvases
    if len(canvases) == whole.n_frames:  # filled anew: a canvas for each frame
        canvases = canvases[rows]
        parts["canvas"] = parts["canvas"] - parts["canvas"][0]
    return Sequence(
        object_number=whole.object_number,
        pass_number=number,
        canvases=canvases,
        box_area=whole.box_area,
        room=whole.room,
        **parts,
    )
