"""Landmark pairs: what is measured of them, their nulls, tests and effects."""

import numpy as np
import pandas as pd
import pytest
from marked_points import marked
from scipy import stats

from biaskit.bias.effects import effects
from biaskit.bias.landmark_effects import EFFECTS_OF_PAIRS, pair_effects
from biaskit.bias.landmark_error import NO_ERROR, MarkError, given_error, measured_error
from biaskit.bias.landmark_tests import pair_significance
from biaskit.bias.landmarks import PAIR_NULLS, landmark_pairs, pair_measures, pair_uniform
from biaskit.bias.planted import planted
from biaskit.bias.significance import significance
from biaskit.bias.stage import make_tables
from biaskit.errors import StudyError, TableError
from biaskit.provenance import provenance
from biaskit.study import Study
from biaskit.tables import KEYPOINTS

FRAME = (400, 300)


@pytest.fixture
def rng():
    return np.random.default_rng(20261126)


def spans(rng, n, *, longest=0.5):
    "Right and down from the first point to the second, px: any law will do"
    return rng.uniform(-longest, longest, (n, 2)) * FRAME


def placed(rng, span):
    "Each span with equal chance wherever it fits the frame"
    low = rng.uniform(0, 1, span.shape) * (np.array(FRAME) - np.abs(span))
    first = low + np.maximum(-span, 0)
    return np.hstack([first, first + span])


def value(table, **choice):
    for column, wanted in choice.items():
        table = table[table[column].astype(str) == wanted]
    assert len(table) == 1
    return table.iloc[0]


# What is measured


def test_midpoint_distance_and_tilt_of_one_pair():
    "3, 4, 5: in pixels, whatever the aspect; the second point lies below and to the right"
    pairs = landmark_pairs(marked([[100, 60, 130, 100]]))
    row = pair_measures(pairs).iloc[0]
    assert (row["midpoint_x"], row["midpoint_y"]) == pytest.approx((115 / 400, 80 / 300))
    assert row["distance"] == pytest.approx(50 / 400)
    assert row["angle"] == pytest.approx(-np.degrees(np.arctan2(4, 3)))
    assert (row["points"], row["touches"]) == ("left_eye right_eye", "")
    assert np.isnan(row["centre_x"])


@pytest.mark.parametrize(
    ("right", "down", "angle"),
    [(5, 0, 0), (-5, 0, 0), (0, 5, 90), (0, -5, 90), (5, -5, 45), (-5, -5, -45), (-5, 5, 45)],
)
def test_tilt_is_of_the_line_and_positive_if_it_rises_to_the_right(right, down, angle):
    pairs = landmark_pairs(marked([[100, 100, 100 + right, 100 + down]]))
    assert pairs.angle[0] == pytest.approx(angle)


def test_points_in_one_place_have_no_tilt():
    pairs = landmark_pairs(marked([[100, 100, 100, 100]]))
    assert np.isnan(pairs.angle[0])
    assert np.isnan(pair_uniform(pairs, "angle", "circle", "with")[0])
    assert np.isnan(pair_uniform(pairs, "distance", "frame", "with")[0])
    assert not np.isnan(pair_uniform(pairs, "midpoint_x", "fit", "with")[0])


def test_half_marked_objects_are_no_pairs_and_are_counted():
    nan = np.nan
    table = marked([[1, 1, 9, 9], [1, 1, nan, nan], [nan, nan, nan, nan]])
    pairs = landmark_pairs(table)
    assert (len(pairs), pairs.n_incomplete) == (1, 2)


def test_a_pair_is_the_mean_of_its_annotators_and_repeats_count_once():
    table = pd.concat(
        [
            marked([[100, 100, 120, 100]]),
            marked([[104, 100, 124, 100]], annotation=1),  # A1 on average at 102
            marked([[112, 100, 132, 100]], annotator="A2"),
        ]
    )
    pairs = landmark_pairs(table)
    assert pair_measures(pairs)["midpoint_x"].tolist() == [pytest.approx((112 + 122) / 2 / 400)]
    assert pairs.marks["annotator"].tolist() == ["A1", "A2"]
    assert pairs.marks["midpoint_x"].tolist() == pytest.approx([112, 122])
    assert pairs.marks["row"].tolist() == [0, 0]


