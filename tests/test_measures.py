import numpy as np
import pandas as pd
import pytest

from biaskit.bias.measures import measure
from biaskit.bias.objects import arrange, boxes_from_pixels
from biaskit.tables import BOXES, MEASURES

FRAME = (100, 50)


def one(edges, **options):
    return measure(boxes_from_pixels([edges], frame=FRAME), **options).iloc[0]


def test_a_box_of_known_place_and_size():
    found = one([10, 20, 30, 40])
    assert (found.centre_x, found.centre_y) == pytest.approx((0.2, 0.6), rel=1e-15)
    assert found.width == pytest.approx(0.2, rel=1e-15)
    assert found.height == pytest.approx(0.4, rel=1e-15)
    assert found.area == pytest.approx(0.08, rel=1e-15)
    assert found.touches == ""


@pytest.mark.parametrize(
    ("edges", "sides"),
    [
        ([2, 20, 30, 40], "L"),
        ([3, 2, 30, 40], "T"),
        ([3, 3, 98, 40], "R"),
        ([3, 3, 97, 48], "B"),
        ([3, 3, 97, 47], ""),
        ([0, 0, 100, 50], "LTRB"),
        ([0, 10, 100, 20], "LR"),
    ],
)
def test_touching_sides_are_named_left_top_right_bottom(edges, sides):
    assert one(edges).touches == sides


def test_the_width_of_the_margin_can_be_chosen():
    assert one([2, 20, 30, 40], edge_px=1).touches == ""
    assert one([5, 20, 30, 40], edge_px=5).touches == "L"


def test_rows_come_in_the_order_of_their_names():
    boxes = boxes_from_pixels(np.tile([10, 10, 20, 20], (30, 1)), frame=FRAME)
    mixed = boxes.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(measure(mixed), measure(boxes))
    assert measure(mixed)["image_id"].is_monotonic_increasing


def test_no_boxes_give_no_measures():
    table = measure(BOXES.empty())
    assert len(table) == 0
    assert list(table.columns) == list(MEASURES.columns)


def test_a_negative_margin_is_refused():
    with pytest.raises(ValueError, match=r"^edge_px is -1, expected 0 or more pixels$"):
        one([1, 1, 2, 2], edge_px=-1)


def test_what_is_arranged_is_not_arranged_again():
    objects = arrange(boxes_from_pixels([[1, 1, 2, 2], [4, 5, 9, 9]], frame=FRAME), edge_px=3)
    assert arrange(objects, edge_px=3) is objects
    pd.testing.assert_frame_equal(
        measure(objects, edge_px=3), measure(objects.table.iloc[::-1], edge_px=3)
    )
    with pytest.raises(ValueError, match=r"^edge_px is 2, but objects were arranged with 3$"):
        arrange(objects)
