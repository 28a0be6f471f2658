"""
The claim about shiftability as numbers: four responses, each sampled wherever it may stand.

The paper's section 3 says that a response which can be rebuilt from its samples pools to the same
value wherever the object stands. Here responses of chosen frequencies are sampled at every shift,
and what the sums and the rebuilt responses do is measured. Why is in ``biaskit.sweeps.sampling``.
"""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
import pandas as pd

from biaskit.chance import keyed_uniform
from biaskit.sweeps.sampling import energies, interpolate, subsample
from biaskit.tables.inside import SAMPLING, SAMPLING_CASES

__all__ = ["case_words", "demonstration", "demonstration_curves", "waves"]

Array = np.ndarray
MEAN, LOW, HIGH = 1.0, 1.0, 0.3  # of a response; root mean square of its low and high waves
TOLERANCE = 1e-9  # far above rounding, far below any effect here
_NONE, _BESIDE, _ONTO, _RELU = SAMPLING_CASES


def waves(n: int, cycles: Sequence[Sequence[int]], *, seed: int) -> Array:
    """
    Add cosines of given frequencies and random phases.

    Parameters
    ----------
    n : int
        Places along every axis.
    cycles : sequence of one int per axis
        Of each wave, cycles per n places along the axes; not all 0.
    seed : int
        Decides the phases; that of one wave does not depend on the others.

    Returns
    -------
    float array, shape (n,) or (n, n)
        Of mean 0 and root mean square 1.

    Examples
    --------
    >>> wave = waves(8, [(2,)], seed=0)
    >>> wave.shape, np.flatnonzero(abs(np.fft.rfft(wave)) > 1e-9).tolist()
    ((8,), [2])
    """
    places = np.indices((n,) * len(cycles[0]))
    total = np.zeros(places.shape[1:])
    for wave in cycles:
        phase = keyed_uniform(seed, "sampling", " ".join(map(str, wave)))[0]
        turns = np.tensordot(np.asarray(wave), places, 1) % n / n  # exact for whole numbers
        total += np.cos(2 * np.pi * (turns + phase))
    return total / np.sqrt(np.mean(total**2))


def demonstration(
    *, n: int = 60, factor: int = 4, dimensions: Sequence[int] = (1, 2), seed: int = 0
) -> pd.DataFrame:
    """
    Sample four kinds of response at every shift, and measure what their sums do.

    1. No energy at or above half the sampling rate: the sum stays, the response can be rebuilt.
    2. Energy there, but none at multiples of the rate: the sum stays all the same, by cancellation
       alone, and the response cannot be rebuilt. In two dimensions some waves are at a multiple
       along one axis only, which is not enough to reach the sum.
    3. Energy at multiples of the rate: the sum depends on the shift.
    4. The first response, with a ReLU behind the samples: the sum depends on the shift again. A
       ReLU works place by place, so this is the same as sampling the rectified response, and its
       kinks have energy above half the rate. So invariance ends at the next nonlinearity.

    Responses are periodic, of mean 1, waves below half the rate of root mean square 1, and in
    cases 2 and 3 others of 0.3. Being periodic, they have no more than ``factor`` different sets
    of samples along an axis: the shifts 0 to factor - 1 are all there are.

    Parameters
    ----------
    n : int
        Places along each axis; a multiple of the factor, and at least three times it.
    factor : int
        s, at least 2.
    dimensions : sequence of int
        1: a line, 2: a map.
    seed : int
        Decides the phases of the waves.

    Returns
    -------
    DataFrame
        A table ``sampling``.

    Raises
    ------
    ValueError
        If n, the factor or the dimensions are others.

    References
    ----------
    A. Azulay and Y. Weiss, "Why do deep convolutional networks generalize so poorly to small image
    transformations?", arXiv 1805.12177v1, 2018, section 3.

    Examples
    --------
    >>> demonstration(dimensions=(1,))[["sum_invariant", "shiftable"]].values.tolist()
    [[True, True], [True, False], [False, False], [False, False]]
    """
    _check(n, factor, dimensions)
    rows = [
        _measured(case, response, factor)
        for d in dimensions
        for case, response in _responses(n, factor, d, seed)
    ]
    return SAMPLING.check(pd.DataFrame(rows, columns=list(SAMPLING.columns)), "sampling")


