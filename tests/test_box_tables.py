"""Boxes from CSV, Parquet, Kaggle's solutions and wsolevaluation's texts."""

import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from biaskit.annotations import box_tables, limits, read_boxes, synsets, wsol
from biaskit.annotations.box_tables import read_csv, read_parquet
from biaskit.annotations.column_names import match_columns
from biaskit.annotations.options import Context, Options
from biaskit.annotations.repairs import KINDS, Refused, Repairs
from biaskit.errors import AnnotationError, BiaskitError

HEAD = "image_id,category,x_min,y_min,x_max,y_max,image_width,image_height\n"
SIDES = ["x_min", "y_min", "x_max", "y_max"]


def read(tmp_path, text, name="boxes.csv", **options):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_boxes([path], **options)


def picture(path, width, height):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height)).save(path, "JPEG")


def kinds(read):
    return [tuple(row)[1:3] for row in read.repairs.itertuples(index=False)]


def test_pixels_are_edges(tmp_path):
    found = read(tmp_path, HEAD + "p/a.jpg,cat,10,20,60,100,100,200\n")
    assert found.boxes.iloc[0].to_dict() == {
        "category": "cat",
        "image_id": "a",
        "object": 0,
        "split": "",
        "image_width": 100,
        "image_height": 200,
        "x_min": 0.1,
        "y_min": 0.1,
        "x_max": 0.6,
        "y_max": 0.5,
        "lattice": 1,
    }


def test_pixels_with_fractions_are_continuous(tmp_path):
    assert read(tmp_path, HEAD + "a,cat,10.5,20,60,100,100,200\n").boxes["lattice"].tolist() == [0]


def test_numbers_within_one_are_fractions_unless_the_caller_says_pixels(tmp_path):
    text = HEAD + "a,cat,0,0,0.5,1,100,200\n"
    assert read(tmp_path, text).boxes[SIDES].to_numpy().tolist() == [[0, 0, 0.5, 1]]
    found = read(tmp_path, text, units="px").boxes[SIDES].to_numpy().tolist()
    assert found == [[0, 0, 0.005, 0.005]]


@pytest.mark.parametrize(
    "text",
    [
        "file;label;left;top;right;bottom;width;height\na;cat;10;20;60;100;100;200",
        "Image ID\tclass\tx1\ty1\tx2\ty2\twidth\theight\na\tcat\t10\t20\t60\t100\t100\t200",
        "filename,name,x0,y0,x1,y1,img_width,img_height\na,cat,10,20,60,100,100,200",
        "path,label,x,y,w,h,width,height\na,cat,10,20,50,80,100,200",
        "\ufeffpath,label,bbox_x,bbox_y,bbox_w,bbox_h,width,height\r\na,cat,10,20,50,80,100,200\r\n",
    ],
)
def test_usual_names_are_understood(tmp_path, text):
    assert read(tmp_path, text).boxes[SIDES].to_numpy().tolist() == [[0.1, 0.1, 0.6, 0.5]]


def test_a_mapping_names_the_rest(tmp_path):
    text = "bild,art,links,oben,rechts,unten,b,h\na,Katze,10,20,60,100,100,200"
    ours = ["image_id", "category", *SIDES, "image_width", "image_height"]
    mapping = dict(zip(ours, text.split("\n")[0].split(","), strict=True))
    assert read(tmp_path, text, columns=mapping).boxes["category"].tolist() == ["Katze"]
    with pytest.raises(
        AnnotationError, match=r"no column for .*x_min.* among bild, art.*--columns"
    ):
        read(tmp_path, text)
    with pytest.raises(AnnotationError, match="no column 'nix'; the table has bild, art"):
        read(tmp_path, text, columns={"x_min": "nix"})
    with pytest.raises(AnnotationError, match="unknown column 'xmin', expected one of image_id"):
        read(tmp_path, text, columns={"xmin": "links"})


