"""Sizes of boxes counted in bins, beside what a null expects and the band it allows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binom

from biaskit.bias.nulls import LOG_UNIFORM_PX, NULLS_OF, stage_of
from biaskit.bias.objects import Objects, arrange
from biaskit.charts.grids import included_objects

__all__ = ["SIZES", "SizeBins", "size_bins"]

SIZES = ("height", "width", "area")
LEVEL = 0.95  # of the band, for each bin by itself


@dataclass(frozen=True)
class SizeBins:
    """
    Sizes counted in bins.

    ``table`` has one row per bin: low, high (edges, fractions of the image side, or of its
    area); observed, expected, band_low, band_high (images, or objects under policy ``all``).
    """

    table: pd.DataFrame
    n_images: int
    n_objects: int
    n_below: int  # objects smaller than the null's least size
    measure: str
    null: str
    policy: str
    edges: str


def size_bins(
    boxes: pd.DataFrame,
    *,
    measure: str = "height",
    null: str = "frame",
    policy: str = "weighted",
    edges: str = "with",
    seed: int | None = None,
    bins: int = 10,
) -> SizeBins:
    """
    Count the sizes of boxes in bins and say what the null expects in each.

    A size of k pixels stands for all from k - 1 to k (under a log-uniform null from k to
    k + 1), so it is shared out between the bins that this reaches: no chance is needed.

    Parameters
    ----------
    boxes : DataFrame
        A table ``boxes``; all of it is counted together.
    measure : {"height", "width", "area"}
    null : str
        ``frame`` (uniform up to the frame: bins of equal width) or one of the log-uniform
        nulls (bins of equal width in the logarithm).
    policy, edges, seed
        As in ``centre_grid``.
    bins : int
        Number of bins, at least 1.

    Returns
    -------
    SizeBins
        The band holds each bin's count in at least 95 % of data sets made under the null,
        bin by bin: among 10 bins one outside is nothing strange. It is binomial with the
        mean chance of a bin, which is never narrower than the truth.

    Raises
    ------
    ValueError
        If an option is unknown, or a policy that draws lacks its seed.

    Examples
    --------
    >>> from biaskit.tables import BOXES
    >>> size_bins(BOXES.empty(), bins=4).table["high"].tolist()
    [0.25, 0.5, 0.75, 1.0]
    """
    if measure not in SIZES or null not in NULLS_OF[measure]:
        raise ValueError(f"measure {measure!r} has no null {null!r}; sizes: {', '.join(SIZES)}")
    objects = arrange(boxes)
    weight = included_objects(objects, policy=policy, edges=edges, seed=seed)
    size, top, step = _sizes(objects, measure, edges)
    low = LOG_UNIFORM_PX.get(null)
    if low is not None:
        low = low**2 if measure == "area" else low
        small = size < low - 1e-9
    else:
        small = np.zeros(len(objects), bool)
    n_below = int((small & (weight > 0)).sum())
    taken = (weight > 0) & ~small
    observed, chance, edge = _shares(size[taken], top[taken], step[taken], low, bins)
    weight = weight[taken]
    total = float(weight.sum())
    expected = weight @ chance
    return SizeBins(
        _table(edge, weight @ observed, expected, total),
        n_images=len(np.unique(objects.image[taken])),
        n_objects=int(taken.sum()),
        n_below=n_below,
        measure=measure,
        null=null,
        policy=policy,
        edges=edges,
    )


def _sizes(objects: Objects, measure: str, edges: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return size, greatest size and grid step of every object: px, or px squared for areas."""
    x, y = objects.x, objects.y
    wide, tall = (np.maximum(stage_of(objects, side, edges).length, 1) for side in (x, y))
    if measure == "area":
        return x.size * y.size, wide * tall, x.lattice * y.lattice
    side, top = (x, wide) if measure == "width" else (y, tall)
    return side.size, top, side.lattice


def _shares(
    size: np.ndarray, top: np.ndarray, step: np.ndarray, low: int | None, bins: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each object's share of every bin, the chance the null gives it, and the edges."""
    if low is None:
        edge = np.linspace(0, 1, bins + 1)
        reach = _overlap((size - step) / top, size / top, edge)
        return reach, np.full(reach.shape, 1 / bins), edge
    # In logarithms, 0 is the largest size the frame allows. The first bin holds all below it
    # too: where the largest frames begin would stretch the axis for a few boxes.
    above = top + step
    least = np.log(low / above)
    start = float(np.quantile(least, 0.05)) if len(least) else float(np.log(0.05))
    span = min(start, -0.1)
    edge = np.linspace(span, 0, bins + 1)
    reach = _overlap(np.log(size / above), np.log((size + step) / above), edge)
    return reach, _overlap(np.minimum(least, -1e-9), np.zeros(len(size)), edge), np.exp(edge)


def _overlap(low: np.ndarray, high: np.ndarray, edge: np.ndarray) -> np.ndarray:
    """Return which share of each interval [low, high] falls between each pair of edges."""
    length = np.where(high > low, high - low, 1.0)[:, None]
    before = np.clip((edge[None, 1:-1] - low[:, None]) / length, 0, 1)
    on_point = (low[:, None] < edge[None, 1:-1]).astype(float)
    before = np.where((high > low)[:, None], before, on_point)
    n = len(low)
    return np.diff(np.hstack([np.zeros((n, 1)), before, np.ones((n, 1))]), axis=1)


def _table(
    edge: np.ndarray, observed: np.ndarray, expected: np.ndarray, total: float
) -> pd.DataFrame:
    n = round(total)
    chance = expected / total if total else np.zeros(len(expected))
    outside = (1 - LEVEL) / 2
    return pd.DataFrame(
        {
            "low": edge[:-1],
            "high": edge[1:],
            "observed": observed,
            "expected": expected,
            "band_low": binom.ppf(outside, n, chance) if n else np.zeros(len(expected)),
            "band_high": binom.ppf(1 - outside, n, chance) if n else np.zeros(len(expected)),
        }
    )
