"""From sources to the checked table: geometry, copies, photographs, order, strictness."""

import hashlib
import io
import os
import random
import subprocess
import sys
import tarfile
import time
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from biaskit.annotations import read_boxes, same_image
from biaskit.annotations.options import FORMATS
from biaskit.annotations.repairs import Repairs
from biaskit.annotations.same_image import CONTENT, leave_out_copies, one_file_per_image
from biaskit.errors import AnnotationError, ArchiveError, BiaskitError
from biaskit.tables import BOXES, REPAIRS

DATA = Path(__file__).resolve().parents[1] / "../shared/data"
needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="the shared real data are not beside this checkout"
)


def box(*numbers, name="n02092002"):
    tags = zip(("xmin", "ymin", "xmax", "ymax"), numbers, strict=True)
    inside = "".join(f"<{tag}>{number}</{tag}>" for tag, number in tags)
    return f"<object><name>{name}</name><bndbox>{inside}</bndbox></object>"


def xml(*objects, width=500, height=375, database="ILSVRC_2012"):
    return (
        f"<annotation><filename></filename><source><database>{database}</database></source>"
        f"<size><width>{width}</width><height>{height}</height></size>"
        f"{''.join(objects)}</annotation>"
    ).encode()


def folder(path, files):
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def tar(path, files):
    with tarfile.open(path, "w:gz" if path.suffix == ".tgz" else "w") as archive:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def picture(path, width, height, kind="JPEG", mode="RGB", turn=1):
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x0112] = turn
    Image.new(mode, (width, height)).save(path, kind, exif=exif)


def edges(read):
    return read.boxes[["x_min", "y_min", "x_max", "y_max"]].to_numpy().tolist()


def rows(read, *kinds):
    found = read.repairs[read.repairs["kind"].isin(kinds)] if kinds else read.repairs
    return [tuple(row) for row in found.itertuples(index=False)]


def one(tmp_path, *objects, **options):
    keys = {key: options.pop(key) for key in ("width", "height", "database") if key in options}
    folder(tmp_path / "f", {"val/n02092002_1.xml": xml(*objects, box(1, 2, 30, 40), **keys)})
    return read_boxes([tmp_path / "f"], **options)


def test_imagenet_counts_from_zero_and_includes_the_last_pixel(tmp_path):
    folder(tmp_path / "f", {"val/n02092002_1.xml": xml(box(0, 0, 499, 374))})
    read = read_boxes([tmp_path / "f"])
    assert edges(read) == [[0, 0, 1, 1]]
    assert read.boxes.iloc[0].to_dict() | {"x_min": 0} == {
        "category": "n02092002",
        "image_id": "n02092002_1",
        "object": 0,
        "split": "val",
        "image_width": 500,
        "image_height": 375,
        "x_min": 0,
        "y_min": 0,
        "x_max": 1,
        "y_max": 1,
        "lattice": 1,
    }
    assert (read.n_files, read.n_objects, read.n_images, read.n_refused) == (1, 1, 1, 0)


def test_voc_counts_from_one(tmp_path):
    files = {"a.xml": xml(box(1, 1, 500, 375, name="dog"), database="The VOC2007 Database")}
    read = read_boxes([folder(tmp_path / "f", files)])
    assert (edges(read), len(read.repairs)) == ([[0, 0, 1, 1]], 0)


def test_the_caller_decides_between_voc_and_imagenet(tmp_path):
    folder(tmp_path / "f", {"a.xml": xml(box(1, 1, 250, 75, name="dog"), database="x")})
    assert edges(read_boxes([tmp_path / "f"]))[0][::2] == [1 / 500, 251 / 500]
    assert edges(read_boxes([tmp_path / "f"], format="voc"))[0][::2] == [0, 0.5]


def test_least_above_greatest_is_exchanged_before_pixels_become_edges(tmp_path):
    read = one(tmp_path, box(441, 193, 111, 108))
    assert edges(read)[0] == [111 / 500, 108 / 375, 442 / 500, 194 / 375]
    assert rows(read) == [
        ("val/n02092002_1.xml", 0, "swapped", "441 193 111 108", "111 108 441 193")
    ]


