"""A chart of a study, by its name, as a file with its origin beside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from biaskit.bias.landmarks import landmark_pairs
from biaskit.charts.catalogue import CHARTS, ChartKind, draw
from biaskit.charts.from_study import curve_pictures, tables_of
from biaskit.charts.jumps import sequence_of
from biaskit.charts.marks import marked_photograph, typical_image
from biaskit.charts.remade_frames import remade_frames
from biaskit.charts.render import save_chart
from biaskit.charts.shift_curves import curve
from biaskit.charts.sweep_animation import animation_pages, chosen_steps, save_animation
from biaskit.charts.sweep_rows import one_sweep, seen_words
from biaskit.errors import ExportError
from biaskit.provenance import provenance
from biaskit.study import Study

__all__ = ["ANIMATION", "save_study_chart", "save_sweep"]

ANIMATION = ChartKind(
    curve,
    ("frames", "swept"),
    "frames of a sweep, and its curve as it grows",
    ("network", "protocol", "direction", "fill", "image", "images"),
    sweeps=True,
)
_READING = ("image", "network", "protocol", "direction", "fill")


def save_study_chart(
    study: Study,
    name: str,
    path: Path,
    *,
    category: str | None = None,
    words: Mapping[str, str] | None = None,
    images: Path | None = None,
    **options: Any,
) -> Path:
    """
    Draw a chart of a study's tables and write it.

    Parameters
    ----------
    study : Study
    name : str
        One of ``CHARTS``, or ``sweep``: the animation.
    path : Path
        Its ending decides the format.
    category : str, optional
        Only this category.
    words : mapping of str, optional
        Class to the word shown instead.
    images : Path, optional
        The photographs that were swept, or the film: for pictures of frames.
    **options
        Those of the chart's kind.

    Returns
    -------
    Path
        The file; ``<file>.json`` beside it says where the numbers are from.

    Raises
    ------
    StudyError
        If a table is not there.
    ExportError
        If the chart is unknown, cannot be drawn as asked, or the file not be written.

    Examples
    --------
    >>> import tempfile
    >>> study = Study(Path(tempfile.mkdtemp()) / "study")
    >>> save_study_chart(study, "volcano", Path("volcano.svg"))
    Traceback (most recent call last):
    ...
    biaskit.errors.StudyError: study: has no table 'significance' yet. To make it: biaskit test
    """
    kind = ANIMATION if name == "sweep" else CHARTS.get(name)
    needed = kind.tables if kind else ()
    reading = {key: options[key] for key in _READING if key in options}
    if kind and kind.sweeps:
        tables = tables_of(study, name, needed, category=category, **reading)
    else:
        tables = {table: study.read(table) for table in needed}
    if needed in (("boxes",), ("keypoints",)):
        options.setdefault("title", category or study.folder.resolve().name)
    origin = provenance(
        inputs=[study.digest(table) for table in needed],
        options={
            "chart": name,
            "category": category,
            **options,
            **({"images": images.resolve().name} if images else {}),
        },
        seed=None,
    )
    made = {**origin, "tables": {table: study.provenance(table) for table in needed}}
    if name == "sweep":
        own = {key: options.get(key) for key in ("image", "network")}
        return save_sweep(
            study, tables, images or Path(), path, provenance=made, words=words, **own
        )
    if name == "marks":
        options["picture"] = _marked(tables["keypoints"], category, images, options)
    elif kind and kind.sweeps and "image" in kind.options:
        options["words"] = words
        if images:
            pictures = curve_pictures(study, tables, images, image=options.get("image"))
            options["pictures"] = pictures or None
    return save_chart(draw(name, tables, category=category, **options), path, provenance=made)


def _marked(
    keypoints: pd.DataFrame, category: str | None, images: Path | None, options: dict[str, Any]
) -> str | None:
    """Return the photograph of the image that will be drawn, and settle which one that is."""
    rows = keypoints if category is None else keypoints[keypoints["category"] == category]
    if options.get("image") is None and len(rows):
        options["image"] = typical_image(landmark_pairs(rows, pair=options.get("pair")))
    if images is None or options.get("image") is None:
        return None
    return marked_photograph(rows, images, image=options["image"])


def save_sweep(
    study: Study,
    tables: Mapping[str, pd.DataFrame],
    images: Path,
    path: Path,
    *,
    provenance: Mapping[str, Any],
    image: str | None = None,
    network: Sequence[str] | None = None,
    words: Mapping[str, str] | None = None,
) -> Path:
    """
    Write the sweep of one image by one network as GIF or MP4.

    Parameters
    ----------
    study : Study
    tables : mapping
        ``frames`` and ``swept``, as ``tables_of`` returns them for ``sweep``.
    images : Path
        The folder of photographs, or the film.
    path : Path
        Its ending decides the format.
    provenance : mapping
        Written beside it.
    image : str, optional
        Id; by default that with the largest jump, as is the network.
    network : sequence of str, optional
    words : mapping of str, optional
        Class to the word shown instead.

    Returns
    -------
    Path

    Raises
    ------
    ExportError
        If there is nothing to show, the frames cannot be made again, or the file not be written.

    Examples
    --------
    >>> from biaskit.tables import FRAMES
    >>> empty = {"frames": FRAMES.empty()}
    >>> save_sweep(Study(Path("a")), empty, Path("b"), Path("sweep.gif"), provenance={})
    Traceback (most recent call last):
    ...
    biaskit.errors.ExportError: sweep.gif: there is no frame to show.
    """
    rows, jump = sequence_of(one_sweep(tables["frames"], network=network), image)
    if jump is None:
        raise ExportError(f"{path.name}: there is no frame to show.")
    own = rows[rows["name"] == jump.name].reset_index(drop=True)
    about = one_sweep(tables["swept"])
    about = about[(about["name"] == jump.name) & (about["image_id"] == jump.image_id)]
    frames = remade_frames(study, own, images, steps=chosen_steps(len(own)))
    seen = seen_words(about).removeprefix("images: ")
    pages = animation_pages(own, frames, seen=seen, words=words)
    return save_animation(pages, path, provenance=provenance)
