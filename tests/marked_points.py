"""Tables of marked points for several tests."""

import numpy as np
import pandas as pd

from biaskit.tables import KEYPOINTS

__all__ = ["POINTS", "marked"]

POINTS = ("left_eye", "right_eye")


def marked(
    places,
    *,
    frame=(400, 300),
    category="dog",
    annotator="A1",
    annotation=0,
    points=POINTS,
    start=0,
    objects=None,
):
    "Pairs in pixels, shape (n, 4): x, y of the first point, x, y of the second; one per image"
    corners = np.asarray(places, float).reshape(-1, 4)
    n = len(corners)
    parts = []
    for k, point in enumerate(points):
        place = corners[:, 2 * k : 2 * k + 2] / np.asarray(frame, float)
        known = ~np.isnan(place).any(axis=1)
        parts.append(
            pd.DataFrame(
                {
                    "category": category,
                    "image_id": [f"i{start + i:06d}" for i in range(n)],
                    "object": np.zeros(n, np.int64) if objects is None else objects,
                    "annotator": annotator,
                    "annotation": annotation,
                    "point": point,
                    "visibility": np.where(known, "visible", "absent"),
                    "x": place[:, 0],
                    "y": place[:, 1],
                    "image_width": float(frame[0]),
                    "image_height": float(frame[1]),
                    "lead_time": 2.0,
                    "source": "manual",
                }
            )
        )
    words = ["category", "image_id", "annotator", "point", "visibility", "source"]
    table = pd.concat(parts, ignore_index=True).astype(dict.fromkeys(words, "str"))
    return KEYPOINTS.check(KEYPOINTS.sort(table), "marked")
