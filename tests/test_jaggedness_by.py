"""Jaggedness of groups: images are units, subsets are fair, intervals are honest."""

import re

import numpy as np
import pandas as pd
import pytest
from jaggedness_tables import frames_of, jagged_rows
from statsmodels.stats.proportion import proportion_confint

from biaskit.errors import TableError
from biaskit.sweeps.groups import summarise
from biaskit.sweeps.intervals import bootstrap_means, wilson
from biaskit.sweeps.jaggedness import jaggedness
from biaskit.sweeps.steps_curve import COLUMNS, first_transitions, steps_curve
from biaskit.tables import FRAMES, JAGGEDNESS, JAGGEDNESS_BY

IN, OUT = ["c0", "c1", "c2", "c3", "c4"], ["c1", "c2", "c3", "c4", "c5"]


@pytest.fixture
def rng():
    return np.random.default_rng(2018)


def row(table, **keys):
    keys = {"category": "", "subset": "all"} | keys
    found = table[np.logical_and.reduce([table[k] == v for k, v in keys.items()])]
    assert len(found) == 1
    return found.iloc[0]


def chance_rows(rng, n=40, networks=("a", "b")):
    parts = [
        jagged_rows(
            [f"{i:03d}" for i in range(n)],
            network=network,
            category=[f"c{i % 3}" for i in range(n)],
            transitions=rng.integers(0, 3, n).astype(float),
            p_top1_change=rng.random(n),
            mean_abs_change=rng.random(n),
            accuracy=rng.random(n),
            accuracy_top5=rng.random(n),
            fidelity=rng.random(n),
            right_first=rng.integers(0, 2, n).astype(float),
            ever_top5=rng.integers(0, 2, n).astype(float),
            worst=rng.integers(0, 2, n).astype(float),
        )
        for network in networks
    ]
    return pd.concat(parts, ignore_index=True)


def test_wilson_agrees_with_statsmodels():
    k, n = np.array([0, 1, 28, 99, 100]), np.full(5, 100)
    low, high = proportion_confint(k, n, method="wilson")
    interval = wilson(k, n)
    np.testing.assert_allclose(interval.low, low, atol=1e-15)
    np.testing.assert_allclose(interval.high, high, atol=1e-15)
    assert np.isnan(wilson(np.array(0), np.array(0)).low)


def test_wilson_refuses_counts_in_the_wrong_order():
    with pytest.raises(ValueError, match=r"^k is outside 0 to n: are the counts in the right"):
        wilson(np.array([5]), np.array([3]))


def test_the_bootstrap_covers_the_mean_as_often_as_it_says(rng):
    "Skewed shares of 40 images, 2,000 groups; four standard errors of .95 are .0195"
    values = rng.beta(1, 3, (2000, 40))
    group = np.repeat(np.arange(2000), 40)
    interval = bootstrap_means(values.ravel(), group, 2000, seed=1, n_resamples=999)
    covered = np.mean((interval.low <= 0.25) & (interval.high >= 0.25))
    assert abs(covered - 0.95) < 0.0195


def test_the_bootstrap_is_as_wide_as_student_where_both_hold(rng):
    values = rng.random(400)
    interval = bootstrap_means(values, np.zeros(400, int), 1, seed=3, n_resamples=4000)
    expected = 2 * 1.966 * values.std(ddof=1) / 20
    # The two ends are quantiles of 4,000: their standard errors are about 3 % of the half width.
    assert interval.high[0] - interval.low[0] == pytest.approx(expected, rel=0.1)


def test_a_group_has_its_interval_in_whatever_company(rng):
    "To the byte: alone, behind a group of another size, with values that are not there"
    values = rng.random(30)
    alone = bootstrap_means(values, np.zeros(30, int), 1, seed=5, n_resamples=200)
    more = np.concatenate([rng.random(7), values, [np.nan]])
    group = np.repeat([0, 1], [7, 31])
    beside = bootstrap_means(more, group, 2, seed=5, n_resamples=200)
    assert (beside.low[1], beside.high[1]) == (alone.low[0], alone.high[0])
    other = bootstrap_means(values, np.zeros(30, int), 1, seed=6, n_resamples=200)
    assert other.low[0] != alone.low[0]


