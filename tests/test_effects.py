"""Effects: known answers, honest limits and intervals, the same bytes in any order."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from biaskit.bias import distances
from biaskit.bias.bootstrap import ImageWeights, percentile_interval
from biaskit.bias.effects import EFFECTS_OF, effects
from biaskit.bias.moments import wilson_interval
from biaskit.bias.nulls import variable
from biaskit.bias.objects import arrange, boxes_from_pixels
from biaskit.bias.planted import planted
from biaskit.tables import BOXES, EFFECTS


def one(boxes, measure, null, effect, *, edges="with", policy="one", seed=1, **options):
    table = effects(boxes, seed=seed, policies=[policy], edges=[edges], **options)
    rows = table.query("measure == @measure and null == @null and effect == @effect")
    assert len(rows) == 1
    return rows.iloc[0]


def continuous(edges, frame=(100, 100)):
    return boxes_from_pixels(edges, frame=frame, lattice=0)


def test_offset_is_negative_left_of_and_above_the_middle():
    "y grows downwards"
    boxes = continuous([[20, 10, 40, 30], [30, 10, 50, 30]])
    assert one(boxes, "position_x", "frame", "offset").value == pytest.approx(-0.15)
    assert one(boxes, "position_y", "frame", "offset").value == pytest.approx(-0.3)
    # Of 80 px of free room, 20 and 30 lie left of the boxes.
    assert one(boxes, "position_x", "fit", "offset").value == pytest.approx(25 / 80 - 0.5)


def test_central_ninth_is_held_against_what_boxes_of_this_size_do():
    "A box of half the side has its centre in the middle third two times in three, on each axis"
    boxes = continuous([[25, 25, 75, 75], [0, 25, 50, 75], [26, 24, 76, 74], [25, 0, 75, 50]])
    share = one(boxes, "position", "frame", "central_ninth")
    excess = one(boxes, "position", "frame", "central_excess")
    assert (share.value, share.expected) == (pytest.approx(0.5), pytest.approx(4 / 9))
    assert (excess.value, excess.expected) == (pytest.approx(0.5 - 4 / 9), 0)
    assert one(boxes, "position", "fit", "central_ninth").expected == pytest.approx(1 / 9)


def test_whole_pixels_and_the_interior_change_what_is_expected():
    """
    Of 10 px a box of 4 has starts 0 to 6 and, spread over a pixel, centres between 1.5 and 8.5:
    a third of 10 in 7. Inside a margin of 3 px it has a single place, the middle.
    """
    boxes = boxes_from_pixels([[3, 3, 7, 7]] * 3, frame=(10, 10))
    expected = one(boxes, "position", "frame", "central_ninth").expected
    assert expected == pytest.approx((10 / 3 / 7) ** 2)
    inside = one(boxes, "position", "frame", "central_ninth", edges="without", edge_px=2)
    assert (inside.n, inside.value, inside.expected) == (3, 1, pytest.approx(1))


PLACES_OF_8_IN_40 = {
    (1, "with"): np.arange(0, 33),
    (1, "without"): np.arange(3, 30),  # pixels 3 to 36 are the interior
    (0, "without"): 2 + 28 * (np.arange(1000) + 0.5) / 1000,
}


@pytest.mark.parametrize(("lattice", "edges"), PLACES_OF_8_IN_40)
def test_boxes_on_all_their_places_are_as_central_as_expected(lattice, edges):
    """The ninth that is counted and the one that is expected are of the same stage"""
    places = PLACES_OF_8_IN_40[lattice, edges]
    starts = np.repeat(places, 1000 // len(places))
    boxes = boxes_from_pixels([[x, 3, x + 8, 37] for x in starts], frame=(40, 40), lattice=lattice)
    found = one(boxes, "position", "frame", "central_ninth", edges=edges, n_resamples=10)
    # All are in the middle of the other axis. Of 27 places or more only those at the two ends of
    # the third depend on U, each of 37 boxes with an error of 0.08 at most.
    assert found.value == pytest.approx(found.expected, abs=0.5 / 27)


def test_log_sizes_of_two_boxes():
    boxes = continuous([[0, 10, 10, 20], [0, 10, 10, 30]])
    mean = one(boxes, "height", "frame", "log_mean")
    spread = one(boxes, "height", "frame", "log_spread")
    assert mean.value == pytest.approx((np.log(0.1) + np.log(0.2)) / 2)
    assert spread.value == pytest.approx(np.log(2) / np.sqrt(2))
    # Minus the logarithm of a uniform number has mean 1 and standard deviation 1.
    assert (mean.expected, spread.expected) == (pytest.approx(-1), pytest.approx(1))


def test_what_log_uniform_sizes_are_expected_to_do():
    "Between 16 px and 1600 the logarithm is uniform over ln 100"
    boxes = continuous([[0, 0, 100, 100], [0, 0, 100, 300]], frame=(1600, 1600))
    assert one(boxes, "height", "log-uniform", "log_mean").expected == pytest.approx(
        -np.log(100) / 2
    )
    assert one(boxes, "area", "log-uniform", "log_spread").expected == pytest.approx(
        2 * np.log(100) / np.sqrt(12)
    )


def test_no_data_and_a_single_image_give_missing_values_and_no_error():
    full = boxes_from_pixels([[0, 0, 10, 10]], frame=(10, 10), category="full")
    few = boxes_from_pixels([[40, 40, 60, 60]], frame=(100, 100), category="single")
    table = effects(pd.concat([full, few], ignore_index=True), seed=1)
    fit = table.query("category == 'full' and measure == 'position_x' and null == 'fit'")
    assert (fit["n"] == 0).all()
    assert fit[["value", "low", "high", "expected", "level"]].isna().all(axis=None)
    offset = table.query("category == 'single' and effect == 'offset' and policy == 'all'")
    assert offset["value"].notna().all()
    assert offset[["low", "high"]].isna().all(axis=None)


def test_an_empty_table_gives_an_empty_one():
    assert effects(BOXES.empty(), seed=1).equals(EFFECTS.empty())


@pytest.fixture(scope="module")
def mixed():
    "Three categories of another kind and size, up to three objects per image"
    boxes = planted("near-copies", n_images=40, n_categories=2, seed=5)
    other = planted("small effect", n_images=25, n_categories=1, seed=6)
    return pd.concat([boxes, other.assign(category="other")], ignore_index=True)


@pytest.fixture(scope="module")
def mixed_effects(mixed):
    return effects(mixed, seed=3)


def test_the_order_of_the_rows_changes_no_byte(mixed, mixed_effects):
    shuffled = mixed.sample(frac=1, random_state=1, ignore_index=True)
    again = EFFECTS.to_arrow(effects(shuffled, seed=3))
    assert again.equals(EFFECTS.to_arrow(mixed_effects))


def test_other_categories_change_no_byte(mixed, mixed_effects):
    alone = effects(mixed[mixed["category"] == "other"], seed=3)
    within = mixed_effects[mixed_effects["category"] == "other"]
    assert EFFECTS.to_arrow(alone).equals(EFFECTS.to_arrow(within))


def test_rows_stand_in_the_order_of_the_keys(mixed_effects):
    text = mixed_effects.astype(dict.fromkeys(EFFECTS.keys, str))
    assert text.equals(EFFECTS.sort(text))
    assert set(text["effect"]) == set(EFFECTS_OF)


THREADS = """
import hashlib
from biaskit.bias.effects import effects
from biaskit.bias.planted import planted
from biaskit.tables import EFFECTS
boxes = planted("near-copies", n_images=700, seed=1)
table = effects(boxes, seed=1, policies=["weighted"], edges=["with"])
text = EFFECTS.to_arrow(table).to_pandas().to_csv(float_format="%.17g")
print(hashlib.sha256(text.encode()).hexdigest())
"""


def test_the_number_of_threads_changes_no_byte():
    found = set()
    for threads in "12":
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        done = subprocess.run(
            [sys.executable, "-c", THREADS],
            env={**os.environ, **dict.fromkeys(names, threads)},
            capture_output=True,
            text=True,
            check=True,
        )
        found.add(done.stdout)
    assert len(found) == 1


def test_the_number_of_workers_changes_no_byte(mixed, mixed_effects):
    again = EFFECTS.to_arrow(effects(mixed, seed=3, workers=1))
    assert again.equals(EFFECTS.to_arrow(mixed_effects))


def test_another_seed_draws_other_weights(mixed, mixed_effects):
    other = effects(mixed, seed=4)
    rows = (other["effect"] == "log_mean") & (other["policy"] == "all")
    assert (other.loc[rows, "value"] == mixed_effects.loc[rows, "value"]).all()
    assert (other.loc[rows, "low"] != mixed_effects.loc[rows, "low"]).all()


def test_resampled_totals_are_weights_times_columns(rng):
    "More images than one block holds, more columns than one piece"
    weights = ImageWeights(1, n_resamples=70)
    each = weights.totals(np.eye(300))  # the weight of every image
    assert set(np.unique(each)) <= set(range(16))
    assert (each.sum(axis=1) > 0).all()
    # Poisson(1): the mean of 21,000 weights has a standard error of .007.
    assert abs(each.mean() - 1) < 0.03
    assert abs(each.var() - 1) < 0.06
    columns = rng.integers(-200, 200, (300, 90)).astype(float)
    assert (weights.totals(columns) == columns.T @ each).all()


def test_rounding_of_the_columns_is_far_below_their_spread(rng):
    weights = ImageWeights(1, n_resamples=50)
    each = weights.totals(np.eye(200))
    columns = rng.random((200, 3))
    # Each entry moves by 2^-16 at most, their sum over 200 images by chance alone less.
    assert np.abs(weights.totals(columns) - columns.T @ each).max() < 200 * 2**-16


def test_the_percentile_interval_of_normal_means_is_students():
    "Resamples are narrower than the truth by sqrt((n - 1) / n), and t is wider than z"
    n = 20
    normal = special.ndtri((np.arange(200_001) + 0.5) / 200_001) * np.sqrt((n - 1) / n)
    low, high = percentile_interval(normal[None], n)
    assert high[0] == pytest.approx(stats.t.ppf(0.975, n - 1), abs=1e-3)
    assert low[0] == pytest.approx(-high[0], abs=1e-9)


def test_empty_resamples_are_set_aside():
    replicates = np.array([[np.nan, 0, 1, 2, np.nan], [np.nan] * 5])
    low, high = percentile_interval(replicates, 10**6)
    assert (low[0], high[0]) == (pytest.approx(0.05, abs=1e-4), pytest.approx(1.95, abs=1e-4))
    assert np.isnan([low[1], high[1]]).all()


def test_wilson_agrees_with_scipy():
    for hits, n in ((0, 7), (3, 11), (11, 11), (40, 90)):
        low, high = wilson_interval(np.array([hits / n]), np.array([n]))
        theirs = stats.binomtest(hits, n).proportion_ci(method="wilson")
        assert (low[0], high[0]) == (pytest.approx(theirs.low), pytest.approx(theirs.high))


def test_few_hits_get_an_interval_that_does_not_end_at_them():
    "No box of 30 in the middle: resamples of zeros are zeros"
    boxes = continuous([[0, 0, 10, 10]] * 30)
    row = one(boxes, "position", "fit", "central_ninth")
    assert (row.value, row.low) == (0, 0)
    assert row.high == pytest.approx(stats.binomtest(0, 30).proportion_ci(method="wilson").high)


def test_ks_distance_agrees_with_scipy():
    boxes = planted("large effect", n_images=80, seed=1)
    u = variable(arrange(boxes), "position_y", "fit", "with", seed=1).u
    d = stats.kstest(u, "uniform").statistic
    row = one(boxes, "position_y", "fit", "ks_distance")
    assert row.value == pytest.approx(np.sqrt(d**2 - np.pi**2 / 12 / 80))
    assert row.low == pytest.approx(d - stats.kstwo.isf(0.05, 80), rel=2e-3)


def test_cohens_w_inverts_the_noncentral_chi_square():
    boxes = planted("large effect", n_images=120, seed=1)
    u = variable(arrange(boxes), "height", "frame", "with", seed=1).u
    counts = np.histogram(u, np.linspace(0, 1, 11))[0]
    x2 = stats.chisquare(counts).statistic
    row = one(boxes, "height", "frame", "cohens_w")
    assert row.value == pytest.approx(np.sqrt((x2 - 9) / 120))
    assert stats.ncx2.sf(x2, 9, 120 * row.low**2) == pytest.approx(0.05, abs=1e-6)
    finds = one(boxes, "height", "frame", "detectable_w_5pct")
    power = stats.ncx2.sf(stats.chi2.isf(0.05, 9), 9, 120 * finds.value**2)
    assert power == pytest.approx(0.8)


def test_detectable_w_of_the_fact_sheet():
    for level, n, w in ((0.05, 80, 0.485), (0.05, 615, 0.175), (1e-10, 80, 1), (1e-10, 615, 0.36)):
        found = distances.detectable_w(np.array([n]), 16, level=level)
        assert found[0] == pytest.approx(w, abs=0.005)
    assert np.isnan(distances.detectable_w(np.array([np.nan]), 16, level=0.05)[0])


def test_the_noncentrality_is_smooth_beyond_its_table():
    "Below and above X2 = 1.6e5 the two ways to find it agree with scipy's inverse"
    n = np.full(3, 1e6)
    for x2 in (1e2, 1e5, 1.5e5, 1.8e5, 5e5):
        shift = np.sqrt(x2 / 1e6 / 4) / 2  # two of four cells up, two down: w = 2 shift
        shares = np.array([[0.25 + shift] * 2 + [0.25 - shift] * 2])
        low = distances.cohens_w(shares, n[:1]).low[0]
        exact = special.chndtrinc(4 * 1e6 * 4 * shift**2, 3.0, 0.95)
        assert 1e6 * low**2 == pytest.approx(exact, rel=1e-6)


def test_mean_distances_of_the_null_are_exact():
    "Against the binomial law summed by hand, and across the switch to the series"
    for n, k in ((1, 16), (50, 16), (77, 25)):
        x = np.arange(n + 1)
        pmf = stats.binom.pmf(x, n, 1 / k)
        tv = k / 2 * (pmf * np.abs(x / n - 1 / k)).sum()
        kl = np.log(k) + k * (pmf * special.xlogy(x / n, x / n)).sum()
        assert distances._null_total_variation(np.array([n]), k)[0] == pytest.approx(tv)
        assert distances._null_kl(np.array([n]), k)[0] == pytest.approx(kl)
    below, above = distances._null_kl(np.array([2000, 2001]), 10)
    assert below * 2000 / 2001 == pytest.approx(above, rel=1e-5)


def test_lower_limits_are_standard_errors_below_the_value():
    shares, n, few = np.array([[0.7, 0.1, 0.1, 0.1]]), np.array([100.0]), np.array([4.0])
    z = stats.norm.ppf(0.95)
    tv = distances.total_variation(shares, n)
    assert tv.low[0] == pytest.approx(tv.value[0] - z / 20)
    kl = distances.kl_divergence(shares, n, np.array([0.05]))
    assert kl.low[0] == pytest.approx(kl.value[0] - z * 0.05)
    # Chi-square does not reject four objects so spread: their limit stays at zero.
    assert distances.total_variation(shares, few).low[0] == 0
    assert distances.kl_divergence(shares, few, np.array([0.0])).low[0] == 0


def test_copies_within_an_image_add_no_evidence():
    "Each box three times: policy all sees three times the objects, and a design effect of 3"
    single = planted("uniform areas", n_images=60, seed=1)
    copies = pd.concat([single.assign(object=k) for k in range(3)], ignore_index=True)
    for effect in ("cohens_w", "total_variation", "kl_divergence", "ks_distance", "log_spread"):
        measure, null = "height", "log-uniform"
        once = one(single, measure, null, effect)
        thrice = one(copies, measure, null, effect, policy="all")
        assert (thrice.n, thrice.value) == (once.n, pytest.approx(once.value))
        # What is resampled is rounded to 2^-15 of its largest.
        assert thrice.low == pytest.approx(once.low, rel=1e-3)


SHARE = 400  # simulated categories; four standard errors of a share of .05 among them are .044


@pytest.fixture(scope="module")
def free():
    boxes = planted("free", n_images=50, n_categories=SHARE, seed=20180530)
    return effects(boxes, seed=1, n_resamples=400, policies=["one"], edges=["with"])


@pytest.mark.parametrize("effect", ["total_variation", "kl_divergence", "cohens_w", "ks_distance"])
def test_a_lower_limit_seldom_leaves_zero_when_the_null_is_true(free, effect):
    for measure in ("position", "position_x", "position_y"):
        rows = free.query("measure == @measure and null == 'fit' and effect == @effect")
        if effect == "ks_distance" and measure == "position":
            assert rows.empty
            continue
        assert len(rows) == SHARE
        assert (rows["low"] > 0).mean() < 0.05 + 0.044
        assert (rows["value"] >= rows["low"] - 1e-12).all()


@pytest.mark.parametrize(
    ("measure", "effect"), [("position_y", "offset"), ("position", "central_excess")]
)
def test_two_sided_intervals_hold_the_truth(free, measure, effect):
    rows = free.query("measure == @measure and null == 'fit' and effect == @effect")
    held = ((rows["low"] <= 0) & (rows["high"] >= 0)).mean()
    assert abs(held - 0.95) < 0.044


def test_a_planted_offset_has_its_sign():
    boxes = planted("horizon", n_images=400, seed=1)
    row = one(boxes, "position_y", "fit", "offset")
    # v is Beta(1.3, 1): its mean is 1.3 / 2.3, its standard error here .014.
    assert abs(row.value - (1.3 / 2.3 - 0.5)) < 0.056
    assert row.low > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"policies": ["two"]}, "'two' is unknown; known: one, weighted, all, largest"),
        ({"edges": ["both"]}, "'both' is unknown; known: with, without"),
        ({"n_resamples": 0}, "n_resamples is 0, expected at least 1"),
        ({"workers": 0}, "workers is 0, expected at least 1"),
    ],
)
def test_wrong_calls_are_refused(options, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        effects(continuous([[0, 0, 10, 10]]), seed=1, **options)


def test_progress_counts_to_its_total(mixed):
    seen = []
    options = {"n_resamples": 2, "policies": ["one", "all"], "edges": ["with"]}
    effects(mixed, seed=1, progress=lambda *state: seen.append(state), **options)
    assert seen == [(k, 6) for k in range(1, 7)]


@pytest.fixture
def rng():
    return np.random.default_rng(20180530)
