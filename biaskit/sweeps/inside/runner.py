"""
The sums over all maps of a network while images are shifted: the work on chunks of shiftability.

Sums are reduced on the device while the network runs, and turned into measures as soon as the
last frame of an image is answered, so memory grows neither with the images nor with the maps.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch

from biaskit.chance import hash_keys
from biaskit.errors import NetworkError
from biaskit.sweeps.batches import Batcher
from biaskit.sweeps.chunk_loop import Advance, Setup, each_chunk, forward_of, on_device
from biaskit.sweeps.chunks import Chunk
from biaskit.sweeps.inside.nonshiftability import SumMeasures, measure_sums
from biaskit.sweeps.inside.reader import EnergyReader, SumReader
from biaskit.sweeps.networks import Network
from biaskit.sweeps.networks.calls import Altered, seeing
from biaskit.sweeps.networks.layers import Layer, find_layers
from biaskit.sweeps.preparing import Prepared, images_digest
from biaskit.sweeps.protocols import Sequence

__all__ = ["ChunkSums", "ImageSums", "InsideSetup", "chosen_channels", "sum_chunks"]

_TOGETHER = 4  # middle frames in one pass for energies: enough for speed, few for memory
_Energies = dict[str, tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class InsideSetup(Setup):
    """
    What a worker needs before its first chunk.

    Attributes
    ----------
    others : tuple of str
        Patterns of the names of further modules to read.
    """

    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImageSums:
    """
    What the sums over maps say about one image.

    Attributes
    ----------
    image_id : str
    measures : SumMeasures
        Channels of all layers, one layer after the other.
    energies : dict of str to two float arrays, shape (n_channels,)
        Of the layers that drop places, unless a variant has put a blur between the response and
        the dropping: share at or above half the sampling rate, and share that folds onto the
        sum, in the middle frame.
    """

    image_id: str
    measures: SumMeasures
    energies: dict[str, tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class ChunkSums:
    """
    What was found in a chunk.

    Attributes
    ----------
    number : int
    images : list of ImageSums
    layers : list of Layer
    refused : dict of str to str
        Image id, and why it has no frames.
    sizes, digest, batch, n_frames
        As of ``biaskit.sweeps.stage.Found``.
    """

    number: int
    images: list[ImageSums]
    layers: list[Layer]
    refused: dict[str, str]
    sizes: dict[str, tuple[int, int]]
    digest: str
    batch: int
    n_frames: int


def sum_chunks(
    setup: InsideSetup,
    chunks: Iterator[Chunk],
    *,
    network: Network | None = None,
    advance: Advance | None = None,
) -> Iterator[ChunkSums]:
    """
    Shift the images of chunk after chunk, and sum every map at every step.

    Parameters
    ----------
    setup : InsideSetup
    chunks : iterator of Chunk
    network : Network, optional
        If it is loaded already.
    advance : callable, optional
        Told the numbers of images and frames that have been put into batches since.

    Yields
    ------
    ChunkSums
        In the order of the chunks.

    Raises
    ------
    NetworkError
        If the network has no layers.
    """
    network, module = on_device(setup, network)
    layers = find_layers(module, network.preprocessing.input_size, setup.others)
    if not layers:
        raise NetworkError(
            f"{network.name}: has no convolution or pooling that makes a map; name modules with "
            "--layer."
        )
    sums, energies = SumReader(layers), _energies(module, layers)
    forward = forward_of(module, setup)

    def summing(frames: torch.Tensor) -> torch.Tensor:
        with seeing(module, sums):
            return forward(frames)

    def begin(batch: int) -> _SumBatcher:
        own, n_classes = network.preprocessing, len(network.classes)
        batcher = _SumBatcher(summing, own, n_classes=n_classes, device=setup.device, batch=batch)
        batcher.reader = sums
        return batcher

    def measured(frames: list[torch.Tensor]) -> list[_Energies]:
        if frames and energies.at:
            # Made outside: what makes the batch is no call of the network.
            batch = torch.cat(frames).contiguous(memory_format=torch.channels_last)
            with seeing(module, energies):
                forward(batch)
        return energies.take(len(frames))

    def answer(batcher: _SumBatcher, chunk: Chunk, images: Iterator[Prepared]) -> ChunkSums:
        batcher.begin()
        refused: dict[str, str] = {}
        sizes: dict[str, tuple[int, int]] = {}
        digests, found, n_frames = [], [], 0
        middles: list[torch.Tensor] = []
        energy: list[_Energies] = []
        for prepared in images:
            name = prepared.image.image_id
            sizes[name] = (prepared.width, prepared.height)
            digests.append(prepared.digest)
            refused |= dict.fromkeys([name] * bool(prepared.refused), _reason(prepared))
            for sequence in prepared.sequences:
                batcher.add(sequence, -1)
                batcher.waiting.append((name, sequence.n_frames))
                middles.append(batcher.middle(sequence))
                if len(middles) == min(_TOGETHER, batcher.batch):
                    energy += measured(middles)
                    middles = []
                n_frames += sequence.n_frames
                found += batcher.ready()
            if advance is not None:
                advance(1, sum(sequence.n_frames for sequence in prepared.sequences))
        batcher.run()
        found += batcher.ready()
        energy += measured(middles)
        found = [replace(one, energies=own) for one, own in zip(found, energy, strict=True)]
        digest = images_digest(digests)
        return ChunkSums(
            chunk.number, found, layers, refused, sizes, digest, batcher.batch, n_frames
        )

    yield from each_chunk(setup, chunks, begin, answer)


def chosen_channels(seed: int, image_ids: list[str], layers: list[Layer]) -> np.ndarray:
    """
    Return the one channel of each layer that is drawn for an image, as the paper draws one.

    Returns
    -------
    int array, shape (n_images, n_layers)

    Examples
    --------
    >>> layer = Layer("conv1", "convolution", "activation", 0, 1, 1, (2, 2), 1, 64, 112, 112)
    >>> one, two = chosen_channels(0, ["a", "b"], [layer]), chosen_channels(0, ["b"], [layer])
    >>> bool(one[1, 0] == two[0, 0])
    True
    """
    names = np.array([layer.name for layer in layers], object)
    sizes = np.array([layer.channels for layer in layers], np.uint64)
    n = len(image_ids)
    images = np.repeat(np.array(image_ids, object), len(layers))
    drawn = hash_keys(seed, "channel", images, np.tile(names, n)).reshape(n, len(layers))
    channels: np.ndarray = (drawn % sizes).astype(np.int64)
    return channels


def _energies(module: torch.nn.Module, layers: list[Layer]) -> EnergyReader:
    """Return what measures the layers that drop places right behind their response."""
    changed = module.mode.changed if isinstance(module, Altered) else frozenset()
    own = [layer for layer in layers if layer.call not in changed]
    return EnergyReader(own, periodic=layers[0].periodic)


def _reason(prepared: Prepared) -> str:
    return "; ".join(dict.fromkeys(prepared.refused.values()))


class _SumBatcher(Batcher):
    """Fills batches with frames, and gives the sums over their maps back image by image."""

    reader: SumReader

    def begin(self) -> None:
        super().begin()
        self.pending: list[torch.Tensor] = []  # what no image has taken yet, as `take` returns it
        self.waiting: list[tuple[str, int]] = []

    def run(self) -> None:
        if self.filled:
            self.forward(self.buffer)
            self.pending.append(self.reader.take(self.filled))
            self.filled = 0

    def middle(self, sequence: Sequence) -> torch.Tensor:
        """Return the frame in the middle of the sequence that was just added."""
        step = (sequence.n_frames - 1) // 2
        top, left = int(sequence.top[step]), int(sequence.left[step])
        window = self.last[int(sequence.canvas[step]), :, top : top + self.size, left:]
        frame = window[None, :, :, : self.size]
        return frame.contiguous(memory_format=torch.channels_last)

    def ready(self) -> list[ImageSums]:
        """Return the measures of the images whose last frame has been answered."""
        found = []
        while self.waiting and sum(part.shape[1] for part in self.pending) >= self.waiting[0][1]:
            name, n_frames = self.waiting.pop(0)
            whole = torch.cat(self.pending, dim=1)
            self.pending = [whole[:, n_frames:]]
            measures = measure_sums(*whole[:, :n_frames].cpu().numpy())
            found.append(ImageSums(name, measures, {}))
        return found
