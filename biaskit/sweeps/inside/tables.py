"""The tables of what happens inside networks: layers, sums under shift, and their summary."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from biaskit.errors import StudyError
from biaskit.sweeps.frame_tables import Names
from biaskit.sweeps.inside.runner import ChunkSums, chosen_channels
from biaskit.sweeps.networks.layers import Layer
from biaskit.sweeps.networks.probing import Probed
from biaskit.sweeps.over_images import mean_columns
from biaskit.tables import LAYERS, SHIFTABILITY, SHIFTABILITY_BY

__all__ = ["by_image", "layers_table", "shiftability_by", "shiftability_table"]

_SWEEP = ["network", "variant", "protocol", "direction", "fill"]
_SHARES = (
    "nonshiftability_chosen",
    "nonshiftability",
    "deviation",
    "variation_median",
    "energy_above_nyquist",
    "energy_onto_dc",
)


def layers_table(
    network: str, variant: str, layers: Sequence[Layer], probed: Sequence[Probed]
) -> pd.DataFrame:
    """
    Lay out the layers of a network with what was measured of them.

    Parameters
    ----------
    network, variant : str
    layers : sequence of Layer
    probed : sequence of Probed
        Of each.

    Returns
    -------
    DataFrame
        Table ``layers``.

    Examples
    --------
    >>> layer = Layer("conv1", "convolution", "activation", 0, 1, 1, (2, 2), 1, 64, 112, 112)
    >>> layers_table("toy", "plain", [layer], [Probed(2.0, 7.0)])["field"].tolist()
    [7.0]
    """
    rows = {
        "network": [network] * len(layers),
        "variant": [variant] * len(layers),
        "order": list(range(len(layers))),
        "layer": [layer.name for layer in layers],
        "kind": [layer.kind for layer in layers],
        "reading": [layer.reading for layer in layers],
        "depth": [layer.depth for layer in layers],
        "stride": [max(layer.stride) for layer in layers],
        "subsampling_factor": [found.factor for found in probed],
        "field": [found.field for found in probed],
        "channels": [layer.channels for layer in layers],
        "height": [layer.height for layer in layers],
        "width": [layer.width for layer in layers],
    }
    return LAYERS.check(pd.DataFrame(rows), f"layers of {network}")


def shiftability_table(names: Names, found: ChunkSums, *, seed: int) -> pd.DataFrame:
    """
    Lay out what the sums over the maps of a chunk's images say.

    Parameters
    ----------
    names : mapping
        The first five columns.
    found : ChunkSums
    seed : int
        Of the one channel drawn for each image and layer.

    Returns
    -------
    DataFrame
        Table ``shiftability``.
    """
    sizes = np.array([layer.channels for layer in found.layers])
    starts = np.cumsum(sizes) - sizes
    n, total = len(found.images), int(sizes.sum())
    measures = [image.measures for image in found.images]
    columns = {
        name: np.concatenate([getattr(m, name) for m in measures]) if n else np.zeros(0)
        for name in ("n_changes", "nonshiftability", "deviation", "variation", "mean_sum")
    }
    chosen = np.zeros((n, total), bool)
    above, onto = np.full((n, total), np.nan), np.full((n, total), np.nan)
    drawn = chosen_channels(seed, [image.image_id for image in found.images], found.layers)
    for row, image in enumerate(found.images):
        chosen[row, starts + drawn[row]] = True
        for layer, start in zip(found.layers, starts, strict=True):
            if layer.name in image.energies:
                part = slice(start, start + layer.channels)
                above[row, part], onto[row, part] = image.energies[layer.name]
    codes = np.tile(np.repeat(np.arange(len(found.layers)), sizes), n)
    images = np.repeat(np.arange(n), total)
    frame = pd.DataFrame(
        {
            **{key: _words(np.zeros(n * total, int), [word]) for key, word in names.items()},
            "image_id": _words(images, [image.image_id for image in found.images]),
            "layer": _words(codes, [layer.name for layer in found.layers]),
            "channel": np.tile(np.arange(total) - np.repeat(starts, sizes), n),
            "chosen": chosen.ravel(),
            "n_steps": np.repeat([m.n_steps for m in measures], total).astype(int),
            **columns,
            "energy_above_nyquist": above.ravel(),
            "energy_onto_dc": onto.ravel(),
        }
    )
    frame["n_changes"] = frame["n_changes"].astype(int)
    return SHIFTABILITY.check(frame, "shiftability")


def _words(codes: np.ndarray, words: Sequence[str]) -> Any:
    return pd.Categorical(list(words), categories=list(words)).take(codes)


def by_image(shiftability: pd.DataFrame) -> pd.DataFrame:
    """
    Sum channels up: a row per sweep, image and layer.

    Parameters
    ----------
    shiftability : DataFrame
        Table ``shiftability``, or a part of it that holds its images whole.

    Returns
    -------
    DataFrame
        ``nonshiftability_chosen`` (missing where the channel drawn has no mean),
        ``nonshiftability``, ``deviation``, ``variation_median``, the energies (means or median over
        the channels not left out), ``left_out`` (share), ``variation_greatest``, ``n_channels``,
        ``n_steps``.
    """
    keys = [*_SWEEP, "image_id", "layer"]
    rows = shiftability.assign(
        left_out=shiftability["nonshiftability"].isna(),
        drawn=shiftability["nonshiftability"].where(shiftability["chosen"]),
    )
    found = rows.groupby(keys, observed=True, sort=True).agg(
        n_channels=("channel", "size"),
        n_steps=("n_steps", "first"),
        left_out=("left_out", "mean"),
        nonshiftability_chosen=("drawn", "max"),
        nonshiftability=("nonshiftability", "mean"),
        deviation=("deviation", "mean"),
        variation_median=("variation", "median"),
        variation_greatest=("variation", "max"),
        energy_above_nyquist=("energy_above_nyquist", "mean"),
        energy_onto_dc=("energy_onto_dc", "mean"),
    )
    return found.reset_index().astype(dict.fromkeys(keys, str))


def shiftability_by(
    images: pd.DataFrame, layers: pd.DataFrame, *, seed: int, n_resamples: int
) -> pd.DataFrame:
    """
    Sum images up: a row per sweep and layer, intervals over images.

    Parameters
    ----------
    images : DataFrame
        As `by_image` returns, of all images.
    layers : DataFrame
        Table ``layers``.
    seed, n_resamples : int
        Of the bootstrap of images.

    Returns
    -------
    DataFrame
        Table ``shiftability_by``.
    """
    if images.empty:
        return SHIFTABILITY_BY.empty()
    keys = [*_SWEEP, "layer"]
    images = images.sort_values([*keys, "image_id"], kind="stable", ignore_index=True)
    images["variation_median"] = images["variation_median"].clip(upper=1)
    groups = images.groupby(keys, sort=True)
    group = groups.ngroup().to_numpy()
    found = groups.agg(
        n_images=("image_id", "size"),
        n_channels=("n_channels", "first"),
        n_steps=("n_steps", "mean"),
        left_out=("left_out", "mean"),
        n_chosen=("nonshiftability_chosen", "count"),
        variation_greatest=("variation_greatest", "max"),
    ).reset_index()
    values = {name: images[name].to_numpy(np.float64) for name in _SHARES}
    found = found.assign(
        **mean_columns(values, group, len(found), seed=seed, n_resamples=n_resamples)
    )
    about = layers[["network", "variant", "layer", "order", "depth", "kind", "reading"]]
    rows = found.merge(about, on=["network", "variant", "layer"], how="left", validate="m:1")
    unknown = rows.loc[rows["order"].isna()]
    if len(unknown):
        first = unknown.iloc[0]
        raise StudyError(
            f"layer {first['layer']} of {first['network']} is not in the table layers. Repeat: "
            "biaskit shiftability IMAGES --network NAME --replace"
        )
    for name in ("order", "depth"):
        rows[name] = rows[name].astype(int)
    rows = rows.sort_values([*_SWEEP, "order"], kind="stable", ignore_index=True)
    return SHIFTABILITY_BY.check(rows, "shiftability_by")
