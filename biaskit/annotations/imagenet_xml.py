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

from biaskit.annotations.raw import Convention, RawBox, image_stem, split_of, wnid_in
from biaskit.annotations.repairs import Refused, Repair, clean
from biaskit.annotations.xml_layout import Annotation, parse_annotation

__all__ = ["XmlOptions", "read_xml"]

IMAGENET = Convention(first=0, reach=1, lattice=1)
VOC = Convention(first=1, reach=1, lattice=1)
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
        _File(name, options, boxes, repairs).read(parse_annotation(data))
    except Refused as refused:
        repairs.append(Repair(name, -1, refused.kind, clean(refused.found), ""))
    return boxes, repairs


class _File:
    """One annotation on its way into rows."""

    def __init__(
        self, name: str, options: XmlOptions, boxes: list[RawBox], repairs: list[Repair]
    ) -> None:
        self.name, self.options, self.boxes, self.repairs = name, options, boxes, repairs
        self.image = image_stem(name)
        self.stem = self.image.rpartition("/")[2]
        self.claims = ""

    def read(self, annotation: Annotation) -> None:
        self.claims = annotation.claims
        self._check_name(annotation.filename)
        if not annotation.objects:
            raise Refused("no_object", "no <object>")
        rule = self.options.convention or ("voc" if "VOC" in self.claims else "imagenet")
        convention = VOC if rule == "voc" else IMAGENET
        source, split = self.options.source, self.options.split
        if split is None:
            split = split_of(f"{source}/{self.name}" if source else self.name)
        size = (_side(annotation.width), _side(annotation.height))
        for number, (name, texts) in enumerate(annotation.objects):
            try:
                numbers, counted = self._numbers(number, texts, convention)
                category = self._category(number, name.strip(), voc=convention is VOC)
            except Refused as refused:
                self._note(number, refused.kind, refused.found, "")
                continue
            first = (self.name, number, self.image, number, category, split)
            self.boxes.append(RawBox._make((*first, *size, *numbers, *counted)))

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

    def _numbers(
        self, number: int, texts: list[str] | None, convention: Convention
    ) -> tuple[list[float], Convention]:
        if texts is None:
            raise Refused("no_box", "no <bndbox>")
        joined = "".join(texts)
        if joined.isdecimal() and joined.isascii() and len(joined) < 40 and "" not in texts:
            return [float(text) for text in texts], convention
        numbers = [_number(text) for text in texts]
        written = " ".join(text.strip() or "?" for text in texts)
        if not all(math.isfinite(value) for value in numbers):
            raise Refused("not_a_number", written)
        if not any(c in written for c in ".eE"):
            return numbers, convention
        if all(value.is_integer() for value in numbers):
            self._note(number, "float", written, " ".join(f"{value:.0f}" for value in numbers))
            return numbers, convention
        self._note(number, "float", written, "taken from edge to edge")
        return numbers, convention._replace(reach=0, lattice=0)

    def _category(self, number: int, name: str, *, voc: bool) -> str:
        if len(name) == 9 and name[0] == "n" and name[1:].isdecimal():
            return name
        wnid = wnid_in(self.name)
        expects_wnid = wnid or "ImageNet" in self.claims or "ILSVRC" in self.claims
        if voc or not expects_wnid:
            if name:
                return name
            raise Refused("no_category", "no <name>")
        wnid = wnid or self.options.wnids.get(name.lower().replace("_", " "), "")
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


def _side(text: str) -> float:
    """Return a side of the image in whole pixels, or NaN if it is none."""
    if text.isdecimal() and text.isascii() and len(text) < 9:
        return float(text)
    value = _number(text)
    return value if value.is_integer() else NAN
