"""
Boxes of a YOLO data set: one text per image, lines of class, centre and size as fractions.

A YOLO file knows no image sizes. They are read from the photographs: those given, else those in
the same folder tree (``labels/a.txt`` belongs to ``images/a.jpg``). Outlines (class and three
or more points) are bounded by a box. Without a list of names a class is its number.
"""

import math
import re
from collections.abc import Mapping

from biaskit.annotations.options import Context
from biaskit.annotations.raw import Convention, RawBox, image_stem
from biaskit.annotations.repairs import Refused

__all__ = ["looks_like_labels", "names_in", "read_labels"]

FRACTIONS = Convention(first=0, reach=0, lattice=0, fraction=True)
_LABEL = re.compile(rb"\s*\d+(\s+[-+.\deE]+){4,}\s*(\n|$)")
ENOUGH = 1 << 16  # bytes that tell labels from other text, if one line should be endless
_LABELS = re.compile(r"(^|/)labels/(?=([^/]+/)*[^/]+$)")
_ITEM = re.compile(r"\s*(?:-|(\d{1,9})\s*:)\s*(.*)")
_QUOTED = re.compile(r"""(['"])(.*?)\1\s*(?:#.*)?$""")


def looks_like_labels(name: str, data: bytes) -> bool:
    """Tell a file of labels from other text, by its first line or its folder."""
    return bool(_LABEL.match(data, 0, ENOUGH) or _LABELS.search(name))


def names_in(name: str, data: bytes) -> dict[int, str]:
    """
    Return the names of the classes: of data.yaml, else one a line.

    Examples
    --------
    >>> names_in("data.yaml", b"nc: 2" + bytes([10]) + b"names: ['cat', 'dog']")
    {0: 'cat', 1: 'dog'}
    """
    text = data.decode("utf-8-sig", "backslashreplace")
    if not name.lower().endswith((".yaml", ".yml")):
        lines = [line.strip() for line in text.splitlines()]
        return {number: line for number, line in enumerate(lines) if line}
    _, found, after = ("\n" + text).partition("\nnames:")
    if not found:
        return {}
    first, _, rest = after.partition("\n")
    if first.strip().startswith(("[", "{")):
        return _inline(after)
    names: dict[int, str] = {}
    for line in rest.splitlines():
        if line.strip() and not (item := _ITEM.match(line)):
            break
        if line.strip() and item:
            names[int(item[1]) if item[1] else len(names)] = _word(item[2])
    return names


def _inline(text: str) -> dict[int, str]:
    inside = re.split(r"[\]}]", text.lstrip()[1:], maxsplit=1)[0]
    names: dict[int, str] = {}
    for part in inside.split(","):
        item = _ITEM.match(part) if re.match(r"\s*\d+\s*:", part) else None
        number = int(item[1]) if item else len(names)
        names[number] = (_word(item[2]) if item else part).strip().strip("'\"")
    return names


def _word(text: str) -> str:
    """Return a name without quotes and comment."""
    quoted = _QUOTED.match(text)
    return quoted[2] if quoted else text.partition("#")[0].rstrip()


def read_labels(name: str, data: bytes, names: Mapping[int, str], context: Context) -> list[RawBox]:
    """
    Read the labels of one image.

    Parameters
    ----------
    name : str
        The file within its source: ``labels/train/a.txt`` labels ``images/train/a``.
    data : bytes
        Lines of class, centre x, centre y, width, height, in fractions of the image's sides.
    names : mapping
        Of the classes; empty: the numbers stand for themselves.
    context : Context
        Its photographs give the size; its repairs receive ``polygon``, ``no_category`` and
        ``not_a_number``.

    Returns
    -------
    list of RawBox
        Sizes are NaN if there is no photograph.

    Raises
    ------
    Refused
        If the text is not UTF-8 or marks no object.
    """
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise Refused("not_utf8", f"byte {error.start} is 0x{data[error.start]:02x}") from None
    image = image_stem(_LABELS.sub(r"\1images/", name))
    size, split = _size(image, context), context.split(name)
    lines = [line for line in lines if line.strip()]
    if not lines:
        raise Refused("no_object", "no line")
    boxes: list[RawBox] = []
    for number, line in enumerate(lines):
        try:
            category, edges = _line(line.split(), names)
        except Refused as refused:
            context.repairs.add(name, refused.kind, refused.found, number=number)
            continue
        if len(line.split()) > 5:
            kept = " ".join(f"{edge:.6g}" for edge in edges)
            context.repairs.add(name, "polygon", line, kept, number=number)
        first = (name, number, image, number, category, split)
        boxes.append(RawBox._make((*first, *size, *edges, *FRACTIONS)))
    return boxes


def _size(image: str, context: Context) -> tuple[float, float]:
    photograph = context.photographs.find(image) if context.photographs else None
    if photograph is None:
        return math.nan, math.nan
    if photograph.orientation in (5, 6, 7, 8):  # labels are drawn on the picture as displayed
        return photograph.height, photograph.width
    return photograph.width, photograph.height


def _line(words: list[str], names: Mapping[int, str]) -> tuple[str, list[float]]:
    try:
        number, values = int(words[0]), [float(word) for word in words[1:]]
    except ValueError:
        raise Refused("not_a_number", " ".join(words)) from None
    if not all(map(math.isfinite, values)) or not (
        len(values) == 4 or (len(values) >= 6 and len(values) % 2 == 0)
    ):
        raise Refused("not_a_number", " ".join(words))
    category = names.get(number, "") if names else str(number)
    if not category:
        raise Refused("no_category", f"class {number} of {len(names)} names")
    if len(values) > 4:
        xs, ys = values[0::2], values[1::2]
        return category, [min(xs), min(ys), max(xs), max(ys)]
    x, y, width, height = values
    return category, [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
