"""
Points of CVAT's "CVAT for images 1.1" XML: ``<points>`` alone, in groups, or in a ``<skeleton>``.

A skeleton is an object, and its label the category. Loose points of one ``group_id`` are an
object; those without a group are one object of their image.
"""

import math
from collections.abc import Iterator

from lxml import etree

from biaskit.annotations.keypoint_raw import MarkContext, RawMark
from biaskit.annotations.raw import image_stem, sound
from biaskit.annotations.repairs import Refused

__all__ = ["looks_like_cvat", "read_cvat"]


def looks_like_cvat(data: bytes) -> bool:
    """Tell CVAT's XML by its root."""
    return b"<annotations" in data[:4096]


def read_cvat(name: str, data: bytes, context: MarkContext) -> list[RawMark]:
    """
    Read one file.

    Parameters
    ----------
    name : str
        The file within its source.
    data : bytes
        The file; entities, document types and the network are off.
    context : MarkContext
        Its repairs receive ``no_image``, ``no_category``, ``no_point`` and ``not_a_number``.

    Returns
    -------
    list of RawMark
        In pixels.

    Raises
    ------
    Refused
        If it is no such XML, or declares a document type.
    """
    root = _root(data)
    if root.tag != "annotations":
        raise Refused("not_annotation", f"<{sound(str(root.tag))[:60]}> instead of <annotations>")
    marks: list[RawMark] = []
    for number, image in enumerate(root.iter("image")):
        try:
            marks += _image(name, number, image, context)
        except Refused as refused:
            context.repairs.add(name, refused.kind, refused.found, number=number)
    return marks


def _root(data: bytes) -> etree._Element:
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise Refused("entity", "a document type")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Refused("broken", str(error)) from None
    if root.getroottree().docinfo.doctype:
        raise Refused("entity", "a document type")
    return root


def _image(
    name: str, number: int, image: etree._Element, context: MarkContext
) -> Iterator[RawMark]:
    written = image.get("name") or ""
    stem = image_stem(sound(written).strip())
    if not stem:
        raise Refused("no_image", "an <image> without name")
    size = (_number(image.get("width")), _number(image.get("height")))
    groups: dict[str, int] = {}
    for element in image:
        label = sound(element.get("label") or "")
        if element.tag == "skeleton":
            category = context.category(stem, label)
            group, points = f"skeleton {len(groups)}", list(element.iter("points"))
        elif element.tag == "points":
            category = context.category(stem)
            group, points = f"group {element.get('group_id') or 0}", [element]
        else:
            continue
        place = groups.setdefault(group, len(groups))
        first = (name, number, stem, stem, category, place, "", 0.0, "")
        for point in points:
            for mark in _points(point):
                if isinstance(mark, Refused):
                    context.repairs.add(name, mark.kind, f"{stem}: {mark.found}", number=number)
                else:
                    yield RawMark(*first, *mark, 0.0, *size)


def _points(element: etree._Element) -> Iterator[tuple[str, str, float, float] | Refused]:
    """Yield point, visibility, x and y; several of one element are numbered."""
    label = sound(element.get("label") or "").strip()
    text = element.get("points") or ""
    places = [place for place in text.split(";") if place.strip()]
    state = "absent" if element.get("outside") == "1" else "visible"
    state = "occluded" if state == "visible" and element.get("occluded") == "1" else state
    if not label:
        yield Refused("no_point", "<points> without label")
        return
    for i, place in enumerate(places):
        point = label if len(places) == 1 else f"{label}_{i + 1}"
        numbers = [_number(word) for word in place.split(",")]
        if state == "absent":
            yield point, state, math.nan, math.nan
        elif len(numbers) != 2 or not all(map(math.isfinite, numbers)):
            yield Refused("not_a_number", f"{point}: {place[:80]}")
        else:
            yield point, state, numbers[0], numbers[1]
    if not places:
        yield Refused("not_a_number", f"{label}: no points")


def _number(text: str | None) -> float:
    try:
        return float(text) if text and text.isascii() and "_" not in text else math.nan
    except ValueError:
        return math.nan
