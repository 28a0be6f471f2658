"""COCO's instances files."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biaskit.annotations import read_boxes
from biaskit.annotations.coco import read_coco
from biaskit.annotations.options import Context, Options
from biaskit.annotations.repairs import KINDS, Refused, Repairs
from biaskit.errors import AnnotationError

IMAGES = [
    {"id": 7, "file_name": "000000000007.jpg", "width": 640, "height": 480},
    {"id": 8, "file_name": "000000000008.jpg", "width": 100, "height": 100},
]
CATEGORIES = [{"id": 1, "name": "person"}, {"id": 18, "name": "dog"}]


def mark(bbox, image=7, category=18, **more):
    return {"image_id": image, "category_id": category, "bbox": bbox, "iscrowd": 0} | more


def coco(*annotations, **more):
    whole = {"images": IMAGES, "categories": CATEGORIES, "annotations": list(annotations)}
    return whole | more


def read(tmp_path, content, name="instances_val2017.json", **options):
    (tmp_path / "f").mkdir(exist_ok=True)
    (tmp_path / "f" / name).write_text(json.dumps(content))
    return read_boxes([tmp_path / "f"], **options)


def refusals(read):
    return [tuple(row)[1:3] for row in read.repairs.itertuples(index=False)]


def test_numbers_are_edges_already(tmp_path):
    found = read(tmp_path, coco(mark([64.5, 48, 320, 240]), mark([0, 0, 50, 100], 8, 1)))
    assert len(found.repairs) == 0
    rows = found.boxes.set_index("category")
    assert rows.loc["dog", ["x_min", "y_min", "x_max", "y_max"]].tolist() == [
        64.5 / 640,
        48 / 480,
        384.5 / 640,
        288 / 480,
    ]
    assert rows.loc["person", ["x_min", "x_max", "y_max"]].tolist() == [0, 0.5, 1]
    assert rows["image_id"].to_dict() == {"dog": "000000000007", "person": "000000000008"}
    assert found.boxes["split"].unique().tolist() == ["val"]
    assert found.boxes["lattice"].tolist() == [0, 0]


def test_a_file_of_whole_numbers_lies_on_the_grid_of_pixels(tmp_path):
    found = read(tmp_path, coco(mark([64, 48, 320, 240]), mark([0, 0, 50, 100], 8)))
    assert found.boxes["lattice"].tolist() == [1, 1]


def test_objects_are_numbered_within_their_image(tmp_path):
    marks = [mark([n, n, 20 + 9 * n, 30], 7 + n % 2) for n in range(5)]
    found = read(tmp_path, coco(*marks)).boxes
    assert found.groupby("image_id")["object"].apply(list).tolist() == [[0, 1, 2], [0, 1]]


def test_crowds_are_left_out_and_counted_even_when_strict(tmp_path):
    marks = [mark([1, 1, 20, 20], iscrowd=1), mark([3, 3, 20, 20])]
    found = read(tmp_path, coco(*marks), strict=True)
    assert found.boxes["object"].tolist() == [1]
    assert tuple(found.repairs.iloc[0])[1:] == (0, "crowd", "dog", "")
    assert (found.n_refused, found.counts) == (0, {"crowd": 1})


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        (mark([1, 1, 20, 20], image=99), "no_image"),
        (mark([1, 1, 20, 20], category=99), "no_category"),
        (mark([1, 1, 20, 20], image=[1]), "no_image"),
        (mark([1, 1, 20, 20], category={}), "no_category"),
        (mark([]), "no_box"),
        (mark(None), "no_box"),
        ("text", "no_box"),
        (mark([1, 1, 20]), "not_a_number"),
        (mark([1, 1, None, 20]), "not_a_number"),
        (mark([1, 1, "20", 20]), "not_a_number"),
        (mark([1, 1, True, 20]), "not_a_number"),
        (mark([1, 1, float("nan"), 20]), "not_a_number"),
        (mark([1, 1, 10**400, 20]), "not_a_number"),
        (mark([1, 1, 0, 20]), "zero_area"),
        (mark([700, 1, 5, 20]), "outside"),
    ],
)
def test_a_bad_object_is_refused_and_its_neighbour_kept(tmp_path, bad, kind):
    found = read(tmp_path, coco(bad, mark([3, 3, 20, 20])))
    assert refusals(found) == [(0, kind)]
    assert len(found.boxes) == 1


def test_a_negative_width_runs_to_the_left(tmp_path):
    found = read(tmp_path, coco(mark([64, 48, -32, 24])))
    assert refusals(found) == [(0, "swapped")]
    assert found.boxes.loc[0, ["x_min", "x_max"]].tolist() == [0.05, 0.1]


def test_a_missing_size_refuses_only_the_objects_of_that_image(tmp_path):
    images = [{"id": 7, "file_name": "7.jpg"}, IMAGES[1]]
    content = coco(mark([3, 3, 20, 20]), mark([3, 3, 20, 20], 8), images=images)
    found = read(tmp_path, content)
    assert refusals(found) == [(0, "no_size")]
    assert found.boxes["image_id"].tolist() == ["000000000008"]


def test_an_image_without_a_file_name_is_its_number(tmp_path):
    images = [{"id": 7, "width": 640, "height": 480}]
    found = read(tmp_path, coco(mark([3, 3, 20, 20]), images=images))
    assert found.boxes["image_id"].tolist() == ["7"]


def test_two_numbers_of_one_image_are_one_image(tmp_path):
    images = [IMAGES[0], IMAGES[0] | {"id": 8}]
    found = read(tmp_path, coco(mark([3, 3, 20, 20]), mark([90, 9, 9, 9], 8), images=images))
    assert found.boxes["image_id"].tolist() == ["000000000007"] * 2
    assert found.boxes["object"].tolist() == [0, 1]


def test_a_number_of_two_things_stands_for_neither(tmp_path):
    images = [*IMAGES, IMAGES[0] | {"width": 320}, IMAGES[1]]
    categories = [*CATEGORIES, {"id": 1, "name": "cat"}, CATEGORIES[1]]
    marks = [mark([3, 3, 20, 20]), mark([3, 3, 20, 20], 8, 1), mark([3, 3, 20, 20], 8, 18)]
    found = read(tmp_path, coco(*marks, images=images, categories=categories))
    assert refusals(found) == [(0, "no_image"), (1, "no_category")]
    assert found.boxes["category"].tolist() == ["dog"]


def test_no_number_refers_to_nothing(tmp_path):
    "An image without a number is not the image of an annotation without one"
    nameless = [{"id": 2, "name": None}, {"id": 3, "name": " "}, {"name": "ghost"}]
    content = coco(
        {"category_id": 1, "bbox": [3, 3, 20, 20]},
        {"image_id": 8, "bbox": [3, 3, 20, 20]},
        mark([3, 3, 20, 20], 8, 2),
        mark([3, 3, 20, 20], 8, 3),
        mark([3, 3, 20, 20]),
        images=[*IMAGES, {"file_name": "ghost.jpg", "width": 640, "height": 480}],
        categories=[*CATEGORIES, *nameless],
    )
    found = read(tmp_path, content)
    assert refusals(found) == [(0, "no_image")] + [(n, "no_category") for n in (1, 2, 3)]
    assert found.boxes["image_id"].tolist() == ["000000000007"]


def test_half_a_character_is_spelled_out(tmp_path):
    categories = [{"id": 18, "name": "d\ud800g"}]
    found = read(tmp_path, coco(mark([3, 3, 20, 20]), categories=categories))
    assert found.boxes["category"].tolist() == ["d\\ud800g"]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "empty"),
        (b"{", "broken"),
        (b"[]", "not_annotation"),
        (b"{}", "not_annotation"),
        (b'{"annotations": []}', "not_annotation"),
        (b'{"annotations": "\xff"}', "not_utf8"),
        (b"[" * 200_000, "too_deep"),
        (b'{"annotations": 1' + b"0" * 10_000 + b"}", "broken"),
    ],
)
def test_a_file_that_is_none_gives_one_row(tmp_path, data, kind):
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "bad.json").write_bytes(data)
    found = read(tmp_path, coco(mark([3, 3, 20, 20])))
    assert refusals(found) == [(-1, kind)]
    assert len(found.boxes) == 1


def test_a_list_of_nothing_is_nothing_usable(tmp_path):
    with pytest.raises(AnnotationError, match="no box"):
        read(tmp_path, coco())


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "images": junk | st.lists(st.fixed_dictionaries({"id": junk, "width": junk})),
            "categories": junk | st.lists(st.fixed_dictionaries({"id": junk, "name": junk})),
            "annotations": junk
            | st.lists(
                st.fixed_dictionaries({"image_id": junk, "category_id": junk, "bbox": junk})
            ),
        },
    )
)
def test_any_json_is_read_or_refused(content):
    repairs = Repairs()
    try:
        read_coco("a.json", json.dumps(content).encode(), Context("s", Options(), None, repairs))
    except Refused as refused:
        repairs.add("a.json", refused.kind, refused.found)
    assert set(repairs.counts) <= set(KINDS)
