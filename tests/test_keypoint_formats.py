"""COCO keypoints, CVAT's points and plain tables of marks."""

import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from biaskit.annotations.keypoint_columns import match_point_columns
from biaskit.annotations.keypoints import read_keypoints
from biaskit.annotations.repairs import KINDS, Refused
from biaskit.errors import AnnotationError

AWA = Path(__file__).resolve().parents[1] / "../shared/data/eyes/awa_pose_eyes.csv"
COLUMNS = ["point", "visibility", "x", "y"]


def kinds(found):
    return found.repairs["kind"].tolist()


def rows(found):
    return [
        tuple(row)
        for row in found.keypoints[COLUMNS].astype(object).fillna("-").itertuples(index=False)
    ]


def read(folder, name, content, **options):
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_keypoints([path], **options)


# COCO

IMAGES = [{"id": 7, "file_name": "val/7.jpg", "width": 200, "height": 100}]
CATEGORIES = [{"id": 18, "name": "dog", "keypoints": ["left_eye", "right_eye"]}]


def coco(*keypoints, **more):
    annotations = [{"image_id": 7, "category_id": 18, "keypoints": k} for k in keypoints]
    return {"images": IMAGES, "categories": CATEGORIES, "annotations": annotations} | more


def test_coco_says_visible_hidden_and_not_marked(tmp_path):
    found = read(tmp_path, "k.json", coco([50.5, 20, 2, 0, 0, 0], [10, 10, 1, 20, 30, 2]))
    assert rows(found) == [
        ("left_eye", "visible", 50.5 / 200, 0.2),
        ("right_eye", "absent", "-", "-"),
        ("left_eye", "occluded", 0.05, 0.1),
        ("right_eye", "visible", 0.1, 0.3),
    ]
    assert found.keypoints["object"].tolist() == [0, 0, 1, 1]
    assert found.keypoints["category"].unique().tolist() == ["dog"]
    assert found.keypoints["image_id"].unique().tolist() == ["7"]
    assert found.keypoints["annotator"].unique().tolist() == ["A1"]


def test_whole_numbers_of_coco_name_pixels_whose_middle_is_taken(tmp_path):
    found = read(tmp_path, "k.json", coco([50, 20, 2, 0, 0, 0]))
    assert rows(found)[0] == ("left_eye", "visible", 50.5 / 200, 20.5 / 100)


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        ({"image_id": 9, "category_id": 18, "keypoints": [1, 1, 2] * 2}, "no_image"),
        ({"image_id": 7, "category_id": 1, "keypoints": [1, 1, 2] * 2}, "no_category"),
        ({"image_id": 7, "category_id": [18], "keypoints": [1, 1, 2] * 2}, "no_category"),
        ({"image_id": 7, "category_id": 18, "bbox": [0, 0, 1, 1]}, "no_mark"),
        ({"image_id": 7, "category_id": 18, "keypoints": [1, 1, 2]}, "not_a_number"),
        ({"image_id": 7, "category_id": 18, "keypoints": [1, 1, 2, 1, "x", 2]}, "not_a_number"),
        ({"image_id": 7, "category_id": 18, "keypoints": [1, 1, 2, 1, 1, 5]}, "not_a_number"),
        ({"image_id": 7, "category_id": 18, "keypoints": [1, 1, 2, 500.5, 1, 2]}, "outside"),
        (None, "no_task"),
    ],
)
def test_what_is_wrong_in_coco_is_counted(tmp_path, entry, kind):
    content = coco([50.5, 20, 2, 60, 20, 2])
    content["annotations"].append(entry)
    assert kinds(read(tmp_path, "k.json", content)) == [kind]


def test_coco_without_points_is_refused(tmp_path):
    with pytest.raises(AnnotationError, match="not_annotation 1"):
        read(tmp_path, "k.json", {"images": [], "annotations": []})


# CVAT

