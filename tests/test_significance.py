import hashlib
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import stats

from biaskit.bias.flags import FLAGS
from biaskit.bias.nulls import NULLS_OF, variable
from biaskit.bias.objects import arrange, boxes_from_pixels
from biaskit.bias.significance import significance
from biaskit.tables import BOXES, SIGNIFICANCE

FRAME = (120, 90)
KEYS = list(SIGNIFICANCE.keys)


@pytest.fixture
def rng():
    return np.random.default_rng(20180530)


def in_categories(edges, n_categories, *, copies=1, **options):
    "One box per image, or several copies of it, the images dealt out to categories"
    boxes = boxes_from_pixels(edges, frame=FRAME, **options)
    of_image = np.arange(len(boxes)) * n_categories // max(len(boxes), 1)
    boxes["category"] = pd.Series([f"c{k:05d}" for k in of_image], dtype=str)
    return pd.concat([boxes.assign(object=k) for k in range(copies)], ignore_index=True)


def free_edges(rng, n, *, margin=0, width=None, height=None):
    "Boxes of any size, each on a place drawn without preference among those where it fits"
    inner = [side - 2 * margin for side in FRAME]
    width = rng.integers(1, inner[0], n) if width is None else width
    height = rng.integers(1, inner[1], n) if height is None else height
    x = margin + np.floor(rng.random(n) * (inner[0] - width + 1))
    y = margin + np.floor(rng.random(n) * (inner[1] - height + 1))
    return np.stack([x, y, x + width, y + height], axis=1)


def rows(table, **wanted):
    for name, word in wanted.items():
        table = table[table[name] == word]
    return table


def one_row(table, **wanted):
    found = rows(table, **wanted)
    assert len(found) == 1
    return found.iloc[0]


def as_bytes(table):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, SIGNIFICANCE.arrow_schema()) as writer:
        writer.write_table(SIGNIFICANCE.to_arrow(table))
    return sink.getvalue().to_pybytes()


@pytest.fixture(scope="module")
def sample():
    "Three categories: free, a heap in the middle with near-copies, and one box only"
    rng = np.random.default_rng(3)
    free = in_categories(free_edges(rng, 60), 1)
    heap = free_edges(rng, 50, width=30, height=20)
    heap[:, [0, 2]] += 45 - heap[:, [0]] + rng.integers(-5, 6, (50, 1))
    heap = in_categories(heap, 1, copies=2).assign(category="heap")
    single = in_categories([[5, 5, 50, 40]], 1).assign(category="single")
    return pd.concat([free, heap, single], ignore_index=True)


@pytest.fixture(scope="module")
def table(sample):
    return significance(sample, seed=1)


def test_every_question_of_every_category_is_answered_once(table):
    univariate = 2 * sum(len(nulls) for nulls in NULLS_OF.values()) * 4 * 5
    joint = 2 * 2 * 4 * 3 + 2 * 2 * 4 * 2
    assert len(table) == 3 * (univariate + joint)
    SIGNIFICANCE.check(table, "again")
    pd.testing.assert_frame_equal(
        SIGNIFICANCE.sort(table.astype(dict.fromkeys(KEYS, str)))[KEYS], table[KEYS].astype(str)
    )


def test_kolmogorov_smirnov_of_every_category_agrees_with_scipy(sample, table):
    objects = arrange(sample)
    for measure, null in [("position_x", "fit"), ("height", "log-uniform"), ("area", "frame")]:
        u = variable(objects, measure, null, "with", seed=1).u
        for k, category in enumerate(objects.groups["category"]):
            x = u[(objects.group == k) & ~np.isnan(u)]
            if len(x) < 2:
                continue
            found = one_row(
                table,
                category=category,
                measure=measure,
                null=null,
                policy="all",
                edges="with",
                test="ks",
            )
            expected = stats.kstest(x, "uniform")
            assert found.statistic == pytest.approx(expected.statistic, abs=1e-14)
            # SciPy's own error at n <= 140 is 7e-12 of p, below 1e-300 it gives 0.
            assert 10**found.log10_p == pytest.approx(expected.pvalue, rel=1e-10)
            assert found.p_kind == "exact"
            assert found.n_objects == len(x)


