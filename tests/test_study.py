"""A study's tables are whole or absent, and say where they came from."""

import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pandas as pd
import pytest

from biaskit.errors import StudyError, TableError
from biaskit.provenance import differences, provenance, read_json
from biaskit.study import Study
from biaskit.tables import Column, Schema

PLACES = Schema(
    name="places",
    row="place",
    keys=("name",),
    columns={
        "name": Column("what it is called", kind="text"),
        "x": Column("where it is", "of image width", 0, 1),
    },
)
COUNTS = Schema(name="counts", row="name", columns={"n": Column("how many", kind="integer")})
SCHEMAS = {"places": PLACES, "counts": COUNTS}


@pytest.fixture
def study(tmp_path):
    return Study(tmp_path / "mine", SCHEMAS)


def places(*rows):
    return pd.DataFrame(rows, columns=["name", "x"])


def made(seed=0, options=None, inputs=("a",)):
    files = [{"name": name, "sha256": f"digest of {name}"} for name in inputs]
    return provenance(inputs=files, options=options or {}, seed=seed)


def refusal(words):
    return pytest.raises(StudyError, match=re.escape(words))


def test_a_table_comes_back_as_it_was_written(study):
    table = places(("a", 0.25), ("ü", 1.0))
    with study.writing("test"):
        study.write("places", table, made())
    back = study.read("places")
    assert back.to_dict("list") == table.to_dict("list")
    assert study.provenance("places")["rows"] == 2
    assert study.provenance("places")["options"] == {}


def test_the_same_table_is_the_same_bytes(study, tmp_path):
    other = Study(tmp_path / "other", SCHEMAS)
    for one in (study, other):
        with one.writing("test"):
            one.write("places", places(("a", 0.5)), made())
    first, second = (s.folder / "places.parquet" for s in (study, other))
    assert first.read_bytes() == second.read_bytes()


def test_a_missing_table_names_the_command_that_makes_it(tmp_path):
    message = "mine: has no table 'significance' yet. To make it: biaskit test"
    with refusal(message):
        Study(tmp_path / "mine").read("significance")


def test_an_unknown_table_is_refused(study):
    with refusal("unknown table 'placs'. Known: places, counts."):
        study.read("placs")


def test_nothing_to_do_when_inputs_and_options_are_the_same(study):
    with study.writing("test"):
        assert study.needs("places", made())
        study.write("places", places(("a", 0.5)), made())
    assert not study.needs("places", made())


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (made(seed=7), "seed was 0, now 7"),
        (made(options={"edge_px": 3}), "--edge-px was None, now 3"),
        (made(inputs=("b",)), "input a is no longer given; input b is new"),
        ({**made(), "biaskit": "99"}, ", now 99"),
    ],
)
def test_other_inputs_or_options_are_refused_by_name(study, now, words):
    with study.writing("test"):
        study.write("places", places(("a", 0.5)), made())
    with refusal(words):
        study.needs("places", now)
    assert study.needs("places", now, "replace")


def test_an_input_with_other_content_is_told_from_a_new_one():
    old = {"inputs": [{"name": "a.tgz", "sha256": "1"}]}
    new = {"inputs": [{"name": "a.tgz", "sha256": "2"}]}
    assert differences(old, new) == ["input a.tgz has other content"]


def test_append_adds_rows_and_inputs_and_a_repeat_adds_nothing(study):
    with study.writing("test"):
        study.write("places", places(("b", 0.5)), made())
        assert study.append("places", places(("a", 0.1)), made(inputs=("z",)))
        assert not study.append("places", places(("a", 0.1)), made(inputs=("z",)))
    assert list(study.read("places")["name"]) == ["a", "b"]
    assert [i["name"] for i in study.provenance("places")["inputs"]] == ["a", "z"]


def test_append_refuses_other_options_half_known_inputs_and_repeated_keys(study):
    with study.writing("test"):
        study.write("places", places(("a", 0.5)), made())
        with refusal("cannot append to 'places': seed was 0, now 1"):
            study.append("places", places(("b", 0.1)), made(seed=1, inputs=("z",)))
        with refusal("'places' already holds a. Leave it out."):
            study.append("places", places(("b", 0.1)), made(inputs=("a", "z")))
        words = (
            r"'places' holds 1 of these 2 rows already, the first: name a. Give all files at once"
        )
        with pytest.raises(TableError, match=words):
            study.append("places", places(("a", 0.1), ("b", 0.2)), made(inputs=("z",)))
    assert study.read("places")["x"].tolist() == [0.5]


def test_a_table_made_from_one_that_changed_is_stale(study):
    with study.writing("test"):
        study.write("places", places(("a", 0.5)), made())
        now = provenance(inputs=[study.digest("places")], options={}, seed=None)
        study.write("counts", pd.DataFrame({"n": [1]}), now)
        assert [e.state for e in study.entries()] == ["whole", "whole"]
        study.write("places", places(("a", 0.6)), made())
    assert [e.state for e in study.entries()] == ["whole", "stale: places changed since"]


