"""Kolmogorov-Smirnov and Kuiper: exact laws."""

from fractions import Fraction
from math import factorial

import mpmath
import numpy as np
import pytest
from scipy import stats

from biaskit.bias.tails import (
    ks_tail,
    kuiper_tail,
    log10_ks_one_sided,
    log10_ks_two_sided,
    log10_kuiper,
)

# (n, d, log10 p), mpmath.
KS = [
    (5, 0.3, -0.1778319206319825),
    (5, 0.9, -4.698970004336019),
    (10, 0.4, -1.229227160833262),
    (20, 0.2, -0.4525697004040264),
    (50, 0.1, -0.1789378545568156),
    (50, 0.2, -1.502534346165220),
    (100, 0.1, -0.597407206189457),
    (615, 0.1, -5.079824828297357),
    (615, 0.5, -141.9708318170422),
    (615, 0.9, -614.5982431162357),
    (5000, 0.5, -1155.669036138387),
    (20000, 0.1, -173.8319794992527),
    (100000, 0.02, -34.45133164270922),
]
# The expansion of the body, whose p is wrong by up to 8e-6 of itself for n above 140.
KS_BODY = [(200, 0.08, -0.8344698502693376), (615, 0.05, -1.049208272000938)]
# (n, V, log10 p, tolerance in log10): the determinant where V < 1/2 and n <= 200.
KUIPER = [
    (5, 0.5, -0.3233063903751334, 1e-13),
    (10, 0.5, -1.184106938218516, 1e-13),
    (20, 0.3, -0.590386761960684, 1e-4),
    (50, 0.2, -0.675543979085245, 1e-5),
    (50, 0.3, -2.5755118099504609, 1e-11),
    (100, 0.15, -0.8169912225874117, 1e-5),
    (200, 0.1, -0.6327455303402109, 1e-5),
    (615, 0.25, -31.496052499332413, 1e-12),
    (615, 0.95, -796.04353423500603, 1e-11),
    (5000, 0.5, -1152.0436333542517, 1e-10),
]


@pytest.mark.parametrize(("n", "d", "log10_p"), KS)
def test_ks_has_the_reference_values_to_the_last_digits(n, d, log10_p):
    assert ks_tail(d, n).log10_p[0] == pytest.approx(log10_p, rel=5e-14)


@pytest.mark.parametrize(("n", "d", "log10_p"), KS_BODY)
def test_ks_body_of_large_samples_is_within_its_stated_error(n, d, log10_p):
    assert ks_tail(d, n).log10_p[0] == pytest.approx(log10_p, abs=8e-6 / np.log(10))


def test_one_sided_ks_against_the_sum_in_mpmath():
    n, d = 37, 0.31
    with mpmath.workdps(50):
        exact_d = mpmath.mpf(d)
        total = mpmath.mpf(0)
        for j in range(int(n * (1 - d)) + 1):
            p = exact_d + mpmath.mpf(j) / n
            total += mpmath.binomial(n, j) * p ** (j - 1) * (1 - p) ** (n - j)
        expected = float(mpmath.log10(exact_d * total))
    assert log10_ks_one_sided(d, n)[0] == pytest.approx(expected, rel=1e-14)


def test_one_sided_ks_agrees_with_scipy():
    n = np.array([3, 20, 140, 615])[:, None]
    d = np.array([0.02, 0.1, 0.3, 0.5])[None, :]
    expected = np.log10(stats.ksone.sf(d, n))
    np.testing.assert_allclose(log10_ks_one_sided(d, n), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 5, 20, 100, 140])
def test_two_sided_ks_agrees_with_scipy_where_scipy_is_exact(n):
    d = np.linspace(0.55 / n, min(0.95, 8 / np.sqrt(n)), 60)
    p = stats.kstwo.sf(d, n)
    np.testing.assert_allclose(10 ** log10_ks_two_sided(d, n), p, rtol=1e-9)


@pytest.mark.parametrize("n", [141, 615, 5000])
def test_two_sided_ks_agrees_with_scipy_in_the_body_of_large_samples(n):
    d = np.sqrt(np.linspace(0.15, 2.15, 40) / n)
    np.testing.assert_allclose(10 ** log10_ks_two_sided(d, n), stats.kstwo.sf(d, n), rtol=8e-6)


@pytest.mark.parametrize("n", [150, 615, 2000])
def test_ks_joins_its_two_methods_without_a_step(n):
    "At n d^2 = 2.2 the sum takes over from the expansion, which errs by up to 8e-6 of p"
    d = np.sqrt(2.2 / n) * np.array([1 - 1e-9, 1 + 1e-9])
    before, after = log10_ks_two_sided(d, n)
    assert abs(before - after) < 1e-5


