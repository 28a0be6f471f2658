import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biaskit.geometry import box_pixels, iou_matrix, touching


@given(
    side=st.integers(1, 10_000),
    step=st.sampled_from([1.0, 0.5, 0.25, 0.01, 4.0]),
    data=st.data(),
)
def test_fractions_of_the_side_come_back_as_the_very_pixels(side, step, data):
    last = int(side / step)
    low = data.draw(st.integers(0, last)) * step
    high = data.draw(st.integers(int(low / step), last)) * step
    start, size = box_pixels(
        np.array([low / side]), np.array([high / side]), np.array([side]), np.array([step])
    )
    assert start[0] == np.rint(low / step) * step
    # The difference of two multiples of the step rounds once.
    assert size[0] == pytest.approx(high - low, rel=1e-12, abs=1e-9)


def test_continuous_boxes_are_not_rounded():
    start, size = box_pixels(np.array([0.123]), np.array([0.5]), np.array([10]), np.array([0.0]))
    assert (start[0], size[0]) == (0.123 * 10, 0.5 * 10 - 0.123 * 10)


@pytest.mark.parametrize(
    ("start", "low", "high"), [(0, True, False), (2, True, False), (3, False, False)]
)
def test_two_pixels_of_room_touch_on_the_left_and_three_do_not(start, low, high):
    found = touching(np.array([start]), np.array([4.0]), np.array([20.0]), 2)
    assert (found[0][0], found[1][0]) == (low, high)


@pytest.mark.parametrize(("room", "high"), [(0, True), (2, True), (3, False)])
def test_two_pixels_of_room_touch_on_the_right_and_three_do_not(room, high):
    found = touching(np.array([20.0 - 4 - room]), np.array([4.0]), np.array([20.0]), 2)
    assert (found[0][0], found[1][0]) == (False, high)


def test_rounding_of_fractions_makes_no_box_touch_or_not():
    "2 px of 7, 333, 10,007 px written as a fraction and read back"
    side = np.array([7.0, 333.0, 10_007.0])
    start, size = box_pixels(2 / side, 4 / side, side, np.zeros(3))
    assert touching(start, size, side, 2)[0].all()
    assert not touching(start + 0.001, size, side, 2)[0].any()
    # Two pixels of room on the right, which rounding makes 2.000000000000057.
    side = np.array([640.0])
    start, size = box_pixels(126.32 / side, (side - 2) / side, side, np.zeros(1))
    assert side[0] - start[0] - size[0] > 2
    assert touching(start, size, side, 2)[1].all()


def test_overlap_of_known_boxes():
    boxes = np.array([[0, 0, 2, 2], [1, 1, 3, 3], [5, 5, 6, 6], [1, 1, 1, 1]])
    expected = np.eye(4)
    # One square in common of seven.
    expected[0, 1] = expected[1, 0] = 1 / 7
    expected[3, 3] = 0  # no area
    assert np.allclose(iou_matrix(boxes), expected, rtol=1e-15)


def test_no_boxes_overlap_nothing():
    assert iou_matrix(np.zeros((0, 4))).shape == (0, 0)
