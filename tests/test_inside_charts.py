import base64
import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from inside_tables import (
    antialiasing_of,
    architecture,
    layers_of,
    maps_of,
    robustness_by_of,
    robustness_of,
    shiftability_of,
    voting_of,
)
from lxml import etree
from PIL import Image

from biaskit.charts import (
    CHARTS,
    antialiasing,
    draw,
    factors,
    inline_svg,
    maps,
    nonshiftability,
    robust_places,
    robustness,
    save_chart,
    voting,
)
from biaskit.charts.layer_places import side_by_side, stride_rows, strides
from biaskit.charts.line_names import name_lines, short_name
from biaskit.charts.map_grids import chosen_layers, map_grid, map_values
from biaskit.charts.network_lines import looks_of
from biaskit.charts.network_rows import network_rows
from biaskit.charts.robustness import size_words, who_words
from biaskit.charts.sweep_rows import with_names
from biaskit.cli import main
from biaskit.errors import ExportError
from biaskit.study import Study
from biaskit.sweeps.robust.robustness import accuracy_map
from biaskit.tables import SCHEMAS

NEW = (
    "maps",
    "nonshiftability",
    "factors",
    "antialiasing",
    "robustness",
    "robust-places",
    "voting",
)
VGG, INCEPTION = architecture(16), architecture(60, branches=3)
LAYERS = [("first", 1, 16, 16), ("second", 5, 8, 8), ("third", 9, 4, 4)]


def tables_of(networks, depth=16):
    "One of each of the tables that the charts are drawn from"
    nets = {name: architecture(depth) for name in networks}
    return {
        "feature_maps": maps_of(LAYERS, networks=networks),
        "shiftability_by": shiftability_of(nets),
        "layers": layers_of(nets),
        "antialiasing": antialiasing_of(networks, ("plain", "blur-3")),
        "robustness_by": robustness_by_of(networks),
        "robustness": robustness_of(networks, n=3, places=4),
        "voting": voting_of(networks),
    }


def datasets(chart, *keys):
    "Rows of every data set of a chart that has all these columns"
    found = chart.to_dict()["datasets"].values()
    return [rows for rows in found if rows and all(key in rows[0] for key in keys)]


def rows_of(chart, *keys):
    return [row for rows in datasets(chart, *keys) for row in rows]


def spec_text(chart):
    return json.dumps(chart.to_dict(), ensure_ascii=False)


def axes_of(spec):
    "Channels x and y that have an axis; a title may be none where a neighbour has it"
    if isinstance(spec, list):
        return [axis for part in spec for axis in axes_of(part)]
    if not isinstance(spec, dict):
        return []
    own = [spec[c] for c in ("x", "y") if isinstance(spec.get(c), dict) and spec[c].get("axis")]
    return own + [axis for key, part in spec.items() if key != "datasets" for axis in axes_of(part)]


def title_of(chart):
    return " ".join(chart.title.text), " ".join(chart.title.subtitle)


def words_in(chart):
    "All texts of the picture"
    root = etree.fromstring(inline_svg(chart, name="a", label="l", description="d"))
    return ["".join(text.itertext()) for text in root.iter("{*}text")]


def refused(message):
    return pytest.raises(ExportError, match=f"^{re.escape(message)}$")


# What all of them have


@pytest.mark.parametrize("name", NEW)
def test_a_chart_is_valid_says_n_and_follows_the_page(name):
    "to_dict checks it against the schema of Vega-Lite; text in a colour would be lost in the dark"
    chart = draw(name, tables_of(["a", "b"]))
    assert "http" not in spec_text(chart).replace("https://vega.github.io/schema/", "")
    assert "n = " in title_of(chart)[0]
    picture = inline_svg(chart, name="a", label="l", description="d")
    inks = {"currentColor", "#8a8f98"} | ({"white", "black"} if name == "robust-places" else set())
    assert set(re.findall(r'<text[^>]*fill="([^"]+)"', picture)) <= inks
    titled = [axis for axis in axes_of(chart.to_dict()) if axis["title"]]
    assert len(titled) >= (0 if name == "maps" else 1 if name == "antialiasing" else 2)


@pytest.mark.parametrize("name", NEW)
def test_a_chart_of_an_empty_table_draws_nothing_and_says_so(name):
    chart = draw(name, {table: schema.empty() for table, schema in SCHEMAS.items()})
    assert "n = 0" in title_of(chart)[0]
    assert words_in(chart)


