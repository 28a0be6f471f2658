"""The command line: what it prints, its exit status, one line for every error of ours."""

import json
import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from biaskit.cli import main
from biaskit.study import Study

XML = """<annotation><folder>{wnid}</folder><filename>{wnid}_{k}</filename>
<size><width>500</width><height>400</height><depth>3</depth></size>
<object><name>{wnid}</name><bndbox><xmin>{x}</xmin><ymin>{y}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax>
</bndbox></object></annotation>"""


@pytest.fixture
def release(tmp_path):
    "Sixty boxes of one category, all in the middle, and one file that is no XML"
    folder = tmp_path / "release" / "n02097474"
    folder.mkdir(parents=True)
    for k in range(60):
        x, y = 200 + k % 7, 150 + k % 5
        text = XML.format(wnid="n02097474", k=k, x=x, y=y, x2=x + 99, y2=y + 99)
        (folder / f"n02097474_{k}.xml").write_text(text)
    (folder / "n02097474_99.xml").write_text("<annotation>")
    return folder.parent


def run(*arguments, capsys):
    status = main([str(a) for a in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_from_box_files_to_the_audit_page(release, tmp_path, capsys):
    study = tmp_path / "study"
    status, out, _ = run("boxes", release, "--study", study, capsys=capsys)
    assert status == 0
    assert "60 boxes, 60 images, 1 categories" in out
    assert "study/repairs: broken 1, 1 refused (" in out
    status, out, _ = run("test", "--study", study, "--draws", 2, capsys=capsys)
    assert status == 0
    assert "Next: biaskit audit" in out
    status, out, _ = run("show", "--study", study, capsys=capsys)
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == [
        "boxes",
        "repairs",
        "measures",
        "significance",
        "effects",
        "symmetry",
    ]
    page = tmp_path / "page.html"
    status, out, _ = run("audit", "--study", study, "--output", page, capsys=capsys)
    assert status == 0
    assert "n02097474" in page.read_text(encoding="utf-8")
    table = tmp_path / "table.csv"
    status, out, _ = run(
        "export", "significance", "--study", study, "--output", table,
        "--where", "test=chi2", "--where", "policy=one", capsys=capsys,
    )  # fmt: skip
    assert status == 0
    assert set(pd.read_csv(table)["test"]) == {"chi2"}
    assert table.with_name("table.csv.json").exists()


def coco(folder):
    "Forty photographs of a traffic light in their upper half and of a bus anywhere"
    images = [{"id": k, "file_name": f"{k}.jpg", "width": 640, "height": 480} for k in range(40)]
    kinds = [{"id": 3, "name": "bus"}, {"id": 10, "name": "traffic light"}]
    marks = [
        {"id": 2 * k + j, "image_id": k, "category_id": kind["id"], "iscrowd": 0,
         "bbox": [(k * 37 + j) % 500 + 0.5, (k * 53) % (100 + 200 * (1 - j)) + 0.25, 100.5, 50.75]}
        for k in range(40) for j, kind in enumerate(kinds)
    ]  # fmt: skip
    file = folder / "instances.json"
    file.write_text(json.dumps({"images": images, "annotations": marks, "categories": kinds}))
    return [file]


def plain_csv(folder):
    "The same, as somebody's own table"
    lines = ["label,photo,left,top,right,bottom,w,h"]
    for k in range(40):
        x, y = (k * 37) % 500, (k * 53) % 100
        lines.append(f"traffic light,{k}.jpg,{x},{y},{x + 100},{y + 50},640,480")
    file = folder / "mine.csv"
    file.write_text("\n".join(lines))
    names = {
        "category": "label", "image_id": "photo", "x_min": "left", "y_min": "top",
        "x_max": "right", "y_max": "bottom", "image_width": "w", "image_height": "h",
    }  # fmt: skip
    pairs = [word for ours, theirs in names.items() for word in ("--columns", f"{ours}={theirs}")]
    return [file, "--units", "px", *pairs]


@pytest.mark.parametrize("source", [coco, plain_csv])
def test_ones_own_categories_go_all_the_way_to_the_audit_page(source, tmp_path, capsys):
    study, page = tmp_path / "study", tmp_path / "audit.html"
    status, _, err = run("boxes", *source(tmp_path), "--study", study, capsys=capsys)
    assert (status, err) == (0, "")
    status, out, _ = run("test", "--study", study, "--draws", 2, capsys=capsys)
    assert status == 0
    assert "traffic light" in out
    status, _, _ = run("audit", "--study", study, "--output", page, capsys=capsys)
    assert status == 0
    assert "traffic light" in page.read_text(encoding="utf-8")
    place = (
        Study(study)
        .read("significance")
        .query(
            "category == 'traffic light' and measure == 'position_y' and null == 'fit' "
            "and policy == 'one' and edges == 'with' and test == 'ks'"
        )
    )
    assert place["log10_p"].item() < -10  # forty of forty in the upper third
    assert place["n_images"].item() == 40


def test_a_repeated_call_changes_nothing_and_other_options_are_refused(release, tmp_path, capsys):
    study = tmp_path / "study"
    run("boxes", release, "--study", study, capsys=capsys)
    before = (study / "boxes.parquet").stat()
    status, _, _ = run("boxes", release, "--study", study, capsys=capsys)
    assert status == 0
    assert (study / "boxes.parquet").stat().st_mtime_ns == before.st_mtime_ns
    status, out, err = run("boxes", release, "--study", study, "--split", "a", capsys=capsys)
    assert (status, out) == (2, "")
    assert err.startswith("biaskit: study: table ")
    assert "--split was None, now 'a'" in err
    assert len(err.splitlines()) == 1
    status, _, _ = run(
        "boxes", release, "--study", study, "--split", "a", "--replace", capsys=capsys
    )
    assert status == 0
    assert set(Study(study).read("boxes")["split"]) == {"a"}


def test_append_tells_what_it_added(release, tmp_path, capsys):
    added = "study/boxes: 60 boxes, 60 images, 1 categories added"
    for told in (added, added.replace("added", "there already")):
        call = ("boxes", release, "--study", tmp_path / "study", "--append")
        assert told in run(*call, capsys=capsys)[1].splitlines()


def test_boxes_that_are_there_are_not_appended_and_all_at_once_they_are_counted(tmp_path, capsys):
    head = "category,image_id,object,image_width,image_height,x_min,x_max,y_min,y_max\n"
    row = "cat,{},0,100,100,20,50,20,60\n"
    one, two, study = tmp_path / "one.csv", tmp_path / "two.csv", tmp_path / "study"
    one.write_text(head + row.format("a") + row.format("b"))
    two.write_text(head + row.format("b") + row.format("c"))
    options = ("--units", "px", "--study", study)
    assert run("boxes", one, *options, capsys=capsys)[0] == 0
    before = {path.name: path.read_bytes() for path in study.iterdir()}
    status, _, err = run("boxes", two, *options, "--append", capsys=capsys)
    assert status == 1
    assert "'boxes' holds 1 of these 2 rows already, the first: category cat, image_id b" in err
    assert "Give all files at once and --replace" in err
    assert {path.name: path.read_bytes() for path in study.iterdir()} == before
    status, out, _ = run("boxes", one, two, *options, "--replace", capsys=capsys)
    assert status == 0
    assert "boxes: 3 boxes, 3 images, 1 categories" in out
    assert "same_image 1, 1 refused" in out


def test_names_that_are_no_text_are_spelled_out(release, tmp_path):
    "Whatever the folders are called, and whatever the terminal can write"
    images, words = (os.fsencode(tmp_path) + name for name in (b"/i\xff", b"/w\xff"))
    os.mkdir(images)
    with open(images + b"/a.jpg", "wb"), open(words, "w") as file:
        file.write("n02097474 cairn\n")
    options = ["--images", images, "--words", words, "--split", b"\xff"]
    done = subprocess.run(
        [sys.executable, "-m", "biaskit", "boxes", release, "--study", "st\u00fcdy", *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "st\\xfcdy/boxes: 60 boxes" in done.stdout
    kept = Study(tmp_path / "st\u00fcdy").provenance("boxes")["options"]
    assert (kept["images"], kept["words"], kept["split"]) == ("i\\udcff", "w\\udcff", "\\udcff")


def test_json_is_one_object(release, tmp_path, capsys):
    _, out, _ = run("boxes", release, "--study", tmp_path / "s", "--json", capsys=capsys)
    found = json.loads(out)
    assert (found["boxes"], found["categories"]) == (60, 1)
    assert sum(found["refused"].values()) == 1


def test_strict_gives_status_1(release, tmp_path, capsys):
    status, _, _ = run("boxes", release, "--study", tmp_path / "s", "--strict", capsys=capsys)
    assert status == 1
    assert len(Study(tmp_path / "s").read("boxes")) == 60


def test_nothing_usable_is_status_1_and_one_line(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    status, out, err = run("boxes", tmp_path / "empty", "--study", tmp_path / "s", capsys=capsys)
    assert (status, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "s" / "boxes.parquet").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["bxes"],
        ["boxes"],
        ["boxes", "x", "--replace", "--append"],
        ["boxes", "x", "--columns", "x_min"],
        ["boxes", "x", "--workers", "0"],
        ["test", "--draws", "0"],
        ["export", "nothing"],
    ],
)
def test_a_wrong_call_is_status_2(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    status, _, err = run(*arguments, capsys=capsys)
    assert status == 2
    assert "Traceback" not in err


def test_a_test_without_boxes_says_what_to_type(tmp_path, capsys):
    status, _, err = run("test", "--study", tmp_path / "study", capsys=capsys)
    assert status == 2
    assert err == (
        "biaskit: study: has no table 'boxes' yet. To make it: biaskit boxes SOURCE...\n"
    )


def commands():
    from biaskit.cli.main import app

    return [command.name for command in app.registered_commands]


@pytest.mark.parametrize("name", commands())
def test_help_ends_with_a_line_to_copy(name, capsys):
    status, out, _ = run(name, "--help", capsys=capsys)
    assert status == 0
    assert f"\n  biaskit {name}" in out


def test_ctrl_c_is_status_130_and_leaves_whole_tables(release, tmp_path):
    study = tmp_path / "study"
    command = [sys.executable, "-m", "biaskit"]
    subprocess.run([*command, "boxes", release, "--study", study], check=True, capture_output=True)
    running = subprocess.Popen(
        [*command, "calibrate", "--study", study],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    deadline = time.monotonic() + 60
    while not (study / ".writer.json").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 130
    assert errors.splitlines()[-1].startswith("interrupted: ")
    assert [e.state for e in Study(study).entries()] == ["whole", "whole"]


def test_a_study_against_another_finds_what_moved(release, tmp_path, capsys):
    "The second release has the same category sixty pixels further right"
    for xml in release.rglob("*.xml"):
        moved = tmp_path / "moved" / xml.relative_to(release)
        moved.parent.mkdir(parents=True, exist_ok=True)
        text = xml.read_text()
        for x in range(206, 199, -1):
            text = text.replace(f"<xmin>{x}<", f"<xmin>{x + 60}<")
            text = text.replace(f"<xmax>{x + 99}<", f"<xmax>{x + 159}<")
        moved.write_text(text)
    old, new = tmp_path / "old", tmp_path / "new"
    run("boxes", release, "--study", old, capsys=capsys)
    run("boxes", tmp_path / "moved", "--study", new, capsys=capsys)
    status, out, _ = run(
        "test", "--study", new, "--against", old, "--draws", 2, "--permutations", 199,
        capsys=capsys,
    )  # fmt: skip
    assert status == 0
    assert "Drift: 1 of 1 categories differ (q <= 0.05)" in out
    drift = Study(new).read("drift")
    moved = drift[(drift["measure"] == "position_x") & (drift["test"] == "ks")]
    assert moved["difference"].item() == pytest.approx(60 / 500)
    status, _, _ = run("audit", "--study", new, "--output", tmp_path / "a.html", capsys=capsys)
    assert status == 0


def test_a_chart_is_drawn_with_its_origin_beside(release, tmp_path, capsys):
    study, file = tmp_path / "study", tmp_path / "places.svg"
    run("boxes", release, "--study", study, capsys=capsys)
    status, _, _ = run("chart", "places", "--study", study, "--output", file, capsys=capsys)
    assert status == 0
    assert "n = 60" in file.read_text(encoding="utf-8")
    assert json.loads(file.with_name("places.svg.json").read_text())["options"]["chart"] == "places"
    status, _, err = run("chart", "pie", "--study", study, capsys=capsys)
    assert status == 1
    assert err.startswith("biaskit: chart 'pie' is unknown, expected places,")
