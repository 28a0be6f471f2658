"""Which column of somebody's table is which of ours."""

from collections.abc import Mapping, Sequence

from biaskit.annotations.repairs import Refused
from biaskit.errors import AnnotationError

__all__ = ["COLUMNS", "match_columns"]

# In order of trust; compared in lower case without blanks, dots, dashes and underscores.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "image_id": ("imageid", "image", "filename", "file", "imagepath", "imagename", "path", "img"),
    "category": ("category", "class", "label", "categoryname", "classname", "labelname", "name"),
    "x_min": ("xmin", "left", "x0", "x1", "bboxx", "x"),
    "y_min": ("ymin", "top", "y0", "y1", "bboxy", "y"),
    "x_max": ("xmax", "right", "x2"),
    "y_max": ("ymax", "bottom", "y2"),
    "box_width": ("boxwidth", "bboxwidth", "bboxw", "w"),
    "box_height": ("boxheight", "bboxheight", "bboxh", "h"),
    "image_width": ("imagewidth", "imgwidth", "width"),
    "image_height": ("imageheight", "imgheight", "height"),
    "split": ("split", "subset", "set"),
    "lattice": ("lattice",),
}
NEEDED = ("image_id", "category", "x_min", "y_min")


def match_columns(found: Sequence[str], mapping: Mapping[str, str]) -> dict[str, str]:
    """
    Return our column to theirs.

    Parameters
    ----------
    found : sequence of str
        The columns of the table.
    mapping : mapping
        What the caller says, ours to theirs; the rest is found by name.

    Returns
    -------
    dict
        Has image_id, category, x_min, y_min, and either x_max, y_max or box_width, box_height.

    Raises
    ------
    AnnotationError
        If the mapping names a column of ours that does not exist, or one of theirs that the
        table does not have.
    Refused
        Of kind ``not_annotation``, if a column is not found.

    Examples
    --------
    >>> match_columns(["file", "label", "left", "top", "w", "h"], {})["box_width"]
    'w'
    """
    for ours, theirs in mapping.items():
        if ours not in COLUMNS:
            raise AnnotationError(f"unknown column '{ours}', expected one of {', '.join(COLUMNS)}.")
        if theirs not in found:
            raise AnnotationError(f"no column '{theirs}'; the table has {_listed(found)}.")
    plain = {_plain(name): name for name in reversed(found)}
    matched = dict(mapping)
    for ours, names in COLUMNS.items():
        free = [plain[n] for n in names if n in plain and plain[n] not in matched.values()]
        if ours not in matched and free and free[0] == plain[next(n for n in names if n in plain)]:
            matched[ours] = free[0]
    # x0, x1 without x2: the second is the greatest.
    for ours, theirs in (("x_max", "x1"), ("y_max", "y1")):
        if ours not in matched and theirs in plain and plain[theirs] not in matched.values():
            matched[ours] = plain[theirs]
    missing = [name for name in NEEDED if name not in matched]
    for greatest, extent in (("x_max", "box_width"), ("y_max", "box_height")):
        if greatest not in matched and extent not in matched:
            missing.append(greatest)
    if ("x_max" in matched) != ("y_max" in matched):
        missing.append("y_max" if "x_max" in matched else "x_max")
    if missing:
        raise Refused(
            "not_annotation",
            f"no column for {', '.join(dict.fromkeys(missing))} among {_listed(found)}; "
            f"say which with --columns {missing[0]}=NAME",
        )
    return matched


def _plain(name: str) -> str:
    return "".join(c for c in str(name).lower() if c.isalnum())


def _listed(names: Sequence[str]) -> str:
    text = ", ".join(str(name) for name in names)
    return text if len(text) < 120 else text[:119] + "…"