@pytest.mark.parametrize("name", NEW)
def test_a_chart_fits_a_phone_and_one_network_is_enough(name):
    "Up to 4 networks: what is wider than 460 px would have letters below 9 px on 360 px"
    for names in (["resnet50"], ["inception_resnet_v2", "vgg16", "resnet50", "efficientnet_lite0"]):
        picture = inline_svg(draw(name, tables_of(names)), name="a", label="l", description="d")
        assert float(re.search(r'width="([\d.]+)"', picture)[1]) <= 460, names


@pytest.mark.parametrize("name", NEW)
def test_a_name_cannot_change_a_chart(name):
    evil = "<script>&amp;'\"\\\u202e\x07" + "x" * 300
    tables = tables_of(["net"])
    for table in tables.values():
        for column in ("network", "layer", "image_id", "fill"):
            if column in table:
                table[column] = evil + (" " + table[column] if column == "layer" else "")
    root = etree.fromstring(inline_svg(draw(name, tables), name="a", label="l", description="d"))
    assert root.findall(".//{*}script") == []
    assert float(root.get("width")) < 800


@pytest.mark.parametrize("name", ["robustness", "robust-places", "factors"])
def test_twelve_networks_are_too_many_where_each_needs_a_colour(name):
    tables = tables_of([f"n{k:02}" for k in range(12)])
    with pytest.raises(ExportError, match="12 networks are too many for one chart, expected 10"):
        draw(name, tables)
    assert "2 networks" in title_of(draw(name, tables, network=["n03", "n07"]))[0]


@pytest.mark.parametrize("name", ["nonshiftability", "antialiasing"])
def test_twelve_networks_have_a_panel_or_rows_each(name):
    names = [f"n{k:02}" for k in range(12)]
    chart = draw(name, tables_of(names))
    assert "12 networks" in title_of(chart)[0]
    assert set(names) <= set(words_in(chart))


def test_voting_takes_five_networks():
    with pytest.raises(ExportError, match="6 networks are too many for one chart, expected 5"):
        voting(voting_of([f"n{k}" for k in range(6)]))


def test_several_conditions_are_named_and_none_is_chosen_in_silence():
    both = pd.concat([voting_of(["a"]), voting_of(["a"], jitter=4)])
    message = "a was asked with jitter 4, 16 px. Choose one by jitter."
    with refused(message):
        voting(both)
    assert "jitter 4 px" in title_of(voting(both, jitter=4))[1]
    with refused("there is nothing with jitter 5 px. There are: 4, 16 px."):
        voting(both, jitter=5)
    two = pd.concat([robustness_by_of(["a"]), robustness_by_of(["a"], fill="mean")])
    with refused("there are several: fill grey; fill mean. Choose one by fill."):
        robustness(two)
    with refused("network 'b' is not there. There are: a."):
        robustness(two, fill="mean", network="b")


def test_networks_with_inputs_of_other_sizes_stand_in_one_chart_of_votes():
    "Their crops reach as far in parts of the input, and not in px"
    both = pd.concat([voting_of(["a"]), voting_of(["b"], jitter=19)])
    assert "jitter 16 to 19 px" in " ".join(title_of(voting(both)))


def test_a_network_stands_for_its_variants_where_they_are_compared():
    table = antialiasing_of(["a", "b"], ("plain", "blur-3"))
    assert network_rows(table, network="a", variants=True)["name"].tolist() == ["a blur-3", "a"]
    assert network_rows(table, network="a blur-3", variants=True)["name"].tolist() == ["a blur-3"]
    assert network_rows(table, network="a")["name"].tolist() == ["a"]


# Feature maps


def picture_of(uri):
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGB")


