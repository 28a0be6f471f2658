"""Accuracy at other sizes and places: of a network whose answer is the place, and of people."""

import re

import numpy as np
import pandas as pd
import pytest
import toy_networks as toy
from PIL import Image

from biaskit.errors import TableError
from biaskit.sweeps.chunks import Chunk
from biaskit.sweeps.frame_tables import frames_table, sweep_names
from biaskit.sweeps.images import find_images
from biaskit.sweeps.intervals import bootstrap_means, wilson
from biaskit.sweeps.robust.robustness import accuracy_map, robustness_by, robustness_rows
from biaskit.sweeps.runner import sweep_chunks
from biaskit.tables import FRAMES, ROBUSTNESS, ROBUSTNESS_BY

SCALES = (1.0, 0.5, 0.25)


def frames_of(folder, module, *, classes=toy.CLASSES, **options):
    planned = toy.plan("places", **{"side": None, "scales": SCALES, "fill": "black", **options})
    network = toy.network(module, classes=classes)
    setup = toy.setup(folder, planned, batch=8)
    (found,) = sweep_chunks(setup, iter([Chunk(0, tuple(find_images(folder)))]), network=network)
    return frames_table(sweep_names("toy", "plain", planned), found, network.classes)


@pytest.fixture
def white(tmp_path):
    "White squares of even sides: at every scale the middle is off by exactly dx"
    for number in range(6):
        Image.new("RGB", (64, 64), "white").save(tmp_path / f"n00000000_{number}.png")
    return tmp_path


@pytest.fixture(scope="module")
def random():
    "Two networks and a person over 30 images of three classes, some of which are not known"
    rng = np.random.default_rng(20180530)
    rows = []
    for network, variant in (("a", "plain"), ("b", "plain"), ("people A1", "plain")):
        for scale in (0.5, 0.25):
            for number in range(30):
                known = number % 7 != 0
                skill = rng.uniform(0, 1)
                for place in range(int(rng.integers(1, 5))):
                    right = float(rng.uniform() < skill) if known else np.nan
                    person = network.startswith("people")
                    rows.append(
                        {
                            "network": network,
                            "variant": variant,
                            "fill": "harmonic",
                            "scale": scale,
                            "image_id": f"i{number}",
                            "category": ("", "cat", "dog", "cow")[number % 4],
                            "seen": "unknown" if person else ("held out", "training")[number == 8],
                            "place": place,
                            "dx": rng.uniform(-0.4, 0.4),
                            "dy": rng.uniform(-0.4, 0.4),
                            "top1": "cat",
                            "correct_top1": right,
                            "correct_top5": np.nan if person else max(right, rng.integers(2)),
                            "p_true": np.nan if person or not known else rng.uniform(),
                            "seconds": 2.5 if person else np.nan,
                        }
                    )
    return ROBUSTNESS.check(pd.DataFrame(rows), "random").sample(frac=1, random_state=1)


