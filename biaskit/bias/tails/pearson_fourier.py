"""Pearson's statistic on hundreds of objects: its exact law by characteristic function."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy import fft, special

from biaskit.bias.tails.binomial import HALF_LN_2PI, stirling_remainders
from biaskit.bias.tails.pearson_bound import log10_pearson_bound
from biaskit.bias.tails.pearson_table import MAX_TABLE_N

__all__ = ["FLOOR", "NUMERICAL_ERROR", "fourier_reaches", "survival_by_fourier"]

# Measured error of a survival probability is below 1e-13; below this it is no longer exact.
FLOOR = 1e-11
NUMERICAL_ERROR = 1e-13
# Complex numbers held at once.
_CHUNK = 400_000


class _Block(NamedTuple):
    """Survival probabilities of neighbouring sample sizes."""

    n_first: int
    s_first: np.ndarray  # per n: the sum of squares of column 0
    survival: np.ndarray  # (number of n, columns), sums of squares in steps of 2


def fourier_reaches(n: np.ndarray, *, cells: int) -> np.ndarray:
    """
    Whether the exact law costs about a second or less for samples of this size.

    Parameters
    ----------
    n : int array, shape (g,)
        Sample sizes, counts.
    cells : int
        Number of equal cells.

    Returns
    -------
    bool array, shape (g,)

    Examples
    --------
    >>> fourier_reaches(np.array([600, 3000, 1_000_000]), cells=25).tolist()
    [True, True, False]
    """
    # Frequencies grow as n / cells, points of the short transform as sqrt(n).
    window = 120.0 + 4.0 * cells
    return window * n / (4 * cells) * 12 * np.sqrt(n) < 2e7


def survival_by_fourier(s: np.ndarray, n: np.ndarray, *, cells: int) -> np.ndarray:
    """
    P(S >= s), S the sum of squared counts of n objects in equal cells, to 1e-13.

    Parameters
    ----------
    s : int array, shape (g,)
        Sums of squares.
    n : int array, shape (g,)
        Sample sizes, counts above MAX_TABLE_N for which `fourier_reaches` holds.
    cells : int
        Number of equal cells, 2 or more.

    Returns
    -------
    float array, shape (g,)
        With an absolute error of 1e-13; 0 below FLOOR.

    Notes
    -----
    Counts are independent Poisson variables of mean n0/K, conditioned on their total n. On a grid
    of frequencies (f, h) the joint characteristic function of (S, total) is the K-th power
    of sum_c P(c) e^(i (f c^2 + h c)); a short transform over h picks the total, one over f gives
    the law of S. Neighbouring n share n0 and all the work. The window of S is so wide that the mass
    outside, by the proven bound, is below the error. The work is a function of (n, K) alone.

    Examples
    --------
    In two cells S = (n^2 + (2k - n)^2) / 2 with k binomial; 101 objects differ by 1 or more:

    >>> survival_by_fourier(np.array([5101]), np.array([101]), cells=2).round(12).tolist()
    [1.0]
    """
    result = np.empty(s.shape)
    block_of = _block_number(n)
    for number in np.unique(block_of).tolist():
        block = _block(cells, number)
        some = block_of == number
        row = n[some] - block.n_first
        column = (s[some] - block.s_first[row] + 1) // 2
        inside = column < block.survival.shape[1]
        column = np.clip(column, 0, block.survival.shape[1] - 1)
        result[some] = np.where(inside, block.survival[row, column], 0.0)
    return result


def _block_number(n: np.ndarray) -> np.ndarray:
    # A block reaches two standard deviations of the total to either side of its middle.
    return ((np.sqrt(n) - np.sqrt(MAX_TABLE_N)) // 2).astype(np.int64)


def _block_range(number: int) -> tuple[int, int]:
    edge = np.sqrt(MAX_TABLE_N) + 2 * np.array([number, number + 1])
    first, after = np.ceil(edge**2).astype(np.int64)
    return int(first), int(after)


@lru_cache(maxsize=32)
def _block(cells: int, number: int) -> _Block:
    n_first, n_after = _block_range(number)
    n = np.arange(n_first, n_after)
    middle = (np.sqrt(n_first) / 2 + np.sqrt(n_after) / 2) ** 2
    columns = int(np.ceil(_window(n_first, cells) * n_after / (2 * cells))) + 2
    n_frequencies = fft.next_fast_len(columns, real=True)
    points = fft.next_fast_len(int(np.ceil(12 * np.sqrt(middle))) + 16)
    # The least sum of squares of n objects, equal parity with n.
    s_first = (n // cells) ** 2 * cells + (n % cells) * (2 * (n // cells) + 1)
    spectrum = np.empty((len(n), n_frequencies // 2 + 1), dtype=complex)
    chunk = max(1, _CHUNK // points)
    for start in range(0, spectrum.shape[1], chunk):
        k = np.arange(start, min(start + chunk, spectrum.shape[1]))
        joint = _power(_joint(k, n_frequencies, points, middle / cells), cells)
        # e^(i h total) is summed against e^(-i h n): entry n of a transform over the points.
        picked = fft.fft(joint, axis=1)[:, n % points].T / points
        spectrum[:, k] = (
            picked * _roots(n_frequencies)[(-s_first[:, None] * k) % (2 * n_frequencies)]
        )
    # Entry 0 is the chance of the total itself.
    mass = fft.irfft(spectrum.conj() / spectrum[:, :1].real, n_frequencies, axis=1)
    survival = np.cumsum(mass[:, ::-1], axis=1)[:, ::-1]
    kept = int(np.count_nonzero((survival > FLOOR / 10).any(axis=0))) + 1
    trimmed = np.minimum.accumulate(np.clip(survival[:, :kept], 0.0, 1.0), axis=1)
    trimmed.setflags(write=False)
    return _Block(n_first, s_first, trimmed)


def _window(n: int, cells: int) -> float:
    """An X2 that is exceeded with a proven chance below the numerical error, for this n and up."""
    largest = n * (cells - 1.0) + 1
    for x2 in (cells + 60.0 * 1.1 ** np.arange(20)).tolist():
        bound = log10_pearson_bound(np.array([x2]), np.array([n]), cells=cells)
        if x2 < largest and bound[0] < -14:
            return float(x2)
    return largest


def _power(base: np.ndarray, exponent: int) -> np.ndarray:
    """Whole power by squaring: a fraction of the time of NumPy's own."""
    result = np.ones_like(base)
    while exponent:
        if exponent & 1:
            result *= base
        exponent >>= 1
        if exponent:
            base = base * base
    return result


@lru_cache(maxsize=2)
def _roots(n_frequencies: int) -> np.ndarray:
    return np.exp(1j * np.pi * np.arange(2 * n_frequencies) / n_frequencies)


def _joint(k: np.ndarray, n_frequencies: int, points: int, mean: float) -> np.ndarray:
    """Characteristic function of (c^2, c) for one Poisson count, shape (len(k), points)."""
    c = np.arange(int(np.ceil(mean + 10 * np.sqrt(mean) + 30)))
    log_mass = c - mean - special.xlogy(c, np.maximum(c, 1) / mean)
    mass = np.exp(log_mass - stirling_remainders(len(c))[: len(c)] - HALF_LN_2PI)
    # The phase pi k c^2 / M is reduced in whole numbers, or large c would lose digits.
    folded = np.zeros((len(k), points), dtype=complex)
    terms = mass * _roots(n_frequencies)[(k[:, None] * (c * c)) % (2 * n_frequencies)]
    for low in range(0, len(c), points):
        part = terms[:, low : low + points]
        folded[:, : part.shape[1]] += part
    return fft.ifft(folded, axis=1) * points