def test_a_box_that_reaches_outside_is_cut(tmp_path):
    read = one(tmp_path, box(-4, 108, 600, 193))
    assert edges(read)[0] == [0, 108 / 375, 1, 194 / 375]
    found = "-4 108 600 193 in 500 x 375 px"
    assert rows(read) == [("val/n02092002_1.xml", 0, "outside", found, "0 108 499 193")]


@pytest.mark.parametrize(
    ("numbers", "kind"),
    [
        ((600, 10, 700, 20), "outside"),
        ((10, -30, 20, -10), "outside"),
        ((10, 10, 10, 20), "zero_area"),
        ((10, 20, 30, 20), "zero_area"),
    ],
)
def test_a_box_of_which_nothing_is_left_is_refused(tmp_path, numbers, kind):
    read = one(tmp_path, box(*numbers))
    assert read.boxes["object"].tolist() == [1]
    assert [(row[1], row[2], row[4]) for row in rows(read)] == [(0, kind, "")]
    assert (read.n_objects, read.n_refused, read.counts) == (2, 1, {kind: 1})


@pytest.mark.parametrize("size", [(0, 375), (500, -1), ("", 375), (10**12, 10)])
def test_without_a_size_the_photograph_gives_it_or_the_file_is_refused(tmp_path, size):
    files = {
        "n02092002_1.xml": xml(box(0, 0, 49, 49), width=size[0], height=size[1]),
        "n02092002_2.xml": xml(box(0, 0, 49, 49)),
    }
    folder(tmp_path / "f", files)
    read = read_boxes([tmp_path / "f"])
    assert read.boxes["image_id"].tolist() == ["n02092002_2"]
    assert [(row[0], row[1], row[2], row[4]) for row in rows(read)] == [
        ("n02092002_1.xml", -1, "no_size", "")
    ]
    picture(tmp_path / "p" / "n02092002_1.JPEG", 100, 50)
    read = read_boxes([tmp_path / "f"], images=tmp_path / "p")
    assert edges(read)[0] == [0, 0, 0.5, 1]
    assert rows(read, "no_size")[0][4] == "100 x 50 px of the photograph"


@pytest.mark.parametrize(
    ("photograph", "kinds"),
    [
        ({}, []),
        ({"width": 250}, ["image_size"]),
        ({"width": 375, "height": 500, "turn": 6}, ["exif_rotation"]),
        ({"turn": 8}, ["exif_rotation"]),
        ({"width": 20, "turn": 8}, ["exif_rotation", "image_size"]),
        ({"turn": 3}, []),
        ({"kind": "PNG"}, ["image_type"]),
        ({"mode": "CMYK"}, ["cmyk"]),
        ({"mode": "L"}, []),
    ],
)
def test_a_photograph_that_disagrees_is_reported_and_the_annotation_kept(
    tmp_path, photograph, kinds
):
    picture(tmp_path / "p" / "n02092002_1.JPEG", **({"width": 500, "height": 375} | photograph))
    read = one(tmp_path, images=tmp_path / "p")
    assert read.repairs["kind"].tolist() == kinds
    assert read.boxes["image_width"].tolist() == [500]
    assert [entry["name"] for entry in read.inputs] == ["f", "p"]


def test_a_photograph_that_cannot_be_read_is_reported(tmp_path):
    folder(tmp_path / "p", {"n02092002_1.JPEG": b"\xff\xd8\xff no picture"})
    assert one(tmp_path, images=tmp_path / "p").repairs["kind"].tolist() == ["broken_image"]


def test_photographs_that_are_missing_are_counted_in_one_row(tmp_path):
    picture(tmp_path / "p" / "other.JPEG", 5, 5)
    read = one(tmp_path, images=tmp_path / "p", strict=True)
    assert rows(read) == [("p", -1, "no_images", "1 of 1 images have no photograph", "")]
    assert read.n_refused == 0


