"""Which column of somebody's table of marks is which of ours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from biaskit.annotations.repairs import Refused
from biaskit.errors import AnnotationError

__all__ = ["PointColumns", "match_point_columns"]

# Compared in lower case without blanks, dots, dashes and underscores; in order of trust.
_COMMON: Mapping[str, tuple[str, ...]] = {
    "image_id": ("imageid", "image", "filename", "file", "imagepath", "imagename", "path", "img"),
    "category": ("category", "class", "label", "categoryname", "classname", "labelname", "wnid"),
    "object": ("object", "objectid", "instance"),
    "annotator": ("annotator", "annotatorid", "worker", "workerid", "user"),
    "annotation": ("annotation", "annotationid", "round", "repeat"),
    "image_width": ("imagewidth", "imgwidth", "width"),
    "image_height": ("imageheight", "imgheight", "height"),
    "lead_time": ("leadtime", "seconds"),
}
_LONG: Mapping[str, tuple[str, ...]] = {
    "point": ("point", "keypoint", "landmark", "part"),
    "x": ("x", "pointx"),
    "y": ("y", "pointy"),
    "visibility": ("visibility", "visible", "v"),
}
_PARTS = ("x", "y", "visibility")


@dataclass(frozen=True)
class PointColumns:
    """
    Our columns to theirs.

    Attributes
    ----------
    common : mapping
        image_id, category and so on; those that were found.
    points : mapping
        Wide form: from the name of a point to its columns x, y and perhaps visibility.
    long : mapping
        Long form: point, x, y and perhaps visibility; empty in the wide form.
    """

    common: Mapping[str, str]
    points: Mapping[str, Mapping[str, str]]
    long: Mapping[str, str]

    @property
    def theirs(self) -> list[str]:
        """All their columns that are needed."""
        wide = [column for point in self.points.values() for column in point.values()]
        return list(dict.fromkeys([*self.common.values(), *wide, *self.long.values()]))


def match_point_columns(found: Sequence[str], mapping: Mapping[str, str]) -> PointColumns:
    """
    Find the columns of a table of marks: a row per object (wide) or per point (long).

    Parameters
    ----------
    found : sequence of str
        The columns of the table.
    mapping : mapping
        What the caller says, ours to theirs: ``image_id``, ``left_eye_x`` and so on. The rest is
        found by name: NAME_x beside NAME_y makes a point NAME.

    Raises
    ------
    AnnotationError
        If the mapping names a column of ours that does not exist, or one of theirs that the
        table does not have.
    Refused
        Of kind ``not_annotation``, if image or points are not found.

    Examples
    --------
    >>> columns = match_point_columns(["img", "eye_x", "eye_y"], {"image_id": "img"})
    >>> columns.common["image_id"], columns.points
    ('img', {'eye': {'x': 'eye_x', 'y': 'eye_y'}})
    """
    for ours, theirs in mapping.items():
        if ours not in _COMMON and ours not in _LONG and _part(ours) is None:
            known = ", ".join([*_COMMON, *_LONG, "POINT_x, POINT_y, POINT_visibility"])
            raise AnnotationError(f"unknown column '{ours}', expected one of {known}.")
        if theirs not in found:
            raise AnnotationError(f"no column '{theirs}'; the table has {_listed(found)}.")
    common = _by_name(found, mapping, _COMMON)
    long = _by_name([name for name in found if name not in common.values()], mapping, _LONG)
    points = _wide(found, mapping)
    if {"point", "x", "y"} <= long.keys():
        points = {}
    else:
        long = {}
    if "image_id" not in common or not (points or long):
        what = "image_id" if "image_id" not in common else "the points"
        example = "image_id=NAME" if what == "image_id" else "left_eye_x=NAME"
        raise Refused(
            "not_annotation",
            f"no column for {what} among {_listed(found)}; say which with --columns {example}",
        )
    return PointColumns(common, points, long)


def _by_name(
    found: Sequence[str], mapping: Mapping[str, str], names: Mapping[str, tuple[str, ...]]
) -> dict[str, str]:
    plain = {_plain(name): name for name in reversed(found)}
    matched = {ours: theirs for ours, theirs in mapping.items() if ours in names}
    for ours, words in names.items():
        free = [plain[w] for w in words if w in plain and plain[w] not in mapping.values()]
        if ours not in matched and free:
            matched[ours] = free[0]
    return matched


def _wide(found: Sequence[str], mapping: Mapping[str, str]) -> dict[str, dict[str, str]]:
    points: dict[str, dict[str, str]] = {}
    own = {ours: theirs for ours, theirs in mapping.items() if _part(ours)}
    free = {name: name for name in found if name not in mapping.values() and _part(name)}
    for ours, theirs in {**free, **own}.items():
        point, part = _part(ours) or ("", "")
        points.setdefault(point, {})[part] = theirs
    return {p: columns for p, columns in points.items() if {"x", "y"} <= columns.keys()}


def _part(name: str) -> tuple[str, str] | None:
    for part in _PARTS:
        for mark in "_.":
            if name.lower().endswith(mark + part) and len(name) > len(part) + 1:
                return name[: -len(part) - 1], part
    return None


def _plain(name: str) -> str:
    return "".join(c for c in str(name).lower() if c.isalnum())


def _listed(names: Sequence[str]) -> str:
    text = ", ".join(str(name) for name in names)
    return text if len(text) < 120 else text[:119] + "…"
