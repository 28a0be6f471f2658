"""Names of points in a chart, where they are free, with a line to the point if that is far."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd

from biaskit.charts.label_places import label_places
from biaskit.charts.rows import plain_text
from biaskit.charts.theme import GREY

__all__ = ["Bars", "Frame", "named_points"]

Bars = Sequence[tuple[float, float, float, float]]
_LETTERS = 24
_HALF_LETTER, _HALF_LINE, _FAR = 3.1, 7, 11  # px


@dataclass(frozen=True)
class Frame:
    """
    A chart's axes in data and in px.

    Attributes
    ----------
    x, y : (float, float)
        Ends of the axes, in the data's units.
    width, height : int
        Of the plot, px.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    width: int
    height: int

    def px(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return px from the top left."""
        across = (x - self.x[0]) / (self.x[1] - self.x[0]) * self.width
        return across, (self.y[1] - y) / (self.y[1] - self.y[0]) * self.height

    def data(self, across: np.ndarray, down: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the data's units."""
        x = self.x[0] + across / self.width * (self.x[1] - self.x[0])
        return x, self.y[1] - down / self.height * (self.y[1] - self.y[0])


def named_points(
    frame: Frame, names: Sequence[str], x: np.ndarray, y: np.ndarray, bars: Bars
) -> list[alt.Chart]:
    """
    Write the names of points.

    Parameters
    ----------
    frame : Frame
    names : sequence of str
        Cut to 24 characters.
    x, y : float arrays
        The points, in the data's units.
    bars : sequence of (x, y, x, y)
        Lines that names had better not cross, from left to right or from bottom to top.

    Returns
    -------
    list of altair.Chart
        Layers; none without a point.

    Examples
    --------
    >>> frame = Frame((0, 1), (0, 1), 200, 100)
    >>> len(named_points(frame, ["a"], np.array([0.5]), np.array([0.5]), []))
    1
    """
    if not len(names):
        return []
    shown = [plain_text(n if len(n) <= _LETTERS else f"{n[: _LETTERS - 1]}…") for n in names]
    across, down = frame.px(x, y)
    ends = np.array(bars, float).reshape(-1, 4)
    (left, bottom), (right, top) = frame.px(*ends[:, :2].T), frame.px(*ends[:, 2:].T)
    places = label_places(
        across.tolist(),
        down.tolist(),
        shown,
        width=frame.width,
        height=frame.height,
        lines=list(zip(left, top, right, bottom, strict=True)),
    )
    middle = np.array(places).T
    half = _HALF_LETTER * np.array([len(name) for name in shown])
    # A line ends at the side of the word that is nearest to its point.
    end_x = np.clip(across, middle[0] - half, middle[0] + half)
    end_y = np.clip(down, middle[1] - _HALF_LINE, middle[1] + _HALF_LINE)
    far = np.hypot(end_x - across, end_y - down) > _FAR
    (label_x, label_y), (x2, y2) = frame.data(*middle), frame.data(end_x, end_y)
    at = pd.DataFrame({"name": shown, "label_x": label_x, "label_y": label_y})
    at = at.assign(x=x, x2=x2, y=y, y2=y2).round(5)
    text = alt.Chart(at).mark_text(fontSize=12).encode(x="label_x:Q", y="label_y:Q", text="name:N")
    leads = (
        alt.Chart(at[far])
        .mark_rule(color=GREY, strokeWidth=1, opacity=0.7)
        .encode(x="x:Q", x2="x2:Q", y="y:Q", y2="y2:Q")
    )
    return [leads, text] if far.any() else [text]
