"""
Boxes of a COCO instances file.

COCO's x, y, width, height are edges in pixels already, mostly with fractions: the lattice is 0,
or 1 px if every number of the file is whole, since then they were rounded or drawn on a grid.
Crowds are no objects: they are left out, each with a row in the repairs. A number that two
images or two categories share stands for neither.
"""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from biaskit.annotations.json_files import as_number, load_json
from biaskit.annotations.options import Context
from biaskit.annotations.raw import Convention, RawBox, image_stem, sound
from biaskit.annotations.repairs import Refused

__all__ = ["looks_like_coco", "read_coco"]

EDGES = Convention(first=0, reach=0, lattice=0)


def looks_like_coco(data: bytes) -> bool:
    """Tell a JSON object from other JSON: whether it holds boxes, its reader finds out."""
    return data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


def read_coco(name: str, data: bytes, context: Context) -> list[RawBox]:
    """
    Read one file of ``images``, ``annotations`` and ``categories``.

    Parameters
    ----------
    name : str
        The file within its source; it may tell the split, as ``instances_val2017.json`` does.
    data : bytes
        The file.
    context : Context
        Its repairs receive ``crowd``, ``no_box``, ``no_category``, ``no_image`` and
        ``not_a_number``.

    Returns
    -------
    list of RawBox

    Raises
    ------
    Refused
        If it is no JSON, or JSON of something else.
    """
    content = _load(data)
    images = _by_id(content, "images")
    categories = _by_id(content, "categories")
    split = context.split(name)
    seen: Counter[str] = Counter()
    boxes: list[RawBox] = []
    for number, entry in enumerate(content["annotations"]):
        try:
            image = _image(entry, images)
            stem = image_stem(sound(str(image.get("file_name") or image["id"])))
            seen[stem] += 1  # by name: two numbers may stand for one image
            category = _category(entry, categories)
            if entry.get("iscrowd"):
                context.repairs.add(name, "crowd", category, number=number)
                continue
            sizes = [as_number(image.get(side)) for side in ("width", "height")]
            first = (name, number, stem, seen[stem] - 1, category, split)
            boxes.append(RawBox._make((*first, *sizes, *_edges(entry), *EDGES)))
        except Refused as refused:
            context.repairs.add(name, refused.kind, refused.found, number=number)
    return _on_grid(boxes)


def _load(data: bytes) -> dict[str, Any]:
    content = load_json(data)
    if not isinstance(content, dict) or not isinstance(content.get("annotations"), list):
        raise Refused("not_annotation", "JSON without a list of annotations")
    return content


def _by_id(content: Mapping[str, Any], part: str) -> dict[Any, Mapping[str, Any]]:
    entries = content.get(part)
    if not isinstance(entries, list):
        raise Refused("not_annotation", f"JSON without a list of {part}")
    found: dict[Any, Mapping[str, Any]] = {}
    for entry in entries:
        if isinstance(entry, dict) and (key := _key(entry.get("id"))) is not None:
            found[key] = entry if found.get(key, entry) == entry else {}
    return found


def _key(value: object) -> object:
    # A list or an object is no number of anything, and cannot be looked up.
    return value if isinstance(value, int | float | str) else None


def _named(entry: Mapping[str, Any], by: str, entries: Mapping[Any, Mapping[str, Any]]) -> Any:
    """Return what an annotation refers to; None: nothing of this number, or more than one thing."""
    return entries.get(_key(entry.get(by))) or None


def _image(entry: Any, images: Mapping[Any, Mapping[str, Any]]) -> Mapping[str, Any]:
    if not isinstance(entry, dict):
        raise Refused("no_box", "an annotation that is no object")
    image = _named(entry, "image_id", images)
    if image is None:
        raise Refused("no_image", f"image_id {entry.get('image_id')!r:.100}")
    return image


def _category(entry: Mapping[str, Any], categories: Mapping[Any, Mapping[str, Any]]) -> str:
    word = (_named(entry, "category_id", categories) or {}).get("name")
    if not isinstance(word, str | int) or not str(word).strip():
        raise Refused("no_category", f"category_id {entry.get('category_id')!r:.100}")
    return sound(str(word))


def _edges(entry: Mapping[str, Any]) -> tuple[float, float, float, float]:
    box = entry.get("bbox")
    if not isinstance(box, list) or not box:
        raise Refused("no_box", "no bbox")
    x, y, width, height = (as_number(value) for value in box) if len(box) == 4 else [math.nan] * 4
    if not all(map(math.isfinite, (x, y, x + width, y + height))):
        raise Refused("not_a_number", f"bbox {box!r:.100}")
    return x, y, x + width, y + height


def _on_grid(boxes: list[RawBox]) -> list[RawBox]:
    whole = all(v.is_integer() for b in boxes for v in (b.x_min, b.y_min, b.x_max, b.y_max))
    return [box._replace(lattice=1.0) for box in boxes] if whole else boxes
