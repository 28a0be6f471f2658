"""The commands shiftability and robustness: whole tables, repeated, in shards, refused."""

import json
from pathlib import Path

import numpy as np
import pytest
import toy_networks as toy

from biaskit.cli.main import main
from biaskit.provenance import provenance
from biaskit.study import Study

TESTS = Path(__file__).parent


@pytest.fixture
def photographs(tmp_path):
    toy.photographs(tmp_path / "photos", 24)
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


def inside(photographs, study, *more, network="toy_networks:coarse"):
    # A batch of 3 makes chunks of 7 images.
    usual = ["--steps", "7", "--batch", "3", "--device", "cpu", "--sample", "0"]
    roll = ["--protocol", "roll"]
    return [
        "shiftability",
        photographs,
        "--network",
        network,
        "--study",
        study,
        *usual,
        *roll,
        *more,
    ]


def robust(photographs, study, *more, network="toy_networks:lefty"):
    usual = ["--places", "6", "--batch", "4", "--device", "cpu", "--fill", "black"]
    return ["robustness", photographs, "--network", network, "--study", study, *usual, *more]


def tables(study):
    "Bytes of every Parquet file by name"
    return {str(p.relative_to(study)): p.read_bytes() for p in sorted(study.rglob("*.parquet"))}


def test_shiftability_ends_in_tables_that_a_repeated_call_leaves_alone(photographs, tmp_path, run):
    status, told, _ = run(*inside(photographs, tmp_path / "study"))
    assert status == 0, told
    study = Study(tmp_path / "study")
    layers, summary = study.read("layers"), study.read("shiftability_by")
    assert layers["layer"].tolist() == ["0", "2", "4"]
    assert layers["subsampling_factor"].tolist() == [1, 2, 2]
    assert layers["field"].tolist() == [3, 5, 9]
    assert summary["n_images"].tolist() == [24] * 3
    assert len(study.read("shiftability")) == 24 * 3 * 8
    assert study.read("feature_maps")["step"].nunique() == 7
    assert len(study.parts("shiftability")) == 4
    assert "One in 2^2 = 4 shifts" in told
    before = tables(tmp_path / "study")
    assert run(*inside(photographs, tmp_path / "study"))[0] == 0
    assert tables(tmp_path / "study") == before


def test_the_summary_is_the_mean_over_images(photographs, tmp_path, run):
    run(*inside(photographs, tmp_path / "study"))
    study = Study(tmp_path / "study")
    rows = study.read("shiftability")
    summary = study.read("shiftability_by").set_index("layer")
    own = rows[rows["layer"] == "2"]
    means = own.groupby("image_id")["nonshiftability"].mean()
    drawn = own[own["chosen"]].set_index("image_id")["nonshiftability"]
    assert summary.loc["2", "nonshiftability"] == pytest.approx(means.mean())
    assert summary.loc["2", "nonshiftability_chosen"] == pytest.approx(drawn.mean())
    assert summary.loc["2", "n_chosen"] == drawn.notna().sum()
    low, high = (summary.loc["2", f"nonshiftability_{end}"] for end in ("low", "high"))
    # Student's interval of a mean of 24; the bootstrap's is as wide to a fifth or so.
    half = 2.07 * means.std() / np.sqrt(24)
    assert (high - low) / 2 == pytest.approx(half, rel=0.25)


def test_merged_shards_of_shiftability_are_what_one_run_writes(photographs, tmp_path, run):
    run(*inside(photographs, tmp_path / "whole"))
    shards = [tmp_path / f"shard-{k}" for k in (1, 2, 3)]
    for number, shard in enumerate(shards, 1):
        assert run(*inside(photographs, shard, "--shard", f"{number}/3"))[0] == 0
    status, told, _ = run("merge", *shards, "--study", tmp_path / "merged")
    assert status == 0
    assert "shiftability: 4 chunks" in told
    assert tables(tmp_path / "merged") == tables(tmp_path / "whole")


def test_other_options_of_shiftability_are_refused_by_name(photographs, tmp_path, run):
    run(*inside(photographs, tmp_path / "study"))
    status, _, told = run(*inside(photographs, tmp_path / "study", "--layer", "4"))
    assert status == 2
    assert "--layer was [], now ['4']" in told
    assert run(*inside(photographs, tmp_path / "study", "--layer", "4", "--replace"))[0] == 0


