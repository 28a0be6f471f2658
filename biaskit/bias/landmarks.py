"""
Landmark pairs: two marked points of an object, such as its eyes, as one thing with a place.

The box that a pair spans has its centre at the midpoint, and lies within the frame because both
marks do. So a pair is an object with a continuous box, and whatever ``nulls`` says of the place
of a box holds for the midpoint: under ``fit`` the pair keeps its distance and tilt and lands with
equal chance wherever both marks are inside.

The distance is a length in pixels, so that a tall picture does not make it larger; it is told as a
fraction of the picture's width. Its null ``frame`` is uniform from 0 to the longest line of this
tilt that fits the frame, ``log-uniform`` the same in logarithms from 16 px. The tilt's null,
``circle``, is that every tilt is as likely: it begins again after half a turn, so only Kuiper's
test, which knows no beginning, is asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from biaskit.bias.measures import touches_of
from biaskit.bias.nulls import LOG_UNIFORM_PX, stage_of, variable
from biaskit.bias.objects import EDGE_PX, Objects, arrange
from biaskit.errors import TableError
from biaskit.tables import BOXES, MEASURES

__all__ = ["PAIR_NULLS", "Pairs", "landmark_pairs", "pair_measures", "pair_uniform"]

PAIR_NULLS: Mapping[str, tuple[str, ...]] = {
    "midpoint_x": ("frame", "fit"),
    "midpoint_y": ("frame", "fit"),
    "distance": ("frame", "log-uniform", "log-uniform-8px", "log-uniform-32px"),
    "angle": ("circle",),
}
_OBJECT = ["category", "image_id", "object"]
_MARKING = [*_OBJECT, "annotator", "annotation"]


@dataclass(frozen=True)
class Pairs:
    """
    Landmark pairs in the order of their objects.

    Attributes
    ----------
    objects : Objects
        The boxes they span; no split.
    points : str array, shape (n,)
        Names of the two, with a blank between.
    right, down : float array, shape (n,)
        From the first point to the second, px.
    marks : DataFrame
        One row per pair and annotator, rising: row (of the pair), annotator, and what this
        annotator measured in px: midpoint_x, midpoint_y, distance.
    n_incomplete : int
        Objects of which nobody marked both points: no pair.
    n_swapped : int
        Markings with the two points exchanged, by the other markings of the object.
    """

    objects: Objects
    points: np.ndarray
    right: np.ndarray
    down: np.ndarray
    marks: pd.DataFrame = field(repr=False)
    n_incomplete: int
    n_swapped: int

    @property
    def distance(self) -> np.ndarray:
        """Distance of the points in px, shape (n,)."""
        return np.hypot(self.right, self.down)

    @property
    def angle(self) -> np.ndarray:
        """Tilt in degrees, over -90 to 90, positive if it rises to the right; NaN without one."""
        turn = np.degrees(np.arctan2(-self.down, self.right))
        turn = 90 - (90 - turn) % 180
        return np.where(self.distance > 0, turn, np.nan)

    def __len__(self) -> int:
        return len(self.right)


def landmark_pairs(
    keypoints: pd.DataFrame,
    *,
    pair: Sequence[str] | None = None,
    edge_px: float = EDGE_PX,
) -> Pairs:
    """
    Join the marks of each object into one pair: the mean over its annotators.

    Who marked an object several times counts once. A marking whose points lie nearer to the
    other ones of the object's first marking has them exchanged: it is turned round.

    Parameters
    ----------
    keypoints : DataFrame
        A table ``keypoints``.
    pair : two str, optional
        The points; by default the two points of each category, or left_eye and right_eye.
    edge_px : float
        A pair touches a side if a mark is at most this many pixels from it.

    Returns
    -------
    Pairs

    Raises
    ------
    TableError
        If a category has more than two points and it is not said which.

    Examples
    --------
    >>> from biaskit.tables import KEYPOINTS
    >>> len(landmark_pairs(KEYPOINTS.empty()))
    0
    """
    if pair is not None and (len(pair) != 2 or pair[0] == pair[1]):
        raise TableError(f"a pair is two different points, found {' '.join(pair)!r}.")
    named = _named_pairs(keypoints, pair)
    rows = keypoints.merge(named, on=["category", "point"], how="inner")
    there = rows[rows["x"].notna() & rows["y"].notna()]
    sides = [there[there["place"] == place].set_index(_MARKING) for place in (0, 1)]
    kept = ["x", "y", "image_width", "image_height", "points"]
    other = sides[1][["x", "y"]].rename(columns={"x": "x_2", "y": "y_2"})
    both = sides[0][kept].join(other, how="inner").reset_index()
    both = both.sort_values(_MARKING, kind="stable", ignore_index=True)
    both, n_swapped = _turned_round(both)
    numbers = ["x", "y", "x_2", "y_2"]
    whole = dict.fromkeys(("image_width", "image_height", "points"), "first")
    by_who = both.groupby([*_OBJECT, "annotator"], sort=True)
    single = by_who.agg({**dict.fromkeys(numbers, "mean"), **whole}).reset_index()
    by_object = single.groupby(_OBJECT, sort=True)
    table = by_object.agg({**dict.fromkeys(numbers, "mean"), **whole}).reset_index()
    n_objects = len(rows[_OBJECT].drop_duplicates())
    marks = _single(single, by_object.ngroup())
    return Pairs(
        objects=arrange(_boxes(table), edge_px=edge_px),
        points=table["points"].to_numpy(object),
        right=((table["x_2"] - table["x"]) * table["image_width"]).to_numpy(float),
        down=((table["y_2"] - table["y"]) * table["image_height"]).to_numpy(float),
        marks=marks,
        n_incomplete=n_objects - len(table),
        n_swapped=n_swapped,
    )


def _named_pairs(keypoints: pd.DataFrame, pair: Sequence[str] | None) -> pd.DataFrame:
    """Return category, point, its place in the pair (0 or 1), and the names of both."""
    found = []
    for category, points in keypoints.groupby("category", sort=True)["point"]:
        names = sorted(points.unique())
        two = list(pair) if pair else names
        if len(two) > 2 and {"left_eye", "right_eye"} <= set(two):
            two = ["left_eye", "right_eye"]
        if len(two) > 2:
            raise TableError(
                f"keypoints: category {category} has the points {', '.join(names)[:120]}; which "
                f"two make the pair? --pair {names[0]},{names[1]}"
            )
        if len(two) == 2:
            found += [(category, point, k, " ".join(two)) for k, point in enumerate(two)]
    return pd.DataFrame(found, columns=["category", "point", "place", "points"]).astype(
        {"category": "str", "point": "str", "place": "int64", "points": "str"}
    )


def _turned_round(both: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Exchange the points of markings that lie nearer the other way round to the first one."""
    of_object = both.groupby(_OBJECT, sort=False)
    size = both[["image_width", "image_height"]].to_numpy(float)
    ends = [both[list(names)].to_numpy(float) * size for names in (("x", "y"), ("x_2", "y_2"))]
    first = [
        of_object[list(names)].transform("first").to_numpy(float) * size
        for names in (("x", "y"), ("x_2", "y_2"))
    ]

    def apart(order: tuple[int, int]) -> np.ndarray:
        gaps = (ends[k] - first[m] for k, m in zip(order, (0, 1), strict=True))
        return sum((np.hypot(*gap.T) for gap in gaps), np.zeros(len(both)))

    wrong = apart((1, 0)) < apart((0, 1))
    turned = both.copy()
    for one, other in (("x", "x_2"), ("y", "y_2")):
        turned.loc[wrong, one], turned.loc[wrong, other] = both[other][wrong], both[one][wrong]
    return turned, int(wrong.sum())