def test_the_headline_is_pearsons_test_of_the_quadrats(sample, table):
    objects = arrange(sample)
    u, v = (variable(objects, f"position_{a}", "fit", "with", seed=1).u for a in "xy")
    here = ~np.isnan(u + v) & (objects.table["category"] == "c00000").to_numpy()
    counts = np.histogram2d(u[here], v[here], 5, [[0, 1], [0, 1]])[0]
    found = one_row(
        table,
        category="c00000",
        measure="position",
        null="fit",
        policy="all",
        edges="with",
        test="chi2",
    )
    expected = stats.chisquare(counts.ravel())
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-12)
    assert 10**found.log10_p_asymptotic == pytest.approx(expected.pvalue, rel=1e-10)
    assert found.p_kind == "exact"


def test_bonferroni_is_twice_the_lesser_p_of_the_two_axes(table):
    ks = rows(table, test="ks", policy="one", edges="without").set_index(
        ["category", "measure", "null"]
    )["log10_p"]
    for category in ("c00000", "heap"):
        for null, size_null in [("frame", "frame"), ("fit", "log-uniform")]:
            asked = {"category": category, "null": null, "policy": "one", "edges": "without"}
            least = min(ks[category, f"position_{a}", null] for a in "xy")
            place = one_row(table, measure="position", test="bonferroni", **asked)
            assert place.log10_p == pytest.approx(min(0, least + np.log10(2)), rel=1e-14)
            assert place.p_kind == "bound"
            least = min(least, ks[category, "height", size_null])
            whole = one_row(table, measure="position_height", test="bonferroni", **asked)
            assert whole.log10_p == pytest.approx(min(0, least + np.log10(3)), rel=1e-14)


def test_what_entered_is_counted():
    "Four images: a pair of which one has no room along x, a cut one, and two plain ones"
    plain = [40, 40, 60, 60]
    boxes = boxes_from_pixels([[0, 40, 120, 60], [1, 40, 60, 60], plain, plain], frame=FRAME)
    boxes = pd.concat([boxes, boxes_from_pixels([plain], frame=FRAME).assign(object=1)])
    found = significance(boxes, seed=1)
    counts = ["n_images", "n_objects", "n_excluded"]

    def of(measure, null, policy, edges, test="chi2"):
        row = one_row(found, measure=measure, null=null, policy=policy, edges=edges, test=test)
        return row[counts].tolist()

    assert of("position", "frame", "all", "with") == [4, 5, 0]
    assert of("position", "frame", "one", "with") == [4, 4, 0]
    assert of("position", "fit", "all", "with") == [4, 4, 1]
    assert of("position_y", "fit", "all", "without") == [4, 5, 0]
    assert of("position_x", "fit", "weighted", "without") == [3, 3, 2]
    assert of("position", "fit", "largest", "without") == [3, 3, 2]
    # The part with the fewest objects.
    assert of("position", "fit", "all", "without", "bonferroni") == [3, 3, 2]
    assert of("height", "log-uniform-32px", "all", "with") == [0, 0, 5]


@pytest.mark.parametrize("edges", ["with", "without"])
def test_free_placement_is_rejected_as_often_as_stated(rng, edges):
    "1,500 categories of 50 images: four standard errors of a share of 0.05 are 0.0225"
    margin = 0 if edges == "with" else 3
    boxes = in_categories(free_edges(rng, 1500 * 50, margin=margin), 1500)
    names = ["position", "position_x", "position_y", "position_height"]
    found = significance(
        boxes, seed=2, nulls=["fit"], policies=["one"], edges=[edges], measures=names, draws=1
    )
    shares = (found["log10_p"] <= np.log10(0.05)).groupby([found["measure"], found["test"]]).mean()
    assert len(shares) == 2 * 5 + 3 + 1
    assert shares.min() > 0.05 - 0.0225
    assert shares.max() < 0.05 + 0.0225


@pytest.mark.parametrize("null", ["frame", "log-uniform"])
@pytest.mark.parametrize("edges", ["with", "without"])
def test_sizes_of_a_null_are_rejected_as_often_as_stated(rng, null, edges):
    "Drawn from the law by its inverse; 1,000 categories: four standard errors are 0.0276"
    margin = 0 if edges == "with" else 3
    n, tops = 1000 * 30, [side - 2 * margin for side in FRAME]
    if null == "frame":
        width, height = (rng.integers(1, top + 1, n) for top in tops)
    else:
        width, height = (np.floor(16 * ((top + 1) / 16) ** rng.random(n)) for top in tops)
    boxes = in_categories(free_edges(rng, n, margin=margin, width=width, height=height), 1000)
    found = significance(
        boxes,
        seed=2,
        nulls=[null],
        policies=["one"],
        edges=[edges],
        measures=["width", "height"],
        draws=1,
    )
    assert (found["n_excluded"] == 0).all()
    shares = (found["log10_p"] <= np.log10(0.05)).groupby([found["measure"], found["test"]]).mean()
    assert len(shares) == 10
    assert shares.min() > 0.05 - 0.0276
    assert shares.max() < 0.05 + 0.0276


