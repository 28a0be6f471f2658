"""One image read twice, two images of one name, and one object marked twice."""

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

import numpy as np
import pandas as pd

from biaskit.annotations.crowds import copies_in_crowd
from biaskit.annotations.repairs import Repairs

__all__ = ["leave_out_copies", "one_file_per_image"]

SAME = 0.95  # IoU above which two boxes of one category are one object marked twice
CROWD = 1000  # boxes of one category in one image, above which not all pairs are looked at
UNIQUE = r"^(?:n\d{8}_\d+|ILSVRC\d{4}_(?:val|test|train)_\d+)$"
CONTENT = ["category", "width", "height", "x_min", "y_min", "x_max", "y_max"]
SIDES = CONTENT[3:]


def one_file_per_image(raw: pd.DataFrame, repairs: Repairs) -> pd.DataFrame:
    """
    Name each image, and keep its boxes from one file only: the first by name.

    ImageNet's names are unique in the world: whatever the folder, the second file of one is
    refused. Other names are unique only within their folder: ``cat/001`` and ``dog/001`` of
    different boxes are two images, and keep their folders in front.

    Parameters
    ----------
    raw : DataFrame
        Columns of `RawBox` and ``source``, in order of source and file.
    repairs : Repairs
        Receives ``same_image``, once per file and image refused, and ``same_name``.

    Returns
    -------
    DataFrame
        With the column ``image_id``.
    """
    raw = raw.assign(image_id=raw["image"].str.replace(r"^.*/", "", regex=True))
    known = raw["image_id"].str.contains(UNIQUE).to_numpy()
    group = _codes(raw["split"].where(~known, ""), raw["image_id"])
    file = _codes(raw["source"], raw["file"], raw["image"])
    first = pd.Series(file).groupby(group).transform("min").to_numpy()
    doubtful = np.isin(group, group[file != first])
    if not doubtful.any():
        return raw
    names = raw["image_id"].to_numpy(dtype=object)
    refused: list[int] = []
    for spoken in _spoken(raw, np.flatnonzero(doubtful), group, file):
        refused += _one_name(spoken, bool(known[spoken[0].rows[0]]), names, repairs)
    return (
        raw.assign(image_id=pd.array(names, dtype="str")).drop(index=refused).reset_index(drop=True)
    )


def _codes(*columns: pd.Series) -> np.ndarray:
    """Number the different combinations of values, in the order in which they appear."""
    total = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        codes, values = pd.factorize(column)
        total = pd.factorize(total * (len(values) + 1) + codes)[0]
    return total


class _Spoken(NamedTuple):
    """What one file says of one image: the object first named, the boxes, the rows."""

    file: str
    image: str
    number: int
    content: frozenset[tuple[object, ...]]
    rows: list[int]


def _spoken(
    raw: pd.DataFrame, where: np.ndarray, group: np.ndarray, file: np.ndarray
) -> Iterator[list[_Spoken]]:
    """Yield for every group what each file says, in order of the files."""
    # No pandas per group: whoever names a source twice has as many groups as images.
    where = where[np.lexsort((where, file[where], group[where]))]
    its = raw.iloc[where]
    content = list(its[CONTENT].itertuples(index=False, name=None))
    said = zip(its["file"], its["image"], its["number"].astype(int), strict=True)
    keys = zip(group[where].tolist(), file[where].tolist(), strict=True)
    rows = zip(keys, said, content, where.tolist(), strict=True)
    for _, of_group in groupby(rows, key=lambda row: row[0][0]):
        found = []
        for _, of_file in groupby(of_group, key=lambda row: row[0]):
            _, spoken, boxes, places = zip(*of_file, strict=True)
            name, image, number = spoken[0]
            found.append(_Spoken(name, image, number, frozenset(boxes), list(places)))
        yield found


