"""Label Studio's export of marks into the table of keypoints: every trap of it, one by one."""

import json
import math
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from label_studio_exports import annotation, answer, mark, task, write
from PIL import Image

from biaskit.annotations.keypoint_export import photograph_in
from biaskit.annotations.keypoints import read_keypoints
from biaskit.annotations.repairs import KINDS
from biaskit.errors import AnnotationError, ArchiveError
from biaskit.tables import KEYPOINT_REPAIRS, KEYPOINTS

SAMPLE = Path(__file__).resolve().parents[1] / "../shared/data/label_studio_export_sample.json"
EYES = (mark("left_eye", 60, 35), mark("right_eye", 40, 40))


def read(folder, *tasks, **options):
    return read_keypoints([write(folder, *tasks)], **options)


def rows(found, *columns):
    return [tuple(row) for row in found.keypoints[list(columns)].itertuples(index=False)]


def kinds(found):
    return found.repairs["kind"].tolist()


def test_percent_of_the_image_become_fractions(tmp_path):
    found = read(tmp_path, task(annotation(*EYES)))
    assert rows(found, "point", "x", "y") == [("left_eye", 0.6, 0.35), ("right_eye", 0.4, 0.4)]
    first = found.keypoints.iloc[0]
    assert (first["category"], first["image_id"]) == ("n02097474", "n02097474_1")
    assert (first["image_width"], first["image_height"], first["lead_time"]) == (500, 400, 2.5)
    assert (first["visibility"], first["annotator"], first["source"]) == ("visible", "A1", "manual")
    assert len(found.repairs) == 0


@pytest.mark.skipif(
    not SAMPLE.is_file(), reason="the shared real data are not beside this checkout"
)
def test_the_recorded_export_reads_row_for_row(tmp_path):
    "Real tasks of label-studio 1.23.2; what each holds says LABEL_STUDIO.md"
    found = read_keypoints([SAMPLE], category="thing")
    raw = {t["data"]["image_id"]: t for t in json.loads(SAMPLE.read_text("utf-8"))}
    assert len(raw) == 11
    # Every mark that is there stands in the table as it stands in the file, in hundredths.
    for row in found.keypoints[found.keypoints["x"].notna()].itertuples(index=False):
        own = [t for name, t in raw.items() if name.removesuffix(".JPEG") == row.image_id]
        regions = [
            r["value"]
            for a in own[0]["annotations"]
            for r in a["result"]
            if r["value"].get("keypointlabels") == [row.point]
        ]
        assert any(math.isclose(v["x"], 100 * row.x, rel_tol=1e-12) for v in regions)
        assert any(math.isclose(v["y"], 100 * row.y, rel_tol=1e-12) for v in regions)
    counted = found.keypoints.groupby(["image_id", "annotator"]).size().to_dict()
    assert counted == {
        ("a_500x375", "A1"): 2,
        ("a_500x375", "A2"): 2,
        ("b_333x500", "A1"): 2,  # and once more without any mark
        ("c_1200x800", "A1"): 2,
        ("d_75x56", "A1"): 2,
        ("e_exif6", "A1"): 2,
        ("f_cmyk", "A1"): 2,  # eyes_not_visible
        ("predicted", "A1"): 2,
        ("rotated", "A1"): 2,
    }
    table = found.keypoints.set_index(["image_id", "point"])
    assert (table.loc["f_cmyk", "visibility"] == "absent").all()
    assert table.loc["f_cmyk", ["x", "y", "image_width"]].isna().all(axis=None)
    assert table.loc[("e_exif6", "left_eye"), ["image_width", "image_height"]].tolist() == [
        375,
        500,
    ]
    assert table.loc["predicted", "source"].tolist() == ["prediction-changed", "prediction"]
    assert table.loc[("rotated", "left_eye"), "x"] == pytest.approx(0.600578871, abs=1e-9)
    assert found.counts == {
        "contradiction": 1,  # h: two left eyes, and one_eye_visible
        "no_mark": 1,  # b, a second time
        "rotated": 1,
        "skipped": 1,  # g
        "unmarked": 1,  # todo
    }
    assert (found.n_skipped, found.n_refused, found.n_annotators) == (1, 1, 2)