def test_the_frame_rejects_free_placement_and_the_fit_does_not(rng):
    "500 boxes placed without any preference: what the paper's null calls a bias"
    boxes = in_categories(free_edges(rng, 20 * 500), 20)
    found = significance(boxes, seed=1, policies=["one"], edges=["with"], measures=["position"])
    chi2 = rows(found, test="chi2")
    assert (rows(chi2, null="frame")["log10_p"] < -10).all()
    # Twenty true nulls: one below 1e-4 has a chance of 0.002.
    assert (rows(chi2, null="fit")["log10_p"] > -4).all()


def test_near_copies_deceive_only_the_policy_that_counts_them(rng):
    "Three boxes in one place count as three: KS then rejects half of all true nulls"
    boxes = in_categories(free_edges(rng, 200 * 50), 200, copies=3)
    found = significance(
        boxes, seed=1, nulls=["fit"], edges=["with"], measures=["position", "position_x"], draws=1
    )
    found = found[found["test"].isin(["ks", "chi2"])]
    low = found["log10_p"] <= np.log10(0.05)
    shares = low.groupby([found["policy"], found["measure"], found["test"]]).mean()
    assert (shares["all"] > 0.35).all()
    # 0.05 and four standard errors of 200 categories.
    for policy in ("one", "weighted", "largest"):
        assert (shares[policy] < 0.05 + 0.062).all()


def test_the_joint_test_sees_large_boxes_below_and_small_ones_above(rng):
    "Free on the whole, but not given the size: only the ranks tell"
    u = rng.random(400)
    height = np.rint(10 + 30 * u)
    edges = free_edges(rng, 400, width=20, height=height)
    v = (u + rng.uniform(0, 0.3, 400)) % 1
    y = np.floor(v * (FRAME[1] - height + 1))
    edges[:, 1], edges[:, 3] = y, y + height
    found = significance(
        in_categories(edges, 1),
        seed=1,
        nulls=["fit"],
        policies=["one"],
        edges=["with"],
        measures=["position", "position_height"],
    )
    smooth = rows(found, test="smooth").set_index("measure")["log10_p"]
    assert smooth["position_height"] < -5 < -2 < smooth["position"]


def test_neither_order_nor_workers_change_a_byte(sample, table):
    mixed = sample.sample(frac=1, random_state=9).iloc[:, ::-1]
    assert as_bytes(significance(mixed, seed=1, workers=1)) == as_bytes(table)


def test_another_seed_changes_the_draws(sample, table):
    assert as_bytes(significance(sample, seed=2)) != as_bytes(table)


def test_the_company_of_other_categories_changes_only_corrections(sample, table):
    alone = significance(sample[sample["category"] == "heap"], seed=1)
    there = rows(table, category="heap").reset_index(drop=True)
    for name in ("statistic", "log10_p", "log10_p_low"):
        np.testing.assert_array_equal(alone[name], there[name])


SCRIPT = """
import hashlib, sys
import numpy as np, pandas as pd
from biaskit.bias.objects import boxes_from_pixels
from biaskit.bias.significance import significance
rng = np.random.default_rng(0)
x = rng.integers(0, 60, (120, 2))
parts = [boxes_from_pixels(np.hstack([x, x + 30]), frame=(100, 100), category=c) for c in "ab"]
table = significance(pd.concat(parts), seed=1)
sys.stdout.write(hashlib.sha256(table.to_csv().encode()).hexdigest())
"""


def test_the_hash_seed_changes_no_byte():
    running = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT],
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
        )
        for hash_seed in ("1", "2")
    ]
    first, second = (process.communicate()[0] for process in running)
    assert first == second
    assert len(first) == len(hashlib.sha256().hexdigest())


def test_a_choice_of_questions_gives_the_rows_of_the_whole_table(sample, table):
    part = significance(
        sample,
        seed=1,
        measures=["position", "height"],
        nulls=["frame"],
        policies=["one", "all"],
        edges=["without"],
    )
    there = table[(table["null"] == "frame") & (table["edges"] == "without")]
    there = there[there["measure"].isin(["position", "height"]) & there["test"].ne("bonferroni")]
    there = there[there["policy"].isin(["one", "all"])]
    assert as_bytes(part) == as_bytes(there.reset_index(drop=True))


