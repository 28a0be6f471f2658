"""
Variants of a network beside the network as it is: how jagged, how right, how shiftable.

A network that is seldom right has few answers to change. Weights are not trained anew for a blur,
so a variant's accuracy, its agreement with the plain network and its probability of the true class
stand in the same row as its jaggedness, which means nothing without them.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from biaskit.sweeps.image_values import image_values, neighbours
from biaskit.sweeps.networks.variants import PLAIN
from biaskit.sweeps.over_images import cautious_word, mean_columns, share_columns
from biaskit.sweeps.sequences import SWEEP
from biaskit.tables import ANTIALIASING

__all__ = ["FRAME_COLUMNS", "LAYER_COLUMNS", "SHIFTABILITY_COLUMNS", "antialiasing"]

FRAME_COLUMNS = (*SWEEP, "image_id", "object", "pass", "step", "top1", "p_true")
SHIFTABILITY_COLUMNS = (*SWEEP, "image_id", "layer", "nonshiftability")
LAYER_COLUMNS = ("network", "variant", "layer", "stride")
_SWEPT = ["protocol", "direction", "fill"]
_SEQUENCE = ["image_id", "object", "pass"]
_MEANS = ("accuracy", "agreement", "p_true", "p_top1_change", "p_top1_change_less")


def antialiasing(
    frames: pd.DataFrame,
    jaggedness: pd.DataFrame,
    shiftability: pd.DataFrame,
    layers: pd.DataFrame,
    *,
    seed: int,
    n_resamples: int = 1000,
) -> pd.DataFrame:
    """
    Compare every variant of a network with the network as it is, under the same sweep.

    Parameters
    ----------
    frames : DataFrame
        The columns ``FRAME_COLUMNS`` of table ``frames``.
    jaggedness : DataFrame
        Table ``jaggedness``; lags other than 1 are not looked at.
    shiftability : DataFrame
        The columns ``SHIFTABILITY_COLUMNS`` of table ``shiftability``, or of what
        ``biaskit.sweeps.inside.tables.by_image`` makes of it; may be empty.
    layers : DataFrame
        The columns ``LAYER_COLUMNS`` of table ``layers``; may be empty.
    seed, n_resamples : int
        Of the bootstrap of images.

    Returns
    -------
    DataFrame
        Table ``antialiasing``: for every sweep with the variant ``plain`` and another one a row per
        variant, plain among them, over the images both were swept over; images of one frame, which
        have no neighbours, are not among them. An image counts once, however often it was swept.
        ``jagged`` has Wilson's interval, the others a bootstrap of images, paired for
        ``p_top1_change_less``. ``nonshiftability`` is of sums under the same protocol, direction
        and fill where there are any, else under the first of those that there are.

    Raises
    ------
    TableError
        If a column of ``jaggedness`` is missing.

    Examples
    --------
    >>> from biaskit.tables import FRAMES, JAGGEDNESS, LAYERS, SHIFTABILITY
    >>> none = (schema.empty() for schema in (FRAMES, JAGGEDNESS, SHIFTABILITY, LAYERS))
    >>> len(antialiasing(*none, seed=1))
    0
    """
    found = list(_variants(frames, jaggedness))
    if not found:
        return ANTIALIASING.empty()
    inside = _insides(shiftability, layers)
    names = pd.DataFrame([name for name, _ in found], columns=SWEEP, dtype="str")
    images, group = _stacked([part for _, part in found])
    sums, of_sums = _stacked([_inside(inside, name) for name, _ in found])
    n, how = len(found), {"seed": seed, "n_resamples": n_resamples}
    values = {name: images[name].to_numpy(float) for name in _MEANS}
    table = names.assign(
        seen=cautious_word(images["seen"], group, n),
        n_images=np.bincount(group, minlength=n),
        **mean_columns(values, group, n, **how),
        **share_columns("jagged", images["jagged"].to_numpy(float), group, n),
        n_inside=np.bincount(of_sums, minlength=n),
        **mean_columns(
            {"nonshiftability": sums["nonshiftability"].to_numpy(float)}, of_sums, n, **how
        ),
    )
    return ANTIALIASING.check(ANTIALIASING.sort(table), "antialiasing")


def _variants(
    frames: pd.DataFrame, jaggedness: pd.DataFrame
) -> Iterator[tuple[tuple[str, ...], pd.DataFrame]]:
    """Yield the first five columns and the images of every variant that has a plain network."""
    images = image_values(neighbours(jaggedness), [*SWEEP, "image_id"])
    shown = dict(list(frames.groupby(SWEEP, observed=True)))
    empty = frames.iloc[:0]
    for (network, *swept), of_sweep in images.groupby(["network", *_SWEPT], sort=True):
        variants = {v: part.set_index("image_id") for v, part in of_sweep.groupby("variant")}
        if PLAIN not in variants or len(variants) == 1:
            continue
        plain = variants[PLAIN]
        first = shown.get((network, PLAIN, *swept), empty)
        for variant, own in variants.items():
            name = tuple(map(str, (network, variant, *swept)))
            both = own.loc[own.index.isin(plain.index)].sort_index()
            both = both.assign(
                p_top1_change_less=both["p_top1_change"]
                - plain["p_top1_change"].reindex(both.index)
            )
            yield name, both.join(_beside(shown.get(name, empty), first))


def _beside(frames: pd.DataFrame, plain: pd.DataFrame) -> pd.DataFrame:
    """Return of every image the mean probability of the true class and the agreement with plain."""
    keys = [*_SEQUENCE, "step"]
    rows = frames[[*keys, "top1", "p_true"]].merge(
        plain[[*keys, "top1"]], on=keys, suffixes=("", "_plain")
    )
    same = rows["top1"].astype(object) == rows["top1_plain"].astype(object)
    rows = rows[[*_SEQUENCE, "p_true"]].assign(agreement=same.astype(float))
    by_sequence = rows.groupby(_SEQUENCE, observed=True).mean()
    return by_sequence.groupby("image_id", observed=True).mean()


def _insides(shiftability: pd.DataFrame, layers: pd.DataFrame) -> pd.DataFrame:
    """Return a row per sweep and image: the mean over layers that drop places, over channels."""
    strided = layers.loc[layers["stride"] > 1, ["network", "variant", "layer"]]
    rows = shiftability[list(SHIFTABILITY_COLUMNS)].merge(strided.drop_duplicates())
    by_layer = rows.groupby([*SWEEP, "image_id", "layer"], observed=True)["nonshiftability"].mean()
    by_image = by_layer.groupby([*SWEEP, "image_id"], observed=True).mean()
    return by_image.dropna().reset_index()


def _inside(inside: pd.DataFrame, name: tuple[str, ...]) -> pd.DataFrame:
    """Return the rows of a variant: of this sweep, or else of the network's first one."""
    network, variant, *swept = name
    rows = inside[(inside["network"] == network).to_numpy()]
    sweeps = sorted(set(rows[_SWEPT].itertuples(index=False, name=None)))
    chosen = tuple(swept) if tuple(swept) in sweeps else next(iter(sweeps), tuple(swept))
    of_sweep = rows[
        np.logical_and.reduce(
            [(rows[k] == v).to_numpy() for k, v in zip(_SWEPT, chosen, strict=True)]
        )
    ]
    # Of the images that the plain network was read with too, so that both are of the same.
    plain = of_sweep.loc[(of_sweep["variant"] == PLAIN).to_numpy(), "image_id"]
    own = (of_sweep["variant"] == variant) & of_sweep["image_id"].isin(plain)
    return of_sweep[own.to_numpy()]


def _stacked(parts: list[pd.DataFrame]) -> tuple[pd.DataFrame, np.ndarray]:
    sizes = [len(part) for part in parts]
    return pd.concat(parts, ignore_index=True), np.repeat(np.arange(len(parts)), sizes)
