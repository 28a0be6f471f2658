"""One photograph with its marks: what was clicked, and what is tested of it."""

import base64
import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import altair as alt
import numpy as np
import pandas as pd
from PIL import Image, ImageOps, UnidentifiedImageError

from biaskit.annotations.photographs import Photographs
from biaskit.bias.landmarks import Pairs, landmark_pairs
from biaskit.charts.rows import plain_text
from biaskit.charts.theme import BLUE, GREY, ORANGE, layered
from biaskit.errors import ExportError

__all__ = ["marked_photograph", "marks", "typical_image"]

WIDTH = 420  # px of the picture
_DENSITY = 2  # pixels of the photograph to one of the picture
_LARGEST = 200_000_000  # pixels of a photograph that is unpacked


def marks(
    keypoints: pd.DataFrame,
    *,
    title: str = "",
    image: str | None = None,
    picture: str | None = None,
    pair: Sequence[str] | None = None,
    width: int = WIDTH,
) -> alt.LayerChart:
    """
    Draw the marks of one image: both points, the line between them, and its midpoint.

    Parameters
    ----------
    keypoints : DataFrame
        A table ``keypoints``.
    title : str
        What was marked; the image's name is added.
    image : str, optional
        Its id; by default the most typical one, see ``typical_image``.
    picture : str, optional
        Address of the photograph, such as a data URI: ``marked_photograph``.
    pair : two str, optional
        See ``biaskit.bias.landmarks.landmark_pairs``.
    width : int
        Of the picture, px.

    Returns
    -------
    altair.LayerChart
        The dashed frame is where the midpoint may lie if both marks are to be inside: the null
        ``fit``.

    Raises
    ------
    ExportError
        If there is no such image, or nothing is marked in pairs.
    """
    pairs = landmark_pairs(keypoints, pair=pair)
    image = image or typical_image(pairs)
    box = pairs.objects.table
    rows = np.flatnonzero((box["image_id"] == image).to_numpy())
    if not len(rows):
        raise ExportError(f"chart 'marks': image '{image}' has no pair of marks.")
    own = box.iloc[rows]
    mine = keypoints[
        (keypoints["image_id"] == image)
        & (keypoints["category"] == own["category"].iloc[0])
        & keypoints["x"].notna()
    ]
    size = own[["image_width", "image_height"]].iloc[0]
    height = round(width * float(size["image_height"]) / float(size["image_width"]))
    layers: list[alt.Chart | alt.LayerChart] = [_photograph(picture)] if picture else []
    layers += [_reach(own), _lines(pairs, rows), _points(mine), _middles(own)]
    head = f"{title}: {image}" if title else image
    note = [
        ", ".join(
            f"{n} {word}" + ("s" if n != 1 else "")
            for n, word in (
                (len(mine), "mark"),
                (mine["annotator"].nunique(), "annotator"),
                (len(rows), "pair"),
            )
        ),
        "cross: midpoint; dashed: where it may lie under the fit null",
    ]
    return layered(*layers).properties(
        width=width,
        height=height,
        title=alt.TitleParams(plain_text(head)[:60], subtitle=note),
    )


def typical_image(pairs: Pairs) -> str:
    """
    Return the image whose pair is nearest to the median midpoint and log distance of all.

    Parameters
    ----------
    pairs : Pairs

    Returns
    -------
    str
        Its id.

    Raises
    ------
    ExportError
        If there is no pair.

    Examples
    --------
    >>> from biaskit.tables import KEYPOINTS
    >>> typical_image(landmark_pairs(KEYPOINTS.empty()))
    Traceback (most recent call last):
    ...
    biaskit.errors.ExportError: chart 'marks': no object has both points marked.
    """
    if not len(pairs):
        raise ExportError("chart 'marks': no object has both points marked.")
    box = pairs.objects.table
    measured = np.column_stack(
        [
            box["x_min"] + box["x_max"],
            box["y_min"] + box["y_max"],
            np.log(np.maximum(pairs.distance, 1e-3) / pairs.objects.x.frame),
        ]
    )
    spread = measured.std(axis=0)
    away = (measured - np.median(measured, axis=0)) / np.where(spread > 0, spread, 1)
    return str(box["image_id"].iloc[int(np.argmin((away**2).sum(axis=1)))])


