"""Mirror symmetry and coupling: exact tests, honest ones, and agreement with scipy."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from biaskit.bias.coupling import log10_spearman
from biaskit.bias.nulls import variable
from biaskit.bias.objects import arrange, boxes_from_pixels
from biaskit.bias.planted import planted
from biaskit.bias.symmetry import symmetry
from biaskit.tables import BOXES, SYMMETRY


def one(boxes, test, *, policy="one", edges="with"):
    table = symmetry(boxes, seed=1, policies=[policy], edges=[edges])
    rows = table[table["test"] == test]
    assert len(rows) == 1
    return rows.iloc[0]


def at(left, top=40, size=20, lattice=1):
    edges = [[x, top, x + size, top + size] for x in left]
    return boxes_from_pixels(edges, frame=(100, 100), lattice=lattice)


def mirrored(boxes):
    return boxes.assign(x_min=1 - boxes["x_max"], x_max=1 - boxes["x_min"])


@pytest.fixture(scope="module")
def right():
    return planted("right", n_images=60, seed=1)


def test_seven_of_seven_on_one_side():
    row = one(at([70] * 7), "mirror_sign")
    assert (row.statistic, row.effect) == (7, 0.5)
    assert row.log10_p == pytest.approx(math.log10(2 / 2**7))
    assert one(at([70] * 7), "mirror_mean").log10_p == pytest.approx(math.log10(2 / 2**7))


def test_four_hundred_of_four_hundred_is_no_zero():
    row = one(at([75] * 400), "mirror_sign")
    assert row.log10_p == pytest.approx(math.log10(2) - 400 * math.log10(2))
    assert row.p_kind == "exact"


def test_the_sign_test_agrees_with_scipy(right):
    u = variable(arrange(right), "position_x", "fit", "with", seed=1).u
    k, n = int((u > 0.5).sum()), int((~np.isnan(u)).sum())
    theirs = stats.binomtest(k, n)
    row = one(right, "mirror_sign")
    assert 10**row.log10_p == pytest.approx(theirs.pvalue)
    interval = theirs.proportion_ci(method="exact")
    assert (row.low + 0.5, row.high + 0.5) == (
        pytest.approx(interval.low),
        pytest.approx(interval.high),
    )


def test_the_mean_test_is_a_normal_one_and_its_interval_students(right):
    x = variable(arrange(right), "position_x", "fit", "with", seed=1).u
    x = x[~np.isnan(x)] - 0.5
    row = one(right, "mirror_mean")
    assert row.statistic == pytest.approx(x.sum() / np.sqrt((x**2).sum()))
    assert 10**row.log10_p == pytest.approx(2 * stats.norm.sf(abs(row.statistic)))
    interval = stats.ttest_1samp(x, 0).confidence_interval()
    assert (row.low, row.high) == (pytest.approx(interval.low), pytest.approx(interval.high))


def test_flipping_all_images_turns_the_effects_round():
    "Continuous numbers have no U to redraw"
    boxes = at([3, 8, 20, 33.5, 47, 60, 71, 12, 9, 2, 1, 5, 77], lattice=0)
    for test in ("mirror_sign", "mirror_mean"):
        here, there = one(boxes, test), one(mirrored(boxes), test)
        assert here.effect == pytest.approx(-there.effect)
        assert here.low == pytest.approx(-there.high)
        assert here.log10_p == pytest.approx(there.log10_p)
    assert one(boxes, "mirror_mean").effect < 0


def test_an_object_in_the_very_middle_counts_on_no_side():
    row = one(at([40, 40, 70], lattice=0), "mirror_sign")
    assert (row.statistic, row.effect, row.log10_p) == (1, 0.5, 0)


def test_all_flips_of_few_images_are_tried():
    "Sums 3, 1, 1: of 8 flips two reach 5 in size"
    boxes = at([40 + 24, 40 + 8, 40 + 8], lattice=0)
    row = one(boxes, "mirror_mean")
    assert (row.p_kind, row.log10_p) == ("exact", pytest.approx(math.log10(2 / 8)))


def test_a_mean_in_the_very_middle_is_no_evidence():
    "Every flip is at least as far from it, the observed one included"
    row = one(at([32, 48], lattice=0), "mirror_mean")
    assert (row.effect, row.log10_p) == (pytest.approx(0), pytest.approx(0))


def test_deep_in_the_tail_the_mean_test_gives_a_bound():
    row = one(at([75] * 400), "mirror_mean")
    normal = (math.log(2) + stats.norm.logsf(abs(row.statistic))) / math.log(10)
    assert row.log10_p == pytest.approx(normal + math.log10(2 * math.e**3 / 9))
    assert (row["p_kind"], row["flags"]) == ("bound", "bound")
    # And it is one: all 400 on one side have 2^-399.
    assert row.log10_p > (1 - 400) * math.log10(2)


def test_coupling_agrees_with_spearman():
    boxes = planted("coupled", n_images=70, seed=2)
    objects = arrange(boxes)
    u, v = (variable(objects, f"position_{a}", "fit", "with", seed=1).u for a in "xy")
    distance = np.maximum(abs(u - 0.5), abs(v - 0.5))
    area = objects.x.size * objects.y.size / (objects.x.frame * objects.y.frame)
    used = ~np.isnan(distance)
    theirs = stats.spearmanr(area[used], distance[used])
    row = one(boxes, "coupling")
    # Two boxes of one area are ranked by lot, not alike.
    assert row.effect == pytest.approx(theirs.statistic, abs=2e-3)
    assert row.effect < 0  # larger ones are more central
    assert row.log10_p == pytest.approx(math.log10(theirs.pvalue), abs=0.03)
    assert row.low < row.effect < row.high


def test_the_law_of_few_ranks_is_counted():
    "Of 720 orders of six, 2 x 6 have a correlation of at least 1 - 6 x 2 / 210 = .943"
    found = log10_spearman(np.array([1 - 12 / 210]), np.array([6]), exact=np.array([True]))
    assert 10 ** found[0] == pytest.approx(12 / 720)


def test_perfect_order_of_many_is_as_rare_as_it_can_be():
    n = np.array([9, 200, 5000])
    found = log10_spearman(np.ones(3), n, exact=np.ones(3, bool))
    expected = [math.log10(2) - math.lgamma(k + 1) / math.log(10) for k in n]
    assert found == pytest.approx(expected)


def test_the_t_law_continues_below_what_doubles_hold():
    "At 1e-290 the two formulas meet; beyond, log p goes on falling evenly"
    rho = np.sqrt(1 - np.exp(-np.linspace(0.5, 3, 26)))
    found = log10_spearman(rho, np.full(26, 1200), exact=np.zeros(26, bool))
    slope = np.diff(found)
    assert found[-1] < -700
    assert np.all(slope < 0)
    assert np.abs(np.diff(slope)).max() < 0.5
    near = log10_spearman(np.array([0.6]), np.array([40]), exact=np.zeros(1, bool))[0]
    t = 0.6 * np.sqrt(38 / (1 - 0.36))
    assert 10**near == pytest.approx(2 * stats.t.sf(t, 38))


RUNS = 500  # four standard errors of a share of .05 among them are .039


@pytest.mark.parametrize("n", [20, 50])
def test_tests_are_honest_when_there_is_no_preference(n):
    boxes = planted("free", n_images=n, n_categories=RUNS, seed=3)
    table = symmetry(boxes, seed=1, policies=["one"], edges=["with"])
    rejected = (table["log10_p"] <= math.log10(0.05)).groupby(table["test"]).mean()
    assert (rejected < 0.05 + 0.039).all()
    assert rejected["coupling"] > 0.05 - 0.039


def test_centred_places_and_copies_do_not_upset_the_mirror_tests():
    "Symmetry is not uniformity, and an image is one unit however many objects it has"
    boxes = planted("near-copies", n_images=40, n_categories=RUNS, seed=3)
    table = symmetry(boxes, seed=1, policies=["all"], edges=["with"])
    rejected = (table["log10_p"] <= math.log10(0.05)).groupby(table["test"]).mean()
    assert rejected["mirror_sign"] < 0.05 + 0.039
    assert rejected["mirror_mean"] < 0.05 + 0.039
    # Ranks of copies are no independent ranks, and the table says so.
    assert rejected["coupling"] > 0.15
    assert (table.loc[table["test"] == "coupling", "flags"] == "dependent").all()


def test_intervals_hold_the_truth():
    boxes = planted("centred", n_images=30, n_categories=RUNS, seed=4)
    table = symmetry(boxes, seed=1, policies=["one"], edges=["with"])
    held = ((table["low"] <= 0) & (table["high"] >= 0)).groupby(table["test"]).mean()
    assert (held > 0.95 - 0.039).all()


def test_the_order_of_rows_and_other_categories_change_no_byte():
    boxes = planted("near-copies", n_images=15, n_categories=3, seed=1)
    table = SYMMETRY.to_arrow(symmetry(boxes, seed=1))
    shuffled = boxes.sample(frac=1, random_state=1, ignore_index=True)
    assert SYMMETRY.to_arrow(symmetry(shuffled, seed=1)).equals(table)
    alone = symmetry(boxes[boxes["category"] == "c00001"], seed=1).drop(columns="log10_bh")
    within = table.to_pandas().query("category == 'c00001'").drop(columns="log10_bh")
    within = within.reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, within, check_exact=True, check_dtype=False)


def test_corrections_run_over_the_categories_of_a_split():
    boxes = planted("right", n_images=30, n_categories=4, seed=1)
    few = boxes[boxes["category"] < "c00002"]
    both = pd.concat([boxes.assign(split="a"), few.assign(split="b")])
    table = symmetry(both, seed=1, policies=["one"], edges=["with"])
    for _, family in table.groupby(["split", "test"]):
        theirs = stats.false_discovery_control(10 ** family["log10_p"])
        assert 10 ** family["log10_bh"].to_numpy() == pytest.approx(theirs)


def test_without_data_there_is_no_p():
    full = boxes_from_pixels([[0, 0, 10, 10]] * 3, frame=(10, 10))
    table = symmetry(full, seed=1)
    assert (table["n_images"] == 0).all()
    assert table[["log10_p", "effect", "low", "high", "log10_bh"]].isna().all(axis=None)
    assert (table["flags"].str.startswith("untested")).all()
    single = symmetry(at([10]), seed=1)
    assert single["log10_p"].isna().all()
    assert symmetry(BOXES.empty(), seed=1).equals(SYMMETRY.empty())


def test_an_unknown_policy_is_refused():
    with pytest.raises(ValueError, match=r"^'best' is unknown; known: one, weighted, all, "):
        symmetry(at([10]), seed=1, policies=["best"])
