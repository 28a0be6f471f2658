"""The tables of marked points: what people, or files of theirs, say of where an eye is."""

from biaskit.schema import Column, Schema
from biaskit.tables.bias import REPAIRS
from biaskit.tables.columns import CATEGORY, IMAGE_ID, OBJECT, count, text

__all__ = ["KEYPOINTS", "KEYPOINT_REPAIRS"]

KEYPOINTS = Schema(
    name="keypoints",
    row="marked point",
    keys=("category", "image_id", "object", "annotator", "annotation", "point"),
    columns={
        "category": CATEGORY,
        "image_id": IMAGE_ID,
        "object": OBJECT,
        "annotator": text("who marked it: A1, A2 ... in the order of their numbers, never a name"),
        "annotation": count("which marking of this image by this annotator, from 0: the repeats"),
        "point": text("name of the point, such as left_eye: the animal's own left"),
        "visibility": text(
            "visible; occluded: marked where it must be; absent: said not to be there",
            "visible",
            "occluded",
            "absent",
        ),
        "x": Column("from the left; missing if absent", "of image width", 0, 1, missing=True),
        "y": Column("from the top; missing if absent", "of image height", 0, 1, missing=True),
        # Numbers, not counts: where all points are absent nobody may have told the size.
        "image_width": Column("width of the image as annotated", "px", low=1, missing=True),
        "image_height": Column("height of the image as annotated", "px", low=1, missing=True),
        "lead_time": Column("time spent on the image", "s", low=0, missing=True),
        "source": text(
            "manual: clicked; prediction: proposed and left as it was; prediction-changed: "
            "proposed and moved; file: nothing is said of it",
            "manual",
            "prediction",
            "prediction-changed",
            "file",
        ),
    },
)

# Beside that of boxes: a study may hold both, and each is made anew by its own command.
KEYPOINT_REPAIRS = Schema(
    name="keypoint_repairs",
    row="thing a reader of marks changed, refused or left aside",
    columns=REPAIRS.columns,
)
