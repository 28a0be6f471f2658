"""A list of what each image shows: a CSV of image and category."""

from collections.abc import Mapping
from pathlib import Path

from biaskit.annotations.box_tables import csv_table
from biaskit.annotations.keypoint_raw import stem_of
from biaskit.annotations.raw import sound
from biaskit.annotations.repairs import Refused
from biaskit.errors import AnnotationError

__all__ = ["labels_of"]

_IMAGE = ("image_id", "image", "file", "file_name", "filename", "path")
_CATEGORY = ("category", "wnid", "label", "class")


def labels_of(path: Path | None) -> Mapping[str, str]:
    """
    Read a CSV whose columns name the image and its category.

    Parameters
    ----------
    path : Path or None
        None is an empty list.

    Returns
    -------
    mapping
        From the name of an image, without folders and ending, to its category.

    Raises
    ------
    AnnotationError
        If it cannot be read, lacks a column, or gives one image two categories.

    Examples
    --------
    >>> labels_of(None)
    {}
    """
    if path is None:
        return {}
    try:
        table = csv_table(path.read_bytes())
    except OSError as error:
        raise AnnotationError(f"{path}: cannot be read: {error.strerror}.") from None
    except Refused as refused:
        raise AnnotationError(f"{path.name}: {refused.kind}: {refused.found}.") from None
    plain = {str(name).strip().lower(): name for name in reversed(list(table.columns))}
    columns = [next((plain[n] for n in names if n in plain), None) for names in (_IMAGE, _CATEGORY)]
    if columns[0] is None or columns[1] is None:
        raise AnnotationError(
            f"{path.name}: expected a column {' or '.join(_IMAGE[:2])} and a column "
            f"{' or '.join(_CATEGORY)}, found {', '.join(map(str, table.columns))[:120]}."
        )
    found: dict[str, str] = {}
    pairs = zip(table[columns[0]].astype(str), table[columns[1]].astype(str), strict=True)
    for row, (image, category) in enumerate(pairs):
        stem, category = stem_of(sound(image.strip())), sound(category.strip())
        if found.setdefault(stem, category) != category:
            raise AnnotationError(
                f"{path.name}: row {row}, image {stem} is {category}, but was {found[stem]} above."
            )
    return {image: category for image, category in found.items() if category}