def demonstration_curves(*, n: int = 60, factor: int = 4, seed: int = 0) -> pd.DataFrame:
    """
    Return the responses along a line of ``demonstration``, their samples, and what these rebuild.

    Parameters
    ----------
    n, factor, seed
        As there.

    Returns
    -------
    DataFrame
        case; kind: "response" (behind the ReLU, if any), "samples" or "rebuilt"; shift: the place
        of the first sample, 0 to factor - 1, of a response 0; place: 0 to n - 1; value.

    Raises
    ------
    ValueError
        As there.

    Examples
    --------
    >>> curves = demonstration_curves(n=60, factor=4)
    >>> curves.groupby("kind").size().to_dict()
    {'rebuilt': 960, 'response': 240, 'samples': 240}
    """
    _check(n, factor, (1,))
    rows = []
    for case, response in _responses(n, factor, 1, seed):
        response = _behind(case, response)
        rows.append((case, "response", 0, np.arange(n), response))
        for shift in range(factor):
            samples = subsample(response, factor, shift)
            places = np.arange(shift, n, factor)
            rows.append((case, "samples", shift, places, samples))
            rebuilt = np.roll(interpolate(samples, factor), shift)
            rows.append((case, "rebuilt", shift, np.arange(n), rebuilt))
    names = ("case", "kind", "shift", "place", "value")
    parts = [pd.DataFrame(dict(zip(names, row, strict=True))) for row in rows]
    return pd.concat(parts, ignore_index=True)


def case_words(row: pd.Series) -> str:
    """
    Say what a row of the table ``sampling`` shows.

    Examples
    --------
    >>> case_words(demonstration(dimensions=(1,)).iloc[0])
    'the sum stays; the samples hold the whole response'
    """
    moves = f"the sum moves by {_percent(row['sum_variation'])} of its mean"
    off = f"rebuilt, the response is off by {_percent(row['interpolation_error'])}"
    return "; ".join(
        [
            "the sum stays" if row["sum_invariant"] else moves,
            "the samples hold the whole response" if row["shiftable"] else off,
        ]
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"


def _check(n: int, factor: int, dimensions: Sequence[int]) -> None:
    if factor < 2:
        raise ValueError(f"factor is {factor}, expected at least 2: of 1 no place is dropped")
    if n % factor or n < 3 * factor:
        raise ValueError(f"n is {n}, expected a multiple of {factor}, and at least {3 * factor}")
    if not set(dimensions) <= {1, 2}:
        raise ValueError(f"dimensions are {tuple(dimensions)}, expected 1, 2 or both")


def _responses(n: int, factor: int, d: int, seed: int) -> Iterator[tuple[str, Array]]:
    """Make the response of each case in turn; a rate is m cycles per n places."""
    m = n // factor
    below = {1, max(1, m // 5), (m - 1) // 2}
    beyond = {k for k in (m // 2 + 1, m - 1, m + 2) if k <= n // 2}
    low = waves(n, [k for k in product(sorted({0, *below}), repeat=d) if any(k)], seed=seed)
    beside = [
        k
        for k in product(sorted({0, 1, m, *beyond}), repeat=d)
        if max(k) > m / 2 and any(along % m for along in k)
    ]
    onto = [k for k in product((0, m), repeat=d) if any(k)]
    yield _NONE, MEAN + LOW * low
    yield _BESIDE, MEAN + LOW * low + HIGH * waves(n, beside, seed=seed)
    yield _ONTO, MEAN + LOW * low + HIGH * waves(n, onto, seed=seed)
    yield _RELU, MEAN + LOW * low


def _behind(case: str, values: Array) -> Array:
    """Return values behind the ReLU, if the case has one."""
    return np.maximum(values, 0) if case == _RELU else values


def _measured(case: str, response: Array, factor: int) -> dict[str, object]:
    """Sample a response at every shift; return its row of the table."""
    target = _behind(case, response)
    sums, squares = [], []
    for shift in product(range(factor), repeat=response.ndim):
        samples = _behind(case, subsample(response, factor, shift))
        sums.append(samples.sum())
        moved = subsample(target, 1, shift)
        squares.append(np.mean((interpolate(samples, factor) - moved) ** 2))
    above, onto = _energies(response, factor)
    variation = (max(sums) - min(sums)) / abs(np.mean(sums))
    error = np.sqrt(np.mean(squares)) / target.std()
    return {
        "case": case,
        "dimensions": response.ndim,
        "factor": factor,
        "n": len(response),
        "energy_above_nyquist": above,
        "energy_onto_dc": onto,
        "sum_variation": variation,
        "interpolation_error": error,
        "sum_invariant": bool(variation < TOLERANCE),
        "shiftable": bool(error < TOLERANCE),
    }


def _energies(response: Array, factor: int) -> tuple[float, float]:
    """A line is a map of one row, along which alone places are dropped."""
    line = response.ndim == 1
    factors = (1, factor) if line else (factor, factor)
    found = energies(np.atleast_2d(response), factors, periodic=True)
    return float(found.above_nyquist), float(found.onto_dc)
