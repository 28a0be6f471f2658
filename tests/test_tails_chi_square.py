"""The chi-square law and the sign test in log space."""

import mpmath
import numpy as np
import pytest
from scipy import stats

from biaskit.bias.tails import log10_binomial_tail, log10_chi2_sf, log_binomial_pmf

# Computed with mpmath at 40 to 150 digits.
REFERENCE = [
    (5, 9, -0.0786734565975783619),
    (30, 15, -1.92366924485377274),
    (50, 24, -2.84894503571368461),
    (100, 15, -13.8844878917582594),
    (700, 624, -1.73563197490148899),
    (1500, 24, -301.689935146737565),
    (2000, 15, -418.063785441557334),
    (20000, 999, -3478.96089306955952),
    (1e5, 15, -21687.4528664862574),
    (1e5, 24, -21670.6364852795444),
    (1e6, 99, -216932.778763240352),
    (4e6, 1, -868592.362896546408),
]


@pytest.mark.parametrize(("x2", "df", "log10_p"), REFERENCE)
def test_chi_square_law_has_the_reference_values(x2, df, log10_p):
    # gammaincc is good to 1e-14; its logarithm and the fraction add a few roundings.
    assert log10_chi2_sf(x2, df)[0] == pytest.approx(log10_p, rel=1e-13)


def test_chi_square_law_agrees_with_scipy_where_scipy_has_digits():
    df = np.array([1, 2, 5, 24, 99])[:, None]
    x2 = np.geomspace(0.1, 900, 40)[None, :]
    expected = stats.chi2.logsf(x2, df) / np.log(10)
    np.testing.assert_allclose(log10_chi2_sf(x2, df), expected, rtol=1e-12, atol=1e-14)


def test_chi_square_law_of_a_small_odd_case_against_mpmath():
    with mpmath.workdps(40):
        q = mpmath.gammainc(mpmath.mpf(7) / 2, 1200, mpmath.inf, regularized=True)
        expected = float(mpmath.log10(q))
    assert log10_chi2_sf(2400, 7)[0] == pytest.approx(expected, rel=1e-14)


def test_nothing_below_zero_is_a_chi_square():
    with pytest.raises(ValueError, match="negative or infinite"):
        log10_chi2_sf(-1.0, 3)
    with pytest.raises(ValueError, match="degrees of freedom"):
        log10_chi2_sf(1.0, 0)


def test_log_binomial_agrees_with_scipy():
    n = 300
    k = np.arange(n + 1)
    for p in (0.01, 0.4, 0.9):
        # Logarithms of n! near 1,400 give scipy's own value an error of 1e-12.
        np.testing.assert_allclose(
            log_binomial_pmf(k, n, np.full(n + 1, p)), stats.binom.logpmf(k, n, p), atol=2e-11
        )


def test_sign_test_agrees_with_scipy():
    n = np.array([1, 2, 7, 30, 501])
    k = np.array([0, 1, 6, 22, 300])
    expected = [np.log10(stats.binomtest(a, b).pvalue) for a, b in zip(k, n, strict=True)]
    np.testing.assert_allclose(log10_binomial_tail(k, n), expected, atol=1e-12)


@pytest.mark.parametrize(("k", "n"), [(0, 5000), (100, 5000), (4900, 5000), (1500, 5000)])
def test_sign_test_is_exact_far_beyond_doubles(k, n):
    "Python's whole numbers give the tail exactly"
    m = min(k, n - k)
    term, total = 1, 1
    for i in range(1, m + 1):
        term = term * (n - i + 1) // i
        total += term
    with mpmath.workdps(30):
        expected = float(mpmath.log10(2 * mpmath.mpf(total)) - n * mpmath.log10(2))
    assert log10_binomial_tail(k, n)[0] == pytest.approx(expected, rel=1e-13)


def test_an_even_split_is_no_evidence_and_no_objects_no_p_value():
    assert log10_binomial_tail([5, 0], [10, 0]).tolist() == pytest.approx([0, np.nan], nan_ok=True)


def test_more_successes_than_trials_are_refused():
    with pytest.raises(ValueError, match="whole numbers from 0 to n"):
        log10_binomial_tail(6, 5)
