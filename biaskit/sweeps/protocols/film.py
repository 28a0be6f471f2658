"""Films: a folder of frames or a video file, each frame as the network would be shown it."""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from biaskit.errors import SweepError
from biaskit.sweeps.images import ENDINGS, open_photograph
from biaskit.sweeps.protocols.resizing import centre_crop, fit_shorter
from biaskit.sweeps.protocols.sequence import Plan, Sequence

__all__ = ["PIECE", "film_pieces", "is_film", "show_film"]

PIECE = 16  # frames that are held at once: of full size, before they are cut
VIDEOS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg")
_DIGITS = re.compile(r"(\d+)")


def is_film(path: Path) -> bool:
    """Tell whether a path is a video file, or a folder that may hold frames."""
    return path.is_dir() or path.suffix.lower() in VIDEOS


def film_pieces(path: Path) -> Iterator[list[np.ndarray]]:
    """
    Yield a film's frames in their order, some at a time.

    Parameters
    ----------
    path : Path
        A folder, whose frames are taken in the order of the numbers in their names, or a video.

    Yields
    ------
    list of uint8 arrays, shape (h, w, 3)

    Raises
    ------
    SweepError
        If there is no frame, or one cannot be read: a film with a gap is no film.

    Examples
    --------
    >>> next(film_pieces(Path("no film")))
    Traceback (most recent call last):
    ...
    biaskit.errors.SweepError: no film: is neither a folder of frames nor a video that can be read.
    """
    frames = _from_folder(path) if path.is_dir() else _from_video(path)
    while piece := list(islice(frames, PIECE)):
        yield piece


def _from_folder(path: Path) -> Iterator[np.ndarray]:
    files = [file for file in path.iterdir() if file.suffix.lower() in ENDINGS]
    if not files:
        raise SweepError(f"{path}: holds no frame; names end in one of {', '.join(ENDINGS)}.")
    for file in sorted(files, key=_number):
        try:
            yield open_photograph(file.read_bytes())
        except SweepError as error:
            raise SweepError(f"{path.name}/{file.name}: {error}.") from None


def _number(file: Path) -> list[tuple[int, str]]:
    """Order frame_2 before frame_10."""
    parts = _DIGITS.split(file.name)
    return [(int(part), "") if part.isdigit() else (0, part) for part in parts]


def _from_video(path: Path) -> Iterator[np.ndarray]:
    video = cv2.VideoCapture(str(path)) if path.is_file() else None
    if video is None or not video.isOpened():
        raise SweepError(f"{path}: is neither a folder of frames nor a video that can be read.")
    try:
        read, frame = video.read()
        if not read:
            raise SweepError(f"{path}: no frame of it can be read.")
        while read:
            yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
            read, frame = video.read()
    finally:
        video.release()


def show_film(frames: list[np.ndarray], plan: Plan, *, first: int) -> Sequence:
    """
    Make a sequence of some frames, each resized and cut as the network's own evaluation does.

    Parameters
    ----------
    frames : list of uint8 arrays, shape (h, w, 3)
    plan : Plan
    first : int
        Number of the first of them in the film; a sequence starts with 0.

    Returns
    -------
    Sequence
        How far the object moved from frame to frame is not known: dx and dy are missing.
    """
    side = max(plan.resize, plan.input_size)
    squares = [
        centre_crop(fit_shorter(frame, side, plan.interpolation), plan.input_size)
        for frame in frames
    ]
    scales = [side * max(f.shape[:2]) / min(f.shape[:2]) / plan.input_size for f in frames]
    zeros, missing = np.zeros(len(frames), int), np.full(len(frames), np.nan)
    return Sequence(
        object_number=-1,
        pass_number=0,
        canvases=np.stack(squares),
        canvas=np.arange(len(frames)),
        top=zeros,
        left=zeros,
        dx=missing,
        dy=missing,
        scale=np.array(scales),
        box_area=1.0,
        room=0,
        starts=first == 0,
    )