def test_a_column_is_used_once():
    assert match_columns(["image", "label", "x0", "y0", "x1", "y1"], {})["x_max"] == "x1"
    with pytest.raises(Refused, match="x_max"):
        match_columns(["image", "label", "x1", "y1"], {})
    with pytest.raises(Refused, match="y_max"):
        match_columns(["image", "label", "x1", "y1", "x2", "h"], {})


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ("a,cat,,20,60,100,100,200", "not_a_number"),
        ("a,cat,x,20,60,100,100,200", "not_a_number"),
        ("a,cat,inf,20,60,100,100,200", "not_a_number"),
        ("a,,10,20,60,100,100,200", "no_category"),
        (",cat,10,20,60,100,100,200", "no_image"),
        ("a,cat,10,20,60,100,,200", "no_size"),
        ("a,cat,10,20,60,100,0,200", "no_size"),
        ("a,cat,10,20,10,100,100,200", "zero_area"),
        ("a,cat,60,20,10,100,100,200", "swapped"),
        ("a,cat,10,20,160,100,100,200", "outside"),
    ],
)
def test_a_bad_row_is_one_repair_and_the_next_is_read(tmp_path, row, kind):
    found = read(tmp_path, HEAD + row + "\nb,cat,10,20,60,100,100,200\n")
    assert kinds(found) == [(0, kind)]
    assert "b" in found.boxes["image_id"].tolist()


def test_the_image_twice_in_one_table_is_several_objects(tmp_path):
    rows = "a,cat,10,20,60,100,100,200\nb,cat,1,2,6,10,100,200\na,cat,1,2,6,10,100,200\n"
    found = read(tmp_path, HEAD + rows).boxes
    assert found["object"].tolist() == [0, 1, 0]


def test_text_stays_text(tmp_path):
    "NA is a category, 007 an image"
    assert read(tmp_path, HEAD + "007,NA,10,20,60,100,100,200\n").boxes.iloc[0, :2].tolist() == [
        "NA",
        "007",
    ]


def test_a_column_of_splits_is_used_unless_the_caller_decides(tmp_path):
    text = "split," + HEAD + "val,a,cat,10,20,60,100,100,200\n"
    assert read(tmp_path, text).boxes["split"].tolist() == ["val"]
    assert read(tmp_path, text, split="mine").boxes["split"].tolist() == ["mine"]


def test_sizes_may_come_from_photographs(tmp_path):
    picture(tmp_path / "p/a.jpg", 100, 200)
    text = "image,label,x1,y1,x2,y2\na.jpg,cat,10,20,60,100\n"
    found = read(tmp_path, text, images=tmp_path / "p")
    assert found.boxes[SIDES].to_numpy().tolist() == [[0.1, 0.1, 0.6, 0.5]]
    with pytest.raises(AnnotationError, match=r"no_size.*--images"):
        read(tmp_path, text)


def test_parquet_and_our_own_table_come_back_the_same(tmp_path):
    first = read(tmp_path, HEAD + "a,cat,10,20,60,100,100,200\nb,dog,1,2,6,10,64,64\n")
    first.boxes.to_parquet(tmp_path / "again.parquet")
    again = read_boxes([tmp_path / "again.parquet"])
    pd.testing.assert_frame_equal(again.boxes, first.boxes)
    first.boxes.to_csv(tmp_path / "again.csv", index=False)
    pd.testing.assert_frame_equal(read_boxes([tmp_path / "again.csv"]).boxes, first.boxes)


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("bad.csv", b"", "empty"),
        ("bad.csv", b"a,b\n\xff,1\n", "not_utf8"),
        ("bad.csv", b'a,b\n"1', "broken"),
        ("bad.csv", b"a,b\n1,2\n", "not_annotation"),
        ("bad.parquet", b"PAR1 and no more", "broken"),
        ("bad.parquet", b"", "empty"),
    ],
)
def test_a_file_that_is_none_gives_one_row(tmp_path, name, data, kind):
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / name).write_bytes(data)
    (folder / "good.csv").write_text(HEAD + "a,cat,10,20,60,100,100,200\n")
    found = read_boxes([folder])
    assert kinds(found) == [(-1, kind)]
    assert len(found.boxes) == 1