def test_the_recorded_export_without_a_category_says_how_to_give_one():
    if not SAMPLE.is_file():
        pytest.skip("the shared real data are not beside this checkout")
    with pytest.raises(
        AnnotationError, match=r"no_category .*--category says it for all, --labels"
    ):
        read_keypoints([SAMPLE])


def test_skipped_is_not_empty_is_not_invisible_is_not_unmarked(tmp_path):
    found = read(
        tmp_path,
        task(annotation(number=1, was_cancelled=True), number=1, image="d/a.JPEG"),
        task(annotation(number=2), number=2, image="d/b.JPEG"),
        task(annotation(answer("eyes_not_visible"), number=3), number=3, image="d/c.JPEG"),
        task(number=4, image="d/d.JPEG"),
        task(annotation(*EYES, number=5), number=5, image="d/e.JPEG"),
    )
    assert found.counts == {"no_mark": 1, "skipped": 1, "unmarked": 1}
    assert found.keypoints["image_id"].unique().tolist() == ["c", "e"]
    absent = found.keypoints[found.keypoints["image_id"] == "c"]
    assert absent["visibility"].tolist() == ["absent", "absent"]
    assert found.n_skipped == 1
    assert found.n_refused == 0


def test_marks_of_a_skipped_task_do_not_count(tmp_path):
    whole = task(annotation(*EYES, number=2))
    found = read(tmp_path, task(annotation(*EYES, was_cancelled=True), image="d/a.JPEG"), whole)
    assert found.keypoints["image_id"].unique().tolist() == ["n02097474_1"]
    assert found.repairs["found"].tolist() == ["task 1, annotation 1: with 2 regions"]


def test_drafts_are_counted_and_not_read(tmp_path):
    draft = {"id": 9, "result": [mark("left_eye", 1, 1)]}
    found = read(tmp_path, task(annotation(*EYES), drafts=[draft, draft]))
    assert kinds(found) == ["draft", "draft"]
    assert found.keypoints["x"].tolist() == [0.6, 0.4]


def test_a_point_marked_twice_is_refused_and_not_averaged(tmp_path):
    twice = [mark("left_eye", 10, 10, identity="a"), mark("left_eye", 60, 35), EYES[1]]
    found = read(tmp_path, task(annotation(*twice)))
    assert rows(found, "point") == [("right_eye",)]
    assert kinds(found) == ["duplicate_mark"]
    assert found.repairs["found"][0] == "left_eye: 0.1000 0.1000; 0.6000 0.3500"
    assert found.n_refused == 1


def test_the_same_mark_stored_twice_is_one_mark(tmp_path):
    found = read(tmp_path, task(annotation(*EYES, mark("left_eye", 60, 35, identity="again"))))
    assert rows(found, "point") == [("left_eye",), ("right_eye",)]
    assert kinds(found) == ["same_marks"]


@pytest.mark.parametrize(
    "result",
    [
        (*EYES, answer("eyes_not_visible")),
        (*EYES, answer("one_eye_visible")),
        (answer("one_eye_visible"),),
        (*EYES, answer("absent", of="left_eye_seen")),
        (EYES[1], answer("occluded", of="left_eye_seen")),
        (*EYES, answer("absent", identity="r_left_eye")),
    ],
)
def test_marks_and_answers_that_contradict_each_other_are_refused_whole(tmp_path, result):
    good = task(annotation(*EYES, number=2), number=2, image="d/good.JPEG")
    found = read(tmp_path, task(annotation(*result), image="d/bad.JPEG"), good)
    assert kinds(found) == ["contradiction"]
    assert found.keypoints["image_id"].unique().tolist() == ["good"]


