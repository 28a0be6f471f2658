import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biaskit.bias.nulls import LOG_UNIFORM_PX, NULLS_OF, cells, variable
from biaskit.bias.objects import arrange, boxes_from_pixels


def at_every_place(width, frame, lattice=1.0):
    "One box of this width at every place of an image of this width, far from top and bottom"
    x = np.arange(0, frame - width + lattice / 2, lattice)
    edges = np.stack([x, np.full_like(x, 40), x + width, np.full_like(x, 60)], axis=1)
    return boxes_from_pixels(edges, frame=(frame, 100), lattice=lattice)


def at_every_width(frame, lattice=1.0, start=0.0):
    width = np.arange(lattice, frame - 2 * start + lattice / 2, lattice)
    edges = np.stack([0 * width + start, 0 * width + 40, width + start, 0 * width + 60], axis=1)
    return boxes_from_pixels(edges, frame=(frame, 100), lattice=lattice)


def assert_tiles(found):
    "The cells, sorted, cover (0, 1) without gap or overlap"
    low, span = found.low[found.inside], found.span[found.inside]
    order = np.argsort(low)
    edges = np.append(low[order], 1.0)
    assert len(low) > 0
    assert edges[0] == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(edges[:-1] + span[order], edges[1:], atol=1e-12)


@given(
    frame=st.integers(8, 60),
    data=st.data(),
    edge_px=st.integers(0, 3),
    lattice=st.sampled_from([1.0, 0.5, 0.25, 2.0]),
)
@settings(max_examples=60, deadline=None)
def test_the_cells_of_all_places_of_a_box_fill_the_unit_interval(frame, data, edge_px, lattice):
    "So u is exactly uniform if the place is chosen without preference, with and without edges"
    width = data.draw(st.integers(1, max(1, int(frame / lattice) - 2))) * lattice
    objects = arrange(at_every_place(width, frame, lattice), edge_px=edge_px)
    for edges in ("with", "without"):
        found = cells(objects, "position_x", "fit", edges)
        places = np.ones(len(objects), bool) if edges == "with" else ~objects.x.touches
        if places.sum() < 2:
            assert not found.inside.any()
            continue
        assert np.array_equal(found.inside, places)
        assert np.allclose(found.span[places], 1 / places.sum(), rtol=1e-12)
        assert_tiles(found)


def test_with_a_margin_of_two_the_interior_begins_at_the_third_pixel():
    "A box of 4 px in 20: places 3 to 13, so 11 of them"
    objects = arrange(at_every_place(4, 20), edge_px=2)
    found = cells(objects, "position_x", "fit", "without")
    assert np.flatnonzero(found.inside).tolist() == list(range(3, 14))
    assert np.allclose(found.low[3:14], np.arange(11) / 11, rtol=1e-15)


@pytest.mark.parametrize("edges", ["with", "without"])
@pytest.mark.parametrize("null", ["frame", *LOG_UNIFORM_PX])
@pytest.mark.parametrize("lattice", [1.0, 0.5])
def test_the_cells_of_all_heights_fill_the_unit_interval_as_the_law_says(null, edges, lattice):
    frame, margin = 90, 0.0 if edges == "with" else 2 + lattice
    boxes = at_every_width(frame, lattice, start=margin).rename(
        columns={"x_min": "y_min", "x_max": "y_max", "y_min": "x_min", "y_max": "x_max"}
        | {"image_width": "image_height", "image_height": "image_width"}
    )
    objects = arrange(boxes, edge_px=2)
    found = cells(objects, "height", null, edges)
    assert_tiles(found)
    k = objects.y.size[found.inside] / lattice
    law = np.ones_like(k) if null == "frame" else np.log((k + 1) / k)
    assert np.allclose(found.span[found.inside], law / law.sum(), rtol=1e-9)
    least = LOG_UNIFORM_PX.get(null, 0)
    assert np.array_equal(found.inside, objects.y.size >= max(least, lattice) - 1e-9)


@pytest.mark.parametrize("edges", ["with", "without"])
def test_boxes_of_one_pixel_fill_the_frame(edges):
    "For a box without extent the frame null and free placement are the same"
    objects = arrange(at_every_place(1, 30))
    frame, fit = (cells(objects, "position_x", null, edges) for null in ("frame", "fit"))
    assert_tiles(frame)
    assert np.allclose(frame.low[fit.inside], fit.low[fit.inside])


def test_the_centre_is_spread_over_the_pixel_it_stands_for():
    "A box from 2 to 5 px of 10 has its centre at 3.5, so u lies between 0.3 and 0.4"
    objects = arrange(boxes_from_pixels([[2, 0, 5, 10]], frame=(10, 10)))
    found = cells(objects, "position_x", "frame", "with")
    assert (found.low[0], found.span[0]) == (pytest.approx(0.3), pytest.approx(0.1))


