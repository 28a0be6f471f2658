"""
Tests of left-right mirror symmetry, one sign per image.

If flipping an image changes nothing, its sum of (u - 1/2) has one sign as often as the other.
The sign test counts the signs and is exact at any depth. The mean test weighs each sign with
the size of the sum, which finds smaller shifts.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from scipy import special

from biaskit.bias.group_sums import Grouping, Weighed
from biaskit.bias.tails import log10_binomial_tail

__all__ = ["Outcome", "mirror_mean", "mirror_sign"]

LEVEL = 0.95
_EXACT = 10  # with so few images all 2^n flips are tried
_BODY = -3.0  # log10 p; deeper the normal law is no headline
# P(sum of signed numbers >= x) is at most this times the normal tail [Pinelis 1994].
_LOG10_PINELIS = float(np.log10(2 * np.e**3 / 9))


@dataclass(frozen=True)
class Outcome:
    """A test of every group with the effect it speaks of; arrays of shape (n_groups,)."""

    statistic: np.ndarray
    log10_p: np.ndarray
    kind: np.ndarray  # text: exact, bound, asymptotic or empty
    effect: np.ndarray
    low: np.ndarray  # ends of the effect's 95 % interval
    high: np.ndarray


def mirror_sign(grouping: Grouping, u: np.ndarray, weighed: Weighed) -> Outcome:
    """
    Count the images whose objects lie right of the middle, against a fair coin.

    Parameters
    ----------
    grouping : Grouping
    u : float array, shape (n,)
        Horizontal place; any finite number where the weight is 0.
    weighed : Weighed

    Returns
    -------
    Outcome
        The statistic is their number; images exactly in the middle count on neither side. The
        effect is their share less 1/2, with Clopper and Pearson's interval. p is exact.
    """
    sums = grouping.by_image(weighed.weight * (u - 0.5))
    right = grouping.images_by_group((sums > 0).astype(np.int64))
    n = grouping.images_by_group((sums != 0).astype(np.int64))
    tail = (1 - LEVEL) / 2
    some = np.where(n > 0, n, np.nan)
    low = np.where(right > 0, special.betaincinv(np.maximum(right, 1), n - right + 1, tail), 0)
    high = np.where(right < n, special.betaincinv(right + 1, np.maximum(n - right, 1), 1 - tail), 1)
    return Outcome(
        right + 0 * some,
        log10_binomial_tail(right, n),
        np.where(n > 0, "exact", ""),
        right / some - 0.5,
        low - 0.5 + 0 * some,
        high - 0.5 + 0 * some,
    )


def mirror_mean(grouping: Grouping, u: np.ndarray, weighed: Weighed) -> Outcome:
    """
    Compare the mean horizontal place with the middle, each image free to be flipped.

    Parameters
    ----------
    grouping, u, weighed
        As in ``mirror_sign``.

    Returns
    -------
    Outcome
        The statistic is z = T / sqrt(sum z_i^2), T the sum of the images' sums z_i. With up to
        10 images p is exact, over all flips. Otherwise it is the normal one down to .001,
        and below that 4.46 times it, which is proven to be no less than the truth [1]_. The
        effect is the mean of u less 1/2, its interval Student's over images.

    References
    ----------
    .. [1] I. Pinelis, "Extremal Probabilistic Problems and Hotelling's T2 Test Under a Symmetry
       Condition", Annals of Statistics 22(1), 1994.
    """
    sums = grouping.by_image(weighed.weight * (u - 0.5))
    length = np.sqrt(grouping.images_by_group(sums**2))
    total = grouping.images_by_group(sums)
    z = total / np.where(length > 0, length, np.nan)
    normal = (np.log(2) + special.log_ndtr(-np.abs(z))) / np.log(10)
    deep = normal < _BODY
    log10_p = np.minimum(np.where(deep, normal + _LOG10_PINELIS, normal), 0.0)
    kind = np.where(deep, "bound", "asymptotic").astype(object)
    for g in np.flatnonzero((weighed.n_images <= _EXACT) & (length > 0)):
        own = sums[grouping.images[g] : grouping.images[g + 1]]
        log10_p[g], kind[g] = _all_flips(own[own != 0]), "exact"
    kind[np.isnan(z)] = ""
    mean = total / weighed.total
    reach = _student_reach(grouping, sums, mean, weighed)
    return Outcome(z, log10_p, kind.astype(str), mean, mean - reach, mean + reach)


def _all_flips(sums: np.ndarray) -> float:
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=len(sums))))
    flipped = np.abs((signs * sums).sum(axis=1))
    # Sums that are equal but for rounding are equal.
    as_far = flipped >= np.abs(sums.sum()) * (1 - 1e-9)
    return float(np.log10(np.mean(as_far)))


def _student_reach(
    grouping: Grouping, sums: np.ndarray, mean: np.ndarray, weighed: Weighed
) -> np.ndarray:
    """Return half the length of the mean's interval, from whole images."""
    size = grouping.by_image(weighed.weight)
    rest = sums - size * np.repeat(np.nan_to_num(mean), np.diff(grouping.images))
    n = weighed.n_images
    many = np.where(n > 1, n, np.nan)
    error = np.sqrt(grouping.images_by_group(rest**2) * many / (many - 1)) / weighed.total
    return special.stdtrit(many - 1, (1 + LEVEL) / 2) * error
