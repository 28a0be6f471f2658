import numpy as np
import pytest
from scipy import stats

from biaskit.bias.coupling import order_within_groups
from biaskit.bias.joint import centred_ranks, quadrat_of, smooth_statistic
from biaskit.bias.tails import legendre_scores


@pytest.fixture
def rng():
    return np.random.default_rng(4)


def test_quadrats_are_those_of_a_histogram(rng):
    u, v = rng.random((2, 500))
    counts = np.histogram2d(v, u, 5, [[0, 1], [0, 1]])[0].ravel()
    assert np.bincount(quadrat_of(u, v), minlength=25).tolist() == counts.tolist()


def test_ranks_are_those_of_scipy_standardised_in_each_group(rng):
    group = np.sort(rng.integers(0, 4, 60))
    size = rng.random(60)
    by_size = order_within_groups(group, size, np.zeros(60))
    found = centred_ranks(by_size, group, 4, weights=np.ones(60))
    for k in range(4):
        rank = stats.rankdata(size[group == k])
        assert found[group == k] == pytest.approx(stats.zscore(rank), abs=1e-12)


def test_weighted_ranks_have_weighted_mean_0_and_variance_1(rng):
    weight = rng.choice([1, 0.5, 0.25], 50)
    size, lot = rng.random((2, 50))
    group = np.zeros(50, int)
    found = centred_ranks(order_within_groups(group, size, lot), group, 1, weights=weight)
    assert np.average(found, weights=weight) == pytest.approx(0, abs=1e-14)
    assert np.average(found**2, weights=weight) == pytest.approx(1, rel=1e-14)


def test_lots_decide_between_equal_sizes(rng):
    "One larger object among 29 equal ones stands 1.7 deviations out and not 5.4"
    size, lot = np.r_[2.0, np.ones(29)], rng.random(30)
    group = np.zeros(30, int)
    found = centred_ranks(order_within_groups(group, size, lot), group, 1, weights=np.ones(30))
    assert found.argmax() == 0
    assert found.max() < np.sqrt(3)
    assert np.argsort(found[1:]).tolist() == np.argsort(lot[1:]).tolist()


def test_one_object_or_none_has_no_rank():
    one, none = np.zeros(1, int), np.zeros(0, int)
    assert centred_ranks(one, one, 1, weights=np.ones(1)).tolist() == [0]
    assert centred_ranks(none, none, 2, weights=np.zeros(0)).shape == (0,)


def test_ranks_of_those_who_enter_are_ranks_among_them(rng):
    "What is left out of an order leaves an order: nothing is sorted again"
    group = np.sort(rng.integers(0, 3, 80))
    size, lot = rng.integers(0, 5, 80).astype(float), rng.random(80)
    weight = rng.choice([0, 0.5, 1], 80)
    found = centred_ranks(order_within_groups(group, size, lot), group, 3, weights=weight)
    kept = weight > 0
    alone = order_within_groups(group[kept], size[kept], lot[kept])
    expected = centred_ranks(alone, group[kept], 3, weights=weight[kept])
    assert found.tolist() == expected.tolist()


def test_smooth_statistic_is_the_sum_of_squared_standardised_means(rng):
    u, v = rng.random((2, 40))
    group = np.repeat([0, 2], 20)
    found = smooth_statistic(legendre_scores(u, v), group, 3, weights=np.ones(40))
    expected = sum(s.sum() ** 2 / 20 for s in legendre_scores(u[:20], v[:20]))
    assert found[0] == pytest.approx(expected, rel=1e-13)
    assert np.isnan(found[1])


def test_image_weights_make_near_copies_count_once(rng):
    scores = legendre_scores(*rng.random((2, 20)))
    once = smooth_statistic(scores, np.zeros(20, int), 1, weights=np.ones(20))
    thrice = smooth_statistic(
        np.repeat(scores, 3, axis=1), np.zeros(60, int), 1, weights=np.full(60, 1 / 3)
    )
    assert thrice[0] == pytest.approx(once[0], rel=1e-12)
