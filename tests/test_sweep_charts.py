import base64
import io
import json
import re

import cv2
import numpy as np
import pandas as pd
import pytest
from lxml import etree
from PIL import Image

from biaskit.charts import (
    CHARTS,
    accuracy,
    curve,
    depth,
    draw,
    film,
    inline_svg,
    lags,
    largest_jump,
    save_animation,
    save_chart,
    shift_grids,
    shifts,
    steps,
)
from biaskit.charts.from_study import curve_pictures, tables_of
from biaskit.charts.label_places import label_places
from biaskit.charts.remade_frames import remade_frames
from biaskit.charts.shift_maps import map_picture, thinned
from biaskit.charts.sweep_animation import FPS, MOST, chosen_steps
from biaskit.charts.sweep_rows import NETWORK_COLOURS, one_sweep
from biaskit.cli import main
from biaskit.errors import ExportError, StudyError
from biaskit.provenance import provenance
from biaskit.study import Study
from biaskit.sweeps.groups import summarise
from biaskit.sweeps.jaggedness import jaggedness
from biaskit.sweeps.protocols import make_plan
from biaskit.sweeps.steps_curve import first_transitions
from biaskit.tables import FRAMES, SCHEMAS, SWEPT

SWEEP = {
    "network": "net",
    "variant": "plain",
    "protocol": "embed",
    "direction": "vertical",
    "fill": "black",
}


def frames_of(p, *, category="c0", image=None, **names):
    "Frames of images by steps from the probabilities of the true class; below 0.1 it is seventh"
    p = np.atleast_2d(np.asarray(p, float))
    parts = []
    for number, row in enumerate(p):
        n = len(row)
        rank = np.where(row >= 0.5, 1, np.where(row >= 0.1, 3, 7))
        lists = {1: "c0|c1|c2|c3|c4", 3: "c1|c2|c0|c3|c4", 7: "c1|c2|c3|c4|c5"}
        known = bool(category)
        parts.append(
            pd.DataFrame(
                {
                    **(SWEEP | names),
                    "image_id": image or f"i{number:04}",
                    "category": category,
                    "object": -1,
                    "pass": 0,
                    "step": np.arange(n),
                    "dx": 0.0,
                    "dy": np.arange(n) - (n - 1) // 2.0,
                    "scale": 0.7,
                    "p_true": row if known else np.nan,
                    "rank_true": rank if known else 0,
                    "margin": 0.5 if known else np.nan,
                    "top1": [lists[r].split("|")[0] for r in rank],
                    "p_top1": 0.4,
                    "p_first": row / 2,
                    "top5": [lists[r] for r in rank],
                    "p_top5": "0.4|0.2|0.1|0.1|0.1",
                }
            )
        )
    return FRAMES.check(pd.concat(parts, ignore_index=True), "test")


def swept_of(frames, *, seen="held out", box_area=None, file="{}.png"):
    keys = [*SWEEP, "image_id", "category", "object"]
    rows = frames.groupby(keys, sort=True).size().rename("n_frames").reset_index()
    areas = np.full(len(rows), 0.5) if box_area is None else box_area
    rows = rows.assign(
        file=[file.format(name) for name in rows["image_id"]],
        seen=seen,
        range=0,
        reason="",
        image_width=40,
        image_height=40,
        box_area=areas,
    )
    return SWEPT.check(rows[list(SWEPT.columns)], "test")


def all_of(frames, **options):
    "The tables of frames, swept and jaggedness, as the charts take them"
    jagged = jaggedness(frames, seen=options.get("seen", "held out"), n_classes=1000)
    return frames, swept_of(frames, **options), jagged


def many(n, *, networks=("net",), steps_=33, seed=1):
    p = np.random.default_rng(seed).random((n, steps_))
    return pd.concat([frames_of(p * (1 - k / 20), network=n) for k, n in enumerate(networks)])


def spec_text(chart):
    return json.dumps(chart.to_dict(), ensure_ascii=False)


def rows_with(chart, key):
    return [
        rows for rows in chart.to_dict()["datasets"].values() if any(key in row for row in rows)
    ]


def title_of(chart):
    title = chart.title
    return " ".join(title.text), " ".join(title.subtitle)


# Which sweep