def test_a_photograph_is_read_by_its_header_alone(tmp_path):
    path = tmp_path / "p" / "n02092002_1.JPEG"
    picture(path, 500, 375)
    path.write_bytes(path.read_bytes()[:700])
    assert len(one(tmp_path, images=tmp_path / "p").repairs) == 0


def test_images_must_be_a_folder_of_photographs(tmp_path):
    with pytest.raises(AnnotationError, match="no folder of photographs"):
        one(tmp_path, images=tmp_path / "nowhere")
    (tmp_path / "p").mkdir()
    with pytest.raises(AnnotationError, match="no photograph; names end in"):
        one(tmp_path, images=tmp_path / "p")


def test_of_near_copies_the_first_is_kept(tmp_path):
    "100 x 100 px: one pixel less on one side overlaps by .99, ten less by .90"
    files = {
        "n02092002_1.xml": xml(
            box(100, 100, 199, 199),
            box(110, 100, 199, 199),
            box(101, 100, 199, 199),
            box(100, 100, 199, 199),
            box(100, 100, 199, 199, name="n01440764"),
        )
    }
    folder(tmp_path / "f", files)
    read = read_boxes([tmp_path / "f"])
    found = read.boxes[["category", "object"]].to_numpy().tolist()
    assert found == [["n01440764", 4], ["n02092002", 0], ["n02092002", 1]]
    assert [row[1:] for row in rows(read)] == [
        (2, "near_copy", "overlaps object 0 by 0.990", "object 0"),
        (3, "near_copy", "overlaps object 0 by 1.000", "object 0"),
    ]
    assert read.n_objects == 5
    assert len(read_boxes([tmp_path / "f"], near_copies=None).boxes) == 5


def test_near_copies_are_those_that_a_comparison_of_all_pairs_finds():
    "The sweep over sorted edges must miss none"
    from biaskit.annotations.same_image import _pairs
    from biaskit.geometry import iou_matrix

    rng = np.random.default_rng(3)
    low = rng.integers(0, 4, (300, 2)) / 10
    boxes = np.concatenate([low, low + rng.integers(3, 6, (300, 2)) / 10], axis=1)
    boxes += rng.uniform(0, 0.01, boxes.shape)
    group = rng.integers(0, 3, 300)
    near = (iou_matrix(boxes) > 0.95) & (group[:, None] == group)
    expected = {(a, b) for a, b in np.argwhere(near).tolist() if a < b}
    assert len(expected) > 50
    assert {(a, b) for a, b, _ in _pairs(group, boxes, np.arange(300), 0.95)} == expected


@pytest.mark.parametrize("threshold", [0.5, 0.8, 0.95, 0.99])
def test_in_a_crowd_the_same_boxes_are_left_out(threshold, monkeypatch):
    "Those that a comparison with every box kept finds, from specks to boxes as wide as the image"
    rng = np.random.default_rng(4)
    low = rng.uniform(0, 0.5, (60, 2))
    boxes = np.concatenate([low, low + 10 ** rng.uniform(-6, -0.31, (60, 2))], axis=1)
    boxes = np.repeat(boxes, 20, axis=0)
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    boxes = rng.permutation(boxes + sides * rng.uniform(-0.02, 0.02, boxes.shape))
    raw = pd.DataFrame(boxes, columns=CONTENT[3:]).assign(
        category="cat", split="", image_id="a", file="a.xml", number=np.arange(len(boxes))
    )
    sparse, crowded = Repairs(), Repairs()
    monkeypatch.setattr(same_image, "CROWD", len(boxes))
    expected = leave_out_copies(raw, sparse, threshold)
    monkeypatch.setattr(same_image, "CROWD", 10)
    pd.testing.assert_frame_equal(leave_out_copies(raw, crowded, threshold), expected)
    assert 60 <= len(expected) < len(boxes)
    assert crowded.table().equals(sparse.table())


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("n", [2, 1002])
def test_boxes_of_no_area_to_speak_of_are_no_copies(tmp_path, n):
    head = "image_id,category,x_min,y_min,x_max,y_max,image_width,image_height\n"
    (tmp_path / "a.csv").write_text(head + "a,c,0,0,5e-324,1e-200,9,9\n" * n)
    assert len(read_boxes([tmp_path / "a.csv"]).boxes) == n


