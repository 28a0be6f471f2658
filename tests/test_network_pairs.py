"""Networks compared in pairs: exact tests, paired intervals, fair subsets."""

import math

import numpy as np
import pandas as pd
import pytest
from jaggedness_tables import jagged_rows
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from biaskit.sweeps.mcnemar import log10_mcnemar
from biaskit.sweeps.pairs_of_networks import compare_networks, confidence_class
from biaskit.tables import JAGGEDNESS, NETWORK_PAIRS


@pytest.fixture
def rng():
    return np.random.default_rng(2019)


def network(name, rng, n=50, **values):
    chance = {
        "transitions": rng.integers(0, 2, n).astype(float),
        "p_top1_change": rng.random(n),
        "right_first": rng.integers(0, 2, n).astype(float),
        "confidence": rng.integers(0, 5, n) / 4,
    }
    return jagged_rows([f"{i:03d}" for i in range(n)], network=name, **(chance | values))


def row(table, subset="all", **keys):
    found = table[
        np.logical_and.reduce(
            [table[k] == v for k, v in keys.items()] + [table["subset"] == subset]
        )
    ]
    assert len(found) == 1
    return found.iloc[0]


@pytest.mark.parametrize(("b", "c"), [(0, 0), (1, 0), (5, 2), (13, 13), (60, 20), (400, 300)])
def test_mcnemar_agrees_with_statsmodels_and_with_twice_the_tail(b, c):
    p = 10 ** log10_mcnemar(b, c)
    # Logarithms of factorials of 700 are about 4,000: 1e-12 of it is their rounding.
    assert p == pytest.approx(mcnemar([[9, b], [c, 9]], exact=True).pvalue, rel=1e-10)
    assert p == pytest.approx(min(1, 2 * stats.binom.cdf(min(b, c), b + c, 0.5)), rel=1e-10)
    assert log10_mcnemar(c, b) == log10_mcnemar(b, c)


def test_mcnemar_never_says_zero():
    assert log10_mcnemar(50_000, 0) == pytest.approx(math.log10(2) * (1 - 50_000))
    with pytest.raises(ValueError, match=r"^counts -1 and 2, expected at least 0$"):
        log10_mcnemar(-1, 2)


def test_a_pair_by_hand():
    a = jagged_rows("1234", network="a", transitions=[1.0, 1, 1, 0], p_top1_change=[0.4, 0.2, 0, 0])
    b = jagged_rows("1234", network="b", transitions=[1.0, 0, 0, 0], p_top1_change=0.1)
    found = row(compare_networks(pd.concat([b, a]), seed=1))
    assert (found.network_a, found.network_b, found.n_images) == ("a", "b", 4)
    assert (found.jagged_a, found.jagged_b, found.only_a, found.only_b) == (0.75, 0.25, 2, 0)
    assert (found.log10_p, found.p_kind) == (pytest.approx(math.log10(0.5)), "exact")
    assert found.difference == pytest.approx(0.05)
    assert found.low < 0.05 < found.high


def test_subsets_hold_the_images_they_name(rng):
    a, b = network("a", rng), network("b", rng)
    table = compare_networks(pd.concat([a, b]), seed=1, n_resamples=50)
    right = (a["right_first"] == 1) & (b["right_first"] == 1)
    # Confidences are quarters here, so that each has a fifth of its own.
    matched = a["confidence"] == b["confidence"]
    for subset, chosen in (("both right", right), ("matched", matched)):
        found = row(table, subset)
        assert found.n_images == chosen.sum() > 3
        assert found.jagged_a == pytest.approx((a["transitions"][chosen] > 0).mean())
        change = (a["p_top1_change"] - b["p_top1_change"])[chosen]
        assert found.difference == pytest.approx(change.mean())
        assert found.only_b == ((a["transitions"] == 0) & (b["transitions"] > 0))[chosen].sum()


