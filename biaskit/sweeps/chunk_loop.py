"""The loop over chunks of images: made ready ahead, in batches as large as memory allows."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

import torch

from biaskit.errors import SweepError
from biaskit.sweeps.batches import Forward
from biaskit.sweeps.chunks import Chunk
from biaskit.sweeps.devices import settle
from biaskit.sweeps.networks import Network, NetworkRequest
from biaskit.sweeps.preparing import Prepared, prepare_chunk, preparing
from biaskit.sweeps.protocols import Plan

__all__ = ["Advance", "Setup", "each_chunk", "forward_of", "on_device"]

Advance = Callable[[int, int], None]  # images and frames done since the last call
Begun = TypeVar("Begun")
Answered = TypeVar("Answered")


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


def on_device(setup: Setup, network: Network | None) -> tuple[Network, torch.nn.Module]:
    """Return the network, loaded if it was not, and its module where it is to run."""
    network = network or setup.request.load()
    settle(setup.device)  # after the user's own code, which may have settled otherwise
    module = network.module.to(torch.device(setup.device))
    return network, module.to(memory_format=torch.channels_last)


def forward_of(module: torch.nn.Module, setup: Setup) -> Forward:
    """Return what answers frames, in the precision of the setup."""
    kind = torch.device(setup.device).type

    def forward(frames: torch.Tensor) -> torch.Tensor:
        with torch.autocast(kind, torch.bfloat16) if setup.fast else nullcontext():
            said: torch.Tensor = module(frames)
        return said

    return forward


def each_chunk(
    setup: Setup,
    chunks: Iterator[Chunk],
    begin: Callable[[int], Begun],
    answer: Callable[[Begun, Chunk, Iterator[Prepared]], Answered],
    *,
    most: int | None = None,
) -> Iterator[Answered]:
    """
    Work on chunk after chunk, with half the batch from where the device's memory is too small.

    Parameters
    ----------
    setup : Setup
    chunks : iterator of Chunk
    begin : callable
        From the frames per batch to what works in such batches.
    answer : callable
        From that, a chunk and its images, made ready, to what is found; called once more, with
        new images and a smaller batch, if memory was short.
    most : int, optional
        Images of each chunk that are shown; all by default.

    Raises
    ------
    SweepError
        If not even a batch of one fits into the device's memory.
    """
    batch, folder = setup.batch, Path(setup.folder)
    current: Begun | None = None
    with preparing(folder, chunks, setup.plan, workers=setup.workers) as stream:
        for chunk, ahead in stream:
            images: Iterator[Prepared] = islice(ahead, most)
            found: Answered | None = None
            while found is None:
                try:
                    with torch.inference_mode():
                        current = current or begin(batch)
                        found = answer(current, chunk, images)
                except (RuntimeError, MemoryError) as error:
                    if not _out_of_memory(error):
                        raise
                if found is None:
                    # Nothing may hold on to the old batch while room is made for the new.
                    current = None
                    batch = _halved(batch, setup.device)
                    images = islice(prepare_chunk(folder, chunk, setup.plan), most)
            yield found
            for _ in ahead:  # the stream goes on behind this chunk
                pass


def _out_of_memory(error: BaseException) -> bool:
    """Tell a lack of memory, which a smaller batch may cure, from every other failure."""
    text = str(error)
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(
        words in text for words in ("can't allocate memory", "ALLOC_FAILED", "out of memory")
    )


def _halved(batch: int, device: str) -> int:
    if batch == 1:
        raise SweepError(
            f"{device}: not even one frame at a time fits into its memory. "
            "Take a smaller network, or --device cpu."
        )
    if device.startswith("cuda"):
        torch.cuda.empty_cache()
    return batch // 2
