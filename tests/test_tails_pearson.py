"""Pearson's test on equal cells: exact laws, bounds, and how they join."""

from itertools import product

import numpy as np
import pytest
from scipy import special, stats

from biaskit.bias.tails import (
    log10_agrawal_bound,
    log10_heavy_cell_bound,
    log10_pearson_bound,
    pearson_tail,
)
from biaskit.bias.tails.light_cells import LightCells
from biaskit.bias.tails.pearson_bound import _log_some_cell_above
from biaskit.bias.tails.pearson_fourier import NUMERICAL_ERROR, survival_by_fourier
from biaskit.bias.tails.pearson_table import log10_survival_small

# (K, n, X2, exact log10 p, chi-square law, Agrawal's bound)
EXACT = [
    (16, 20, 40, -3.022459497416, -3.3434, 0),
    (16, 20, 200, -16.288268557745, -33.6727, -3.66),
    (16, 50, 30, -1.869387541588, -1.9237, 0),
    (16, 50, 80.24, -7.741471777396, -10.1998, -0.33),
    (16, 50, 200.24, -18.033687313846, -33.7215, -5.26),
    (16, 50, 700.08, -56.126239213136, -138.7477, -34.84),
    (25, 50, 30, -0.710434213428, -0.7334, 0),
    (25, 50, 120, -9.122587413117, -14.0131, 0),
    (25, 50, 700, -42.739359119695, -131.6056, -17.52),
]
# (n, X2, log10 p by importance sampling, standard error in ln, Agrawal's bound), K = 16
SIMULATED = [
    (615, 60, -6.446, 0.01, -0.66),
    (615, 80, -9.649, 0.03, -1.88),
    (615, 120, -15.7, 0.26, -5.03),
    (615, 200, -26.77, 0.07, -12.32),
    (615, 800, -90.61, 0.04, -67.5),
    (615, 2000, -193.25, 0.03, -164.5),
    (1300, 60, -6.517, 0.01, -0.92),
    (1300, 80, -9.888, 0.02, -2.39),
    (1300, 120, -16.62, 0.10, -6.11),
    (1300, 400, -55.72, 0.08, -36.6),
    (1300, 800, -102.45, 0.04, -78.8),
    (1300, 2000, -220.99, 0.03, -191.8),
]


@pytest.mark.parametrize(("cells", "n", "x2", "exact", "law", "agrawal"), EXACT)
def test_few_objects_have_the_reference_values(cells, n, x2, exact, law, agrawal):
    tail = pearson_tail(x2, n, cells=cells)
    assert tail.kind[0] == "exact"
    assert tail.log10_p[0] == pytest.approx(exact, abs=1e-12)
    assert tail.log10_p_asymptotic[0] == pytest.approx(law, abs=6e-5)
    bound = log10_agrawal_bound(np.array([x2]), np.array([n]), cells=cells)
    assert bound[0] == pytest.approx(agrawal, abs=0.006)


@pytest.mark.parametrize(("n", "x2", "truth", "error", "agrawal"), SIMULATED)
def test_many_objects_are_exact_or_bounded(n, x2, truth, error, agrawal):
    tail = pearson_tail(x2, n, cells=16)
    bound = log10_agrawal_bound(np.array([float(x2)]), np.array([n]), cells=16)
    # Printed to one or two decimals.
    assert bound[0] == pytest.approx(agrawal, abs=0.06)
    if truth > -11:
        assert tail.kind[0] == "exact"
        assert tail.log10_p[0] == pytest.approx(truth, abs=4 * error / np.log(10))
    else:
        assert tail.kind[0] == "bound"
        # Never below the truth, and a few percent of its depth above it.
        assert truth < tail.log10_p[0] < truth * 0.96 + 4


