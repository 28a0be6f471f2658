"""From numbers as written to boxes within their images: each step repairs, refuses, and says so."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from biaskit.annotations.photographs import Photographs
from biaskit.annotations.repairs import Repairs

__all__ = ["files_of_many", "settle_boxes", "settle_sizes"]

SIDES = ["x_min", "y_min", "x_max", "y_max"]
LARGEST_SIDE = 10_000_000  # px
# Rounding of a fraction with six digits; less than a thousandth of a pixel of a photograph.
ROUNDING = 1e-6


def settle_sizes(
    raw: pd.DataFrame, repairs: Repairs, photographs: Photographs | None
) -> pd.DataFrame:
    """
    Keep the boxes whose image has a size: the annotation's own, else the photograph's.

    Parameters
    ----------
    raw : DataFrame
        Columns of `RawBox`.
    repairs : Repairs
        Receives ``no_size``, once per file and image.
    photographs : Photographs or None
        Where sizes are looked up that the annotation does not give.

    Returns
    -------
    DataFrame
        ``width`` and ``height`` are whole numbers from 1.
    """
    sizes = raw[["width", "height"]].to_numpy()
    good = ((sizes >= 1) & (sizes <= LARGEST_SIDE) & (sizes == np.floor(sizes))).all(axis=1)
    if good.all():
        return raw
    raw = raw.copy()
    shared = files_of_many(raw)
    for (file, image), rows in raw[~good].groupby(["file", "image"], sort=True):
        written = rows[["width", "height"]].to_numpy()[0]
        found = " x ".join("?" if np.isnan(side) else f"{side:.10g}" for side in written) + " px"
        photograph = photographs.find(image) if photographs else None
        kept = ""
        if photograph is None:
            found += "" if photographs else "; photographs (--images) can give it"
        else:
            raw.loc[rows.index, ["width", "height"]] = [photograph.width, photograph.height]
            good[rows.index] = True
            kept = f"{photograph.width} x {photograph.height} px of the photograph"
        for number in rows["number"].astype(int) if file in shared else [-1]:
            repairs.add(file, "no_size", found, kept, number=number)
    return raw.loc[good].reset_index(drop=True)


def files_of_many(raw: pd.DataFrame) -> set[str]:
    """Return the files that speak of several images: there, objects are named, not the file."""
    images = raw[["file", "image"]].drop_duplicates()
    return set(images.loc[images["file"].duplicated(), "file"])


def settle_boxes(raw: pd.DataFrame, repairs: Repairs) -> pd.DataFrame:
    """
    Turn what the file counts into edges, in fractions of the image's sides.

    Parameters
    ----------
    raw : DataFrame
        Columns of `RawBox`, with sizes settled.
    repairs : Repairs
        Receives ``not_a_number``, ``swapped``, ``zero_area`` and ``outside``.

    Returns
    -------
    DataFrame
        The rows kept, with edges in 0 to 1. A box whose least and greatest numbers coincide
        is a click without a drag and refused, though an inclusive count could call it one
        pixel wide.
    """
    raw = _finite(raw, repairs)
    raw = _in_order(raw, repairs)
    raw = _with_area(raw, repairs)
    return _inside(raw, repairs)


def _finite(raw: pd.DataFrame, repairs: Repairs) -> pd.DataFrame:
    good = np.isfinite(raw[SIDES].to_numpy()).all(axis=1)
    _refuse(raw.loc[~good], repairs, "not_a_number")
    return raw if good.all() else raw.loc[good].reset_index(drop=True)


def _in_order(raw: pd.DataFrame, repairs: Repairs) -> pd.DataFrame:
    low, high = raw[SIDES[:2]].to_numpy(), raw[SIDES[2:]].to_numpy()
    wrong = np.any(low > high, axis=1)
    if not wrong.any():
        return raw
    fixed = raw.copy()
    fixed[SIDES[:2]], fixed[SIDES[2:]] = np.minimum(low, high), np.maximum(low, high)
    rows = raw.loc[wrong]
    before, after = _written(rows), _written(fixed.loc[wrong])
    for (file, number), found, kept in zip(_names(rows), before, after, strict=True):
        repairs.add(file, "swapped", found, kept, number=number)
    return fixed


def _with_area(raw: pd.DataFrame, repairs: Repairs) -> pd.DataFrame:
    good = np.all(raw[SIDES[:2]].to_numpy() < raw[SIDES[2:]].to_numpy(), axis=1)
    _refuse(raw.loc[~good], repairs, "zero_area")
    return raw if good.all() else raw.loc[good].reset_index(drop=True)


def _inside(raw: pd.DataFrame, repairs: Repairs) -> pd.DataFrame:
    numbers = raw[SIDES].to_numpy()
    shift = raw[["first", "first"]].to_numpy()
    reach = raw[["reach", "reach"]].to_numpy()
    scale = np.where(raw[["fraction"]].to_numpy() > 0, 1.0, raw[["width", "height"]].to_numpy())
    low, high = (numbers[:, :2] - shift) / scale, (numbers[:, 2:] - shift + reach) / scale
    over = (low < -ROUNDING).any(axis=1) | (high > 1 + ROUNDING).any(axis=1)
    low, high = np.clip(low, 0, 1), np.clip(high, 0, 1)
    gone = (low >= high).any(axis=1)
    cut = np.concatenate([low * scale + shift, high * scale + shift - reach], axis=1)
    size = raw[["width", "height"]].to_numpy()
    rows = raw.loc[over | gone]
    for row, (file, number), written in zip(rows.index, _names(rows), _written(rows), strict=True):
        found = f"{written} in {size[row, 0]:.0f} x {size[row, 1]:.0f} px"
        kept = "" if gone[row] else " ".join(f"{value:.10g}" for value in cut[row])
        repairs.add(file, "outside", found, kept, number=number)
    settled = raw.assign(**dict(zip(SIDES, np.concatenate([low, high], axis=1).T, strict=True)))
    return settled.loc[~gone].reset_index(drop=True)


def _refuse(rows: pd.DataFrame, repairs: Repairs, kind: str) -> None:
    for (file, number), written in zip(_names(rows), _written(rows), strict=True):
        repairs.add(file, kind, written, number=number)


def _names(rows: pd.DataFrame) -> Iterator[tuple[str, int]]:
    return zip(rows["file"], rows["number"].astype(int), strict=True)


def _written(rows: pd.DataFrame) -> list[str]:
    """Return the numbers as they stand in the file."""
    return [" ".join(f"{value:.10g}" for value in row) for row in rows[SIDES].to_numpy()]
