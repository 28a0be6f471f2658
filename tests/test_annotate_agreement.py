"""How well annotators agree: known errors are found again, and what is no agreement is said."""

import numpy as np
import pandas as pd
import pytest
from marked_pairs import frame_of, simulated

from annotate.agreeing import agree
from annotate.agreement import SIGMA, agreement, keypoint_similarity
from annotate.mark_pairs import mark_pairs
from annotate.texts import agreement_text
from biaskit.charts.agreement import bland_altman
from biaskit.errors import ExportError
from biaskit.provenance import provenance
from biaskit.study import Study
from biaskit.tables import AGREEMENT, KEYPOINTS, MARK_PAIRS

ERRORS = {"A1": 2.0, "A2": 3.0}
BIAS = {"A2": (1.5, -1.0)}


@pytest.fixture(scope="module")
def keypoints():
    return simulated(400, ERRORS, BIAS, repeats=("A1", "A2"))


def rows_of(table, **choice):
    for column, value in ({"category": ""} | choice).items():
        table = table[table[column] == value]
    return table


def test_bias_and_spread_of_two_annotators_are_found_again(keypoints):
    table = agreement(keypoints)
    for axis, bias in zip("xy", BIAS["A2"], strict=True):
        for point in ("left_eye", "right_eye"):
            (row,) = rows_of(table, kind="between", point=point, quantity=axis).itertuples()
            sd = np.hypot(2, 3)
            assert row.n == 400
            # Four standard errors: of a mean sd / sqrt(n), of a deviation sd / sqrt(2 (n - 1)).
            assert abs(row.mean + bias) < 4 * sd / 20
            assert abs(row.sd - sd) < 4 * sd / np.sqrt(2 * 399)
            assert row.low == pytest.approx(row.mean - 1.96 * row.sd)
            assert row.high == pytest.approx(row.mean + 1.96 * row.sd)
            assert row.mean_low < row.mean < row.mean_high


def test_an_annotator_s_own_error_is_found_from_their_repeats(keypoints):
    table = agreement(keypoints)
    for who, sd in ERRORS.items():
        own = rows_of(table, kind="within", annotator=who, other=who)
        for axis in "xy":
            error = np.sqrt((own[own["quantity"] == axis]["error"] ** 2).mean())
            # Both points together: 800 differences.
            assert abs(error - sd) < 4 * sd / np.sqrt(2 * 799)


def test_the_distance_of_the_pair_has_its_own_limits(keypoints):
    "Its error is that along the line of the points, twice: sqrt(2) times one point's"
    (row,) = rows_of(agreement(keypoints), kind="between", quantity="distance").itertuples()
    assert row.point == "left_eye right_eye"
    sd = np.sqrt(2) * np.hypot(2, 3)
    # The points are 80 px apart, so what is across adds little: less than 13 / 160 px.
    assert abs(row.sd - sd) < 4 * sd / np.sqrt(2 * 399) + 0.1


def test_left_and_right_exchanged_is_counted_and_kept_out_of_every_mean():
    marks = simulated(20, {"A1": 0.5, "A2": 0.5})
    second = (marks["annotator"] == "A2") & (marks["image_id"] == "i3")
    swap = {"left_eye": "right_eye", "right_eye": "left_eye"}
    marks.loc[second, "point"] = marks.loc[second, "point"].map(swap)
    table = agreement(marks)
    (row,) = rows_of(table, kind="between", point="left_eye", quantity="x").itertuples()
    assert (row.n, row.n_swapped) == (19, 1)
    # Had it stayed in, the two points' distance of 80 px would make this 18.
    assert row.sd < 2
    pairs = mark_pairs(marks)
    assert pairs.loc[pairs["swapped"], "image_id"].unique().tolist() == ["i3"]


def test_a_point_that_one_of_both_did_not_mark_is_counted_and_one_absent_to_both_is_not():
    marks = simulated(10, {"A1": 1, "A2": 1})
    gone = (marks["point"] == "left_eye") & (
        ((marks["image_id"] == "i1") & (marks["annotator"] == "A2")) | (marks["image_id"] == "i2")
    )
    marks.loc[gone, ["x", "y"]] = np.nan
    marks.loc[gone, "visibility"] = "absent"
    marks = marks.drop(
        index=marks[(marks["image_id"] == "i3") & (marks["annotator"] == "A2")].index
    )
    (row,) = rows_of(agreement(marks), kind="between", point="left_eye", quantity="x").itertuples()
    assert (row.n, row.n_one) == (7, 1)  # i1 one only, i2 neither, i3 seen by one only


def test_with_three_each_is_held_against_the_mean_of_the_others():
    table = agreement(simulated(300, {"A1": 1, "A2": 1, "A3": 1}, {"A3": (6, 0)}))
    others = rows_of(table, kind="others", point="left_eye", quantity="x").set_index("annotator")
    # A3 is 6 off both; they are off the mean of A3 and each other by half of it.
    assert others["mean"].to_dict() == pytest.approx({"A1": -3, "A2": -3, "A3": 6}, abs=0.3)
    assert others["error"].isna().all()
    assert set(rows_of(table, kind="between")["other"]) == {"A2", "A3"}