def test_one_visible_eye_says_that_the_other_is_absent(tmp_path):
    found = read(
        tmp_path,
        task(annotation(*EYES, number=1), image="d/a.JPEG"),
        task(annotation(EYES[0], answer("one_eye_visible"), number=2), image="d/b.JPEG"),
    )
    own = found.keypoints[found.keypoints["image_id"] == "b"]
    assert own["visibility"].tolist() == ["visible", "absent"]
    assert len(found.repairs) == 0


def test_each_point_may_be_occluded_or_absent(tmp_path):
    seen = answer("occluded", of="left_eye_seen")
    gone = answer("absent", of="right_eye_seen", identity="c2")
    found = read(tmp_path, task(annotation(EYES[0], seen, gone)))
    assert rows(found, "point", "visibility") == [("left_eye", "occluded"), ("right_eye", "absent")]
    per_region = annotation(*EYES, answer("occluded", identity="r_left_eye"))
    found = read(tmp_path, task(per_region))
    assert rows(found, "point", "visibility") == [
        ("left_eye", "occluded"),
        ("right_eye", "visible"),
    ]


def test_points_that_nobody_has_marked_yet_can_be_absent(tmp_path):
    "Their names are told by the questions, whatever the pair is"
    asked = [answer("absent", of=f"{p}_seen", identity=p) for p in ("stem", "base")]
    found = read(tmp_path, task(annotation(*asked)))
    assert rows(found, "point", "visibility") == [("base", "absent"), ("stem", "absent")]


def test_an_answer_that_says_nothing_of_a_point_is_counted(tmp_path):
    found = read(tmp_path, task(annotation(*EYES, answer("several_animals", of="reason"))))
    assert kinds(found) == ["other_answer"]
    assert found.repairs["found"][0].endswith("reason: several_animals")
    assert len(found.keypoints) == 2


@pytest.mark.parametrize(
    "value", [{"x": None}, {"x": "left"}, {"y": math.nan}, {"x": math.inf}, {"y": 10**400}]
)
def test_a_mark_without_a_place_is_refused(tmp_path, value):
    "A prediction without width, submitted, is stored without x and y"
    found = read(
        tmp_path, task(annotation(mark("left_eye", **({"x": 60, "y": 35} | value)), EYES[1]))
    )
    assert rows(found, "point") == [("right_eye",)]
    assert kinds(found) == ["not_a_number"]


def test_a_mark_that_lost_its_place_altogether_is_named(tmp_path):
    lost = mark("left_eye", 1, 1)
    lost["value"] = {"keypointlabels": ["left_eye"]}
    found = read(tmp_path, task(annotation(lost, EYES[1])))
    assert found.repairs["found"][0].endswith("left_eye: x is missing, y is missing")


def test_marks_outside_the_image_are_refused_those_on_its_edge_are_not(tmp_path):
    on_edge = mark("right_eye", 100, 0)
    found = read(tmp_path, task(annotation(mark("left_eye", 130, 35), on_edge)))
    assert rows(found, "point", "x", "y") == [("right_eye", 1.0, 0.0)]
    assert found.repairs["found"][0] == "left_eye: 130 35 of 100 x 100"
    assert kinds(found) == ["outside"]


def test_rotation_in_the_page_changes_no_number(tmp_path):
    turned = [mark("left_eye", 60, 35, rotation=90), mark("right_eye", 40, 40, rotation=90)]
    found = read(tmp_path, task(annotation(*turned)))
    assert rows(found, "x", "y") == [(0.6, 0.35), (0.4, 0.4)]
    assert kinds(found) == ["rotated"]
    assert read(tmp_path, task(annotation(*turned)), strict=True).keypoints.equals(found.keypoints)


def test_annotators_are_numbered_in_the_order_of_their_ids(tmp_path):
    who = [annotation(*EYES, number=n, who=w) for n, w in ((1, 12), (2, 5), (3, {"id": 7}))]
    found = read(tmp_path, task(*who))
    lines = found.keypoints[["annotator", "annotation"]].drop_duplicates()
    assert lines["annotator"].tolist() == ["A1", "A2", "A3"]
    assert found.n_annotators == 3


