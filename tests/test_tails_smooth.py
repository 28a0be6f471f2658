"""Smooth tests: scores, Monte Carlo tables, and the bound's own foundation."""

import numpy as np
import pytest
from scipy import optimize

from biaskit.bias.tails import legendre_scores, log10_smooth_bound, smooth_tail
from biaskit.bias.tails.smooth import N_DRAWS
from biaskit.bias.tails.smooth_bound import LENGTHS, TWICE_RATE, _log_sphere_mean


@pytest.fixture(scope="module")
def square():
    "Scores and weights on a grid that integrates polynomials of degree 127 exactly"
    x, w = np.polynomial.legendre.leggauss(64)
    u, v = np.meshgrid((x + 1) / 2, (x + 1) / 2)
    return legendre_scores(u.ravel(), v.ravel()), np.outer(w, w).ravel() / 4


def test_scores_are_orthonormal(square):
    phi, weight = square
    np.testing.assert_allclose(phi @ weight, 0, atol=1e-13)
    np.testing.assert_allclose((phi * weight) @ phi.T, np.eye(5), atol=1e-12)


@pytest.mark.parametrize("place", [5, 20, 35, 45, 50, 54, 58, 64])
def test_no_direction_exceeds_the_tabulated_rate(square, place):
    "Found again from random starts with a quasi-Newton method instead of the fixed-point ascent"
    phi, weight = square
    s = LENGTHS[place]

    def rate(direction):
        exponent = s * (direction / np.linalg.norm(direction)) @ phi
        if s < 0.3:
            # ln(1 + E[e^x - 1]) keeps the digits that ln E e^x would lose.
            return -2 * np.log1p(np.expm1(exponent) @ weight) / s**2
        shift = exponent.max()
        return -2 * (shift + np.log(np.exp(exponent - shift) @ weight)) / s**2

    rng = np.random.default_rng(place)
    starts = np.vstack([rng.normal(size=(12, 5)), np.sqrt([[3, 5, 3, 5, 9]])])
    best = max(-optimize.minimize(rate, start).fun for start in starts)
    # Rounded up by a few in the sixth digit.
    assert best <= TWICE_RATE[place] <= best + 1e-5


def test_mean_over_the_sphere_has_its_closed_form_in_five_dimensions():
    x = np.array([0.1, 1.0, 5.0, 30.0])
    closed = np.log(3 * (x * np.cosh(x) - np.sinh(x)) / x**3)
    # The difference of two nearly equal numbers at x = 0.1 leaves twelve digits.
    np.testing.assert_allclose(_log_sphere_mean(x, 5), closed, atol=1e-12)


def test_one_object_has_a_bound_above_its_exact_law(square):
    phi, weight = square
    t = np.sum(phi**2, axis=0)
    at = np.array([6.0, 10.0, 15.0, 20.0, 24.0])
    exact = [(weight * (t >= limit)).sum() for limit in at]
    bound = log10_smooth_bound(at, np.ones(5, dtype=int), df=5, ranked=False)
    assert np.all(10**bound >= exact)


@pytest.mark.parametrize(("df", "coupling"), [(5, False), (5, True), (10, False)])
@pytest.mark.parametrize("n", [4, 20, 99])
def test_bounds_lie_above_simulated_shares(df, coupling, n):
    t = np.linspace(5, 60, 30)
    tail = smooth_tail(t, n, df=df, seed=2, coupling=coupling)
    share = np.maximum(10**tail.log10_p - 5e-3, 0)
    bound = log10_smooth_bound(t, np.full(30, n), df=df, ranked=coupling or df == 10)
    assert np.all(10**bound >= share)


def test_large_samples_come_near_the_chi_square_law():
    "At a million objects the bound is within 4 decades of 10^-19.3, at ten within none"
    t = np.array([100.0, 100.0])
    many, few = log10_smooth_bound(t, np.array([10**6, 10]), df=5, ranked=False)
    assert -19.4 < many < -15.4
    assert few > -9


def test_headline_is_monte_carlo_then_bound_below_100_objects():
    tail = smooth_tail([3.0, 20.0, 200.0], 60, df=5, seed=1)
    assert tail.kind.tolist() == ["monte_carlo", "monte_carlo", "bound"]
    assert tail.log10_p[2] < -4
    assert tail.log10_p[1] >= -np.log10(N_DRAWS + 1)


def test_monte_carlo_agrees_with_the_chi_square_law_in_the_body():
    t = np.array([4.35, 9.24, 11.07])
    p = 10 ** smooth_tail(t, 99, df=5, seed=4).log10_p
    # Five standard errors of shares .5, .1 and .05 among 9,999.
    np.testing.assert_allclose(p, [0.5, 0.1, 0.05], atol=0.025)


def test_another_seed_gives_other_draws_and_the_same_seed_the_same():
    first, again, other = (smooth_tail(6.0, 30, df=10, seed=s).log10_p[0] for s in (1, 1, 2))
    assert first == again
    assert first != other


def test_an_unknown_number_of_scores_is_refused():
    with pytest.raises(ValueError, match="df is 7, expected 5 for position"):
        smooth_tail(1.0, 10, df=7, seed=1)
    with pytest.raises(ValueError, match="df is 10 with coupling"):
        smooth_tail(1.0, 10, df=10, seed=1, coupling=True)
