"""From marks as written to fractions of the picture that was marked; each doubt is on record."""

from typing import cast

import numpy as np
import pandas as pd

from biaskit.annotations.photographs import Photograph, Photographs
from biaskit.annotations.repairs import Repairs
from biaskit.annotations.settle import LARGEST_SIDE, ROUNDING

__all__ = ["one_mark_per_point", "settle_marks"]

TURNED = (5, 6, 7, 8)  # EXIF: quarter turns, which exchange width and height
# Two sizes of one picture may differ by the rounding of a side.
SHAPE_PX = 1.0
POINT = ["category", "image_id", "object", "annotator", "annotation", "point"]


def settle_marks(
    raw: pd.DataFrame, repairs: Repairs, photographs: Photographs | None
) -> pd.DataFrame:
    """
    Check sizes, hold them against the photographs, and turn places into fractions.

    Parameters
    ----------
    raw : DataFrame
        Columns of `RawMark`.
    repairs : Repairs
        Receives ``no_size``, ``exif_rotation``, ``exif_mismatch``, ``image_size``,
        ``other_shape``, ``broken_image``, ``no_images`` and ``outside``.
    photographs : Photographs or None
        Give sizes that are missing, and check those that are there.

    Returns
    -------
    DataFrame
        The rows kept; x and y in 0 to 1, NaN where absent.
    """
    raw = _sizes(raw, repairs, photographs)
    return _inside(raw, repairs)


def _sizes(raw: pd.DataFrame, repairs: Repairs, photographs: Photographs | None) -> pd.DataFrame:
    size = raw[["width", "height"]].to_numpy(float, copy=True)
    good = ((size >= 1) & (size <= LARGEST_SIDE) & (size == np.floor(size))).all(axis=1)
    size[~good] = np.nan
    raw = raw.assign(width=size[:, 0], height=size[:, 1])
    marked, number = raw["x"].notna().to_numpy(), raw["number"].to_numpy()
    keep = np.ones(len(raw), bool)
    keys = ["file", "photograph", "width", "height"]
    for key, indices in raw.groupby(keys, sort=True, dropna=False).indices.items():
        file, picture, width, height = cast(tuple[str, str, float, float], key)
        rows = np.asarray(indices)
        seen = photographs.look(picture) if photographs else None
        found, kept, kind, new = _verdict(width, height, seen)
        if new is not None:
            size[rows] = new
        elif np.isnan(width):
            # Whoever says that nothing is there need not say how large the picture is.
            rows = rows[marked[rows]]
        if kind == "no_size" and not photographs:
            found += "; photographs (--images) can give it"
        keep[rows] &= bool(kept) or not kind
        for one in np.unique(number[rows]) if kind else ():
            repairs.add(file, kind, found, kept, number=int(one))
    raw = raw.assign(width=size[:, 0], height=size[:, 1])
    if photographs is not None:
        pictures = raw["photograph"].unique()
        lacking = sum(photographs.look(picture) is None for picture in pictures)
        if lacking:
            found = f"{lacking:,} of {len(pictures):,} images have no photograph"
            repairs.add(photographs.folder.name, "no_images", found)
    return raw.loc[keep].reset_index(drop=True)


def _verdict(
    width: float, height: float, seen: Photograph | None
) -> tuple[str, str, str, tuple[float, float] | None]:
    """Return what was found, what is kept, the kind of repair if any, and a size if it is new."""
    if seen is not None and seen.trouble:
        kept = "" if np.isnan(width) else f"{width:.0f} x {height:.0f} px of the annotation"
        return f"{seen.name}: {seen.trouble}", kept, "broken_image", None
    if np.isnan(width) or np.isnan(height):
        if seen is None:
            return "no size", "", "no_size", None
        if seen.orientation in TURNED:
            return f"{seen.name}: turned for display, and no size says how", "", "no_size", None
        size = (float(seen.width), float(seen.height))
        return "no size", f"{seen.width} x {seen.height} px of the photograph", "no_size", size
    if seen is None:
        return "", "", "", None
    stored = (seen.width, seen.height)
    shown = stored[::-1] if seen.orientation in TURNED else stored
    kept = f"{width:.0f} x {height:.0f} px of the annotation"
    turned = f"{seen.name}: {stored[0]} x {stored[1]} px, EXIF {seen.orientation}"
    if _same_shape((width, height), shown):
        if seen.orientation in TURNED:
            return turned, kept, "exif_rotation", None
        if (width, height) != shown:
            return f"{seen.name}: {shown[0]} x {shown[1]} px", kept, "image_size", None
        return "", "", "", None
    if _same_shape((width, height), stored):
        return f"{turned}, marked at {width:.0f} x {height:.0f} px", "", "exif_mismatch", None
    found = f"{seen.name}: {shown[0]} x {shown[1]} px, marked at {width:.0f} x {height:.0f} px"
    return found, "", "other_shape", None


