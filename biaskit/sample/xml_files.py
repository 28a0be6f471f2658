"""Box files in the shape of ImageNet's own XML: ``Annotation/<wnid>/<image>.xml``."""

from collections.abc import Iterable, Sequence
from pathlib import Path

__all__ = ["box_xml", "write_box_xml"]

_ANNOTATION = """<annotation>
\t<folder>{wnid}</folder>
\t<filename>{image_id}</filename>
\t<source>
\t\t<database>{source}</database>
\t</source>
\t<size>
\t\t<width>{width}</width>
\t\t<height>{height}</height>
\t\t<depth>3</depth>
\t</size>
\t<segmented>0</segmented>
{objects}</annotation>
"""
_OBJECT = """\t<object>
\t\t<name>{wnid}</name>
\t\t<pose>Unspecified</pose>
\t\t<truncated>{truncated}</truncated>
\t\t<difficult>0</difficult>
\t\t<bndbox>
\t\t\t<xmin>{0}</xmin>
\t\t\t<ymin>{1}</ymin>
\t\t\t<xmax>{2}</xmax>
\t\t\t<ymax>{3}</ymax>
\t\t</bndbox>
\t</object>
"""


def box_xml(
    wnid: str, image_id: str, size: Sequence[int], boxes: Iterable[Sequence[int]], *, source: str
) -> str:
    """
    Write the boxes of one image as ImageNet does.

    Parameters
    ----------
    wnid, image_id : str
        Category, and file name of the image without its ending. Plain letters, digits and
        underscores: nothing is escaped.
    size : two ints
        Width and height of the image, px.
    boxes : sequences of four ints
        x_min, y_min, x_max, y_max in px, counted from 0, the last pixel included.
    source : str
        Who made the boxes, for the field ``database``.

    Returns
    -------
    str
        The file's text.

    Raises
    ------
    ValueError
        If a box reaches outside its image or has no pixel.

    Examples
    --------
    >>> text = box_xml("n90000001", "n90000001_1", (4, 3), [(0, 0, 3, 2)], source="biaskit")
    >>> [line.strip() for line in text.splitlines() if "max" in line]
    ['<xmax>3</xmax>', '<ymax>2</ymax>']
    """
    width, height = (int(side) for side in size)
    objects = []
    for box in boxes:
        x_min, y_min, x_max, y_max = (int(edge) for edge in box)
        if not (0 <= x_min <= x_max < width and 0 <= y_min <= y_max < height):
            raise ValueError(
                f"{image_id}: box {[x_min, y_min, x_max, y_max]} px is not inside "
                f"an image of {width} x {height} px, the last pixel included."
            )
        touches = x_min == 0 or y_min == 0 or x_max == width - 1 or y_max == height - 1
        objects.append(
            _OBJECT.format(x_min, y_min, x_max, y_max, wnid=wnid, truncated=int(touches))
        )
    return _ANNOTATION.format(
        wnid=wnid,
        image_id=image_id,
        source=source,
        width=width,
        height=height,
        objects="".join(objects),
    )


def write_box_xml(
    folder: Path,
    wnid: str,
    image_id: str,
    size: Sequence[int],
    boxes: Iterable[Sequence[int]],
    *,
    source: str,
) -> None:
    """Write `box_xml` to ``folder/Annotation/<wnid>/<image_id>.xml``, in UTF-8 and LF."""
    path = folder / "Annotation" / wnid / f"{image_id}.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    # Bytes, so that line ends are the same on every system.
    path.write_bytes(box_xml(wnid, image_id, size, boxes, source=source).encode())