def _one_name(
    spoken: list[_Spoken], unique: bool, names: np.ndarray, repairs: Repairs
) -> list[int]:
    """Decide over the files that speak of images of one name; return the rows refused."""
    kept: list[_Spoken] = []
    place: dict[object, int] = {}  # in kept, of an image's name and of its boxes
    refused: list[int] = []
    for its in spoken:
        same = [place[key] for key in (its.image, its.content) if key in place]
        if not kept or not (same or unique):
            place.setdefault(its.image, len(kept))
            place.setdefault(its.content, len(kept))
            kept.append(its)
            continue
        twin = kept[min(same, default=0)]
        refused += its.rows
        number = -1 if its.file != twin.file else its.number
        repairs.add(its.file, "same_image", f"{its.image}, read from {twin.file}", number=number)
    if len(kept) > 1:
        for its in kept:
            repairs.add(its.file, "same_name", names[its.rows[0]], its.image)
            names[its.rows] = its.image
    return refused


def leave_out_copies(raw: pd.DataFrame, repairs: Repairs, threshold: float = SAME) -> pd.DataFrame:
    """
    Keep the first of boxes of one image and category that are nearly the same.

    Parameters
    ----------
    raw : DataFrame
        In order of object within image, with edges in fractions and ``image_id``.
    repairs : Repairs
        Receives ``near_copy``.
    threshold : float
        Overlap (intersection over union) above which two boxes are one.

    Returns
    -------
    DataFrame
        The rows kept.
    """
    group = _codes(raw["split"], raw["image_id"], raw["category"])
    left_out: dict[int, int] = {}
    boxes, crowded = raw[SIDES].to_numpy(), np.zeros(len(raw), dtype=bool)
    if 0.5 <= threshold < 1:
        crowded = (np.bincount(group, minlength=1) > CROWD)[group]
    pairs = _pairs(group, boxes, np.flatnonzero(~crowded), threshold)
    where = np.flatnonzero(crowded)
    where = where[np.argsort(group[where], kind="stable")]
    for rows in np.split(where, np.flatnonzero(np.diff(group[where])) + 1):
        pairs += [
            (int(rows[one]), int(rows[other]), overlap)
            for one, other, overlap in copies_in_crowd(boxes[rows], threshold)
        ]
    for one, other, overlap in pairs:
        if one in left_out or other in left_out:
            continue
        left_out[other] = one
        file, number, twin = (
            raw["file"].iloc[other],
            raw["number"].iloc[other],
            raw["number"].iloc[one],
        )
        found = f"overlaps object {twin:.0f} by {overlap:.3f}"
        repairs.add(file, "near_copy", found, f"object {twin:.0f}", number=int(number))
    return raw.drop(index=list(left_out)).reset_index(drop=True) if left_out else raw


def _pairs(
    group: np.ndarray, boxes: np.ndarray, rows: np.ndarray, threshold: float
) -> list[tuple[int, int, float]]:
    """
    Return those of the rows of one group that overlap by more than the threshold, in pairs.

    Boxes that overlap so much begin within (1 - threshold) of a width of each other: sorted
    by their left edges, each is compared with its next neighbours only.
    """
    order = rows[np.lexsort((boxes[rows, 0], group[rows]))]
    group, boxes = group[order], boxes[order]
    reach = boxes[:, 0] + (1 - threshold) * (boxes[:, 2] - boxes[:, 0]) + 1e-9
    found: list[tuple[int, int, float]] = []
    one, lag = np.arange(len(group)), 1
    while len(one):
        one = one[one + lag < len(group)]
        other = one + lag
        near = (group[one] == group[other]) & (boxes[other, 0] <= reach[one])
        one, other = one[near], other[near]
        overlap = _overlap(boxes[one], boxes[other])
        for i in np.flatnonzero(overlap > threshold):
            a, b = sorted((int(order[one[i]]), int(order[other[i]])))
            found.append((a, b, float(overlap[i])))
        lag += 1
    return sorted(found)


def _overlap(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Intersection over union, row by row: `biaskit.geometry.iou_matrix` compares all with all."""
    low, high = np.maximum(one[:, :2], other[:, :2]), np.minimum(one[:, 2:], other[:, 2:])
    inter = np.clip(high - low, 0, None).prod(axis=1)
    area = (one[:, 2:] - one[:, :2]).prod(axis=1) + (other[:, 2:] - other[:, :2]).prod(axis=1)
    with np.errstate(invalid="ignore"):  # areas so small that they are 0 overlap nothing
        return inter / (area - inter)