def test_the_bootstrap_refuses_what_is_no_share():
    with pytest.raises(ValueError, match=r"^a value is outside -1 to 1: are these shares"):
        bootstrap_means(np.array([0.5, 3]), np.array([0, 0]), 1, seed=1, n_resamples=9)
    with pytest.raises(ValueError, match=r"^n_resamples is 0, expected at least 1$"):
        bootstrap_means(np.array([0.5]), np.array([0]), 1, seed=1, n_resamples=0)


def test_shares_and_means_by_hand():
    rows = jagged_rows(
        "1234", transitions=[0.0, 1, 0, 3], p_top1_change=[0, 0.5, 0.5, 1], worst=[1.0, 0, 0, 0]
    )
    found = row(summarise(rows, seed=1), category="dog")
    assert (found.n_images, found.n_labelled, found.n_steps) == (4, 4, 32)
    assert (found.jagged, found.worst, found.p_top1_change) == (0.5, 0.25, 0.5)
    assert found.transitions_per_step == pytest.approx(4 / 32 / 4)
    low, high = proportion_confint(2, 4, method="wilson")
    assert (found.jagged_low, found.jagged_high) == (pytest.approx(low), pytest.approx(high))
    assert 0 <= found.p_top1_change_low < 0.5 < found.p_top1_change_high <= 1


def test_several_passes_over_an_image_are_one_image():
    rows = jagged_rows(
        ["1", "1", "2"],
        **{"pass": [0, 1, 0]},
        transitions=[0.0, 2, 0],
        p_top1_change=[0.0, 1, 0],
        worst=[1.0, 0, 1],
    )
    found = row(summarise(rows, seed=1))
    assert (found.n_images, found.n_steps) == (2, 48)
    assert (found.jagged, found.p_top1_change, found.worst) == (0.5, 0.25, 0.5)


def test_subsets_and_categories_hold_the_images_they_name(rng):
    rows = chance_rows(rng)
    table = summarise(rows, seed=1, n_resamples=50)
    a, b = (rows[rows["network"] == name].set_index("image_id") for name in "ab")
    right = (a["right_first"] == 1) & (b["right_first"] == 1)
    for name, one in (("a", a), ("b", b)):
        ever = one[one["ever_top5"] == 1]
        found = row(table, network=name, subset="ever top 5")
        assert (found.n_images, found.jagged) == (len(ever), (ever["transitions"] > 0).mean())
        found = row(table, network=name, subset="all right")
        assert found.n_images == right.sum()
        assert found.accuracy == pytest.approx(one["accuracy"][right].mean())
        of_class = one[one["category"] == "c1"]
        found = row(table, network=name, category="c1")
        assert found.p_top1_change == pytest.approx(of_class["p_top1_change"].mean())
    assert len(table) == 2 * (3 + 3)


def test_an_image_that_one_network_was_not_swept_over_is_not_all_right():
    a, b = (jagged_rows("12", network=name, right_first=1.0) for name in "ab")
    table = summarise(pd.concat([a, b.head(1)]), seed=1)
    assert row(table, network="a", subset="all right")["n_images"] == 1
    # Another fill is another comparison.
    other = summarise(pd.concat([a, b.head(1).assign(fill="black")]), seed=1)
    assert row(other, network="a", subset="all right")["n_images"] == 2


def test_unlabelled_images_count_where_no_truth_is_needed():
    truth = ["transitions", "accuracy", "accuracy_top5", "fidelity", "worst", "mean_abs_change"]
    unknown = jagged_rows("34", category="", p_top1_change=1.0)
    unknown[[*truth, "ever_top5", "right_first"]] = np.nan
    table = summarise(pd.concat([jagged_rows("12", accuracy=1.0), unknown]), seed=1)
    found = row(table)
    assert (found.n_images, found.n_labelled) == (4, 2)
    assert (found.p_top1_change, found.accuracy) == (0.5, 1)
    assert sorted(table["category"].unique()) == ["", "dog"]
    alone = row(summarise(unknown, seed=1))
    assert alone.n_labelled == 0
    assert np.isnan([alone.jagged, alone.jagged_low, alone.accuracy, alone.accuracy_low]).all()


def test_one_image_has_no_bootstrap_interval():
    found = row(summarise(jagged_rows("1", p_top1_change=0.25), seed=1))
    assert found.p_top1_change == 0.25
    assert np.isnan([found.p_top1_change_low, found.p_top1_change_high]).all()