def test_matching_takes_away_what_confidence_explains(rng):
    """
    Both networks change their answer by one law of how sure they are, and a is surer: unlike over
    all images, alike among the matched.
    """
    n = 4000
    parts = []
    for name, shares in (("a", [0.1, 0.2, 0.7]), ("b", [0.4, 0.3, 0.3])):
        sure = rng.choice([0.1, 0.5, 0.9], n, p=shares)
        change = np.clip(0.4 - 0.3 * sure + rng.normal(0, 0.05, n), 0, 1)
        parts.append(network(name, rng, n, confidence=sure, p_top1_change=change))
    table = compare_networks(pd.concat(parts), seed=1, n_resamples=200)
    assert row(table, "all")["high"] < -0.05
    # The standard error of the matched difference is about .07 / sqrt(1300) = .002.
    assert abs(row(table, "matched")["difference"]) < 0.008


def test_the_paired_interval_covers_as_often_as_it_says(rng):
    "400 pairs without a difference; four standard errors of .95 are .044"
    n, m = 400, 40
    images, fills = np.tile(np.arange(m), n).astype(str), np.repeat(np.arange(n), m).astype(str)
    parts = [
        jagged_rows(images, network=name, fill=fills, p_top1_change=rng.random(n * m))
        for name in "ab"
    ]
    table = compare_networks(pd.concat(parts), seed=1, n_resamples=400)
    found = table[table["subset"] == "all"]
    assert len(found) == n
    assert abs(np.mean((found["low"] <= 0) & (found["high"] >= 0)) - 0.95) < 0.044


def test_swapping_the_networks_turns_the_sign(rng):
    a, b = network("a", rng), network("b", rng)
    names = {"a": "b", "b": "a"}
    both = pd.concat([a, b])
    swapped = both.assign(network=both["network"].map(names))
    one, other = (compare_networks(x, seed=2, n_resamples=100) for x in (both, swapped))
    np.testing.assert_allclose(one["difference"], -other["difference"])
    np.testing.assert_allclose(one["low"], -other["high"], atol=1e-12)
    assert one["log10_p"].tolist() == other["log10_p"].tolist()
    assert one["only_a"].tolist() == other["only_b"].tolist()


def test_variants_and_sweeps_are_paired_with_their_like_only(rng):
    rows = [network("a", rng), network("a", rng, variant="blurred"), network("b", rng)]
    rows.append(network("c", rng, fill="black"))
    table = compare_networks(pd.concat(rows), seed=1, n_resamples=9)
    assert len(table) == 3 * 3
    first = row(table, network_b="a")
    assert (first.variant_a, first.variant_b) == ("blurred", "plain")


def test_only_images_of_both_networks_count(rng):
    a, b = network("a", rng), network("b", rng).tail(20)
    table = compare_networks(pd.concat([a, b]), seed=1, n_resamples=9)
    assert row(table)["n_images"] == 20
    none = compare_networks(pd.concat([a.head(5), b]), seed=1, n_resamples=9)
    found = row(none)
    assert (found.n_images, found.p_kind) == (0, "")
    assert np.isnan([found.jagged_a, found.log10_p, found.difference, found.low]).all()


def test_unlabelled_images_have_a_difference_but_no_test(rng):
    unknown = dict.fromkeys(["transitions", "right_first"], np.nan)
    table = compare_networks(
        pd.concat([network(name, rng, **unknown) for name in "ab"]), seed=1, n_resamples=99
    )
    found = row(table)
    assert (found.n_images, found.only_a, found.p_kind) == (50, 0, "")
    assert found.low < found.difference < found.high
    assert math.isnan(found.log10_p)
    assert row(table, "both right")["n_images"] == 0


def test_classes_of_confidence_are_fifths():
    confidence = np.array([0, 0.199, 0.2, 0.399, 0.4, 0.6, 0.8, 0.999, 1])
    assert confidence_class(confidence).tolist() == [0, 0, 1, 1, 2, 3, 4, 4, 4]


def test_order_of_rows_changes_no_byte(rng):
    rows = pd.concat([network(name, rng) for name in "abc"])
    one, other = (
        compare_networks(x, seed=7, n_resamples=50)
        for x in (rows, rows.sample(frac=1, random_state=2))
    )
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_one_network_has_no_pair(rng):
    for rows in (network("a", rng), JAGGEDNESS.empty()):
        pd.testing.assert_frame_equal(compare_networks(rows, seed=1), NETWORK_PAIRS.empty())