def _single(single: pd.DataFrame, row: pd.Series) -> pd.DataFrame:
    """Return what each annotator measured, px."""
    width, height = single["image_width"], single["image_height"]
    across, down = (single["x_2"] - single["x"]) * width, (single["y_2"] - single["y"]) * height
    return pd.DataFrame(
        {
            "row": row,
            "annotator": single["annotator"],
            "midpoint_x": (single["x"] + single["x_2"]) / 2 * width,
            "midpoint_y": (single["y"] + single["y_2"]) / 2 * height,
            "distance": np.hypot(across.to_numpy(float), down.to_numpy(float)),
        }
    )


def _boxes(table: pd.DataFrame) -> pd.DataFrame:
    sides = {
        f"{axis}_{end}": table[[axis, f"{axis}_2"]].agg(end, axis=1).astype(float)
        for axis in "xy"
        for end in ("min", "max")
    }
    size = {name: table[name].astype("int64") for name in ("image_width", "image_height")}
    return BOXES.check(table[_OBJECT].assign(split="", lattice=0.0, **size, **sides), "pairs")


def pair_measures(pairs: Pairs) -> pd.DataFrame:
    """
    Return midpoint, distance and tilt of every pair: rows of table ``measures``.

    Parameters
    ----------
    pairs : Pairs

    Returns
    -------
    DataFrame
        A table ``measures`` in which the columns of boxes are missing.

    Examples
    --------
    >>> from biaskit.tables import KEYPOINTS
    >>> len(pair_measures(landmark_pairs(KEYPOINTS.empty())))
    0
    """
    objects = pairs.objects
    box = objects.table
    nothing = dict.fromkeys(("centre_x", "centre_y", "width", "height", "area"), np.nan)
    measured = box[["category", "image_id", "object", "split"]].assign(
        points=pd.Series(pairs.points, index=box.index, dtype="str"),
        **nothing,
        touches=touches_of(objects),
        midpoint_x=(box["x_min"] + box["x_max"]) / 2,
        midpoint_y=(box["y_min"] + box["y_max"]) / 2,
        distance=pairs.distance / objects.x.frame,
        angle=pairs.angle,
    )
    return MEASURES.check(measured, "measures")