@pytest.mark.parametrize("apart", [0, 1e-9, 1e-3])
def test_a_file_of_very_many_objects_ends(tmp_path, apart):
    "All pairs of 40,000 boxes would be 800 million"
    text = "".join(f"a,c,0,{k * apart},100,{20 + k * apart},100,200\n" for k in range(40_000))
    head = "image_id,category,x_min,y_min,x_max,y_max,image_width,image_height\n"
    (tmp_path / "a.csv").write_text(head + text)
    # A thousandth of a pixel down each: after 513 the overlap of 20 px, (20 - s) / (20 + s), is
    # at most 0.95, and 40,000 / 513 is 78 when rounded up.
    start = time.process_time()
    found = read_boxes([tmp_path / "a.csv"])
    assert time.process_time() - start < 60
    assert len(found.boxes) == (1 if apart < 1e-4 else 78)


def test_an_image_of_imagenet_is_kept_from_the_first_file_by_name(tmp_path):
    files = {
        "b/n02092002_1.xml": xml(box(1, 1, 5, 5)),
        "a/n02092002_1.xml": xml(box(2, 2, 9, 9), box(20, 20, 90, 90)),
    }
    read = read_boxes([folder(tmp_path / "f", files)])
    assert len(read.boxes) == 2
    assert rows(read) == [
        ("b/n02092002_1.xml", -1, "same_image", "b/n02092002_1, read from a/n02092002_1.xml", "")
    ]


def test_the_same_image_in_two_sources_is_read_once_in_any_order(tmp_path):
    one_file = {"n02092002_1.xml": xml(box(1, 1, 5, 5)), "n02092002_2.xml": xml(box(1, 1, 5, 5))}
    other = {"n02092002_2.xml": xml(box(7, 7, 9, 9))}
    sources = [folder(tmp_path / "b", one_file), folder(tmp_path / "a", other)]
    first, second = read_boxes(sources), read_boxes(sources[::-1])
    assert edges(first)[1] == [7 / 500, 7 / 375, 10 / 500, 10 / 375]
    assert rows(first)[0][:3] == ("b/n02092002_2.xml", -1, "same_image")
    same(first, second)


def test_sources_of_one_name_are_ordered_by_content(tmp_path):
    sources = [
        folder(tmp_path / where / "s", {"n02092002_2.xml": xml(box(n, n, 9, 9))})
        for n, where in enumerate("pq")
    ]
    same(read_boxes(sources), read_boxes(sources[::-1]))


def test_two_images_of_one_name_get_their_folders_in_front(tmp_path):
    files = {
        "cat/001.xml": xml(box(1, 1, 5, 5, name="cat"), database=""),
        "dog/001.xml": xml(box(2, 2, 9, 9, name="dog"), database=""),
        "dog/002.xml": xml(box(2, 2, 9, 9, name="dog"), database=""),
    }
    read = read_boxes([folder(tmp_path / "f", files)])
    assert read.boxes["image_id"].tolist() == ["cat/001", "002", "dog/001"]
    assert rows(read) == [
        ("cat/001.xml", -1, "same_name", "001", "cat/001"),
        ("dog/001.xml", -1, "same_name", "001", "dog/001"),
    ]


def test_the_same_boxes_of_one_name_are_one_image(tmp_path):
    data = xml(box(1, 1, 5, 5, name="cat"), database="")
    read = read_boxes([folder(tmp_path / "f", {"a/001.xml": data, "b/001.xml": data})])
    assert (len(read.boxes), read.counts) == (1, {"same_image": 1})


