"""Write the sample data set: everything into a folder beside the target, then one rename."""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from biaskit.errors import SampleError
from biaskit.sample import texts
from biaskit.sample.categories import LAWS
from biaskit.sample.cutouts import missing_photographs
from biaskit.sample.eyes import EXPORT, write_eyes
from biaskit.sample.film import N_FRAMES, write_film
from biaskit.sample.laws import PlantedLaw, draw_boxes
from biaskit.sample.photographs import N_CATEGORIES, N_PER_CATEGORY, write_photographs
from biaskit.sample.xml_files import write_box_xml

__all__ = ["SampleWritten", "write_sample"]

Progress = Callable[[int, int], None]
_PATHS = {"readme": "README.txt", "boxes": "boxes", "laws": "laws.csv", "words": "words.txt"}
_PHOTOGRAPH_PATHS = {
    "photographs": "photos",
    "photograph_boxes": "boxes_photos",
    "labels": "labels.csv",
    "eyes": EXPORT,
    "film": "film",
}


@dataclass(frozen=True)
class SampleWritten:
    """
    What `write_sample` wrote.

    Attributes
    ----------
    folder : Path
        The folder, as it was asked for.
    paths : mapping of str to str
        Where each part is, relative to the folder, with ``/``: ``readme``, ``boxes``,
        ``laws``, ``words``, and with the photographs ``photographs``,
        ``photograph_boxes``, ``labels``, ``eyes`` and ``film``.
    n_box_images, n_boxes : int
        XML files of the made-up categories, and boxes in them.
    n_photographs, n_marks, n_frames : int
        Composite photographs; points marked on eyes; frames of the film. 0 if left out.
    laws : tuple of PlantedLaw
        The made-up categories, in the order of their ids.
    left_out : str
        What was not written, why, and the line to type. Empty if nothing was left out.
    """

    folder: Path
    paths: Mapping[str, str]
    n_box_images: int
    n_boxes: int
    n_photographs: int
    n_marks: int
    n_frames: int
    laws: tuple[PlantedLaw, ...]
    left_out: str


def write_sample(folder: Path, *, seed: int, progress: Progress | None = None) -> SampleWritten:
    """
    Write the sample data set: boxes with planted laws, photographs, eye marks and a film.

    The folder appears whole or not at all. The same seed and library versions give the
    same bytes.

    Parameters
    ----------
    folder : Path
        A folder that does not exist yet or is empty.
    seed : int
        Decides every place and size, 0 or greater.
    progress : callable, optional
        Called now and then with the number of files written and of all files. What it
        raises ends the writing, and nothing is left behind.

    Returns
    -------
    SampleWritten
        Counts, paths and laws. Without scikit-image the photographs, marks and film are
        left out, and ``left_out`` says so.

    Raises
    ------
    SampleError
        If the folder holds something, is a file, is the current folder, or cannot be written.
    ValueError
        If the seed is negative.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as home:
    ...     written = write_sample(Path(home) / "sample", seed=1)
    ...     written.n_box_images, sorted(p.name for p in Path(home).iterdir())
    (3272, ['sample'])
    """
    if seed < 0:
        raise ValueError(f"seed is {seed}, expected 0 or greater.")
    _check_free(folder)
    left_out = missing_photographs()
    n_photographs, n_frames = (0, 0) if left_out else (N_CATEGORIES * N_PER_CATEGORY, N_FRAMES)
    n_marks = 0
    n_images = sum(law.n_images for law in LAWS)
    count = _Counter(n_images + n_photographs + n_frames, progress)
    with _appearing_whole(folder) as part:
        n_boxes = _write_boxes(part, seed, count)
        if not left_out:
            photographs = write_photographs(part, seed=seed, written=count.add)
            n_marks = write_eyes(part, photographs, seed=seed)
            write_film(part, written=count.add)
        texts.write_texts(part, LAWS, seed=seed, left_out=left_out)
        count.report()
    return SampleWritten(
        folder=folder,
        paths=_PATHS if left_out else _PATHS | _PHOTOGRAPH_PATHS,
        n_box_images=n_images,
        n_boxes=n_boxes,
        n_photographs=n_photographs,
        n_marks=n_marks,
        n_frames=n_frames,
        laws=LAWS,
        left_out=left_out,
    )


class _Counter:
    """Counts files and tells the caller, at every hundredth of the way rather than at each."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self.written, self.total, self.progress = 0, total, progress

    def add(self) -> None:
        self.written += 1
        if self.written % max(1, self.total // 100) == 0:
            self.report()

    def report(self) -> None:
        if self.progress is not None:
            self.progress(self.written, self.total)


def _write_boxes(part: Path, seed: int, count: _Counter) -> int:
    n_boxes = 0
    for law in LAWS:
        frames, boxes = draw_boxes(law, seed=seed)
        for number, (size, objects) in enumerate(
            zip(frames.tolist(), boxes.tolist(), strict=True), start=1
        ):
            image_id = f"{law.wnid}_{number}"
            write_box_xml(
                part / _PATHS["boxes"], law.wnid, image_id, size, objects, source="biaskit sample"
            )
            n_boxes += len(objects)
            count.add()
    return n_boxes


def _check_free(folder: Path) -> None:
    if folder.exists() and folder.resolve() == Path.cwd():
        raise SampleError(
            f"{folder}: is the folder you stand in, which cannot be replaced by a whole one. "
            "Name a new folder, such as sample."
        )
    if folder.is_dir():
        found = sorted(path.name for path in folder.iterdir())
        if found:
            things = "1 thing" if len(found) == 1 else f"{len(found)} things"
            raise SampleError(
                f"{folder}: holds {things} already, such as {found[0]}; expected a new or empty "
                "folder. Name another, or remove this one first."
            )
    elif folder.exists() or folder.is_symlink():
        raise SampleError(f"{folder}: is not a folder. Name a new folder, such as sample.")


@contextmanager
def _appearing_whole(folder: Path) -> Iterator[Path]:
    """Yield a folder beside the target; give it the target's name only once all is written."""
    target = folder.resolve()
    part = target.with_name(f".{target.name}-{secrets.token_hex(4)}.part")
    try:
        part.mkdir(parents=True)
        yield part
        if target.is_dir():
            target.rmdir()  # empty: checked; Windows renames onto no folder
        os.rename(part, target)
    except OSError as error:
        raise SampleError(
            f"{folder}: could not be written: {error.strerror or error}. Nothing was left behind."
        ) from error
    finally:
        # Also after ctrl-C or an error of the caller's own; after the rename it is gone.
        shutil.rmtree(part, ignore_errors=True)
