"""Cramer-von Mises and Anderson-Darling: laws, corrected forms, proven bounds."""

import numpy as np
import pytest
from scipy import stats

from biaskit.bias.tails import (
    ad_tail,
    cvm_tail,
    log10_ad_bound,
    log10_ad_corrected,
    log10_ad_limit,
    log10_cvm_bound,
    log10_cvm_corrected,
    log10_cvm_limit,
)

CVM_LIMIT = [
    (0.05, -0.05735663898991626),
    (0.1, -0.2329381013504662),
    (0.2, -0.5727242232232988),
    (0.461, -1.30010049600407),
    (1.168, -3.000328224691978),
    (2, -4.893444130014177),
    (5, -11.51514105925396),
    (20, -43.95971051339365),
    (100, -215.7607054477097),
    (1000, -2145.102087287099),
]
AD_LIMIT = [
    (0.5, -0.1267873320126725),
    (1, -0.4470074940530873),
    (1.933, -1.000023351737782),
    (2.492, -1.300837330135263),
    (3.878, -1.999938773810124),
    (10, -4.859647997562833),
    (50, -22.57583339147895),
    (500, -218.506908338883),
    (2000, -870.2495352852352),
    (10000, -4344.954841784072),
]
# (n, W2, log10 p) by importance sampling, standard errors below .4 in ln.
CVM_SIMULATED = [
    (20, 2.5, -6.680),
    (50, 5, -12.556),
    (100, 10, -24.490),
    (100, 5, -11.980),
    (615, 10, -22.636),
    (615, 20, -45.16),
    (615, 40, -92.16),
    (2000, 80, -178.95),
]
# (n, A2, log10 p): the first two to 1e-8, the others by simulation to 5e-4.
AD_TRUTH = [
    (5, 1000, -434.74925554),
    (100, 3000, -1303.98186756),
    (20, 10, -4.8297),
    (50, 50, -22.5135),
    (615, 300, -131.5058),
]


@pytest.mark.parametrize(("x", "log10_p"), CVM_LIMIT)
def test_cvm_limit_has_the_reference_values(x, log10_p):
    assert log10_cvm_limit(x)[0] == pytest.approx(log10_p, rel=3e-13)


@pytest.mark.parametrize(("z", "log10_p"), AD_LIMIT)
def test_ad_limit_has_the_reference_values(z, log10_p):
    assert log10_ad_limit(z)[0] == pytest.approx(log10_p, rel=8e-12)


@pytest.mark.parametrize(("law", "edge"), [(log10_cvm_limit, 3.0), (log10_ad_limit, 20.0)])
def test_a_law_joins_its_two_forms_without_a_step(law, edge):
    before, after = law(np.array([edge * (1 - 1e-12), edge]))
    assert before == pytest.approx(after, abs=1e-9)


@pytest.mark.parametrize("n", [5, 10, 50, 500])
def test_corrected_cvm_agrees_with_scipy_in_the_body(n):
    "scipy reports the same first correction, from a sample with the given W2"
    rng = np.random.default_rng(n)
    for _ in range(20):
        result = stats.cramervonmises(rng.random(n), "uniform")
        if result.statistic > 0.03:
            ours = 10 ** log10_cvm_corrected(result.statistic, n)[0]
            assert ours == pytest.approx(result.pvalue, abs=1e-9)


@pytest.mark.parametrize(("n", "w2", "log10_p"), CVM_SIMULATED)
def test_cvm_estimate_is_near_and_the_bound_above_the_truth(n, w2, log10_p):
    assert log10_cvm_corrected(w2, n)[0] == pytest.approx(log10_p, abs=0.07 + 0.36 / np.log(10))
    assert log10_p < log10_cvm_bound(w2, n)[0]


@pytest.mark.parametrize(("n", "a2", "log10_p"), AD_TRUTH)
def test_ad_estimate_is_near_and_the_bound_above_the_truth(n, a2, log10_p):
    assert log10_p - 0.002 <= log10_ad_corrected(a2, n)[0] <= log10_p + 0.08
    assert log10_p < log10_ad_bound(a2, n)[0] <= min(0.0, log10_p + 5)


def test_ad_bound_has_the_reference_values():
    bound = log10_ad_bound([50.0, 3000.0, 10.0], [615, 615, 20])
    np.testing.assert_allclose(bound, [-19.82, -1300.33, -3.07], atol=0.006)


def test_cvm_bound_by_the_largest_distance_reaches_the_end_of_the_scale():
    "W2 = n/3 needs all values at one edge, and the bound knows it"
    assert log10_cvm_bound(20 / 3 * 0.999, 20)[0] < -20


def cvm_of(u):
    u = np.sort(u, axis=1)
    n = u.shape[1]
    middle = (2 * np.arange(1, n + 1) - 1) / (2 * n)
    return 1 / (12 * n) + np.sum((u - middle) ** 2, axis=1)


def ad_of(u):
    u = np.sort(u, axis=1)
    n = u.shape[1]
    weight = (2 * np.arange(1, n + 1) - 1) / n
    return -n - np.sum(weight * (np.log(u) + np.log1p(-u[:, ::-1])), axis=1)


@pytest.mark.parametrize("n", [2, 3, 5, 20])
def test_bounds_lie_above_simulated_shares(n):
    rng = np.random.default_rng(3)
    u = rng.random((50_000, n))
    for statistic, bound in ((cvm_of(u), log10_cvm_bound), (ad_of(u), log10_ad_bound)):
        at = np.quantile(statistic, [0.5, 0.9, 0.99, 0.999])
        share = np.mean(statistic[:, None] >= at, axis=0)
        # Five standard errors of a share of 50,000.
        error = 5 * np.sqrt(share * (1 - share) / 50_000)
        assert np.all(10 ** bound(at, n) > share - error)


def test_the_sobolev_step_holds_for_samples():
    "|grad W|^2 <= 1 is what the bound rests on: W is no steeper than the sample moves"
    rng = np.random.default_rng(5)
    u, moved = rng.random((1000, 12)), rng.random((1000, 12))
    u, moved = np.sort(u, axis=1), np.sort(moved, axis=1)
    distance = np.sqrt(np.sum((u - moved) ** 2, axis=1))
    change = np.abs(np.sqrt(cvm_of(u)) - np.sqrt(cvm_of(moved)))
    assert np.all(change <= distance + 1e-12)


def test_one_value_has_its_exact_law():
    u = np.array([0.5, 0.2, 0.999])
    expected = 1 - np.abs(2 * u - 1)
    cvm, ad = cvm_tail(cvm_of(u[:, None]), 1), ad_tail(ad_of(u[:, None]), 1)
    np.testing.assert_allclose(10**cvm.log10_p, expected, atol=1e-7)
    np.testing.assert_allclose(10**ad.log10_p, expected, atol=1e-7)
    assert cvm.kind.tolist() == ad.kind.tolist() == ["exact"] * 3


def test_asymptotic_values_are_headlines_in_the_body_only():
    "At the switch nothing proves p <= 1e-3 yet; so the kind changes with the bound, not before"
    for tail in (cvm_tail([0.4, 1.3, 30.0], 615), ad_tail([2.0, 6.5, 90.0], 615)):
        assert tail.kind.tolist() == ["asymptotic", "asymptotic", "bound"]
        assert tail.log10_p[1] == -3.0
        assert tail.log10_p[2] > tail.log10_p_asymptotic[2]


def test_a_w2_that_no_sample_reaches_is_refused():
    with pytest.raises(ValueError, match="above n/3"):
        cvm_tail(4.0, 10)
