"""Frames of a sweep made again from the photographs, by the plan that the study recorded."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from biaskit.errors import ExportError
from biaskit.study import Study

if TYPE_CHECKING:
    from biaskit.sweeps.protocols import Plan

__all__ = ["remade_frames"]

_SWEEP = ("network", "variant", "protocol", "direction", "fill")
_EXTRA = "pip install 'biaskit[sweeps]'"


def remade_frames(
    study: Study, rows: pd.DataFrame, images: Path, *, steps: Sequence[int] | None = None
) -> Iterator[np.ndarray]:
    """
    Make the frames of one sequence again, as the network was shown them.

    Parameters
    ----------
    study : Study
        Has ``swept``, and the provenance of ``frames``.
    rows : DataFrame
        The sequence's rows of ``frames``, of one network.
    images : Path
        The folder of photographs that was swept, or the film.
    steps : sequence of int, optional
        Only these, in their order in the sequence.

    Yields
    ------
    uint8 array, shape (side, side, 3)

    Raises
    ------
    ExportError
        If the photograph is not there, or is not the one that was swept.

    Examples
    --------
    A study without a sweep has no frames:

    >>> import tempfile
    >>> study = Study(Path(tempfile.mkdtemp()))
    >>> next(remade_frames(study, pd.DataFrame(), Path("photos")))
    Traceback (most recent call last):
    ...
    biaskit.errors.ExportError: there is no frame to make again.
    """
    if rows.empty:
        raise ExportError("there is no frame to make again.")
    first = rows.iloc[0]
    entry, beside = _entry(study, first)
    plan = _plan(beside)
    wanted = sorted(rows["step"] if steps is None else steps)
    if plan.protocol == "film":
        yield from _of_film(_path(images, str(entry["file"]), film=True), plan, wanted)
        return
    path = _path(images, str(entry["file"]), film=False)
    yield from _of_photograph(study, path, plan, first, entry, wanted)


def _entry(study: Study, first: pd.Series) -> tuple[pd.Series, dict[str, Any]]:
    """Return the image's row of ``swept``, and what stands beside the part it is in."""
    names = {key: str(first[key]) for key in _SWEEP}
    where: list[tuple[str, str, Any]] = [(key, "=", word) for key, word in names.items()]
    where += [("image_id", "=", str(first["image_id"])), ("object", "=", int(first["object"]))]
    found = study.read("swept", where=where)
    parts = [b for b in study.parts("frames").values() if b.get("sweep") == names]
    if found.empty or not parts:
        raise ExportError(
            f"{study.name}: does not say how the frames of {first['image_id']} were made."
        )
    return found.iloc[0], parts[0]


def _plan(beside: dict[str, Any]) -> "Plan":
    try:
        from biaskit.sweeps.protocols import Plan
    except ImportError:
        raise ExportError(f"making frames again needs OpenCV. Type: {_EXTRA}") from None
    options = beside["options"]
    plan = {key.removeprefix("plan_"): v for key, v in options.items() if key.startswith("plan_")}
    try:
        return Plan(**plan, seed=beside["seed"])
    except TypeError:
        raise ExportError(
            f"the sweep was made by biaskit {beside.get('biaskit')}, whose plan this one does not "
            "know. Sweep again."
        ) from None


def _path(images: Path, file: str, *, film: bool) -> Path:
    if film and images.name == Path(file).name and images.exists():
        return images
    path = images / file
    # A name from a table must not lead out of the folder that was named.
    inside = images.resolve() in path.resolve().parents
    if not inside or not path.exists():
        what = "film" if film else "photograph"
        raise ExportError(f"{images}: does not hold the {what} {file} that was swept.")
    return path


def _of_film(path: Path, plan: "Plan", wanted: list[int]) -> Iterator[np.ndarray]:
    from biaskit.sweeps.protocols import film_pieces, show_film

    first = 0
    for piece in film_pieces(path):
        here = [step - first for step in wanted if first <= step < first + len(piece)]
        if here:
            yield from show_film([piece[k] for k in here], plan, first=first).canvases
        first += len(piece)
    if wanted and wanted[-1] >= first:
        raise ExportError(f"{path.name}: has {first:,} frames, {wanted[-1] + 1:,} were swept.")


def _of_photograph(
    study: Study, path: Path, plan: "Plan", first: pd.Series, entry: pd.Series, wanted: list[int]
) -> Iterator[np.ndarray]:
    from biaskit.sweeps.images import open_photograph
    from biaskit.sweeps.protocols import boxes_by_image, make_sequences

    photograph = open_photograph(path.read_bytes())
    height, width = photograph.shape[:2]
    was = (int(entry["image_width"]), int(entry["image_height"]))
    if (width, height) != was:
        raise ExportError(
            f"{path.name}: is {width} x {height} px, the one that was swept {was[0]} x {was[1]}."
        )
    image_id, boxes = str(first["image_id"]), None
    if plan.protocol in ("crop", "crop-scaled"):
        boxes = boxes_by_image(study.read("boxes"), {image_id}).get(image_id)
    made, _ = make_sequences(
        photograph, plan, image_id=image_id, category=str(first["category"]), boxes=boxes
    )
    key = (int(first["object"]), int(first["pass"]))
    for sequence in made:
        if (sequence.object_number, sequence.pass_number) == key:
            for k in wanted:
                top, left = int(sequence.top[k]), int(sequence.left[k])
                canvas = sequence.canvases[int(sequence.canvas[k])]
                yield canvas[top : top + plan.input_size, left : left + plan.input_size]
            return
    raise ExportError(f"{path.name}: its frames cannot be made again; was the table boxes changed?")
