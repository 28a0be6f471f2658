"""What a faster precision changes, measured before it is used."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from biaskit.sweeps.chunks import Chunk
from biaskit.sweeps.networks import Network
from biaskit.sweeps.runner import Setup, sweep_chunks

__all__ = ["flips_of_fast"]

IMAGES = 8  # enough for some hundred frames


def flips_of_fast(setup: Setup, network: Network, chunk: Chunk) -> Mapping[str, float]:
    """
    Show some images in both precisions, and count the frames whose answer differs.

    Parameters
    ----------
    setup : Setup
    network : Network
    chunk : Chunk
        Its first images, or the first pieces of a film, are taken.

    Returns
    -------
    mapping
        ``frames``, and the shares of them whose most probable class (``top1``) differs, whose
        true class enters or leaves the top 5 (``in_top5``), or whose set of five differs
        (``top5``).
    """
    slow, fast = (
        next(
            sweep_chunks(replace(setup, fast=f), iter([chunk]), network=network, most=IMAGES)
        ).answers
        for f in (False, True)
    )
    n = len(slow.rank_true)
    if not n:
        return {"frames": 0, "top1": 0.0, "in_top5": 0.0, "top5": 0.0}
    sets = np.sort(slow.top, axis=1) != np.sort(fast.top, axis=1)
    return {
        "frames": n,
        "top1": float(np.mean(slow.top[:, 0] != fast.top[:, 0])),
        "in_top5": float(np.mean((slow.rank_true <= 5) != (fast.rank_true <= 5))),
        "top5": float(np.mean(sets.any(axis=1))),
    }