def test_many_files_of_one_name_are_settled_in_one_pass():
    "A source named twice has as many doubtful names as images"
    n = 100_000
    noise = np.random.default_rng(1)
    raw = pd.DataFrame(noise.integers(0, 99, (n, 6)), columns=CONTENT[1:]).assign(
        category="cat", split="", source=0, number=0, image=[f"{k // 2}/001" for k in range(n)]
    )
    raw["file"] = [f"{k}.xml" for k in range(n)]
    raw.loc[n // 2 :, "image"] = [f"a/{k // 2}" for k in range(n // 2)]
    start = time.process_time()
    repairs = Repairs()
    kept = one_file_per_image(raw, repairs)
    assert time.process_time() - start < 15
    assert (len(kept), repairs.counts) == (n // 2, {"same_image": n // 2, "same_name": n // 4})


def test_one_image_in_two_parts_stays_in_both_unless_it_is_imagenets(tmp_path):
    data = xml(box(1, 1, 5, 5, name="cat"), database="")
    read = read_boxes([folder(tmp_path / "f", {"train/001.xml": data, "val/001.xml": data})])
    assert read.boxes["split"].tolist() == ["train", "val"]
    files = {"train/n02092002_1.xml": data, "val/n02092002_1.xml": data}
    assert len(read_boxes([folder(tmp_path / "g", files)]).boxes) == 1


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train/a/x.xml", "train"),
        ("Validation/x.xml", "val"),
        ("a/test2017/x.xml", "test"),
        ("train/val/x.xml", "val"),
        ("a/ILSVRC2012_val_00000001.xml", "val"),
        ("trainers/x.xml", ""),
        ("x.xml", ""),
    ],
)
def test_the_split_is_told_by_the_path_and_the_caller(tmp_path, name, split):
    source = folder(tmp_path / "f", {name: xml(box(1, 1, 5, 5))})
    assert read_boxes([source]).boxes["split"].tolist() == [split]
    assert read_boxes([source], split="mine").boxes["split"].tolist() == ["mine"]


def test_the_split_is_told_by_the_name_of_an_archive(tmp_path):
    files = [("x.xml", xml(box(1, 1, 5, 5, name="cat"), database=""))]
    path = tar(tmp_path / "ILSVRC2012_bbox_train_v2.tar", files)
    assert read_boxes([path]).boxes["split"].tolist() == ["train"]


def test_strict_refuses_what_would_be_repaired(tmp_path):
    files = {
        "n02092002_1.xml": xml(box(50, 5, 1, 1), box(1, 1, 50, 50)),
        "n02092002_2.xml": xml(box(1, 1, 50, 50)).replace(b"<filename>", b"<filename>%s"),
        "n02092002_3.xml": xml(box(1, 1, 50, 50)),
    }
    folder(tmp_path / "f", files)
    assert len(read_boxes([tmp_path / "f"]).boxes) == 4
    read = read_boxes([tmp_path / "f"], strict=True)
    assert read.boxes[["image_id", "object"]].to_numpy().tolist() == [
        ["n02092002_1", 1],
        ["n02092002_3", 0],
    ]
    assert [row[2::2] for row in rows(read)] == [("swapped", ""), ("percent_s", "")]
    assert read.n_refused == 2


def test_nothing_usable_is_one_line_that_helps(tmp_path):
    folder(tmp_path / "f", {"a.xml": b"", "b.xml": b"<annotation>"})
    with pytest.raises(AnnotationError) as caught:
        read_boxes([tmp_path / "f"])
    message = str(caught.value)
    assert message.startswith("f: no box could be read; broken 1, empty 1. First: a.xml: empty")
    assert "\n" not in message
    folder(tmp_path / "g", {"a.md": b"text"})
    with pytest.raises(AnnotationError, match=r"g: no box could be read; other_file 1\."):
        read_boxes([tmp_path / "g"])
    (tmp_path / "h").mkdir()
    with pytest.raises(AnnotationError, match=r"h: no box in 0 files\. Known formats: imagenet"):
        read_boxes([tmp_path / "h"])


