"""The commands that bring marks in and test them."""

import json
from pathlib import Path

import pytest
from label_studio_exports import annotation, mark, task, write

from biaskit.cli import main
from biaskit.study import Study

AWA = Path(__file__).resolve().parents[1] / "../shared/data/eyes/awa_pose_eyes.csv"


def run(*arguments, capsys):
    status = main([str(a) for a in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.fixture
def export(tmp_path):
    "Thirty photographs with eyes near the middle, by two annotators; one skipped"
    tasks = []
    for k in range(30):
        own = [
            annotation(
                mark("left_eye", 52 + k % 5 + 0.1 * who, 40 + k % 3),
                mark("right_eye", 44 + k % 5, 40 + k % 4),
                number=10 * k + who,
                who=who,
                was_cancelled=(k, who) == (7, 2),
            )
            for who in (1, 2)
        ]
        tasks.append(task(*own, number=k, image=f"dogs/n02097474_{k}.JPEG"))
    return write(tmp_path, *tasks)


def test_from_an_export_to_a_table_and_charts(export, tmp_path, capsys):
    study = tmp_path / "study"
    status, out, _ = run("keypoints", export, "--study", study, capsys=capsys)
    assert status == 0
    assert "118 points (118 visible, 0 occluded, 0 absent) of left_eye, right_eye" in out
    assert "30 images, 1 categories, 2 annotators" in out
    assert "study/keypoint_repairs: skipped 1 (skipped by the annotator)" in out
    status, out, _ = run("test", "--study", study, "--draws", 2, capsys=capsys)
    assert status == 0
    assert "midpoint (fit) 1 of 1" in out
    assert "Next: biaskit chart midpoints" in out
    line = next(line for line in out.splitlines() if line.startswith("n02097474"))
    assert " 30 " in line
    for chart in ("midpoints", "distances", "marks"):
        path = tmp_path / f"{chart}.svg"
        status, _, _ = run("chart", chart, "--study", study, "--output", path, capsys=capsys)
        assert status == 0
        assert path.stat().st_size > 2000


def test_a_repeated_call_does_nothing_and_another_source_is_refused(export, tmp_path, capsys):
    study = tmp_path / "study"
    arguments = ("--study", study, "--category", "dog")
    assert run("keypoints", export, *arguments, capsys=capsys)[0] == 0
    before = (study / "keypoints.parquet").stat().st_mtime_ns
    assert run("keypoints", export, *arguments, capsys=capsys)[0] == 0
    assert (study / "keypoints.parquet").stat().st_mtime_ns == before
    other = task(annotation(mark("left_eye", 1, 2), number=999), image="x/zz.JPEG")
    more = write(tmp_path, other, name="more.json")
    status, _, err = run("keypoints", more, *arguments, capsys=capsys)
    assert status == 2
    assert "--replace makes it anew, --append adds to it" in err
    status, out, _ = run("keypoints", more, *arguments, "--append", capsys=capsys)
    assert status == 0
    assert "annotators added" in out
    assert len(Study(study).read("keypoints")) == 119
    assert run("keypoints", more, *arguments, "--replace", capsys=capsys)[0] == 0
    assert len(Study(study).read("keypoints")) == 1


def test_strict_gives_a_status_and_json_the_counts(tmp_path, capsys):
    two = annotation(mark("left_eye", 1, 1), mark("left_eye", 2, 2, identity="b"),
                     mark("right_eye", 5, 5))  # fmt: skip
    path = write(tmp_path, task(two))
    arguments = ("keypoints", path, "--study", tmp_path / "s")
    status, out, _ = run(*arguments, "--strict", "--json", capsys=capsys)
    assert status == 1
    told = json.loads(out)
    assert told["refused"] == {"duplicate_mark": 1}
    assert told["points"] == 1
    assert run(*arguments, "--replace", capsys=capsys)[0] == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--columns", "left_eye_x"], "--columns takes ours=theirs"),
        (["--append", "--replace"], "exclude each other"),
    ],
)
def test_a_wrong_call_is_one_line(export, tmp_path, capsys, options, words):
    status, _, err = run("keypoints", export, "--study", tmp_path / "s", *options, capsys=capsys)
    assert status == 2
    assert words in " ".join(err.split())


def test_a_pair_that_cannot_be_guessed_is_asked_for(tmp_path, capsys):
    points = [mark(p, 10 * k, 50) for k, p in enumerate(("ear", "nose", "tail"), start=1)]
    path = write(tmp_path, task(annotation(*points)))
    study = ("--study", tmp_path / "s")
    assert run("keypoints", path, *study, capsys=capsys)[0] == 0
    status, _, err = run("test", *study, capsys=capsys)
    assert status == 1
    assert "has the points ear, nose, tail; which two make the pair? --pair ear,nose" in err
    assert run("test", *study, "--pair", "ear,tail", "--draws", 1, capsys=capsys)[0] == 0
    chart = ("chart", "marks", *study, "--output", tmp_path / "m.svg")
    assert run(*chart, "--pair", "ear,nose", capsys=capsys)[0] == 0
    assert run(*chart, "--sort", "sum", capsys=capsys)[0] == 2


def test_a_study_without_boxes_or_marks_says_how_to_begin(tmp_path, capsys):
    status, _, err = run("test", "--study", tmp_path / "s", capsys=capsys)
    assert status == 2
    assert "biaskit boxes SOURCE..." in err


@pytest.mark.skipif(not AWA.is_file(), reason="the shared real data are not beside this checkout")
def test_the_real_eyes_go_through_to_a_table_and_charts(tmp_path, capsys):
    study = ("--study", tmp_path / "eyes")
    status, out, _ = run("keypoints", AWA, "--columns", "object=animal", *study, capsys=capsys)
    assert status == 0
    assert "16,207 visible" in out
    status, out, _ = run("test", *study, capsys=capsys)
    assert status == 0
    tested = [line for line in out.splitlines() if line.startswith(("lion", "collie", "tiger"))]
    assert len(tested) == 3
    significance = Study(tmp_path / "eyes").read("significance")
    rows = significance.query(
        "measure == 'midpoint' and null == 'fit' and test == 'chi2' and policy == 'one' "
        "and edges == 'with' and n_images >= 50"
    )
    assert len(rows) >= 30
    # Heads are in the upper middle of photographs of animals: of every category.
    assert (rows["log10_p"] < -5).all()
    effects = Study(tmp_path / "eyes").read("effects")
    down = effects.query(
        "measure == 'midpoint_y' and effect == 'mean' and policy == 'one' and edges == 'with' "
        "and n >= 50"
    )
    # All but skunks, whose eyes are near the ground, and so is the middle of the frame.
    assert (down["high"] < 0.5).mean() > 0.9
    for category in ("elephant", "collie", "chihuahua", "tiger", "zebra"):
        for chart in ("midpoints", "distances"):
            path = tmp_path / f"{chart}-{category}.svg"
            given = ("--category", category, "--output", path, *study)
            assert run("chart", chart, *given, capsys=capsys)[0] == 0