def test_training_images_are_never_hidden_in_a_group():
    def word(*seen):
        rows = jagged_rows([str(i) for i in range(len(seen))], seen=list(seen))
        return row(summarise(rows, seed=1))["seen"]

    assert word("held out", "held out") == "held out"
    assert word("held out", "unknown") == "unknown"
    assert word("held out", "training", "unknown") == "training"
    passes = jagged_rows("11", **{"pass": [0, 1]}, seen=["held out", "training"])
    assert row(summarise(passes, seed=1))["seen"] == "training"


def test_order_of_rows_and_other_lags_change_no_byte(rng):
    rows = chance_rows(rng)
    more = pd.concat([rows, rows.assign(lag=2, p_top1_change=1.0)]).sample(frac=1, random_state=1)
    options = {"seed": 4, "n_resamples": 100}
    pd.testing.assert_frame_equal(
        summarise(more, **options), summarise(rows, **options), check_exact=True
    )


def test_without_rows_there_are_no_groups():
    pd.testing.assert_frame_equal(summarise(JAGGEDNESS.empty(), seed=1), JAGGEDNESS_BY.empty())


def test_a_missing_column_is_refused_by_name(rng):
    message = (
        "jaggedness: column 'right_first' is missing. A table 'jaggedness' has the columns "
        f"{', '.join(JAGGEDNESS.columns)}."
    )
    with pytest.raises(TableError, match=f"^{re.escape(message)}$"):
        summarise(chance_rows(rng).drop(columns="right_first"), seed=1)


def curve(frames, subset="all"):
    table = steps_curve(first_transitions(frames, n_classes=9))
    assert list(table.columns) == COLUMNS
    return table[table["subset"] == subset].reset_index(drop=True)


def test_the_curve_counts_images_from_their_first_transition():
    frames = pd.concat(
        [
            frames_of([IN, IN, IN, OUT], image="1"),
            frames_of([OUT, IN, OUT, IN], image="2"),
            frames_of([IN] * 4, image="3"),
            frames_of([OUT] * 4, image="4"),
        ]
    )
    found = curve(frames)
    assert found["steps"].tolist() == [1, 2, 3]
    assert found["share"].tolist() == [0.25, 0.25, 0.5]
    low, high = proportion_confint([1, 1, 2], 4, method="wilson")
    np.testing.assert_allclose(found[["low", "high"]].T, [low, high])
    ever = curve(frames, "ever top 5")
    assert ever["n_images"].tolist() == [3, 3, 3]
    assert ever["share"].tolist() == pytest.approx([1 / 3, 1 / 3, 2 / 3])


def test_the_curve_counts_an_image_no_longer_than_it_was_swept():
    frames = pd.concat([frames_of([IN, OUT], image="1"), frames_of([IN, IN, IN], image="2")])
    found = curve(frames)
    assert found["n_images"].tolist() == [2, 1]
    assert found["share"].tolist() == [0.5, 0]


def test_the_curve_counts_an_image_up_to_its_shortest_pass():
    frames = pd.concat(
        [
            frames_of([IN, IN], image="1"),
            frames_of([IN, IN, OUT], image="1", **{"pass": 1}),
            frames_of([IN, IN, IN], image="2"),
        ]
    )
    found = curve(frames)
    assert (found["n_images"].tolist(), found["share"].tolist()) == ([2, 1], [0, 0])


def test_the_curve_has_passes_of_an_image_as_one_and_leaves_unknown_classes_out():
    frames = pd.concat(
        [
            frames_of([IN, IN, OUT], image="1"),
            frames_of([IN, OUT, OUT], image="1", **{"pass": 1}),
            frames_of([IN, OUT, IN], image="2", category="", p_true=[np.nan] * 3),
        ]
    )
    found = curve(frames)
    assert (found["n_images"].tolist(), found["share"].tolist()) == ([1, 1], [1, 1])


def test_the_end_of_the_curve_is_the_share_of_jagged_images(rng):
    frames = pd.concat(
        [
            frames_of([IN if x else OUT for x in rng.random(9) < 0.9], image=str(i))
            for i in range(30)
        ]
    )
    found = row(summarise(jaggedness(frames, n_classes=9), seed=1, n_resamples=9))
    last = curve(frames).iloc[-1]
    assert (last.share, last.low, last.high) == (found.jagged, found.jagged_low, found.jagged_high)


def test_there_is_no_curve_without_a_top_5_or_without_frames():
    two = frames_of([["c0", "c1"], ["c1", "c0"]])
    assert len(steps_curve(first_transitions(two, n_classes=2))) == 0
    assert len(steps_curve(first_transitions(FRAMES.empty(), n_classes=9))) == 0