def test_a_kill_between_table_and_provenance_counts_as_broken_and_is_made_again(study):
    with study.writing("test"):
        study.write("places", places(("a", 0.5)), made())
        beside = (study.folder / "places.json").read_bytes()
        study.write("places", places(("a", 0.6)), made())
    (study.folder / "places.json").write_bytes(beside)
    with refusal("was the run that wrote it killed?"):
        study.read("places")
    assert study.entries()[0].state.startswith("broken: ")
    assert study.needs("places", made())


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1 no table here PAR1"])
def test_a_corrupt_table_is_one_line(study, content):
    with study.writing("test"):
        study.write("places", places(("a", 0.5)), made())
    (study.folder / "places.parquet").write_bytes(content)
    with pytest.raises(StudyError, match="table 'places' is broken") as caught:
        study.read("places")
    assert "\n" not in str(caught.value)


def test_a_parquet_that_is_no_table_of_ours_is_one_line(study):
    from biaskit.provenance import file_digest, write_json_whole

    study.folder.mkdir()
    file = study.folder / "places.parquet"
    pd.DataFrame({"name": ["a"]}).to_parquet(file)
    write_json_whole(file.with_suffix(".json"), {"sha256": file_digest(file)})
    with pytest.raises(StudyError, match="cannot be read"):
        study.read("places")


def test_a_study_of_another_format_is_refused(study):
    study.folder.mkdir()
    (study.folder / "study.json").write_text('{"format": 99}')
    with refusal("is a study of format 99, this biaskit reads format 1"):
        Study(study.folder, SCHEMAS)


def test_a_file_is_no_study(tmp_path):
    (tmp_path / "file").write_text("")
    with refusal("file: is a file, expected a study folder."):
        Study(tmp_path / "file")


def test_parts_are_read_as_one_in_the_order_of_their_names(study):
    with study.writing("test"):
        study.write_part("places", "part-1", places(("b", 0.2)), made())
        study.write_part("places", "part-0", places(("a", 0.1)), made())
    assert study.read("places")["name"].tolist() == ["a", "b"]


def writer(folder, then):
    code = f"""
        from pathlib import Path
        import pandas as pd, sys, time
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from test_study import SCHEMAS, made, places
        from biaskit.study import Study
        study = Study(Path({str(folder)!r}), SCHEMAS)
        with study.writing("the other"):
            {then}
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_one_writer_at_a_time_and_a_killed_one_leaves_no_lock(study):
    other = writer(study.folder, "print('in', flush=True); time.sleep(60)")
    try:
        assert other.stdout.readline() == "in\n"
        with (
            refusal(f"mine: process {other.pid} (the other, since "),
            study.writing("test"),
        ):
            pass
        (study.folder / ".places.parquet.1.part").write_bytes(b"half")
        other.send_signal(signal.SIGKILL)
        other.wait()
        with study.writing("test"):
            assert not list(study.folder.glob(".*.part"))
    finally:
        other.kill()
        other.communicate()


def test_a_full_disk_is_one_line_and_leaves_the_old_table(study):
    "A limit on the size of files stands in for the disk: the same OSError from the same call"
    with study.writing("test"):
        study.write("places", places(("a", 0.5)), made())
    then = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)); "
        "study.write('places', places(*[(f'n{i * 7919 % 100000}', i / 1e5) "
        "for i in range(100000)]), made())"
    )
    other = writer(study.folder, then)
    _, errors = other.communicate(timeout=60)
    assert other.returncode == 1
    assert "StudyError: mine: table 'places' cannot be written" in errors
    assert study.read("places")["x"].tolist() == [0.5]
    assert not list(study.folder.glob(".*.part"))


def test_kills_at_any_moment_leave_a_whole_table_or_none(study):
    "The writer rewrites one table for ever; whenever it dies, what is there can be used"
    then = "[study.write('places', places(('a', i / 1e6)), made()) for i in range(10**6)]"
    for moment in (0.0, 0.01, 0.02, 0.03):
        other = writer(study.folder, then)
        deadline = time.monotonic() + 60
        while not study.has("places") and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(moment)
        other.kill()
        other.communicate()
        if study.has("places"):
            assert len(study.read("places")) == 1
        else:
            assert study.needs("places", made())
        with study.writing("test"):
            study.remove("places")


def test_provenance_names_no_absolute_path(study):
    with study.writing("test"):
        study.write("places", places(("a", 0.5)), made())
    text = (study.folder / "places.json").read_text()
    assert os.fspath(study.folder.parent) not in text
    assert {"biaskit", "commit", "inputs", "options", "seed", "libraries", "date", "sha256"} <= set(
        read_json(study.folder / "places.json")
    )


def test_the_folder_is_given_or_named_by_the_environment_or_study(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BIASKIT_STUDY", raising=False)
    assert Study.find(None).folder == Path("study")
    monkeypatch.setenv("BIASKIT_STUDY", "elsewhere")
    assert Study.find(None).folder == Path("elsewhere")
    assert Study.find(Path("given")).folder == Path("given")