def test_a_parquet_of_more_rows_than_anybody_has_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(box_tables, "MOST_ROWS", 1)
    pd.DataFrame({"image": ["a", "b"]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(AnnotationError, match=r"bomb.*2 rows"):
        read_boxes([tmp_path / "a.parquet"])


def test_a_small_parquet_that_unpacks_to_much_is_seen_in_time(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "FLOOR", 10_000_000)
    text = ["x" * 10_000] * 20_000
    table = pd.DataFrame(dict.fromkeys(["image", "label"], text) | dict.fromkeys(SIDES, 0.5))
    table.to_parquet(tmp_path / "a.parquet")
    with pytest.raises(AnnotationError, match=r"bomb.*unpack to over \d\d,\d{3},\d{3}\)"):
        read_boxes([tmp_path / "a.parquet"])


def test_columns_of_a_parquet_that_are_not_needed_are_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "FLOOR", 10_000_000)
    table = pd.read_csv(io.StringIO(HEAD + "a,cat,10,20,60,100,100,200\n" * 3000))
    table.assign(picture="x" * 10_000).to_parquet(tmp_path / "a.parquet")
    assert len(read_boxes([tmp_path / "a.parquet"], near_copies=None).boxes) == 3000


def test_a_csv_of_too_many_columns_is_refused_by_its_first_line(tmp_path):
    with pytest.raises(AnnotationError, match=r"not_annotation.*20,001 columns"):
        read(tmp_path, "\ufeff\n" + ";" * 20_000 + "\n")


def test_a_file_too_large_for_the_memory_leaves_its_neighbours_alone(tmp_path, monkeypatch):
    def full(*_):
        raise MemoryError

    monkeypatch.setattr(box_tables, "match_columns", full)
    (tmp_path / "b.xml").write_text(
        "<annotation><size><width>9</width><height>9</height></size><object><name>cat</name>"
        "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>5</ymax></bndbox></object>"
        "</annotation>"
    )
    (tmp_path / "a.csv").write_text(HEAD)
    found = read_boxes([tmp_path])
    assert (len(found.boxes), kinds(found)) == (1, [(-1, "too_large")])


def test_kaggles_solutions_take_their_sizes_from_photographs(tmp_path):
    picture(tmp_path / "p/ILSVRC2012_val_00000001.JPEG", 500, 375)
    text = (
        "ImageId,PredictionString\n"
        "ILSVRC2012_val_00000001,n01751748 0 0 499 374 n01751748 10 20 249 74 \n"
        "ILSVRC2012_val_00000002,n01751748 0 0 499 374\n"
        "ILSVRC2012_val_00000001,n01751748 0 0\n"
    )
    found = read(tmp_path, text, "LOC_val_solution.csv", images=tmp_path / "p")
    assert found.boxes[SIDES].to_numpy().tolist() == [[0, 0, 1, 1], [10 / 500, 20 / 375, 0.5, 0.2]]
    assert found.boxes["split"].tolist() == ["val", "val"]
    assert found.boxes["lattice"].tolist() == [1, 1]
    assert kinds(found) == [(2, "no_size"), (3, "not_a_number")]
    with pytest.raises(AnnotationError, match=r"LOC_val_solution.csv: .*no image sizes.*--images"):
        read(tmp_path, text, "LOC_val_solution.csv")
    (tmp_path / "boxes.csv").write_text(HEAD + "a,cat,10,20,60,100,100,200\n")
    assert read_boxes([tmp_path]).boxes["category"].tolist() == ["cat"]


def test_an_image_on_two_lines_of_kaggles_is_one_image(tmp_path):
    picture(tmp_path / "p/a.JPEG", 500, 375)
    text = "ImageId,PredictionString\na,n01751748 0 0 499 374\na,n01751748 10 20 249 74\n"
    found = read(tmp_path, text, "LOC_val_solution.csv", images=tmp_path / "p")
    assert found.boxes["object"].tolist() == [0, 1]


WSOL = {
    "localization.txt": "val/a_1.JPEG,0,0,499,374\nval/a_1.JPEG,10,20,249,74\nval/b.JPEG,1,2,3,4\n",
    "image_sizes.txt": "val/a_1.JPEG,500,375\nval/b.JPEG,10,10\n",
    "class_labels.txt": "val/a_1.JPEG,65\nval/b.JPEG,7\n",
}


def wsol_folder(tmp_path, files):
    folder = tmp_path / "test"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def test_wsolevaluation_counts_as_imagenet_does(tmp_path):
    found = read_boxes([wsol_folder(tmp_path, WSOL)])
    assert len(found.repairs) == 0
    assert found.boxes["category"].tolist() == ["65", "65", "7"]
    assert found.boxes[SIDES].to_numpy().tolist()[:2] == [
        [0, 0, 1, 1],
        [10 / 500, 20 / 375, 0.5, 0.2],
    ]
    assert found.boxes["split"].unique().tolist() == ["val"]
    assert found.n_files == 1


def test_two_paths_of_one_image_are_one_image(tmp_path):
    files = {name: text + text.replace(".JPEG", ".png") for name, text in WSOL.items()}
    files["localization.txt"] = "val/b.JPEG,1,2,3,4\nval/b.png,5,6,7,8\n"
    assert read_boxes([wsol_folder(tmp_path, files)]).boxes["object"].tolist() == [0, 1]


def test_a_thousand_labels_are_wnids_where_these_are_known(tmp_path, monkeypatch):
    wnids = [f"n{n:08d}" for n in range(0, 5000, 5)]
    names = [f"val/{n}.JPEG" for n in range(1000)]
    files = {
        "localization.txt": "".join(f"{name},1,2,3,4\n" for name in names),
        "image_sizes.txt": "".join(f"{name},10,10\n" for name in names),
        "class_labels.txt": "".join(f"{name},{n}\n" for n, name in enumerate(names)),
    }
    folder = wsol_folder(tmp_path, files)
    monkeypatch.setattr(wsol, "imagenet_wnids", list)
    assert sorted(read_boxes([folder]).boxes["category"], key=int)[-1] == "999"
    monkeypatch.setattr(wsol, "imagenet_wnids", lambda: wnids)
    assert read_boxes([folder]).boxes["category"].tolist() == wnids
    assert callable(synsets.imagenet_wnids)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "localization.txt",
            "val/a_1.JPEG,x,0,9,9\n" + WSOL["localization.txt"],
            (0, "not_a_number"),
        ),
        ("localization.txt", "val/a_1.JPEG,0,9\n" + WSOL["localization.txt"], (0, "not_a_number")),
        ("class_labels.txt", "val/a_1.JPEG,65\n", (2, "no_category")),
        ("image_sizes.txt", "val/a_1.JPEG,500,375\n", (2, "no_size")),
    ],
)
def test_a_bad_line_is_one_repair(tmp_path, name, text, expected):
    assert kinds(read_boxes([wsol_folder(tmp_path, WSOL | {name: text})])) == [expected]


@pytest.mark.parametrize("missing", sorted(WSOL))
def test_all_three_files_are_needed(tmp_path, missing):
    files = {name: text for name, text in WSOL.items() if name != missing}
    with pytest.raises(AnnotationError, match=rf"not_annotation.*{missing} is not beside it"):
        read_boxes([wsol_folder(tmp_path, files)])


def guarded(reader, data, **options):
    repairs = Repairs()
    context = Context("s", Options(**options), None, repairs)
    try:
        reader("a.csv", data, context)
    except Refused as refused:
        repairs.add("a.csv", refused.kind, refused.found)
    except BiaskitError:
        return
    assert set(repairs.counts) <= set(KINDS)


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_read_or_refused(data, with_head):
    guarded(read_csv, HEAD.encode() * with_head + data)
    guarded(read_parquet, b"PAR1" * with_head + data)


@given(st.lists(st.lists(st.text(max_size=6), min_size=8, max_size=8), max_size=4))
def test_any_cells_are_read_or_refused(rows):
    guarded(read_csv, (HEAD + "\n".join(",".join(row) for row in rows)).encode("utf-8", "replace"))