def test_splits_are_families_of_their_own(rng):
    boxes = in_categories(free_edges(rng, 90), 3)
    both = pd.concat([boxes.assign(split="train"), boxes.iloc[:60].assign(split="val")])
    found = significance(both, seed=1, measures=["height"], policies=["all"], draws=1)
    for split, n_categories in (("train", 3), ("val", 2)):
        of_split = rows(found, split=split)
        expected = np.minimum(of_split["log10_p"] + np.log10(n_categories), 0)
        np.testing.assert_allclose(of_split["log10_bonferroni"], expected, rtol=1e-14)


def test_flags_say_what_to_be_careful_of(table):
    assert set(" ".join(table["flags"].unique()).split()) <= set(FLAGS)
    words = table["flags"].astype(str).str.split()
    has = {flag: words.map(lambda w, flag=flag: flag in w) for flag in FLAGS}
    assert (has["untested"] == table["log10_p"].isna()).all()
    assert (has["dependent"] == (table["policy"] == "all")).all()
    assert (has["image-weighted"] == (table["policy"] == "weighted")).all()
    assert has["few"][table["category"] == "single"].all()
    assert not has["few"][(table["category"] == "heap") & (table["null"] == "fit")].any()
    selected = table[has["selected"]]
    assert set(selected["policy"]) == {"largest"}
    assert set(selected["measure"]) == {"width", "height", "area", "position_height"}
    assert has["bound"][(table["p_kind"] == "bound") & (table["test"] == "cvm")].all()


def test_weighted_p_values_make_no_claim_of_being_exact(table):
    weighted = rows(table, policy="weighted")
    tested = weighted["log10_p"].notna()
    assert set(weighted[tested]["p_kind"]) == {"asymptotic"}
    assert set(weighted[~tested]["p_kind"]) == {""}


def test_one_object_is_no_sample(table):
    single = rows(table, category="single")
    numbers = ["statistic", "log10_p", "log10_p_asymptotic", "log10_p_low", "log10_bh"]
    assert single[numbers].isna().all().all()
    assert (single["n_objects"] + single["n_excluded"] == 1).all()


def test_no_boxes_give_no_rows():
    found = significance(BOXES.empty(), seed=1)
    assert len(found) == 0
    assert list(found.columns) == list(SIGNIFICANCE.columns)


def test_boxes_without_room_are_untested_and_counted():
    boxes = boxes_from_pixels([[0, 0, 120, 90]] * 30, frame=FRAME)
    found = significance(boxes, seed=1)
    fit = found[(found["null"] == "fit") | (found["edges"] == "without")]
    assert (fit["n_excluded"] == 30).all()
    assert fit["log10_p"].isna().all()
    # They all have the largest size, and their centre in the middle.
    assert (
        rows(found, measure="height", null="frame", policy="one", edges="with", test="ks")[
            "log10_p"
        ].item()
        < -10
    )


def test_continuous_boxes_have_no_range_but_that_of_the_object_taken(rng):
    edges = free_edges(rng, 40) * 0.99 + 0.123
    found = significance(in_categories(edges, 1, lattice=0), seed=1)
    redrawn = found[found["log10_p_low"].notna()]
    assert len(redrawn) == 8
    assert (redrawn["log10_p_low"] == redrawn["log10_p_high"]).all()
    assert (redrawn["log10_p_low"] == redrawn["log10_p"]).all()


def test_progress_counts_up_to_the_end(sample):
    seen = []
    significance(sample, seed=1, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(k + 1, len(seen)) for k in range(len(seen))]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"measures": ["colour"]}, r"^unknown measure 'colour'; known: position_x, "),
        ({"nulls": ["fits"]}, r"^unknown null 'fits'; known: frame, fit, log-uniform"),
        ({"policies": ["best"]}, r"^unknown policy 'best'; known: one, weighted, all, largest$"),
        ({"edges": ["some"]}, r"^unknown edges 'some'; known: with, without$"),
        ({"draws": 0}, r"^draws is 0 and workers 2, expected 1 or more$"),
        ({"edge_px": -1}, r"^edge_px is -1, expected 0 or more pixels$"),
    ],
)
def test_wrong_options_are_refused(sample, options, message):
    with pytest.raises(ValueError, match=message):
        significance(sample, seed=1, **options)
