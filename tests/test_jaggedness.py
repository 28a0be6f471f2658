"""Jaggedness of sequences: known answers, and agreement with loops over frames."""

import re
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from jaggedness_tables import chance_frames, frames_of, slow_distance, slow_rows

from biaskit.errors import TableError
from biaskit.sweeps.jaggedness import jaggedness
from biaskit.sweeps.sequences import SEQUENCE
from biaskit.sweeps.top5 import class_lists, top5_distance
from biaskit.tables import FRAMES, JAGGEDNESS

FIRST, OTHER = ["c0", "c1", "c2", "c3", "c4"], ["c1", "c0", "c2", "c3", "c4"]
GONE = ["c1", "c2", "c3", "c4", "c5"]
NAME = (
    "frames: network toy, variant plain, protocol embed, direction vertical, fill mean, "
    "image_id 1, object -1, pass 0"
)


@pytest.fixture
def rng():
    return np.random.default_rng(1805)


def measured(frames, **options):
    return jaggedness(frames, n_classes=9, **options)


def refused(frames, message, n_classes=9, **options):
    with pytest.raises(TableError, match=f"^{re.escape(message)}$"):
        jaggedness(frames, n_classes=n_classes, **options)


def test_every_measure_agrees_with_loops_over_frames(rng):
    "Integer measures to the last bit; means of floats up to the order of their sum"
    frames = chance_frames(rng, [2, 7, 7, 12, 1, 33, 2, 7, 3, 33])
    table = measured(frames)
    expected = []
    for keys, part in frames.groupby(list(SEQUENCE), sort=True):
        expected += [dict(zip(SEQUENCE, keys, strict=True)) | row for row in slow_rows(part)]
    expected = pd.DataFrame(expected)
    summed = {"mean_abs_change", "mean_abs_change_first", "margin_at_change"}
    for name in expected.columns:
        ours, theirs = table[name], expected[name]
        if name in summed:
            # At most 32 numbers of order 1 are added: the sums differ by some 1e-15.
            np.testing.assert_allclose(ours, theirs, rtol=1e-13)
        elif ours.dtype.kind in "if":
            np.testing.assert_array_equal(ours, theirs.astype(float))
        else:
            assert ours.tolist() == theirs.tolist()
    assert set(expected.columns) | {"category", "seen"} == set(JAGGEDNESS.columns)
    assert table["margin_at_change"].notna().any()


def test_a_constant_answer_is_not_jagged():
    table = measured(frames_of([FIRST] * 5))
    still = ["transitions", "p_top1_change", "mean_abs_change", "top5_distance"]
    assert (table[still] == 0).all(axis=None)
    assert (table[["consistency", "fidelity", "accuracy", "worst", "right_first"]] == 1).all(
        axis=None
    )
    assert table["margin_at_change"].isna().all()
    assert table["n_steps"].tolist() == [4, 3, 2, 1]


def test_an_answer_by_parity_changes_at_odd_lags_only():
    table = measured(frames_of([FIRST, OTHER] * 4))
    odd = table["lag"] % 2 == 1
    assert (table["p_top1_change"] == odd).all()
    assert (table["consistency"] == ~odd).all()
    assert (table["transitions"] == 0).all()
    assert (table["top5_distance"] == np.where(odd, 2, 0)).all()


def test_transitions_count_both_ways():
    table = measured(frames_of([FIRST, GONE, GONE, OTHER, GONE]))
    assert table["transitions"].tolist() == [3, 2, 0, 1]
    assert (table["ever_top5"] == 1).all()
    assert (table["accuracy_top5"] == 0.4).all()
    assert (table["worst"] == 0).all()


def test_the_margin_at_a_change_is_the_smaller_one():
    frames = frames_of([FIRST, OTHER, OTHER], margin=[0.3, -0.1, -5.0])
    assert measured(frames)["margin_at_change"].tolist() == [0.1, 0.3]


def test_unlabelled_images_keep_what_needs_no_truth():
    table = measured(frames_of([FIRST, OTHER], category="", p_true=[np.nan] * 2))
    row = table.iloc[0]
    assert (row.p_top1_change, row.consistency, row.top5_distance) == (1, 0, 2)
    unknown = ["transitions", "accuracy", "fidelity", "worst", "ever_top5", "right_first"]
    assert row[unknown].isna().all()


def test_few_classes_leave_top_1_only():
    few = frames_of([["c0", "c1"], ["c1", "c0"]])
    row = jaggedness(few, n_classes=2).iloc[0]
    assert (row.p_top1_change, row.accuracy, row.fidelity) == (1, 0.5, 0)
    assert row[["transitions", "ever_top5", "accuracy_top5", "top5_distance"]].isna().all()


def test_one_frame_gives_no_row_and_none_gives_an_empty_table():
    assert len(measured(frames_of([FIRST]))) == 0
    assert len(measured(FRAMES.empty())) == 0
    both = pd.concat([frames_of([FIRST]), frames_of([FIRST, OTHER], image="2")])
    assert measured(both)["image_id"].tolist() == ["2"]