def test_exchanged_points_are_turned_round_and_counted():
    table = pd.concat(
        [marked([[100, 100, 140, 100]]), marked([[141, 100, 99, 100]], annotator="A2")]
    )
    pairs = landmark_pairs(table)
    assert pairs.n_swapped == 1
    assert pairs.right.tolist() == pytest.approx([41])


def test_pairs_do_not_depend_on_the_order_of_rows(rng):
    table = pd.concat([marked(placed(rng, spans(rng, 30))), marked([[1, 2, 3, 4]], category="cat")])
    one = landmark_pairs(table)
    other = landmark_pairs(table.sample(frac=1, random_state=1))
    assert one.objects.table.equals(other.objects.table)
    assert one.marks.equals(other.marks)


def test_more_than_two_points_need_a_choice_unless_they_have_eyes():
    three = ("ear", "nose", "tail")
    table = pd.concat([marked([[1, 2, 3, 4]], points=three[:2]), marked([[1, 2, 3, 4]],
                       points=three[1:])]).drop_duplicates(KEYPOINTS.keys)  # fmt: skip
    with pytest.raises(TableError, match=r"category dog has the points ear, nose, tail; which two"):
        landmark_pairs(table)
    assert landmark_pairs(table, pair=("ear", "tail")).points.tolist() == ["ear tail"]
    eyes = pd.concat([table, marked([[1, 2, 3, 4]])])
    assert landmark_pairs(eyes).points.tolist() == ["left_eye right_eye"]
    with pytest.raises(TableError, match="a pair is two different points, found 'ear'"):
        landmark_pairs(table, pair=("ear",))


def test_of_no_marks_there_are_no_pairs():
    pairs = landmark_pairs(KEYPOINTS.empty())
    assert len(pair_significance(pairs, seed=1)) == 0
    assert len(pair_effects(pairs, seed=1, error=NO_ERROR)) == 0
    lone = landmark_pairs(marked([[1, 1, np.nan, np.nan]]))
    assert (len(lone), lone.n_incomplete) == (0, 1)
    assert len(pair_significance(lone, seed=1)) == 0


# The nulls


def test_the_midpoint_keeps_half_a_span_from_the_frame():
    "40 px apart in 400: the midpoint lies in 20 to 380, and u runs through 0 to 1 there"
    pairs = landmark_pairs(marked([[0, 100, 40, 100], [180, 100, 220, 100], [360, 100, 400, 100]]))
    u = pair_uniform(pairs, "midpoint_x", "fit", "with")
    assert u == pytest.approx([0, 0.5, 1], abs=1e-12)
    assert pair_uniform(pairs, "midpoint_x", "frame", "with") == pytest.approx([0.05, 0.5, 0.95])


def test_the_longest_line_of_a_tilt_ends_at_the_nearer_side():
    "45 degrees in 400 x 300: at most 300 down; level: at most 400"
    pairs = landmark_pairs(marked([[50, 50, 200, 200], [50, 50, 250, 50], [0, 0, 400, 300]]))
    assert pair_uniform(pairs, "distance", "frame", "with") == pytest.approx([0.5, 0.5, 1])
    log = pair_uniform(pairs, "distance", "log-uniform", "with")
    longest = 300 * np.sqrt(2)
    assert log[0] == pytest.approx(np.log(longest / 2 / 16) / np.log(longest / 16))


def test_distances_below_the_least_are_left_out():
    pairs = landmark_pairs(marked([[100, 100, 110, 100]]))
    assert np.isnan(pair_uniform(pairs, "distance", "log-uniform", "with")[0])
    assert pair_uniform(pairs, "distance", "log-uniform-8px", "with")[0] > 0


def test_marks_at_the_edge_are_set_aside_without():
    pairs = landmark_pairs(marked([[1, 100, 40, 100], [50, 100, 90, 100]]))
    for measure, null in (("midpoint_x", "fit"), ("distance", "frame"), ("angle", "circle")):
        u = pair_uniform(pairs, measure, null, "without")
        assert np.isnan(u).tolist() == [True, False]
    # A mark near the left side says nothing of the height.
    assert not np.isnan(pair_uniform(pairs, "midpoint_y", "fit", "without")).any()


def test_a_null_that_a_measure_does_not_have_is_a_mistake_of_the_programmer():
    pairs = landmark_pairs(marked([[1, 1, 2, 2]]))
    with pytest.raises(ValueError, match="measure 'angle' has no null 'fit'"):
        pair_uniform(pairs, "angle", "fit", "with")


