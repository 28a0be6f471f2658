"""Feature maps under shift, for pictures such as the paper's Figure 4."""

import base64
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch

from biaskit.errors import SweepError
from biaskit.sweeps.batches import Batcher
from biaskit.sweeps.chunk_loop import forward_of, on_device
from biaskit.sweeps.frame_tables import sweep_names
from biaskit.sweeps.inside.reader import MapReader
from biaskit.sweeps.inside.runner import InsideSetup, chosen_channels
from biaskit.sweeps.networks import Network
from biaskit.sweeps.networks.calls import seeing
from biaskit.sweeps.networks.layers import Layer, find_layers
from biaskit.sweeps.preparing import Prepared
from biaskit.tables import FEATURE_MAPS

__all__ = ["feature_maps", "pictured_layers"]

SHIFTS = 8
LAYERS = 6


def pictured_layers(layers: Sequence[Layer], n: int = LAYERS) -> list[Layer]:
    """
    Choose layers evenly in depth, the first and the last among them.

    Parameters
    ----------
    layers : sequence of Layer
        In the order of their calls; those read without an activation are passed over.
    n : int

    Returns
    -------
    list of Layer

    Examples
    --------
    >>> layer = Layer("a", "convolution", "activation", 0, 1, 1, (1, 1), 1, 8, 32, 32)
    >>> deep = [layer._replace(name=str(k), depth=k) for k in range(1, 12)]
    >>> [found.depth for found in pictured_layers(deep, 3)]
    [1, 6, 11]
    """
    usable = [layer for layer in layers if layer.reading != "linear"] or list(layers)
    depths = np.array([layer.depth for layer in usable])
    wanted = np.linspace(depths.min(), depths.max(), min(n, len(usable)))
    return [usable[k] for k in sorted({int(np.argmin(np.abs(depths - depth))) for depth in wanted})]


def feature_maps(
    setup: InsideSetup,
    prepared: Prepared,
    *,
    network: Network | None = None,
    names: Sequence[str] = (),
    shifts: int = SHIFTS,
) -> pd.DataFrame:
    """
    Return maps of one channel of some layers at neighbouring shifts of one image.

    Parameters
    ----------
    setup : InsideSetup
    prepared : Prepared
        The image with its frames.
    network : Network, optional
        If it is loaded already.
    names : sequence of str
        Layers; by default some, evenly in depth.
    shifts : int
        Frames around the middle of the sequence, one step apart.

    Returns
    -------
    DataFrame
        Table ``feature_maps``. The channel is the one drawn by seed for this image, or the next
        one whose map is not the same everywhere.

    Raises
    ------
    SweepError
        If the image has no frames.
    """
    if not prepared.sequences:
        raise SweepError(f"{prepared.image.file}: has no frames to make maps of.")
    network, module = on_device(setup, network)
    every = find_layers(module, network.preprocessing.input_size, setup.others)
    layers = [la for la in every if la.name in names] if names else pictured_layers(every)
    sequence, reader = prepared.sequences[0], MapReader(layers)
    n = min(shifts, sequence.n_frames)
    first = (sequence.n_frames - n) // 2
    own = network.preprocessing
    forward = forward_of(module, setup)
    kept: dict[str, list[torch.Tensor]] = {layer.name: [] for layer in layers}
    with torch.inference_mode():
        # One frame at a time, whatever the batch: these few need no memory and no time.
        batcher = Batcher(
            forward, own, n_classes=len(network.classes), device=setup.device, batch=1
        )
        canvases = batcher.normalised(sequence.canvases)
        for step in range(first, first + n):
            top, left = int(sequence.top[step]), int(sequence.left[step])
            window = canvases[int(sequence.canvas[step]), :, top : top + batcher.size]
            batcher.buffer[0].copy_(window[:, :, left : left + batcher.size])
            with seeing(module, reader):
                forward(batcher.buffer)
            for name, found in reader.maps.items():
                kept[name].append(found.cpu())
    about = sweep_names(network.name, network.variant, setup.plan)
    rows = []
    for layer in layers:
        maps = torch.cat(kept[layer.name])
        drawn = chosen_channels(setup.plan.seed, [prepared.image.image_id], [layer])
        channel = _lively(maps, int(drawn[0, 0]))
        one = maps[:, channel].numpy()
        low, high = float(one.min()), float(one.max())
        levels = np.rint((one - low) * (255 / (high - low or 1))).astype(np.uint8)
        for row, step in enumerate(range(first, first + n)):
            rows.append(
                {
                    **about,
                    "image_id": prepared.image.image_id,
                    "layer": layer.name,
                    "channel": channel,
                    "step": step,
                    "dx": float(sequence.dx[step]),
                    "dy": float(sequence.dy[step]),
                    "depth": layer.depth,
                    "height": layer.height,
                    "width": layer.width,
                    "low": low,
                    "high": high,
                    "sum": float(one[row].sum(dtype=np.float64)),
                    "levels": base64.b64encode(levels[row].tobytes()).decode(),
                }
            )
    return FEATURE_MAPS.check(pd.DataFrame(rows), "feature_maps")


def _lively(maps: torch.Tensor, channel: int) -> int:
    """Return the channel, or the next one whose map is not the same everywhere."""
    spread = maps.amax((0, 2, 3)) > maps.amin((0, 2, 3))
    order = (torch.arange(maps.shape[1]) + channel) % maps.shape[1]
    alive = order[spread[order]]
    return int(alive[0]) if len(alive) else channel
