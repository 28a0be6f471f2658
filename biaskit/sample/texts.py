"""What the sample says of itself: ``README.txt``, ``laws.csv`` and ``words.txt``."""

import csv
import io
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from biaskit.sample.laws import PlantedLaw

__all__ = ["write_texts"]

_PHOTOGRAPHED = {
    "n02123159": "tiger cat",
    "n03773504": "missile",
    "n03785016": "moped",
    "n07920052": "espresso",
}
_README = """\
The sample data set of biaskit
==============================

Written by `biaskit sample`, seed {seed}. Nothing here was downloaded.

boxes/Annotation/<wnid>/<image>.xml
    {n_images} made-up box files in ImageNet's own form: pixels counted from 0, the last one
    included. There are no photographs to them. The ids n90000001 and on lie outside
    ImageNet's range.
laws.csv
    For each of these categories: the law it was drawn from, how many images and objects,
    what each test should say, and why. reject: the p-value should be far below 0.001.
    keep: what is tested is true of the law (or twelve images cannot show otherwise), so
    one test in twenty still falls below 0.05. open: it may fall either way.
    The columns of verdicts are, with one object per image unless the name says otherwise:
      position_frame                 centres on 5 x 5 equal cells of the frame
      position_fit                   places among those where the box fits, 5 x 5
      position_fit_without_touching  the same without boxes that touch the frame
      position_fit_all_objects       the same with touching, every object counted as its own
      height_uniform                 height uniform from one pixel to the frame
      height_log_uniform             logarithm of the height uniform from 16 px to the frame
      mirror                         as often in the right half of its places as in the left
      coupling                       rank correlation of height with distance from the middle
words.txt
    wnid, tab, word.
{photographs}
The categories
--------------

{categories}"""
_PHOTOGRAPHS = """\
photos/<wnid>/<image>.JPEG, boxes_photos/Annotation/<wnid>/<image>.xml, labels.csv
    40 composite photographs of four of ImageNet's categories, made here from photographs
    that come with scikit-image: the object is cut out, resized, and put on a background.
    Sizes run evenly from 0.50 to 0.95 of the largest that fits the frame, in a random
    order; the box is put with equal chance on every place where it fits. Ten a category
    are for looking at networks, not for tests of placement.
eyes/label_studio_export.json
    The cat's two eyes, left_eye and right_eye (the animal's own), as two annotators might
    have marked them in Label Studio: percent of the image's sides, scattered by about a
    pixel around the middle of the pupil. The second annotator skipped n02123159_7. Nobody
    really sat there: persons, times and dates are made up.
film/frame_000.png to frame_059.png, film/film.csv
    The cat (n02123159) moving by less than a pixel a frame. film.csv says how far right (dx)
    and down (dy) since the frame before, and in all (x, y), in px of the frame.

Where the photographs come from
    tiger cat   scikit-image's chelsea.png, by Stefan van der Walt; no copyright reserved (CC0)
    espresso    scikit-image's coffee.png, by Rachel Michetti, taken at Pikolo Espresso Bar;
                no copyright reserved (CC0)
    missile     scikit-image's rocket.jpg: SpaceX's Falcon 9 before it carried DSCOVR up;
                given to the public domain by SpaceX
    moped       scikit-image's motorcycle_left.png, cut out with the depths of
                motorcycle_disp.npz: the Middlebury 2014 stereo benchmark (D. Scharstein and
                others, "High-resolution stereo datasets with subpixel-accurate ground
                truth", GCPR 2014), at a quarter of its size. No licence is stated there:
                cite the paper, and ask the authors before publishing the picture.
"""


def write_texts(folder: Path, laws: Sequence[PlantedLaw], *, seed: int, left_out: str) -> None:
    """
    Write the three files.

    Parameters
    ----------
    folder : Path
        Where the sample is written.
    laws : sequence of PlantedLaw
        The made-up categories.
    seed : int
        Named in the README.
    left_out : str
        Why there are no photographs; empty if there are.
    """
    _write(folder / "README.txt", _readme(laws, seed, left_out))
    _write(folder / "laws.csv", _table(laws))
    words = {law.wnid: law.word for law in laws} | ({} if left_out else _PHOTOGRAPHED)
    _write(folder / "words.txt", "".join(f"{wnid}\t{words[wnid]}\n" for wnid in sorted(words)))


def _write(path: Path, text: str) -> None:
    # Bytes, so that line ends are the same on every system.
    path.write_bytes(text.encode())


def _table(laws: Sequence[PlantedLaw]) -> str:
    stream = io.StringIO()
    rows = [_row(law) for law in laws]
    writer = csv.DictWriter(stream, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def _row(law: PlantedLaw) -> dict[str, str | int]:
    return {
        "wnid": law.wnid,
        "word": law.word,
        "law": law.law,
        "n_images": law.n_images,
        "n_objects": law.n_images * law.objects_per_image,
        **asdict(law.expected),
        "why": law.why,
    }


def _indent(text: str) -> str:
    return textwrap.fill(text, 90, initial_indent="    ", subsequent_indent="    ")


def _readme(laws: Sequence[PlantedLaw], seed: int, left_out: str) -> str:
    categories = [
        f"{law.wnid} {law.word}, {law.n_images} images\n"
        + "".join(f"{_indent(text)}\n" for text in (f"{law.law}.", law.why))
        for law in laws
    ]
    return _README.format(
        seed=seed,
        n_images=sum(law.n_images for law in laws),
        photographs=f"\n{textwrap.fill(left_out, 90)}\n" if left_out else _PHOTOGRAPHS,
        categories="\n".join(categories),
    )