def test_no_address_of_an_annotator_gets_into_any_table(tmp_path):
    secret = "eve@example.org"
    who = [annotation(*EYES, who={"email": secret}), annotation(number=2, who=secret)]
    found = read(tmp_path, task(*who, annotation(*EYES, number=3, who=3)))
    text = found.keypoints.to_csv() + found.repairs.to_csv()
    assert secret not in text
    assert set(found.keypoints["annotator"]) == {"A1", "A2"}


def test_annotators_may_be_given_the_names_they_had(tmp_path):
    who = [annotation(*EYES, number=n, who=n) for n in (4, 8)]
    found = read(tmp_path, task(*who), annotators={"8": "A1"})
    assert sorted(found.keypoints["annotator"].unique()) == ["A1", "A2"]
    with pytest.raises(ValueError, match=r"called 'eve', expected A1, A2"):
        read(tmp_path, task(*who), annotators={"8": "eve"})


def test_who_marks_an_image_twice_has_two_annotations_in_the_order_of_their_ids(tmp_path):
    later, earlier = (annotation(mark("left_eye", x, 9), number=n) for x, n in ((20, 11), (10, 9)))
    found = read(tmp_path, task(later, earlier))
    assert rows(found, "annotation", "x") == [(0, 0.1), (1, 0.2)]


