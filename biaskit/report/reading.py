"""What was read, and what had to be repaired or was refused."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from biaskit.annotations.repairs import KINDS
from biaskit.bias.objects import EDGE_PX
from biaskit.export.escapes import visible

__all__ = ["Reading", "RepairKind", "reading"]


@dataclass(frozen=True)
class RepairKind:
    """All repairs of one kind."""

    kind: str
    about: str
    repaired: int
    refused: int
    example: str  # the first file by name


@dataclass(frozen=True)
class Reading:
    """What the tables boxes and repairs hold, in numbers."""

    n_boxes: int
    n_images: int
    n_categories: int
    images_per_category: str
    one_box: float  # share of images with one box
    frame: str  # the median image
    touching: float  # share of boxes that end at the frame, give or take edge_px
    splits: tuple[str, ...]
    repairs: tuple[RepairKind, ...]


def reading(boxes: pd.DataFrame, repairs: pd.DataFrame, *, edge_px: float = EDGE_PX) -> Reading:
    """
    Sum up what was read.

    Parameters
    ----------
    boxes, repairs : DataFrame
        Tables of these names.
    edge_px : float
        A box ends at the frame if at most this many pixels of room are left.

    Returns
    -------
    Reading
        Shares are NaN without boxes.

    Examples
    --------
    >>> from biaskit.tables import BOXES, REPAIRS
    >>> reading(BOXES.empty(), REPAIRS.empty()).n_images
    0
    """
    images = boxes.groupby(["split", "category", "image_id"], observed=True, sort=False).size()
    per = images.groupby(level=[0, 1], observed=True).size()
    wide, tall = boxes["image_width"].to_numpy(), boxes["image_height"].to_numpy()
    # The same as the tests count, up to half a pixel of rounding.
    room = np.minimum.reduce(
        [
            boxes["x_min"].to_numpy() * wide,
            boxes["y_min"].to_numpy() * tall,
            (1 - boxes["x_max"].to_numpy()) * wide,
            (1 - boxes["y_max"].to_numpy()) * tall,
        ]
    )
    some = len(boxes) > 0
    return Reading(
        n_boxes=len(boxes),
        n_images=int(boxes.groupby(["split", "image_id"], observed=True, sort=False).ngroups),
        n_categories=int(boxes["category"].nunique()),
        images_per_category=_span(per),
        one_box=float((images == 1).mean()) if some else float("nan"),
        frame=f"{np.median(wide):.0f} × {np.median(tall):.0f} px" if some else "",
        touching=float((room <= edge_px + 0.5).mean()) if some else float("nan"),
        splits=tuple(visible(str(s)) for s in sorted(boxes["split"].unique()) if s),
        repairs=_kinds(repairs),
    )


def _span(counts: pd.Series) -> str:
    if counts.empty:
        return ""
    low, high = int(counts.min()), int(counts.max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _kinds(repairs: pd.DataFrame) -> tuple[RepairKind, ...]:
    found = []
    for kind, rows in repairs.groupby("kind", observed=True, sort=True):
        refused = int((rows["kept"] == "").sum())
        name = str(kind)
        found.append(
            RepairKind(
                visible(name),
                KINDS.get(name, ""),
                len(rows) - refused,
                refused,
                visible(str(rows["file"].min()))[:120],
            )
        )
    return tuple(found)
