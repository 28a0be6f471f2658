"""Annotations held against the photographs they speak of: sizes, turns, types."""

from collections.abc import Iterator

import pandas as pd

from biaskit.annotations.photographs import Photograph, Photographs
from biaskit.annotations.repairs import Repairs
from biaskit.annotations.settle import files_of_many

__all__ = ["check_photographs"]

# Some JPEGs hold a second picture, for cameras with depth; their first is as good as any.
ALSO = {"MPO": "JPEG"}


def check_photographs(raw: pd.DataFrame, repairs: Repairs, photographs: Photographs) -> None:
    """
    Compare every image's size with its photograph's header; the annotation's own size stays.

    Boxes are fractions of the size that the annotator saw, so a copy of the photograph at
    another scale changes nothing; but whoever crops pixels should know.

    Parameters
    ----------
    raw : DataFrame
        Settled boxes, with whole ``width`` and ``height`` in pixels.
    repairs : Repairs
        Receives ``exif_rotation``, ``image_size``, ``image_type``, ``cmyk``,
        ``broken_image``, and one row ``no_images``.
    photographs : Photographs
    """
    if raw.empty:
        return
    shared = files_of_many(raw)
    missing, images = 0, raw.groupby(["source", "file", "image"], sort=False)
    for key, rows in images:
        _, file, image = map(str, key)
        photograph = photographs.look(image)
        if photograph is None:
            missing += 1
            continue
        width, height = int(rows["width"].iloc[0]), int(rows["height"].iloc[0])
        numbers = rows["number"].astype(int) if file in shared else [-1]
        for kind, found in _differences(photograph, width, height):
            for number in numbers:
                kept = f"{width} x {height} px of the annotation"
                repairs.add(file, kind, f"{photograph.name}: {found}", kept, number=number)
    if missing:
        found = f"{missing:,} of {images.ngroups:,} images have no photograph"
        repairs.add(photographs.folder.name, "no_images", found)


def _differences(photograph: Photograph, width: int, height: int) -> Iterator[tuple[str, str]]:
    if photograph.trouble:
        yield "broken_image", photograph.trouble
        return
    if ALSO.get(photograph.type, photograph.type) != photograph.expected:
        yield "image_type", photograph.type or "no type"
    if photograph.mode == "CMYK":
        yield "cmyk", "CMYK"
    stored = (photograph.width, photograph.height)
    if photograph.orientation in (5, 6, 7, 8):
        yield (
            "exif_rotation",
            f"{stored[0]} x {stored[1]} px, turned for display (EXIF {photograph.orientation})",
        )
        if (width, height) in (stored, stored[::-1]):
            return
    if (width, height) != stored:
        yield "image_size", f"{stored[0]} x {stored[1]} px"
