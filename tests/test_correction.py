import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from biaskit.bias.correction import correct

METHODS = {"bonferroni": "bonferroni", "holm": "holm", "bh": "fdr_bh", "by": "fdr_by"}


def test_far_tails_with_ties_and_a_missing_value():
    "Worked out once with more digits; no double could hold these p"
    log10_p = np.array([-20000, -418.064, -418.064, -5, -0.3, np.nan, -100000])
    found = correct(log10_p)
    twice = -417.887909
    bh = [-19999.5229, twice, twice, -4.92081875, -0.3, np.nan, -99999.2218]
    holm = [-19999.3010, -417.461940, -417.461940, -4.69897, -0.3, np.nan, -99999.2218]
    by = [-19999.1337, -417.498743, -417.498743, -4.53165267, 0, np.nan, -99998.8327]
    bonferroni = np.minimum(log10_p + np.log10(6), 0)
    # The figures are given to nine digits.
    for name, expected in {"bh": bh, "holm": holm, "by": by, "bonferroni": bonferroni}.items():
        np.testing.assert_allclose(getattr(found, name), expected, rtol=5e-9, err_msg=name)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(1e-12, 1) | st.sampled_from([0.01, 0.2]), min_size=1, max_size=60))
def test_ordinary_p_values_agree_with_statsmodels(p):
    found = correct(np.log10(p))
    for name, method in METHODS.items():
        expected = multipletests(p, method=method)[1]
        np.testing.assert_allclose(10 ** getattr(found, name), expected, rtol=1e-13, err_msg=name)


def test_many_families_are_corrected_as_each_alone():
    rng = np.random.default_rng(5)
    families = np.log10(rng.random((3, 4, 50))) * rng.integers(1, 50, (3, 4, 1))
    families[rng.random(families.shape) < 0.2] = np.nan
    families[0, 0] = np.nan
    together = correct(families)
    for i in np.ndindex(3, 4):
        alone = correct(families[i])
        for name in METHODS:
            np.testing.assert_array_equal(getattr(together, name)[i], getattr(alone, name))


def test_missing_values_are_held_out_and_not_counted():
    log10_p = np.array([-3.0, -1.0, -0.5])
    with_gaps = np.array([np.nan, -3.0, np.nan, -1.0, -0.5, np.nan])
    for name in METHODS:
        found = getattr(correct(with_gaps), name)
        assert np.isnan(found[[0, 2, 5]]).all()
        np.testing.assert_array_equal(found[[1, 3, 4]], getattr(correct(log10_p), name))


@given(st.lists(st.floats(-30, 0), min_size=2, max_size=20), st.data())
def test_a_larger_p_never_makes_a_correction_smaller(log10_p, data):
    "So corrected bounds are bounds of what is corrected"
    given_p = np.array(log10_p)
    raised = given_p.copy()
    where = data.draw(st.integers(0, len(raised) - 1))
    raised[where] = data.draw(st.floats(raised[where], 0))
    for name in METHODS:
        assert (getattr(correct(raised), name) >= getattr(correct(given_p), name) - 1e-12).all()


def test_nothing_to_correct():
    assert correct(np.zeros((3, 0))).bh.shape == (3, 0)
    assert np.isnan(correct(np.array([np.nan])).holm).all()
    assert correct(np.array([-2.0])).by.tolist() == [-2.0]


@pytest.mark.parametrize("wrong", [0.05, -np.inf])
def test_p_that_are_no_logarithms_are_refused(wrong):
    with pytest.raises(ValueError, match=r"expected log10 p <= 0$"):
        correct(np.array([-1.0, wrong]))
