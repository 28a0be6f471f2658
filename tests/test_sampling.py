"""Sampling at every s-th place: energy by frequency, low-pass, rebuilding, the demonstration."""

import json
import re

import numpy as np
import pytest

from biaskit.charts.render import inline_svg
from biaskit.charts.sampling import sampling
from biaskit.cli import main
from biaskit.study import Study
from biaskit.sweeps.sampling import (
    binomial,
    blur,
    energies,
    interpolate,
    low_pass,
    low_pass_matrix,
    subsample,
)
from biaskit.sweeps.sampling_cases import demonstration, demonstration_curves, waves
from biaskit.tables import SAMPLING
from biaskit.tables.inside import SAMPLING_CASES

ROUNDING = 1e-12  # of float64 sums of some thousand terms of size 1: 1e-16 times their number, less


@pytest.fixture
def rng():
    return np.random.default_rng(20180530)


def wave(n, *cycles, phase=0.3):
    "A cosine of some cycles per n places along each axis"
    places = np.indices((n,) * len(cycles))
    turns = sum(k * place for k, place in zip(cycles, places, strict=True)) / n
    return np.cos(2 * np.pi * turns + phase)


def shares(maps, factor, *, periodic=True):
    found = energies(maps, factor, periodic=periodic)
    return found.above_nyquist, found.onto_dc


# Energies


@pytest.mark.parametrize(
    ("cycles", "above", "onto"),
    [
        ((1, 0), 0, 0),
        ((2, 2), 0, 0),  # 2 of 24 is below 1/8, the half of 1/4
        ((3, 0), 1, 0),  # exactly half the rate counts as above
        ((0, 3), 1, 0),
        ((2, 5), 1, 0),
        ((6, 0), 1, 1),
        ((6, 6), 1, 1),
        ((0, 12), 1, 1),
        ((6, 1), 1, 0),  # a multiple along one axis only
    ],
)
def test_a_wave_is_counted_where_its_frequency_is(cycles, above, onto):
    "24 places at every fourth: half the rate is 3 cycles, its multiples are 6 and 12"
    assert shares(5 + wave(24, *cycles), 4) == (
        pytest.approx(above, abs=ROUNDING),
        pytest.approx(onto, abs=ROUNDING),
    )


def test_the_share_of_two_waves_is_that_of_their_squares():
    "Amplitudes 2 below and 1 at the rate: 1 of 5 is above, and folds onto the sum"
    maps = 2 * wave(24, 1, 0) + wave(24, 6, 0)
    assert shares(maps, 4) == (pytest.approx(0.2), pytest.approx(0.2))


def test_along_an_axis_of_factor_one_nothing_is_above():
    vertical, horizontal = wave(12, 6, 0), wave(12, 0, 6)
    maps = np.stack([vertical, horizontal])
    above, onto = shares(maps, (2, 1))
    np.testing.assert_allclose(above, [1, 0], atol=ROUNDING)
    np.testing.assert_allclose(onto, [1, 0], atol=ROUNDING)
    np.testing.assert_allclose(shares(maps, (2, 1), periodic=False)[0][1], 0, atol=ROUNDING)


def spectrum_shares(map_, factors):
    "Straight from the definition, one frequency after the other"
    power = abs(np.fft.fft2(map_)) ** 2
    power[0, 0] = 0
    f_y, f_x = (abs(np.fft.fftfreq(n))[:, None] for n in map_.shape)
    near = 1e-9
    high_y = f_y * 2 * factors[0] > 1 - near if factors[0] > 1 else np.zeros_like(f_y, bool)
    high_x = f_x * 2 * factors[1] > 1 - near if factors[1] > 1 else np.zeros_like(f_x, bool)
    whole_y, whole_x = (
        abs(f * s - np.round(f * s)) < near for f, s in zip((f_y, f_x), factors, strict=True)
    )
    total = power.sum()
    return power[high_y | high_x.T].sum() / total, power[whole_y & whole_x.T].sum() / total


@pytest.mark.parametrize("factors", [(2, 2), (4, 4), (3, 1), (1, 2), (4, 6), (12, 2)])
@pytest.mark.parametrize("shape", [(24, 36), (12, 12)])
def test_energies_agree_with_a_fourier_transform(rng, factors, shape):
    "What folds onto the sum is Parseval's identity on the sums of the phases: no transform"
    maps = rng.exponential(size=(5, *shape))
    expected = np.array([spectrum_shares(one, factors) for one in maps]).T
    np.testing.assert_allclose(shares(maps, factors), expected, rtol=1e-10)
    onto = shares(maps, factors, periodic=False)[1]
    np.testing.assert_allclose(onto, expected[1], rtol=1e-10)


