"""
Networks compared two by two on the images that both were swept over.

The networks answer the same images, so the comparison is paired: McNemar's test for the share
of jagged images, and a bootstrap of images for the difference in P(top-1 change). Networks of
unlike accuracy are compared fairly on two subsets: images that both get right in step 0, and
images matched by confidence: the mean probability of the most probable class, over the frames,
lies in the same fifth under both networks. Every image stays its own control, so the test
remains exact and swapping the networks turns the sign only.
"""

from itertools import combinations

import numpy as np
import pandas as pd

from biaskit.sweeps.image_values import image_values, neighbours
from biaskit.sweeps.intervals import bootstrap_means
from biaskit.sweeps.mcnemar import log10_mcnemar
from biaskit.sweeps.sequences import SWEEP
from biaskit.tables import NETWORK_PAIRS

__all__ = ["compare_networks", "confidence_class"]

_SWEPT = ["protocol", "direction", "fill"]
_USED = ["jagged", "p_top1_change", "right_first", "confidence"]
_CLASSES = 5


def confidence_class(confidence: np.ndarray) -> np.ndarray:
    """
    Return the fifth of a probability.

    Parameters
    ----------
    confidence : float array, shape (n,)
        Mean probability of an image's most probable class.

    Returns
    -------
    int array, shape (n,)
        0 for less than 1/5, to 4 for 4/5 and more.

    Examples
    --------
    >>> confidence_class(np.array([0, 0.19, 0.2, 0.9, 1])).tolist()
    [0, 0, 1, 4, 4]
    """
    return np.minimum((confidence * _CLASSES).astype(np.int64), _CLASSES - 1)


def compare_networks(
    jaggedness: pd.DataFrame, *, seed: int, n_resamples: int = 1000
) -> pd.DataFrame:
    """
    Compare every two networks, or variants, under the same protocol, direction and fill.

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
        A table ``network_pairs``, three rows per pair (subsets "all", "both right" and
        "matched"). ``n_images`` counts images, each once however often it was swept;
        ``jagged_a`` to ``log10_p`` are over those whose true class both networks know. An image
        is right in step 0 if it is so in all its sequences. Without images, or with fewer than
        two for the interval, the values are missing.

    Raises
    ------
    TableError
        If a column is missing.
    ValueError
        If n_resamples is below 1.

    Examples
    --------
    Five images, all jagged under a and none under b:

    >>> from biaskit.tables import JAGGEDNESS
    >>> one = dict.fromkeys(JAGGEDNESS.columns, 0.0) | {"category": "dog", "seen": "held out"}
    >>> one |= {"variant": "plain", "protocol": "embed", "direction": "vertical", "fill": "mean"}
    >>> one |= {"lag": 1, "n_steps": 32}
    >>> rows = [
    ...     one | {"network": network, "image_id": str(i), "transitions": float(network == "a")}
    ...     for network in "ab"
    ...     for i in range(5)
    ... ]
    >>> pair = compare_networks(pd.DataFrame(rows), seed=1).iloc[0]
    >>> pair["subset"], int(pair["only_a"]), float(round(10 ** pair["log10_p"], 4))
    ('all', 5, 0.0625)
    """
    images = image_values(neighbours(jaggedness), [*SWEEP, "image_id"])
    rows: list[dict[str, object]] = []
    differences: list[np.ndarray] = []
    for swept, of_sweep in images.groupby(_SWEPT, sort=True):
        networks = list(of_sweep.groupby(["network", "variant"], sort=True))
        for (name_a, a), (name_b, b) in combinations(networks, 2):
            keys = [*name_a, *name_b, *swept]
            for row, difference in _pair(a, b):
                rows.append(dict(zip(NETWORK_PAIRS.keys, keys, strict=False)) | row)
                differences.append(difference)
    if not rows:
        return NETWORK_PAIRS.empty()
    sizes = [len(one) for one in differences]
    interval = bootstrap_means(
        np.concatenate(differences),
        np.repeat(np.arange(len(rows)), sizes),
        len(rows),
        seed=seed,
        n_resamples=n_resamples,
    )
    table = pd.DataFrame(rows).assign(low=interval.low, high=interval.high)
    return NETWORK_PAIRS.check(NETWORK_PAIRS.sort(table), "network_pairs")


def _pair(a: pd.DataFrame, b: pd.DataFrame) -> list[tuple[dict[str, object], np.ndarray]]:
    """Return each subset's row, and its images' differences."""
    of_a, of_b = (one.set_index("image_id")[_USED] for one in (a, b))
    both = of_a.add_suffix("_a").join(of_b.add_suffix("_b"), how="inner").sort_index()
    confident_a, confident_b = (confidence_class(both[f"confidence_{s}"].to_numpy()) for s in "ab")
    subsets = {
        "all": np.ones(len(both), bool),
        "both right": ((both["right_first_a"] == 1) & (both["right_first_b"] == 1)).to_numpy(),
        "matched": confident_a == confident_b,
    }
    return [_subset(name, both[which]) for name, which in subsets.items()]


def _subset(name: str, both: pd.DataFrame) -> tuple[dict[str, object], np.ndarray]:
    known = both[both["jagged_a"].notna() & both["jagged_b"].notna()]
    a, b = (known["jagged_a"] == 1).to_numpy(), (known["jagged_b"] == 1).to_numpy()
    only_a, only_b = int(np.count_nonzero(a & ~b)), int(np.count_nonzero(b & ~a))
    difference = (both["p_top1_change_a"] - both["p_top1_change_b"]).to_numpy(np.float64)
    row = {
        "subset": name,
        "n_images": len(both),
        "jagged_a": a.mean() if len(a) else np.nan,
        "jagged_b": b.mean() if len(b) else np.nan,
        "only_a": only_a,
        "only_b": only_b,
        "log10_p": log10_mcnemar(only_a, only_b) if len(a) else np.nan,
        "p_kind": "exact" if len(a) else "",
        "difference": difference.mean() if len(difference) else np.nan,
    }
    return row, difference
