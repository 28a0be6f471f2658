"""The image's own pixels stay as they are, and what is around them is what the fill's name says."""

import numpy as np
import pytest
from scipy.sparse import lil_matrix
from scipy.sparse.linalg import spsolve

from biaskit.sweeps import harmonic
from biaskit.sweeps.canvases import FILLS, LOCAL_FILLS, fill_canvas
from biaskit.sweeps.harmonic import fill_harmonic, harmonic_outside


@pytest.fixture
def image():
    rng = np.random.default_rng(20180530)
    coarse = rng.integers(0, 256, (6, 8, 3)).astype(np.uint8)
    return np.kron(coarse, np.ones((6, 6, 1), np.uint8))  # 36 x 48


@pytest.mark.parametrize("fill", FILLS)
def test_the_image_is_untouched_and_every_other_pixel_is_filled_the_same_way_twice(image, fill):
    canvas = fill_canvas(image, (100, 120), (30, 40), fill, seed=3)
    assert canvas.shape == (100, 120, 3)
    assert canvas.dtype == np.uint8
    assert np.array_equal(canvas[30:66, 40:88], image)
    assert np.array_equal(canvas, fill_canvas(image, (100, 120), (30, 40), fill, seed=3))


@pytest.mark.parametrize("fill", FILLS)
def test_an_image_that_reaches_outside_is_cut_at_the_canvas(image, fill):
    canvas = fill_canvas(image, (60, 60), (-10, 30), fill, seed=3)
    assert np.array_equal(canvas[:26, 30:], image[10:, :30])


@pytest.mark.parametrize("fill", FILLS)
def test_an_image_as_large_as_the_canvas_leaves_nothing_to_fill(image, fill):
    assert np.array_equal(fill_canvas(image, image.shape[:2], (0, 0), fill, seed=3), image)


@pytest.mark.parametrize("fill", FILLS)
def test_a_thin_image_can_be_filled_around(fill):
    line = np.full((1, 40, 3), 77, np.uint8)
    canvas = fill_canvas(line, (64, 64), (30, 10), fill, seed=3)
    assert (canvas[30, 10:50] == 77).all()
    if fill not in ("black", "noise", "telea"):  # OpenCV's Telea strays by 8 levels
        assert (canvas == 77).all()  # one colour can only be surrounded by itself


@pytest.mark.parametrize("fill", sorted(LOCAL_FILLS))
def test_a_part_of_a_local_fill_is_the_same_whether_the_rest_is_made_or_not(image, fill):
    whole = fill_canvas(image, (200, 200), (80, 90), fill, seed=0)
    part = fill_canvas(image, (90, 100), (20, 40), fill, seed=0)
    assert np.array_equal(part, whole[60:150, 50:150])


@pytest.mark.parametrize("fill", ["telea", "navier-stokes", "ring"])
def test_fills_that_carry_the_rim_outwards_are_nearly_the_same_on_a_part(image, fill):
    "So filling anew at each step, as the paper seems to, has no artefact with them"
    whole = fill_canvas(image, (200, 200), (80, 90), fill, seed=0).astype(int)
    part = fill_canvas(image, (90, 100), (20, 40), fill, seed=0)
    assert abs(part - whole[60:150, 50:150]).mean() < 1


def test_noise_has_the_images_mean_and_spread_and_another_seed_is_other_noise(image):
    canvas = fill_canvas(
        np.full((8, 8, 3), [60, 120, 180], np.uint8), (64, 64), (0, 0), "noise", seed=1
    )
    assert (canvas[32:] == [60, 120, 180]).all()  # no spread: no noise
    one, other = (fill_canvas(image, (400, 400), (0, 0), "noise", seed=s) for s in (1, 2))
    outside = one[40:].reshape(-1, 3).astype(float)
    # Cut at 0 and 255 the spread shrinks a little; 10 grey levels are far above chance.
    assert abs(outside.mean(axis=0) - image.mean(axis=(0, 1))).max() < 10
    assert abs(outside.std(axis=0) - image.std(axis=(0, 1))).max() < 15
    assert not np.array_equal(one, other)


def test_reflection_repeats_the_image(image):
    canvas = fill_canvas(image, (36 * 3, 48), (36, 0), "reflect", seed=0)
    assert np.array_equal(canvas[:36], image[::-1])
    assert np.array_equal(canvas[72:], image[::-1])


def test_an_unknown_fill_and_an_image_off_the_canvas_are_refused(image):
    with pytest.raises(ValueError, match="unknown fill 'pink'; known: harmonic, telea"):
        fill_canvas(image, (90, 90), (0, 0), "pink", seed=0)
    with pytest.raises(ValueError, match="is not on a canvas"):
        fill_canvas(image, (90, 90), (90, 0), "mean", seed=0)


def solved_directly(values, low, high):
    "Laplace's equation as one sparse system: no flow across the border, the rectangle given"
    rows, columns, _ = values.shape
    number = np.arange(rows * columns).reshape(rows, columns)
    system, given = lil_matrix((rows * columns,) * 2), np.zeros((rows * columns, values.shape[2]))
    for i in range(rows):
        for j in range(columns):
            k = number[i, j]
            if low[0] <= i < high[0] and low[1] <= j < high[1]:
                system[k, k], given[k] = 1, values[i, j]
                continue
            for y, x in ((i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)):
                if 0 <= y < rows and 0 <= x < columns:
                    system[k, k] += 1
                    system[k, number[y, x]] -= 1
    return spsolve(system.tocsc(), given).reshape(values.shape)


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ((7, 5), (13, 17)),
        ((0, 0), (3, 4)),
        ((10, 3), (11, 20)),
        ((5, 0), (9, 24)),
        ((4, 4), (5, 5)),
    ],
)
def test_the_harmonic_solution_is_that_of_the_linear_system(monkeypatch, low, high):
    monkeypatch.setattr(harmonic, "TOLERANCE", 1e-9)
    values = np.random.default_rng(7).uniform(0, 255, (18, 24, 2))
    found = harmonic_outside(values, low, high)
    assert abs(found - solved_directly(values, low, high)).max() < 1e-5


def test_the_harmonic_fill_invents_no_brightness_and_no_edge(image):
    canvas = fill_harmonic(image, (200, 200), (80, 70, 36, 48)).astype(int)
    outside = np.ones((200, 200), bool)
    outside[80:116, 70:118] = False
    # The mean of neighbours lies between them; 2 grey levels are rounding and the tolerance.
    assert canvas[outside].min() >= int(image.min()) - 2
    assert canvas[outside].max() <= int(image.max()) + 2
    far = canvas[:60]  # 20 px away: no step between neighbours is larger than some grey levels
    assert abs(np.diff(far, axis=0)).max() <= 6