def _same_shape(size: tuple[float, float], other: tuple[float, float]) -> bool:
    """Tell whether one size is the other at another scale, up to rounding of a side."""
    (a, b), (c, d) = size, other
    return abs(a * d - b * c) <= SHAPE_PX * max(a, b, c, d)


def _inside(raw: pd.DataFrame, repairs: Repairs) -> pd.DataFrame:
    there = raw["visibility"].to_numpy() != "absent"
    written = raw[["x", "y"]].to_numpy(float)
    side = np.where(raw[["whole"]].to_numpy() > 0, raw[["whole"]], raw[["width", "height"]])
    place = np.where(there[:, None], written / side, np.nan)
    out = there & ~((place >= -ROUNDING) & (place <= 1 + ROUNDING)).all(axis=1)
    for row in np.flatnonzero(out):
        one = raw.iloc[row]
        found = f"{one['point']}: {written[row, 0]:.10g} {written[row, 1]:.10g}"
        found += f" of {side[row, 0]:.10g} x {side[row, 1]:.10g}"
        repairs.add(one["file"], "outside", found, number=int(one["number"]))
    place = np.clip(place, 0, 1)
    return raw.assign(x=place[:, 0], y=place[:, 1]).loc[~out].reset_index(drop=True)


def one_mark_per_point(raw: pd.DataFrame, repairs: Repairs) -> pd.DataFrame:
    """
    Leave out marks that were read already, number repeats, and refuse points marked twice.

    Parameters
    ----------
    raw : DataFrame
        Settled marks with ``image_id`` and the table's ``annotator``.
    repairs : Repairs
        Receives ``same_marks`` and ``duplicate_mark``.

    Returns
    -------
    DataFrame
        With the column ``annotation``: the rank of the marking among those of its image and
        annotator, from 0.
    """
    unit = ["category", "image_id", "object", "annotator"]
    same = raw.duplicated([*unit, "marking", "point", "visibility", "x", "y"])
    for file, number in _once(raw[same]):
        repairs.add(file, "same_marks", "", "as read before", number=number)
    raw = raw[~same].sort_values([*unit, "order", "marking"], kind="stable", ignore_index=True)
    if raw.empty:
        return raw.assign(annotation=np.zeros(0, np.int64))
    # The markings of an image, whichever of its objects they speak of.
    whose = ["category", "image_id", "annotator"]
    marking = raw.sort_values(["order", "marking"], kind="stable")[[*whose, "marking"]]
    marking = marking.drop_duplicates()
    marking["annotation"] = marking.groupby(whose).cumcount().astype(np.int64)
    raw = raw.merge(marking, on=[*whose, "marking"], how="left", validate="many_to_one")
    twice = raw.duplicated(POINT, keep=False)
    for _, rows in raw[twice].groupby(POINT, sort=True):
        first = rows.iloc[0]
        places = "; ".join(f"{x:.4f} {y:.4f}" for x, y in rows[["x", "y"]].to_numpy())
        for file, number in _once(rows):
            repairs.add(file, "duplicate_mark", f"{first['point']}: {places}", number=number)
    return raw[~twice].reset_index(drop=True)


def _once(rows: pd.DataFrame) -> list[tuple[str, int]]:
    pairs = rows[["file", "number"]].drop_duplicates()
    return [(str(file), int(number)) for file, number in pairs.itertuples(index=False)]
