"""Charts of marks: midpoints over their null, distances with its band, marks on a photograph."""

import json

import altair as alt
import numpy as np
import pytest
from marked_points import marked
from PIL import Image

from biaskit.bias.landmarks import landmark_pairs
from biaskit.charts import (  # fmt: skip
    distance_bins,
    distances,
    draw,
    marked_photograph,
    marks,
    midpoints,
    save_chart,
    save_study_chart,
    typical_image,
)
from biaskit.charts.theme import specification
from biaskit.errors import ExportError
from biaskit.provenance import provenance
from biaskit.study import Study
from biaskit.tables import KEYPOINTS

FRAME = (400, 300)


@pytest.fixture
def rng():
    return np.random.default_rng(6)


@pytest.fixture
def eyes(rng):
    first = rng.uniform([40, 40], [300, 200], (60, 2))
    return marked(np.hstack([first, first + rng.uniform(5, 60, (60, 2))]))


def drawn(chart):
    "The specification, held against Vega-Lite's own schema"
    spec = specification(chart)
    alt.LayerChart.from_dict({k: v for k, v in spec.items() if k != "datasets"}, validate=True)
    return spec


def layer_rows(spec, place):
    return spec["datasets"][spec["layer"][place]["data"]["name"]]


def test_every_pair_is_a_dot_at_its_midpoint(eyes):
    spec = drawn(midpoints(eyes, title="dogs"))
    assert spec["title"]["text"] == "dogs: midpoints"
    assert spec["title"]["subtitle"][0] == "n = 60 images, 60 pairs of left_eye and right_eye"
    dots = layer_rows(spec, 2)
    table = eyes.pivot(index="image_id", columns="point", values="x").mean(axis=1)
    assert [row["x"] for row in dots] == pytest.approx(table.tolist(), abs=1e-4)
    (mean,) = layer_rows(spec, 3)
    assert mean["x"] == pytest.approx(table.mean(), abs=1e-3)
    assert spec["height"] == round(300 * 0.75)


def test_the_null_is_behind_the_dots_and_empty_where_no_midpoint_can_be():
    "Points a whole half apart: under fit nothing is expected in the outer quarters"
    table = marked([[20 + k, 100, 220 + k, 110] for k in range(30)])
    cells = layer_rows(drawn(midpoints(table)), 0)
    assert sum(cell["expected"] for cell in cells) == pytest.approx(30, abs=0.01)
    assert all(cell["expected"] == 0 for cell in cells if cell["x2"] <= 0.2)
    even = layer_rows(drawn(midpoints(table, null="frame")), 0)
    assert len({cell["expected"] for cell in even}) == 1


def test_distances_are_counted_in_bins_with_the_band_of_the_null(rng):
    "Uniform distances along the level: counts lie in the band in about 95 % of bins"
    length = rng.uniform(0, 400, 3000)
    start = rng.uniform(0, 1, 3000) * (400 - length)
    level = np.full(3000, 150.0)
    table = marked(np.stack([start, level, start + length, level], axis=1))
    found = distance_bins(table, null="frame", bins=20).table
    assert found["observed"].sum() == pytest.approx(3000)
    assert found["expected"].tolist() == pytest.approx([150] * 20)
    inside = (found["observed"] >= found["band_low"]) & (found["observed"] <= found["band_high"])
    # Of 20 bins at 95 %, five outside have a chance of 2.6e-3.
    assert inside.sum() > 15
    log = distance_bins(table, null="log-uniform", bins=20)
    short = int((length < 16).sum())
    assert (log.n_below, log.n_objects) == (short, 3000 - short)
    assert log.table["expected"].sum() == pytest.approx(3000 - short)
    assert log.table["low"].iloc[0] == pytest.approx(16 / 400)


def test_every_image_weighs_one_in_the_distances():
    two = marked([[10, 10, 50, 10], [10, 10, 90, 10]])
    second = marked([[100, 100, 140, 100]], objects=np.array([1]))
    import pandas as pd

    found = distance_bins(pd.concat([two, second]), null="frame", bins=10)
    assert (found.n_images, found.n_objects) == (2, 3)
    assert found.table["observed"].sum() == pytest.approx(2)


def test_the_chart_of_distances_names_its_null_and_what_it_leaves_out(eyes):
    spec = drawn(distances(eyes, title="dogs"))
    assert spec["title"]["text"] == "dogs: distance of the points"
    assert "grey: log-uniform null from 16 px, 95 %" in spec["title"]["subtitle"][1]
    n = distance_bins(eyes)
    assert spec["title"]["subtitle"][0].startswith(f"n = {n.n_images} images")
    assert "distance, of image width" in json.dumps(spec)
    with pytest.raises(ValueError, match="distance has no null 'fit'"):
        distances(eyes, null="fit")