def test_continuous_boxes_need_no_draw():
    boxes = boxes_from_pixels([[2.5, 10, 22.5, 20]], frame=(100, 100), lattice=0)
    objects = arrange(boxes)
    u = {
        null_edges: variable(objects, "position_x", *null_edges, seed=1).u[0]
        for null_edges in [("fit", "with"), ("fit", "without"), ("frame", "with")]
    }
    assert u["fit", "with"] == pytest.approx(2.5 / 80)
    # The interior is what does not touch: from 2 to 98 px.
    assert u["fit", "without"] == pytest.approx(0.5 / 76)
    assert u["frame", "with"] == pytest.approx(0.125)
    assert variable(objects, "width", "frame", "with", seed=1).u[0] == pytest.approx(0.2)
    expected = np.log(20 / 16) / np.log(100 / 16)
    assert variable(objects, "width", "log-uniform", "with", seed=1).u[0] == pytest.approx(expected)


def test_continuous_places_just_off_the_edge_are_spread_like_all_others():
    "2.001 px of room do not touch, and stand at the very beginning of the interior"
    boxes = boxes_from_pixels([[2.001, 10, 22, 20]], frame=(100, 100), lattice=0)
    u = variable(arrange(boxes), "position_x", "fit", "without", seed=1).u[0]
    assert u == pytest.approx(0.001 / (96 - 19.999), rel=1e-6)


def test_a_box_without_room_is_left_out_on_that_axis_only():
    objects = arrange(boxes_from_pixels([[0, 10, 100, 40]], frame=(100, 100)))
    assert variable(objects, "position_x", "fit", "with", seed=1).excluded.all()
    assert np.isnan(variable(objects, "position_x", "fit", "with", seed=1).u).all()
    assert not variable(objects, "position_y", "fit", "with", seed=1).excluded.any()
    # It touches left and right, not top and bottom.
    assert variable(objects, "width", "frame", "without", seed=1).excluded.all()
    assert not variable(objects, "height", "frame", "without", seed=1).excluded.any()
    assert variable(objects, "area", "frame", "without", seed=1).excluded.all()


def test_boxes_below_the_least_size_are_left_out():
    objects = arrange(boxes_from_pixels([[5, 5, 21, 20], [5, 5, 20, 21]], frame=(100, 100)))
    assert variable(objects, "width", "log-uniform", "with", seed=1).excluded.tolist() == [0, 1]
    assert variable(objects, "height", "log-uniform", "with", seed=1).excluded.tolist() == [1, 0]
    # 240 px2 are less than 16 x 16.
    assert variable(objects, "area", "log-uniform", "with", seed=1).excluded.all()


def test_images_too_small_for_a_null_are_left_out_without_a_warning():
    tiny = boxes_from_pixels([[0, 0, 1, 1], [0, 0, 1, 3]], frame=(1, 3))
    for measure, nulls in NULLS_OF.items():
        for null in nulls:
            for edges in ("with", "without"):
                u = variable(arrange(tiny), measure, null, edges, seed=1).u
                assert np.isnan(u).all() or ((u[~np.isnan(u)] > 0) & (u[~np.isnan(u)] < 1)).all()
    assert variable(arrange(tiny), "width", "frame", "with", seed=1).excluded.all()


def test_area_is_exact_where_every_number_of_squares_is_possible():
    "Images one pixel high: the area is the width"
    width = np.arange(1, 51.0)
    edges = np.stack([0 * width, 0 * width, width, 0 * width + 1], axis=1)
    objects = arrange(boxes_from_pixels(edges, frame=(50, 1)))
    assert_tiles(cells(objects, "area", "frame", "with"))


def test_u_depends_on_names_and_not_on_order_or_company():
    boxes = at_every_place(4, 40)
    whole = arrange(boxes)
    u = pd.Series(variable(whole, "position_x", "fit", "with", seed=3).u, whole.table["image_id"])
    part = arrange(boxes.sample(frac=0.5, random_state=1))
    again = variable(part, "position_x", "fit", "with", seed=3).u
    assert u[part.table["image_id"]].tolist() == again.tolist()
    other = variable(whole, "position_x", "fit", "with", seed=4).u
    assert not np.isin(other, u.to_numpy()).any()


def test_draws_differ_and_nulls_share_a_draw():
    objects = arrange(at_every_place(4, 40))
    first, second = (
        variable(objects, "position_x", "fit", "with", seed=1, draw=draw).u for draw in (0, 1)
    )
    assert not np.isin(first, second).any()
    found = cells(objects, "position_x", "frame", "with")
    frame = variable(objects, "position_x", "frame", "with", seed=1).u
    fit = cells(objects, "position_x", "fit", "with")
    assert np.allclose((frame - found.low) / found.span, (first - fit.low) / fit.span)


def test_no_boxes_give_no_numbers():
    objects = arrange(at_every_place(4, 40).iloc[:0])
    assert variable(objects, "area", "log-uniform", "without", seed=1).u.shape == (0,)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("height", "fit", "with"), r"^measure 'height' has no null 'fit'; known: "),
        (("colour", "fit", "with"), r"^measure 'colour' has no null 'fit'; known: "),
        (("height", "frame", "maybe"), r"^edges is 'maybe', expected 'with' or 'without'$"),
    ],
)
def test_unknown_words_are_refused(arguments, message):
    objects = arrange(at_every_place(4, 10))
    with pytest.raises(ValueError, match=message):
        variable(objects, *arguments, seed=1)