@pytest.mark.parametrize(("cells", "n"), [(2, 9), (3, 8), (4, 6), (7, 4)])
def test_every_possible_outcome_counted_by_hand(cells, n):
    outcomes = np.array(list(product(range(cells), repeat=n)))
    counts = (outcomes[:, :, None] == np.arange(cells)).sum(axis=1)
    squares = (counts**2).sum(axis=1)
    x2 = cells / n * np.unique(squares) - n
    shares = [(squares >= s).mean() for s in np.unique(squares)]
    p = 10 ** pearson_tail(x2, n, cells=cells).log10_p
    np.testing.assert_allclose(p, shares, rtol=1e-12)


@pytest.mark.parametrize("n", [101, 615, 2000])
def test_two_cells_are_a_binomial(n):
    # Up to 6.2 standard deviations, p = 5e-10.
    heavier = np.arange((n + 1) // 2, (n + 1) // 2 + int(3.1 * np.sqrt(n)))
    x2 = (2 * heavier - n) ** 2 / n
    expected = np.minimum(2 * stats.binom.sf(heavier - 1, n, 0.5), 1.0)
    if n % 2 == 0:
        expected[0] = 1.0
    tail = pearson_tail(x2, n, cells=2)
    exact = tail.kind == "exact"
    assert exact.sum() > 50 or n < 200
    np.testing.assert_allclose(10 ** tail.log10_p[exact], expected[exact], atol=2e-13, rtol=1e-9)


def test_three_cells_and_615_objects_summed_over_all_counts():
    "Every pair of counts with its multinomial probability: a law found another way"
    n = 615
    first, second = np.meshgrid(np.arange(n + 1), np.arange(n + 1))
    third = n - first - second
    inside = third >= 0
    first, second, third = first[inside], second[inside], third[inside]
    log_p = special.gammaln(n + 1) - n * np.log(3)
    log_p = log_p - sum(special.gammaln(c + 1.0) for c in (first, second, third))
    squares = first**2 + second**2 + third**2
    for x2 in (0.5, 3.0, 9.0, 20.0, 40.0):
        s = int(np.ceil(n * (x2 + n) / 3))
        expected = np.exp(log_p[squares >= s]).sum()
        p = 10 ** pearson_tail(x2, n, cells=3).log10_p[0]
        # Logarithms of factorials near 3,000 leave the sum 1e-12 of itself.
        assert p == pytest.approx(expected, rel=1e-10, abs=NUMERICAL_ERROR)


@pytest.mark.parametrize("cells", [2, 3, 10, 16, 25, 64])
@pytest.mark.parametrize("n", [70, 99])
def test_both_exact_methods_agree(cells, n):
    s = np.arange(n * n // cells + cells, n * n + 1)
    s = s[(s - n) % 2 == 0]
    sizes = np.full(s.shape, n)
    table = 10 ** log10_survival_small(s, sizes, cells=cells)
    fourier = survival_by_fourier(s, sizes, cells=cells)
    exact = fourier > 1e-11
    assert np.abs(fourier - table)[exact].max() < NUMERICAL_ERROR
    # What is cut off is as small as it is said to be.
    assert table[~exact].max(initial=0) < 1.02e-11


@pytest.mark.parametrize("cells", [3, 10, 25])
@pytest.mark.parametrize("n", [10, 50, 100])
def test_bounds_lie_above_the_exact_law_everywhere(cells, n):
    x2 = np.linspace(1, n * (cells - 1), 300)
    exact = pearson_tail(x2, n, cells=cells).log10_p
    sizes = np.full(x2.shape, n)
    assert np.all(log10_agrawal_bound(x2, sizes, cells=cells) >= exact)
    assert np.all(log10_heavy_cell_bound(x2, sizes, cells=cells) >= exact)


@pytest.mark.parametrize(("cells", "n"), [(2, 101), (10, 150), (25, 400)])
def test_the_cut_between_light_and_heavy_is_the_best_of_all(cells, n):
    "However it is looked for: every b gives a bound, and the least of them is taken"
    x2 = np.array([60.0, 100.0, 0.6 * n * (cells - 1), 0.98 * n * (cells - 1)])
    x2 = x2[x2 <= n * (cells - 1)]
    found = log10_heavy_cell_bound(x2, np.full(x2.shape, n), cells=cells)
    for x, bound in zip(x2, found, strict=True):
        b = np.arange(n // cells + 1, n)
        many = np.full(b.shape, n)
        light = LightCells(np.full(b.shape, x), many, cells).log_bound(np.arange(len(b)), b)
        heavy = _log_some_cell_above(b, many, cells)
        best = (np.log(2) + np.maximum(light, heavy).min()) / np.log(10)
        assert bound == pytest.approx(min(best, 0.0), abs=1e-8)


def test_a_search_from_the_last_tilt_ends_where_one_from_the_first_does():
    x2, n, row = np.array([3.0 * 615]), np.array([615]), np.array([0])
    warm = LightCells(x2, n, 25)
    for b in (400, 230, 215, 300):
        at = np.array([b])
        cold = LightCells(x2, n, 25).log_bound(row, at)
        np.testing.assert_allclose(warm.log_bound(row, at), cold, atol=1e-8)


@pytest.mark.parametrize(("cells", "n"), [(3, 3000), (10, 2000), (10, 10_000), (25, 615)])
def test_the_bound_falls_until_all_objects_share_a_cell(cells, n):
    "There the best tilt lies at infinity, and a search may stop short of it"
    x2 = np.linspace(0.5, 1, 200) * n * (cells - 1)
    bound = log10_heavy_cell_bound(x2, np.full(x2.shape, n), cells=cells)
    assert np.diff(bound).max() < 1e-6
    # Not below the truth, (1 - n) log10 K at the end, and not far above it.
    assert 0 <= bound[-1] - (1 - n) * np.log10(cells) < 10


def test_no_p_value_lies_below_all_objects_in_one_cell():
    for n in (5, 50, 400):
        tail = pearson_tail(n * 24.0, n, cells=25)
        assert tail.log10_p[0] >= (1 - n) * np.log10(25) - 1e-9
        if n <= 100:
            assert tail.log10_p[0] == pytest.approx((1 - n) * np.log10(25), rel=1e-13)


@pytest.mark.parametrize("n", [7, 60, 100, 101, 400, 615, 50_000])
def test_p_never_rises_with_the_statistic(n):
    x2 = np.unique(np.concatenate([np.linspace(0, 300, 2000), np.geomspace(300, 9 * n + 300, 400)]))
    log10_p = pearson_tail(x2[x2 <= 9 * n], n, cells=10).log10_p
    # Newton's method stops within 1e-7 of the least bound.
    assert np.diff(log10_p).max() < 1e-6


def test_rounding_in_the_statistic_makes_no_other_p():
    counts = np.array([9, 3, 4, 5, 4])
    x2 = ((counts - 5) ** 2 / 5).sum()
    p = pearson_tail(x2 * np.array([1 - 1e-14, 1, 1 + 1e-14]), 25, cells=5).log10_p
    assert p[0] == p[1] == p[2]


def test_results_do_not_depend_on_company():
    "One category's p-value is the same whichever others are asked for with it"
    n = np.array([150, 640, 610, 90, 400])
    x2 = np.array([30.0, 50.0, 200.0, 70.0, 20.0])
    together = pearson_tail(x2, n, cells=25).log10_p
    alone = [pearson_tail(a, b, cells=25).log10_p[0] for a, b in zip(x2, n, strict=True)]
    np.testing.assert_allclose(together, alone, rtol=1e-9)


def test_very_large_samples_are_asymptotic_then_bounded():
    tail = pearson_tail([20.0, 200.0], 10**6, cells=25)
    assert tail.kind.tolist() == ["asymptotic", "bound"]
    assert log10_pearson_bound(np.array([200.0]), np.array([10**6]), cells=25)[0] < -15


def test_one_cell_is_no_test():
    with pytest.raises(ValueError, match="cells is 1, expected a whole number of 2 or more"):
        pearson_tail(1.0, 10, cells=1)
