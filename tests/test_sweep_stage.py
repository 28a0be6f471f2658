"""Sweeps as a stage: killed and repeated, in shards and merged, refused and made anew."""

import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import toy_networks as toy

from biaskit.cli.main import main
from biaskit.study import Study
from biaskit.sweeps.chunks import cut_chunks
from biaskit.sweeps.images import find_images
from biaskit.sweeps.networks import find_network
from biaskit.sweeps.parts import PARTED
from biaskit.sweeps.stage import SweepRun, run_sweep

TESTS = Path(__file__).parent
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(TESTS.parent)}


@pytest.fixture
def photographs(tmp_path):
    toy.photographs(tmp_path / "photos", 40)
    return tmp_path / "photos"


@pytest.fixture
def run(capsys, monkeypatch):
    "Run the command here; return its exit status, stdout and stderr"
    monkeypatch.chdir(TESTS)

    def call(*words):
        status = main([str(word) for word in words])
        told = capsys.readouterr()
        return status, told.out, told.err

    return call


def words(photographs, study, *more, network="toy_networks:strided"):
    # A batch of 3 makes chunks of 7 images: six of them.
    usual = ["--side", "21", "--steps", "7", "--batch", "3", "--device", "cpu", "--fill", "mean"]
    return ["sweep", photographs, "--network", network, "--study", study, *usual, *more]


def tables(study):
    "Bytes of every Parquet file by name"
    return {str(p.relative_to(study)): p.read_bytes() for p in sorted(study.rglob("*.parquet"))}


def test_a_sweep_ends_in_tables_that_a_repeated_call_leaves_alone(photographs, tmp_path, run):
    study = tmp_path / "study"
    status, out, _ = run(*words(photographs, study))
    assert status == 0
    assert "toy_networks:strided" in out
    before = {path: path.stat().st_mtime_ns for path in study.rglob("*.parquet")}
    assert len([p for p in before if p.parent.name == "frames"]) == 6
    assert run(*words(photographs, study))[0] == 0
    assert {path: path.stat().st_mtime_ns for path in study.rglob("*.parquet")} == before
    home = Study(study)
    frames, swept = home.read("frames"), home.read("swept")
    assert len(frames) == 40 * 7
    assert frames["image_id"].nunique() == len(swept) == 40
    entries = {entry.table: entry for entry in home.entries()}
    assert entries["frames"].rows == 280
    assert all(entry.state == "whole" for entry in entries.values())


def test_provenance_names_all_that_went_in_and_no_path(photographs, tmp_path, run):
    run(*words(photographs, tmp_path / "study"))
    made = Study(tmp_path / "study").provenance("frames")
    assert made["options"]["plan_steps"] == 7
    assert made["options"]["network_name"] == "toy_networks:strided"
    assert {"torch", "torchvision", "timm"} <= set(made["libraries"])
    assert made["precision"] == "float32"
    named = [entry["name"] for entry in made["inputs"]]
    assert "list of photos" in named
    assert "weights of toy_networks:strided" in named
    assert str(tmp_path) not in json.dumps(made)


