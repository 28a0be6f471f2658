"""
The boxes of a study as plain arrays in one fixed order, grouped by category.

Everything in ``biaskit.bias`` works on these arrays. The order (split, category, image,
object) is part of the result: sums run in it, so the order of the files changes no byte.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from biaskit.chance import hash_keys
from biaskit.geometry import box_pixels, touching
from biaskit.tables import BOXES

__all__ = ["EDGE_PX", "Objects", "Side", "arrange"]

EDGE_PX = 2  # a box that ends this near the frame (px) is taken as cut by it


@dataclass(frozen=True)
class Side:
    """One axis of every box, in pixels of the annotation; all arrays have shape (n,)."""

    start: np.ndarray  # position of the left (top) edge
    size: np.ndarray  # width (height) of the box
    frame: np.ndarray  # width (height) of the image
    lattice: np.ndarray  # step of the annotation's grid; 0 if continuous
    touches: np.ndarray  # bool: ends within edge_px of the frame on this axis


@dataclass(frozen=True)
class Objects:
    """
    Annotated objects in canonical order.

    ``group`` numbers the (category, split) pairs, ``image`` the images; both rise along the
    rows, so each group and each image is one run of rows.
    """

    groups: pd.DataFrame  # category, split; one row per group
    group: np.ndarray  # int64, shape (n,)
    image: np.ndarray  # int64, shape (n,): number of the image among all images
    image_group: np.ndarray  # int64, shape (n_images,): the group of every image
    key: np.ndarray  # uint64, shape (n,): hash of category, split, image id and object
    x: Side
    y: Side
    edge_px: float
    table: pd.DataFrame = field(repr=False)  # the boxes table in this order

    @property
    def n_groups(self) -> int:
        """Number of (category, split) pairs."""
        return len(self.groups)

    def __len__(self) -> int:
        return len(self.group)


def arrange(boxes: pd.DataFrame, *, edge_px: float = EDGE_PX) -> Objects:
    """
    Put a boxes table into canonical order and pixels.

    Parameters
    ----------
    boxes : DataFrame
        A table ``boxes``.
    edge_px : float
        A box touches a side if at most this many pixels of room are left there.

    Returns
    -------
    Objects

    Examples
    --------
    >>> arrange(BOXES.empty()).n_groups
    0
    """
    boxes = BOXES.sort(boxes)
    category, split = boxes["category"].astype(str), boxes["split"].astype(str)
    new_group = _starts(split, category)
    new_image = new_group | _starts(boxes["image_id"].astype(str))
    group, image = np.cumsum(new_group) - 1, np.cumsum(new_image) - 1
    groups = pd.DataFrame(
        {"category": category[new_group].to_numpy(), "split": split[new_group].to_numpy()}
    )
    lattice = boxes["lattice"].to_numpy(np.float64)
    return Objects(
        groups=groups,
        group=group,
        image=image,
        image_group=group[new_image],
        key=hash_keys(category, split, boxes["image_id"].astype(str), boxes["object"]),
        x=_side(boxes, "x", "image_width", lattice, edge_px),
        y=_side(boxes, "y", "image_height", lattice, edge_px),
        edge_px=edge_px,
        table=boxes,
    )


def _starts(*columns: pd.Series) -> np.ndarray:
    """Mark the rows at which any of the columns changes."""
    starts = np.zeros(len(columns[0]), bool)
    for column in columns:
        codes = pd.factorize(column)[0]
        starts[1:] |= codes[1:] != codes[:-1]
    starts[:1] = True
    return starts


def _side(
    boxes: pd.DataFrame, axis: str, frame_name: str, lattice: np.ndarray, edge_px: float
) -> Side:
    frame = boxes[frame_name].to_numpy(np.float64)
    low, high = (boxes[f"{axis}_{end}"].to_numpy(np.float64) for end in ("min", "max"))
    start, size = box_pixels(low, high, frame, lattice)
    at_low, at_high = touching(start, size, frame, edge_px)
    return Side(start, size, frame, lattice, at_low | at_high)