def test_wrong_calls_are_named(tmp_path):
    with pytest.raises(AnnotationError, match="unknown format 'pascal', expected one of imagenet"):
        one(tmp_path, format="pascal")
    with pytest.raises(AnnotationError, match="unknown units 'cm', expected px or fraction"):
        one(tmp_path, units="cm")
    with pytest.raises(AnnotationError, match="no source"):
        read_boxes([])
    with pytest.raises(ArchiveError, match="no such file"):
        read_boxes([tmp_path / "nowhere"])


def test_hostile_neighbours_leave_the_good_files_alone(tmp_path):
    bomb = '<!DOCTYPE a [<!ENTITY e "ha">]><annotation>&e;</annotation>'
    files = [
        ("n02092002_1.xml", xml(box(1, 1, 5, 5))),
        ("entity.xml", bomb.encode()),
        ("../climb.xml", b"<annotation/>"),
        ("deep.xml", b"<a>" * 1_000_000),
        ("latin.xml", "<annotation>\u00e9</annotation>".encode("latin-1")),
        ("empty.xml", b""),
        ("broken.zip", b"PK\x03\x04 and no more"),
        ("n02092002_2.xml", xml(box(1, 1, 5, 5))),
    ]
    read = read_boxes([tar(tmp_path / "a.tgz", files)])
    assert read.boxes["image_id"].tolist() == ["n02092002_1", "n02092002_2"]
    assert [row[:3:2] for row in rows(read)] == [
        ("../climb.xml", "path"),
        ("broken.zip", "broken_archive"),
        ("deep.xml", "too_deep"),
        ("empty.xml", "empty"),
        ("entity.xml", "entity"),
        ("latin.xml", "not_utf8"),
    ]
    assert read.n_refused == 6
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tgz"]


def same(one, other):
    pd.testing.assert_frame_equal(one.boxes, other.boxes)
    pd.testing.assert_frame_equal(one.repairs, other.repairs)
    assert one.inputs == other.inputs


def many(n):
    """Files with something of everything, over several batches"""
    noise = random.Random(1)
    for k in range(n):
        numbers = [noise.randrange(-5, 510) for _ in range(4)]
        name = noise.choice(["n02092002", "word"])
        odd = noise.random()
        data = b"" if odd < 0.02 else xml(box(*numbers, name=name), box(1, 2, 30, 40))
        yield f"{k % 7}/n02092002_{k - (odd > 0.98)}.xml", data


@pytest.fixture(scope="module")
def orders(tmp_path_factory):
    path = tmp_path_factory.mktemp("orders")
    files = list(many(3000))
    (path / "one").mkdir()
    (path / "two").mkdir()
    first = tar(path / "one" / "a.tgz", files)
    random.Random(2).shuffle(files)
    return first, tar(path / "two" / "a.tgz", files)


def test_neither_order_nor_processes_change_a_byte(orders):
    first = read_boxes([orders[0]], workers=1)
    assert {"outside", "swapped", "word", "empty", "same_image"} <= set(first.counts)
    for path, workers in ((orders[0], 2), (orders[1], 1), (orders[1], 3)):
        read = read_boxes([path], workers=workers)
        pd.testing.assert_frame_equal(read.boxes, first.boxes)
        pd.testing.assert_frame_equal(read.repairs, first.repairs)


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_hash_seed_changes_no_byte(orders, seed, tmp_path):
    code = (
        "import sys, hashlib; from pathlib import Path;"
        "from biaskit.annotations import read_boxes; import pandas as pd;"
        "r = read_boxes([Path(sys.argv[1])], workers=2);"
        "t = r.boxes.to_csv() + r.repairs.to_csv();"
        "print(hashlib.sha256(t.encode()).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(orders[0])],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": seed},
        check=True,
    )
    read = read_boxes([orders[0]], workers=1)
    text = read.boxes.to_csv() + read.repairs.to_csv()
    assert done.stdout.strip() == hashlib.sha256(text.encode()).hexdigest()