@pytest.mark.parametrize("s", [2, 3, 4])
def test_of_a_map_that_ends_at_its_border_the_mirrored_map_is_measured(rng, s):
    "Mirrored, it is periodic with twice the places, and half the rate lies at the same frequency"
    maps = rng.normal(size=(3, 12, 24))
    doubled = np.pad(maps, ((0, 0), (0, 12), (0, 24)), mode="symmetric")
    above = shares(maps, s, periodic=False)[0]
    np.testing.assert_allclose(above, shares(doubled, s)[0], rtol=1e-10)


def test_a_ramp_has_no_high_frequencies_but_a_border():
    """
    A plain DFT sees the jump from its end to its start; mirrored, there is none.

    Its samples' sums do move, so energy folds onto the sum all the same.
    """
    ramp = np.tile(np.arange(64.0), (64, 1))
    assert shares(ramp, 2, periodic=False)[0] < 1e-4 < 1e-2 < shares(ramp, 2)[0]
    # The wave of 1/2 in it is 1/2 up and down, of variance 1/4; that of 0 .. 63 is 4095/12.
    assert shares(ramp, 2, periodic=False)[1] == pytest.approx(0.25 / (4095 / 12))


@pytest.mark.parametrize("periodic", [True, False])
def test_maps_are_cut_to_multiples_of_the_factor(rng, periodic):
    maps = rng.normal(size=(2, 13, 14))
    kept = shares(maps[:, :12, :12], 4, periodic=periodic)
    np.testing.assert_array_equal(shares(maps, 4, periodic=periodic), kept)


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_map_without_energy_has_no_share(periodic, dtype):
    "A constant that no float holds exactly is constant all the same"
    maps = np.stack([np.full((12, 12), 0.1), np.zeros((12, 12)), wave(12, 1, 0)]).astype(dtype)
    above, onto = shares(maps, 2, periodic=periodic)
    assert np.isnan(above).tolist() == [True, True, False]
    assert np.isnan(onto).tolist() == [True, True, False]


def test_where_no_place_is_dropped_there_is_no_share(rng):
    assert np.isnan(shares(rng.normal(size=(2, 3, 6, 6)), 1)).all()


def test_shares_know_neither_the_scale_nor_the_level_of_a_map(rng):
    "Squares of 1e-30 or 1e30 have no place in a float32"
    maps = rng.normal(size=(4, 16, 16)).astype(np.float32)
    expected = shares(maps.astype(float), 4, periodic=False)
    for scale in (1e-30, 1, 1e30):
        found = shares(maps * np.float32(scale), 4, periodic=False)
        np.testing.assert_allclose(found, expected, rtol=1e-5)  # float32 rounds to 6e-8
    np.testing.assert_allclose(shares(maps + 64, 4, periodic=False), expected, rtol=1e-3)


def test_no_share_is_above_one_whatever_the_rounding(rng):
    "The whole energy of checkerboards is above, and on the sum"
    board = np.where(np.indices((14, 14)).sum(axis=0) % 2, 1, -1)
    maps = (board * rng.exponential(size=(200, 1, 1))).astype(np.float32)
    for periodic in (True, False):
        above, onto = shares(maps, 2, periodic=periodic)
        assert (above <= 1).all()
        assert (onto <= 1).all()
    assert onto.min() == pytest.approx(1)


@pytest.mark.parametrize(
    ("maps", "factor", "message"),
    [
        (np.ones((4, 4)), 0, "factor is 0, expected a whole number of at least 1, or 2 of them"),
        (np.ones((4, 4)), 1.5, "factor is 1.5, expected a whole number of at least 1, or 2 of"),
        (np.ones((4, 4)), (2, 2, 2), "factor is (2, 2, 2), expected a whole number of at least"),
        (np.ones((4, 4)), "two", "factor is 'two', expected a whole number of at least 1, or 2"),
        (np.ones(4), 2, "maps have shape (4,), expected (..., height, width)"),
        (np.ones((9, 3, 8)), 4, "maps have shape (9, 3, 8), smaller than the factor (4, 4)"),
        (np.diag([1, np.nan]), 2, "maps hold a value that is not finite"),
        (np.diag([1, np.inf]), 2, "maps hold a value that is not finite"),
    ],
)
def test_what_cannot_be_measured_is_refused(maps, factor, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        energies(maps, factor, periodic=True)


# Low-pass


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize(("n", "s"), [(12, 2), (12, 3), (13, 2), (7, 4), (1, 2), (3, 5)])
def test_the_ideal_low_pass_keeps_the_mean_and_filters_once_for_all(n, s, periodic):
    matrix = low_pass_matrix(n, s, periodic=periodic)
    np.testing.assert_allclose(matrix, matrix.T, atol=ROUNDING)
    np.testing.assert_allclose(matrix @ matrix, matrix, atol=ROUNDING)
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=ROUNDING)


