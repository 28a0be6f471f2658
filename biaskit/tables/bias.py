"""The tables of bias in the data: boxes, repairs, tests, effects and their calibration."""

from biaskit.schema import Column, Schema
from biaskit.tables.columns import CATEGORY, IMAGE_ID, OBJECT, P_KINDS, SPLIT, count, log10_p, text

__all__ = [
    "BOXES",
    "CALIBRATION",
    "DRIFT",
    "EFFECTS",
    "MEASURES",
    "REPAIRS",
    "SIGNIFICANCE",
    "SYMMETRY",
]


def _of_box(meaning: str, unit: str) -> Column:
    return Column(meaning, unit, 0, 1, missing=True)


_MEASURES = (
    "position",
    "position_x",
    "position_y",
    "width",
    "height",
    "area",
    "position_height",
    # of landmark pairs
    "midpoint",
    "midpoint_x",
    "midpoint_y",
    "distance",
    "angle",
)
_NULLS = ("frame", "fit", "log-uniform", "log-uniform-8px", "log-uniform-32px", "circle")
_POLICIES = ("one", "weighted", "all", "largest")
_EDGES = ("with", "without")
_TESTS = ("chi2", "ks", "kuiper", "cvm", "ad", "smooth", "bonferroni")
_QUESTION = {
    "category": CATEGORY,
    "split": SPLIT,
    "measure": text("what is measured of the object", *_MEASURES),
    "null": text("what it is compared with: where objects would be without a choice", *_NULLS),
    "policy": text("how several objects of one image count", *_POLICIES),
    "edges": text("with or without boxes that touch the frame on the axis measured", *_EDGES),
}

BOXES = Schema(
    name="boxes",
    row="annotated object",
    keys=("split", "category", "image_id", "object"),
    columns={
        "category": CATEGORY,
        "image_id": IMAGE_ID,
        "object": OBJECT,
        "split": SPLIT,
        # The size on the annotator's screen, which is not always the file's own.
        "image_width": count("width of the image as annotated", "px", low=1),
        "image_height": count("height of the image as annotated", "px", low=1),
        "x_min": Column("left edge of the box", "of image width", 0, 1),
        "y_min": Column("top edge of the box", "of image height", 0, 1),
        "x_max": Column("right edge of the box", "of image width", 0, 1),
        "y_max": Column("bottom edge of the box", "of image height", 0, 1),
        "lattice": Column("step of the annotation's grid; 0 if continuous", "px", low=0),
    },
)

REPAIRS = Schema(
    name="repairs",
    row="thing a reader changed or refused",
    columns={
        "file": text("the file within its source, with / between folders"),
        "object": count("number of the object within its file; -1: the whole file", low=-1),
        "kind": text("what was wrong, one of biaskit.annotations.repairs.KINDS"),
        "found": text("what stood there"),
        "kept": text("what was kept instead; empty: refused"),
    },
)

MEASURES = Schema(
    name="measures",
    row="annotated object or landmark pair",
    keys=("split", "category", "image_id", "object", "points"),
    columns={
        "category": CATEGORY,
        "image_id": IMAGE_ID,
        "object": OBJECT,
        "split": SPLIT,
        "points": text("the two points of a landmark pair, with a blank between; empty: a box"),
        "centre_x": _of_box("horizontal centre of the box", "of image width"),
        "centre_y": _of_box("vertical centre of the box", "of image height"),
        "width": _of_box("width of the box", "of image width"),
        "height": _of_box("height of the box", "of image height"),
        "area": _of_box("area of the box", "of image area"),
        "touches": text("sides of the frame it touches: some of L, T, R, B, in this order"),
        "midpoint_x": Column("between the two points", "of image width", 0, 1, missing=True),
        "midpoint_y": Column("between the two points", "of image height", 0, 1, missing=True),
        "distance": Column(
            "between the two points, in pixels over the image's width",
            "of image width",
            low=0,
            missing=True,
        ),
        "angle": Column(
            "tilt of the line through both points; positive rises to the right",
            "degrees",
            -90,
            90,
            missing=True,
        ),
    },
)

