"""Drift: two sets of boxes held against each other."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from biaskit.bias.drift import DRIFT_FLAGS, drift
from biaskit.bias.objects import boxes_from_pixels
from biaskit.bias.planted import planted
from biaskit.bias.two_samples import chi2_distances, deal_out, ks_and_cvm_distances, p_value, pool
from biaskit.tables import BOXES, DRIFT


def at(left, category="thing"):
    edges = [[x, 10, x + 10, 30] for x in left]
    return boxes_from_pixels(edges, frame=(200, 100), category=category)


def one(table, measure, test):
    rows = table[(table["measure"] == measure) & (table["test"] == test)]
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.fixture(scope="module")
def pair():
    return planted("free", n_images=60, seed=1), planted("horizon", n_images=45, seed=2)


def centres_y(boxes):
    return ((boxes["y_min"] + boxes["y_max"]) / 2).to_numpy()


def test_two_sets_apart():
    "Of the 20 ways to deal out six images, one is like the observed one and one its mirror"
    table = drift(at([0, 1, 2]), at([90, 91, 92]), seed=1, n_permutations=4999)
    row = one(table, "position_x", "ks")
    assert (row.statistic, row.n_images_a, row.n_images_b) == (1, 3, 3)
    assert row.difference == pytest.approx(-90 / 200)
    # Four standard errors of a share of .1 among 4,999 are .017.
    assert abs(10**row.log10_p - 0.1) < 0.017
    assert row["p_kind"] == "monte_carlo"


def test_statistics_agree_with_scipy():
    pair = [planted("uniform areas", n_images=n, seed=n) for n in (60, 45)]  # without ties
    table = drift(*pair, seed=1, n_permutations=9)
    a, b = map(centres_y, pair)
    ks, cvm, chi2 = (one(table, "position_y", test).statistic for test in ("ks", "cvm", "chi2"))
    assert ks == pytest.approx(stats.ks_2samp(a, b).statistic)
    assert cvm == pytest.approx(stats.cramervonmises_2samp(a, b, method="asymptotic").statistic)
    counts = np.array([np.histogram(v, np.linspace(0, 1, 11))[0] for v in (a, b)])
    used = counts[:, counts.sum(axis=0) > 0]
    assert chi2 == pytest.approx(stats.chi2_contingency(used, correction=False).statistic, rel=1e-6)


def test_a_planted_change_is_found_and_its_size_told(pair):
    table = drift(*pair, seed=1)
    row = one(table, "position_y", "ks")
    a, b = map(centres_y, pair)
    assert row.difference == pytest.approx(a.mean() - b.mean())
    welch = stats.ttest_ind(a, b, equal_var=False).confidence_interval()
    assert (row.low, row.high) == (
        pytest.approx(welch.low, abs=0.015),
        pytest.approx(welch.high, abs=0.015),
    )


def test_sets_exchanged_give_the_opposite(pair):
    here, there = drift(*pair, seed=1), drift(*pair[::-1], seed=1)
    assert there["statistic"].to_numpy() == pytest.approx(here["statistic"].to_numpy())
    differences = [t["difference"].dropna().to_numpy() for t in (here, there)]
    assert differences[0] == pytest.approx(-differences[1])


def test_a_set_against_itself_is_no_drift(pair):
    table = drift(pair[0], pair[0], seed=1, n_permutations=99)
    assert (table["statistic"].abs() < 1e-12).all()
    assert (table["log10_p"] == 0).all()
    assert (table["difference"].dropna() == 0).all()


def test_equal_values_are_one_step():
    "Ties across the sets: F and G step together"
    pooled = pool(np.array([1.0, 1, 2, 1, 1, 2]), np.arange(6), 6)
    ks, cvm = ks_and_cvm_distances(pooled, np.arange(6)[None] < 3)
    assert (ks[0], cvm[0]) == (pytest.approx(0), pytest.approx(0))


def test_an_image_weighs_one_however_many_objects_it_has():
    "Image 0 has its three objects at 0, image 1 its one at 1; so have 2 and 3, one each"
    value, image = np.array([0.0, 0, 0, 1, 0, 1]), np.array([0, 0, 0, 1, 2, 3])
    ks, _ = ks_and_cvm_distances(pool(value, image, 4), np.array([[True, True, False, False]]))
    assert ks[0] == pytest.approx(0)
    cells = np.array([[0.5, 0.5], [1, 0], [0.5, 0.5], [1, 0]])
    assert chi2_distances(cells, np.arange(4)[None] < 2)[0] == pytest.approx(0)


def test_dealing_keeps_the_sizes_of_the_sets(rng):
    dealt = np.concatenate(list(deal_out(7, 30, n_permutations=400, rng=rng)))
    assert dealt.shape == (401, 30)
    assert (dealt.sum(axis=1) == 7).all()
    assert dealt[0].tolist() == [True] * 7 + [False] * 23
    # Four standard errors of a share of 7/30 among 400 are .085.
    assert np.abs(dealt[1:].mean(axis=0) - 7 / 30).max() < 0.085


def test_p_counts_the_data_among_the_draws():
    log10_p, alone = p_value(np.array([2.0, 1, 1, 1]))
    assert (10**log10_p, alone) == (pytest.approx(0.25), True)
    assert p_value(np.array([1.0, 1 + 1e-13, 0.5, 1])) == (pytest.approx(math.log10(0.75)), False)


RUNS = 300


@pytest.mark.parametrize("law", ["free", "near-copies"])
def test_p_values_are_honest_when_nothing_changed(law):
    "Near-copies in one image are dealt out together"
    sets = [planted(law, n_images=12, n_categories=RUNS, seed=seed) for seed in (1, 2)]
    table = drift(*sets, seed=1, n_permutations=99, n_resamples=1)
    rejected = (10 ** table["log10_p"] <= 0.1 + 1e-9).groupby([table["measure"], table["test"]])
    # Four standard errors of a share of .1 among 300 are .069.
    assert (rejected.mean() < 0.1 + 0.069).all()
    assert (rejected.mean()[["height", "position_y"]] > 0.1 - 0.069).all()


def test_intervals_of_differences_hold_the_truth():
    sets = [planted("free", n_images=n, n_categories=RUNS, seed=n) for n in (25, 40)]
    table = drift(*sets, seed=1, n_permutations=1, n_resamples=400)
    table = table[table["test"] == "ks"]
    held = ((table["low"] <= 0) & (table["high"] >= 0)).groupby(table["measure"]).mean()
    # Four standard errors of a share of .95 among 300 are .05.
    assert (held > 0.9).all()


def test_categories_of_one_set_are_there_and_flagged():
    mine = pd.concat([at([1, 2, 3], "both"), at([1, 2], "mine")])
    theirs = pd.concat([at([5, 6], "both"), at([7], "theirs")])
    table = drift(mine, theirs, seed=1, n_permutations=9)
    flags = table.groupby("category")["flags"].unique().map(list).to_dict()
    assert flags["mine"] == ["only-first"]
    assert flags["theirs"] == ["only-second"]
    alone = table[table["category"] != "both"]
    assert alone[["statistic", "log10_p", "difference", "log10_bh"]].isna().all(axis=None)
    assert one(table[table["category"] == "theirs"], "height", "ks").n_images_b == 1
    words = {word for text in table["flags"] for word in text.split()}
    assert words <= set(DRIFT_FLAGS)


def test_a_single_image_has_a_difference_but_no_p():
    table = drift(at([1]), at([2, 3]), seed=1)
    assert (table["flags"] == "untested").all()
    row = one(table, "position_x", "cvm")
    assert row.difference == pytest.approx(-1.5 / 200)
    assert np.isnan([row.log10_p, row.low, row.statistic]).all()


def test_the_floor_is_flagged():
    table = drift(at(range(0, 40)), at(range(100, 140)), seed=1, n_permutations=99)
    row = one(table, "position_x", "ks")
    assert (row.log10_p, row["flags"]) == (pytest.approx(-2), "floor")


def test_splits_of_one_set_are_taken_together():
    "Two images of one name in two splits are two images"
    halves = pd.concat([at([1, 2]).assign(split="train"), at([3, 4]).assign(split="val")])
    table = drift(halves, at([1, 2, 3, 4]), seed=1, n_permutations=9)
    row = one(table, "position_x", "ks")
    assert (row.n_images_a, row.statistic) == (4, pytest.approx(0))


def test_the_order_of_rows_and_other_categories_change_no_byte():
    sets = [planted("near-copies", n_images=9, n_categories=3, seed=s) for s in (1, 2)]
    table = DRIFT.to_arrow(drift(*sets, seed=1, n_permutations=50))
    shuffled = [s.sample(frac=1, random_state=1, ignore_index=True) for s in sets]
    assert DRIFT.to_arrow(drift(*shuffled, seed=1, n_permutations=50)).equals(table)
    some = [s[s["category"] == "c00001"] for s in sets]
    alone = drift(*some, seed=1, n_permutations=50)
    within = table.to_pandas().query("category == 'c00001'").reset_index(drop=True)
    names = ["statistic", "log10_p", "low", "high"]
    pd.testing.assert_frame_equal(alone[names], within[names], check_exact=True)


def test_empty_sets_and_wrong_calls():
    assert drift(BOXES.empty(), BOXES.empty(), seed=1).equals(DRIFT.empty())
    assert (drift(at([1]), BOXES.empty(), seed=1)["flags"] == "only-first").all()
    with pytest.raises(ValueError, match=r"^n_permutations is 0, expected at least 1$"):
        drift(at([1]), at([2]), seed=1, n_permutations=0)


@pytest.fixture
def rng():
    return np.random.default_rng(20180530)
