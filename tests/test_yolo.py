"""YOLO's folders: labels, names, photographs."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from biaskit.annotations import read_boxes
from biaskit.annotations.options import Context, Options
from biaskit.annotations.repairs import KINDS, Refused, Repairs
from biaskit.annotations.yolo import looks_like_labels, names_in, read_labels
from biaskit.errors import AnnotationError


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def picture(path, width=200, height=100, turn=1):
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x0112] = turn
    Image.new("RGB", (width, height)).save(path, "JPEG", exif=exif)


def kinds(read):
    return [tuple(row)[:3] for row in read.repairs.itertuples(index=False)]


@pytest.fixture
def yolo(tmp_path):
    root = tmp_path / "set"
    write(root / "data.yaml", "nc: 2\nnames:\n  0: cat\n  1: 'guide dog'\n")
    write(root / "labels/train/a.txt", "1 0.5 0.5 0.2 0.4\n0 0.25 0.5 0.5 1\n")
    write(root / "labels/val/b.txt", "0 0.5 0.5 1 1\n")
    picture(root / "images/train/a.jpg")
    picture(root / "images/val/b.jpg", 50, 60)
    return root


def test_a_folder_as_it_is_trained_on(yolo):
    read = read_boxes([yolo])
    assert kinds(read) == [("set", -1, "other_file")]
    found = read.boxes.set_index(["split", "image_id", "object"])
    assert found["category"].to_dict() == {
        ("train", "a", 0): "guide dog",
        ("train", "a", 1): "cat",
        ("val", "b", 0): "cat",
    }
    sides = ["image_width", "image_height", "x_min", "y_min", "x_max", "y_max", "lattice"]
    assert found.loc[("train", "a", 0), sides].tolist() == [200, 100, 0.4, 0.3, 0.6, 0.7, 0]


def test_sizes_may_come_from_another_folder(yolo, tmp_path):
    picture(tmp_path / "elsewhere/a.jpg", 20, 10)
    read = read_boxes([yolo / "labels"], images=tmp_path / "elsewhere")
    assert read.boxes["image_width"].tolist() == [20, 20]
    assert ("val/b.txt", -1, "no_size") in kinds(read)


def test_labels_belong_to_the_picture_as_displayed(yolo):
    picture(yolo / "images/train/a.jpg", 200, 100, turn=6)
    read = read_boxes([yolo])
    assert read.boxes.loc[read.boxes["image_id"] == "a", "image_width"].tolist() == [100, 100]


def test_without_photographs_the_line_says_what_is_missing(tmp_path):
    write(tmp_path / "f/labels/a.txt", "0 0.5 0.5 1 1")
    with pytest.raises(AnnotationError, match=r"no_size.*--images"):
        read_boxes([tmp_path / "f"])


def test_without_names_a_class_is_its_number(yolo):
    (yolo / "data.yaml").unlink()
    assert set(read_boxes([yolo]).boxes["category"]) == {"0", "1"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("classes.txt", "cat\ndog\n"),
        ("obj.names", "cat\r\ndog\r\n"),
        ("data.yaml", "names: [cat, 'dog']"),
        ("data.yaml", 'path: x\nnames: {0: cat, 1: "dog"}\nnc: 2'),
        ("data.yaml", "names:\n- cat\n- dog\nnc: 2"),
        ("data.yaml", "names:\n\n  - cat # first\n  - dog\n\nnc: 2"),
        ("data.yaml", "names:\n  1: dog\n  0: cat"),
    ],
)
def test_names_in_every_usual_form(name, text):
    assert names_in(name, text.encode()) == {0: "cat", 1: "dog"}


def test_a_list_of_names_made_to_be_slow_or_huge_is_not():
    assert names_in("data.yaml", b"names:\n- a" + b" " * 900_000 + b"b")[0].split() == ["a", "b"]
    assert names_in("data.yaml", b"names: {0: a" + b" " * 900_000 + b"b}")[0].split() == ["a", "b"]
    assert names_in("data.yaml", b"names:\n  " + b"9" * 5000 + b": cat") == {}
    found = names_in("data.yaml", b"names:\n- 'a # b' # c\n- \"it's\"\n- 'cut\n- c # d")
    assert list(found.values()) == ["a # b", "it's", "'cut", "c"]


def test_a_line_without_end_is_known_by_its_beginning():
    "Millions of numbers held for a second look would take a hundred times their size"
    tracemalloc.start()
    assert looks_like_labels("a.txt", b"0" + b" 0.5" * 1_000_000)
    assert tracemalloc.get_traced_memory()[1] < 30_000_000
    tracemalloc.stop()


def test_outlines_are_bounded(yolo):
    write(yolo / "labels/val/b.txt", "0 0.1 0.2 0.5 0.1 0.4 0.9\n")
    read = read_boxes([yolo])
    assert ("labels/val/b.txt", 0, "polygon") in kinds(read)
    last = read.boxes.iloc[-1]
    assert last[["x_min", "y_min", "x_max", "y_max"]].tolist() == [0.1, 0.1, 0.5, 0.9]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("7 0.5 0.5 0.5 0.5", "no_category"),
        ("0 0.5 0.5 0.5", "not_a_number"),
        ("0 0.5 0.5 0.5 0.5 0.9", "not_a_number"),
        ("cat 0.5 0.5 0.5 0.5", "not_a_number"),
        ("0 nan 0.5 0.5 0.5", "not_a_number"),
        ("0 0.5 0.5 0 0.5", "zero_area"),
        ("0 0.5 0.5 0.5 -0.5", "swapped"),
        ("0 0.5 0.5 1.2 0.5", "outside"),
    ],
)
def test_a_bad_line_is_one_row_and_the_next_is_read(yolo, line, kind):
    write(yolo / "labels/val/b.txt", f"{line}\n0 0.5 0.5 0.2 0.2\n")
    read = read_boxes([yolo])
    assert ("labels/val/b.txt", 0, kind) in kinds(read)
    assert (1, "b") in set(zip(read.boxes["object"], read.boxes["image_id"], strict=True))


def test_rounding_of_six_digits_is_not_outside(yolo):
    write(yolo / "labels/val/b.txt", "0 0.666667 0.5 0.666667 1\n")
    assert kinds(read_boxes([yolo])) == [("set", -1, "other_file")]


@pytest.mark.parametrize(("data", "kind"), [(b"", "no_object"), (b"0 .5\xff", "not_utf8")])
def test_a_bad_file_is_one_row(yolo, data, kind):
    write(yolo / "labels/val/b.txt", data)
    assert ("labels/val/b.txt", -1, kind) in kinds(read_boxes([yolo]))


def test_other_text_is_left_aside(yolo):
    write(yolo / "train.txt", "./images/train/a.jpg\n")
    read = read_boxes([yolo])
    assert read.repairs["found"].tolist() == ["2 .jpg, 1 .txt"]


@given(st.binary(max_size=80), st.sampled_from([{}, {0: "cat"}]))
def test_any_bytes_are_read_or_refused(data, names):
    repairs = Repairs()
    context = Context("s", Options(), None, repairs)
    try:
        read_labels("labels/a.txt", data, names, context)
    except Refused as refused:
        repairs.add("a.txt", refused.kind, refused.found)
    assert set(repairs.counts) <= set(KINDS)
    names_in("data.yaml", b"names:" + data)
    names_in("classes.txt", data)


@given(st.text("019 .-e\n", max_size=60))
def test_any_numbers_are_read_or_refused(text):
    test_any_bytes_are_read_or_refused.hypothesis.inner_test(text.encode(), {})