def test_several_sweeps_are_named_and_none_is_chosen_in_silence():
    both = pd.concat([frames_of([[0.1, 0.9]]), frames_of([[0.1, 0.9]], fill="mean")])
    message = (
        "there are several sweeps: embed, vertical, fill black; embed, vertical, fill mean. "
        "Choose one by protocol, direction and fill."
    )
    with pytest.raises(ExportError, match=f"^{re.escape(message)}$"):
        one_sweep(both)
    assert set(one_sweep(both, fill="mean")["fill"]) == {"mean"}
    message = (
        "no sweep with protocol roll. There are: embed, vertical, fill black; embed, vertical, "
        "fill mean."
    )
    with pytest.raises(ExportError, match=f"^{re.escape(message)}$"):
        one_sweep(both, protocol="roll")
    message = "network 'nett' was not swept so. There are: net."
    with pytest.raises(ExportError, match=f"^{re.escape(message)}$"):
        one_sweep(both, fill="mean", network="nett")


def test_eleven_networks_are_too_many_for_one_chart():
    frames = many(1, networks=[f"n{k:02}" for k in range(11)])
    with pytest.raises(ExportError, match="11 networks are too many for one chart, expected 10"):
        one_sweep(frames)
    assert one_sweep(frames, network=["n03", "n07"])["name"].nunique() == 2


# The map


def test_rows_are_in_the_order_asked_for_and_cells_hold_what_was_said():
    "Sums .3, 1.5, 1.2; boxes .2, .1, .9; the third image leaves the top 5 and comes back"
    p = [[0.1, 0.1, 0.1], [0.5, 0.5, 0.5], [0.6, 0.0, 0.6]]
    tables = all_of(frames_of(p), box_area=[0.2, 0.1, 0.9])
    orders = {"sum": [1, 2, 0], "box": [2, 0, 1], "jaggedness": [2, 1, 0]}
    for sort, order in orders.items():
        (grid,) = shift_grids(*tables, sort=sort)
        assert grid.rows["image_id"].tolist() == [f"i{k:04}" for k in order], sort
        np.testing.assert_array_equal(grid.values, np.array(p)[order])
    assert grid.at.tolist() == [-1, 0, 1]
    assert grid.rows["key"].tolist() == [2, 0, 0]
    assert grid.axis == "shift down, px of the input"


def test_images_with_fewer_steps_leave_cells_open():
    frames = pd.concat([frames_of([[0.2, 0.4, 0.6]]), frames_of([[0.9]], image="short")])
    (grid,) = shift_grids(*all_of(frames))
    np.testing.assert_array_equal(grid.values, [[0.2, 0.4, 0.6], [np.nan, 0.9, np.nan]])


def test_the_picture_has_the_colour_of_the_legend_in_every_cell():
    uri = map_picture(np.array([[0.0, 1.0], [0.5, np.nan]]), width=10, height=10)
    picture = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGBA")
    assert picture.size == (20, 20)
    found = [picture.getpixel(at) for at in ((0, 0), (19, 0), (0, 19), (19, 19))]
    assert found[0] == (0x44, 0x01, 0x54, 255)
    assert found[1] == (0xFD, 0xE7, 0x25, 255)
    assert found[2] == (0x21, 0x91, 0x8C, 255)
    assert found[3][3] == 0


def test_many_rows_are_averaged_and_the_mean_is_kept():
    values = np.random.default_rng(0).random((1000, 5))
    assert thinned(values, 400).shape == (334, 5)
    assert thinned(values, 1000) is values
    np.testing.assert_allclose(thinned(values, 500).mean(), values.mean())
    assert np.isnan(thinned(np.full((4, 1), np.nan), 2)).all()


@pytest.mark.parametrize("n", [1, 100, 1000])
def test_a_map_is_small_whatever_the_number_of_images(n, tmp_path):
    chart = shifts(*all_of(many(n)))
    head, below = title_of(chart)
    assert head.endswith(f"n = {n:,} image" + ("s" if n > 1 else ""))
    assert "images: held out from training" in below
    assert ("a line is the mean of 3 images" in below) == (n == 1000)
    assert save_chart(chart, tmp_path / "a.svg", provenance={}).stat().st_size < 120_000