def test_maps_stand_in_order_of_depth_with_their_sums_and_colours():
    "Sums 1 2 3 2 2 have the mean 2: off by half at the first and third shift"
    table = maps_of(LAYERS, steps=5, sums=[1, 2, 3, 2, 2])
    chart = maps(table)
    (shown,) = datasets(chart, "picture")
    assert [row["layer"] for row in shown] == ["first"] * 5 + ["second"] * 5 + ["third"] * 5
    assert len({row["x"] for row in shown}) == 5
    assert sorted({row["y"] for row in shown}) == [row["y"] for row in shown[::5]]
    assert [row["sum"] for row in shown[:5]] == [1, 2, 3, 2, 2]
    words = words_in(chart)
    assert [words.count(word) for word in ("−50 %", "0 %", "+50 %")] == [3, 9, 3]
    assert "first: depth 1, 16 x 16, channel 3" in words
    assert "colours 0 to 3; mean sum 2" in words
    assert [w for w in words if re.fullmatch("−?[012]", w)][:5] == ["−2", "−1", "0", "1", "2"]
    framed = [rows for rows in datasets(chart, "x2") if "picture" not in rows[0]]
    assert [len(rows) for rows in framed] == [6]


def test_a_map_has_the_colours_of_its_levels_cell_by_cell():
    levels = base64.b64encode(bytes([0, 255, 255, 0])).decode()
    table = maps_of([("a", 1, 2, 2)], steps=1).assign(levels=levels)
    ((row,),) = datasets(maps(table), "picture")
    picture = picture_of(row["picture"])
    wide, tall = picture.size
    assert min(wide, tall) >= 2 * 56  # twice the px it is drawn at: no viewer blurs its cells
    dark, bright = (0x44, 0x01, 0x54), (0xFD, 0xE7, 0x25)
    found = [picture.getpixel((x, y)) for y in (tall // 2 - 1, tall // 2) for x in (0, wide // 2)]
    assert found == [dark, bright, bright, dark]


def test_neighbouring_shifts_are_shown_and_the_mean_is_of_all():
    "Every fourth shift would show nothing: a shift by the stride changes no sum"
    sums = [10.0, 0, 0, 0] * 8 + [10.0]
    rows = with_names(maps_of(LAYERS[:1], steps=33, sums=sums))
    grid = map_grid(rows)
    assert grid.shifts == ["−3", "−2", "−1", "0", "1", "2"]
    (row,) = grid.rows
    assert row.mean == pytest.approx(90 / 33)
    assert [one.total for one in row.maps] == [0, 0, 0, 10, 0, 0]
    assert row.maps[3].off == pytest.approx(10 / (90 / 33) - 1)
    assert grid.part == ["6 of 33 shifts"]


def test_maps_without_a_mean_sum_say_so_and_dead_channels_are_passed_over():
    dead = maps_of(LAYERS[:1], steps=3, sums=[0, 0, 0], channel=1)
    assert words_in(maps(dead)).count("no mean") == 3
    both = pd.concat([dead, maps_of(LAYERS[:1], steps=3, sums=[1, 1, 1], channel=2)])
    assert "first: depth 1, 16 x 16, channel 2" in words_in(maps(both))
    assert "1 of 2 channels" in title_of(maps(both))[1]


def test_of_many_layers_some_are_shown_or_those_asked_for():
    many = [(f"layer{k}", k, 2, 2) for k in range(250)]
    table = maps_of(many, steps=2)
    rows = with_names(table)
    assert chosen_layers(rows) == [f"layer{k}" for k in (0, 50, 100, 149, 199, 249)]
    assert chosen_layers(rows, ["layer9", "layer3"]) == ["layer3", "layer9"]
    assert "6 of 250 layers" in title_of(maps(table))[1]
    with refused("layer 'x' has no maps here; there are 250, such as layer0, layer1, layer2."):
        maps(table, layers=["x"])


def test_one_image_of_one_network_is_shown_and_it_is_said_of_how_many():
    table = maps_of(LAYERS, images=("i1", "i2"), networks=("a", "b"), steps=2)
    assert "image i1;" in title_of(maps(table))[1]
    assert "1 of 2 images, 1 of 2 networks" in title_of(maps(table))[1]
    below = title_of(maps(table, network="b", image="i2"))
    assert "under shift, b," in below[0]
    assert "image i2;" in below[1]
    with refused("image 'x' has no maps here; there are 2, such as i1, i2."):
        maps(table, image="x")


def test_levels_that_are_no_map_are_refused():
    with refused("a map has 3 levels, expected 2 x 2 = 4."):
        map_values(base64.b64encode(b"abc").decode(), height=2, width=2)
    with refused("a map's levels are no base64."):
        map_values("?", height=2, width=2)


def test_shifts_without_a_length_are_numbered():
    table = maps_of(LAYERS[:1], steps=2).assign(direction="larger", protocol="scale")
    assert "number of the frame" in words_in(maps(table))


# Nonshiftability


def test_every_layer_stands_at_its_depth_with_its_interval():
    table = shiftability_of({"vgg16": VGG})
    chart = nonshiftability(table, layers_of({"vgg16": VGG}), measure="nonshiftability")
    points = {row["layer"]: row for row in rows_of(chart, "layer", "low", "high")}
    for row in table.to_dict("records"):
        drawn = points[row["layer"]]
        assert drawn["y"] == pytest.approx(row["nonshiftability"], abs=1e-5)
        assert drawn["low"] == pytest.approx(row["nonshiftability_low"], abs=1e-5)
        assert drawn["high"] == pytest.approx(row["nonshiftability_high"], abs=1e-5)
        assert abs(drawn["x"] - row["depth"]) < 0.5
    # A pool has the depth of the convolution before it, and stands to its right.
    assert points["stage3.pool"]["x"] > points["stage3.branch0.conv"]["x"]
    assert "all channels" in title_of(chart)[1]


@pytest.mark.parametrize(
    "measure", ["nonshiftability_chosen", "nonshiftability", "deviation", "variation_median"]
)
def test_the_measure_asked_for_is_drawn(measure):
    table = shiftability_of({"vgg16": VGG})
    rows = rows_of(nonshiftability(table, measure=measure), "layer", "low")
    of_first = table.set_index("layer")[measure]
    for row in rows:
        assert row["y"] == pytest.approx(of_first[row["layer"]], abs=1e-5)


def test_thin_lines_stand_where_the_factor_grows():
    "Pools at depths 3, 5, 8, 11 and 13 of this network, each halving what is left"
    chart = nonshiftability(shiftability_of({"vgg16": VGG}), layers_of({"vgg16": VGG}))
    rules = rows_of(chart, "at", "factor", "low")
    assert sorted({(round(row["at"]), row["word"]) for row in rules}) == [
        (3, "1/2"), (5, "1/4"), (8, "1/8"), (11, "1/16"), (13, "1/32"),
    ]  # fmt: skip
    assert not rows_of(nonshiftability(shiftability_of({"vgg16": VGG})), "factor")


def test_a_factor_that_is_not_known_draws_no_line():
    at = pd.DataFrame({"at": [1.0, 2, 3, 4], "subsampling_factor": [np.nan, 2, np.nan, 4]})
    assert strides(at).values.tolist() == [[2, 2], [4, 4]]
    assert strides(at.assign(subsampling_factor=np.nan)).empty
    # A branch that has not been subsampled yet draws no line after one that has.
    at = pd.DataFrame({"at": [1.0, 2, 3], "subsampling_factor": [4.0, 2, 4]})
    assert strides(at).values.tolist() == [[1, 4]]


def test_labels_of_neighbouring_strides_do_not_cover_each_other():
    words = ["1/2", "1/4", "1/8", "1/16"]
    assert stride_rows([10, 16, 20, 60], words) == [0, 1, 2, 0]
    assert stride_rows([], []) == []


def test_branches_of_the_same_depth_stand_side_by_side_and_the_line_is_their_mean():
    depth, order = np.array([1, 3, 3, 3, 4]), np.arange(5)
    at = side_by_side(depth, order)
    assert (np.diff(at) > 0.2).all()
    assert (np.abs(at - depth) < 0.5).all()
    table = shiftability_of({"net": INCEPTION})
    chart = nonshiftability(table, measure="nonshiftability")
    mean = table[(table["depth"] == 6) & (table["reading"] == "activation")]
    line = [row for row in rows_of(chart, "depth", "x", "y") if "layer" not in row]
    (found,) = [row["y"] for row in line if row["depth"] == 6]
    assert found == pytest.approx(mean["nonshiftability"].mean(), abs=1e-5)


def test_linear_layers_are_rings_or_left_out():
    "Sums before an activation may have a mean near 0, of which 20 % is soon exceeded"
    table = shiftability_of({"net": INCEPTION})
    n = int((table["reading"] == "linear").sum())
    assert n > 10
    chart = nonshiftability(table)
    rings = [
        layer for layer in chart.to_dict()["concat"][0]["layer"]
        if layer["mark"].get("filled") is False
    ]  # fmt: skip
    assert [len(chart.to_dict()["datasets"][layer["data"]["name"]]) for layer in rings] == [n]
    assert "rings: no activation follows" in title_of(chart)[1]
    without = nonshiftability(table, linear=False)
    assert "linear" not in {row["reading"] for row in rows_of(without, "reading")}
    assert "rings" not in title_of(without)[1]


def test_variants_share_a_panel_and_are_named_in_it():
    table = shiftability_of({"net": VGG}, ("plain", "blur-3"))
    chart = nonshiftability(table, layers_of({"net": VGG}, ("plain", "blur-3")))
    assert len(chart.to_dict()["concat"]) == 1
    assert {"plain", "blur-3"} <= set(words_in(chart))
    only = nonshiftability(table, network="net blur-3")
    assert "variant blur-3" in title_of(only)[1]


def test_layers_that_are_all_dead_are_counted_and_intervals_may_be_missing():
    table = shiftability_of({"net": VGG})
    dead = table["depth"] == 2
    names = ["nonshiftability", "nonshiftability_low", "nonshiftability_high"]
    table[names] = table[names].mask(dead)
    table["nonshiftability_low"] = np.nan
    chart = nonshiftability(table, measure="nonshiftability")
    assert "1 layer without any other map left out" in title_of(chart)[1]
    assert words_in(chart)
    table[names] = np.nan
    with refused("no layer has nonshiftability here: every map's sum is 0."):
        nonshiftability(table, measure="nonshiftability")
    with pytest.raises(ExportError, match=r"^measure is 'x', expected nonshiftability_chosen, non"):
        nonshiftability(table, measure="x")


@pytest.mark.parametrize("depth", [1, 250])
def test_one_layer_and_two_hundred_and_fifty(depth, tmp_path):
    found = {"net": architecture(depth, pools=0 if depth == 1 else 5)}
    table, about = shiftability_of(found), layers_of(found)
    for chart in (nonshiftability(table, about), factors(about)):
        assert save_chart(chart, tmp_path / "a.svg", provenance={}).stat().st_size < 250_000
    assert len(rows_of(nonshiftability(table), "layer", "low")) >= depth


# Subsampling


def test_factors_and_fields_are_drawn_on_a_scale_of_doublings():
    about = layers_of({"vgg16": VGG})
    chart = factors(about)
    for column in ("subsampling_factor", "field"):
        drawn = {
            row["layer"]: row["y"]
            for row in rows_of(chart, "layer", "y")
            if abs(2 ** row["y"] - row[column]) < 0.01 * row[column]
        }
        assert set(drawn) >= set(about["layer"]), column
    words = words_in(chart)
    assert "the paper's 45" in words
    assert {"1", "2", "4", "8", "16", "32", "64"} <= set(words)
    (level,) = [row["y"] for row in rows_of(chart, "word") if row["word"] == "the paper's 45"]
    assert 2**level == pytest.approx(45, rel=1e-4)


def test_layers_without_factor_or_end_of_the_field_are_told():
    about = layers_of({"net": VGG})
    about.loc[:2, "subsampling_factor"] = np.nan
    about.loc[:1, "field"] = np.nan
    below = title_of(factors(about))[1]
    assert "3 without a factor: no shift moves their map by one cell" in below
    assert "2 that see all of the input: triangles at the top" in below
    whole = factors(about.assign(field=np.nan, subsampling_factor=np.nan))
    assert words_in(whole)


def test_networks_as_they_are_are_drawn_unless_a_variant_is_asked_for():
    about = layers_of({"net": VGG}, ("plain", "blur-3"))
    assert {row["name"] for row in rows_of(factors(about), "name", "layer")} == {"net"}
    asked = factors(about, network="net blur-3")
    assert {row["name"] for row in rows_of(asked, "name", "layer")} == {"net blur-3"}


# Robustness


@pytest.mark.parametrize("measure", ["accuracy", "accuracy_top5", "worst"])
def test_accuracy_stands_at_its_size_with_its_interval(measure):
    table = robustness_by_of(["a", "b"])
    chart = robustness(table, measure=measure)
    rows = rows_of(chart, "scale", "low")
    points = {(row["name"], row["scale"]): row for row in rows}
    assert len(points) == len(table)
    for row in table.to_dict("records"):
        drawn = points[row["network"], row["scale"]]
        assert drawn["y"] == pytest.approx(row[measure], abs=1e-5)
        assert drawn["low"] == pytest.approx(row[f"{measure}_low"], abs=1e-5)
        # Doublings, moved aside by 1.5 px of 250 for 2.24 doublings.
        assert drawn["x"] == pytest.approx(-np.log2(row["scale"]), abs=0.02)
    assert {"1", "3/4", "1/2", "3/8", "1/4", "a", "b"} <= set(words_in(chart))
    assert "95 % intervals" in title_of(chart)[1]


def test_people_are_told_apart_by_shape_and_named():
    table = robustness_by_of(["net"], ["people A1", "people A2"])
    chart = robustness(table)
    assert title_of(chart)[0] == "Accuracy against size, 1 network and 2 people, n = 200 images"
    assert {"people A1", "people A2", "net"} <= set(words_in(chart))
    shapes = [layer["mark"].get("shape") for layer in chart.to_dict()["layer"]]
    assert [shapes.count(shape) for shape in ("circle", "diamond")] == [1, 2]
    looks = looks_of(["net", "people A1", "people A2", "peopleware"])
    assert looks["people A1"].colour == looks["people A2"].colour != looks["net"].colour
    assert looks["peopleware"].shape == "circle"
    # What people were not asked has no line of theirs.
    top5 = robustness(table, measure="accuracy_top5")
    assert "1 network, n" in title_of(top5)[0]
    only = robustness(table, network=["people A1"])
    assert title_of(only)[0].startswith("Accuracy against size, 1 person,")
    assert who_words(["people", "a", "b"]) == "2 networks and 1 person"


def test_robustness_of_all_classes_is_drawn_or_of_the_one_asked_for():
    table = pd.concat(
        [robustness_by_of(["a"]), robustness_by_of(["a"], category="cat").assign(accuracy=0.1)]
    )
    assert 0.1 not in {row["y"] for row in rows_of(robustness(table), "scale")}
    only = draw("robustness", {"robustness_by": table}, category="cat")
    assert {row["y"] for row in rows_of(only, "scale")} == {0.1}
    assert "category cat" in title_of(only)[1]
    two = pd.concat([robustness_by_of(["a"], category=c) for c in ("cat", "dog")])
    with refused("the rows are of several categories; choose one."):
        robustness(two)
    with refused("no row has accuracy here: no image's true class is known."):
        robustness(table.assign(accuracy=np.nan))


def test_sizes_are_written_as_fractions_where_they_are():
    assert [size_words(s) for s in (1, 0.75, 0.375, 0.4464, 0.0625)] == [
        "1", "3/4", "3/8", "0.45", "1/16",
    ]  # fmt: skip


def test_an_interval_that_is_missing_leaves_the_point():
    table = robustness_by_of(["a"]).assign(accuracy_low=np.nan, accuracy_high=np.nan)
    root = etree.fromstring(inline_svg(robustness(table), name="a", label="l", description="d"))
    assert root is not None
    assert all(row["low"] is None for row in rows_of(robustness(table), "scale", "low"))


def test_names_at_the_ends_of_lines_do_not_cover_each_other_and_stay_in_the_plot():
    rng = np.random.default_rng(0)
    for _ in range(20):
        down = np.sort(rng.uniform(0, 200, 10))
        places = name_lines(down, 200)
        assert (np.diff(places) >= 13.5 - 1e-9).all()
        assert places.min() >= 0
        assert places.max() <= 200 + 1e-9
    apart = np.array([10.0, 60.0, 150.0])
    np.testing.assert_allclose(name_lines(apart, 200), apart)
    assert len(name_lines(np.zeros(0), 200)) == 0


def test_a_long_name_keeps_its_end():
    names = [short_name(f"some_very_long_network_name {v}", 18) for v in ("blur-3", "blur-5")]
    assert names[0] != names[1]
    assert {len(name) for name in names} == {18}


# Places


def test_cells_lie_where_the_images_stood():
    table = robustness_of(["net"], n=40, places=8, sizes=(0.5,))
    chart = robust_places(table)
    cells = accuracy_map(table)
    known = cells[cells["accuracy"].notna()]
    rows = rows_of(chart, "accuracy", "x2")
    assert len(rows) == len(known)
    for row, cell in zip(rows, known.to_dict("records"), strict=True):
        assert row["accuracy"] == pytest.approx(cell["accuracy"], abs=1e-5)
        assert row["x2"] - row["x"] == pytest.approx(1 / 7, abs=2e-5)
        assert (row["x"] + row["x2"]) / 2 == pytest.approx(cell["dx"], abs=1e-5)
        assert (row["y"] + row["y2"]) / 2 == pytest.approx(cell["dy"], abs=1e-5)
    # y grows downwards, as shifts do.
    axis = chart.to_dict()["concat"][0]["layer"][0]["encoding"]["y"]
    assert axis["scale"]["reverse"] is True
    assert spec_text(robust_places(cells)).count('"accuracy"') == spec_text(chart).count(
        '"accuracy"'
    )


def test_half_size_is_shown_or_the_size_asked_for():
    table = robustness_of(["net"], sizes=(0.75, 0.5, 0.25), n=4)
    assert "of the frame's side: 1/2" in title_of(robust_places(table))[1]
    assert "of the frame's side: 1/4" in title_of(robust_places(table, scale=0.25))[1]
    with refused("no image was shown at scale 0.3. There are: 0.25, 0.5, 0.75."):
        robust_places(table, scale=0.3)
    other = table[table["scale"] != 0.5]
    assert "of the frame's side: 1/4" in title_of(robust_places(other))[1]
    with refused("there is no accuracy to draw: no image's true class is known."):
        robust_places(table.assign(correct_top1=np.nan))


def test_a_cell_of_few_images_is_pale_and_has_no_number():
    few = robustness_of(["net"], n=2, places=3, sizes=(0.5,))
    assert "pale: fewer than 10 images" in title_of(robust_places(few))[1]
    assert not [word for word in words_in(robust_places(few)) if re.fullmatch(r"\.\d\d", word)]
    many = robustness_of(["net"], n=400, places=8, sizes=(0.5,))
    assert "pale" not in title_of(robust_places(many))[1]
    assert [word for word in words_in(robust_places(many)) if re.fullmatch(r"\.\d\d", word)]


# Votes


def test_what_crops_gain_stands_over_their_number_and_none_apart():
    table = voting_of(["net"], crops=(0, 1, 4, 16))
    chart = voting(table)
    rows = rows_of(chart, "crops", "low")
    at = {}
    for row in rows:
        at.setdefault(row["crops"], []).append(row["x"])
    for crops in (1, 4, 16):
        assert np.mean(at[crops]) == pytest.approx(np.log2(crops), abs=0.03)
    assert max(at[0]) < min(at[1]) - 1
    # Without crops both rules say the same: one point, in each of three panels.
    assert len([row for row in rows if row["crops"] == 0]) == 3
    assert {"none", "1", "4", "16"} <= set(words_in(chart))
    assert "cost: forward passes per answer, as many as crops" in title_of(chart)[1]
    for measure, n in (("accuracy", 7), ("jagged", 4)):
        values = table[measure].round(5)
        found = [row for row in rows if row["y"] in values.tolist()]
        assert len(found) >= n


def test_no_line_joins_no_crops_with_one():
    chart = voting(voting_of(["net"], crops=(0, 1, 4), rules=("mean",)))
    lines = []
    for panel in chart.to_dict()["vconcat"]:
        lines += [layer for layer in panel["layer"] if layer["mark"]["type"] == "line"]
    for line in lines:
        crops = {row["crops"] for row in chart.to_dict()["datasets"][line["data"]["name"]]}
        assert crops in ({0}, {1, 4})


def test_measures_that_are_not_known_have_no_panel():
    table = voting_of(["net"])
    for measure in ("accuracy", "jagged"):
        table[[measure, f"{measure}_low", f"{measure}_high"]] = np.nan
    chart = voting(table)
    assert len(chart.to_dict()["vconcat"]) == 1
    assert "no true class is known" in title_of(chart)[1]


# Anti-aliasing


def test_every_variant_stands_in_the_rows_of_its_network():
    table = antialiasing_of(["a", "b"], ("lowpass", "plain", "blur-3"))
    chart = antialiasing(table)
    assert len(chart.to_dict()["concat"]) == 4
    rows = rows_of(chart, "variant", "at", "x")
    at = {(row["network"], row["variant"]): row["at"] for row in rows}
    order = [(n, v) for n in ("a", "b") for v in ("plain", "blur-3", "lowpass")]
    assert sorted(at, key=at.get) == order
    for measure in ("accuracy", "agreement", "p_top1_change", "nonshiftability"):
        values = {(row["network"], row["variant"], row["x"]) for row in rows}
        for row in table.round(5).to_dict("records"):
            assert (row["network"], row["variant"], row[measure]) in values, measure
    below = title_of(chart)[1]
    assert below.startswith("weights kept, not retrained: accuracy is expected to fall")
    assert "held out" in below


def test_the_thin_line_is_where_the_plain_network_stands():
    table = antialiasing_of(["a", "b"], ("plain", "blur-3"))
    ends = rows_of(antialiasing(table), "at", "end", "x")
    plain = table[table["variant"] == "plain"]
    assert {row["x"] for row in ends} >= set(plain["accuracy"].round(5))
    assert all(row["end"] - row["at"] == pytest.approx(1.4) for row in ends)


def test_no_two_variants_look_alike():
    "Five colours, then the same with hollow dots; plain is grey as its line is"
    variants = ("plain", *(f"blur-{k}" for k in range(2, 9)))
    chart = antialiasing(antialiasing_of(["a"], variants)).to_dict()
    marks = [part["mark"] for part in chart["concat"][0]["layer"]]
    looks = [(m["color"], m["filled"]) for m in marks if m["type"] == "point"]
    assert len(set(looks)) == len(looks) == 8
    assert looks[0] == ("#8a8f98", True)


def test_no_two_networks_look_alike():
    looks = looks_of([f"n{k}" for k in range(10)])
    assert len({(look.colour, tuple(look.dash)) for look in looks.values()}) == 10


def test_long_names_in_the_legend_keep_their_ends():
    about = layers_of({"net": VGG}, ("blur-3", "blur-5")).assign(network="n" * 60)
    names = {row["name"] for row in rows_of(factors(about), "name", "layer")}
    assert {name[-6:] for name in names} == {"blur-3", "blur-5"}
    assert {len(name) for name in names} == {26}


def test_what_is_not_measured_is_said():
    table = antialiasing_of(["a"], n_inside=0)
    chart = antialiasing(table)
    assert "not measured: nonshiftability" in title_of(chart)[1]
    assert len(chart.to_dict()["concat"]) == 3
    some = antialiasing_of(["a"])
    lost = some["variant"] == "blur-3"
    names = ["nonshiftability", "nonshiftability_low", "nonshiftability_high"]
    some[names] = some[names].mask(lost)
    assert words_in(antialiasing(some)).count("not measured") == 1


# From a study


@pytest.fixture
def study(tmp_path):
    home = Study(tmp_path / "study")
    with home.writing("test"):
        for name, table in tables_of(["a", "b"]).items():
            home.write(name, table, {})
    return home


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("maps", ["--network", "b", "--image", "i0000", "--layers", "second"]),
        ("nonshiftability", ["--measure", "deviation", "--no-linear", "--network", "a"]),
        ("factors", ["--network", "a"]),
        ("antialiasing", ["--protocol", "embed"]),
        ("robustness", ["--measure", "worst", "--fill", "grey"]),
        ("robust-places", ["--scale", "0.5"]),
        ("voting", ["--jitter", "16", "--direction", "vertical"]),
    ],
)
def test_the_command_draws_what_a_study_holds(study, tmp_path, capsys, name, options):
    file = tmp_path / f"{name}.svg"
    command = ["chart", name, "--study", str(study.folder), "--output", str(file), *options]
    assert main(command) == 0, capsys.readouterr().err
    beside = json.loads(file.with_name(f"{file.name}.json").read_text())
    assert beside["options"]["chart"] == name
    assert set(beside["tables"]) == set(CHARTS[name].tables)
    assert main(["chart", name, "--study", str(study.folder), "--output", str(file)]) == 0


def test_the_command_says_which_options_a_chart_takes(study, capsys):
    assert main(["chart", "factors", "--scale", "0.5", "--study", str(study.folder)]) == 2
    said = re.sub(r"\s+", " ", capsys.readouterr().err)
    assert "--scale: the chart factors takes --network" in said
