"""
Points of a COCO keypoints file.

Its visibility 0 is "not marked", 1 "marked but hidden", 2 "visible". Numbers are pixels; where all
of a file are whole they name a pixel, counted from 0, and its middle is taken.
"""

import math
from collections.abc import Mapping
from typing import Any

from biaskit.annotations.json_files import as_number, load_json
from biaskit.annotations.keypoint_raw import MarkContext, RawMark
from biaskit.annotations.raw import image_stem, sound
from biaskit.annotations.repairs import Refused

__all__ = ["read_coco_points"]

_STATES = {0.0: "absent", 1.0: "occluded", 2.0: "visible"}


def read_coco_points(name: str, data: bytes, context: MarkContext) -> list[RawMark]:
    """
    Read one file of ``images``, ``annotations`` with ``keypoints``, and ``categories``.

    Parameters
    ----------
    name : str
        The file within its source.
    data : bytes
        The file.
    context : MarkContext
        Its repairs receive ``no_task``, ``no_category``, ``no_image``, ``no_mark`` and
        ``not_a_number``.

    Returns
    -------
    list of RawMark

    Raises
    ------
    Refused
        If it is no JSON, or JSON of something else.
    """
    content = load_json(data)
    if not isinstance(content, dict):
        raise Refused("not_annotation", "JSON that is no object")
    images, categories = _by_id(content, "images"), _by_id(content, "categories")
    entries = content.get("annotations")
    if not isinstance(entries, list):
        raise Refused("not_annotation", "JSON without a list of annotations")
    marks: list[RawMark] = []
    seen: dict[str, int] = {}
    for number, entry in enumerate(entries):
        try:
            marks += _object(name, number, entry, images, categories, seen, context)
        except Refused as refused:
            context.repairs.add(name, refused.kind, refused.found, number=number)
    return _middles(marks)


def _by_id(content: Mapping[str, Any], part: str) -> dict[Any, Mapping[str, Any]]:
    entries = content.get(part)
    if not isinstance(entries, list):
        raise Refused("not_annotation", f"JSON without a list of {part}")
    return {
        entry["id"]: entry
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("id"), int | str)
    }


def _named(entry: Mapping[str, Any], key: str, known: Mapping[Any, Any]) -> Mapping[str, Any]:
    number = entry.get(key)
    found = known.get(number) if isinstance(number, int | str) else None
    return found or {}


def _object(
    name: str,
    number: int,
    entry: Any,
    images: Mapping[Any, Mapping[str, Any]],
    categories: Mapping[Any, Mapping[str, Any]],
    seen: dict[str, int],
    context: MarkContext,
) -> list[RawMark]:
    if not isinstance(entry, dict):
        raise Refused("no_task", "an annotation that is no object")
    image = _named(entry, "image_id", images)
    if not image:
        raise Refused("no_image", f"image_id {entry.get('image_id')!r:.100}")
    category = _named(entry, "category_id", categories)
    points, numbers = category.get("keypoints"), entry.get("keypoints")
    if not isinstance(numbers, list) or not numbers:
        raise Refused("no_mark", "no keypoints")
    if not isinstance(points, list) or not all(isinstance(p, str) and p for p in points):
        raise Refused("no_category", f"category_id {entry.get('category_id')!r:.100} has no points")
    if len(numbers) != 3 * len(points):
        raise Refused("not_a_number", f"{len(numbers)} numbers for {len(points)} points")
    stem = image_stem(sound(str(image.get("file_name") or image["id"])))
    what = context.category(stem, sound(str(category.get("name") or "")))
    seen[stem] = seen.get(stem, -1) + 1
    sizes = (as_number(image.get("width")), as_number(image.get("height")))
    first = (name, number, stem, stem, what, seen[stem], "", 0.0, "")
    marks = []
    for i, point in enumerate(points):
        x, y, v = (as_number(value) for value in numbers[3 * i : 3 * i + 3])
        state = _STATES.get(v)
        if state is None or not (math.isfinite(x) and math.isfinite(y)):
            found = f"{sound(point)}: {numbers[3 * i : 3 * i + 3]!r:.100}"
            context.repairs.add(name, "not_a_number", found, number=number)
            continue
        if state == "absent":
            x = y = math.nan
        marks.append(RawMark(*first, sound(point), state, x, y, 0.0, *sizes))
    return marks


def _middles(marks: list[RawMark]) -> list[RawMark]:
    there = [mark for mark in marks if not math.isnan(mark.x)]
    if all(mark.x.is_integer() and mark.y.is_integer() for mark in there):
        return [mark._replace(x=mark.x + 0.5, y=mark.y + 0.5) for mark in marks]
    return marks
