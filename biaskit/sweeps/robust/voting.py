"""
Test-time augmentation: a frame answered by many random crops of it together.

A way out that the paper weighs: where a pixel's shift changes the answer, let many crops decide. It
costs as many forward passes as there are crops, and is invariant only as far as their average is.
Here the frames of a short sequence of shifts are each answered by 1, 2, 4, ... crops, so that
what they cost can be laid beside what they gain.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from biaskit.sweeps.chunk_loop import Advance, Setup, each_chunk, forward_of, on_device
from biaskit.sweeps.chunks import Chunk
from biaskit.sweeps.images import ImageFile
from biaskit.sweeps.networks import Network
from biaskit.sweeps.preparing import Prepared, images_digest
from biaskit.sweeps.robust.ballots import Ballots, Voted
from biaskit.sweeps.robust.crops import CROPS, canvas_plan, check_crops, crop_corners, reach

__all__ = ["ChunkVotes", "VotingSetup", "vote_chunks"]


@dataclass(frozen=True)
class VotingSetup(Setup):
    """
    What a worker needs before its first chunk; its plan is one of ``embed``.

    Attributes
    ----------
    jitter : int
        Greatest shift of a crop from its frame, each way, px of the input.
    crops : tuple of int
        Ascending numbers of crops that answer together.
    """

    jitter: int
    crops: tuple[int, ...] = CROPS

    @property
    def times(self) -> int:
        """How many frames are shown for one: itself and all its crops."""
        return 1 + self.crops[-1]

    @property
    def keeps_whole(self) -> bool:
        """Whether every crop of every frame holds the whole image."""
        return reach(self.plan, self.jitter) <= (self.plan.input_size - self.plan.longer_side) // 2


@dataclass(frozen=True)
class ChunkVotes:
    """
    What a network said to the images of a chunk by crops.

    Attributes
    ----------
    number : int
        Of the chunk.
    shown : list of ImageFile
        The images, in the order of the answers, ``steps`` frames each.
    refused : list of (ImageFile, reason)
    sizes : dict of image id to (width, height)
        Of the photographs, px; 0 where it could not be read.
    voted : Voted
    steps, jitter, crops
        Of the plan and the setup.
    digest : str
        sha256 of the images' files.
    batch : int
        Frames per batch at the end.
    """

    number: int
    shown: list[ImageFile]
    refused: list[tuple[ImageFile, str]]
    sizes: dict[str, tuple[int, int]]
    voted: Voted
    steps: int
    jitter: int
    crops: tuple[int, ...]
    digest: str
    batch: int

    @property
    def n_frames(self) -> int:
        """Number of frames the network was shown, crops included."""
        return len(self.voted.p_true) * (1 + self.crops[-1])


def vote_chunks(
    setup: VotingSetup,
    chunks: Iterator[Chunk],
    *,
    network: Network | None = None,
    advance: Advance | None = None,
) -> Iterator[ChunkVotes]:
    """
    Answer chunk after chunk by crops, making the canvases of the next images meanwhile.

    Parameters
    ----------
    setup : VotingSetup
    chunks : iterator of Chunk
        Of images; ``cut_chunks(..., times=setup.times)`` makes them of the usual length.
    network : Network, optional
        If it is loaded already.
    advance : callable, optional
        Told the numbers of images and frames that have been put into batches since.

    Yields
    ------
    ChunkVotes
        In the order of the chunks.

    Raises
    ------
    NetworkError
        If the network answers in the wrong shape, or with numbers that are not finite.
    SweepError
        If crops cannot be taken of the plan, or not even a batch of one fits into memory.
    """
    check_crops(setup.plan, jitter=setup.jitter, crops=setup.crops)
    network, module = on_device(setup, network)
    forward = forward_of(module, setup)
    index = {name: number for number, name in enumerate(network.classes)}

    def begin(batch: int) -> Ballots:
        return Ballots(
            forward,
            network.preprocessing,
            n_classes=len(network.classes),
            device=setup.device,
            batch=batch,
            counts=setup.crops,
        )

    def answer(ballots: Ballots, chunk: Chunk, images: Iterator[Prepared]) -> ChunkVotes:
        return _answer(ballots, chunk, images, index, setup, advance)

    of_canvases = replace(setup, plan=canvas_plan(setup.plan, setup.jitter))
    yield from each_chunk(of_canvases, chunks, begin, answer)


def _answer(
    ballots: Ballots,
    chunk: Chunk,
    images: Iterator[Prepared],
    index: dict[str, int],
    setup: VotingSetup,
    advance: Advance | None,
) -> ChunkVotes:
    ballots.begin()
    shown: list[ImageFile] = []
    refused: list[tuple[ImageFile, str]] = []
    sizes: dict[str, tuple[int, int]] = {}
    digests: list[str] = []
    n_frames = setup.plan.steps * setup.times
    for prepared in images:
        image = prepared.image
        sizes[image.image_id] = (prepared.width, prepared.height)
        digests.append(prepared.digest)
        refused += [(image, reason) for reason in prepared.refused.values()]
        for sequence in prepared.sequences:
            shown.append(image)
            corners = crop_corners(
                sequence, setup.plan, image.image_id, jitter=setup.jitter, n=setup.crops[-1]
            )
            ballots.show(sequence.canvases[0], corners, index.get(image.category, -1))
        if advance is not None:
            advance(1, n_frames * len(prepared.sequences))
    return ChunkVotes(
        number=chunk.number,
        shown=shown,
        refused=refused,
        sizes=sizes,
        voted=ballots.voted(),
        steps=setup.plan.steps,
        jitter=setup.jitter,
        crops=setup.crops,
        digest=images_digest(digests),
        batch=ballots.batch,
    )