def test_u_is_uniform_where_the_null_is_true(rng):
    "Kolmogorov-Smirnov at 1e-3, one test per measure: one run in two hundred would fail"
    n = 4000
    pairs = landmark_pairs(marked(placed(rng, spans(rng, n))))
    for measure in ("midpoint_x", "midpoint_y"):
        assert stats.kstest(pair_uniform(pairs, measure, "fit", "with"), "uniform").pvalue > 1e-3
    turn = rng.uniform(0, 2 * np.pi, n)
    way = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    longest = np.min(np.array(FRAME) / np.abs(way), axis=1)
    even = landmark_pairs(marked(placed(rng, way * (longest * rng.uniform(0, 1, n))[:, None])))
    assert stats.kstest(pair_uniform(even, "distance", "frame", "with"), "uniform").pvalue > 1e-3
    assert stats.kstest(pair_uniform(even, "angle", "circle", "with"), "uniform").pvalue > 1e-3
    length = 16 * (longest / 16) ** rng.uniform(0, 1, n)
    logs = landmark_pairs(marked(placed(rng, way * length[:, None])))
    u = pair_uniform(logs, "distance", "log-uniform", "with")
    assert not np.isnan(u).any()
    assert stats.kstest(u, "uniform").pvalue > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("n", [20, 60, 200])
def test_every_test_rejects_as_often_as_it_says_when_the_null_is_true(rng, n):
    """
    Two thousand categories under the null of each measure, levels 5 % and 1 %.

    Five standard errors of a share of .05 among 2,000 are .024, of .01 are .011; chi-square and
    Anderson-Darling's law are approximations near the body, hence .004 more. A discrete
    statistic and a bound may reject less, never more.
    """
    runs = 2000
    tables = []
    for k in range(runs):
        turn = rng.uniform(0, 2 * np.pi, n)
        way = np.stack([np.cos(turn), np.sin(turn)], axis=1)
        longest = np.min(np.array(FRAME) / np.abs(way), axis=1)
        # Half of the categories have uniform distances, half log-uniform ones.
        even = longest * rng.uniform(0, 1, n)
        log = 16 * (longest / 16) ** rng.uniform(0, 1, n)
        length = even if k % 2 else log
        tables.append(marked(placed(rng, way * length[:, None]), category=f"c{k:04d}"))
    pairs = landmark_pairs(pd.concat(tables))
    found = pair_significance(pairs, seed=5, policies=["one"], edges=["with"])
    category = found["category"].astype(str).str[1:].astype(int)
    true = (found["null"] == "fit") | (found["measure"] == "angle")
    of_distance = found["measure"] == "distance"
    true |= of_distance & (found["null"] == "frame") & (category % 2 == 1)
    true |= of_distance & (found["null"] == "log-uniform") & (category % 2 == 0)
    rows = found[true & found["log10_p"].notna()]
    asked = rows.groupby(["measure", "null", "test"], observed=True)
    assert len(asked) == 5 + 5 + 3 + 5 + 5 + 1
    for name, group in asked:
        for level in (0.05, 0.01):
            share = float((group["log10_p"] <= np.log10(level)).mean())
            error = np.sqrt(level * (1 - level) / len(group))
            assert share < level + 5 * error + 0.004, (name, n, level, share)
            if name[2] not in ("bonferroni", "chi2", "smooth"):
                assert share > level - 5 * error - 0.004, (name, n, level, share)


@pytest.mark.slow
def test_the_plain_frame_null_rejects_pairs_that_are_placed_freely(rng):
    "Why fit is the null to read: wide pairs cannot have their midpoint near the frame"
    span = np.stack([rng.uniform(150, 250, 300), rng.uniform(-20, 20, 300)], axis=1)
    pairs = landmark_pairs(marked(placed(rng, span)))
    found = pair_significance(pairs, seed=1, policies=["one"], edges=["with"])
    asked = {"measure": "midpoint_x", "test": "ks"}
    assert value(found, null="frame", **asked)["log10_p"] < -10
    assert value(found, null="fit", **asked)["log10_p"] > -3


# The tests