def test_an_export_read_twice_adds_nothing(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
        write(folder, task(annotation(*EYES)))
    found = read_keypoints([one, two])
    assert len(found.keypoints) == 2
    assert kinds(found) == ["same_marks"]


def test_neither_the_order_of_sources_nor_of_tasks_changes_a_table(tmp_path):
    tasks = [
        task(
            annotation(mark("left_eye", 10 + n, 20), number=n, who=n % 3), number=n,
            image=f"d/{n}.JPEG",
        )
        for n in range(1, 12)
    ]  # fmt: skip
    tasks.append(task(annotation(number=50, was_cancelled=True)))
    first = read(tmp_path, *tasks)
    random.Random(3).shuffle(tasks)
    again = read(tmp_path, *tasks)
    assert first.keypoints.equals(again.keypoints)
    parts = [write(tmp_path, t, name=f"part{k}.json") for k, t in enumerate(tasks)]
    one, other = read_keypoints(parts), read_keypoints(parts[::-1])
    assert one.keypoints.equals(other.keypoints)
    assert one.repairs.equals(other.repairs)
    assert one.keypoints.equals(first.keypoints)


def test_a_mark_made_by_program_takes_the_size_of_its_neighbours(tmp_path):
    without = [mark(p, 10, 20, size=None, origin=None) for p in ("left_eye", "right_eye")]
    found = read(tmp_path, task(annotation(*without, number=2, who=2), annotation(*EYES)))
    assert found.keypoints["image_width"].tolist() == [500] * 4
    assert found.keypoints["source"].tolist() == ["manual", "manual", "file", "file"]


def test_a_size_that_nobody_gives_comes_from_the_photograph_or_is_refused(tmp_path):
    without = task(annotation(mark("left_eye", 10, 20, size=None)))
    with pytest.raises(
        AnnotationError, match=r"no_size 1\. .*photographs \(--images\) can give it"
    ):
        read(tmp_path, without)
    photograph(tmp_path / "photos/n02097474_1.JPEG", (320, 200))
    found = read(tmp_path, without, images=tmp_path / "photos")
    assert found.keypoints["image_width"].tolist() == [320]
    assert found.repairs["kept"].tolist() == ["320 x 200 px of the photograph"]


def photograph(path, size, *, orientation=None):
    path.parent.mkdir(exist_ok=True)
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    Image.new("RGB", size).save(path, "JPEG", exif=exif)


def sized(width, height):
    return task(annotation(mark("left_eye", 60, 35, size=(width, height))))


def test_a_turned_photograph_marked_as_it_is_shown_is_right(tmp_path):
    "The browser turns it: stored 500 x 375 is shown, and marked, as 375 x 500"
    photograph(tmp_path / "photos/n02097474_1.JPEG", (500, 375), orientation=6)
    found = read(tmp_path, sized(375, 500), images=tmp_path / "photos")
    assert rows(found, "x", "y", "image_width") == [(0.6, 0.35, 375)]
    assert kinds(found) == ["exif_rotation"]
    assert found.n_refused == 0


def test_a_turned_photograph_marked_as_it_is_stored_is_refused(tmp_path):
    photograph(tmp_path / "photos/n02097474_1.JPEG", (500, 375), orientation=6)
    with pytest.raises(AnnotationError, match="exif_mismatch 1"):
        read(tmp_path, sized(500, 375), images=tmp_path / "photos")


def test_a_turned_photograph_gives_no_size(tmp_path):
    "Nothing says whether the marks count in the frame as stored or as shown"
    photograph(tmp_path / "photos/n02097474_1.JPEG", (500, 375), orientation=8)
    without = task(annotation(mark("left_eye", 10, 20, size=None)))
    with pytest.raises(AnnotationError, match="turned for display, and no size says how"):
        read(tmp_path, without, images=tmp_path / "photos")


def test_a_copy_at_another_scale_is_noted_another_picture_is_refused(tmp_path):
    photograph(tmp_path / "photos/n02097474_1.JPEG", (1000, 751))
    found = read(tmp_path, sized(500, 375), images=tmp_path / "photos")
    assert kinds(found) == ["image_size"]
    with pytest.raises(AnnotationError, match="other_shape 1"):
        read(tmp_path, sized(500, 300), images=tmp_path / "photos")


def test_images_without_photograph_are_counted_in_one_row(tmp_path):
    photograph(tmp_path / "photos/other.JPEG", (10, 10))
    found = read(tmp_path, sized(500, 375), images=tmp_path / "photos")
    assert found.repairs["found"].tolist() == ["1 of 1 images have no photograph"]


@pytest.mark.parametrize(
    ("data", "image"),
    [
        ({"image": "/data/local-files/?d=val/h%20name%20%231%20%C3%A9.JPEG"}, "h name #1 é"),
        ({"image": "/data/upload/3/226cd9bb-dog_1.jpg"}, "dog_1"),
        ({"image": "https://example.org/a/b.png?token=1"}, "b"),
        ({"image": "s3://bucket/dogs/c.webp"}, "c"),
        ({"image": "data:image/png;base64,AAAA", "image_id": 17}, "17"),
        ({"image": "/data/local-files/?d=x.JPEG", "image_id": "own.JPEG"}, "own"),
    ],
)
def test_the_name_of_an_image_is_found_in_whatever_way_it_came(tmp_path, data, image):
    found = read(tmp_path, task(annotation(*EYES), data=data))
    assert found.keypoints["image_id"].unique().tolist() == [image]


def test_a_broken_address_is_no_traceback():
    assert photograph_in("http://[half/a") == ""


def test_the_category_comes_from_labels_then_the_task_then_the_folder(tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text("image_id,wnid\nn02097474_1,n00000001\n")
    said = task(annotation(*EYES))
    assert set(read(tmp_path, said).keypoints["category"]) == {"n02097474"}
    assert set(read(tmp_path, said, labels=labels).keypoints["category"]) == {"n00000001"}
    unsaid = task(annotation(*EYES), data={"category": None}, image="terriers/train/1.JPEG")
    assert set(read(tmp_path, unsaid).keypoints["category"]) == {"terriers"}
    assert set(read(tmp_path, unsaid, category="dog").keypoints["category"]) == {"dog"}
    by_number = task(annotation(*EYES), data={"category": ""}, image="val/n02099712_4.JPEG")
    assert set(read(tmp_path, by_number).keypoints["category"]) == {"n02099712"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,colour\na,b\n", "expected a column image_id or image and a column category or"),
        ("image,label\na.jpg,cat\nb/a.png,dog\n", "row 1, image a is dog, but was cat above"),
    ],
)
def test_labels_that_cannot_be_used_are_named(tmp_path, text, message):
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(AnnotationError, match=message):
        read(tmp_path, task(annotation(*EYES)), labels=tmp_path / "labels.csv")


def test_labels_that_are_not_there_are_one_line(tmp_path):
    with pytest.raises(AnnotationError, match=r"none\.csv: cannot be read: No such file"):
        read(tmp_path, task(annotation(*EYES)), labels=tmp_path / "none.csv")


def test_different_images_of_one_name_and_category_keep_their_folders(tmp_path):
    two = [
        task(annotation(*EYES, number=n), number=n, image=f"{part}/1.JPEG")
        for n, part in ((1, "one"), (2, "two"))
    ]
    found = read(tmp_path, *two)
    assert found.keypoints["image_id"].unique().tolist() == ["one/1", "two/1"]
    assert kinds(found) == ["same_name", "same_name"]


@pytest.mark.parametrize(
    ("region", "kind"),
    [
        (mark("left_eye", 1, 1, keypointlabels=["left_eye", "right_eye"]), "no_point"),
        (mark("left_eye", 1, 1, keypointlabels=[]), "no_point"),
        (mark("left_eye", 1, 1, keypointlabels="left_eye"), "no_point"),
        ({"type": "rectanglelabels", "value": {"x": 1}}, "other_region"),
        ("nonsense", "other_region"),
        ({"type": "keypoint", "value": {"x": 1, "y": 2}}, "no_point"),
    ],
)
def test_regions_that_are_no_named_point_are_counted(tmp_path, region, kind):
    found = read(tmp_path, task(annotation(region, EYES[1])))
    assert kinds(found) == [kind]
    assert rows(found, "point") == [("right_eye",)]


def test_labels_beside_keypoints_make_one_mark(tmp_path):
    "With <Labels> and <KeyPoint> each mark is two entries of one id"
    place = {"x": 10, "y": 20, "width": 0.5}
    both = [
        {"id": "a", "type": "keypoint", "value": place},
        {"id": "a", "type": "labels", "value": {**place, "labels": ["left_eye"]}},
    ]
    sizes = {"original_width": 10, "original_height": 10}
    found = read(tmp_path, task(annotation(*({**r, **sizes} for r in both))))
    assert rows(found, "point", "x") == [("left_eye", 0.1)]
    assert len(found.repairs) == 0


@pytest.mark.parametrize("lead_time", [-1, math.nan, "long", math.inf])
def test_a_time_that_is_none_is_left_out_and_counted(tmp_path, lead_time):
    found = read(tmp_path, task(annotation(*EYES, lead_time=lead_time)))
    assert found.keypoints["lead_time"].isna().all()
    assert kinds(found) == ["bad_time"]


def test_a_time_that_is_not_known_is_missing(tmp_path):
    found = read(tmp_path, task(annotation(*EYES, lead_time=None)))
    assert found.keypoints["lead_time"].isna().all()
    assert len(found.repairs) == 0


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "empty"),
        (b"[1, 2", "broken"),
        (b"\xff\xfe[", "not_utf8"),
        (b"[" * 200_000, "too_deep"),
        (b'{"tasks": []}', "not_annotation"),
        (b"[1, null, []]", "no_task"),
        (b'[{"data": {"image": "a/b.jpg"}, "annotations": [3]}]', "no_task"),
        (b'[{"data": {"image": "a/b.jpg"}}]', "no_task"),
        (b'[{"data": {}, "annotations": [{"id": 1, "result": [{"type": "x"}]}]}]', "no_image"),
    ],
)
def test_what_is_no_export_is_refused_in_one_line(tmp_path, data, kind):
    (tmp_path / "export.json").write_bytes(data)
    with pytest.raises(AnnotationError, match=f"no mark could be read; .*{kind} ") as error:
        read_keypoints([tmp_path / "export.json"])
    assert "\n" not in str(error.value)


