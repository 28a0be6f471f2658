"""Pages of an animation, drawn by Pillow: the frame, the answers to it, the curve up to it."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFont

from biaskit.charts.jump_pictures import answers_of
from biaskit.charts.sweep_rows import place_words, positions, sweep_words
from biaskit.charts.sweep_titles import lines_of
from biaskit.charts.theme import BLUE, GREY, ORANGE

__all__ = ["Pages"]

_FINE = 2  # drawn so much larger, then made smaller: smooth lines
_WIDTH, _EDGE = 440, 14  # px of the page, and around what is on it
_SIDE = 224  # px of the frame
_HEAD, _CURVE = 60, 150  # px of the title's height, and of the curve's
_INK, _PAPER, _LIGHT = "#1b1f24", "white", "#e3e5e8"


class Pages:
    """
    Draws the pages of one sequence.

    Parameters
    ----------
    rows : DataFrame
        The sequence's rows of ``frames``, of one network, with ``name``, in their order.
    seen : str
        Whether the network was trained on the image, in words.
    words : mapping of str
        Class to the word shown instead.
    """

    def __init__(self, rows: pd.DataFrame, *, seen: str, words: Mapping[str, str]) -> None:
        self.rows = rows
        self.words = words
        self.at, self.axis = positions(rows)
        true = bool(rows["p_true"].notna().any())
        self.p = rows["p_true" if true else "p_first"].to_numpy(float)
        whose = "the true class" if true else "the first frame's class"
        self.curve_title = f"probability of {whose}"
        self.top = _HEAD + _SIDE + 40  # of the curve's plot
        self.height = 2 * ((self.top + _CURVE + 52) // 2)
        self.left, self.right = _EDGE + 34, _WIDTH - _EDGE
        self.fonts = {size: ImageFont.load_default(size * _FINE) for size in (11, 12, 14)}
        self.empty = self._empty(seen)

    def page(self, number: int, pixels: np.ndarray) -> Image.Image:
        """
        Draw the page of one frame.

        Parameters
        ----------
        number : int
            Of the frame, from 0.
        pixels : uint8 array, shape (h, w, 3)

        Returns
        -------
        PIL.Image.Image
            RGB.
        """
        page = self.empty.copy()
        shown = Image.fromarray(pixels).resize(
            (_SIDE * _FINE, _SIDE * _FINE), Image.Resampling.BICUBIC
        )
        page.paste(shown, (_EDGE * _FINE, _HEAD * _FINE))
        draw = ImageDraw.Draw(page)
        self._answers(draw, number)
        self._line(draw, number)
        return page.resize((_WIDTH, self.height), Image.Resampling.LANCZOS)

    # What stays

    def _empty(self, seen: str) -> Image.Image:
        page = Image.new("RGB", (_WIDTH * _FINE, self.height * _FINE), _PAPER)
        draw = ImageDraw.Draw(page)
        first = self.rows.iloc[0]
        word = str(self.words.get(first["category"]) or first["category"]).partition(", ")[0]
        head = f"{first['image_id']}" + (f": {word}" if word else "")
        about = f"{first['name']}; {sweep_words(self.rows)}; {seen}"
        self._text(draw, _EDGE, 8, lines_of(head, _WIDTH - 2 * _EDGE)[0], 14)
        for k, line in enumerate(lines_of(about, _WIDTH - 2 * _EDGE)[:2]):
            self._text(draw, _EDGE, 27 + 14 * k, line, 11, GREY)
        self._axes(draw)
        return page

    def _axes(self, draw: ImageDraw.ImageDraw) -> None:
        self._text(draw, self.left, self.top - 20, self.curve_title, 12)
        for value in (0, 0.25, 0.5, 0.75, 1):
            y = self._y(value)
            self._stroke(draw, [(self.left, y), (self.right, y)], _LIGHT, 1)
            self._text(draw, self.left - 6, y, f"{value:g}", 11, anchor="rm")
        for value in _ticks(float(np.nanmin(self.at)), float(np.nanmax(self.at))):
            x = self._x(value)
            self._stroke(draw, [(x, self._y(0)), (x, self._y(0) + 4)], GREY, 1)
            label = f"{value:g}"
            self._text(draw, x, self._y(0) + 6, label, 11, anchor="ma")
        middle = (self.left + self.right) / 2
        self._text(draw, middle, self._y(0) + 24, self.axis, 12, anchor="ma")

    # What moves

    def _answers(self, draw: ImageDraw.ImageDraw, number: int) -> None:
        """Write the five most probable classes beside the frame."""
        frame = self.rows.iloc[number]
        left, width = _EDGE + _SIDE + 14, _WIDTH - 2 * _EDGE - _SIDE - 14
        for k, line in enumerate(lines_of(place_words(frame), width)):
            self._text(draw, left, _HEAD + 15 * k, line, 12)
        answers = answers_of(frame, self.words)
        for k, (long, p, true) in enumerate(zip(*(answers[c] for c in answers), strict=True)):
            y = _HEAD + 42 + 34 * k
            word = lines_of(str(long), width - 38)
            self._text(draw, left, y, word[0] + ("…" if len(word) > 1 else ""), 12)
            self._text(draw, left + width, y, f"{p:.2f}", 12, anchor="ra")
            self._bar(draw, left, y + 18, width, _LIGHT)
            self._bar(draw, left, y + 18, width * p, ORANGE if true else BLUE)

    def _line(self, draw: ImageDraw.ImageDraw, number: int) -> None:
        so_far = range(number + 1)
        points = [(self._x(self.at[k]), self._y(self.p[k])) for k in so_far if self.p[k] >= 0]
        if len(points) > 1:
            self._stroke(draw, points, BLUE, 2)
        if points:
            x, y = (v * _FINE for v in points[-1])
            draw.ellipse([x - 8, y - 8, x + 8, y + 8], fill=ORANGE)

    # Pens

    def _x(self, value: float) -> float:
        low, high = float(np.nanmin(self.at)), float(np.nanmax(self.at))
        return self.left + (value - low) / ((high - low) or 1.0) * (self.right - self.left)

    def _y(self, value: float) -> float:
        return self.top + (1 - value) * _CURVE

    def _text(
        self,
        draw: ImageDraw.ImageDraw,
        x: float,
        y: float,
        text: str,
        size: int,
        colour: str = _INK,
        anchor: str = "la",
    ) -> None:
        place = (x * _FINE, y * _FINE)
        draw.text(place, text, font=self.fonts[size], fill=colour, anchor=anchor)

    def _stroke(
        self, draw: ImageDraw.ImageDraw, points: list[tuple[float, float]], colour: str, width: int
    ) -> None:
        fine = [(x * _FINE, y * _FINE) for x, y in points]
        draw.line(fine, fill=colour, width=width * _FINE, joint="curve")

    def _bar(
        self, draw: ImageDraw.ImageDraw, x: float, y: float, width: float, colour: str
    ) -> None:
        box = [x * _FINE, y * _FINE, (x + width) * _FINE, (y + 7) * _FINE]
        draw.rectangle(box, fill=colour)


def _ticks(low: float, high: float) -> list[float]:
    """Return round values between two, seven at most."""
    if high <= low:
        return [low]
    rough = (high - low) / 6
    power = 10 ** np.floor(np.log10(rough))
    step = float(next(m * power for m in (1, 2, 5, 10) if m * power >= rough - 1e-12))
    first = int(np.ceil(low / step - 1e-9))
    return [round(k * step, 6) for k in range(first, int(np.floor(high / step + 1e-9)) + 1)]