SKELETON = """<?xml version="1.0"?><annotations><version>1.1</version>
<image id="0" name="dogs/1.jpg" width="200" height="100">
  <skeleton label="dog"><points label="left_eye" occluded="0" outside="0" points="50.5,20"/>
  <points label="right_eye" occluded="1" outside="0" points="20,30"/></skeleton>
  <skeleton label="dog"><points label="left_eye" outside="1" points="0,0"/></skeleton>
  <box label="dog" xtl="1"/>
</image></annotations>"""


def test_a_skeleton_of_cvat_is_an_object(tmp_path):
    found = read(tmp_path, "a.xml", SKELETON)
    assert rows(found) == [
        ("left_eye", "visible", 50.5 / 200, 0.2),
        ("right_eye", "occluded", 0.1, 0.3),
        ("left_eye", "absent", "-", "-"),
    ]
    assert found.keypoints["object"].tolist() == [0, 0, 1]
    assert found.keypoints["category"].unique().tolist() == ["dog"]


def cvat(points):
    return f'<annotations><image name="dogs/1.jpg" width="20" height="10">{points}</image>\
</annotations>'


def test_loose_points_of_cvat_are_named_by_label_and_grouped(tmp_path):
    points = '<points label="left_eye" points="5,5" group_id="2"/>'
    points += '<points label="left_eye" points="6,6" group_id="3"/>'
    points += '<points label="eyes" points="1,1;2,2" group_id="3"/>'
    found = read(tmp_path, "a.xml", cvat(points))
    assert found.keypoints["category"].unique().tolist() == ["dogs"]
    own = [tuple(r) for r in found.keypoints[["object", "point", "x"]].itertuples(index=False)]
    assert own == [
        (0, "left_eye", 0.25),
        (1, "eyes_1", 0.05),
        (1, "eyes_2", 0.1),
        (1, "left_eye", 0.3),
    ]


@pytest.mark.parametrize(
    ("points", "kind"),
    [
        ('<points label="b" points="5"/>', "not_a_number"),
        ('<points label="b" points="5,nan"/>', "not_a_number"),
        ('<points label="b"/>', "not_a_number"),
        ('<points points="5,5"/>', "no_point"),
        ('<points label="b" points="5,11"/>', "outside"),
    ],
)
def test_what_is_wrong_in_cvat_is_counted(tmp_path, points, kind):
    good = '<points label="a" points="5,5"/>'
    assert kinds(read(tmp_path, "a.xml", cvat(good + points))) == [kind]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('<!DOCTYPE a [<!ENTITY x "y">]><annotations/>', "entity"),
        ("<annotations><image>", "broken"),
        ("<annotation/>", "not_annotation"),
        ('<other><annotations a="1"/></other>', "not_annotation"),
    ],
)
def test_xml_that_is_not_cvats_is_refused(tmp_path, text, kind):
    with pytest.raises(AnnotationError, match=f"{kind} 1"):
        read(tmp_path, "a.xml", text)


# Plain tables

WIDE = "image,category,width,height,left_eye_x,left_eye_y,right_eye_x,right_eye_y\n"
LONG = "image,category,annotator,point,x,y,visibility,width,height\n"


def test_a_row_per_object_in_pixels_and_minus_one_is_not_marked(tmp_path):
    found = read(tmp_path, "a.csv", WIDE + "d/1.jpg,dog,200,100,50,20,-1,-1.0\n")
    assert rows(found) == [("left_eye", "visible", 0.25, 0.2), ("right_eye", "absent", "-", "-")]
    assert found.keypoints["image_id"].unique().tolist() == ["1"]


def test_a_row_per_point_with_annotators(tmp_path):
    text = LONG + "1.jpg,dog,eve,left_eye,50,20,visible,200,100\n"
    text += "1.jpg,dog,bob,left_eye,60,20,1,200,100\n1.jpg,dog,bob,right_eye,,,absent,200,100\n"
    found = read(tmp_path, "a.csv", text)
    assert rows(found) == [
        ("left_eye", "occluded", 0.3, 0.2),
        ("right_eye", "absent", "-", "-"),
        ("left_eye", "visible", 0.25, 0.2),
    ]
    assert found.keypoints["annotator"].tolist() == ["A1", "A1", "A2"]


