import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from biaskit.bias.uniformity import BINS, order_by_group, pearson, statistics

NAMES = ("chi2", "ks", "kuiper", "cvm", "ad")


@pytest.fixture
def rng():
    return np.random.default_rng(20180530)


def of(u, weights=None):
    "The statistics of one group, by name"
    u = np.asarray(u, dtype=float)
    ordered = order_by_group(u, np.zeros(len(u), int))
    given = None if weights is None else np.asarray(weights, dtype=float)[ordered.rows]
    found = statistics(ordered, 1, weights=given)
    return {name: getattr(found, name)[0] for name in NAMES}


def ad_by_definition(u):
    with mpmath.workdps(40):
        x = sorted(mpmath.mpf(float(v)) for v in u)
        n = len(x)
        total = sum(
            (2 * i + 1) * (mpmath.log(x[i]) + mpmath.log(1 - x[n - 1 - i])) for i in range(n)
        )
        return float(-n - total / n)


def kuiper_by_definition(u):
    x, n = np.sort(u), len(u)
    return max((i + 1) / n - v for i, v in enumerate(x)) + max(v - i / n for i, v in enumerate(x))


def test_two_values_worked_out_by_hand():
    "u = 1/4, 3/4: F jumps to 1/2 at 1/4 and to 1 at 3/4, 1/4 above and below the diagonal"
    found = of([0.75, 0.25])
    assert (found["ks"], found["kuiper"]) == (0.25, 0.5)
    assert found["cvm"] == pytest.approx(1 / 24, rel=1e-15)
    by_hand = -2 - (2 * np.log(1 / 4) + 6 * np.log(3 / 4)) / 2
    assert found["ad"] == pytest.approx(by_hand, rel=1e-14)
    # Two of ten bins hold one each: 10/2 (1 + 1) - 2.
    assert found["chi2"] == pytest.approx(8, rel=1e-15)


def test_every_group_agrees_with_scipy_and_with_the_definition(rng):
    group = rng.integers(0, 12, 900)
    u = np.where(group % 3 == 0, rng.random(900) ** 4, rng.random(900))
    found = statistics(order_by_group(u, group), 12)
    for k in range(12):
        x = u[group == k]
        counts = np.histogram(x, BINS, (0, 1))[0]
        # The sums have 75 terms of at most the statistic's size.
        assert found.ks[k] == pytest.approx(stats.kstest(x, "uniform").statistic, abs=1e-15)
        cvm = stats.cramervonmises(x, "uniform").statistic
        assert found.cvm[k] == pytest.approx(cvm, rel=1e-12)
        assert found.chi2[k] == pytest.approx(stats.chisquare(counts).statistic, rel=1e-12)
        assert found.ad[k] == pytest.approx(ad_by_definition(x), rel=1e-12)
        assert found.kuiper[k] == pytest.approx(kuiper_by_definition(x), abs=1e-15)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 4),
            st.floats(1e-12, 1 - 1e-12) | st.sampled_from([0.25, 0.5, 0.1]),
            st.sampled_from([0.0, 1.0, 0.5, 1 / 3]),
        ),
        max_size=40,
    )
)
@settings(deadline=None)
def test_all_groups_at_once_equal_a_loop_over_groups(rows):
    group = np.array([row[0] for row in rows], dtype=int)
    u = np.array([row[1] for row in rows], dtype=float)
    weight = np.array([row[2] for row in rows], dtype=float)
    # Sums of weights must be whole: the last row of each group makes up for it.
    for k in np.unique(group):
        last = np.flatnonzero(group == k)[-1]
        weight[last] += np.ceil(weight[group == k].sum()) - weight[group == k].sum()
    ordered = order_by_group(u, group)
    together = statistics(ordered, 6, weights=weight[ordered.rows])
    for k in range(6):
        here = group == k
        if weight[here].sum() == 0:
            assert all(np.isnan(getattr(together, name)[k]) for name in NAMES)
            continue
        alone = of(u[here], weight[here])
        for name in NAMES:
            # The packed key rounds u at 2^-50; A2 multiplies it by 1 / u.
            assert getattr(together, name)[k] == pytest.approx(alone[name], rel=1e-9, abs=1e-9)


def test_equal_weights_change_nothing(rng):
    u = rng.random(200)
    assert of(u) == of(u, np.ones(200))


def test_weights_are_the_integrals_of_the_weighted_distribution(rng):
    "Against numerical integration of n (F - u)^2 and n (F - u)^2 / (u (1 - u))"
    u = np.sort(rng.uniform(0.05, 0.95, 9))
    weight = np.array([1, 0.5, 0.5, 0.25, 0.25, 0.5, 1, 0.5, 0.5])
    n = weight.sum()
    steps = np.concatenate([[0], np.cumsum(weight) / n])
    ends = np.concatenate([[0], u, [1]])
    cvm = ad = 0.0
    for f, a, b in zip(steps, ends[:-1], ends[1:], strict=True):
        cvm += n * integrate.quad(lambda x, f=f: (f - x) ** 2, a, b)[0]
        ad += n * integrate.quad(lambda x, f=f: (f - x) ** 2 / (x * (1 - x)), a, b)[0]
    found = of(u, weight)
    assert found["cvm"] == pytest.approx(cvm, rel=1e-8)
    assert found["ad"] == pytest.approx(ad, rel=1e-8)
    assert found["ks"] == pytest.approx(max(np.abs(steps[1:] - u).max(), (u - steps[:-1]).max()))


def test_an_object_cut_into_parts_of_its_weight_is_the_same_object(rng):
    u = rng.random(30)
    whole = of(u)
    parts = of(np.repeat(u, 4), np.full(120, 0.25))
    for name in NAMES:
        assert parts[name] == pytest.approx(whole[name], rel=1e-9)


def test_values_near_the_ends_keep_their_digits_in_company():
    "In the thousandth group the key holds u to 2^-43 only; the logarithms must not"
    u = np.array([1e-15, 0.5, 1 - 1e-15])
    found = statistics(order_by_group(u, np.full(3, 1000)), 1001)
    assert found.ad[1000] == pytest.approx(ad_by_definition(u), rel=1e-12)


def test_missing_values_and_zero_weights_are_left_out():
    u = np.array([0.2, np.nan, 0.7, 0.4])
    assert of(u) == of([0.2, 0.7, 0.4])
    assert of(u, [1, 1, 1, 0]) == of([0.2, 0.7])


def test_groups_without_rows_have_no_statistics():
    found = statistics(order_by_group(np.array([0.5]), np.array([1])), 3)
    assert np.isnan(found.ks).tolist() == [True, False, True]
    nothing = statistics(order_by_group(np.zeros(0), np.zeros(0, int)), 2)
    assert np.isnan(nothing.ad).all()


def test_pearson_is_never_below_zero_and_counts_weights(rng):
    cell = np.arange(7).repeat(6)
    assert pearson(cell, np.zeros(42, int), 1, n_cells=7).tolist() == [0]
    # In doubles the sum is -1.8e-15 here, which no tail would take.
    third = pearson(cell, np.zeros(42, int), 1, n_cells=7, weights=np.full(42, 1 / 3))
    assert third.tolist() == [0]
    cell = rng.integers(0, 25, 80)
    expected = stats.chisquare(np.bincount(cell, minlength=25)).statistic
    assert pearson(cell, np.zeros(80, int), 1, n_cells=25)[0] == pytest.approx(expected, rel=1e-13)