@pytest.mark.parametrize("k", range(13))
def test_the_ideal_low_pass_keeps_what_is_below_half_the_rate_and_cuts_the_rest(k):
    "Of 24 places at every fourth 3 cycles and more go; of mirrored axes 6 half cycles and more"
    line = wave(24, k)
    kept = low_pass(line, 4, periodic=True)
    np.testing.assert_allclose(kept, line if k < 3 else 0, atol=ROUNDING)
    half = np.cos(np.pi * k * (np.arange(24) + 0.5) / 24)
    kept = low_pass(half, 4, periodic=False)
    np.testing.assert_allclose(kept, half if k < 6 else 0, atol=ROUNDING)


@pytest.mark.parametrize("periodic", [True, False])
def test_what_was_filtered_has_no_energy_above(rng, periodic):
    maps = low_pass(rng.normal(size=(24, 36)), (4, 2), periodic=periodic)
    assert shares(maps, (4, 2), periodic=periodic)[0] < ROUNDING


@pytest.mark.parametrize(("n", "s"), [(12, 2), (13, 2), (30, 4)])
def test_an_axis_that_ends_is_filtered_as_a_circle_with_its_mirror_image(rng, n, s):
    line = rng.normal(size=n)
    circle = np.concatenate([line, line[::-1]])
    np.testing.assert_allclose(
        low_pass(line, s, periodic=False),
        low_pass(circle, s, periodic=True)[:n],
        atol=ROUNDING,
    )


def test_a_ramp_that_ends_at_its_border_does_not_ring_and_one_on_a_circle_does():
    """
    Its mirror image meets it without a jump, its other end does not.

    On a circle of 64 every bin but the mean has the real part -32, so at place 0 each is -32 / 64
    of the ramp; the 33 bins from 16 to 48 are cut.
    """
    ramp = np.arange(64.0)
    assert low_pass(ramp, 2, periodic=True)[0] == pytest.approx(33 * 32 / 64)
    assert abs(low_pass(ramp, 2, periodic=False) - ramp).max() < 0.2


def test_factor_one_filters_nothing(rng):
    "Not even the frequency 1/2"
    for periodic in (True, False):
        np.testing.assert_allclose(
            low_pass_matrix(8, 1, periodic=periodic), np.eye(8), atol=ROUNDING
        )


@pytest.mark.parametrize(("n", "s"), [(0, 2), (8, 0), (8, -1), (8.5, 2)])
def test_a_matrix_that_is_none_is_refused(n, s):
    with pytest.raises(ValueError, match=r"expected a whole number of at least 1$"):
        low_pass_matrix(n, s, periodic=True)


@pytest.mark.parametrize("size", range(1, 8))
def test_binomials_are_rows_of_pascals_triangle(size):
    expected = np.array([1.0])
    for _ in range(size - 1):
        expected = np.convolve(expected, [0.5, 0.5])
    np.testing.assert_array_equal(binomial(size), expected)


@pytest.mark.parametrize("size", [0, 8, 2.0])
def test_other_numbers_of_taps_are_refused(size):
    with pytest.raises(ValueError, match=rf"^size is {size}, expected "):
        binomial(size)


_BINOMIALS = [(1, 2, False), (2, 2, True), (3, 2, True), (3, 4, False), (7, 2, True)]


@pytest.mark.parametrize(("size", "s", "stays"), _BINOMIALS)
def test_a_binomial_keeps_the_sum_of_every_second_place_but_not_of_every_fourth(
    rng, size, s, stays
):
    "Its zero is at 1/2, the only frequency that folds onto the sum at s = 2"
    blurred = blur(rng.exponential(size=(24, 24)), size, periodic=True)
    sums = [subsample(blurred, s, (p, q)).sum() for p in range(s) for q in range(s)]
    assert (np.ptp(sums) / np.mean(sums) < ROUNDING) == stays