def test_columns_of_any_name_can_be_told(tmp_path):
    text = "pic;lx;ly\n1.jpg;10;20\n"
    told = {"image_id": "pic", "nose_x": "lx", "nose_y": "ly"}
    with pytest.raises(AnnotationError, match="not_annotation"):
        read(tmp_path, "a.csv", text, category="dog", units="percent")
    with pytest.raises(AnnotationError, match="no_size"):
        read(tmp_path, "a.csv", text, columns=told, category="dog", units="percent")
    sized = "pic;lx;ly;width;height\n1.jpg;10;20;30;40\n"
    found = read(tmp_path, "a.csv", sized, columns=told, category="dog", units="percent")
    assert rows(found) == [("nose", "visible", 0.1, 0.2)]


def test_a_column_that_is_not_there_is_named(tmp_path):
    text = WIDE + "1.jpg,dog,2,1,1,1,1,1\n"
    with pytest.raises(AnnotationError, match=r"^no column 'lx'; the table has image, category"):
        read(tmp_path, "a.csv", text, columns={"left_eye_x": "lx"})
    with pytest.raises(
        AnnotationError, match=r"^unknown column 'colour', expected one of image_id"
    ):
        read(tmp_path, "a.csv", text, columns={"colour": "image"})
    with pytest.raises(AnnotationError, match="unknown units 'inch', expected px, fraction, perc"):
        read(tmp_path, "a.csv", text, units="inch")


def test_numbers_within_one_are_fractions(tmp_path):
    found = read(tmp_path, "a.csv", WIDE + "1.jpg,dog,200,100,.5,.25,-1,-1\n")
    assert rows(found)[0] == ("left_eye", "visible", 0.5, 0.25)
    told = read(tmp_path, "a.csv", WIDE + "1.jpg,dog,200,100,.5,.25,-1,-1\n", units="px")
    assert rows(told)[0] == ("left_eye", "visible", 0.0025, 0.0025)


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (",dog,200,100,1,1,1,1", "no_image"),
        ("2.jpg,dog,,,1,1,1,1", "no_size"),
        ("2.jpg,dog,0,100,1,1,1,1", "no_size"),
        ("2.jpg,dog,200,100,1,,1,1", "not_a_number"),
        ("2.jpg,dog,200,100,1,up,1,1", "not_a_number"),
        ("2.jpg,dog,200,100,1,inf,1,1", "not_a_number"),
        ("2.jpg,dog,200,100,300,1,1,1", "outside"),
        ("2.jpg,dog,200,100,-3,1,1,1", "outside"),
    ],
)
def test_what_is_wrong_in_a_row_is_counted(tmp_path, row, kind):
    found = read(tmp_path, "a.csv", f"{WIDE}1.jpg,dog,200,100,5,5,9,9\n{row}\n")
    assert kinds(found) == [kind]


def test_a_point_that_is_visible_at_no_place_contradicts_itself(tmp_path):
    found = read(tmp_path, "a.csv", LONG + "1.jpg,dog,1,a,5,5,,9,9\n1.jpg,dog,1,b,,,visible,9,9\n")
    assert kinds(found) == ["contradiction"]


def test_rows_of_one_image_are_its_objects_and_a_repeated_row_is_none(tmp_path):
    line = "1.jpg,dog,200,100,{},5,9,9\n"
    text = WIDE + line.format(5) + line.format(7) + line.format(5)
    found = read(tmp_path, "a.csv", text)
    assert found.keypoints["object"].tolist() == [0, 0, 1, 1]
    assert kinds(found) == ["same_marks"]


def test_a_point_given_twice_in_two_places_is_refused(tmp_path):
    text = LONG + "1.jpg,dog,1,a,5,5,,9,9\n1.jpg,dog,1,a,6,5,,9,9\n1.jpg,dog,1,b,6,5,,9,9\n"
    found = read(tmp_path, "a.csv", text)
    assert rows(found) == [("b", "visible", 6 / 9, 5 / 9)]
    assert kinds(found) == ["duplicate_mark", "duplicate_mark"]


