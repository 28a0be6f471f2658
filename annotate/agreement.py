"""How far annotators agree: bias, limits of agreement, object keypoint similarity, time."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from annotate.mark_pairs import mark_pairs
from biaskit.tables.agreement import AGREEMENT

__all__ = ["SIGMA", "agreement", "keypoint_similarity"]

# COCO's constant for eyes: their annotators' standard deviation over the square root of the
# object's area. It stands in for points that COCO does not know.
SIGMA = 0.025
_LIMIT = 1.96  # standard deviations: 95 % of a normal law
_DIFFERENCES = ("x", "y", "distance")
_UNITS = {"seconds": "s", "oks_image": "", "oks_span": ""}


def keypoint_similarity(
    distance: np.ndarray, area: np.ndarray, *, sigma: float = SIGMA
) -> np.ndarray:
    """
    Return COCO's object keypoint similarity of two marks, exp(-d^2 / (2 area (2 sigma)^2)).

    Parameters
    ----------
    distance : float array
        Between the marks, px.
    area : float array
        Of the object, px^2. Where no outline of the object is known there are two stand-ins: the
        image's area, which is the greatest it can be and makes marks look as similar as they
        can, and the square of the pair's own distance, which a face has several of.
    sigma : float
        Of the point.

    Returns
    -------
    float array
        1: at the same place; 0: far apart.

    References
    ----------
    M. Ruggero Ronchi and P. Perona, "Benchmarking and Error Diagnosis in Multi-Instance Pose
    Estimation", ICCV 2017; the formula is COCO's for keypoints.

    Examples
    --------
    At a distance of 2 sigma of the side it is exp(-1/2):

    >>> keypoint_similarity(np.array([0.0, 5.0]), np.array([100.0**2, 100.0**2])).round(3).tolist()
    [1.0, 0.607]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        exponent = distance**2 / (2 * area * (2 * sigma) ** 2)
    return np.exp(-np.where((distance == 0) & (area >= 0), 0.0, exponent))


def agreement(keypoints: pd.DataFrame, pairs: pd.DataFrame | None = None) -> pd.DataFrame:
    """
    Compare all annotators with each other, with the mean of the others, and with themselves.

    Parameters
    ----------
    keypoints : DataFrame
        A table ``keypoints``.
    pairs : DataFrame, optional
        Its ``mark_pairs``, if they are made already.

    Returns
    -------
    DataFrame
        The table ``agreement``: of all images, and of each category where there are several.
        Differences have Bland and Altman's limits of agreement, mean -+ 1.96 sd; the interval of
        a mean is Student's. Spread and intervals are missing with fewer than two images.

    References
    ----------
    J. M. Bland and D. G. Altman, "Statistical methods for assessing agreement between two methods
    of clinical measurement", The Lancet 327(8476), 1986.

    Examples
    --------
    >>> from biaskit.tables import KEYPOINTS
    >>> len(agreement(KEYPOINTS.empty()))
    0
    """
    pairs = mark_pairs(keypoints) if pairs is None else pairs
    several = keypoints["category"].nunique() > 1
    rows = []
    for name in ("", *sorted(keypoints["category"].unique())) if several else ("",):
        here = pairs if name == "" else pairs[pairs["category"] == name]
        marks = keypoints if name == "" else keypoints[keypoints["category"] == name]
        rows += [{"category": name, **row} for row in (*_of_pairs(here), *_of_times(marks))]
    table = pd.DataFrame(rows, columns=list(AGREEMENT.columns))
    table = table.astype({n: "float64" for n, c in AGREEMENT.columns.items() if c.kind == "number"})
    table = table.astype({n: "int64" for n, c in AGREEMENT.columns.items() if c.kind == "integer"})
    table = table.astype({n: "str" for n, c in AGREEMENT.columns.items() if c.kind == "text"})
    return AGREEMENT.check(AGREEMENT.sort(table), "agreement")


def _of_pairs(pairs: pd.DataFrame) -> Iterator[dict[str, Any]]:
    who = ["kind", "annotator", "other"]
    for key, rows in pairs.groupby(who, sort=True):
        named = dict(zip(who, key, strict=True))
        for point, marks in rows.groupby("point", sort=True):
            for quantity, values in _quantities(marks).items():
                yield {**named, "point": point, **_counts(marks), **_row(quantity, values, named)}
        spans = rows[~rows["swapped"]].drop_duplicates(["category", "image_id", "object"])
        values = (spans["span"] - spans["other_span"]).dropna().to_numpy()
        if len(values):
            points = " ".join(sorted(rows["point"].unique()))
            images = rows.drop_duplicates(["category", "image_id", "object"])
            counts = {"n_one": 0, "n_swapped": int(images["swapped"].sum())}
            one = images["span"].isna() != images["other_span"].isna()
            counts["n_one"] = int(one.sum())
            yield {**named, "point": points, **counts, **_row("distance", values, named)}


def _counts(marks: pd.DataFrame) -> dict[str, int]:
    one = marks["x"].isna() != marks["other_x"].isna()
    return {"n_one": int(one.sum()), "n_swapped": int(marks["swapped"].sum())}


def _quantities(marks: pd.DataFrame) -> dict[str, np.ndarray]:
    both = marks[marks["x"].notna() & marks["other_x"].notna() & ~marks["swapped"]]
    dx = (both["x"] - both["other_x"]).to_numpy()
    dy = (both["y"] - both["other_y"]).to_numpy()
    apart = np.hypot(dx, dy)
    spans = both[["span", "other_span"]].mean(axis=1).to_numpy()
    known = np.isfinite(spans)
    area = (both["image_width"] * both["image_height"]).to_numpy()
    return {
        "x": dx,
        "y": dy,
        "apart": apart,
        "oks_image": keypoint_similarity(apart, area),
        "oks_span": keypoint_similarity(apart[known], spans[known] ** 2),
    }


def _of_times(keypoints: pd.DataFrame) -> Iterator[dict[str, Any]]:
    marking = ["category", "image_id", "annotator", "annotation"]
    images = keypoints.drop_duplicates(marking)
    for annotator, rows in images.groupby("annotator", sort=True):
        named = {"kind": "alone", "annotator": annotator, "other": "", "point": ""}
        seconds = rows["lead_time"].dropna().to_numpy()
        yield {**named, "n_one": 0, "n_swapped": 0, **_row("seconds", seconds, named)}


def _row(quantity: str, values: np.ndarray, named: dict[str, Any]) -> dict[str, Any]:
    from scipy.stats import t

    n, nan = len(values), float("nan")
    mean = float(values.mean()) if n else nan
    sd = float(values.std(ddof=1)) if n > 1 else nan
    half = float(t.ppf(0.975, n - 1)) * sd / np.sqrt(n) if n > 1 else nan
    reach = _LIMIT * sd if quantity in _DIFFERENCES else nan
    # Against a mean of several marks the spread is not that of two alike.
    alike = quantity in _DIFFERENCES and named["kind"] in ("between", "within")
    return {
        "quantity": quantity,
        "unit": _UNITS.get(quantity, "px"),
        "n": n,
        "mean": mean,
        "mean_low": mean - half,
        "mean_high": mean + half,
        "median": float(np.median(values)) if n else nan,
        "sd": sd,
        "low": mean - reach,
        "high": mean + reach,
        "error": sd / np.sqrt(2) if alike else nan,
    }
