"""A sweep cut into chunks of images: the same chunks whatever does the work, and in what order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from biaskit.errors import SweepError
from biaskit.sweeps.images import ImageFile
from biaskit.sweeps.protocols import ImageBoxes, Plan

__all__ = ["Chunk", "cut_chunks", "of_shard", "read_shard", "usual_batch"]

BATCHES = 16  # per chunk, so that what is filled up at its end does not count
CHUNKS = 256  # a large sweep has about as many, not one file for every few images
MOST = 512  # images of a chunk, as far as batches allow: what a kill may cost
_TARGET = {"cpu": 32, "cuda": 256, "mps": 64}  # frames per batch, about


@dataclass(frozen=True)
class Chunk:
    """
    Images whose frames are made, answered and written together.

    Attributes
    ----------
    number : int
        From 0; the same for every shard.
    images : tuple of ImageFile
    boxes : mapping of image id to ImageBoxes
        Of these images, where the protocol needs them.
    """

    number: int
    images: tuple[ImageFile, ...]
    boxes: Mapping[str, ImageBoxes] = field(default_factory=dict)


def usual_batch(device: str, steps: int) -> int:
    """
    Return a batch that holds whole sequences, if that is near what suits the device.

    Examples
    --------
    >>> usual_batch("cpu", 33), usual_batch("cuda:0", 33), usual_batch("cpu", 1000)
    (33, 264, 32)
    """
    target = _TARGET.get(device.partition(":")[0], 32)
    whole = max(1, round(target / steps)) * steps if steps else target
    return whole if whole <= 2 * target else target


def cut_chunks(
    images: Sequence[ImageFile],
    plan: Plan,
    batch: int,
    boxes: Mapping[str, ImageBoxes],
    *,
    times: int = 1,
) -> list[Chunk]:
    """
    Cut a list of images into chunks.

    Parameters
    ----------
    images : sequence of ImageFile
    plan : Plan
    batch : int
        Frames per batch at the start, before a lack of memory may have halved it.
    boxes : mapping of image id to ImageBoxes
        Of any images.
    times : int
        How often each frame is shown, such as once for each of its crops.

    Returns
    -------
    list of Chunk
        A film is a chunk of its own.
    """
    if plan.protocol == "film":
        length = 1
    else:
        frames = times * _frames_per_image(plan)
        length = max(-(-BATCHES * batch // frames), min(MOST, -(-len(images) // CHUNKS)))
    found = []
    for number, first in enumerate(range(0, len(images), length)):
        part = tuple(images[first : first + length])
        own = {image.image_id: boxes[image.image_id] for image in part if image.image_id in boxes}
        found.append(Chunk(number, part, own))
    return found


def _frames_per_image(plan: Plan) -> int:
    if plan.protocol == "pairs":
        return 2 * plan.pairs
    if plan.protocol == "places":
        return len(plan.scales) * plan.steps
    return plan.steps**2 if plan.direction == "grid" else plan.steps


def read_shard(text: str | None) -> tuple[int, int]:
    """
    Return number and count of a shard written as I/N.

    Raises
    ------
    SweepError

    Examples
    --------
    >>> read_shard("2/4"), read_shard(None)
    ((2, 4), (1, 1))
    """
    if text is None:
        return 1, 1
    number, _, count = text.partition("/")
    if not (number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count)):
        raise SweepError(f"--shard {text}: expected I/N with I from 1 to N, such as 2/4.")
    return int(number), int(count)


def of_shard(chunks: Sequence[Chunk], shard: tuple[int, int]) -> list[Chunk]:
    """Return every N-th chunk, from the I-th on."""
    return list(chunks[shard[0] - 1 :: shard[1]])
