"""Tables for tests of the audit page: simulated boxes, and the project's own tests of them."""

from functools import cache

import numpy as np
import pandas as pd

from biaskit.bias.effects import effects
from biaskit.bias.significance import significance
from biaskit.tables import BOXES, DRIFT, REPAIRS

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=https://example.org/x onerror=alert(1)>",
    "\" onmouseover='alert(1)'",
    "{{ 7 * 7 }} {% include 'x' %}",
    "=cmd|' /C calc'!A0",
    "\u202egnp.exe\u202c",
    "\x07bell\x00\x1b[31m",
    "two\nlines",
    "🐈 " + "long " * 60,
    "العربية",
    "]]></style></script><!--",
    "",
]


def make_boxes(categories, *, n=40, seed=0):
    """Place boxes low in the frame, the more so the later their category."""
    rng = np.random.default_rng(seed)
    parts = []
    for number, category in enumerate(categories):
        width, height = 500, 375
        size = rng.integers(30, 180, (n, 2))
        room = np.array([width, height]) - size
        bias = 1 + 6 * number / len(categories)
        start = np.floor(rng.beta([1, bias], [1, 1], (n, 2)) * (room + 1)).astype(int)
        stop = start + size
        parts.append(
            pd.DataFrame(
                {
                    "category": category,
                    "image_id": [f"i{number}_{k}" for k in range(n)],
                    "object": 0,
                    "split": "val",
                    "image_width": width,
                    "image_height": height,
                    "x_min": start[:, 0] / width,
                    "y_min": start[:, 1] / height,
                    "x_max": stop[:, 0] / width,
                    "y_max": stop[:, 1] / height,
                    "lattice": 1.0,
                }
            )
        )
    return BOXES.check(pd.concat(parts, ignore_index=True), "simulated")


def make_repairs():
    """Three repairs of one kind, one refusal of another."""
    rows = {
        "file": ["b.xml", "a<b>.xml", "c.xml", "d.xml"],
        "object": [-1, -1, -1, 0],
        "kind": ["percent_s"] * 3 + ["zero_area"],
        "found": "x",
        "kept": ["y", "y", "y", ""],
    }
    return REPAIRS.check(pd.DataFrame(rows), "made")


def make_drift(categories):
    """One measure of every category, the first of them moved."""
    n = len(categories)
    rows = pd.DataFrame(
        {
            "category": categories,
            "measure": "position_y",
            "test": "ks",
            "n_images_a": 40,
            "n_images_b": 1200,
            "n_objects_a": 40,
            "n_objects_b": 1300,
            "statistic": 0.2,
            "log10_p": [-4.0] + [-0.3] * (n - 1),
            "p_kind": "monte_carlo",
            "difference": [0.1] + [0.0] * (n - 1),
            "low": [0.05] + [-0.02] * (n - 1),
            "high": [0.15] + [0.02] * (n - 1),
            "log10_bonferroni": -1.0,
            "log10_bh": [-3.0] + [-0.3] * (n - 1),
            "flags": "",
        }
    )
    return DRIFT.check(rows, "made")


@cache
def make_tables(categories, *, n=40):
    """All tables of a study of these categories (a tuple); shared, so not to be changed."""
    boxes = make_boxes(categories, n=n)
    return {
        "boxes": boxes,
        "repairs": make_repairs(),
        "significance": significance(boxes, seed=1, draws=3, policies=["one"]),
        "effects": effects(boxes, seed=1, n_resamples=100, policies=["one"]),
    }
