"""An image's boxes, brought onto its photograph as it lies on the disk."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from biaskit.errors import SweepError

__all__ = ["ImageBoxes", "boxes_by_image", "on_photograph"]

CUT = 8  # px; a photograph that is shorter by less was cut at the right and the bottom


@dataclass(frozen=True)
class ImageBoxes:
    """
    The boxes of one image.

    Attributes
    ----------
    numbers : int array, shape (n,)
    categories : tuple of str
    fractions : float array, shape (n, 4)
        x_min, y_min, x_max, y_max of the image's sides.
    width, height : int
        Of the image as annotated, px.
    """

    numbers: np.ndarray
    categories: tuple[str, ...]
    fractions: np.ndarray
    width: int
    height: int

    def of(self, category: str) -> "ImageBoxes":
        """Return the boxes of a category; all if it is not known, or "" ."""
        if not category:
            return self
        keep = np.array([name == category for name in self.categories], bool)
        names = tuple(name for name in self.categories if name == category)
        return ImageBoxes(self.numbers[keep], names, self.fractions[keep], self.width, self.height)


def boxes_by_image(boxes: pd.DataFrame, image_ids: set[str]) -> dict[str, ImageBoxes]:
    """
    Return the boxes of these images, from a table ``boxes``.

    An id is found as it is; else by its last part, where that is the name of one annotated image
    only. An image that is in two splits keeps the boxes of its first.
    """
    wanted = boxes[boxes["image_id"].isin(image_ids)]
    by_name = boxes.assign(name=boxes["image_id"].str.rpartition("/")[2])
    by_name = by_name[by_name["name"].isin(image_ids - set(wanted["image_id"]))]
    alone = by_name.groupby("name")["image_id"].transform("nunique") == 1
    wanted = pd.concat([wanted.assign(name=wanted["image_id"]), by_name[alone]])
    found = {}
    columns = ["x_min", "y_min", "x_max", "y_max"]
    for name, rows in wanted.groupby("name", sort=True):
        first = rows.iloc[0]
        rows = rows[rows["split"] == first["split"]]
        found[str(name)] = ImageBoxes(
            rows["object"].to_numpy(),
            tuple(rows["category"].astype(str)),
            rows[columns].to_numpy(float),
            int(first["image_width"]),
            int(first["image_height"]),
        )
    return found


def on_photograph(boxes: ImageBoxes, width: int, height: int) -> np.ndarray:
    """
    Return the boxes as fractions of a photograph's sides.

    A photograph of another size but the same shape was resized: fractions stay. One that is
    smaller by less than 8 px was cut at the right and the bottom: pixels stay, and are clipped.

    Raises
    ------
    SweepError
        If the photograph is neither; the message is the reason alone.

    Examples
    --------
    >>> boxes = ImageBoxes(np.array([0]), ("cat",), np.array([[0.1, 0, 1, 1]]), 500, 375)
    >>> on_photograph(boxes, 496, 368).round(4).tolist()
    [[0.1008, 0.0, 1.0, 1.0]]
    >>> on_photograph(boxes, 250, 188).tolist()
    [[0.1, 0.0, 1.0, 1.0]]
    """
    annotated = np.array([boxes.width, boxes.height] * 2, float)
    size = np.array([width, height] * 2, float)
    lost = annotated - size
    if not lost.any():
        return boxes.fractions
    if (lost >= 0).all() and (lost < CUT).all():
        return np.minimum(boxes.fractions * annotated, size) / size
    # Rounded to whole pixels, the sides of a resized photograph are off by half of one.
    if abs(boxes.width * height - boxes.height * width) <= max(boxes.width, boxes.height):
        return boxes.fractions
    raise SweepError("photograph of another shape than annotated")