def test_pairs_in_one_place_are_no_accident_and_every_question_has_a_row(rng):
    pairs = landmark_pairs(marked([[190 + k % 3, 140, 210 + k % 3, 141] for k in range(60)]))
    found = pair_significance(pairs, seed=1)
    assert set(found["measure"]) == {*PAIR_NULLS, "midpoint"}
    per_policy_and_edges = 4 * 5 + 4 * 5 + 1 + 2 * 3
    assert len(found) == 3 * 2 * per_policy_and_edges
    # Points 20 px apart are below the null that begins at 32.
    untested = found["log10_p"].isna()
    assert set(found.loc[untested, "null"]) == {"log-uniform-32px"}
    one = {"policy": "one", "edges": "with"}
    assert value(found, measure="midpoint", null="fit", test="chi2", **one)["log10_p"] < -30
    assert value(found, measure="angle", null="circle", test="kuiper", **one)["log10_p"] < -50
    joint = value(found, measure="midpoint", null="fit", test="bonferroni", **one)
    axes = [
        value(found, measure=f"midpoint_{a}", null="fit", test="ks", **one)["log10_p"] for a in "xy"
    ]
    assert joint["log10_p"] == pytest.approx(min(axes) + np.log10(2))


def test_a_midpoint_is_tested_as_the_centre_of_a_box_is(rng):
    "The box that a pair spans, read as a box, gives the same numbers"
    pairs = landmark_pairs(marked(placed(rng, spans(rng, 80))))
    mine = pair_significance(pairs, seed=4, edges=["with"], policies=["one"])
    box = significance(
        pairs.objects, seed=4, edges=["with"], policies=["one"], draws=1,
        measures=["position_x", "position_y", "position"],
    )  # fmt: skip
    for test, null in (("chi2", "fit"), ("smooth", "frame"), ("bonferroni", "fit")):
        one = value(mine, measure="midpoint", test=test, null=null)
        other = value(box, measure="position", test=test, null=null)
        assert one["log10_p"] == other["log10_p"]
    own = pair_effects(pairs, seed=4, error=NO_ERROR, edges=["with"], policies=["one"])
    theirs = effects(pairs.objects, seed=4, edges=["with"], policies=["one"])
    names = {"null": "fit", "effect": "offset"}
    columns = ["value", "low", "high", "n"]
    one = value(own, measure="midpoint_y", **names)[columns]
    assert one.equals(value(theirs, measure="position_y", **names)[columns])


def test_of_several_pairs_of_an_image_one_enters(rng):
    table = pd.concat(
        [marked(placed(rng, spans(rng, 20)), objects=np.full(20, k)) for k in range(3)]
    )
    found = pair_significance(landmark_pairs(table), seed=1, edges=["with"])
    counts = found.groupby("policy", observed=True)[["n_images", "n_objects"]].max()
    assert counts.loc["one"].tolist() == [20, 20]
    assert counts.loc["all"].tolist() == [20, 60]


# The effects and the annotators' error


def test_the_mean_midpoint_and_distance_are_means(rng):
    places = placed(rng, spans(rng, 50))
    found = pair_effects(
        landmark_pairs(marked(places)), seed=1, error=NO_ERROR, policies=["one"], edges=["with"]
    )
    means = {m: value(found, measure=m, effect="mean", null="frame") for m in
             ("midpoint_x", "midpoint_y", "distance")}  # fmt: skip
    assert means["midpoint_x"]["value"] == pytest.approx((places[:, [0, 2]] / 400).mean())
    assert means["midpoint_y"]["value"] == pytest.approx((places[:, [1, 3]] / 300).mean())
    apart = np.hypot(*(places[:, 2:] - places[:, :2]).T) / 400
    assert means["distance"]["value"] == pytest.approx(apart.mean())
    half = 1.96 * apart.std(ddof=1) / np.sqrt(50)
    row = means["distance"]
    # The bootstrap's ends scatter by a tenth of the half width with a thousand resamples.
    assert row["value"] - row["low"] == pytest.approx(half, rel=0.2)
    assert means["midpoint_x"]["expected"] == 0.5
    assert set(found["effect"]) <= set(EFFECTS_OF_PAIRS)