def test_training_images_are_labelled_so_on_every_chart():
    frames = many(4, networks=("a", "b"), steps_=5)
    tables = dict(
        zip(("frames", "swept", "jaggedness"), all_of(frames, seen="training"), strict=True)
    )
    tables["jaggedness_by"] = summarise(tables["jaggedness"], seed=1)
    tables["networks"] = pd.DataFrame(
        {"network": ["a", "b"], "variant": "plain", "depth": [16, 50]}
    )
    for name, kind in CHARTS.items():
        if kind.sweeps and name != "film":
            text = title_of(draw(name, tables))[1]
            assert "training images of the network" in text, name
            mixed = dict(tables)
            for table in ("swept", "jaggedness", "jaggedness_by"):
                own = tables[table]
                mixed[table] = own.assign(seen=own["seen"].where(own["network"] == "a", "unknown"))
            text = title_of(draw(name, mixed))[1]
            expected = "a: training images of the network; b: not known whether trained on"
            assert expected in text, name


def test_images_without_a_true_class_are_counted_or_explained():
    known, unknown = frames_of([[0.5, 0.5]]), frames_of([[0.5, 0.5]], category="", image="x")
    tables = all_of(pd.concat([known, unknown]))
    assert "1 images whose true class is not known are left out" in title_of(shifts(*tables))[1]
    message = (
        "no image's true class is known, so there is no probability of it to draw. Name the "
        "classes by biaskit sweep --labels FILE, or put the photographs in folders of their "
        "classes."
    )
    with pytest.raises(ExportError, match=f"^{re.escape(message)}$"):
        shifts(*all_of(unknown))
    message = (
        "no transition in or out of the top 5 is known: no image's true class is, or the networks "
        "have fewer than 6 classes."
    )
    frames, _, jagged = all_of(unknown)
    with pytest.raises(ExportError, match=f"^{re.escape(message)}$"):
        steps(frames, jagged)
    below = title_of(curve(*all_of(unknown)[:2]))[1]
    assert "its true class is not known, so no probability of it is drawn" in below


def test_an_order_that_cannot_be_had_is_refused():
    tables = all_of(frames_of([[0.5, 0.5]]))
    with pytest.raises(ExportError, match=r"^sort is 'name', expected sum, box, jaggedness\.$"):
        shifts(*tables, sort="name")
    few = tables[2].assign(transitions=np.nan)
    with pytest.raises(ExportError, match=r"^rows cannot be sorted by jaggedness: no transition"):
        shifts(tables[0], tables[1], few, sort="jaggedness")


# The curve


def test_the_planted_jump_is_found_and_marked():
    p = np.full((3, 9), 0.4)
    p[1, 5:] = 0.95
    p[2, 3:] = 0.1
    frames = pd.concat([frames_of(p), frames_of(p * 0.9, network="other")])
    jump = largest_jump(frames)
    assert (jump.name, jump.image_id, jump.step) == ("net", "i0001", 4)
    assert jump.size == pytest.approx(0.55)
    chart = curve(frames, swept_of(frames))
    assert title_of(chart)[0] == "Image i0001: c0"
    assert "largest jump, marked: +0.55 from one frame to the next, net" in title_of(chart)[1]
    (span,) = (rows for rows in rows_with(chart, "end") if "end" in rows[0])
    assert span == [{"at": 0, "end": 1}]
    rings = [rows for rows in rows_with(chart, "p") if set(rows[0]) == {"at", "p"}]
    assert rings == [[{"at": 0, "p": 0.4}, {"at": 1, "p": 0.95}]]
    chart = curve(frames, swept_of(frames), image="i0002", network="other")
    assert "−0.27" in title_of(chart)[1]


def test_a_jump_between_two_sequences_is_none():
    frames = frames_of([[0.1, 0.1], [0.9, 0.9]])
    jump = largest_jump(frames.sample(frac=1, random_state=1))
    assert jump.size == 0
    assert largest_jump(frames[frames["step"] == 0]) is None
    assert largest_jump(frames.assign(p_true=np.nan)).of == "p_first"