def test_an_image_that_cannot_be_read_is_counted_by_reason(photographs, tmp_path, run):
    (photographs / "n00000001_broken.png").write_bytes(b"no picture")
    status, told, _ = run(*inside(photographs, tmp_path / "study"))
    assert status == 0
    assert "left out 1: " in told
    assert Study(tmp_path / "study").read("shiftability_by")["n_images"].tolist() == [24] * 3


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--layer", "nothing.*"], "--layer nothing.*: matches no module that makes a map"),
        (["--direction", "grid"], "sums are taken along one direction"),
        (["--variant", "blur-9"], "unknown variant 'blur-9'"),
        (["--steps", "1"], "--steps 1: a sweep has at least 2"),
    ],
)
def test_a_wrong_call_of_shiftability_is_one_line(photographs, tmp_path, run, more, words):
    status, _, told = run(*inside(photographs, tmp_path / "study", *more))
    assert status in (1, 2)
    assert words in " ".join(told.replace("│", " ").split())


def test_a_network_and_its_blur_stand_in_one_table(photographs, tmp_path, run):
    both = ["--variant", "plain", "--variant", "lowpass"]
    study = tmp_path / "study"
    status, told, _ = run(*inside(photographs, study, *both))
    assert status == 0, told
    sweep = ["sweep", photographs, "--network", "toy_networks:coarse", "--study", study]
    sweep += ["--protocol", "roll", "--steps", "7", "--device", "cpu", *both]
    status, told, _ = run(*sweep)
    assert status == 0, told
    assert "accuracy is expected to fall" in told
    table = Study(study).read("antialiasing").set_index("variant")
    assert table["n_images"].tolist() == [24, 24]
    assert table.loc["plain", "agreement"] == 1
    assert table.loc["lowpass", "nonshiftability"] == 0
    assert table.loc["plain", "nonshiftability"] > 0


def test_maps_and_layers_are_made_anew_with_the_rest(photographs, tmp_path, run):
    study = tmp_path / "study"
    run(*inside(photographs, study))
    before = Study(study).read("feature_maps")
    assert run(*inside(photographs, study, "--seed", "5", "--replace"))[0] == 0
    after = Study(study).read("feature_maps")
    assert not before["channel"].equals(after["channel"])
    assert run(*inside(photographs, study, "--seed", "5", "--picture", "2"))[0] == 0
    assert set(Study(study).read("feature_maps")["layer"]) == {"2"}
    status, _, told = run(*inside(photographs, study, "--seed", "5", "--picture", "nope"))
    assert status == 1
    assert "--picture nope: toy_networks:coarse has no such layer" in told


def test_two_sweeps_of_a_network_with_other_modules_stand_side_by_side(photographs, tmp_path, run):
    study = tmp_path / "study"
    assert run(*inside(photographs, study, "--layer", "1"))[0] == 0
    words = ["--protocol", "embed", "--side", "20", "--input-size", "40"]
    status, _, errors = run(*inside(photographs, study, *words))
    assert status == 0, errors
    summary = Study(study).read("shiftability_by")
    assert summary.groupby("protocol")["layer"].count().to_dict() == {"embed": 3, "roll": 4}


def test_variants_made_otherwise_than_plain_are_not_compared(photographs, tmp_path, run):
    sweep = ["sweep", photographs, "--network", "toy_networks:coarse", "--study", tmp_path / "s"]
    sweep += ["--protocol", "embed", "--fill", "mean", "--device", "cpu"]
    assert run(*sweep, "--steps", "9", "--side", "20")[0] == 0
    status, _, told = run(*sweep, "--steps", "5", "--side", "12", "--variant", "blur-3")
    assert status == 0
    assert "blur-3, embed, vertical, mean: made otherwise than plain" in told
    study = Study(tmp_path / "s")
    assert not study.has("antialiasing") or "blur-3" not in set(
        study.read("antialiasing")["variant"]
    )