def test_the_error_of_two_annotators_is_recovered(rng):
    "Own errors of 2 px and 3 px apart in habit, on 400 images"
    middle = rng.uniform(100, 200, (400, 2))
    places = np.hstack([middle, middle + rng.uniform(-50, 50, (400, 2))])
    habit = np.array([3, 0, 3, 0])
    tables = [
        marked(places + noise + h, annotator=who)
        for who, h, noise in (
            ("A1", 0 * habit, rng.normal(0, 2, places.shape)),
            ("A2", habit, rng.normal(0, 2, places.shape)),
        )
    ]
    pairs = landmark_pairs(pd.concat(tables))
    found = measured_error(pairs.marks)
    # A standard deviation from 399 differences scatters by a 28th; four of these are .14.
    assert found["midpoint_x"].own == pytest.approx(2 / np.sqrt(2), rel=0.14)
    assert found["midpoint_x"].habit == pytest.approx(3 / np.sqrt(2), rel=0.14)
    # Sampling alone leaves a habit of the order of own / sqrt(n): 2 / sqrt(2) / 20 px.
    assert found["midpoint_y"].habit < 4 * 2 / np.sqrt(2) / 20
    assert found["distance"].own == pytest.approx(2 * np.sqrt(2), rel=0.14)
    assert found["midpoint_x"].n == 400


def test_one_annotator_tells_nothing_of_the_error():
    pairs = landmark_pairs(marked([[1, 2, 3, 4], [3, 4, 5, 6]]))
    assert measured_error(pairs.marks) == dict(NO_ERROR)


def test_a_given_error_is_that_of_one_coordinate_of_one_mark():
    found = given_error(3.0, 2.0)
    assert found["midpoint_y"] == MarkError(3 / np.sqrt(2), 2.0)
    assert found["distance"] == MarkError(3 * np.sqrt(2), 0.0)
    with pytest.raises(ValueError, match="error_px is -1 and habit_px"):
        given_error(-1)


def test_the_error_widens_the_interval_by_what_it_is_worth(rng):
    """
    A habit of h px widens the standard error of a mean to sqrt(se^2 + (h / width)^2 / K).

    Own errors of e px add e^2 / n. With both 1,000 resamples hold the ends to a tenth.
    """
    n = 200
    pairs = landmark_pairs(marked(placed(rng, spans(rng, n, longest=0.1))))
    asked = {"measure": "midpoint_x", "effect": "mean", "null": "frame"}

    def half(error):
        found = pair_effects(pairs, seed=3, error=error, policies=["one"], edges=["with"])
        row = value(found, **asked)
        return (row["high"] - row["low"]) / 2 / 1.96, row["value"]

    bare, mean = half(NO_ERROR)
    habit, same = half({**NO_ERROR, "midpoint_x": MarkError(0.0, 20.0)})
    assert habit == pytest.approx(np.sqrt(bare**2 + (20 / 400) ** 2), rel=0.1)
    own, _ = half({**NO_ERROR, "midpoint_x": MarkError(100.0, 0.0)})
    assert own == pytest.approx(np.sqrt(bare**2 + (100 / 400) ** 2 / n), rel=0.1)
    assert same == mean
    assert half(given_error(20.0, 20.0))[0] > habit * 0.9


def test_two_annotators_share_out_their_habits(rng):
    places = placed(rng, spans(rng, 200, longest=0.1))
    both = pd.concat([marked(places), marked(places, annotator="A2")])
    error = {**NO_ERROR, "midpoint_x": MarkError(0.0, 20.0)}
    halves = []
    for table in (marked(places), both):
        found = pair_effects(
            landmark_pairs(table), seed=3, error=error, policies=["one"], edges=["with"]
        )
        row = value(found, measure="midpoint_x", effect="mean", null="frame")
        halves.append((row["high"] - row["low"]) / 2 / 1.96)
    se = np.std((places[:, [0, 2]] / 400).mean(axis=1), ddof=1) / np.sqrt(200)
    assert halves[0] == pytest.approx(np.hypot(se, 0.05), rel=0.1)
    assert halves[1] == pytest.approx(np.hypot(se, 0.05 / np.sqrt(2)), rel=0.1)