def test_a_network_that_is_right_on_the_left_only_is_as_right_as_places_are_left(white):
    frames = frames_of(white, toy.Lefty(), steps=50)
    table = robustness_rows(frames, "held out", input_size=toy.SIZE, scales=SCALES)
    assert len(table) == 6 * 3 * 50
    assert ((table["correct_top1"] == 1) == (table["dx"] < 0)).all()
    assert (table.loc[table["scale"] == 1, "dx"] == 0).all()
    assert (table["dx"].abs() <= (1 - table["scale"]) / 2).all()
    by = robustness_by(table, seed=1).set_index(["category", "scale"])
    assert by.loc[("", 1.0), "accuracy"] == 0
    for scale in (0.5, 0.25):
        of_it = table[table["scale"] == scale]
        left = (of_it["dx"] < 0).groupby(of_it["image_id"]).mean()
        assert by.loc[("", scale), "accuracy"] == pytest.approx(left.mean())
        # 17 or 25 columns, of which 8 or 12 are left: four standard errors of 300 draws.
        columns = round((1 - scale) * toy.SIZE) + 1
        assert abs(left.mean() - (columns // 2) / columns) < 4 * np.sqrt(0.25 / 300)
    assert (by["worst"] == 0).all()  # among 50 places one is on the right
    assert set(by["seen"]) == {"held out"}
    assert (by["n_places"] == 50).all()


def test_the_map_shows_where_a_network_is_right(white):
    frames = frames_of(white, toy.Lefty(), steps=600, scales=(0.25, 0.75))
    table = robustness_rows(frames, input_size=toy.SIZE)
    found = accuracy_map(table, bins=5)
    assert len(found) == 2 * 25
    assert found["dx"].iloc[:5].tolist() == pytest.approx([-0.4, -0.2, 0, 0.2, 0.4])
    small, large = (found[found["scale"] == scale] for scale in (0.25, 0.75))
    # A quarter long, its middle is up to 12 px off the frame's, so every bin has 3 columns and
    # more; three quarters long, up to 4 px, of which 3 are in the middle bin.
    assert (small["n_images"] == 6).all()
    assert (large["n_images"] > 0).sum() == 9
    assert large.loc[large["n_images"] == 0, "accuracy"].isna().all()
    assert (found.loc[found["dx"] < -0.1, "accuracy"].dropna() == 1).all()
    assert (found.loc[found["dx"] > 0.1, "accuracy"].dropna() == 0).all()
    # 3 of the 7 columns in the middle are left of it; some 20 places in each of 6 images.
    middle = small.loc[small["dx"].abs() < 0.1, "accuracy"]
    assert (abs(middle - 3 / 7) < 4 * 0.5 / np.sqrt(6 * 20)).all()


def test_each_image_counts_once_in_a_bin_of_the_map():
    one = dict.fromkeys(ROBUSTNESS.columns, 0.0) | {"network": "n", "variant": "", "fill": ""}
    many = [one | {"image_id": "a", "place": k, "correct_top1": 1.0} for k in range(9)]
    table = pd.DataFrame([*many, one | {"image_id": "b"}])
    found = accuracy_map(table, bins=1)
    assert found[["n_images", "accuracy", "dx", "dy"]].to_numpy().tolist() == [[2, 0.5, 0, 0]]


def test_every_number_agrees_with_a_slow_way(random):
    "Loops over images and places, one group at a time"
    by = robustness_by(random, seed=3, n_resamples=200)
    assert len(by) == 3 * 2 * 4
    for _, row in by.iterrows():
        means, worst, top5, p_true, n_places = [], [], [], [], []
        for image in sorted(random["image_id"].unique()):
            own = random[(random["image_id"] == image) & (random["scale"] == row["scale"])]
            own = own[(own["network"] == row["network"]) & own["correct_top1"].notna()]
            if len(own) and row["category"] in ("", own["category"].iloc[0]):
                means.append(sum(own["correct_top1"]) / len(own))
                worst.append(all(own["correct_top1"] == 1))
                top5.append(own["correct_top5"].mean())
                p_true.append(own["p_true"].mean())
                n_places.append(len(own))
        assert row["n_images"] == len(means)
        assert row["n_places"] == pytest.approx(np.mean(n_places))
        assert row["accuracy"] == pytest.approx(np.mean(means))
        assert row["worst"] == pytest.approx(np.mean(worst))
        assert row["worst"] <= row["accuracy"]
        zeros = np.zeros(len(means), int)
        drawn = bootstrap_means(np.array(means), zeros, 1, seed=3, n_resamples=200)
        ends = row[["accuracy_low", "accuracy_high"]].tolist()
        assert ends == pytest.approx([drawn.low[0], drawn.high[0]])
        share = wilson(np.array([sum(worst)]), np.array([len(worst)]))
        assert row[["worst_low", "worst_high"]].tolist() == [share.low[0], share.high[0]]
        if row["network"].startswith("people"):
            assert row[["accuracy_top5", "p_true", "p_true_low"]].isna().all()
            assert row["seen"] == "unknown"
        else:
            assert row["accuracy_top5"] == pytest.approx(np.mean(top5))
            assert row["p_true"] == pytest.approx(np.mean(p_true))
            assert row["accuracy"] <= row["accuracy_top5"]
            # i8 has the class "": it is in the group of all images only.
            assert row["seen"] == ("training" if row["category"] == "" else "held out")


def test_the_order_and_the_kind_of_the_words_make_no_difference(random):
    words = [name for name, column in ROBUSTNESS.columns.items() if column.kind == "text"]
    turned = random.sample(frac=1, random_state=7)
    for name in words:
        kinds = sorted(turned[name].unique(), reverse=True)
        turned[name] = pd.Categorical(turned[name], categories=kinds)
    assert robustness_by(random, seed=3).equals(robustness_by(turned, seed=3))
    assert np.allclose(
        accuracy_map(random)[["accuracy", "n_images"]],
        accuracy_map(turned)[["accuracy", "n_images"]],
        equal_nan=True,
    )


def test_images_of_classes_the_network_does_not_know_are_in_no_share(tmp_path):
    toy.photographs(tmp_path, 3)
    Image.new("RGB", (40, 40)).save(tmp_path / "unknown.png")
    Image.new("RGB", (40, 40)).save(tmp_path / "n99999999_1.png")
    table = robustness_rows(frames_of(tmp_path, toy.Strided()), input_size=toy.SIZE)
    unknown = table["image_id"].isin(["unknown", "n99999999_1"])
    assert unknown.sum() == 2 * 3 * 8
    for name in ("correct_top1", "correct_top5", "p_true"):
        assert table.loc[unknown, name].isna().all()
        assert table.loc[~unknown, name].notna().all()
    by = robustness_by(table, seed=1).set_index(["category", "scale"])
    assert by.loc[("", 0.5), "n_images"] == 3
    assert by.loc[("n99999999", 0.5), "n_images"] == 0
    assert by.loc[("n99999999", 0.5), ["accuracy", "worst", "n_places"]].isna().all()
    assert by.loc[("n99999999", 0.5), "seen"] == "unknown"
    assert set(accuracy_map(table)["n_images"]) <= {0, 1, 2, 3}


def test_rows_are_what_the_frames_say(tmp_path):
    toy.photographs(tmp_path, 3)
    frames = frames_of(tmp_path, toy.Strided())
    seen = {"n00000000_0": "training", "n00000001_1": "held out"}
    table = robustness_rows(frames, seen, input_size=toy.SIZE, scales=SCALES)
    assert list(table.columns) == list(ROBUSTNESS.columns)
    merged = frames.astype({"image_id": "str", "top1": "str"}).merge(
        table.assign(**{"pass": [SCALES.index(s) for s in table["scale"]]}),
        left_on=["image_id", "pass", "step"],
        right_on=["image_id", "pass", "place"],
    )
    assert len(merged) == len(frames) == len(table)
    assert (merged["dx_x"] / toy.SIZE == merged["dx_y"]).all()
    assert (merged["dy_x"] / toy.SIZE == merged["dy_y"]).all()
    assert (merged["p_true_x"] == merged["p_true_y"]).all()
    assert (merged["top1_x"] == merged["top1_y"]).all()
    assert ((merged["rank_true"] == 1) == (merged["correct_top1"] == 1)).all()
    assert ((merged["rank_true"] <= 5) == (merged["correct_top5"] == 1)).all()
    by_image = table.groupby("image_id")["seen"].first()
    assert by_image.to_dict() == {**seen, "n00000002_2": "unknown"}
    assert table["seconds"].isna().all()


def test_scales_are_those_asked_for_or_those_shown(tmp_path):
    "A third of 32 px is 11 px"
    toy.photographs(tmp_path, 1)
    frames = frames_of(tmp_path, toy.Strided(), scales=(1 / 3,))
    assert set(robustness_rows(frames, input_size=32)["scale"]) == {0.34375}
    assert set(robustness_rows(frames, input_size=32, scales=(1 / 3,))["scale"]) == {1 / 3}
    message = "frames: a frame has pass 0, expected one of 0 scales from 0."
    with pytest.raises(TableError, match=f"^{re.escape(message)}$"):
        robustness_rows(frames, input_size=32, scales=())


def test_with_few_classes_the_first_five_mean_nothing(tmp_path):
    toy.photographs(tmp_path, 3)
    frames = frames_of(tmp_path, toy.few()[0], classes=toy.CLASSES[:3])
    table = robustness_rows(frames, input_size=toy.SIZE, n_classes=3)
    assert table["correct_top5"].isna().all()
    assert table["correct_top1"].notna().all()


def test_frames_of_other_protocols_are_not_looked_at(tmp_path):
    toy.photographs(tmp_path, 3)
    frames = frames_of(tmp_path, toy.Strided())
    other = frames.assign(protocol="embed")
    assert robustness_rows(other, input_size=32).empty
    both = robustness_rows(pd.concat([frames, other]), input_size=32)
    assert both.equals(robustness_rows(frames, input_size=32))


def test_tables_without_rows_stay_so():
    empty = robustness_rows(FRAMES.empty(), {}, input_size=224)
    assert empty.empty
    assert list(robustness_by(empty, seed=1).columns) == list(ROBUSTNESS_BY.columns)
    assert robustness_by(empty, seed=1).empty
    assert accuracy_map(empty).empty


def test_one_image_has_no_interval_of_its_mean(random):
    one = random[(random["image_id"] == "i1") & (random["network"] == "a")]
    by = robustness_by(one, seed=1)
    assert (by["n_images"] == 1).all()
    assert by["accuracy_low"].isna().all()
    assert by["worst_high"].notna().all()


def test_a_missing_column_is_named(random):
    message = "robustness: column 'dx' is missing. A table 'robustness' has the columns network, "
    for function in (accuracy_map, lambda table: robustness_by(table, seed=1)):
        with pytest.raises(TableError, match=f"^{re.escape(message)}"):
            function(random.drop(columns="dx"))
    with pytest.raises(TableError, match=r"^frames: column 'rank_true' is missing\."):
        robustness_rows(FRAMES.empty().drop(columns="rank_true"), input_size=224)
    with pytest.raises(ValueError, match=r"^bins is 0, expected at least 1$"):
        accuracy_map(random, bins=0)
