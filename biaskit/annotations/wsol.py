"""
Boxes of the wsolevaluation metadata: localization.txt, image_sizes.txt, class_labels.txt.

Lines are ``path,x0,y0,x1,y1``, ``path,width,height`` and ``path,label``, the numbers as they stand
in ImageNet's XML: from 0, with the last pixel inside. If there are 1,000 classes and ImageNet's
wnids are known, a label is the place of a wnid in their order; else it is the category itself.
"""

import math
from collections import Counter
from collections.abc import Mapping

from biaskit.annotations.imagenet_xml import IMAGENET
from biaskit.annotations.options import Context
from biaskit.annotations.raw import RawBox, image_stem
from biaskit.annotations.repairs import Refused
from biaskit.annotations.synsets import imagenet_wnids

__all__ = ["WSOL_FILES", "read_wsol"]

WSOL_FILES = ("localization.txt", "image_sizes.txt", "class_labels.txt")
N_CLASSES = 1000


def read_wsol(folder: str, files: Mapping[str, bytes], context: Context) -> list[RawBox]:
    """
    Read the three files of one folder.

    Parameters
    ----------
    folder : str
        Of the files within their source, ending in / unless it is empty.
    files : mapping
        Base name to bytes.
    context : Context
        Its repairs receive ``no_category`` and ``not_a_number``.

    Returns
    -------
    list of RawBox
        Sizes are NaN where image_sizes.txt has none.

    Raises
    ------
    Refused
        If a file is missing or not UTF-8.
    """
    for name in WSOL_FILES:
        if name not in files:
            raise Refused("not_annotation", f"{name} is not beside it")
    lines = {name: _lines(files[name]) for name in WSOL_FILES}
    sizes = {path: values for path, values in lines["image_sizes.txt"] if len(values) == 2}
    labels = {path: values[0].strip() for path, values in lines["class_labels.txt"] if values}
    words = _words(set(labels.values()), context)
    file = folder + "localization.txt"
    seen: Counter[str] = Counter()
    boxes: list[RawBox] = []
    for number, (path, values) in enumerate(lines["localization.txt"]):
        image = image_stem(path)
        seen[image] += 1
        try:
            numbers = [_number(value) for value in values]
            if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
                raise Refused("not_a_number", ",".join(values))
            label = labels.get(path, "")
            if not label:
                raise Refused("no_category", f"{path} is not in class_labels.txt")
        except Refused as refused:
            context.repairs.add(file, refused.kind, refused.found, number=number)
            continue
        size = [_number(side) for side in sizes.get(path, ("", ""))]
        first = (file, number, image, seen[image] - 1, words.get(label, label))
        boxes.append(
            RawBox._make((*first, _split(path, folder, context), *size, *numbers, *IMAGENET))
        )
    return boxes


def _split(path: str, folder: str, context: Context) -> str:
    return context.split(f"{folder}{path}")


def _lines(data: bytes) -> list[tuple[str, list[str]]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused("not_utf8", f"byte {error.start} is 0x{data[error.start]:02x}") from None
    parts = (line.split(",") for line in text.splitlines() if line.strip())
    return [(path, values) for path, *values in parts]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _words(labels: set[str], context: Context) -> dict[str, str]:
    if labels != {str(number) for number in range(N_CLASSES)}:
        return {}
    wnids = sorted(set(context.options.wnids.values())) or imagenet_wnids()
    return {str(n): wnid for n, wnid in enumerate(wnids)} if len(wnids) == N_CLASSES else {}
