"""
The boxes of a study as plain arrays in one fixed order, grouped by category.

Everything in ``biaskit.bias`` works on these arrays. The order (split, category, image,
object) is part of the result: sums run in it, so the order of the files changes no byte.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from biaskit.chance import hash_keys
from biaskit.geometry import box_pixels, touching
from biaskit.tables import BOXES

__all__ = ["EDGE_PX", "Objects", "Side", "arrange", "boxes_from_pixels"]

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
    rows, so each group and each image is one run of rows. An image with objects of two
    categories counts as an image of each.
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


def arrange(boxes: pd.DataFrame | Objects, *, edge_px: float = EDGE_PX) -> Objects:
    """
    Put a boxes table into canonical order and pixels.

    Parameters
    ----------
    boxes : DataFrame or Objects
        A table ``boxes``, in any order. Objects are in order already and returned as they are.
    edge_px : float
        A box touches a side if at most this many pixels of room are left there.

    Returns
    -------
    Objects

    Raises
    ------
    ValueError
        If ``edge_px`` is negative, or not that of the objects.

    Examples
    --------
    >>> arrange(BOXES.empty()).n_groups
    0
    """
    if isinstance(boxes, Objects):
        if boxes.edge_px != edge_px:
            raise ValueError(
                f"edge_px is {edge_px}, but objects were arranged with {boxes.edge_px}"
            )
        return boxes
    if not edge_px >= 0:
        raise ValueError(f"edge_px is {edge_px}, expected 0 or more pixels")
    boxes = BOXES.sort(boxes)
    names = {name: boxes[name].astype(str) for name in ("split", "category", "image_id")}
    new_group = _starts(names["split"], names["category"])
    new_image = new_group | _starts(names["image_id"])
    group, image = np.cumsum(new_group) - 1, np.cumsum(new_image) - 1
    groups = pd.DataFrame(
        {name: names[name][new_group].to_numpy(object) for name in ("category", "split")}
    )
    lattice = boxes["lattice"].to_numpy(np.float64)
    return Objects(
        groups=groups.astype(str),
        group=group,
        image=image,
        image_group=group[new_image],
        # Hashed once per image: the names are long and the objects many.
        key=hash_keys(_image_keys(names, new_image)[image], boxes["object"]),
        x=_side(boxes, "x", "image_width", lattice, edge_px),
        y=_side(boxes, "y", "image_height", lattice, edge_px),
        edge_px=edge_px,
        table=boxes,
    )


def boxes_from_pixels(
    edges: np.ndarray | Sequence[Sequence[float]],
    *,
    frame: tuple[int, int],
    category: str = "thing",
    split: str = "",
    lattice: float = 1.0,
) -> pd.DataFrame:
    """
    Return a table ``boxes`` of one category, one box per image, all images of one size.

    Parameters
    ----------
    edges : float array, shape (n, 4)
        x_min, y_min, x_max, y_max in pixels; the outer edges, so a box that fills the frame
        ends at its width and height.
    frame : (int, int)
        Width and height of the images in pixels.
    category, split : str
    lattice : float
        Step of the annotation's grid in pixels; 0 if the numbers are continuous.

    Returns
    -------
    DataFrame

    Raises
    ------
    TableError
        If a box reaches outside its image.

    Examples
    --------
    >>> boxes_from_pixels([[0, 0, 5, 10]], frame=(10, 10))["x_max"].tolist()
    [0.5]
    """
    corners = np.asarray(edges, dtype=np.float64).reshape(-1, 4)
    n = len(corners)
    table = pd.DataFrame(
        {
            "category": pd.Series([category] * n, dtype=str),
            "image_id": pd.Series([f"image_{i:07d}" for i in range(n)], dtype=str),
            "object": np.zeros(n, np.int64),
            "split": pd.Series([split] * n, dtype=str),
            "image_width": np.full(n, frame[0], np.int64),
            "image_height": np.full(n, frame[1], np.int64),
            "lattice": np.full(n, lattice, np.float64),
        }
    )
    for column, name in enumerate(("x_min", "y_min", "x_max", "y_max")):
        table[name] = corners[:, column] / frame[column % 2]
    return BOXES.check(table, "boxes_from_pixels")


def _starts(*columns: pd.Series) -> np.ndarray:
    """Mark the rows at which any of the columns changes."""
    starts = np.zeros(len(columns[0]), bool)
    for column in columns:
        codes = pd.factorize(column)[0]
        starts[1:] |= codes[1:] != codes[:-1]
    starts[:1] = True
    return starts


def _image_keys(names: dict[str, pd.Series], new_image: np.ndarray) -> np.ndarray:
    return hash_keys(*(names[name][new_image] for name in ("category", "split", "image_id")))


def _side(
    boxes: pd.DataFrame, axis: str, frame_name: str, lattice: np.ndarray, edge_px: float
) -> Side:
    frame = boxes[frame_name].to_numpy(np.float64)
    low, high = (boxes[f"{axis}_{end}"].to_numpy(np.float64) for end in ("min", "max"))
    start, size = box_pixels(low, high, frame, lattice)
    at_low, at_high = touching(start, size, frame, edge_px)
    return Side(start, size, frame, lattice, at_low | at_high)
