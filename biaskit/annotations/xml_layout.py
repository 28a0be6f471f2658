"""
What stands in one annotation in XML, read with lxml or, in ImageNet's own layout, at a glance.

Nearly every file in the world was written by one program in one layout. Such a file is matched
as a whole by patterns that are a small part of XML (printable ASCII, no entities, no markup but
the elements expected, in their order), which takes a tenth of the time of building a tree.
Whatever does not match to the last byte goes through lxml.
"""

import re
from typing import Any, NamedTuple

from lxml import etree

from biaskit.annotations.repairs import Refused

__all__ = ["Annotation", "by_layout", "by_tree", "parse_annotation"]

COORDINATES = ("xmin", "ymin", "xmax", "ymax")

_TEXT = rb"([ -%'-;=?-~]*)"  # printable, without & < >
_SPACE = rb"[ \t\n]*"


def _element(tag: str, content: bytes = _TEXT) -> bytes:
    return b"<%b>%b</%b>%b" % (tag.encode(), content, tag.encode(), _SPACE)


_ASIDE = b"(?:%b)*" % b"|".join(
    _element(tag, _TEXT.replace(b"(", b"(?:"))
    for tag in ("pose", "truncated", "difficult", "occluded", "segmented", "segment", "depth")
)
_HEAD = re.compile(
    _SPACE
    + b"<annotation>"
    + _SPACE
    + _element("folder")
    + _element("filename")
    + b"<source>"
    + _SPACE
    + _element("database")
    + b"</source>"
    + _SPACE
    + b"<size>"
    + _SPACE
    + _element("width")
    + _element("height")
    + _ASIDE
    + b"</size>"
    + _SPACE
    + _ASIDE
)
_OBJECT = re.compile(
    b"<object>"
    + _SPACE
    + _element("name")
    + _ASIDE
    + b"<bndbox>"
    + _SPACE
    + b"".join(_element(tag) for tag in COORDINATES)
    + b"</bndbox>"
    + _SPACE
    + b"</object>"
    + _SPACE
)
_TAIL = re.compile(b"</annotation>" + _SPACE + rb"\Z")


class Annotation(NamedTuple):
    """
    The texts of one annotation, as written.

    Attributes
    ----------
    claims : str
        Database, annotation and folder: what the file says of its origin.
    filename, width, height : str
        Empty if they are missing.
    objects : list of (name, texts)
        The texts of xmin, ymin, xmax and ymax, or None for an object without a box.
    """

    claims: str
    filename: str
    width: str
    height: str
    objects: list[tuple[str, list[str] | None]]


def parse_annotation(data: bytes) -> Annotation:
    """
    Read the texts of one annotation.

    Raises
    ------
    Refused
        If it is empty, broken, too deep, not UTF-8, declares a document type, or is of
        another root than <annotation>.

    Examples
    --------
    >>> parse_annotation(b"<annotation><filename>a</filename></annotation>").filename
    'a'
    """
    return by_layout(data) or by_tree(data)


def by_layout(data: bytes) -> Annotation | None:
    """Return the texts of a file in ImageNet's own layout; None: it needs a parser."""
    head = _HEAD.match(data)
    if head is None:
        return None
    objects: list[tuple[str, list[str] | None]] = []
    place = head.end()
    while found := _OBJECT.match(data, place):
        name, *texts = found.groups()
        objects.append((name.decode(), [text.decode() for text in texts]))
        place = found.end()
    if not _TAIL.match(data, place):
        return None
    folder, filename, database, width, height = (text.decode() for text in head.groups())
    return Annotation(f" {folder} {database}", filename, width, height, objects)


_PARSER = etree.XMLParser(
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    dtd_validation=False,
    huge_tree=False,
    collect_ids=False,
    remove_comments=True,
    remove_pis=True,
)


def by_tree(data: bytes) -> Annotation:
    """Return the texts of any annotation; entities, document types and the network are off."""
    texts = {"filename": "", "width": "", "height": ""}
    claims, objects = "", []
    for child in _root(data):
        tag = child.tag
        if tag == "object":
            objects.append(_object(child))
        elif tag == "size":
            texts.update((part.tag, part.text or "") for part in child)
        elif tag == "filename":
            texts["filename"] = child.text or ""
        elif tag == "folder":
            claims += f" {child.text}"
        elif tag == "source":
            claims += "".join(f" {part.text}" for part in child if part.tag != "image")
    return Annotation(claims, texts["filename"], texts["width"], texts["height"], objects)


def _object(element: Any) -> tuple[str, list[str] | None]:
    name, box = "", None
    for part in element:
        if part.tag == "name":
            name = part.text or ""
        elif part.tag == "bndbox" and box is None:
            places = {place.tag: place.text or "" for place in part}
            box = [places.get(tag, "") for tag in COORDINATES]
    return name, box


def _root(data: bytes) -> Any:
    if not data.strip():
        raise Refused("empty", f"{len(data)} bytes")
    try:
        root = etree.fromstring(data, _PARSER)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise _broken(data, str(error)) from None
    # Asked of the parser: another encoding could hide it from a search of the bytes.
    if root.getroottree().docinfo.internalDTD is not None:
        raise Refused("entity", "a document type is declared")
    _check_text(data)
    if root.tag != "annotation":
        raise Refused("not_annotation", f"<{root.tag}> instead of <annotation>")
    return root


def _check_text(data: bytes) -> None:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("not_utf8", f"byte {error.start} is 0x{data[error.start]:02x}") from None
    if b"\0" in data:
        raise Refused("not_utf8", "zero bytes")


def _broken(data: bytes, message: str) -> Refused:
    """Say what kind of broken it is: the parser stops at the first thing it dislikes."""
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        return Refused("entity", "a document type is declared")
    if "depth" in message.lower():
        return Refused("too_deep", message)
    try:
        _check_text(data)
    except Refused as refused:
        return refused
    return Refused("broken", message)