SIGNIFICANCE = Schema(
    name="significance",
    row="test of one category",
    keys=("category", "split", "measure", "null", "policy", "edges", "test"),
    columns={
        **_QUESTION,
        "test": text("the statistic", *_TESTS),
        "n_images": count("images that entered the test"),
        "n_objects": count("objects that entered the test"),
        "n_excluded": count("objects left out: no room, touching, or smaller than the null"),
        "statistic": Column("value of the statistic; missing without data", missing=True),
        "log10_p": log10_p("log10 of the p-value: the one to quote"),
        "p_kind": text("what log10_p is", *P_KINDS),
        "log10_p_asymptotic": log10_p("the large-sample value, to stand beside"),
        "log10_p_low": log10_p("least log10_p over the redraws of chance; missing if not redrawn"),
        "log10_p_high": log10_p("greatest log10_p over the redraws of chance"),
        "log10_bonferroni": log10_p("corrected over the categories of this test, Bonferroni"),
        "log10_holm": log10_p("corrected, Holm"),
        "log10_bh": log10_p("corrected, Benjamini-Hochberg"),
        "log10_by": log10_p("corrected, Benjamini-Yekutieli"),
        "flags": text("cautions, separated by spaces; see the README"),
    },
)

EFFECTS = Schema(
    name="effects",
    row="effect size of one category",
    keys=("category", "split", "measure", "null", "policy", "edges", "effect"),
    columns={
        **_QUESTION,
        "effect": text("which effect size; see biaskit.bias.effects"),
        "value": Column("estimate, corrected for its bias where it has one", missing=True),
        "low": Column("lower end of the interval", missing=True),
        "high": Column("upper end of the interval; missing for a one-sided one", missing=True),
        "expected": Column("what the null expects", missing=True),
        "level": Column("confidence level of the interval", "share", 0, 1, missing=True),
        "n": count("images that entered"),
    },
)

SYMMETRY = Schema(
    name="symmetry",
    row="symmetry or coupling test of one category",
    keys=("category", "split", "policy", "edges", "test"),
    columns={
        "category": CATEGORY,
        "split": SPLIT,
        "policy": _QUESTION["policy"],
        "edges": _QUESTION["edges"],
        "test": text(
            "mirror_sign and mirror_mean: left against right; coupling: size with eccentricity",
            "mirror_sign",
            "mirror_mean",
            "coupling",
        ),
        "n_images": count("images that entered the test"),
        "n_objects": count("objects that entered the test"),
        "statistic": Column("value of the statistic", missing=True),
        "log10_p": log10_p("log10 of the p-value"),
        "p_kind": text("what log10_p is", *P_KINDS),
        "effect": Column(
            "share right of the middle less 1/2; mean of u less 1/2; rank correlation",
            missing=True,
        ),
        "low": Column("lower end of the effect's 95 % interval", missing=True),
        "high": Column("upper end of the effect's 95 % interval", missing=True),
        "log10_bh": log10_p("corrected over categories, Benjamini-Hochberg"),
        "flags": text("cautions, separated by spaces"),
    },
)

DRIFT = Schema(
    name="drift",
    row="comparison of one category between two sets of boxes",
    keys=("category", "measure", "test"),
    columns={
        "category": CATEGORY,
        "measure": _QUESTION["measure"],
        "test": text("two-sample statistic on image-weighted distributions", "ks", "cvm", "chi2"),
        "n_images_a": count("images of the first set: this study"),
        "n_images_b": count("images of the second set: the one it is held against"),
        "n_objects_a": count("objects of the first set"),
        "n_objects_b": count("objects of the second set"),
        "statistic": Column("value of the statistic", missing=True),
        "log10_p": log10_p("log10 of the p-value; whole images permuted between the sets"),
        "p_kind": text("what log10_p is", *P_KINDS),
        "difference": Column("mean of the first set less mean of the second", missing=True),
        "low": Column("lower end of the difference's 95 % interval", missing=True),
        "high": Column("upper end of the difference's 95 % interval", missing=True),
        "log10_bonferroni": log10_p("corrected over categories, Bonferroni"),
        "log10_bh": log10_p("corrected over categories, Benjamini-Hochberg"),
        "flags": text("cautions, separated by spaces"),
    },
)

CALIBRATION = Schema(
    name="calibration",
    row="simulated experiment",
    keys=("kind", "subject", "measure", "null", "scenario", "n", "level"),
    columns={
        "kind": text(
            "size: rejections under the null; power: under a planted bias; coverage: of an "
            "interval; tail: log10 p against exact enumeration",
            "size",
            "power",
            "coverage",
            "tail",
        ),
        "subject": text("the test or effect on trial"),
        "measure": text("what is measured", *_MEASURES),
        "null": text("the null", *_NULLS),
        "scenario": text("how the data were made"),
        "n": count("images per simulated category"),
        "level": Column("nominal level; for a tail, the exact log10 p"),
        "rate": Column("share rejected or covered; for a tail, the log10 p given", missing=True),
        "low": Column("lower end of its 99 % binomial interval", missing=True),
        "high": Column("upper end of its 99 % binomial interval", missing=True),
        "runs": count("simulated categories"),
    },
)