def marked_photograph(
    keypoints: pd.DataFrame, folder: Path, *, image: str, width: int = WIDTH
) -> str:
    """
    Return the photograph of an image as a data URI, turned as it was when it was marked.

    Parameters
    ----------
    keypoints : DataFrame
        A table ``keypoints``; tells the size at which the image was marked.
    folder : Path
        Of the photographs.
    image : str
        Its id.
    width : int
        Of the picture, px: the photograph is scaled to twice that.

    Returns
    -------
    str

    Raises
    ------
    ExportError
        If it is not there, cannot be read, or has another shape than what was marked.
    AnnotationError
        If the folder holds no photograph.
    """
    found = Photographs(folder).find(image)
    if found is None:
        raise ExportError(f"chart 'marks': {folder.name} has no photograph of '{image}'.")
    if found.width * found.height > _LARGEST:
        raise ExportError(f"chart 'marks': {found.name} has {found.width} x {found.height} px.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the size was looked at
            with Image.open(folder / found.name) as opened:
                shown = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError) as error:
        raise ExportError(f"chart 'marks': {found.name} cannot be read: {error}.") from None
    rows = keypoints[(keypoints["image_id"] == image) & keypoints["image_width"].notna()]
    if len(rows):
        marked = [float(rows[f"image_{side}"].iloc[0]) for side in ("width", "height")]
        gap = abs(marked[0] * shown.height - marked[1] * shown.width)
        if gap > max(*marked, *shown.size):
            raise ExportError(
                f"chart 'marks': {found.name} is {shown.width} x {shown.height} px, but was marked "
                f"at {marked[0]:.0f} x {marked[1]:.0f} px."
            )
    shown.thumbnail((_DENSITY * width, 4 * _DENSITY * width))
    content = io.BytesIO()
    shown.save(content, "JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()


def _photograph(picture: str) -> alt.Chart:
    table = pd.DataFrame([{"x": 0, "x2": 1, "y": 0, "y2": 1, "picture": picture}])
    return (
        alt.Chart(table)
        .mark_image(aspect=False)
        .encode(x=_across(), x2="x2:Q", y=_down(), y2="y2:Q", url="picture:N")
    )


def _reach(own: pd.DataFrame) -> alt.Chart:
    half = {a: (own[f"{a}_max"] - own[f"{a}_min"]) / 2 for a in "xy"}
    table = pd.DataFrame({"x": half["x"], "x2": 1 - half["x"], "y": half["y"], "y2": 1 - half["y"]})
    return (
        alt.Chart(table)
        .mark_rect(filled=False, stroke=GREY, strokeDash=[4, 3], strokeWidth=1.5)
        .encode(x=_across(), x2="x2:Q", y=_down(), y2="y2:Q")
    )


def _lines(pairs: Pairs, rows: np.ndarray) -> alt.Chart:
    own = pairs.objects.table.iloc[rows]
    up = np.sign(pairs.right[rows] * pairs.down[rows]) < 0
    table = pd.DataFrame(
        {
            "x": own["x_min"],
            "x2": own["x_max"],
            "y": np.where(up, own["y_max"], own["y_min"]),
            "y2": np.where(up, own["y_min"], own["y_max"]),
        }
    )
    return (
        alt.Chart(table)
        .mark_rule(color=ORANGE, strokeWidth=2)
        .encode(x=_across(), x2="x2:Q", y=_down(), y2="y2:Q")
    )


def _points(mine: pd.DataFrame) -> alt.LayerChart:
    table = mine[["x", "y", "point", "annotator", "visibility"]].copy()
    table["point"] = [plain_text(str(name)) for name in table["point"]]
    first = table.drop_duplicates("point")
    base = alt.Chart(table).encode(x=_across(), y=_down())
    ring = base.mark_point(size=90, color="white", strokeWidth=4, opacity=1, filled=False)
    dots = base.mark_point(size=90, color=BLUE, strokeWidth=2, opacity=1, filled=False).encode(
        tooltip=["point:N", "annotator:N", "visibility:N"]
    )
    # Names stand on the far side of their points: eyes are near each other.
    left = first["x"] < first["x"].mean()
    names = [*_names(first[left], "right", -11), *_names(first[~left], "left", 11)]
    return layered(ring, dots, *names)


def _names(points: pd.DataFrame, align: Literal["left", "right"], dx: int) -> list[alt.Chart]:
    named = alt.Chart(points).encode(x=_across(), y=_down(), text="point:N")
    # White around dark: readable on any photograph, and on a page that is light or dark.
    return [
        named.mark_text(
            align=align, dx=dx, fontSize=13, baseline="middle", color=color,
            stroke=stroke, strokeWidth=4 if stroke else 0,
        )
        for color, stroke in (("white", "white"), ("#1b1f24", ""))
    ]  # fmt: skip


def _middles(own: pd.DataFrame) -> alt.LayerChart:
    table = pd.DataFrame(
        {"x": (own["x_min"] + own["x_max"]) / 2, "y": (own["y_min"] + own["y_max"]) / 2}
    )
    base = alt.Chart(table).encode(x=_across(), y=_down())
    wide = base.mark_point(shape="cross", size=190, filled=True, color="white", opacity=1)
    return layered(wide, base.mark_point(shape="cross", size=90, filled=True, color=ORANGE,
                                         opacity=1))  # fmt: skip


def _across() -> alt.X:
    return alt.X("x:Q", title="x, of image width", scale=_scale(), axis=_axis())


def _down() -> alt.Y:
    return alt.Y("y:Q", title="y, of image height", scale=_scale(reverse=True), axis=_axis())


def _scale(*, reverse: bool = False) -> alt.Scale:
    return alt.Scale(domain=[0, 1], nice=False, reverse=reverse)


def _axis() -> alt.Axis:
    return alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2~f", grid=False)