def test_a_blur_mirrors_what_ends_at_its_border():
    assert blur(np.array([4.0, 0, 0]), 3, periodic=False).tolist() == [3, 1, 0]
    assert blur(np.array([4.0, 0, 0]), 3, periodic=True).tolist() == [2, 1, 1]


# Samples


def test_the_sum_of_samples_is_the_sum_of_the_waves_at_the_rate(rng):
    "S(p) = (1/s) sum over k of X(k/s) exp(2 pi i k p / s), the formula of the module"
    line, s = rng.normal(size=24), 4
    rates = np.fft.fft(line)[:: 24 // s]
    for p in range(24):
        expected = (rates * np.exp(2j * np.pi * np.arange(s) * p / s)).sum() / s
        assert subsample(line, s, p).sum() == pytest.approx(expected.real, abs=ROUNDING)
        assert abs(expected.imag) < ROUNDING


def test_samples_that_would_not_close_are_refused():
    with pytest.raises(ValueError, match=r"^shape is \(10,\), expected multiples of the factor"):
        subsample(np.ones(10), 4)


@pytest.mark.parametrize("s", [2, 3, 5])
def test_what_is_below_half_the_rate_is_rebuilt_and_all_else_is_not(rng, s):
    response = rng.normal(size=(30, 30))
    low = low_pass(response, s, periodic=True)
    np.testing.assert_allclose(interpolate(low[::s, ::s], s), low, atol=ROUNDING)
    assert abs(interpolate(response[::s, ::s], s) - response).max() > 0.1


# The demonstration


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("factor", [2, 3, 4, 5, 16])
def test_the_sum_stays_without_energy_at_the_rate_and_samples_suffice_without_energy_above(
    factor, seed
):
    table = demonstration(n=15 * factor, factor=factor, seed=seed)
    assert table["case"].tolist() == list(SAMPLING_CASES) * 2
    assert table["sum_invariant"].tolist() == [True, True, False, False] * 2
    assert table["shiftable"].tolist() == [True, False, False, False] * 2
    for d in (1, 2):
        none, beside, onto, relu = (row for _, row in table[table["dimensions"] == d].iterrows())
        assert max(none["sum_variation"], beside["sum_variation"]) < ROUNDING
        assert none["interpolation_error"] < ROUNDING
        # Waves of root mean square 1 below, 0.3 above.
        high = 0.09 / 1.09
        assert beside["energy_above_nyquist"] == pytest.approx(high)
        assert beside["energy_onto_dc"] < ROUNDING
        assert onto["energy_onto_dc"] == pytest.approx(high)
        # What is above is lost, and comes back as something else of the same energy: 2 high.
        assert beside["interpolation_error"] == pytest.approx(np.sqrt(2 * high))
        assert onto["interpolation_error"] == pytest.approx(np.sqrt(2 * high))
        assert relu["energy_above_nyquist"] < ROUNDING
        assert relu["sum_variation"] > 1e-3


def test_the_sum_moves_as_far_as_its_one_wave_does():
    "At s = 2 the wave is 0.3 or -0.3 on every sample, of mean 1: from 1.3 to 0.7"
    row = demonstration(n=30, factor=2, dimensions=(1,)).iloc[2]
    assert row["sum_variation"] == pytest.approx(0.6)


def test_shifts_beyond_the_factor_give_no_other_sums():
    "A demonstration at every one of the n shifts would say the same"
    response = 1 + waves(20, [(1,), (5,)], seed=3)
    sums = np.array([subsample(response, 4, p).sum() for p in range(20)])
    np.testing.assert_allclose(sums, np.tile(sums[:4], 5), atol=ROUNDING)


def test_the_phase_of_a_wave_is_its_own():
    "The second wave does not change the first, but for the common scale"
    one, both = waves(20, [(1,)], seed=3), waves(20, [(1,), (5,)], seed=3)
    np.testing.assert_allclose(np.fft.rfft(both)[1] * np.sqrt(2), np.fft.rfft(one)[1])
    assert not np.allclose(one, waves(20, [(1,)], seed=4))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"factor": 1}, "factor is 1, expected at least 2: of 1 no place is dropped"),
        ({"n": 61}, "n is 61, expected a multiple of 4, and at least 12"),
        ({"n": 8}, "n is 8, expected a multiple of 4, and at least 12"),
        ({"dimensions": (3,)}, "dimensions are (3,), expected 1, 2 or both"),
    ],
)
def test_a_demonstration_of_nothing_is_refused(options, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        demonstration(**options)


def test_the_least_demonstration_shows_the_same():
    table = demonstration(n=6, factor=2)
    assert table["sum_invariant"].tolist() == [True, True, False, False] * 2
    assert table["shiftable"].tolist() == [True, False, False, False] * 2


def test_curves_are_the_demonstrations_responses():
    curves, table = demonstration_curves(seed=5), demonstration(seed=5, dimensions=(1,))
    for _, row in table.iterrows():
        own = curves[curves["case"] == row["case"]]
        kinds = {
            kind: part.set_index(["shift", "place"])["value"] for kind, part in own.groupby("kind")
        }
        sums = kinds["samples"].groupby("shift").sum()
        assert np.ptp(sums) / sums.mean() == pytest.approx(row["sum_variation"], abs=ROUNDING)
        at_samples = kinds["rebuilt"].loc[kinds["samples"].index]
        np.testing.assert_allclose(at_samples, kinds["samples"], atol=ROUNDING)
        response = kinds["response"].loc[0]
        errors = kinds["rebuilt"].unstack("shift").sub(response, axis=0)
        error = np.sqrt((errors**2).to_numpy().mean()) / response.std(ddof=0)
        assert error == pytest.approx(row["interpolation_error"], abs=ROUNDING)


# Chart and command


def test_the_chart_is_valid_and_says_what_each_panel_shows():
    chart = sampling(demonstration(), demonstration_curves())
    spec = json.dumps(chart.to_dict(), ensure_ascii=False)  # checked against Vega-Lite's schema
    assert "n = 60 places" in " ".join(chart.title.text)
    assert spec.count("The sum stays;") == 2
    assert "The sum moves by 79 % of its mean;" in spec
    picture = inline_svg(chart, name="a", label="Sampling", description="")
    assert "currentColor" in picture


def test_bars_are_the_sums_of_their_mean_and_the_shifts_that_are_drawn_have_a_colour():
    chart = sampling(demonstration(), demonstration_curves())
    bars = [rows for rows in chart.to_dict()["datasets"].values() if rows and "shown" in rows[0]]
    assert len(bars) == 4
    for rows, variation in zip(bars, demonstration()["sum_variation"], strict=False):
        sums = [row["sum"] for row in rows]
        assert np.mean(sums) == pytest.approx(1, abs=1e-5)  # written to five digits
        assert np.ptp(sums) == pytest.approx(variation, abs=2e-5)
        assert [row["shown"] for row in rows] == ["0", "1", "others", "others"]


def test_a_chart_of_no_case_draws_nothing_and_fails_not():
    curves = demonstration_curves().iloc[:0]
    assert sampling(SAMPLING.empty(), curves).title.text == ["No response"]


def test_the_command_writes_the_table_and_the_chart(tmp_path, capsys):
    study, picture = tmp_path / "study", tmp_path / "sampling.svg"
    call = ["sampling", "--study", str(study), "--factor", "3", "--seed", "7"]
    assert main([*call, "--output", str(picture)]) == 0
    captured = capsys.readouterr()
    assert "Responses of 45 places along each side, one place in 3 sampled" in captured.out
    assert "sampling.svg: a chart of the cases along a line" in captured.err
    table = Study(study).read("sampling")
    assert table.equals(demonstration(n=45, factor=3, seed=7))
    assert Study(study).provenance("sampling")["options"] == {"factor": 3}
    origin = json.loads(picture.with_name("sampling.svg.json").read_text())
    assert origin["inputs"] == [Study(study).digest("sampling")]

    before = Study(study).provenance("sampling")["date"]
    assert main([*call, "--json", "--quiet"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    told = json.loads(captured.out)["sampling"]
    assert [row["sum_invariant"] for row in told] == table["sum_invariant"].tolist()
    assert Study(study).provenance("sampling")["date"] == before


def test_the_command_refuses_another_factor_until_told_to_replace(tmp_path, capsys):
    call = ["sampling", "--study", str(tmp_path / "study")]
    assert main(call) == 0
    assert main([*call, "--factor", "2"]) == 2
    assert "--factor was 4, now 2" in capsys.readouterr().err
    assert main([*call, "--factor", "2", "--replace"]) == 0
    assert Study(tmp_path / "study").read("sampling")["factor"].unique().tolist() == [2]
    assert main([*call, "--factor", "1"]) == 2
    assert "--factor" in capsys.readouterr().err