def test_a_source_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(ArchiveError, match="no such file or folder"):
        read_keypoints([tmp_path / "none.json"])
    with pytest.raises(AnnotationError, match="no source: name a file"):
        read_keypoints([])
    with pytest.raises(
        AnnotationError, match="unknown format 'yolo', expected one of label-studio"
    ):
        read_keypoints([tmp_path], format="yolo")


def test_strict_refuses_what_would_be_repaired_and_keeps_notes(tmp_path):
    photograph(tmp_path / "photos/a.JPEG", (1000, 800))
    photograph(tmp_path / "photos/b.JPEG", (500, 400))
    two = [
        task(annotation(*EYES, number=n), number=n, image=f"d/{name}.JPEG")
        for n, name in ((1, "a"), (2, "b"))
    ]
    found = read(tmp_path, *two, images=tmp_path / "photos", strict=True)
    assert found.keypoints["image_id"].unique().tolist() == ["b"]
    assert found.n_refused == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
REGION = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["keypointlabels", "choices", "labels", "keypoint"]) | JSON,
        "id": st.text(max_size=3) | JSON,
        "from_name": st.text(max_size=5) | JSON,
        "original_width": st.sampled_from([10, 0, -1, 1e300, 2.5]) | JSON,
        "original_height": st.sampled_from([10, 0, 10**30]) | JSON,
        "image_rotation": JSON,
        "value": st.fixed_dictionaries(
            {},
            optional={
                "x": st.floats() | JSON,
                "y": st.floats() | JSON,
                "keypointlabels": st.lists(st.text(max_size=4), max_size=2) | JSON,
                "choices": st.lists(st.text(max_size=9), max_size=2) | JSON,
            },
        )
        | JSON,
    },
)
TASK = st.fixed_dictionaries(
    {},
    optional={
        "id": JSON,
        "project": JSON,
        "drafts": JSON,
        "data": st.dictionaries(st.sampled_from(["image", "image_id", "category"]), JSON) | JSON,
        "annotations": st.lists(
            st.fixed_dictionaries(
                {"result": st.lists(REGION, max_size=4) | JSON},
                optional={
                    "id": JSON,
                    "completed_by": JSON,
                    "was_cancelled": JSON,
                    "lead_time": JSON,
                    "unique_id": JSON,
                },
            )
            | JSON,
            max_size=3,
        )
        | JSON,
    },
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(TASK | JSON, max_size=4))
def test_whatever_an_export_holds_is_read_or_refused(tmp_path_factory, tasks):
    "Never a traceback, and never a table that breaks its own schema"
    path = tmp_path_factory.mktemp("any") / "export.json"
    path.write_text(json.dumps(tasks))
    good = task(annotation(*EYES))
    (path.parent / "good.json").write_text(json.dumps([good]))
    found = read_keypoints([path.parent], category="thing")
    KEYPOINTS.check(found.keypoints, "again")
    KEYPOINT_REPAIRS.check(found.repairs, "again")
    assert set(found.counts) <= set(KINDS)
    assert np.isin(["left_eye", "right_eye"], found.keypoints["point"]).all()


def test_two_thousand_tasks_are_read_in_seconds(tmp_path):
    import time

    tasks = [task(annotation(*EYES, number=n), number=n, image=f"d/{n}.JPEG") for n in range(2000)]
    path = write(tmp_path, *tasks)
    start = time.perf_counter()
    found = read_keypoints([path])
    # Half a second on two busy cores; ten times that is still no wait.
    assert time.perf_counter() - start < 5
    assert len(found.keypoints) == 4000


def test_an_archive_is_read_as_it_is(tmp_path):
    import zipfile

    path = write(tmp_path, task(annotation(*EYES)))
    with zipfile.ZipFile(tmp_path / "exports.zip", "w") as archive:
        archive.write(path, "inner/export.json")
        archive.writestr("readme.md", "x")
    found = read_keypoints([tmp_path / "exports.zip"])
    assert len(found.keypoints) == 2
    assert kinds(found) == ["other_file"]
    assert isinstance(found.keypoints, pd.DataFrame)