@pytest.mark.parametrize("n", [1, 10])
def test_a_line_per_network_has_its_own_look(n):
    names = [f"net {k}" for k in range(n)]
    frames = many(2, networks=names, steps_=7)
    rows = rows_with(curve(frames, swept_of(frames)), "top1")[0]
    assert sorted({row["name"] for row in rows}) == names
    assert len(NETWORK_COLOURS) == 10


def test_the_frames_around_a_jump_stand_beside_what_was_said():
    frames = frames_of([[0.9, 0.9, 0.05, 0.05]])
    pictures = [np.full((8, 8, 3), v, np.uint8) for v in (50, 200)]
    chart = curve(frames, swept_of(frames), pictures=pictures, words={"c0": "cat, feline"})
    text = spec_text(chart)
    assert "before: shift 0 px down" in text
    assert "after: shift 1 px down" in text
    lists = [rows for rows in rows_with(chart, "true") if rows]
    assert [[row["word"] for row in rows] for rows in lists] == [
        ["cat", "c1", "c2", "c3", "c4"],
        ["c1", "c2", "c3", "c4", "c5"],
    ]
    shown = [rows[0]["picture"] for rows in rows_with(chart, "picture")]
    values = [
        Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).getpixel((0, 0))[0]
        for uri in shown
    ]
    assert values == [50, 200]


def test_an_image_that_was_not_swept_is_refused_with_some_that_were():
    frames = frames_of([[0.1, 0.9]] * 4)
    message = "image 'x' was not swept so; there are 4, such as i0000, i0001, i0002."
    with pytest.raises(ExportError, match=f"^{re.escape(message)}$"):
        curve(frames, swept_of(frames), image="x")
    single = frames_of([[0.1]])
    with pytest.raises(ExportError, match="every sequence has one frame only"):
        curve(single, swept_of(single))


def test_a_film_is_drawn_over_its_frames():
    frames = frames_of([[0.1, 0.2, 0.9]], protocol="film", direction="time", fill="none")
    frames = frames.assign(dx=np.nan, dy=np.nan)
    chart = film(frames, swept_of(frames))
    assert "frame of the film" in spec_text(chart)
    assert "n = 1 film, 3 frames" in title_of(chart)[1]
    with pytest.raises(ExportError, match=r"^no sweep with protocol film. There are: embed, vert"):
        film(*all_of(frames_of([[0.1, 0.2]]))[:2])


# A point per network


def by_networks(names, n=12):
    frames = many(n, networks=names, steps_=6)
    return summarise(jaggedness(frames, seen="held out", n_classes=1000), seed=1)


def cards(names, depths):
    return pd.DataFrame({"network": list(names), "variant": "plain", "depth": list(depths)})


@pytest.mark.parametrize("n", [1, 2, 10])
def test_points_stand_where_the_tables_say(n):
    names = [f"network_{k}" for k in range(n)]
    table = by_networks(names)
    whole = table[(table["category"] == "") & (table["subset"] == "all")].set_index("network")
    chart = depth(table, cards(names[::-1], range(16, 16 + n)))
    rows = next(r for r in rows_with(chart, "depth") if r)
    assert {row["name"]: row["depth"] for row in rows} == {
        name: 16 + n - 1 - k for k, name in enumerate(names)
    }
    for row in rows:
        assert row["jagged"] == pytest.approx(whole.loc[row["name"], "jagged"], abs=1e-5)
        for end in ("jagged_low", "jagged_high"):
            assert row[end] == pytest.approx(whole.loc[row["name"], end], abs=1e-5)
    rows = next(r for r in rows_with(accuracy(table, measure="p_top1_change"), "accuracy") if r)
    for row in rows:
        assert row["accuracy"] == pytest.approx(whole.loc[row["name"], "accuracy"], abs=1e-5)
    assert f"{n} network" in title_of(chart)[0]
    assert "95 % intervals" in title_of(chart)[1]


def test_a_depth_that_is_not_known_says_what_to_type():
    message = (
        "the depth of b is not known: the table 'networks' does not have it. To add it: biaskit "
        "networks b --study DIR"
    )
    with pytest.raises(ExportError, match=f"^{re.escape(message)}$"):
        depth(by_networks(["a", "b"]), cards(["a"], [16]))
    with pytest.raises(ExportError, match=r"^measure is 'jag', expected jagged, transitions_per"):
        accuracy(by_networks(["a"]), measure="jag")
    with pytest.raises(ExportError, match=r"^subset 'few' is not there; there are all, all right"):
        accuracy(by_networks(["a"]), subset="few")


