"""A film of the cat in which it moves by less than a pixel from frame to frame."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from biaskit.sample.cutouts import open_photograph

__all__ = ["N_FRAMES", "film_shifts", "write_film"]

N_FRAMES = 60
_SIZE = (300, 225)  # px of a frame
_ZOOM = 1.25  # px of the photograph per px of a frame: room to resample without aliasing
_START = (72.0, 8.0)  # px of the photograph: corner of the first frame's window


def film_shifts() -> np.ndarray:
    """
    Return how far the cat has moved since the first frame.

    It drifts right, by 0.3 to 0.9 px a frame, and sways up and down by less.

    Returns
    -------
    float array, shape (60, 2)
        Shift right and down, px of a frame. No step is as long as a pixel.

    Examples
    --------
    >>> steps = np.diff(film_shifts(), axis=0)
    >>> bool(np.hypot(*steps.T).max() < 1)
    True
    """
    frame = np.arange(N_FRAMES)
    right = np.cumsum(np.where(frame == 0, 0, 0.6 + 0.3 * np.sin(frame / 5)))
    return np.stack([right, 3 * np.sin(frame / 12)], axis=1)


def write_film(folder: Path, *, written: Callable[[], None]) -> int:
    """
    Write ``film/frame_000.png`` and on, with ``film.csv``, and return the number of frames.

    Each frame is a window of the photograph at a position between pixels, resampled once
    with an antialiasing filter; nothing else changes.
    """
    photograph = Image.fromarray(open_photograph("chelsea.png"))
    shifts = film_shifts()
    (folder / "film").mkdir()
    lines = ["frame,file,dx,dy,x,y"]
    for number, (x, y) in enumerate(shifts):
        name = f"frame_{number:03d}.png"
        dx, dy = shifts[number] - shifts[max(0, number - 1)]
        lines.append(f"{number},{name},{dx:.6f},{dy:.6f},{x:.6f},{y:.6f}")
        (folder / "film" / name).write_bytes(_frame(photograph, x, y))
        written()
    (folder / "film" / "film.csv").write_bytes(("\n".join(lines) + "\n").encode())
    return len(shifts)


def _frame(photograph: Image.Image, x: float, y: float) -> bytes:
    # The cat moves right when the window moves left.
    left, top = _START[0] - _ZOOM * x, _START[1] - _ZOOM * y
    box = (left, top, left + _ZOOM * _SIZE[0], top + _ZOOM * _SIZE[1])
    stream = io.BytesIO()
    photograph.resize(_SIZE, Image.Resampling.LANCZOS, box=box).save(
        stream, "PNG", compress_level=6
    )
    return stream.getvalue()