@pytest.mark.slow
def test_a_run_killed_at_random_moments_ends_in_the_same_tables(photographs, tmp_path):
    command = [sys.executable, "-m", "biaskit"]
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    quick, slow = ({**ENVIRONMENT, "TOY_SECONDS": s} for s in ("0", "0.05"))

    def start(study, environment):
        line = [*command, *map(str, words(photographs, study, network="toy_networks:slow"))]
        return subprocess.Popen(
            line, cwd=TESTS, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    assert start(undisturbed, quick).wait() == 0
    rng, kills = random.Random(20180530), 0
    for _ in range(40):
        process = start(killed, slow)
        while process.poll() is None and not list(killed.glob("frames/*.parquet")):
            time.sleep(0.05)
        time.sleep(rng.uniform(0, 2.5))
        if process.poll() is not None:
            break
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
    else:
        assert start(killed, quick).wait() == 0
    assert kills >= 2
    assert tables(killed) == tables(undisturbed)


def test_what_was_torn_by_a_kill_is_made_again(photographs, tmp_path, run):
    "A table without its JSON, a JSON of another table, half a table: each as a kill may leave it"
    study = tmp_path / "study"
    run(*words(photographs, study))
    whole = tables(study)
    parts = sorted(study.glob("frames/*.parquet"))
    parts[0].with_suffix(".json").unlink()
    parts[1].write_bytes(parts[1].read_bytes()[:100])
    next(iter(study.glob("jaggedness/*.parquet"))).unlink()
    (study / "frames" / ".half.parquet.1.part").write_bytes(b"x")
    assert run(*words(photographs, study))[0] == 0
    assert tables(study) == whole
    assert not list(study.rglob("*.part"))


@pytest.mark.parametrize("n_shards", [2, 4])
def test_merged_shards_are_what_one_run_writes(photographs, tmp_path, run, n_shards):
    one = tmp_path / "one"
    run(*words(photographs, one))
    shards = [tmp_path / f"shard-{k}" for k in range(1, n_shards + 1)]
    for k, shard in enumerate(shards, start=1):
        assert run(*words(photographs, shard, "--shard", f"{k}/{n_shards}"))[0] == 0
    merged = tmp_path / "merged"
    status, out, _ = run("merge", *shards[:-1], "--study", merged)
    assert status == 0
    assert "not whole:" in out
    status, out, _ = run("merge", *shards[::-1], "--study", merged)
    assert status == 0
    assert "not whole:" not in out
    assert tables(merged) == tables(one)
    # The merged study goes on as if it had been one.
    assert run(*words(photographs, merged))[0] == 0
    assert tables(merged) == tables(one)


def test_two_devices_give_the_bytes_of_one(photographs, tmp_path):
    "One process per device, chunks as they come: here two processes on the processor"
    request = find_network("toy_networks:strided", allow_code=True)
    request = replace(request, folder=str(TESTS))
    network, images = request.load(), find_images(photographs)
    plan = toy.plan("embed", steps=7, fill="mean")
    setup = replace(toy.setup(photographs, plan, batch=3), request=request)
    found = []
    for devices in (["cpu"], ["cpu", "cpu"]):
        study = Study(tmp_path / f"study-{len(devices)}")
        chunks = cut_chunks(images, plan, 3, {})
        run = SweepRun(setup, network, images, chunks, None, None, devices)
        with study.writing("test"):
            assert run_sweep(study, run, mode="continue", shown=lambda _: nullcontext(print)) == 6
        found.append(tables(study.folder))
    assert found[0] == found[1]


def test_shards_made_otherwise_are_not_merged(photographs, tmp_path, run):
    run(*words(photographs, tmp_path / "a", "--shard", "1/2"))
    run(*words(photographs, tmp_path / "b", "--shard", "2/2", "--seed", "5"))
    status, _, err = run("merge", tmp_path / "a", tmp_path / "b", "--study", tmp_path / "c")
    assert status == 2
    assert "b: its sweep was made otherwise than a's: seed was 0, now 5." in err
    status, _, err = run("merge", tmp_path, "--study", tmp_path / "d")
    assert status == 2
    assert "no sweep there. Expected the studies of shards." in err


def test_other_options_are_refused_by_name_and_made_anew_when_told(photographs, tmp_path, run):
    study = tmp_path / "study"
    run(*words(photographs, study))
    status, _, err = run(*words(photographs, study, "--steps", "5"))
    assert status == 2
    assert "was swept otherwise: " in err
    assert "--plan-steps was 7, now 5" in err
    assert "--replace makes it anew" in err
    assert run(*words(photographs, study, "--steps", "5", "--replace"))[0] == 0
    assert len(Study(study).read("frames")) == 40 * 5
    # Another fill is another sweep, and stands beside.
    assert run(*words(photographs, study, "--steps", "9", "--fill", "black"))[0] == 0
    assert sorted(Study(study).read("frames")["fill"].unique()) == ["black", "mean"]


def test_an_image_that_changed_since_is_noticed(photographs, tmp_path, run):
    study = tmp_path / "study"
    run(*words(photographs, study))
    first = sorted(photographs.iterdir())[0]
    shutil.copy(sorted(photographs.iterdir())[1], first)
    status, _, err = run(*words(photographs, study))
    assert status == 2
    assert "some have other content than when they were swept over" in err


def test_other_images_are_appended_and_the_same_ones_are_not(photographs, tmp_path, run):
    study, more = tmp_path / "study", tmp_path / "more"
    run(*words(photographs, study))
    toy.photographs(more, 3, seed=9)
    for path in more.iterdir():
        path.rename(path.with_name(f"n00000001_other{path.name[-5:]}"))
    status, _, err = run(*words(more, study))
    assert status == 2
    assert "--append adds other images" in err
    assert run(*words(more, study, "--append"))[0] == 0
    assert Study(study).read("swept")["image_id"].nunique() == 43
    (photographs / "n00000000_0.png").rename(photographs / "n00000000_new.png")
    status, _, err = run(*words(photographs, study, "--append"))
    assert status == 2
    assert "39 of these images are there already, such as n00000000_12." in err


def test_a_full_disk_is_one_line_and_what_was_whole_stays(photographs, tmp_path):
    "A limit on the size of files fails a write as a full disk does"
    study = tmp_path / "study"

    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, 6_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    line = [sys.executable, "-m", "biaskit", *map(str, words(photographs, study))]
    done = subprocess.run(
        line, cwd=TESTS, env=ENVIRONMENT, preexec_fn=limited, capture_output=True, text=True
    )
    assert done.returncode == 2
    told = done.stderr.strip().splitlines()[-1]
    assert re.match(r"biaskit: study: table '\w+' cannot be written: File too large\.", told)
    assert not list(study.rglob("*.part"))
    again = subprocess.run(line, cwd=TESTS, env=ENVIRONMENT, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr


def test_a_second_run_in_the_same_study_is_refused_by_name(photographs, tmp_path, run):
    study = Study(tmp_path / "study")
    with study.writing("biaskit sweep"):
        status, _, err = run(*words(photographs, tmp_path / "study"))
    assert status == 2
    assert f"process {os.getpid()} (biaskit sweep" in err


def test_crop_uses_the_studys_boxes_and_counts_what_it_leaves_out(photographs, tmp_path, run):
    study = tmp_path / "study"
    rows = ["image,cat,x0,y0,x1,y1,w,h"]
    for number in range(39):
        box = "0,0,50,40" if number < 4 else "20,16,40,34"
        rows.append(f"n0000000{number % 3}_{number},n0000000{number % 3},{box},60,48")
    (tmp_path / "boxes.csv").write_text("\n".join(rows))
    columns = "image_id=image,category=cat,x_min=x0,y_min=y0,x_max=x1,y_max=y1"
    columns += ",image_width=w,image_height=h"
    boxes = ["boxes", tmp_path / "boxes.csv", "--columns", columns, "--units", "px"]
    assert run(*boxes, "--study", study)[0] == 0
    line = ["sweep", photographs, "--network", "toy_networks:strided", "--study", study]
    status, out, _ = run(*line, "--protocol", "crop", "--steps", "9", "--device", "cpu")
    assert status == 0
    assert "left out 4: box is larger than the input, 32 px" in out
    assert "left out 1: no box in the study's table boxes" in out
    swept = Study(study).read("swept")
    assert set(swept.loc[swept["reason"] == "", "n_frames"]) == {9}
    # x from 40 - 32 = 8 to 20: 13 windows.
    assert set(swept.loc[swept["reason"] == "", "range"]) == {13}
    assert swept.loc[swept["reason"] == "", "box_area"].iloc[0] == pytest.approx(20 * 18 / 32**2)
    assert Study(study).stale("frames") == ""


def test_refilling_at_each_step_is_compared_with_filling_once(photographs, tmp_path, run):
    line = words(photographs, tmp_path / "study", "--refill", "--fill", "harmonic")
    status, out, _ = run(*line)
    assert status == 0
    assert re.search(
        r"filling anew at each step changes P\(top-1 change\) by [+-]0\.\d{4}, stand", out
    )
    fills = Study(tmp_path / "study").read("frames")["fill"].unique()
    assert sorted(fills) == ["harmonic", "harmonic-refilled"]


def test_networks_are_compared_in_pairs(photographs, tmp_path, run):
    line = words(photographs, tmp_path / "study", "--network", "toy_networks:constant")
    status, out, _ = run(*line, "--json")
    assert status == 0
    pairs = Study(tmp_path / "study").read("network_pairs")
    assert set(pairs["subset"]) == {"all", "both right", "matched"}
    told = {row["network"]: row["p_top1_change"] for row in json.loads(out)["sweeps"]}
    assert told["toy_networks:constant"] == 0
    assert told["toy_networks:strided"] > 0.1


@pytest.mark.parametrize(
    ("more", "status", "message"),
    [
        (["--network", "resnet5O"], 1, "unknown network 'resnet5O'. Did you mean resnet50?"),
        (["--steps", "99"], 1, "--steps 99: an image of 21 px has room for 12 in an input of 32"),
        (["--device", "cuda:7"], 1, "--device cuda:7: is not on this machine, which has cpu"),
        (["--shard", "3/2"], 1, "--shard 3/2: expected I/N"),
        (["--labels", "none.csv"], 1, "none.csv: cannot be read as CSV"),
        (["--weights", "vgg16=random"], 2, "--weights takes NAME=FILE of a named network"),
        (["--mean", "1,x"], 2, "--mean takes three numbers R,G,B, found '1,x'"),
        (["--images-are", "nice"], 2, "--images-are takes training, held out, unknown"),
        (["--replace", "--append"], 2, "--replace and --append exclude each other"),
    ],
)
def test_a_wrong_call_is_one_line(photographs, tmp_path, run, more, status, message):
    found, _, err = run(*words(photographs, tmp_path / "study", *more))
    assert found == status
    assert message in " ".join(err.replace("│", " ").split())
    assert "Traceback" not in err


def test_tables_of_a_sweep_are_what_their_schemas_say(photographs, tmp_path, run):
    run(*words(photographs, tmp_path / "study"))
    home = Study(tmp_path / "study")
    for table in (*PARTED["frames"], "jaggedness_by", "network_pairs"):
        assert isinstance(home.read(table), pd.DataFrame)  # read checks it against the schema
    some = home.read("jaggedness", ["image_id", "lag"], [("lag", "=", 2)])
    assert set(some["lag"]) == {2}
    assert len(some) == 40


def test_ctrl_c_keeps_what_is_whole_and_the_same_command_goes_on(photographs, tmp_path):
    study = tmp_path / "study"
    line = [sys.executable, "-m", "biaskit"]
    line += map(str, words(photographs, study, network="toy_networks:slow"))
    process = subprocess.Popen(
        line, cwd=TESTS, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while process.poll() is None and not list(study.glob("frames/*.json")):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.strip().splitlines()[-1] == "interrupted: what was whole stays; repeat to go on."
    left = len(list(study.glob("frames/*.json")))
    assert 1 <= left < 6
    quick = {**ENVIRONMENT, "TOY_SECONDS": "0"}
    assert subprocess.run(line, cwd=TESTS, env=quick, capture_output=True).returncode == 0
    assert len(Study(study).read("frames")) == 280


def test_what_a_network_of_few_classes_or_unknown_images_cannot_tell_is_said(
    photographs, tmp_path, run
):
    _, out, _ = run(*words(photographs, tmp_path / "few", network="toy_networks:few"))
    assert (
        "  fewer than 6 classes, nearly all of them always in the top 5: top-1 measures only" in out
    )
    for path in list(photographs.iterdir())[:30]:
        path.rename(path.with_name(f"n99999999_{path.name}"))
    _, out, _ = run(*words(photographs, tmp_path / "some"))
    assert "  30 of 40 images have no true class this network knows: jagged and acc" in out


def test_photographs_that_are_square_already_are_no_warning(tmp_path, run):
    "Pillow's own pixels cannot be written to"
    toy.photographs(tmp_path / "square", 2, size=(37, 37))
    line = ["sweep", tmp_path / "square", "--network", "toy_networks:strided"]
    status, _, err = run(*line, "--protocol", "pairs", "--study", tmp_path / "s")
    assert (status, err) == (0, "")


def test_a_batch_that_was_halved_stays_so_when_the_run_goes_on(photographs, tmp_path, run):
    study = tmp_path / "study"
    line = words(photographs, study, "--batch", "12", network="toy_networks:greedy")
    assert run(*line)[0] == 0
    parts = Study(study).parts("frames")
    assert {beside["batch"] for beside in parts.values()} == {6}
    assert {beside["options"]["batch"] for beside in parts.values()} == {12}
    whole = tables(study)
    next(iter(study.glob("frames/*.parquet"))).unlink()
    assert run(*line)[0] == 0
    assert tables(study) == whole


def cut_after(monkeypatch, n_writes):
    "Make the n-th write of a part the last, as a kill would"
    left = [n_writes]
    write = Study.write_part

    def counted(self, *rest):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        write(self, *rest)

    monkeypatch.setattr(Study, "write_part", counted)


@pytest.mark.parametrize("n_writes", [1, 2, 4, 5])
@pytest.mark.parametrize("more", [[], ["--replace"]])
def test_what_a_kill_leaves_does_not_spoil_a_run_with_other_options(
    photographs, tmp_path, run, monkeypatch, n_writes, more
):
    study = tmp_path / "study"
    with monkeypatch.context() as patched:
        cut_after(patched, n_writes)
        assert run(*words(photographs, study))[0] == 130
    status, _, err = run(*words(photographs, study, "--steps", "5", *more))
    if n_writes >= 3 and not more:  # a whole chunk of the first run is there
        assert (status, "was swept otherwise" in err) == (2, True)
        return
    assert status == 0
    assert set(Study(study).read("frames")["step"]) == set(range(5))
    assert Study(study).read("jaggedness")["image_id"].nunique() == 40


def test_a_part_without_its_json_does_not_outlive_other_options(photographs, tmp_path, run):
    study = tmp_path / "study"
    run(*words(photographs, study))
    for path in study.glob("frames/*.json"):
        path.unlink()
    assert run(*words(photographs, study, "--steps", "5"))[0] == 0
    assert len(Study(study).read("frames")) == 40 * 5


def test_an_append_that_was_cut_goes_on_and_a_whole_one_can_be_repeated(
    photographs, tmp_path, run, monkeypatch
):
    study, more = tmp_path / "study", tmp_path / "more"
    run(*words(photographs, study))
    toy.photographs(more, 20, seed=9)
    for path in more.iterdir():
        path.rename(path.with_name(f"n00000001_other{path.stem[9:]}.png"))
    with monkeypatch.context() as patched:
        cut_after(patched, 4)
        assert run(*words(more, study, "--append"))[0] == 130
    for _ in range(2):
        assert run(*words(more, study, "--append"))[0] == 0
    assert run(*words(photographs, study))[0] == 0  # the first command, repeated
    assert Study(study).read("swept")["image_id"].nunique() == 60
    # And what was appended can be merged.
    assert run("merge", study, "--study", tmp_path / "copy")[0] == 0
    assert tables(tmp_path / "copy") == tables(study)


def test_shards_without_a_chunk_are_no_failure(photographs, tmp_path, run):
    status, out, _ = run(*words(photographs, tmp_path / "none", "--shard", "9/9"))
    assert status == 0
    assert "no chunk was to be done here" in out
    run(*words(photographs, tmp_path / "one"))
    assert run("merge", tmp_path / "none", tmp_path / "one", "--study", tmp_path / "all")[0] == 0
    assert tables(tmp_path / "all") == tables(tmp_path / "one")


def test_replace_keeps_the_chunks_of_other_shards_and_its_own(photographs, tmp_path, run):
    study = tmp_path / "study"
    run(*words(photographs, study, "--shard", "1/2"))
    _, out, _ = run(*words(photographs, study, "--shard", "2/2", "--replace"))
    assert "not whole" not in out
    before = {path: path.stat().st_mtime_ns for path in study.glob("frames/*.parquet")}
    assert run(*words(photographs, study, "--replace"))[0] == 0
    assert {p: p.stat().st_mtime_ns for p in study.glob("frames/*.parquet")} == before


def test_code_or_classes_that_changed_are_noticed(photographs, tmp_path, run, monkeypatch):
    folder = tmp_path / "code"
    folder.mkdir()
    source = (TESTS / "toy_networks.py").read_text()
    (folder / "own_network.py").write_text(source)
    monkeypatch.chdir(folder)
    line = words(photographs, tmp_path / "study", network="own_network:strided")
    assert run(*line)[0] == 0
    (folder / "own_network.py").write_text(source + "\n# changed\n")
    status, _, err = run(*line)
    sys.modules.pop("own_network", None)
    assert status == 2
    assert "--network-code-sha256 was" in err


def test_nothing_usable_is_exit_status_1_and_no_number_is_no_json(tmp_path, run):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "n00000000_a.png").write_bytes(b"no picture")
    status, out, err = run(*words(tmp_path / "photos", tmp_path / "study", "--json"))
    assert status == 1
    assert "no image could be shown" in err
    json.loads(out, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))


def test_a_seed_beyond_64_bits_is_a_wrong_call(photographs, tmp_path, run):
    for seed in ("-1", str(2**70)):
        assert run(*words(photographs, tmp_path / "study", "--seed", seed))[0] == 2
