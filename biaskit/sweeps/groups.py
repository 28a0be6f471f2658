"""
Jaggedness of groups of images: per network and sweep, per category, and among fair subsets.

A network that never finds the object cannot lose it, so few transitions may mean stability or
blindness. Beside all images stand those whose true class was in the top 5 at least once, and
those that every network gets right in step 0, on which networks of unlike accuracy can be
compared.
"""

import numpy as np
import pandas as pd

from biaskit.sweeps.image_values import MEANS, image_values, neighbours
from biaskit.sweeps.over_images import cautious_word, mean_columns, ratio, share_columns
from biaskit.sweeps.sequences import SWEEP
from biaskit.tables import JAGGEDNESS_BY

__all__ = ["summarise"]

_SUBSETS = ("all", "ever top 5", "all right")
_GROUP = [*SWEEP, "category", "subset"]
_SHARES = ("jagged", "worst")


def summarise(jaggedness: pd.DataFrame, *, seed: int, n_resamples: int = 1000) -> pd.DataFrame:
    """
    Summarise the rows at lag 1 over images.

    Parameters
    ----------
    jaggedness : DataFrame
        A table ``jaggedness``, its rows in any order; lags other than 1 are not looked at.
    seed : int
        Decides the resamples.
    n_resamples : int
        Their number.

    Returns
    -------
    DataFrame
        A table ``jaggedness_by``: for every sweep (network, variant, protocol, direction, fill)
        its three subsets of images, and every category. Shares of images (``jagged``,
        ``worst``) have Wilson intervals. Means over images have bootstrap intervals (images
        resampled), missing with fewer than two images. An image swept several times counts
        once: jagged if any of its sequences is, right in every frame if all are. Measures of
        the true class are over the images whose class is known. ``seen`` is "training" if any
        image was trained on, else "unknown" if that is so of any. To be "all right", an image
        must have been swept with every network of the protocol, direction and fill.

    Raises
    ------
    TableError
        If a column is missing.
    ValueError
        If n_resamples is below 1.

    Examples
    --------
    Of two images of a class, one is jagged:

    >>> from biaskit.tables import JAGGEDNESS
    >>> one = dict.fromkeys(JAGGEDNESS.columns, 0.0) | {"category": "dog", "seen": "held out"}
    >>> one |= {"network": "n", "variant": "plain", "protocol": "embed", "fill": "mean"}
    >>> one |= {"direction": "vertical", "lag": 1, "n_steps": 32}
    >>> two = [one | {"image_id": "1"}, one | {"image_id": "2", "transitions": 3.0}]
    >>> table = summarise(pd.DataFrame(two), seed=1)
    >>> table[["category", "subset", "n_images", "jagged"]].values.tolist()[-2:]
    [['', 'ever top 5', 0, nan], ['dog', 'all', 2, 0.5]]
    """
    rows = neighbours(jaggedness)
    images = _in_groups(rows)
    sweeps = rows[SWEEP].drop_duplicates()
    wanted = pd.MultiIndex.from_frame(
        pd.concat(
            [*(sweeps.assign(category="", subset=s) for s in _SUBSETS), images[_GROUP]],
            ignore_index=True,
        ).drop_duplicates()
    ).sort_values()
    group = wanted.get_indexer(pd.MultiIndex.from_frame(images[_GROUP]))
    table = wanted.to_frame(index=False).assign(
        seen=cautious_word(images["seen"], group, len(wanted)),
        **_counts(images, group, len(wanted)),
    )
    for name in _SHARES:
        flags = images[name].to_numpy(np.float64)
        table = table.assign(**share_columns(name, flags, group, len(wanted)))
    values = {name: images[name].to_numpy(np.float64) for name in MEANS}
    how = {"seed": seed, "n_resamples": n_resamples}
    table = table.assign(**mean_columns(values, group, len(wanted), **how))
    return JAGGEDNESS_BY.check(table, "jaggedness_by")


def _in_groups(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row per image and group it belongs to."""
    images = image_values(rows, [*SWEEP, "image_id"])
    named = image_values(rows[rows["category"] != ""], [*SWEEP, "category", "image_id"])
    every, ever = np.ones(len(images), bool), (images["ever_top5"] == 1).to_numpy(bool)
    parts = [
        images[which].assign(category="", subset=subset)
        for subset, which in zip(_SUBSETS, (every, ever, _all_right(images)), strict=True)
    ]
    return pd.concat([*parts, named.assign(subset="all")], ignore_index=True)


def _all_right(images: pd.DataFrame) -> np.ndarray:
    """Say which images every network under the same protocol, direction and fill has right."""
    conditions = ["protocol", "direction", "fill"]
    networks = images[SWEEP].drop_duplicates().groupby(conditions).size().rename("networks")
    right = (images["right_first"] == 1).groupby([images[c] for c in [*conditions, "image_id"]])
    n_networks = images[conditions].join(networks, on=conditions)["networks"]
    return (right.transform("sum") == n_networks).to_numpy(bool)


def _counts(images: pd.DataFrame, group: np.ndarray, n_groups: int) -> dict[str, np.ndarray]:
    n_images = np.bincount(group, minlength=n_groups)
    labelled = images["accuracy"].notna().to_numpy(bool)
    n_steps = np.bincount(group, images["n_steps"].to_numpy(np.float64), minlength=n_groups)
    return {
        "n_images": n_images,
        "n_labelled": np.bincount(group[labelled], minlength=n_groups),
        "n_steps": ratio(n_steps, n_images),
    }
