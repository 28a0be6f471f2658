"""Names of lines at their right ends, apart from each other, with a lead to the line."""

from collections.abc import Mapping

import altair as alt
import numpy as np
import pandas as pd
from scipy.optimize import isotonic_regression

from biaskit.charts.named_points import Frame
from biaskit.charts.network_lines import Look
from biaskit.charts.rows import plain_text

__all__ = ["line_ends", "name_lines", "short_name"]

_LINE, _ROOM = 13.5, 12.0  # px: between names, from the plot to a name


def line_ends(
    frame: Frame,
    ends: Mapping[str, tuple[float, float]],
    looks: Mapping[str, Look],
    *,
    letters: int = 18,
) -> list[alt.Chart]:
    """
    Write every line's name to the right of the plot, level with the line's end or near it.

    Parameters
    ----------
    frame : Frame
        The plot's axes.
    ends : mapping of str to (x, y)
        The last point of each line, in the data's units.
    looks : mapping of str to Look
    letters : int
        Of a name at most.

    Returns
    -------
    list of altair.Chart
        A line from each end to the name, in the network's colour, and the names; no layers
        without a line.

    Examples
    --------
    >>> frame = Frame((0, 1), (0, 1), 200, 100)
    >>> len(line_ends(frame, {"a": (1.0, 0.5)}, {"a": Look("#000000")}))
    2
    """
    if not ends:
        return []
    names = sorted(ends, key=lambda name: -ends[name][1])
    x, y = np.array([ends[name] for name in names], float).T
    _, down = frame.px(x, y)
    at = name_lines(down, frame.height)
    right, level = frame.data(np.full(len(names), frame.width + _ROOM - 3), at)
    table = pd.DataFrame(
        {
            "name": [short_name(name, letters) for name in names],
            "x": x,
            "y": y,
            "x2": right,
            "y2": level,
        }
    ).round(5)
    leads = [
        alt.Chart(table.iloc[[k]])
        .mark_rule(color=looks[name].colour, strokeWidth=1.2, strokeDash=[2, 2], opacity=0.8)
        .encode(x="x:Q", x2="x2:Q", y="y:Q", y2="y2:Q")
        for k, name in enumerate(names)
    ]
    words = (
        alt.Chart(table)
        .mark_text(fontSize=12, align="left", baseline="middle")
        .encode(x=alt.value(frame.width + _ROOM), y="y2:Q", text="name:N")
    )
    return [*leads, words]


def name_lines(down: np.ndarray, height: float, *, gap: float = _LINE) -> np.ndarray:
    """
    Move places that are in order apart, as little as can be, so that names fit on them.

    Parameters
    ----------
    down : float array, shape (n,)
        Px from the top, from the least to the greatest.
    height : float
        Of the plot, px; of more names than fit the last hang below.
    gap : float
        Px between neighbours at least.

    Examples
    --------
    >>> name_lines(np.array([50.0, 50.0]), 100, gap=10).tolist()
    [45.0, 55.0]
    """
    steps = gap * np.arange(len(down))
    found = isotonic_regression(down - steps).x
    room = max(height - steps[-1], 0.0) if len(down) else 0.0
    return np.clip(found, 0.0, room) + steps


def short_name(name: str, letters: int) -> str:
    """
    Cut a name in its middle: its end is what tells variants apart.

    Examples
    --------
    >>> short_name("efficientnet_lite0 blur-3", 18)
    'efficient…0 blur-3'
    """
    plain = plain_text(name)
    if len(plain) <= letters:
        return plain
    tail = (letters - 1) // 2
    return f"{plain[: letters - 1 - tail]}…{plain[-tail:]}"