def pair_uniform(pairs: Pairs, measure: str, null: str, edges: str) -> np.ndarray:
    """
    Turn one measure of every pair into a number that is uniform on (0, 1) if the null is true.

    Parameters
    ----------
    pairs : Pairs
    measure, null : str
        See ``PAIR_NULLS``.
    edges : {"with", "without"}
        ``without`` sets aside pairs with a mark near the frame (on the axis measured; distance
        and angle: on any), and narrows the null to the interior.

    Returns
    -------
    float array, shape (n,)
        NaN for pairs left out: no room, touching, or shorter than the null's least.

    Raises
    ------
    ValueError
        If this measure has no such null, or ``edges`` is unknown.

    Notes
    -----
    With L the sides of the frame (of its interior), d the distance, t the longest line of this
    tilt: d / t = max(|right| / L_x, |down| / L_y). Uniform: u = d / t. Log-uniform from k px:
    u = ln(d / k) / ln(t / k).
    """
    if null not in PAIR_NULLS.get(measure, ()):
        raise ValueError(f"measure {measure!r} has no null {null!r}; known: {PAIR_NULLS}")
    objects = pairs.objects
    if measure.startswith("midpoint"):
        place = measure.replace("midpoint", "position")
        # Continuous numbers own no cell, so the seed decides nothing.
        return variable(objects, place, null, edges, seed=0).u
    across, down = (stage_of(objects, side, edges) for side in (objects.x, objects.y))
    distance = pairs.distance
    inside = across.keep & down.keep & (distance > 0)
    if measure == "angle":
        return np.where(inside, _open(np.nan_to_num(pairs.angle) % 180 / 180), np.nan)
    length = [np.where(stage.length > 0, stage.length, 1.0) for stage in (across, down)]
    share = np.maximum(objects.x.size / length[0], objects.y.size / length[1])
    inside &= (across.length > 0) & (down.length > 0) & (share <= 1 + 1e-9)
    if null == "frame":
        return np.where(inside, _open(share), np.nan)
    least = LOG_UNIFORM_PX[null]
    longest = distance / np.where(inside, share, 1.0)
    inside &= (distance >= least) & (longest > least)
    distance, longest = np.where(inside, distance, least), np.where(inside, longest, 2 * least)
    return np.where(inside, _open(np.log(distance / least) / np.log(longest / least)), np.nan)


def _open(u: np.ndarray) -> np.ndarray:
    """Keep u strictly inside (0, 1), where logarithms end."""
    return np.clip(u, 2.0**-53, 1 - 2.0**-53)
