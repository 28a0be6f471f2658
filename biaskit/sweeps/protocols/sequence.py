"""What a protocol makes of one image: canvases, and the windows of them that are the frames."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Plan", "Sequence", "centred_shifts"]

Array = np.ndarray


@dataclass(frozen=True)
class Plan:
    """
    How the frames of a sweep are made; the same for every image, and small.

    Attributes
    ----------
    protocol, direction, fill : str
        As in the table ``frames``; the fill without ``-refilled``.
    steps : int
        Frames per sequence: along each side of a grid, at each scale, per film all of them.
    input_size : int
        Side of the network's square input, px.
    resize : int
        Shorter side of the whole image before the network's own centre crop, px.
    interpolation : str
        Of resizing, one of Pillow's names in lower case.
    longer_side : int
        Of the whole image where it is embedded, px of the input.
    refill : bool
        The background is filled anew at every step.
    objects : {"largest", "all", "each"}
        Which boxes ``crop`` keeps inside: the largest, all at once, each by itself.
    pairs : int
        Pairs of windows per image.
    seed : int
        Of places and noise.
    scales : tuple of float
        Longer sides of the whole image under ``places``, of the input's side, the largest first;
        empty for all other protocols.
    """

    protocol: str
    direction: str
    fill: str
    steps: int
    input_size: int
    resize: int
    interpolation: str
    longer_side: int
    refill: bool = False
    objects: str = "largest"
    pairs: int = 1
    seed: int = 0
    scales: tuple[float, ...] = ()


@dataclass(frozen=True)
class Sequence:
    """
    The frames of one image that follow each other.

    Attributes
    ----------
    object_number, pass_number : int
        As in the table ``frames``.
    canvases : uint8 array, shape (n_canvases, height, width, 3)
    canvas, top, left : int arrays, shape (n_frames,)
        Of each frame: which canvas, and its window's first row and column.
    dx, dy, scale : float arrays, shape (n_frames,)
        As in the table ``frames``.
    box_area : float
        Of the object, or of the whole image, as a share of the input's area.
    room : int
        Steps of one pixel there was room for.
    starts : bool
        False if it goes on with the sequence before it: a film comes in pieces.
    """

    object_number: int
    pass_number: int
    canvases: Array
    canvas: Array
    top: Array
    left: Array
    dx: Array
    dy: Array
    scale: Array
    box_area: float
    room: int
    starts: bool = True

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.top)


def centred_shifts(steps: int) -> Array:
    """
    Return shifts of one pixel each, as many to one side of 0 as to the other.

    Examples
    --------
    >>> centred_shifts(5).tolist(), centred_shifts(4).tolist()
    ([-2, -1, 0, 1, 2], [-1, 0, 1, 2])
    """
    return np.arange(steps) - (steps - 1) // 2