def test_networks_of_unlabelled_images_have_no_point_and_it_is_said():
    frames = frames_of([[0.1, 0.2]], category="")
    table = summarise(jaggedness(frames, n_classes=1000), seed=1)
    with pytest.raises(
        ExportError, match=r"^no network has share of images with a transition here"
    ):
        accuracy(table)


@pytest.mark.parametrize("seed", range(20))
def test_labels_of_ten_points_cover_neither_each_other_nor_leave_the_chart(seed):
    rng = np.random.default_rng(seed)
    names = [f"some_network_{k}" for k in range(10)]
    x, y = rng.normal(150, 50, 10).clip(5, 305), rng.normal(130, 45, 10).clip(5, 255)
    places = np.array(label_places(x, y, names, width=310, height=260))
    half = np.array([6.2 * len(names[0]) / 2, 6.5])
    assert (places >= half - 1e-9).all()
    assert (places <= np.array([310, 260]) - half + 1e-9).all()
    apart = np.abs(places[:, None] - places[None]) >= 2 * half - 0.02
    assert (apart.any(axis=2) | np.eye(10, dtype=bool)).all()


# Curves of whole sweeps


def test_the_share_of_jagged_images_grows_as_planted():
    "Of two images the first leaves the top 5 at its second step, the other never"
    frames, _, jagged = all_of(frames_of([[0.5, 0.5, 0.0, 0.0], [0.5] * 4]))
    for given in (frames, first_transitions(frames, n_classes=1000)):
        chart = steps(given, jagged)
        rows = next(r for r in rows_with(chart, "y") if r)
        assert [row["y"] for row in rows] == [0, 0.5, 0.5]
        assert all(row["low"] <= row["y"] <= row["high"] for row in rows)
        assert {row["n_images"] for row in rows} == {2}
    assert "95 % Wilson intervals" in title_of(chart)[1]
    assert "true class ever in the top 5" in spec_text(chart)


def test_consistency_is_averaged_over_images_at_every_lag():
    "Answers alternate in one image and stay in the other: 1/2 at lag 1, 1 at lag 2"
    _, _, jagged = all_of(frames_of([[0.6, 0.2, 0.6, 0.2], [0.6] * 4]))
    rows = next(r for r in rows_with(lags(jagged), "y") if r)
    assert [(row["x"], row["y"]) for row in rows] == [(1, 0.5), (2, 1), (3, 0.5)]
    assert {row["n_images"] for row in rows} == {2}
    # One in two and two in two: mean 0.75, standard error 0.25.
    _, _, jagged = all_of(frames_of([[0.6, 0.6, 0.2], [0.6] * 3]))
    row = next(r for r in rows_with(lags(jagged), "y") if r)[0]
    assert row["low"] == pytest.approx(0.75 - 1.96 * 0.25, abs=1e-5)
    assert row["high"] == 1
    single = lags(jagged[jagged["image_id"] == "i0000"])
    assert "no band: one image" in title_of(single)[1]


def test_a_network_of_few_classes_is_left_out_of_the_steps_and_named():
    frames, _, jagged = all_of(many(2, networks=("five", "net"), steps_=4))
    few = jagged["network"] == "five"
    chart = steps(frames, jagged.assign(transitions=jagged["transitions"].mask(few)))
    rows = next(r for r in rows_with(chart, "y") if r)
    assert {row["name"] for row in rows} == {"net"}
    assert "without five: no transition is known" in title_of(chart)[1]


# What every chart has


def test_charts_of_empty_tables_draw_nothing_and_fail_not():
    empty = {name: schema.empty() for name, schema in SCHEMAS.items()}
    for name in CHARTS.keys() - {"marks", "agreement"}:  # which refuse
        assert "<svg" in inline_svg(draw(name, empty), name="a", label="l", description="d")


