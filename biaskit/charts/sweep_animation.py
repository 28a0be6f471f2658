"""A sweep as a film: its frames one after the other, with the curve as it grows, GIF or MP4."""

import io
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from biaskit.charts.animation_pages import Pages
from biaskit.errors import ExportError
from biaskit.provenance import write_bytes_whole, write_json_whole

__all__ = ["ANIMATION_FORMATS", "FPS", "MOST", "animation_pages", "chosen_steps", "save_animation"]

ANIMATION_FORMATS = ("gif", "mp4")
FPS = 10
MOST = 400  # pages: of a longer film every k-th frame is shown, and each page says so
_HELD = 12  # times the last page is shown, so that the whole curve can be looked at
_SAMPLED = 24  # pages the shared palette is made of


def chosen_steps(n_frames: int) -> list[int]:
    """
    Return the steps that are shown: all, or every k-th of very many.

    Examples
    --------
    >>> chosen_steps(4), chosen_steps(1000)[:3]
    ([0, 1, 2, 3], [0, 3, 6])
    """
    return list(range(0, n_frames, -(-n_frames // MOST) or 1))


def animation_pages(
    rows: pd.DataFrame,
    frames: Iterable[np.ndarray],
    *,
    seen: str,
    words: Mapping[str, str] | None = None,
) -> Iterator[Image.Image]:
    """
    Draw a page per frame: the frame, the network's five answers, and the curve up to there.

    Parameters
    ----------
    rows : DataFrame
        The sequence's rows of ``frames``, of one network, with ``name``, in their order.
    frames : iterable of uint8 arrays, shape (h, w, 3)
        Those of ``chosen_steps``.
    seen : str
        Whether the network was trained on the image, in words.
    words : mapping of str, optional
        Class to the word shown instead.

    Yields
    ------
    PIL.Image.Image
        RGB, all of one size, with even sides.

    Examples
    --------
    See ``biaskit.charts.study_charts.save_sweep``.
    """
    steps = chosen_steps(len(rows))
    if len(steps) < len(rows):
        seen += f"; only 1 in {steps[1]} frames is shown"
    pages = Pages(rows.reset_index(drop=True), seen=seen, words=words or {})
    for step, pixels in zip(steps, frames, strict=True):
        yield pages.page(step, pixels)


def save_animation(
    pages: Iterable[Image.Image],
    path: Path,
    *,
    provenance: Mapping[str, Any],
    format: str | None = None,  # noqa: A002
) -> Path:
    """
    Write pages as a film of 10 per second, and its provenance beside it; each whole or not.

    Parameters
    ----------
    pages : iterable of PIL.Image.Image
        RGB, of one size.
    path : Path
        Its ending decides the format.
    provenance : mapping
        Ready for JSON.
    format : {"gif", "mp4"}, optional
        Instead of the ending.

    Returns
    -------
    Path
        The file. A GIF runs forever and has one palette for all pages.

    Raises
    ------
    ExportError
        If the format is unknown, there is no page, OpenCV cannot write MP4 here, or the file
        cannot be written.

    Examples
    --------
    >>> save_animation([], Path("sweep.avi"), provenance={})
    Traceback (most recent call last):
    ...
    biaskit.errors.ExportError: sweep.avi: format 'avi' is unknown, expected gif, mp4.
    """
    kind = (format or path.suffix.lstrip(".")).lower()
    if kind not in ANIMATION_FORMATS:
        expected = ", ".join(ANIMATION_FORMATS)
        raise ExportError(f"{path.name}: format '{kind}' is unknown, expected {expected}.")
    content = _gif(pages, path.name) if kind == "gif" else _mp4(pages, path.name)
    try:
        write_json_whole(path.with_name(f"{path.name}.json"), dict(provenance))
        write_bytes_whole(path, content)
    except OSError as error:
        raise ExportError(f"{path.name}: cannot be written: {error.strerror}.") from None
    return path


def _gif(pages: Iterable[Image.Image], name: str) -> bytes:
    drawn = list(pages)
    if not drawn:
        raise ExportError(f"{name}: there is no frame to show.")
    palette = _palette(drawn)
    # Dithering would make what stands still flicker, in a film about small changes.
    flat = [page.quantize(palette=palette, dither=Image.Dither.NONE) for page in drawn]
    content = io.BytesIO()
    hold = 1000 // FPS
    flat[0].save(
        content,
        "GIF",
        save_all=True,
        append_images=flat[1:],
        duration=[hold] * (len(flat) - 1) + [hold * _HELD],
        loop=0,
        optimize=False,
    )
    return content.getvalue()


def _palette(pages: list[Image.Image]) -> Image.Image:
    """Choose 256 colours for pages from all over the film together."""
    some = pages[:: -(-len(pages) // _SAMPLED)]
    small = [page.resize((page.width // 2, page.height // 2)) for page in some]
    sheet = Image.new("RGB", (small[0].width, sum(page.height for page in small)))
    for number, page in enumerate(small):
        sheet.paste(page, (0, number * page.height))
    return sheet.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def _mp4(pages: Iterable[Image.Image], name: str) -> bytes:
    try:
        import cv2
    except ImportError:
        raise ExportError(
            f"{name}: MP4 needs OpenCV. Type: pip install 'biaskit[sweeps]', or write a GIF."
        ) from None
    stream = iter(pages)
    first = next(stream, None)
    if first is None:
        raise ExportError(f"{name}: there is no frame to show.")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "film.mp4"
        code = cv2.VideoWriter.fourcc(*"mp4v")
        writer = cv2.VideoWriter(str(file), code, float(FPS), first.size)
        n, last = 0, first
        try:
            if writer.isOpened():
                for page in chain([first], stream):
                    n, last = n + 1, page
                    writer.write(np.ascontiguousarray(np.asarray(page)[:, :, ::-1]))
                for page in islice(iter(lambda: last, None), _HELD - 1):
                    writer.write(np.ascontiguousarray(np.asarray(page)[:, :, ::-1]))
        finally:
            writer.release()
        if n == 0 or _frames_in(file) != n + _HELD - 1:
            raise ExportError(
                f"{name}: this OpenCV cannot write MP4 that can be read back. Write a GIF instead."
            )
        return file.read_bytes()


def _frames_in(file: Path) -> int:
    """Count the frames that can be read."""
    import cv2

    video = cv2.VideoCapture(str(file))
    try:
        n = 0
        while video.read()[0]:
            n += 1
        return n
    finally:
        video.release()