def test_a_folder_and_its_archives_give_the_same_tables(tmp_path):
    files = {"val/n02092002_1.xml": xml(box(5, 5, 1, 1)), "val/n02092002_2": xml(box(1, 1, 9, 9))}
    folder(tmp_path / "f", files)
    packed = tar(tmp_path / "a.tar", files.items())
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    tables = [read_boxes([path]) for path in (tmp_path / "f", packed, tmp_path / "a.zip")]
    for other in tables[1:]:
        pd.testing.assert_frame_equal(other.boxes, tables[0].boxes)
        pd.testing.assert_frame_equal(other.repairs, tables[0].repairs)


def test_progress_is_told(orders):
    told = []
    read_boxes([orders[0]], workers=1, progress=lambda *now: told.append(now))
    assert told[-1][0] == 3000
    assert told == sorted(told)
    assert told[0][1:] == (None, "a.tgz")


@needs_data
def test_the_validation_boxes_of_imagenet():
    read = read_boxes([DATA / "imagenet_val_boxes.tgz"])
    assert (read.n_files, read.n_objects, read.n_images) == (50_000, 80_477, 50_000)
    assert read.boxes["category"].nunique() == 1000
    assert len(read.boxes) + read.counts["near_copy"] == 80_477
    assert set(read.counts) == {"near_copy"}
    assert read.boxes["split"].unique().tolist() == ["val"]
    BOXES.check(read.boxes, "again")
    kept = read_boxes([DATA / "imagenet_val_boxes.tgz"], near_copies=None)
    assert len(kept.boxes) == 80_477
    assert len(kept.repairs) == 0


@needs_data
def test_the_dogs_of_stanford():
    read = read_boxes([DATA / "stanford_dogs_annotation.zip"])
    assert (read.n_files, read.n_objects, read.n_images) == (20_580, 22_126, 20_580)
    assert read.boxes["category"].nunique() == 120
    assert read.counts == {"near_copy": 7, "outside": 2, "percent_s": 624, "word": 22_126}
    terriers = read.boxes[read.boxes["category"] == "n02097474"]
    assert len(terriers) == 212
    REPAIRS.check(read.repairs, "again")


@needs_data
def test_samples_as_quoted_in_public_code():
    read = read_boxes([DATA / "xml_samples"])
    assert (read.n_files, read.n_images, len(read.boxes)) == (14, 11, 12)
    refused = read.repairs[read.repairs["kept"] == ""]
    assert dict(zip(refused["file"], refused["kind"], strict=True)) == {
        "malformed/n02437312_10028.xml": "broken",
        "malformed/n02814533_62180_no_object.xml": "no_object",
        "malformed/percent_s_placeholder": "word",
    }
    assert read.counts["percent_s"] == 1


@needs_data
def test_photographs_cut_to_multiples_of_eight_disagree_in_size():
    read = read_boxes([DATA / "imagenet_val_boxes.tgz"], images=DATA / "val_photos")
    assert 0 < read.counts["image_size"] <= 100
    assert read.counts["no_images"] == 1
    assert set(read.counts) == {"image_size", "near_copy", "no_images"}


@settings(deadline=None, max_examples=60)
@given(
    name=st.sampled_from(
        ["a.xml", "a", "a.json", "a.csv", "a.txt", "localization.txt", "data.yaml", "a.parquet"]
    ),
    start=st.sampled_from([b"", b"<annotation>", b"{", b"image,label,x1,y1,x2,y2\n", b"0 .5 "]),
    data=st.binary(max_size=120),
    file_format=st.sampled_from([None, *FORMATS]),
)
def test_any_file_of_any_name_is_read_or_refused(tmp_path_factory, name, start, data, file_format):
    source = folder(tmp_path_factory.mktemp("fuzz"), {name: start + data})
    with suppress(BiaskitError):
        read_boxes([source], format=file_format, workers=1)
