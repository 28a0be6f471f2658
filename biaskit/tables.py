"""
The schema of every table: what one row is, and each column's meaning, unit and limits.

This is the only place where a column name is invented. A function that makes a table ends
with ``SCHEMA.check(table, where)``, which puts the columns in order and refuses what breaks
a limit; tables then travel as Parquet with exactly the types named here.
"""

from collections.abc import Mapping

from biaskit.schema import Column, Schema

__all__ = [
    "BOXES",
    "CALIBRATION",
    "DRIFT",
    "EFFECTS",
    "MEASURES",
    "REPAIRS",
    "SCHEMAS",
    "SIGNIFICANCE",
    "SYMMETRY",
    "Column",
    "Schema",
]


def _text(meaning: str, *values: str, missing: bool = False) -> Column:
    return Column(meaning, kind="text", values=values, missing=missing)


def _count(meaning: str, unit: str = "count", low: float = 0) -> Column:
    return Column(meaning, unit, low=low, kind="integer")


def _log10_p(meaning: str, *, missing: bool = True) -> Column:
    return Column(meaning, "log10", high=0, missing=missing)


_CATEGORY = _text("what the object is; for ImageNet its wnid, such as n02097474")
_SPLIT = _text("part of the data set, such as train or val; empty if it has none")
_IMAGE_ID = _text("file name of the image without its ending")
_OBJECT = _count("number of the object within its image, from 0")
_MEASURES = (
    "position",
    "position_x",
    "position_y",
    "width",
    "height",
    "area",
    "position_height",
)
_NULLS = ("frame", "fit", "log-uniform", "log-uniform-8px", "log-uniform-32px")
_POLICIES = ("one", "weighted", "all", "largest")
_EDGES = ("with", "without")
_TESTS = ("chi2", "ks", "kuiper", "cvm", "ad", "smooth", "bonferroni")
_P_KINDS = ("exact", "bound", "asymptotic", "monte_carlo", "")
_QUESTION = {
    "category": _CATEGORY,
    "split": _SPLIT,
    "measure": _text("what is measured of the object", *_MEASURES),
    "null": _text("what it is compared with: where objects would be without a choice", *_NULLS),
    "policy": _text("how several objects of one image count", *_POLICIES),
    "edges": _text("with or without boxes that touch the frame on the axis measured", *_EDGES),
}

BOXES = Schema(
    name="boxes",
    row="annotated object",
    keys=("split", "category", "image_id", "object"),
    columns={
        "category": _CATEGORY,
        "image_id": _IMAGE_ID,
        "object": _OBJECT,
        "split": _SPLIT,
        # The size on the annotator's screen, which is not always the file's own.
        "image_width": _count("width of the image as annotated", "px", low=1),
        "image_height": _count("height of the image as annotated", "px", low=1),
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
        "file": _text("the file within its source, with / between folders"),
        "object": _count("number of the object within its file; -1: the whole file", low=-1),
        "kind": _text("what was wrong, one of biaskit.annotations.repairs.KINDS"),
        "found": _text("what stood there"),
        "kept": _text("what was kept instead; empty: refused"),
    },
)

MEASURES = Schema(
    name="measures",
    row="annotated object",
    keys=("split", "category", "image_id", "object"),
    columns={
        "category": _CATEGORY,
        "image_id": _IMAGE_ID,
        "object": _OBJECT,
        "split": _SPLIT,
        "centre_x": Column("horizontal centre of the box", "of image width", 0, 1),
        "centre_y": Column("vertical centre of the box", "of image height", 0, 1),
        "width": Column("width of the box", "of image width", 0, 1),
        "height": Column("height of the box", "of image height", 0, 1),
        "area": Column("area of the box", "of image area", 0, 1),
        "touches": _text("sides of the frame the box touches: some of L, T, R, B, in this order"),
    },
)

SIGNIFICANCE = Schema(
    name="significance",
    row="test of one category",
    keys=("category", "split", "measure", "null", "policy", "edges", "test"),
    columns={
        **_QUESTION,
        "test": _text("the statistic", *_TESTS),
        "n_images": _count("images that entered the test"),
        "n_objects": _count("objects that entered the test"),
        "n_excluded": _count("objects left out: no room, touching, or smaller than the null"),
        "statistic": Column("value of the statistic; missing without data", missing=True),
        "log10_p": _log10_p("log10 of the p-value: the one to quote"),
        "p_kind": _text("what log10_p is", *_P_KINDS),
        "log10_p_asymptotic": _log10_p("the large-sample value, to stand beside"),
        "log10_p_low": _log10_p("least log10_p over the redraws of chance; missing if not redrawn"),
        "log10_p_high": _log10_p("greatest log10_p over the redraws of chance"),
        "log10_bonferroni": _log10_p("corrected over the categories of this test, Bonferroni"),
        "log10_holm": _log10_p("corrected, Holm"),
        "log10_bh": _log10_p("corrected, Benjamini-Hochberg"),
        "log10_by": _log10_p("corrected, Benjamini-Yekutieli"),
        "flags": _text("cautions, separated by spaces; see the README"),
    },
)