def kuiper_by_determinant(n, v):
    "P(V >= v), exact in fractions: the circle is opened at the point where D- is attained"
    a = [max(Fraction(j + 1, n) - v, Fraction(0)) for j in range(1, n)]
    b = [Fraction(j, n) for j in range(1, n)]
    size = n - 1
    matrix = [
        [
            max(b[i] - a[j], Fraction(0)) ** (j - i + 1) / factorial(j - i + 1)
            if j - i + 1 >= 0
            else Fraction(0)
            for j in range(size)
        ]
        for i in range(size)
    ]
    # Hessenberg with ones below the diagonal: the determinant by a recursion over columns.
    minors = [Fraction(1)]
    for j in range(size):
        minors.append(sum((-1) ** (j - i) * matrix[i][j] * minors[i] for i in range(j + 1)))
    below = n * factorial(size) * minors[-1]
    return 1 - below


@pytest.mark.parametrize(
    ("n", "v", "tolerance"),
    [
        (3, Fraction(3, 5), 1e-13),
        (4, Fraction(7, 10), 1e-13),
        (8, Fraction(1, 2), 1e-12),
        (12, Fraction(2, 5), 2e-4),
        (20, Fraction(2, 5), 1e-7),
    ],
)
def test_kuiper_agrees_with_an_independent_exact_law(n, v, tolerance):
    expected = float(kuiper_by_determinant(n, v))
    assert 10 ** log10_kuiper(float(v), n)[0] == pytest.approx(expected, rel=tolerance)


def test_kuiper_of_two_values_by_hand():
    "V < v needs the second value in a window of length v - 1/2: P(V >= v) = 2 (1 - v)"
    v = np.array([0.5, 0.6, 0.8, 0.99])
    np.testing.assert_allclose(10 ** log10_kuiper(v, 2), 2 * (1 - v), rtol=1e-12)


@pytest.mark.parametrize(("n", "v", "log10_p", "tolerance"), KUIPER)
def test_kuiper_has_the_reference_values(n, v, log10_p, tolerance):
    assert kuiper_tail(v, n).log10_p[0] == pytest.approx(log10_p, abs=tolerance)


@pytest.mark.parametrize("n", [5, 20, 100])
def test_kuiper_body_is_within_half_a_percent_of_simulation(n):
    rng = np.random.default_rng(11)
    u = np.sort(rng.random((40_000, n)), axis=1)
    i = np.arange(1, n + 1)
    v = (i / n - u).max(axis=1) + (u - (i - 1) / n).max(axis=1)
    for level in (0.5, 0.9, 0.95):
        at = np.quantile(v, level)
        p = 10 ** log10_kuiper(at, n)[0]
        # Five standard errors of the share of 40,000, and half a percent for the formula.
        assert abs(p - (1 - level)) < 5 * np.sqrt(level * (1 - level) / 40_000) + 0.005


def test_kuiper_is_called_exact_only_where_it_is():
    assert kuiper_tail([0.1, 0.15, 0.6], [100, 100, 5]).kind.tolist() == [
        "asymptotic",
        "exact",
        "exact",
    ]


def test_the_extremes_have_finite_p_values():
    "A uniform draw can be exactly 0, and a p-value never is"
    assert ks_tail([0.0, 1.0], [10, 10]).log10_p.tolist() == [0.0, pytest.approx(-159.2, abs=0.6)]
    assert np.isfinite(kuiper_tail([1.0, 1.0], [7, 1]).log10_p).all()


def test_a_million_objects_fit_in_memory():
    assert ks_tail(0.3, 10**6).log10_p[0] == pytest.approx(-79816.4, abs=0.1)


def test_a_distance_above_one_is_refused():
    with pytest.raises(ValueError, match=r"KS distance is 1\.5, expected 0 to 1"):
        ks_tail(1.5, 10)
    with pytest.raises(ValueError, match="Kuiper"):
        kuiper_tail(1.5, 10)


@pytest.mark.parametrize("n", [20, 40, 100, 615])
def test_kuiper_has_no_hole_where_a_step_ends_at_one(n):
    "V = 0.8 and one rounding below it: the last y = V + t/n of the sum is 1 or just not"
    v = np.array([np.nextafter(0.8, 0), 0.8, np.nextafter(0.8, 1)])
    log10_p = kuiper_tail(v, n).log10_p
    # A rounding of V moves log10 p by about 4 n V eps.
    assert np.ptp(log10_p) < 1e-11