def test_similarity_is_coco_s_formula():
    "Worked by hand: d = 5 px, area 100 x 100 px: exp(-25 / (2 * 10000 * 0.05 ** 2)) = exp(-0.5)"
    assert SIGMA == 0.025
    found = keypoint_similarity(np.array([0, 5, 1e9]), np.full(3, 1e4))
    assert found == pytest.approx([1, np.exp(-0.5), 0])
    assert keypoint_similarity(np.array([0.0]), np.array([0.0])) == pytest.approx([1])
    one = agreement(simulated(1, {"A1": 0, "A2": 0}, {"A2": (3, 4)}))
    row = rows_of(one, kind="between", point="left_eye", quantity="oks_image")
    assert row["mean"].item() == pytest.approx(np.exp(-25 / (2 * 500 * 400 * 0.05**2)))
    row = rows_of(one, kind="between", point="left_eye", quantity="oks_span")
    assert row["mean"].item() == pytest.approx(np.exp(-25 / (2 * 80**2 * 0.05**2)))


def test_the_size_of_the_image_is_that_on_the_screen_and_one_image_has_no_spread():
    table = agreement(simulated(1, {"A1": 0, "A2": 0}, {"A2": (3, 4)}))
    (row,) = rows_of(table, kind="between", point="left_eye", quantity="apart").itertuples()
    assert (row.n, row.mean) == (1, pytest.approx(5))
    assert np.isnan(row.sd)
    assert np.isnan(row.mean_low)


def test_time_per_image_is_told_once_per_marking():
    marks = simulated(9, {"A1": 1, "A2": 1})
    marks.loc[marks["annotator"] == "A2", "lead_time"] = np.nan
    seconds = rows_of(agreement(marks), kind="alone").set_index("annotator")
    assert (seconds.loc["A1", "n"], seconds.loc["A1", "median"]) == (9, 3.0)
    assert (seconds.loc["A2", "n"], np.isnan(seconds.loc["A2", "mean"])) == (0, True)


def test_neither_the_order_of_rows_nor_another_category_changes_a_category(keypoints):
    mixed = keypoints.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(agreement(keypoints), agreement(mixed), check_exact=False)
    other = frame_of(simulated(5, ERRORS).assign(category="cat"))
    both = agreement(frame_of(pd.concat([keypoints, other])))
    alone = agreement(keypoints)
    own = both[both["category"] == "dog"].assign(category="").reset_index(drop=True)
    pd.testing.assert_frame_equal(own, alone)


def test_tables_without_marks_and_with_one_annotator_are_no_trouble():
    empty = KEYPOINTS.empty()
    assert len(agreement(empty)) == len(mark_pairs(empty)) == 0
    alone = agreement(simulated(4, {"A1": 1}))
    assert set(alone["kind"]) == {"alone"}
    assert "nothing was marked twice" in agreement_text(alone)
    with pytest.raises(ExportError, match="no image was marked twice"):
        bland_altman(MARK_PAIRS.empty(), AGREEMENT.empty())


def test_the_text_gives_bias_limits_error_and_swaps(keypoints):
    lines = agreement_text(agreement(keypoints)).splitlines()
    for head in ("px", "n", "bias", "95 % interval", "limits of agreement", "error"):
        assert head in lines[0]
    assert any(line.startswith("A1 - A2, left_eye x") for line in lines)
    assert any(line.startswith("A1 twice, left_eye x") for line in lines)
    assert any("left and right swapped in 0 images" in line for line in lines)
    assert lines[-1] == "A2: 800 images, median time 3.0 s"


def test_the_chart_shows_a_point_per_mark_the_limits_of_the_table_and_n(keypoints):
    pairs, table = mark_pairs(keypoints), agreement(keypoints)
    chart = bland_altman(pairs, table)
    spec = chart.to_dict(validate=True)
    assert spec["title"]["text"] == "A1 minus A2, n = 400 images"
    data = spec["datasets"]
    limits = rows_of(table, kind="between", point="left_eye", quantity="x")
    ends = [row["at"] for rows in data.values() for row in rows if "at" in row]
    for value in (limits["low"].item(), limits["high"].item()):
        assert min(abs(end - value) for end in ends) < 1e-4
    assert [len(rows) for rows in data.values() if "difference" in rows[0]] == [800, 800]
    own = bland_altman(pairs, table, annotator="A2", other="A2")
    assert own.title.text == "A2 the first time minus the second, n = 400 images"
    with pytest.raises(ExportError, match="A1 and A9 have no mark in common, expected A1 and A2"):
        bland_altman(pairs, table, annotator="A1", other="A9")


def test_the_stage_writes_both_tables_and_follows_new_marks(tmp_path, keypoints):
    study = Study(tmp_path / "study")
    few = frame_of(keypoints[keypoints["image_id"].isin(["i1", "i2"])])
    with study.writing("test"):
        study.write("keypoints", few, provenance(inputs=[], options={}, seed=None))
        first = agree(study)
        before = study.provenance("agreement")["date"], study.digest("agreement")
        assert agree(study).equals(first)
        assert (study.provenance("agreement")["date"], study.digest("agreement")) == before
        study.write("keypoints", keypoints, provenance(inputs=[], options={}, seed=None))
        assert len(agree(study)) == len(agreement(keypoints))
        assert study.stale("agreement") == ""
    assert study.read("mark_pairs").equals(mark_pairs(keypoints))