EFFECTS = Schema(
    name="effects",
    row="effect size of one category",
    keys=("category", "split", "measure", "null", "policy", "edges", "effect"),
    columns={
        **_QUESTION,
        "effect": _text("which effect size; see biaskit.bias.effects"),
        "value": Column("estimate, corrected for its bias where it has one", missing=True),
        "low": Column("lower end of the interval", missing=True),
        "high": Column("upper end of the interval; missing for a one-sided one", missing=True),
        "expected": Column("what the null expects", missing=True),
        "level": Column("confidence level of the interval", "share", 0, 1, missing=True),
        "n": _count("images that entered"),
    },
)

SYMMETRY = Schema(
    name="symmetry",
    row="symmetry or coupling test of one category",
    keys=("category", "split", "policy", "edges", "test"),
    columns={
        "category": _CATEGORY,
        "split": _SPLIT,
        "policy": _QUESTION["policy"],
        "edges": _QUESTION["edges"],
        "test": _text(
            "mirror_sign and mirror_mean: left against right; coupling: size with eccentricity",
            "mirror_sign",
            "mirror_mean",
            "coupling",
        ),
        "n_images": _count("images that entered the test"),
        "n_objects": _count("objects that entered the test"),
        "statistic": Column("value of the statistic", missing=True),
        "log10_p": _log10_p("log10 of the p-value"),
        "p_kind": _text("what log10_p is", *_P_KINDS),
        "effect": Column(
            "share right of the middle less 1/2; mean of u less 1/2; rank correlation",
            missing=True,
        ),
        "low": Column("lower end of the effect's 95 % interval", missing=True),
        "high": Column("upper end of the effect's 95 % interval", missing=True),
        "log10_bh": _log10_p("corrected over categories, Benjamini-Hochberg"),
        "flags": _text("cautions, separated by spaces"),
    },
)

DRIFT = Schema(
    name="drift",
    row="comparison of one category between two sets of boxes",
    keys=("category", "measure", "test"),
    columns={
        "category": _CATEGORY,
        "measure": _QUESTION["measure"],
        "test": _text("two-sample statistic on image-weighted distributions", "ks", "cvm", "chi2"),
        "n_images_a": _count("images of the first set: this study"),
        "n_images_b": _count("images of the second set: the one it is held against"),
        "n_objects_a": _count("objects of the first set"),
        "n_objects_b": _count("objects of the second set"),
        "statistic": Column("value of the statistic", missing=True),
        "log10_p": _log10_p("log10 of the p-value; whole images permuted between the sets"),
        "p_kind": _text("what log10_p is", *_P_KINDS),
        "difference": Column("mean of the first set less mean of the second", missing=True),
        "low": Column("lower end of the difference's 95 % interval", missing=True),
        "high": Column("upper end of the difference's 95 % interval", missing=True),
        "log10_bonferroni": _log10_p("corrected over categories, Bonferroni"),
        "log10_bh": _log10_p("corrected over categories, Benjamini-Hochberg"),
        "flags": _text("cautions, separated by spaces"),
    },
)

CALIBRATION = Schema(
    name="calibration",
    row="simulated experiment",
    keys=("kind", "subject", "measure", "null", "scenario", "n", "level"),
    columns={
        "kind": _text(
            "size: rejections under the null; power: under a planted bias; coverage: of an "
            "interval; tail: log10 p against exact enumeration",
            "size",
            "power",
            "coverage",
            "tail",
        ),
        "subject": _text("the test or effect on trial"),
        "measure": _text("what is measured", *_MEASURES),
        "null": _text("the null", *_NULLS),
        "scenario": _text("how the data were made"),
        "n": _count("images per simulated category"),
        "level": Column("nominal level; for a tail, the exact log10 p"),
        "rate": Column("share rejected or covered; for a tail, the log10 p given", missing=True),
        "low": Column("lower end of its 99 % binomial interval", missing=True),
        "high": Column("upper end of its 99 % binomial interval", missing=True),
        "runs": _count("simulated categories"),
    },
)

SCHEMAS: Mapping[str, Schema] = {
    schema.name: schema
    for schema in (
        BOXES,
        REPAIRS,
        MEASURES,
        SIGNIFICANCE,
        EFFECTS,
        SYMMETRY,
        DRIFT,
        CALIBRATION,
    )
}
