"""
Exact laws by counting in whole numbers: slow, independent of the tails, for checking them.

Pearson's chi-square is counted over partitions of n, Kolmogorov's and Kuiper's distances come
from Steck's determinant. Nothing is rounded before the last step.
"""

import math
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

__all__ = ["kolmogorov", "kuiper", "log10_fraction", "pearson_law"]


def pearson_law(n: int, n_cells: int) -> dict[int, Fraction]:
    """
    Return the law of the sum of squared counts of n objects in equal cells.

    Parameters
    ----------
    n, n_cells : int
        Counts; the work grows with the partitions of n (627 at 20, 204,226 at 50).

    Returns
    -------
    dict of int to Fraction
        P(sum >= s) for every s that can occur; chi-square is s K / n - n.

    Examples
    --------
    Two objects share one of two cells every other time:

    >>> pearson_law(2, 2)
    {4: Fraction(1, 2), 2: Fraction(1, 1)}
    """
    ways: Counter[int] = Counter()
    for parts in _partitions(n, n, n_cells):
        orders = math.factorial(n)
        for part in parts:
            orders //= math.factorial(part)
        places = math.factorial(n_cells) // math.factorial(n_cells - len(parts))
        for times in Counter(parts).values():
            places //= math.factorial(times)
        ways[sum(part * part for part in parts)] += orders * places
    law, above = {}, 0
    for s in sorted(ways, reverse=True):
        above += ways[s]
        law[s] = Fraction(above, n_cells**n)
    return law


def _partitions(n: int, largest: int, most: int) -> Iterator[tuple[int, ...]]:
    """Yield the ways to write n as at most ``most`` falling parts up to ``largest``."""
    if n == 0:
        yield ()
    elif most > 0:
        for first in range(min(n, largest), 0, -1):
            if first * most < n:
                return
            for rest in _partitions(n - first, first, most - 1):
                yield (first, *rest)


def kolmogorov(distance: Fraction, n: int) -> Fraction:
    """
    Return P(D >= distance) for n uniform numbers.

    Parameters
    ----------
    distance : Fraction
        Between 0 and 1.
    n : int

    Examples
    --------
    >>> kolmogorov(Fraction(3, 4), 1)
    Fraction(1, 2)
    """
    low = [max(Fraction(i, n) - distance, Fraction(0)) for i in range(1, n + 1)]
    high = [min(Fraction(i - 1, n) + distance, Fraction(1)) for i in range(1, n + 1)]
    return 1 - _steck(low, high)


def kuiper(distance: Fraction, n: int) -> Fraction:
    """
    Return P(V >= distance), V = D+ + D-, for n uniform numbers.

    On the circle V does not depend on the origin. With the origin at the number where D- is
    attained, the other n - 1 have to stay within distance of a line.

    Parameters
    ----------
    distance : Fraction
        Between 1 / n and 1.
    n : int
        At least 2.

    Examples
    --------
    Of two numbers V is 1 less the shorter gap between them on the circle:

    >>> kuiper(Fraction(3, 4), 2)
    Fraction(1, 2)
    """
    low = [max(Fraction(j + 1, n) - distance, Fraction(0)) for j in range(1, n)]
    high = [Fraction(j, n) for j in range(1, n)]
    return 1 - n * _steck(low, high)


def _steck(low: list[Fraction], high: list[Fraction]) -> Fraction:
    """
    Return the chance that n ordered uniform numbers keep between rising limits.

    Steck's determinant has ones below its diagonal and zeros under them, so it unrolls: with
    E_k the chance of k numbers times M^k, E_k is the sum over i of (-1)^(k-i) C(k, i-1)
    E_(i-1) (high_i - low_k)^(k-i+1), all in whole numbers of 1 / M.
    """
    m = math.lcm(*(f.denominator for f in (*low, *high)))
    a, b = ([int(f * m) for f in limits] for limits in (low, high))
    found = [1]
    for k in range(1, len(a) + 1):
        total = 0
        for i in range(1, k + 1):
            width = max(b[i - 1] - a[k - 1], 0)
            term = math.comb(k, i - 1) * found[i - 1] * width ** (k - i + 1)
            total += -term if (k - i) % 2 else term
        found.append(total)
    return Fraction(found[-1], m ** len(a))


def log10_fraction(value: Fraction) -> float:
    """
    Return log10 of a positive fraction of any size.

    Examples
    --------
    >>> log10_fraction(Fraction(1, 10**400))
    -400.0
    """
    return math.log10(value.numerator) - math.log10(value.denominator)
