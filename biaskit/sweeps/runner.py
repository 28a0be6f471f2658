"""
The runner: chunks of images in, what a network said to their frames out.

``sweep_chunks`` is the unit of work of ``biaskit.engines``: a pure function of a setup and a
chunk, whatever process, device or machine does it.
"""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from biaskit.chance import hash_keys
from biaskit.errors import SweepError
from biaskit.sweeps.batches import Answers, Batcher, Forward
from biaskit.sweeps.chunks import Chunk
from biaskit.sweeps.devices import settle
from biaskit.sweeps.images import ImageFile
from biaskit.sweeps.networks import Network, NetworkRequest
from biaskit.sweeps.preparing import Prepared, images_digest, prepare_chunk, preparing
from biaskit.sweeps.protocols import Plan, Sequence

__all__ = ["ChunkAnswers", "Setup", "Shown", "sweep_chunks"]

Advance = Callable[[int, int], None]  # images and frames done since the last call


@dataclass(frozen=True)
class Setup:
    """
    What a worker needs before its first chunk.

    Attributes
    ----------
    request : NetworkRequest
    plan : Plan
    folder : str
        Of the photographs.
    device : str
    fast : bool
        bf16 instead of float32.
    batch : int
        Frames per batch.
    workers : int
        Threads that make canvases.
    """

    request: NetworkRequest
    plan: Plan
    folder: str
    device: str
    fast: bool
    batch: int
    workers: int


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
    network = network or setup.request.load()
    settle(setup.device)  # after the user's own code, which may have settled otherwise
    module = network.module.to(torch.device(setup.device))
    module = module.to(memory_format=torch.channels_last)
    forward = _forward(module, setup)
    batch, folder = setup.batch, Path(setup.folder)
    current: Batcher | None = None
    with preparing(folder, chunks, setup.plan, workers=setup.workers) as stream:
        for chunk, ahead in stream:
            images: Iterator[Prepared] = islice(ahead, most)
            found: ChunkAnswers | None = None
            while found is None:
                current = current or _batcher(forward, network, setup.device, batch)
                if current is not None:
                    found = _try(current, chunk, images, network, setup.plan, advance)
                if found is None:
                    # Nothing may hold on to the old batch while room is made for the new.
                    current = None
                    batch = _halved(batch, setup.device)
                    images = islice(prepare_chunk(folder, chunk, setup.plan), most)
            yield found
            for _ in ahead:  # the stream goes on behind this chunk
                pass


def _batcher(forward: Forward, network: Network, device: str, batch: int) -> Batcher | None:
    """Return a batcher; None if the device's memory does not hold its batch."""
    own, n_classes = network.preprocessing, len(network.classes)
    try:
        return Batcher(forward, own, n_classes=n_classes, device=device, batch=batch)
    except (RuntimeError, MemoryError) as error:
        if not _out_of_memory(error):
            raise
    return None


def _try(
    batcher: Batcher,
    chunk: Chunk,
    images: Iterator[Prepared],
    network: Network,
    plan: Plan,
    advance: Advance | None,
) -> "ChunkAnswers | None":
    """Return the answers to a chunk; None if the device's memory does not hold the batch."""
    index = {name: number for number, name in enumerate(network.classes)}
    try:
        with torch.inference_mode():
            return _answer(batcher, chunk, images, index, plan, advance)
    except (RuntimeError, MemoryError) as error:
        if not _out_of_memory(error):
            raise
    return None


def _out_of_memory(error: BaseException) -> bool:
    """Tell a lack of memory, which a smaller batch may cure, from every other failure."""
    text = str(error)
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(
        words in text for words in ("can't allocate memory", "ALLOC_FAILED", "out of memory")
    )


def _forward(module: torch.nn.Module, setup: Setup) -> Forward:
    kind = torch.device(setup.device).type

    def forward(frames: torch.Tensor) -> torch.Tensor:
        with torch.autocast(kind, torch.bfloat16) if setup.fast else nullcontext():
            said: torch.Tensor = module(frames)
        return said

    return forward


def _halved(batch: int, device: str) -> int:
    if batch == 1:
        raise SweepError(
            f"{device}: not even one frame at a time fits into its memory. "
            "Take a smaller network, or --device cpu."
        )
    if device.startswith("cuda"):
        torch.cuda.empty_cache()
    return batch // 2


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
