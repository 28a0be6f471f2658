"""Where each object is and how large: boxes in, table ``measures`` out."""

import numpy as np
import pandas as pd

from biaskit.bias.objects import EDGE_PX, Objects, arrange
from biaskit.geometry import touching
from biaskit.tables import MEASURES

__all__ = ["measure", "touches_of"]


def measure(boxes: pd.DataFrame | Objects, *, edge_px: float = EDGE_PX) -> pd.DataFrame:
    """
    Return centre, size and area of every box, and the sides of the frame it touches.

    Parameters
    ----------
    boxes : DataFrame or Objects
        A table ``boxes``, or what ``arrange`` made of it.
    edge_px : float
        A box touches a side if at most this many pixels of room are left there.

    Returns
    -------
    DataFrame
        A table ``measures``, in the order (split, category, image, object).

    Raises
    ------
    ValueError
        If ``edge_px`` is negative.

    Examples
    --------
    >>> from biaskit.bias.objects import boxes_from_pixels
    >>> table = measure(boxes_from_pixels([[0, 0, 5, 4]], frame=(10, 10)))
    >>> table[["centre_x", "width", "area", "touches"]].values.tolist()
    [[0.25, 0.5, 0.2, 'LT']]
    """
    objects = arrange(boxes, edge_px=edge_px)
    table = objects.table
    width, height = (table[f"{a}_max"] - table[f"{a}_min"] for a in "xy")
    measured = table[["category", "image_id", "object", "split"]].assign(
        centre_x=(table["x_min"] + table["x_max"]) / 2,
        centre_y=(table["y_min"] + table["y_max"]) / 2,
        width=width,
        height=height,
        area=width * height,
        points="",
        touches=touches_of(objects),
        **dict.fromkeys(("midpoint_x", "midpoint_y", "distance", "angle"), np.nan),
    )
    return MEASURES.check(measured, "measures")


def touches_of(objects: Objects) -> pd.Series:
    """Return the sides of the frame that each object touches: some of L, T, R, B."""
    (left, right), (top, bottom) = (
        touching(side.start, side.size, side.frame, objects.edge_px)
        for side in (objects.x, objects.y)
    )
    code = left * 1 + top * 2 + right * 4 + bottom * 8
    words = ["".join(s for bit, s in enumerate("LTRB") if c >> bit & 1) for c in range(16)]
    return pd.Series(np.array(words, dtype=object)[code], dtype=str)
