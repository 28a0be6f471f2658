"""
The runner: chunks of images in, what a network said to their frames out.

``sweep_chunks`` is the unit of work of ``biaskit.engines``: a pure function of a setup and a
chunk, whatever process, device or machine does it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from biaskit.chance import hash_keys
from biaskit.sweeps.batches import Answers, Batcher
from biaskit.sweeps.chunk_loop import Advance, Setup, each_chunk, forward_of, on_device
from biaskit.sweeps.chunks import Chunk
from biaskit.sweeps.images import ImageFile
from biaskit.sweeps.networks import Network
from biaskit.sweeps.preparing import Prepared, images_digest
from biaskit.sweeps.protocols import Plan, Sequence

__all__ = ["ChunkAnswers", "Setup", "Shown", "sweep_chunks"]


@dataclass(frozen=True)
class Shown:
    """A sequence that was shown, without its canvases."""

    image: ImageFile
    object_number: int
    pass_number: int
    dx: np.ndarray
    dy: np.ndarray
    scale: np.ndarray
    box_area: float
    room: int


@dataclass(frozen=True)
class ChunkAnswers:
    """
    What a network said to the images of a chunk.

    Attributes
    ----------
    number : int
        Of the chunk.
    shown : list of Shown
        The sequences, in the order of the answers.
    refused : list of (ImageFile, object number, reason)
    sizes : dict of image id to (width, height)
        Of the photographs, px; 0 where it could not be read.
    answers : Answers
    digest : str
        sha256 of the images' files.
    batch : int
        Frames per batch at the end; smaller than asked for if memory was short.
    """

    number: int
    shown: list[Shown]
    refused: list[tuple[ImageFile, int, str]]
    sizes: dict[str, tuple[int, int]]
    answers: Answers
    digest: str
    batch: int

    @property
    def n_frames(self) -> int:
        """Number of frames that were answered."""
        return len(self.answers.p_true)


def sweep_chunks(
    setup: Setup,
    chunks: Iterator[Chunk],
    *,
    network: Network | None = None,
    advance: Advance | None = None,
    most: int | None = None,
) -> Iterator[ChunkAnswers]:
    """
    Answer chunk after chunk, making the canvases of the next images meanwhile.

    Parameters
    ----------
    setup : Setup
    chunks : iterator of Chunk
    network : Network, optional
        If it is loaded already.
    advance : callable, optional
        Told the numbers of images and frames that have been put into batches since.
    most : int, optional
        Images of each chunk, or pieces of a film, that are shown; all by default.

    Yields
    ------
    ChunkAnswers
        In the order of the chunks.

    Raises
    ------
    NetworkError
        If the network answers in the wrong shape, or with numbers that are not finite.
    SweepError
        If not even a batch of one fits into the device's memory.
    """
    network, module = on_device(setup, network)
    forward = forward_of(module, setup)
    index = {name: number for number, name in enumerate(network.classes)}

    def begin(batch: int) -> Batcher:
        own, n_classes = network.preprocessing, len(network.classes)
        return Batcher(forward, own, n_classes=n_classes, device=setup.device, batch=batch)

    def answer(batcher: Batcher, chunk: Chunk, images: Iterator[Prepared]) -> ChunkAnswers:
        return _answer(batcher, chunk, images, index, setup.plan, advance)

    yield from each_chunk(setup, chunks, begin, answer, most=most)


def _answer(
    batcher: Batcher,
    chunk: Chunk,
    images: Iterator[Prepared],
    index: dict[str, int],
    plan: Plan,
    advance: Advance | None,
) -> ChunkAnswers:
    batcher.begin()
    shown: list[Shown] = []
    refused: list[tuple[ImageFile, int, str]] = []
    sizes: dict[str, tuple[int, int]] = {}
    digests, kept = [], []
    for prepared in images:
        image, true_class = prepared.image, index.get(prepared.image.category, -1)
        sizes[image.image_id] = (prepared.width, prepared.height)
        digests.append(prepared.digest)
        refused += [(image, number, reason) for number, reason in prepared.refused.items()]
        for sequence in prepared.sequences:
            if plan.protocol == "repeat":
                kept.append((sequence, true_class))
            else:
                batcher.add(sequence, true_class)
            _note(shown, image, sequence)
        if advance is not None:
            advance(1, sum(sequence.n_frames for sequence in prepared.sequences))
    answers = _shuffled(batcher, kept, chunk, plan) if kept else batcher.finish()
    return ChunkAnswers(
        chunk.number, shown, refused, sizes, answers, images_digest(digests), batcher.batch
    )


def _note(shown: list[Shown], image: ImageFile, sequence: Sequence) -> None:
    """Keep what the tables need of a sequence; a film's pieces become one."""
    piece = Shown(
        image,
        sequence.object_number,
        sequence.pass_number,
        sequence.dx,
        sequence.dy,
        sequence.scale,
        sequence.box_area,
        sequence.room,
    )
    if sequence.starts:
        shown.append(piece)
        return
    before = shown.pop()
    joined = {
        name: np.concatenate([getattr(before, name), getattr(piece, name)])
        for name in ("dx", "dy", "scale")
    }
    shown.append(
        Shown(
            image,
            before.object_number,
            before.pass_number,
            box_area=before.box_area,
            room=before.room,
            **joined,
        )
    )


def _shuffled(
    batcher: Batcher, kept: list[tuple[Sequence, int]], chunk: Chunk, plan: Plan
) -> Answers:
    """Show the frames of all sequences of a chunk in an order drawn by seed."""
    canvases = [batcher.normalised(sequence.canvases) for sequence, _ in kept]
    batcher.n_sequences = len(kept)
    frames = [(i, step) for i, (s, _) in enumerate(kept) for step in range(s.n_frames)]
    seed = int(hash_keys(plan.seed, "shuffle", chunk.number)[0] >> np.uint64(1))
    order, begun = np.random.default_rng(seed).permutation(len(frames)), set()
    for i, step in (frames[k] for k in order):
        sequence, true_class = kept[i]
        top, left = int(sequence.top[step]), int(sequence.left[step])
        size = batcher.size
        window = canvases[i][int(sequence.canvas[step]), :, top : top + size, left : left + size]
        batcher.put(window, i, true_class, i not in begun)
        begun.add(i)
    said = batcher.finish()
    back = np.argsort(order)
    return Answers(*(getattr(said, name)[back] for name in Answers.__dataclass_fields__))
