"""Frames made ahead: while the network works on one image, the next are read and made ready."""

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, Full, Queue

import cv2

from biaskit.errors import SweepError
from biaskit.provenance import file_digest
from biaskit.sweeps.chunks import Chunk
from biaskit.sweeps.images import ImageFile, open_photograph
from biaskit.sweeps.protocols import (
    ImageBoxes,
    Plan,
    Sequence,
    film_pieces,
    make_sequences,
    show_film,
)

__all__ = [
    "Prepared",
    "chunk_digest",
    "images_digest",
    "prepare_chunk",
    "prepare_image",
    "preparing",
]

_WAIT = 0.2  # s, after which a thread looks whether it should end


@dataclass(frozen=True)
class Prepared:
    """
    An image whose frames are made, or a piece of a film.

    Attributes
    ----------
    image : ImageFile
    sequences : list of Sequence
    refused : dict of int to str
        Object number, -1 for the image as a whole, and why it has no frames.
    width, height : int
        Of the photograph, px; 0 if it could not be read.
    digest : str
        sha256 of the file; empty if there is none, and for the pieces of a film but the first.
    """

    image: ImageFile
    sequences: list[Sequence]
    refused: dict[int, str]
    width: int
    height: int
    digest: str


def prepare_image(folder: Path, image: ImageFile, plan: Plan, boxes: ImageBoxes | None) -> Prepared:
    """Read a photograph and make its frames; what is wrong with it becomes the reason."""
    try:
        data = (folder / image.file).read_bytes()
    except OSError as error:
        return Prepared(image, [], {-1: f"cannot be read: {error.strerror}"}, 0, 0, "")
    digest = hashlib.sha256(data).hexdigest()
    try:
        photograph = open_photograph(data)
    except SweepError as error:
        return Prepared(image, [], {-1: str(error)}, 0, 0, digest)
    height, width = photograph.shape[:2]
    try:
        sequences, refused = make_sequences(
            photograph, plan, image_id=image.image_id, category=image.category, boxes=boxes
        )
    except (MemoryError, cv2.error):
        return Prepared(image, [], {-1: "does not fit into memory"}, width, height, digest)
    return Prepared(image, sequences, refused, width, height, digest)


def _tasks(folder: Path, chunk: Chunk, plan: Plan) -> Iterator[Callable[[], Prepared]]:
    if plan.protocol == "film":
        for image in chunk.images:
            yield from _film_tasks(folder / image.file, image, plan)
        return
    for image in chunk.images:
        yield partial(prepare_image, folder, image, plan, chunk.boxes.get(image.image_id))


def _film_tasks(path: Path, film: ImageFile, plan: Plan) -> Iterator[Callable[[], Prepared]]:
    first, digest = 0, _film_digest(path)
    for frames in film_pieces(path):
        yield partial(_film_piece, film, frames, plan, first, digest if first == 0 else "")
        first += len(frames)


def _film_piece(film: ImageFile, frames: list, plan: Plan, first: int, digest: str) -> Prepared:
    sequence = show_film(frames, plan, first=first)
    height, width = frames[0].shape[:2]
    return Prepared(film, [sequence], {}, width, height, digest)


def chunk_digest(folder: Path, chunk: Chunk, plan: Plan) -> str:
    """Return what `images_digest` was of a chunk, from its files as they are now."""
    if plan.protocol == "film":
        return images_digest([_film_digest(folder / film.file) for film in chunk.images])
    digests = []
    for image in chunk.images:
        with contextlib.suppress(OSError):
            digests.append(file_digest(folder / image.file))
    return images_digest(digests)


def _film_digest(path: Path) -> str:
    """Return the sha256 of a video, or of the names and contents of a folder's files."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    total = hashlib.sha256()
    for file in files:
        if file.is_file():
            total.update(f"{file.name} {file_digest(file)}\n".encode())
    return total.hexdigest()


def images_digest(digests: list[str]) -> str:
    """Return one sha256 of those of a chunk's files, in their order."""
    return hashlib.sha256("\n".join(filter(None, digests)).encode()).hexdigest()


def prepare_chunk(folder: Path, chunk: Chunk, plan: Plan) -> Iterator[Prepared]:
    """Yield the images of a chunk, each made when it is asked for."""
    for task in _tasks(folder, chunk, plan):
        yield task()


@contextmanager
def preparing(
    folder: Path, chunks: Iterator[Chunk], plan: Plan, *, workers: int
) -> Iterator[Iterator[tuple[Chunk, Iterator[Prepared]]]]:
    """
    Make the images of chunks ahead, in threads: Pillow and OpenCV leave Python's lock alone.

    Parameters
    ----------
    folder : Path
    chunks : iterator of Chunk
        Asked for the next one before the last is used up.
    plan : Plan
    workers : int
        Threads; about twice as many images lie ready.

    Yields
    ------
    iterator of (Chunk, iterator of Prepared)
        Both to be used up in their order.
    """
    cv2.setNumThreads(1)  # the cores belong to the network, and the other images
    ready: Queue[tuple[Chunk | None, Future[Prepared] | None]] = Queue(2 * workers + 1)
    stop = threading.Event()

    def put(entry: tuple[Chunk | None, Future[Prepared] | None]) -> None:
        while not stop.is_set():
            try:
                ready.put(entry, timeout=_WAIT)
            except Full:
                continue
            return

    def feed() -> None:
        try:
            for chunk in chunks:
                for task in _tasks(folder, chunk, plan):
                    if stop.is_set():
                        return
                    put((chunk, pool.submit(task)))
                put((chunk, None))
            put((None, None))
        except BaseException as error:
            failed: Future[Prepared] = Future()
            failed.set_exception(error)
            put((None, failed))

    def images(head: Future[Prepared] | None) -> Iterator[Prepared]:
        while head is not None:
            yield head.result()
            _, head = ready.get()

    def each() -> Iterator[tuple[Chunk, Iterator[Prepared]]]:
        while True:
            chunk, head = ready.get()
            if chunk is None:
                if head is not None:
                    head.result()
                return
            yield chunk, images(head)

    with ThreadPoolExecutor(workers) as pool:
        feeder = threading.Thread(target=feed, daemon=True)
        feeder.start()
        try:
            yield each()
        finally:
            stop.set()
            while True:
                try:
                    _, left = ready.get_nowait()
                except Empty:
                    break
                if left is not None:
                    left.cancel()
