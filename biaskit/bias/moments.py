"""
Effects that are means over objects, and their intervals from resampled images.

Where the mean centre lies, how many centres lie in the central ninth, how large objects are
and how much their sizes differ: each is a ratio of sums over images, so whole images can be
resampled by one matrix product per category (see ``biaskit.bias.bootstrap``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from biaskit.bias.bootstrap import ImageWeights, percentile_interval
from biaskit.bias.group_sums import Grouping, Weighed

__all__ = ["Interval", "Moment", "estimate_moments", "wilson_interval"]

_FEW = 10  # below so many images inside or outside, a share gets Wilson's interval


@dataclass(frozen=True)
class Moment:
    """A mean, a share or a spread to estimate for every group."""

    kind: str  # "mean"; "share": mean of 1 and 0, less what is expected; "spread": s.d.
    value: np.ndarray  # float, shape (n,): anything finite where the weight is 0
    weighed: Weighed
    expected: np.ndarray  # float, shape (n_groups,): mean of what a share's values have less


@dataclass(frozen=True)
class Interval:
    """Estimates of every group with two-sided limits; arrays of shape (n_groups,)."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


def estimate_moments(
    grouping: Grouping,
    moments: Sequence[Moment],
    images: ImageWeights,
    *,
    level: float = 0.95,
    step: Callable[[], None] = lambda: None,
) -> list[Interval]:
    """
    Estimate every moment of every group, and resample its images for the interval.

    Parameters
    ----------
    grouping : Grouping
    moments : sequence of Moment
    images : ImageWeights
    level : float
        Confidence level.
    step : callable
        Called after each group.

    Returns
    -------
    list of Interval
        One per moment. A group without data has NaN, one with a single image no limits. A
        share with fewer than 10 images inside or outside has Wilson's interval, the others
        the expanded percentile interval.
    """
    if not moments:
        return []
    centre = np.array([grouping.mean(m.value, m.weighed) for m in moments])
    table = _ImageSums(grouping, moments, centre)
    counts = np.array([m.weighed.n_images for m in moments])
    value, low, high = (np.full(centre.shape, np.nan) for _ in range(3))
    for g in range(grouping.n_groups):
        rows = slice(grouping.images[g], grouping.images[g + 1])
        value[:, g] = table.observed(rows, counts[:, g])
        resampled = table.resampled(images, rows, counts[:, g])
        low[:, g], high[:, g] = percentile_interval(resampled, counts[:, g], level=level)
        step()
    return [
        _finish(m, centre[i], value[i], low[i], high[i], counts[i], level)
        for i, m in enumerate(moments)
    ]


class _ImageSums:
    """What a resample needs of each image: sums of weights, values and squares."""

    def __init__(self, grouping: Grouping, moments: Sequence[Moment], centre: np.ndarray):
        self.spread = np.array([m.kind == "spread" for m in moments])
        weighed = {id(m.weighed): m.weighed for m in moments}  # of the same objects: summed once
        place = {name: i for i, name in enumerate(weighed)}
        self.total_of = np.array([place[id(m.weighed)] for m in moments])
        # So are values with both a mean and a spread.
        values = {(id(m.value), id(m.weighed)): None for m in moments}
        column = {name: len(weighed) + i for i, name in enumerate(values)}
        self.value_of = np.array([column[id(m.value), id(m.weighed)] for m in moments])
        self.n_totals, square = len(weighed), len(weighed) + len(values)
        self.columns = np.empty((square + np.count_nonzero(self.spread), grouping.n_images))
        self.n_columns = square
        for i, one in enumerate(weighed.values()):
            self.columns[i] = grouping.by_image(one.weight)
        for i, moment in enumerate(moments):
            # About the mean, so that squares do not cancel.
            about = moment.value - np.nan_to_num(centre[i])[grouping.group]
            weighted = moment.weighed.weight * about
            self.columns[self.value_of[i]] = grouping.by_image(weighted)
            if self.spread[i]:
                self.columns[square] = grouping.by_image(weighted * about)
                square += 1

    def resampled(self, images: ImageWeights, rows: slice, n: np.ndarray) -> np.ndarray:
        """Return the statistics about the centre in every resample, (k, n_resamples)."""
        return self._statistics(images.totals(self.columns[:, rows].T), n, power=2.0)

    def observed(self, rows: slice, n: np.ndarray) -> np.ndarray:
        """Return the statistics of the sample itself, about the centre, (k,)."""
        sums = self.columns[:, rows].sum(axis=1)[:, None]
        return self._statistics(sums, n, power=1.0)[:, 0]

    def _statistics(self, sums: np.ndarray, n: np.ndarray, *, power: float) -> np.ndarray:
        total = sums[: self.n_totals]
        inverse = np.divide(1.0, total, out=np.full(total.shape, np.nan), where=total > 1e-9)
        inverse = inverse[self.total_of]
        found = sums[self.value_of] * inverse
        variance = sums[self.n_columns :] * inverse[self.spread] - found[self.spread] ** 2
        # A sample's variance is too small by (n - 1) / n, a resample's once more.
        more = (n / np.maximum(n - 1, 1))[self.spread, None] ** power
        found[self.spread] = np.sqrt(np.maximum(variance, 0) * more)
        return found


def _finish(
    moment: Moment,
    centre: np.ndarray,
    value: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    n: np.ndarray,
    level: float,
) -> Interval:
    if moment.kind == "spread":
        value = np.where(n >= 2, value, np.nan)
        return Interval(value, low, high)
    low, high = low + centre, high + centre
    if moment.kind == "share":
        share = np.clip(centre + moment.expected, 0, 1)
        few = np.minimum(share, 1 - share) * n < _FEW
        wilson_low, wilson_high = wilson_interval(share, n, level=level)
        low = np.where(few, wilson_low - moment.expected, low)
        high = np.where(few, wilson_high - moment.expected, high)
    return Interval(centre, low, high)


def wilson_interval(
    share: np.ndarray, n: np.ndarray, *, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """
    Return Wilson's interval of a share, which holds where the count is small or 0.

    Parameters
    ----------
    share : float array
        Observed share; NaN without data.
    n : integer array
        Images.
    level : float
        Confidence level.

    Returns
    -------
    low, high : float array
        Within 0 and 1; NaN where n is 0.

    Examples
    --------
    >>> low, high = wilson_interval(np.array([0.0]), np.array([10]))
    >>> float(low[0]), round(float(high[0]), 3)
    (0.0, 0.278)
    """
    z2 = special.ndtri((1 + level) / 2) ** 2
    whole = np.where(n > 0, n, np.nan)
    middle = (share + z2 / (2 * whole)) / (1 + z2 / whole)
    reach = np.sqrt(z2 * (share * (1 - share) / whole + z2 / (4 * whole**2))) / (1 + z2 / whole)
    return np.clip(middle - reach, 0, 1), np.clip(middle + reach, 0, 1)