def test_parquet_reads_as_the_csv_does(tmp_path):
    text = WIDE + "1.jpg,dog,200,100,50,20,-1,-1\n2.jpg,dog,200,100,1,2,3,4\n"
    found = read(tmp_path, "a.csv", text)
    pd.read_csv(tmp_path / "a.csv").assign(picture=b"x").to_parquet(tmp_path / "a.parquet")
    again = read_keypoints([tmp_path / "a.parquet"])
    assert found.keypoints.equals(again.keypoints)


def test_two_points_of_a_table_are_told_by_their_ending():
    found = match_point_columns(["image", "Stem_X", "Stem_Y", "base.x", "base.y", "base_v"], {})
    assert found.points == {
        "Stem": {"x": "Stem_X", "y": "Stem_Y"},
        "base": {"x": "base.x", "y": "base.y"},
    }
    with pytest.raises(Refused):
        match_point_columns(["image", "eye_x", "nose_y"], {})


@pytest.mark.skipif(not AWA.is_file(), reason="the shared real data are not beside this checkout")
def test_the_real_eyes_of_awa_pose_are_all_read_or_counted():
    "The numbers of the data's README: 16,207 eyes of 36 categories with a size; 1,083 without"
    found = read_keypoints([AWA], columns={"object": "animal"})
    raw = pd.read_csv(AWA)
    sized = raw[raw["width"].notna()]
    eyes = sum(int((sized[f"{side}_eye_x"] >= 0).sum()) for side in ("left", "right"))
    assert eyes == int((found.keypoints["visibility"] == "visible").sum()) == 16207
    unsized = raw[raw["width"].isna()]
    marked = (unsized[["left_eye_x", "right_eye_x"]] >= 0).any(axis=1)
    assert found.counts == {"no_size": int(marked.sum())}
    elephants = found.keypoints[found.keypoints["category"] == "elephant"]
    per_animal = elephants[elephants["x"].notna()].groupby(["image_id", "object"]).size()
    own = sized[sized["category"] == "elephant"]
    both = (own["left_eye_x"] >= 0) & (own["right_eye_x"] >= 0)
    assert int((per_animal == 2).sum()) == int(both.sum())
    # One animal by its own numbers.
    first = sized[(sized["left_eye_x"] >= 0) & (sized["right_eye_x"] >= 0)].iloc[0]
    number = int(first["animal"][1:]) - 1
    row = found.keypoints.set_index(["image_id", "object", "point"]).loc[
        (first["image"], number, "left_eye")
    ]
    assert row["x"] == pytest.approx(first["left_eye_x"] / first["width"], rel=1e-12)
    assert row["y"] == pytest.approx(first["left_eye_y"] / first["height"], rel=1e-12)


CELL = st.text(max_size=6) | st.floats().map(str) | st.sampled_from(["-1", "5", "", "visible"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(CELL, min_size=9, max_size=9), max_size=4), st.booleans())
def test_whatever_a_table_holds_is_read_or_refused(tmp_path_factory, table, long):
    head = (LONG if long else WIDE).strip().split(",")
    path = tmp_path_factory.mktemp("any") / "any.csv"
    pd.DataFrame([row[: len(head)] for row in table], columns=head).to_csv(path, index=False)
    (path.parent / "good.csv").write_text(WIDE + "1.jpg,dog,200,100,5,5,9,9\n")
    found = read_keypoints([path.parent])
    assert set(found.counts) <= set(KINDS)
    assert len(found.keypoints) >= 2


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=7) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ANY, ANY, ANY, ANY)
def test_whatever_a_coco_file_holds_is_read_or_refused(tmp_path_factory, image, kind, entry, marks):
    content = coco(marks)
    content["images"] = [*IMAGES, image]
    content["categories"] = [*CATEGORIES, kind]
    content["annotations"].append(entry)
    path = tmp_path_factory.mktemp("any") / "any.json"
    path.write_text(json.dumps(content))
    (path.parent / "good.csv").write_text(WIDE + "1.jpg,dog,200,100,5,5,9,9\n")
    found = read_keypoints([path.parent])
    assert set(found.counts) <= set(KINDS)
