"""
McNemar's exact test, by which two networks are jagged on equally many images.

Images on which both agree say nothing about it. Of the others, if neither network is jagged more
often, each is as likely to be jagged under the one as under the other: fair coins [1]_.

References
----------
.. [1] Q. McNemar, "Note on the Sampling Error of the Difference Between Correlated Proportions
   or Percentages", Psychometrika 12, 1947.
"""

import math

import numpy as np
from scipy import special

__all__ = ["log10_mcnemar"]


def log10_mcnemar(only_a: int, only_b: int) -> float:
    """
    Return log10 of the exact two-sided p-value of McNemar's test.

    Parameters
    ----------
    only_a, only_b : int
        Images that are jagged under the first network only, and under the second only.

    Returns
    -------
    float
        log10 of twice the smaller binomial tail, at most 0. Summed as logarithms: it is right
        where the p-value itself would be too small for a float.

    Raises
    ------
    ValueError
        If a count is negative.

    Examples
    --------
    Five coins that all fall the same way have p = 2 / 2^5:

    >>> round(10 ** log10_mcnemar(5, 0), 6)
    0.0625
    """
    if min(only_a, only_b) < 0:
        raise ValueError(f"counts {only_a} and {only_b}, expected at least 0")
    n, k = only_a + only_b, np.arange(min(only_a, only_b) + 1)
    log_ways = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    log_tail = float(special.logsumexp(log_ways)) - n * math.log(2)
    return min(0.0, (log_tail + math.log(2)) / math.log(10))