def test_order_of_rows_and_number_of_calls_change_no_byte(rng):
    frames = chance_frames(rng, [33, 33, 5, 9, 33])
    table = measured(frames)
    pd.testing.assert_frame_equal(measured(frames.sample(frac=1, random_state=1)), table)
    parts = [measured(part) for _, part in frames.groupby(["image_id", "pass"])]
    joined = JAGGEDNESS.sort(pd.concat(parts))
    pd.testing.assert_frame_equal(joined, table, check_exact=True)


def test_words_kept_as_categoricals_change_no_byte(rng):
    "Their order of categories is that of appearance, not of the alphabet"
    frames = chance_frames(rng, [9, 9, 5, 4]).iloc[::-1]
    words = frames.select_dtypes(["object", "str"]).columns
    packed = frames.assign(
        **{k: pd.Categorical(frames[k], categories=frames[k].unique()) for k in words}
    )
    pd.testing.assert_frame_equal(measured(packed), measured(frames), check_exact=True)


def test_many_sequences_are_cut_into_blocks_without_a_trace(rng):
    "600 sequences of 33 frames are more than one block"
    part = chance_frames(rng, [33])
    many = pd.concat([part.assign(image_id=f"{i:03d}") for i in range(600)])
    table, one = measured(many), measured(part)
    assert len(table) == 600 * 32
    for name in ("p_top1_change", "mean_abs_change", "top5_distance"):
        assert (table[name].to_numpy().reshape(600, 32) == one[name].to_numpy()).all()


def test_seen_is_told_by_image():
    both = pd.concat([frames_of([FIRST, OTHER], image=name) for name in "123"])
    seen = measured(both, seen={"1": "training", "2": "held out"})["seen"]
    assert seen.tolist() == ["training", "held out", "unknown"]
    message = "jaggedness: row 0, seen is 'yes', expected one of training, held out, unknown."
    refused(both, message, seen="yes")


def test_distance_of_lists_by_hand():
    def apart(first, second):
        return int(top5_distance(*class_lists(pd.Series([first, second])).T))

    assert apart("a|b|c|d|e", "a|b|c|d|e") == 0
    assert apart("a|b|c|d|e", "e|d|c|b|a") == 4 + 2 + 0 + 2 + 4
    assert apart("a|b|c|d|e", "f|g|h|i|j") == 5 + 4 + 3 + 2 + 1
    # The first class falls out and all move up; on the way back only the new one comes last.
    assert apart("a|b|c|d|e", "b|c|d|e|f") == 5 + 1 + 1 + 1 + 1
    assert apart("b|c|d|e|f", "a|b|c|d|e") == 1 + 1 + 1 + 1 + 1


def test_distance_agrees_with_the_printed_double_sum(rng):
    lists = [list(rng.permutation(8)[:5]) for _ in range(200)]
    fast = top5_distance(np.array(lists[1:]).T, np.array(lists[:-1]).T)
    assert fast.tolist() == [slow_distance(a, b) for a, b in zip(lists[1:], lists, strict=False)]


def test_no_two_lists_are_farther_apart_than_the_schema_allows():
    "More than lists without a common class: three drop out, the last becomes the first"
    first = np.array([0, 1, 2, 3, 4])
    second = np.array(list(permutations(range(10), 5))).T
    farthest = int(top5_distance(first[:, None], second).max())
    assert farthest == 5 + 4 + 3 + 2 + 4 == JAGGEDNESS.columns["top5_distance"].high


def test_a_missing_step_is_refused_by_name():
    frames = frames_of([FIRST] * 4)
    help_ = "expected every step from 0. If the sweep was cut short, run it again: it continues."
    refused(frames[frames["step"] != 2], f"{NAME}: step 2 is missing and step 3 is there, {help_}")
    refused(frames[frames["step"] > 0], f"{NAME}: step 0 is missing and step 1 is there, {help_}")


def test_a_step_that_stands_there_twice_is_refused():
    frames = frames_of([FIRST] * 3)
    twice = pd.concat([frames, frames.tail(1)])
    refused(twice, f"{NAME}: step 2 stands there twice, expected every step once.")


def test_a_true_class_that_changes_is_refused():
    frames = frames_of([FIRST] * 3)
    refused(
        frames.assign(category=["c0", "c1", "c0"]),
        f"{NAME}: the category is 'c0' and 'c1', expected one true class for the whole sequence.",
    )
    refused(
        frames.assign(rank_true=[1, 0, 1]),
        f"{NAME}: rank_true is 0 in some steps and not in others, expected a true class in every "
        "step or in none.",
    )


def test_a_short_list_and_a_missing_column_are_refused():
    frames = frames_of([FIRST, FIRST[:4]])
    refused(
        frames,
        "frames: row 1, top5 names 4 classes, expected 5 with | between them, as the network "
        "tells more than 5 classes apart.",
    )
    refused(
        frames.drop(columns="margin"),
        "frames: column 'margin' is missing. A table 'frames' has the columns "
        f"{', '.join(FRAMES.columns)}.",
    )
