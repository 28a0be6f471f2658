"""The tables of how well people agree about where a point is, with each other and themselves."""

from biaskit.schema import Column, Schema
from biaskit.tables.columns import CATEGORY, IMAGE_ID, OBJECT, count, text

__all__ = ["AGREEMENT", "MARK_PAIRS"]

_KIND = text(
    "between: two annotators; within: an annotator's first and second time; others: against the "
    "mean of all others, where at least three marked; alone: one annotator, of the time taken",
    "between",
    "within",
    "others",
    "alone",
)
_ANNOTATOR = text("whose mark it is: A1, A2 ...")
_OTHER = text("whom they are compared with: A2, others; the same again for repeats; or nobody")


def _px(meaning: str) -> Column:
    return Column(meaning, "px", missing=True)


MARK_PAIRS = Schema(
    name="mark_pairs",
    row="point marked twice in one image",
    keys=("kind", "category", "image_id", "object", "annotator", "other", "point"),
    columns={
        "kind": _KIND,
        "category": CATEGORY,
        "image_id": IMAGE_ID,
        "object": OBJECT,
        "annotator": _ANNOTATOR,
        "other": _OTHER,
        "point": text("name of the point, such as left_eye: the animal's own left"),
        "x": _px("from the left; missing if only the other marked it"),
        "y": _px("from the top; missing if only the other marked it"),
        "other_x": _px("the other's, from the left"),
        "other_y": _px("the other's, from the top"),
        "span": _px("from this point to the second of the pair, by the annotator"),
        "other_span": _px("the same by the other"),
        "image_width": Column("width of the image as annotated", "px", low=1, missing=True),
        "image_height": Column("height of the image as annotated", "px", low=1, missing=True),
        "swapped": Column(
            "left and right are crosswise: what one calls left the other calls right", kind="flag"
        ),
    },
)

AGREEMENT = Schema(
    name="agreement",
    row="quantity that two people, or one twice, are compared in",
    keys=("kind", "category", "annotator", "other", "point", "quantity"),
    columns={
        "kind": _KIND,
        "category": text("only images of this category; empty: all together"),
        "annotator": _ANNOTATOR,
        "other": _OTHER,
        "point": text("name of the point, or of both with a blank between; empty: the image"),
        "quantity": text(
            "x, y: annotator's minus other's, right and down positive; distance: of the two "
            "points, annotator's minus other's; apart: from one mark to the other; oks_image, "
            "oks_span: object keypoint similarity with the area of the image, or the square of "
            "the pair's distance; seconds: time for an image",
            "x",
            "y",
            "distance",
            "apart",
            "oks_image",
            "oks_span",
            "seconds",
        ),
        "unit": text("px, s, or empty for a similarity of 0 to 1", "px", "s", ""),
        "n": count("images compared"),
        "n_one": count("images where only one of both marked the point"),
        "n_swapped": count("images with left and right crosswise; in no other number"),
        "mean": Column("mean; of a difference the bias", "unit", missing=True),
        "mean_low": Column("lower end of its 95 % interval", "unit", missing=True),
        "mean_high": Column("upper end of its 95 % interval", "unit", missing=True),
        "median": Column("median", "unit", missing=True),
        "sd": Column("standard deviation", "unit", low=0, missing=True),
        "low": Column("lower 95 % limit of agreement; of differences", "unit", missing=True),
        "high": Column("upper 95 % limit of agreement; of differences", "unit", missing=True),
        "error": Column(
            "standard deviation of one mark if both err alike: sd / sqrt(2); of differences "
            "between two people, or within one",
            "unit",
            low=0,
            missing=True,
        ),
    },
)