def test_the_most_typical_image_is_in_the_middle_of_all(rng):
    places = [[100 + k, 100, 140 + k, 100] for k in (-50, -30, 0, 30, 50)]
    assert typical_image(landmark_pairs(marked(places))) == "i000002"


def photograph(folder, name="i000000", size=(800, 600), orientation=None):
    folder.mkdir(exist_ok=True)
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    pixels[: size[1] // 2] = 255  # bright above
    Image.fromarray(pixels).save(folder / f"{name}.jpg", exif=exif)


def pixels_of(uri):
    import base64
    import io

    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))))


def test_marks_stand_on_the_photograph_as_it_was_shown(tmp_path):
    table = marked([[100, 80, 150, 90]])
    photograph(tmp_path / "photos")
    uri = marked_photograph(table, tmp_path / "photos", image="i000000")
    shown = pixels_of(uri)
    assert shown.shape == (630, 840, 3) or shown.shape == (600, 800, 3)
    assert shown[10].mean() > 250 > 5 > shown[-10].mean()
    spec = drawn(marks(table, picture=uri))
    assert layer_rows(spec, 0)[0]["picture"] == uri
    assert "i000000" in spec["title"]["text"]
    assert spec["title"]["subtitle"][0] == "2 marks, 1 annotator, 1 pair"


def test_a_photograph_that_exif_turns_is_shown_turned(tmp_path):
    "Orientation 3 stands it on its head: bright is then below"
    photograph(tmp_path / "photos", orientation=3)
    table = marked([[100, 80, 150, 90]])
    shown = pixels_of(marked_photograph(table, tmp_path / "photos", image="i000000"))
    assert shown[10].mean() < 5 < 250 < shown[-10].mean()


def test_a_photograph_of_another_shape_is_refused(tmp_path):
    photograph(tmp_path / "photos", size=(600, 800))
    with pytest.raises(ExportError, match="is 600 x 800 px, but was marked at 400 x 300 px"):
        marked_photograph(marked([[1, 1, 9, 9]]), tmp_path / "photos", image="i000000")


def test_what_is_not_there_is_named(tmp_path, eyes):
    with pytest.raises(ExportError, match="image 'z' has no pair of marks"):
        marks(eyes, image="z")
    with pytest.raises(ExportError, match="no object has both points marked"):
        marks(KEYPOINTS.empty())
    photograph(tmp_path / "photos")
    with pytest.raises(ExportError, match="photos has no photograph of 'other'"):
        marked_photograph(eyes, tmp_path / "photos", image="other")
    (tmp_path / "photos" / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(ExportError, match="has no photograph of 'broken'"):
        marked_photograph(eyes, tmp_path / "photos", image="broken")


def test_names_cannot_change_a_chart():
    odd = marked([[1, 1, 9, 9], [2, 2, 90, 90]], category="a\x07b")
    for name in ("midpoints", "distances"):
        text = json.dumps(specification(draw(name, {"keypoints": odd}, category="a\x07b")))
        assert "\\u0007" not in text
        assert "a\\ufffdb" in text


def test_charts_of_a_study_are_files_with_their_origin(tmp_path, eyes):
    study = Study(tmp_path / "study")
    with study.writing("test"):
        study.write("keypoints", eyes, provenance(inputs=[], options={}, seed=None))
    name = typical_image(landmark_pairs(eyes))
    photograph(tmp_path / "photos", name=name)
    for chart, options in (
        ("midpoints", {}),
        ("distances", {"pair": ["left_eye", "right_eye"]}),
        ("marks", {"images": tmp_path / "photos"}),
        ("marks", {}),
    ):
        path = tmp_path / f"{chart}-{len(options)}.png"
        save_study_chart(study, chart, path, **options)
        with Image.open(path) as picture:
            assert min(picture.size) > 300
        beside = json.loads(path.with_name(f"{path.name}.json").read_text())
        assert beside["options"]["chart"] == chart
        assert str(tmp_path) not in json.dumps(beside)
        assert "base64" not in json.dumps(beside)


def test_empty_tables_are_drawn(tmp_path):
    for chart in (midpoints(KEYPOINTS.empty()), distances(KEYPOINTS.empty())):
        save_chart(chart, tmp_path / "a.svg", provenance={})
