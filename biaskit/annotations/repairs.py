"""Every kind of thing a reader repairs or refuses, and the list in which it is written down."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["KINDS", "LONGEST_NAME", "NOTES", "Refused", "Repair", "Repairs", "clean"]

KINDS: Mapping[str, str] = {
    # a whole file
    "broken": "not well-formed: XML, JSON, CSV or Parquet that ends early or makes no sense",
    "broken_image": "a photograph whose header cannot be read; the annotation's own size is kept",
    "cmyk": "a photograph in CMYK: networks that read it as RGB see other colours",
    "empty": "a file of no bytes",
    "entity": "a document type or entity is declared: never followed, so the file is refused",
    "exif_rotation": "a photograph that is turned for display: the annotation's size is kept",
    "image_size": "the photograph is of another size: the annotation's own size is kept",
    "image_type": "a photograph of another type than its name says, such as a PNG named JPEG",
    "name": "another file name is written inside: the file's own name is kept",
    "no_images": "photographs that were not found, counted in one row",
    "no_object": "no object is marked",
    "no_size": "the image's size is missing, zero or absurd: taken from the photograph or refused",
    "not_annotation": "a file of a format read here, but not of boxes",
    "not_utf8": "text that is not UTF-8",
    "other_file": "files of other kinds, left aside and counted in one row",
    "percent_s": "the placeholder %s as file name: the file's own name is kept",
    "same_image": "boxes of this image were read already, from a file earlier by name",
    "same_name": "different images of one name: the folder is put in front",
    "too_deep": "elements nested deeper than any annotation",
    "too_large": "larger than any annotation, by its header: not read",
    # an object
    "crowd": "marked as a crowd, not as an object: left out",
    "float": "a number with a fraction where pixels are counted: the box is taken edge to edge",
    "near_copy": "overlaps an earlier box of its image and category by more than 0.95",
    "no_box": "an object without a box",
    "no_category": "an object without a name, or of a number that stands for none or for two",
    "no_image": "an object of an image that is not listed, or of a number that two images share",
    "not_a_number": "a coordinate is missing or no finite number",
    "outside": "reaches outside its image: cut at the frame, or refused if nothing is left",
    "polygon": "an outline instead of a box: the box around it is kept",
    "swapped": "the least coordinate is above the greatest: exchanged",
    "word": "a word where a wnid belongs: taken from the folder, the file name or the words file",
    "zero_area": "no width or no height, such as a click without a drag",
    # a mark
    "bad_time": "a time that is negative or no number: left out",
    "contradiction": "marks and answers of one marking contradict each other: all of it refused",
    "draft": "begun and never submitted: left aside",
    "duplicate_mark": "a point marked twice in one marking, in two places: neither is taken",
    "exif_mismatch": "marked in the frame as stored, while the photograph is turned for display",
    "no_mark": "submitted without a mark or an answer: left aside",
    "no_point": "a mark without the name of its point, or with two names",
    "no_task": "an entry of an export that is no task, or a marking that is none",
    "other_answer": "an answer that says nothing of a point, such as why an image is of no use",
    "other_region": "a region that is no point, such as a box: left aside",
    "other_shape": "the photograph has another shape: it is not the picture that was marked",
    "rotated": "turned on the page while marked: its numbers are those of the upright picture",
    "same_marks": "these marks were read already: left aside",
    "skipped": "skipped by the annotator",
    "unmarked": "tasks that nobody has marked yet, counted in one row",
    # an archive
    "bomb": "unpacks to far more than its size",
    "broken_archive": "an archive that contradicts itself",
    "device": "a device, pipe or socket: not opened",
    "encrypted": "needs a password",
    "link": "a link that leaves its source, or any link in an archive: not followed",
    "path": "a path that is absolute or climbs out with ..",
    "too_nested": "archives within archives, deeper than is read",
    "truncated": "ends early: what came before the end is kept",
    "unreadable": "the operating system refuses to give it",
    "unsupported": "packed in a way that is not read here",
}
# Counted, but nothing of boxes or marks was changed: strictness does not refuse them.
NOTES = frozenset(
    {
        "crowd",
        "draft",
        "no_images",
        "no_mark",
        "other_answer",
        "other_file",
        "other_region",
        "rotated",
        "same_marks",
        "skipped",
        "unmarked",
    }
)

LONGEST = 200  # characters of a file that are quoted
LONGEST_NAME = 4096  # characters of a path


class Repair(NamedTuple):
    """
    One thing that was changed or refused.

    Attributes
    ----------
    file : str
        Within its source, with / between folders.
    object : int
        Number of the object within its file; -1 for the whole file.
    kind : str
        One of `KINDS`.
    found, kept : str
        What stood there, and what was kept instead; ``kept`` is empty if it was refused.
    """

    file: str
    object: int
    kind: str
    found: str
    kept: str


class Refused(Exception):  # noqa: N818 -- an answer within the readers, no error of the program
    """One file or object is not to be had; carries the kind and what was found."""

    def __init__(self, kind: str, found: str = "") -> None:
        super().__init__(kind, found)
        self.kind, self.found = kind, found


def clean(text: str, longest: int = LONGEST) -> str:
    """
    Make text of unknown origin fit to be stored and shown: valid, on one line, not endless.

    Examples
    --------
    >>> clean("one" + chr(10) + "two")
    'one two'
    """
    short = text if len(text) <= longest else text[: longest - 1] + "…"
    if short.isascii() and short.isprintable():
        return short
    whole = short.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else " " for c in whole)


class Repairs:
    """
    The list of repairs of one reading.

    Examples
    --------
    >>> repairs = Repairs()
    >>> repairs.add("a.xml", "empty")
    >>> repairs.counts
    {'empty': 1}
    """

    def __init__(self) -> None:
        self.rows: list[Repair] = []

    def add(
        self, file: str, kind: str, found: str = "", kept: str = "", *, number: int = -1
    ) -> None:
        """Write down one repair of object ``number`` of a file; -1: the whole file."""
        if kind not in KINDS:
            raise ValueError(f"unknown kind of repair {kind!r}")
        self.rows.append(Repair(clean(file, LONGEST_NAME), number, kind, clean(found), clean(kept)))

    def extend(self, rows: Iterable[Repair], prefix: str = "") -> None:
        """Write down repairs found elsewhere, with ``prefix`` before the names of files."""
        for row in rows:
            self.add(prefix + row.file, row.kind, row.found, row.kept, number=row.object)

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind, in the order of their names."""
        return dict(sorted(Counter(row.kind for row in self.rows).items()))

    def table(self) -> "pd.DataFrame":
        """Return the checked REPAIRS table, in an order that does not depend on reading."""
        import pandas as pd  # worker processes collect repairs, and need no tables

        from biaskit.tables import REPAIRS

        if not self.rows:
            return REPAIRS.check(REPAIRS.empty(), "repairs")
        table = pd.DataFrame(sorted(self.rows), columns=list(Repair._fields))
        text = dict.fromkeys(("file", "kind", "found", "kept"), "str")
        return REPAIRS.check(table.astype({**text, "object": "int64"}), "repairs")