def test_a_part_that_a_kill_has_left_does_not_spoil_another_network(photographs, tmp_path, run):
    sweep = ["sweep", photographs, "--study", tmp_path / "s", "--protocol", "roll", "--steps", "5"]
    assert run(*sweep, "--network", "toy_networks:coarse")[0] == 0
    for beside in (tmp_path / "s" / "frames").glob("*.json"):
        beside.unlink()
    status, _, told = run(*sweep, "--network", "toy_networks:still")
    assert "Traceback" not in told
    assert status == 0, told


def test_places_are_no_sweep_to_compare_variants_by(photographs, tmp_path, run):
    both = ["--variant", "plain", "--variant", "blur-3"]
    words = robust(photographs, tmp_path / "study", *both, network="toy_networks:coarse")
    assert run(*words)[0] == 0
    assert not Study(tmp_path / "study").has("antialiasing")


def test_images_that_cannot_be_shown_are_told_with_their_reason(tmp_path, run):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "broken.png").write_bytes(b"no picture")
    status, told, errors = run(*robust(tmp_path / "photos", tmp_path / "study"))
    assert status == 1
    assert "left out 1: " in told
    assert "no image could be shown" in errors


def test_crops_that_cannot_be_taken_are_refused_before_any_work(photographs, tmp_path, run):
    words = robust(photographs, tmp_path / "study", "--crops", "4", "--jitter", "400")
    status, _, told = run(*words)
    assert status == 1
    assert "--jitter 400" in told
    assert not Study(tmp_path / "study").has("frames")


def test_robustness_knows_a_network_that_is_right_on_the_left(photographs, tmp_path, run):
    "Class 0 is the answer on the left of the frame and class 1 on the right, at any scale"
    status, told, _ = run(*robust(photographs, tmp_path / "study"))
    assert status == 0, told
    rows = Study(tmp_path / "study").read("robustness")
    assert len(rows) == 24 * 5 * 6
    small = rows[(rows["scale"] == 0.25) & (rows["dx"].abs() > 0.02)]
    left = small["dx"] < 0
    assert (small.loc[left, "top1"] == toy.CLASSES[0]).mean() > 0.95
    assert (small.loc[~left, "top1"] == toy.CLASSES[1]).mean() > 0.95
    summary = Study(tmp_path / "study").read("robustness_by")
    everything = summary[summary["category"] == ""].set_index("scale")
    assert everything["n_images"].tolist() == [24] * 5
    assert (everything["worst"] <= everything["accuracy"]).all()


def test_votes_are_written_repeated_and_told(photographs, tmp_path, run):
    words = robust(photographs, tmp_path / "study", "--crops", "4", "--steps", "3", "--jitter", "2")
    status, told, _ = run(*words)
    assert status == 0, told
    table = Study(tmp_path / "study").read("voting")
    assert sorted(set(table["crops"])) == [0, 1, 2, 4]
    assert (table["n_images"] == 24).all()
    before = tables(tmp_path / "study")
    status, told, _ = run(*words, "--json")
    assert len(json.loads(told)["voting"]) == 8
    assert tables(tmp_path / "study") == before


def test_answers_of_people_stay_when_networks_are_added(photographs, tmp_path, run):
    run(*robust(photographs, tmp_path / "study"))
    study = Study(tmp_path / "study")
    person = study.read("robustness").head(3).assign(network="people A1", p_true=np.nan)
    person["correct_top5"] = np.nan
    with study.writing("people"):
        made = provenance(inputs=[], options={}, seed=None)
        study.write_part("robustness", "people-a1", person, made)
    assert run(*robust(photographs, tmp_path / "study", network="toy_networks:strided"))[0] == 0
    names = set(study.read("robustness")["network"])
    assert names == {"toy_networks:lefty", "toy_networks:strided", "people A1"}
    assert "people A1" in set(study.read("robustness_by")["network"])


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--scales", "1,two"], "expected numbers such as 1,3/4,0.5"),
        (["--scales", "1/0"], "expected numbers such as 1,3/4,0.5"),
        (["--scales", "2"], "--scales"),
        (["--crops", "4", "--jitter", "999"], "--jitter 999"),
    ],
)
def test_a_wrong_call_of_robustness_is_one_line(photographs, tmp_path, run, more, words):
    status, _, told = run(*robust(photographs, tmp_path / "study", *more))
    assert status in (1, 2)
    assert words in told
    assert "Traceback" not in told