@pytest.mark.slow
def test_intervals_of_the_mean_cover_the_truth_in_spite_of_habits(rng):
    """
    300 studies by three annotators with habits of 12 px: 95 % intervals hold the true mean.

    Resampled images alone (3.4 px of 7.7) hold it in six of ten. Five standard errors of .95
    among 300 are .063; the interval counts own errors twice, and may hold more.
    """
    n, habit, held, bare = 80, 12.0, 0, 0
    runs = 300
    for k in range(runs):
        middle = rng.normal([200, 150], [30, 20], (n, 2))
        tables = []
        for who in ("A1", "A2", "A3"):
            shift = np.tile(rng.normal(0, habit, 2), 2)
            half = np.array([15, 0])
            ends = np.hstack([middle - half, middle + half]) + shift
            tables.append(marked(ends + rng.normal(0, 2, ends.shape), annotator=who))
        pairs = landmark_pairs(pd.concat(tables))
        options = {"seed": k, "policies": ["one"], "edges": ["with"], "n_resamples": 300}
        for error, count in ((given_error(2.0, habit), "held"), (NO_ERROR, "bare")):
            row = value(
                pair_effects(pairs, error=error, **options),
                measure="midpoint_x", effect="mean", null="frame",
            )  # fmt: skip
            inside = row["low"] <= 0.5 <= row["high"]
            held += inside and count == "held"
            bare += inside and count == "bare"
    assert held / runs > 0.95 - 0.063
    assert bare / runs < 0.75


def test_results_do_not_depend_on_what_other_categories_there_are(rng):
    dogs, cats = (marked(placed(rng, spans(rng, 40)), category=c) for c in ("dog", "cat"))
    alone = landmark_pairs(dogs)
    together = landmark_pairs(pd.concat([cats, dogs]))
    for make in (
        lambda p: pair_significance(p, seed=2),
        lambda p: pair_effects(p, seed=2, error=given_error(1.0, 1.0)),
    ):
        one, other = (
            table[table["category"] == "dog"].astype({"category": str}) for table in
            (make(alone), make(together))
        )  # fmt: skip
        numbers = [c for c in ("log10_p", "statistic", "value", "low", "high") if c in one]
        pd.testing.assert_frame_equal(
            one[numbers].reset_index(drop=True), other[numbers].reset_index(drop=True), rtol=1e-12
        )


# The stage


def study_of(folder, **tables):
    study = Study(folder)
    with study.writing("test"):
        for name, table in tables.items():
            study.write(name, table, provenance(inputs=[], options={}, seed=None))
    return study


def run(study, **options):
    from contextlib import contextmanager

    @contextmanager
    def shown(_):
        yield lambda *_: None

    with study.writing("test"):
        make_tables(study, seed=3, draws=2, resamples=100, shown=shown, **options)


def test_marks_alone_make_their_tables(tmp_path, rng):
    marks = marked(placed(rng, spans(rng, 30)))
    study = study_of(tmp_path / "s", keypoints=marks)
    run(study)
    assert len(study.read("measures")) == 30
    assert set(study.read("significance")["measure"]) == {*PAIR_NULLS, "midpoint"}
    assert not study.has("symmetry")
    assert study.stale("effects") == ""


def test_boxes_are_told_the_same_to_the_last_digit_with_marks_beside_them(tmp_path, rng):
    boxes = planted("free", n_images=30, n_categories=2, seed=1)
    alone = study_of(tmp_path / "a", boxes=boxes)
    both = study_of(tmp_path / "b", boxes=boxes, keypoints=marked(placed(rng, spans(rng, 30))))
    run(alone)
    run(both)
    for name, pair in (("measures", "points"), ("significance", "measure"), ("effects", "measure")):
        whole = both.read(name)
        mine = whole[pair].astype(str).isin(["left_eye right_eye", *PAIR_NULLS, "midpoint"])
        assert mine.any()
        pd.testing.assert_frame_equal(whole[~mine].reset_index(drop=True), alone.read(name))
    assert both.read("symmetry").equals(alone.read("symmetry"))


def test_marks_that_come_later_make_the_tables_stale(tmp_path, rng):
    study = study_of(tmp_path / "s", boxes=planted("free", n_images=20, n_categories=1, seed=1))
    run(study)
    study_of(tmp_path / "s", keypoints=marked(placed(rng, spans(rng, 20))))
    words = r"'measures' was made otherwise: .*input keypoints is new"
    with pytest.raises(StudyError, match=words):
        run(study)
    run(study, mode="replace")
    assert "midpoint" in set(study.read("effects")["measure"])


def test_an_error_that_is_given_is_written_beside_the_effects(tmp_path, rng):
    study = study_of(tmp_path / "s", keypoints=marked(placed(rng, spans(rng, 20))))
    run(study, error_px=2.0, pair=("left_eye", "right_eye"))
    options = study.provenance("effects")["options"]
    assert options["error_px"] == 2.0
    assert options["pair"] == ["left_eye", "right_eye"]
