"""Marks of the same point in the same image side by side: of two annotators, or one twice."""

import numpy as np
import pandas as pd

from biaskit.tables.agreement import MARK_PAIRS

__all__ = ["mark_pairs"]

_IMAGE = ["category", "image_id", "object"]
_WHO = ["annotator", "annotation"]
_OF_ONE = ["x", "y", "span"]
# Crosswise marks lie together within half of what they are apart as named; clear of chance.
_CLEARLY = 0.5


def mark_pairs(keypoints: pd.DataFrame) -> pd.DataFrame:
    """
    Pair the marks of every image that was looked at twice.

    Between annotators each one's first marking counts, within one the first and the second.
    Left and right are taken for swapped if the marks, exchanged, lie at less than half the
    distance they have as they are named.

    Parameters
    ----------
    keypoints : DataFrame
        A table ``keypoints``.

    Returns
    -------
    DataFrame
        The table ``mark_pairs``, in px of the image as annotated. A point that both say is absent
        has no row.

    Examples
    --------
    >>> from biaskit.tables import KEYPOINTS
    >>> len(mark_pairs(KEYPOINTS.empty()))
    0
    """
    marks = _in_px(keypoints)
    first = marks[marks["annotation"] == 0]
    between = _pair(first, first, "between")
    within = _pair(first, marks[marks["annotation"] == 1], "within")
    parts = [between, within, _against_others(first)]
    pairs = pd.concat([part for part in parts if len(part)] or [parts[0]], ignore_index=True)
    pairs = pairs[pairs["x"].notna() | pairs["other_x"].notna()]
    pairs = _swapped(pairs)
    return MARK_PAIRS.check(MARK_PAIRS.sort(pairs), "mark_pairs")


def _in_px(keypoints: pd.DataFrame) -> pd.DataFrame:
    """Return a row for every point of every marking, in px; NaN where it was not marked."""
    table = keypoints[[*_IMAGE, *_WHO, "point", "x", "y", "image_width", "image_height"]].copy()
    table = table.astype(dict.fromkeys(("category", "image_id", "annotator", "point"), "str"))
    # Where all is absent nobody told the size; another annotator did.
    for side in ("image_width", "image_height"):
        table[side] = table.groupby(_IMAGE)[side].transform("max")
    table["x"] *= table["image_width"]
    table["y"] *= table["image_height"]
    markings = table[[*_IMAGE, *_WHO, "image_width", "image_height"]].drop_duplicates()
    points = table[["category", "point"]].drop_duplicates()
    whole = markings.merge(points, on="category")
    whole = whole.merge(
        table[[*_IMAGE, *_WHO, "point", "x", "y"]], on=[*_IMAGE, *_WHO, "point"], how="left"
    )
    return _with_span(whole)


def _with_span(marks: pd.DataFrame) -> pd.DataFrame:
    """Add the distance from each point to the other one of its marking, if there are two."""
    unit = [*_IMAGE, *_WHO]
    groups = marks.groupby(unit)
    two = groups["x"].transform("count") == 2
    across, down = (
        groups[side].transform("max") - groups[side].transform("min") for side in ("x", "y")
    )
    return marks.assign(span=np.where(two, np.hypot(across, down), np.nan))


def _pair(marks: pd.DataFrame, others: pd.DataFrame, kind: str) -> pd.DataFrame:
    same = ["annotator"] if kind == "within" else []
    keep = [*_IMAGE, "annotator", "point", *_OF_ONE]
    right = others[keep].rename(columns={name: f"other_{name}" for name in _OF_ONE})
    if not same:
        right = right.rename(columns={"annotator": "other"})
    left = marks[[*keep, "image_width", "image_height"]]
    both = left.merge(right, on=[*_IMAGE, "point", *same])
    both = both.assign(other=both["annotator"]) if same else both
    if not same:
        number = {name: k for k, name in enumerate(sorted(set(both["annotator"]), key=_number))}
        both = both[both["annotator"].map(number) < both["other"].map(number)]
    return both.assign(kind=pd.Series(kind, index=both.index, dtype="str"))


def _number(name: str) -> tuple[int, str]:
    digits = "".join(filter(str.isdigit, name))
    return int(digits or 0), name


def _against_others(first: pd.DataFrame) -> pd.DataFrame:
    """Pair each mark with the mean of the others', where at least two others marked it."""
    marked = first[first["x"].notna()]
    groups = marked.groupby([*_IMAGE, "point"])
    n = groups["x"].transform("count")
    means = {
        f"other_{name}": (groups[name].transform("sum") - marked[name]) / (n - 1).where(n > 1)
        for name in ("x", "y")
    }
    found = marked.assign(**means, other_span=np.nan)[n >= 3]
    names = pd.Series("others", index=found.index, dtype="str")
    return found.assign(kind=names, other=names).drop(columns="annotation")


def _swapped(pairs: pd.DataFrame) -> pd.DataFrame:
    """Say of which images left and right are crosswise."""
    unit = ["kind", *_IMAGE, "annotator", "other"]
    side = pairs["point"].str.extract(r"^(left|right)_(.+)$")
    turned = side[0].map({"left": "right", "right": "left"}) + "_" + side[1]
    opposite = pairs[[*unit, "point", "other_x", "other_y"]].rename(
        columns={"point": "opposite", "other_x": "cross_x", "other_y": "cross_y"}
    )
    table = pairs.assign(opposite=turned.astype("str"))
    table = table.merge(opposite, on=[*unit, "opposite"], how="left")
    table["straight"] = np.hypot(table["x"] - table["other_x"], table["y"] - table["other_y"])
    table["cross"] = np.hypot(table["x"] - table["cross_x"], table["y"] - table["cross_y"])
    sums = table.groupby(unit)[["straight", "cross"]].transform("sum")
    n = table.groupby(unit)["cross"].transform("count")
    crosswise = (sums["cross"] < _CLEARLY * sums["straight"]) & (n == 2)
    table = table.assign(swapped=(crosswise & (table["kind"] != "others")).astype(bool))
    return table[list(MARK_PAIRS.columns)]
