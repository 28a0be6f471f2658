"""
Corrections for testing many categories, on log10 p, which go far below what a double holds.

One family is all categories of one question (split, measure, null, policy, edges, test).
"""

from dataclasses import dataclass

import numpy as np

__all__ = ["Corrected", "correct"]


@dataclass(frozen=True)
class Corrected:
    """log10 of corrected p-values; every array has the shape of what was corrected."""

    bonferroni: np.ndarray  # p m: chance of any false rejection
    holm: np.ndarray  # the same, step by step: never larger
    bh: np.ndarray  # Benjamini-Hochberg: share of false ones among the rejected
    by: np.ndarray  # Benjamini-Yekutieli: the same under any dependence


def correct(log10_p: np.ndarray) -> Corrected:
    """
    Correct families of p-values, each along the last axis.

    Parameters
    ----------
    log10_p : float array, shape (..., m)
        NaN is held out: it counts in no family and comes back as NaN.

    Returns
    -------
    Corrected

    Raises
    ------
    ValueError
        If a value is above 0 or infinite.

    Notes
    -----
    With l_1 <= ... <= l_m sorted: Bonferroni l + log m; Holm [1]_ the running maximum of l_i +
    log(m - i + 1); Benjamini-Hochberg [2]_ the running minimum, from the right, of l_i + log(m/i);
    Benjamini-Yekutieli [3]_ that plus log(1 + 1/2 + ... + 1/m); all cut at 0. Each rises with every
    p, so corrected upper bounds are upper bounds.

    References
    ----------
    .. [1] S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian
       Journal of Statistics 6, 1979.
    .. [2] Y. Benjamini and Y. Hochberg, "Controlling the False Discovery Rate", Journal of the
       Royal Statistical Society B 57, 1995.
    .. [3] Y. Benjamini and D. Yekutieli, "The control of the false discovery rate in multiple
       testing under dependency", Annals of Statistics 29, 2001.

    Examples
    --------
    >>> correct(np.array([-4.0, np.nan, -3.0])).holm.round(4).tolist()
    [-3.699, nan, -3.0]
    """
    log10_p = np.asarray(log10_p, dtype=np.float64)
    if np.any(np.isinf(log10_p)) or np.any(log10_p > 0):
        raise ValueError("log10_p holds a value above 0 or an infinite one; expected log10 p <= 0")
    if log10_p.shape[-1] == 0:
        return Corrected(*(log10_p.copy() for _ in range(4)))
    order = np.argsort(log10_p, axis=-1, kind="stable")  # NaN last
    ranked = np.take_along_axis(log10_p, order, axis=-1)
    m = np.count_nonzero(~np.isnan(log10_p), axis=-1, keepdims=True)
    i = np.arange(1, log10_p.shape[-1] + 1)
    log_m = np.log10(np.maximum(m, 1))
    harmonic = np.concatenate([[1.0], np.cumsum(1.0 / i)])  # of 0 and 1 to m values

    holm = np.maximum.accumulate(ranked + np.log10(np.maximum(m - i + 1, 1)), axis=-1)
    steps = np.where(np.isnan(ranked), np.inf, ranked + log_m - np.log10(i))
    bh = np.minimum.accumulate(steps[..., ::-1], axis=-1)[..., ::-1]
    bh = np.where(np.isnan(ranked), np.nan, bh)
    return Corrected(
        np.minimum(log10_p + log_m, 0.0),
        _unrank(np.minimum(holm, 0.0), order),
        _unrank(np.minimum(bh, 0.0), order),
        _unrank(np.minimum(bh + np.log10(harmonic[m]), 0.0), order),
    )


def _unrank(ranked: np.ndarray, order: np.ndarray) -> np.ndarray:
    values = np.empty_like(ranked)
    np.put_along_axis(values, order, ranked, axis=-1)
    return values