def test_every_chart_of_sweeps_is_valid_and_has_n_and_follows_the_page():
    frames = many(3, networks=("a", "b"), steps_=5)
    tables = dict(zip(("frames", "swept", "jaggedness"), all_of(frames), strict=True))
    tables["jaggedness_by"] = summarise(tables["jaggedness"], seed=1)
    tables["networks"] = cards(["a", "b"], [16, 50])
    for name, kind in CHARTS.items():
        if kind.sweeps and name != "film":
            chart = draw(name, tables)
            text = spec_text(chart)  # checked against the schema of Vega-Lite
            assert "n = " in " ".join(title_of(chart)), name
            assert "http" not in text.replace("https://vega.github.io/schema/", ""), name
            picture = inline_svg(chart, name="a", label="l", description="d")
            assert set(re.findall(r'<text[^>]*fill="([^"]+)"', picture)) <= {
                "currentColor",
                "#8a8f98",
            }, name


def test_a_name_cannot_change_a_chart_of_sweeps():
    evil = "<script>\u202e\x07" + "x" * 60
    frames = frames_of([[0.1, 0.9]], category=evil, network=evil)
    frames = frames.assign(top5=frames["top5"].str.replace("c1", evil), rank_true=[3, 1])
    tables = all_of(frames)
    pictures = [np.zeros((4, 4, 3), np.uint8)] * 2
    for chart in (shifts(*tables), curve(*tables[:2], pictures=pictures), lags(tables[2])):
        root = etree.fromstring(inline_svg(chart, name="a", label="l", description="d"))
        assert root.findall(".//{*}script") == []


# From a study


@pytest.fixture
def study(tmp_path):
    "A study of two white squares swept down over black, and the folder of the squares"
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("i0000", "i0001"):
        Image.fromarray(np.full((40, 40, 3), 255, np.uint8)).save(photos / f"{name}.png")
    plan = make_plan(
        "embed", input_size=32, resize=36, interpolation="bilinear", seed=0, steps=5, fill="black",
        side=16,
    )  # fmt: skip
    p = np.full((2, 5), 0.3)
    p[1, 3:] = 0.9
    home = Study(tmp_path / "study")
    with home.writing("test"):
        options = {f"plan_{k}": v for k, v in vars(plan).items() if k != "seed"}
        for k, name in enumerate(("i0000", "i0001")):
            frames, swept, jagged = all_of(frames_of(p[k], image=name))
            made = provenance(inputs=[], options=options, seed=plan.seed)
            made |= {"sweep": SWEEP}
            for table, rows in (("swept", swept), ("jaggedness", jagged), ("frames", frames)):
                home.write_part(table, f"part-{k}", rows, made)
    return home, photos


def test_frames_are_made_again_as_they_were_shown(study):
    "The square is 16 px of 32: at shift d it lies in the rows 8 + d to 24 + d"
    home, photos = study
    rows = home.read("frames", where=[("image_id", "=", "i0001")])
    frames = list(remade_frames(home, rows, photos))
    for frame, shift in zip(frames, range(-2, 3), strict=True):
        assert frame.shape == (32, 32, 3)
        lit = np.flatnonzero(frame[:, 16, 0] > 128)
        assert (lit[0], lit[-1]) == (8 + shift, 23 + shift)
    assert len(list(remade_frames(home, rows, photos, steps=[2, 3]))) == 2


def test_another_photograph_is_not_taken_for_the_one_that_was_swept(study, tmp_path):
    home, photos = study
    rows = home.read("frames", where=[("image_id", "=", "i0001")])
    with pytest.raises(
        ExportError, match=r"does not hold the photograph i0001\.png that was swept"
    ):
        list(remade_frames(home, rows, tmp_path))
    Image.fromarray(np.zeros((50, 40, 3), np.uint8)).save(photos / "i0001.png")
    message = "i0001.png: is 40 x 50 px, the one that was swept 40 x 40."
    with pytest.raises(ExportError, match=f"^{re.escape(message)}$"):
        list(remade_frames(home, rows, photos))
    outside = swept_of(rows, file="../{}.png")
    Image.fromarray(np.full((40, 40, 3), 255, np.uint8)).save(tmp_path / "i0001.png")
    home.write_part("swept", "part-1", outside, {})
    with pytest.raises(ExportError, match="does not hold the photograph"):
        list(remade_frames(home, rows, photos))


