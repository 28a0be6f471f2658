"""
Boxes of one XML file: ImageNet's, Stanford Dogs' and Pascal VOC's.

ImageNet counts pixels from 0 and names the last one inside; Pascal VOC counts from 1. A file
is VOC's if its <database>, <annotation> or <folder> says so (``The VOC2007 Database``,
``VOC2012``), else ImageNet's; ``format="voc"`` or ``"imagenet"`` decides for all. A number
with a fraction is a place and not the index of a pixel: such a box is taken from edge to edge,
with a lattice of 0, VOC's less one pixel because its first pixel is number 1.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from biaskit.annotations.raw import Convention, RawBox, image_stem, split_of, wnid_in
from biaskit.annotations.repairs import Refused, Repair, clean

__all__ = ["XmlOptions", "read_xml"]

IMAGENET = Convention(first=0, reach=1, lattice=1)
VOC = Convention(first=1, reach=1, lattice=1)
COORDINATES = ("xmin", "ymin", "xmax", "ymax")
NAN = math.nan


@dataclass(frozen=True)
class XmlOptions:
    """
    What is decided for all files of one source.

    Attributes
    ----------
    source : str
        Base name of the source: it may tell the split.
    convention : str
        ``imagenet``, ``voc``, or empty to let each file say.
    split : str or None
        None: from the path.
    wnids : mapping
        From word to wnid, where neither folder nor file name holds one.
    """

    source: str = ""
    convention: str = ""
    split: str | None = None
    wnids: Mapping[str, str] = field(default_factory=dict)


def read_xml(name: str, data: bytes, options: XmlOptions) -> tuple[list[RawBox], list[Repair]]:
    """
    Read one annotation.

    Parameters
    ----------
    name : str
        The file within its source; folder and stem may hold wnid and split.
    data : bytes
        The file. Entities, document types and the network are off.
    options : XmlOptions

    Returns
    -------
    boxes : list of RawBox
        Numbers as written, in pixels; sizes are NaN where the file has none.
    repairs : list of Repair
        What was refused or taken from elsewhere; never an exception.

    Examples
    --------
    >>> read_xml("a.xml", b"", XmlOptions())[1][0].kind
    'empty'
    """
    boxes: list[RawBox] = []
    repairs: list[Repair] = []
    try:
        _File(name, options, boxes, repairs).read(_parse(data))
    except Refused as refused:
        repairs.append(Repair(name, -1, refused.kind, clean(refused.found), ""))
    return boxes, repairs


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        collect_ids=False,
        remove_comments=True,
        remove_pis=True,
    )


_PARSER = _parser()


def _parse(data: bytes) -> Any:
    if not data.strip():
        raise Refused("empty", f"{len(data)} bytes")
    try:
        root = etree.fromstring(data, _PARSER)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise _broken(data, str(error)) from None
    if b"<!" in data or b"encoding" in data:
        # Another encoding could hide the declaration from a search of the bytes.
        if root.getroottree().docinfo.internalDTD is not None:
            raise Refused("entity", "a document type is declared")
        _check_text(data)
    elif b"\0" in data:
        raise Refused("not_utf8", "zero bytes")
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


class _File:
    """One annotation on its way into rows."""

    def __init__(
        self, name: str, options: XmlOptions, boxes: list[RawBox], repairs: list[Repair]
    ) -> None:
        self.name, self.options, self.boxes, self.repairs = name, options, boxes, repairs
        self.image = image_stem(name)
        self.stem = self.image.rpartition("/")[2]
        self.wnid = wnid_in(name)
        self.size = (NAN, NAN)
        self.claims = ""  # what database and folder say of the file's origin

    def read(self, root: Any) -> None:
        objects = []
        for child in root:
            tag = child.tag
            if tag == "object":
                objects.append(child)
            elif tag == "size":
                size = {part.tag: part.text for part in child}
                self.size = (_side(size.get("width")), _side(size.get("height")))
            elif tag == "filename":
                self._check_name(child.text or "")
            elif tag == "folder":
                self.claims += f" {child.text}"
            elif tag == "source":
                self.claims += "".join(f" {p.text}" for p in child if p.tag != "image")
        if not objects:
            raise Refused("no_object", "no <object>")
        rule = self.options.convention or ("voc" if "VOC" in self.claims else "imagenet")
        self.convention = VOC if rule == "voc" else IMAGENET
        source = self.options.source
        path = f"{source}/{self.name}" if source else self.name
        self.split = self.options.split if self.options.split is not None else split_of(path)
        for number, element in enumerate(objects):
            try:
                self._object(number, element)
            except Refused as refused:
                self._note(number, refused.kind, refused.found, "")

    def _note(self, number: int, kind: str, found: str, kept: str) -> None:
        self.repairs.append(Repair(self.name, number, kind, clean(found), clean(kept)))

    def _check_name(self, written: str) -> None:
        # The file's own name is the one that others use to find it.
        if written == self.stem:
            return
        if written.strip() == "%s":
            self._note(-1, "percent_s", "%s", self.stem)
        elif written.strip() and image_stem(written.strip()).rpartition("/")[2] != self.stem:
            self._note(-1, "name", written, self.stem)

    def _object(self, number: int, element: Any) -> None:
        name, box = "", None
        for part in element:
            if part.tag == "name":
                name = (part.text or "").strip()
            elif part.tag == "bndbox" and box is None:
                box = {place.tag: place.text for place in part}
        if box is None:
            raise Refused("no_box", "no <bndbox>")
        texts = [box.get(tag) or "" for tag in COORDINATES]
        rule, numbers = self.convention, [float(t) if t.isdecimal() else NAN for t in texts]
        if math.isnan(sum(numbers)) or len(max(texts, key=len)) > 9:
            rule, numbers = self._odd_numbers(number, texts)
        self.boxes.append(
            RawBox(
                self.name,
                number,
                self.image,
                number,
                self._category(number, name),
                self.split,
                *self.size,
                *numbers,
                *rule,
            )
        )

    def _odd_numbers(self, number: int, texts: list[str]) -> tuple[Convention, list[float]]:
        """Read numbers that are no plain counts of pixels."""
        numbers = [_number(text) for text in texts]
        written = " ".join(text.strip() or "?" for text in texts)
        if not all(math.isfinite(value) for value in numbers):
            raise Refused("not_a_number", written)
        if not any(c in written for c in ".eE"):
            return self.convention, numbers
        if all(value.is_integer() for value in numbers):
            self._note(number, "float", written, " ".join(f"{value:.0f}" for value in numbers))
            return self.convention, numbers
        self._note(number, "float", written, "taken from edge to edge")
        return self.convention._replace(reach=0, lattice=0), numbers

    def _category(self, number: int, name: str) -> str:
        if len(name) == 9 and name[0] == "n" and name[1:].isdecimal():
            return name
        expects_wnid = self.wnid or "ImageNet" in self.claims or "ILSVRC" in self.claims
        if self.convention is VOC or not expects_wnid:
            if name:
                return name
            raise Refused("no_category", "no <name>")
        wnid = self.wnid or self.options.wnids.get(name.lower().replace("_", " "), "")
        if not wnid:
            raise Refused("word", f"{name or 'nothing'}: expected a wnid such as n02092002")
        self._note(number, "word", name, wnid)
        return wnid


def _number(text: str) -> float:
    # float() also takes 1_000 and the digits of every script.
    text = text.strip()
    try:
        return float(text) if text.isascii() and "_" not in text else NAN
    except ValueError:
        return NAN


def _side(text: str | None) -> float:
    """Return a side of the image in whole pixels, or NaN if it is none."""
    text = text or ""
    if text.isdecimal() and len(text) < 9:
        return float(text)
    value = _number(text)
    return value if value.is_integer() else NAN
