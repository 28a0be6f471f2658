"""Marks of simulated annotators whose error is known, as a table ``keypoints``."""

import numpy as np

from biaskit.tables import KEYPOINTS

SIZE, HALF = (500, 400), 40.0  # px: of the image, and half the distance of the eyes


def frame_of(table):
    return KEYPOINTS.check(KEYPOINTS.sort(table), "simulated")


def simulated(n, errors, bias=None, *, repeats=(), seed=20180530):
    "Everybody marks every image; those named in repeats do it twice. Errors in px, of each axis"
    import pandas as pd

    rng = np.random.default_rng(seed)
    rows = []
    for k in range(n):
        middle = rng.uniform((150, 100), (350, 300))
        for who, sd in errors.items():
            for time in range(2 if who in repeats else 1):
                for point, side in (("left_eye", HALF), ("right_eye", -HALF)):
                    spot = middle + (side, 0) + rng.normal(0, 1, 2) * sd + (bias or {}).get(who, 0)
                    rows.append(
                        {
                            "category": "dog",
                            "image_id": f"i{k}",
                            "object": 0,
                            "annotator": who,
                            "annotation": time,
                            "point": point,
                            "visibility": "visible",
                            "x": spot[0] / SIZE[0],
                            "y": spot[1] / SIZE[1],
                            "image_width": float(SIZE[0]),
                            "image_height": float(SIZE[1]),
                            "lead_time": 3.0,
                            "source": "manual",
                        }
                    )
    return frame_of(pd.DataFrame(rows))