def test_only_the_image_of_the_largest_jump_is_read(study):
    home, photos = study
    tables = tables_of(home, "curve", ("frames", "swept"))
    assert set(tables["frames"]["image_id"]) == {"i0001"}
    pictures = curve_pictures(home, tables, photos)
    assert [int(np.flatnonzero(one[:, 16, 0] > 128)[0]) for one in pictures] == [8, 9]
    tables = tables_of(home, "steps", ("frames", "jaggedness"))
    assert tables["frames"]["n_pairs"].tolist() == [4, 4]
    with pytest.raises(ExportError, match=r"^image 'x' was not swept so; there are 2, such as i00"):
        tables_of(home, "curve", ("frames", "swept"), image="x")


@pytest.mark.parametrize("name", ["shifts", "curve", "steps", "lags", "sweep"])
def test_the_command_draws_what_a_study_holds(study, tmp_path, capsys, name):
    home, photos = study
    file = tmp_path / ("sweep.gif" if name == "sweep" else f"{name}.svg")
    command = ["chart", name, "--study", str(home.folder), "--output", str(file)]
    images = ["--images", str(photos)] if name in ("curve", "sweep") else []
    assert main([*command, *images]) == 0, capsys.readouterr().err
    beside = json.loads(file.with_name(f"{file.name}.json").read_text())
    assert beside["options"]["chart"] == name
    assert beside["options"].get("images") == ("photos" if images else None)
    assert str(tmp_path) not in json.dumps(beside)


def test_the_command_says_what_is_wrong(study, capsys):
    home, _ = study
    where = ["--study", str(home.folder)]
    assert main(["chart", "curve", "--sort", "sum", *where]) == 2
    assert "--sort: the chart curve takes --network" in re.sub(r"\s+", " ", capsys.readouterr().err)
    assert main(["chart", "sweep", *where]) == 2
    assert "--images names the photographs" in re.sub(r"\s+", " ", capsys.readouterr().err)
    assert main(["chart", "shifts", "--fill", "mean", *where]) == 1
    expected = "biaskit: no sweep with fill mean. There are: embed, vertical, fill black.\n"
    assert capsys.readouterr().err == expected
    with pytest.raises(StudyError, match=r"has no table 'networks' yet. To make it: biaskit netw"):
        tables_of(home, "depth", ("networks",))


# Animations


def pages(n):
    for k in range(n):
        yield Image.fromarray(np.full((20, 30, 3), (k * 40) % 256, np.uint8))


def test_a_gif_runs_forever_at_ten_frames_per_second(tmp_path):
    path = save_animation(pages(5), tmp_path / "a.gif", provenance={"seed": 3})
    assert json.loads((tmp_path / "a.gif.json").read_text()) == {"seed": 3}
    with Image.open(path) as film_:
        assert (film_.n_frames, film_.info["loop"], film_.info["duration"]) == (5, 0, 1000 / FPS)
        for k in range(5):
            film_.seek(k)
            assert abs(film_.convert("RGB").getpixel((5, 5))[0] - k * 40) <= 2


def test_an_mp4_can_be_read_back(tmp_path):
    path = save_animation(pages(5), tmp_path / "a.mp4", provenance={})
    video = cv2.VideoCapture(str(path))
    assert video.get(cv2.CAP_PROP_FPS) == FPS
    read, frame = video.read()
    assert read
    assert frame.shape == (20, 30, 3)
    assert frame.max() < 20


def test_an_animation_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(
        ExportError, match=r"^a\.avi: format 'avi' is unknown, expected gif, mp4\.$"
    ):
        save_animation(pages(2), tmp_path / "a.avi", provenance={})
    for ending in ("gif", "mp4"):
        with pytest.raises(ExportError, match=rf"^a\.{ending}: there is no frame to show\.$"):
            save_animation([], tmp_path / f"a.{ending}", provenance={})
    with pytest.raises(ExportError, match=r"^a\.gif: cannot be written: No such file"):
        save_animation(pages(2), tmp_path / "no" / "a.gif", provenance={})
    assert list(tmp_path.iterdir()) == []


def test_a_long_film_is_shown_in_part_and_a_short_one_whole():
    assert chosen_steps(33) == list(range(33))
    assert len(chosen_steps(MOST)) == MOST
    assert chosen_steps(10 * MOST)[1] == 10
