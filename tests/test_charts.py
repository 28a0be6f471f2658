import json
import re

import altair as alt
import numpy as np
import pandas as pd
import pytest
from lxml import etree
from PIL import Image
from scipy.stats import binom

from biaskit.charts import (
    CHART_FORMATS,
    CHARTS,
    centre_grid,
    draw,
    drift,
    forest,
    inline_svg,
    p_text,
    places,
    places_panel,
    ranks,
    save_chart,
    size_bins,
    sizes,
    volcano,
)
from biaskit.charts.rows import labels
from biaskit.charts.theme import specification
from biaskit.errors import ExportError
from biaskit.tables import BOXES, DRIFT, EFFECTS, SCHEMAS, SIGNIFICANCE

WIDTH, HEIGHT = 500, 375
QUESTION = {
    "split": "",
    "measure": "position",
    "null": "fit",
    "policy": "one",
    "edges": "without",
}


@pytest.fixture
def rng():
    return np.random.default_rng(20180530)


def boxes(pixels, *, image=None, lattice=1.0, category="cat"):
    """Make a table from rows of x_min, y_min, x_max, y_max in pixels; edges, not centres."""
    x_min, y_min, x_max, y_max = np.asarray(pixels, float).T
    n = len(x_min)
    image = np.arange(n) if image is None else np.asarray(image)
    table = pd.DataFrame(
        {
            "category": category,
            "image_id": [f"i{k}" for k in image],
            "object": pd.Series(image).groupby(image).cumcount().to_numpy(),
            "split": "",
            "image_width": WIDTH,
            "image_height": HEIGHT,
            "x_min": x_min / WIDTH,
            "y_min": y_min / HEIGHT,
            "x_max": x_max / WIDTH,
            "y_max": y_max / HEIGHT,
            "lattice": float(lattice),
        }
    )
    return BOXES.check(table, "test")


def free_boxes(rng, n, *, lattice=1.0):
    """Place boxes anywhere they fit."""
    size = rng.integers(20, 200, (n, 2))
    room = np.array([WIDTH, HEIGHT]) - size
    start = rng.integers(0, room + 1) if lattice else rng.uniform(0, room)
    return boxes(np.hstack([start, start + size]), lattice=lattice)


def significance(log10_p, n_images=80):
    log10_p = np.asarray(log10_p, float)
    rows = pd.DataFrame(
        {"category": [f"c{i:04}" for i in range(len(log10_p))], **QUESTION, "test": "chi2"}
    )
    rows = rows.assign(
        n_images=n_images, n_objects=n_images, n_excluded=0, statistic=1.0, p_kind="exact", flags=""
    )
    for column in SIGNIFICANCE.columns:
        if column.startswith("log10_"):
            rows[column] = log10_p
    return SIGNIFICANCE.check(rows, "test")


def effects(values, n=80):
    values = np.asarray(values, float)
    rows = pd.DataFrame({"category": [f"c{i:04}" for i in range(len(values))], **QUESTION})
    rows = rows.assign(
        effect="cohens_w",
        value=values,
        low=values - 0.1,
        high=np.nan,
        expected=0.0,
        level=0.95,
        n=n,
    )
    return EFFECTS.check(rows, "test")


def drifts(differences):
    differences = np.asarray(differences, float)
    rows = pd.DataFrame({"category": [f"c{i:04}" for i in range(len(differences))]})
    rows = rows.assign(
        measure="position_y",
        test="ks",
        n_images_a=1200,
        n_images_b=80,
        n_objects_a=1300,
        n_objects_b=90,
        statistic=0.3,
        log10_p=-4.0,
        p_kind="monte_carlo",
        difference=differences,
        low=differences - 0.01,
        high=differences + 0.01,
        log10_bonferroni=-1.0,
        log10_bh=-2.0,
        flags="",
    )
    return DRIFT.check(rows, "test")


def data_of(chart):
    """Return all rows a chart carries, by dataset."""
    return list(chart.to_dict()["datasets"].values())


def every_chart(rng):
    table = free_boxes(rng, 60)
    tests, sizes_ = significance(-np.arange(30.0)), effects(np.linspace(0, 1, 30))
    return {
        "places": places(table, title="cats"),
        "sizes": sizes(table, title="cats"),
        "volcano": volcano(tests, sizes_),
        "ranks": ranks(tests),
        "forest": forest(sizes_),
        "drift": drift(drifts([0.1, -0.2])),
    }


# Where the centres are


def test_one_box_is_counted_in_its_cell_and_expected_where_it_fits():
    "A box as wide as 3/5 of the frame can have its centre in the middle 2/5 only"
    found = centre_grid(boxes([[0, 0, 300, 225]], lattice=0), columns=5)
    assert (found.rows, found.columns) == (3, 5)
    observed = found.table["observed"].to_numpy().reshape(3, 5)
    assert observed.sum() == 1
    assert observed[0, 1] == 1
    expected = found.table["expected"].to_numpy().reshape(3, 5)
    across = expected.sum(axis=0)
    np.testing.assert_allclose(across, [0, 0.25, 0.5, 0.25, 0], atol=1e-12)
    down = expected.sum(axis=1)
    np.testing.assert_allclose(down, [1 / 12, 10 / 12, 1 / 12], atol=1e-12)


def test_on_a_grid_the_expectation_counts_places_one_by_one():
    table = boxes([[3, 7, 123, 104]])
    found = centre_grid(table, columns=7)
    centres = [
        ((x + 60) / WIDTH, (y + 48.5) / HEIGHT)
        for x in range(WIDTH - 120 + 1)
        for y in range(HEIGHT - 97 + 1)
    ]
    cells = np.histogram2d(
        *np.array(centres).T, bins=[found.columns, found.rows], range=[[0, 1], [0, 1]]
    )[0].T
    np.testing.assert_allclose(found.table["expected"], cells.ravel() / len(centres), atol=1e-12)


@pytest.mark.parametrize("policy", ["weighted", "one", "largest", "all"])
@pytest.mark.parametrize("edges", ["with", "without"])
@pytest.mark.parametrize("null", ["fit", "frame"])
def test_counts_and_expectation_both_sum_to_n(rng, policy, edges, null):
    table = free_boxes(rng, 90).assign(image_id=[f"i{k // 3}" for k in range(90)])
    table["object"] = np.arange(90) % 3
    found = centre_grid(table, null=null, policy=policy, edges=edges, seed=1)
    n = found.n_objects if policy == "all" else found.n_images
    assert found.table["observed"].sum() == pytest.approx(n)
    assert found.table["expected"].sum() == pytest.approx(n)
    assert found.n_images <= 30
    if edges == "with":
        assert n == (90 if policy == "all" else 30)


@pytest.mark.parametrize("lattice", [0.0, 1.0])
@pytest.mark.parametrize("edges", ["with", "without"])
def test_residuals_of_freely_placed_boxes_are_standard(rng, lattice, edges):
    "Under the null they have mean 0 and variance 1, also with touching boxes set aside"
    found = centre_grid(free_boxes(rng, 20_000, lattice=lattice), columns=11, edges=edges)
    residual = found.table.loc[found.table["expected"] > 20, "residual"]
    assert len(residual) > 60
    # Four standard errors of the mean, and of the variance, of that many normal numbers.
    assert abs(residual.mean()) < 4 / len(residual) ** 0.5
    assert abs(residual.var() - 1) < 4 * (2 / len(residual)) ** 0.5


def test_the_spread_of_a_count_is_binomial_and_images_count_once():
    "Of 40 small boxes each lies in the middle third across with chance 1/3"
    small = [[k, 0, k + 1, HEIGHT] for k in range(40)]
    one = centre_grid(boxes(small, lattice=0), columns=3, null="frame").table
    share = 1 / len(one)
    np.testing.assert_allclose(one["sd"], (40 * share * (1 - share)) ** 0.5)
    # Two boxes of an image weigh half each: 20 images, and no more certain than 20 boxes.
    two = boxes(small, lattice=0, image=np.arange(40) // 2)
    halves = centre_grid(two, columns=3, null="frame").table
    np.testing.assert_allclose(halves["sd"], (20 * share * (1 - share)) ** 0.5)


def test_the_frame_null_expects_the_same_everywhere(rng):
    found = centre_grid(free_boxes(rng, 50), null="frame")
    assert found.table["expected"].nunique() == 1


def test_cells_follow_the_shape_of_the_median_frame(rng):
    found = centre_grid(free_boxes(rng, 400))
    assert found.aspect == 0.75
    panel = places_panel(found, "observed")
    assert panel.height / panel.width == pytest.approx(0.75, abs=0.03)
    # Whole pixels per cell: no hairlines.
    assert panel.width % found.columns == 0
    assert panel.height % found.rows == 0


def test_a_policy_that_draws_needs_a_seed(rng):
    with pytest.raises(ValueError, match="policy 'one' draws objects by chance and needs a seed"):
        centre_grid(free_boxes(rng, 5), policy="one")
    with pytest.raises(ValueError, match="null is 'log-uniform', expected 'fit' or 'frame'"):
        centre_grid(free_boxes(rng, 5), null="log-uniform")
    with pytest.raises(ValueError, match="edges is 'both'"):
        centre_grid(free_boxes(rng, 5), edges="both")
    with pytest.raises(ValueError, match="panel is 'sum'"):
        places_panel(centre_grid(free_boxes(rng, 5)), "sum")


def test_many_images_are_counted_as_few_are(rng, monkeypatch):
    "Images are taken in blocks; the cut must not show"
    table = free_boxes(rng, 50)
    whole = centre_grid(table, columns=5).table
    monkeypatch.setattr("biaskit.charts.grids._BLOCK", 7)
    pd.testing.assert_frame_equal(centre_grid(table, columns=5).table, whole)


# How large they are


def test_a_size_is_shared_out_between_the_bins_its_pixel_reaches():
    "Of 375 px, 38 lies from 37 to 38, and the first of ten bins ends at 37.5"
    found = size_bins(boxes([[0, 0, 10, 38]]))
    np.testing.assert_allclose(found.table["observed"][:3], [0.5, 0.5, 0])


def test_the_band_is_binomial_and_holds_its_share(rng):
    found = size_bins(free_boxes(rng, 100))
    assert found.table["band_low"].unique().tolist() == [binom.ppf(0.025, 100, 0.1)]
    assert found.table["band_high"].unique().tolist() == [binom.ppf(0.975, 100, 0.1)]
    inside = []
    for _ in range(60):
        tall = rng.integers(1, HEIGHT + 1, 100)
        table = size_bins(boxes([[0, 0, 10, h] for h in tall])).table
        inside.append(table["observed"].between(table["band_low"], table["band_high"]))
    # At least 95 %, less four standard errors of a share among 600.
    assert np.mean(inside) > 0.95 - 4 * (0.05 * 0.95 / 600) ** 0.5


@pytest.mark.parametrize("measure", ["height", "width", "area"])
@pytest.mark.parametrize("null", ["frame", "log-uniform"])
@pytest.mark.parametrize("edges", ["with", "without"])
def test_sizes_and_expectation_sum_to_n(rng, measure, null, edges):
    found = size_bins(free_boxes(rng, 200), measure=measure, null=null, edges=edges)
    assert found.table["observed"].sum() == pytest.approx(found.n_objects)
    assert found.table["expected"].sum() == pytest.approx(found.n_objects)
    assert found.n_objects > 100


def test_log_uniform_sizes_are_expected_where_they_are(rng):
    tall = np.exp(rng.uniform(np.log(16), np.log(HEIGHT + 1), 5000)).astype(int)
    found = size_bins(boxes([[0, 0, 10, h] for h in tall]), null="log-uniform")
    table = found.table
    z = (table["observed"] - table["expected"]) / np.sqrt(table["expected"])
    assert z.abs().max() < 4
    assert found.n_below == 0


def test_boxes_below_the_least_size_are_left_out_and_counted():
    found = size_bins(boxes([[0, 0, 10, 15], [0, 0, 10, 16]]), null="log-uniform")
    assert (found.n_objects, found.n_below) == (1, 1)


def test_a_size_has_no_fit_null():
    with pytest.raises(ValueError, match="measure 'height' has no null 'fit'"):
        size_bins(BOXES.empty(), null="fit")


# What every chart has


def test_every_chart_is_valid_and_has_units_n_and_its_null(rng):
    for name, chart in every_chart(rng).items():
        spec = json.dumps(chart.to_dict(), ensure_ascii=False)
        assert "n = " in spec, name
        assert re.search("null|no change", spec), name
        for channel in ("x", "y"):
            titles = re.findall(rf'"{channel}": {{[^{{}}]*?"title": "([^"]+)"', spec)
            titles += re.findall(rf'"{channel}": {{.*?"title": "([^"]+)"', spec)
            assert titles, (name, channel)


def test_charts_of_empty_tables_draw_nothing_and_fail_not():
    empty = {name: schema.empty() for name, schema in SCHEMAS.items()}
    for name in CHARTS.keys() - {"marks", "agreement"}:  # which refuse: nothing is marked
        assert "<svg" in inline_svg(draw(name, empty), name="a", label="l", description="d")


def test_a_chart_of_one_category_takes_only_its_rows(rng):
    table = pd.concat([free_boxes(rng, 20), boxes([[0, 0, 9, 9]], category="dog")])
    chart = draw("places", {"boxes": table}, category="dog")
    assert chart.title.text == "dog: centres"
    assert "n = 1 images, 1 objects" in chart.title.subtitle
    with pytest.raises(ExportError, match="chart 'places': the table 'boxes' has no 'cow'"):
        draw("places", {"boxes": table}, category="cow")
    with pytest.raises(ExportError, match="needs the table 'effects', which is not there"):
        draw("volcano", {"significance": significance([-1])})


def test_charts_carry_counts_and_never_the_boxes(rng):
    chart = places(free_boxes(rng, 3000))
    assert sum(len(rows) for rows in data_of(chart)) < 3 * 21 * 21


def test_a_volcano_of_many_categories_is_counted_in_cells(rng):
    n = 5000
    chart = volcano(significance(-rng.exponential(2, n)), effects(rng.normal(0.5, 0.1, n)))
    counted = [rows for rows in data_of(chart) if rows and "categories" in rows[0]]
    assert len(counted) == 1
    assert len(counted[0]) <= 1600
    assert sum(row["categories"] for row in counted[0]) == n


def test_the_volcano_tells_strong_weak_and_no_evidence_apart():
    chart = volcano(significance([-12, -3, -0.5]), effects([0.9, 0.5, 0.1]))
    rows = next(rows for rows in data_of(chart) if rows and "strength" in rows[0])
    assert [row["strength"] for row in rows] == ["P < 10⁻¹⁰", "q < 0.05", "neither"]
    assert [row["evidence"] for row in rows] == [12, 3, 0.5]
    assert all(row["n"] == 80 for row in rows)


def test_ranks_of_uniform_p_values_stay_in_the_band(rng):
    chart = ranks(significance(np.log10(rng.uniform(size=1000))))
    rows = pd.DataFrame(data_of(chart)[0])
    assert len(rows) <= 500
    # Ranks depend on each other, so this is a check of the formula and no test of level.
    assert rows["observed"].between(rows["low"], rows["high"]).mean() > 0.8
    assert rows["expected"].iloc[0] == pytest.approx(-np.log10(0.5 / 1000), abs=1e-4)


def test_the_forest_shows_the_furthest_first():
    rows = pd.DataFrame(data_of(forest(effects([0.1, 0.9, 0.5]), top=2))[0])
    assert rows["name"].tolist() == ["c0001 (n = 80)", "c0002 (n = 80)"]
    # A one-sided interval ends at its point.
    assert rows["high"].tolist() == rows["value"].tolist()


def test_a_name_cannot_change_a_chart(rng):
    # The renderer would abort the process at some of these.
    name = "<script>\u202e\x07" + "x" * 100 + "\x00\x1b\ufffe\u2028\n"
    assert labels(pd.DataFrame({"category": [name]}))[0] == "<script>��" + "x" * 17 + "…"
    picture = inline_svg(
        places(free_boxes(rng, 9), title=name), name="a", label=name, description=name
    )
    root = etree.fromstring(picture)
    assert root.findall(".//{*}script") == []
    assert root.findtext("{*}title").startswith("<script>")


# Files


@pytest.mark.parametrize("ending", CHART_FORMATS)
def test_a_chart_is_saved_with_its_provenance(rng, tmp_path, ending):
    path = save_chart(places(free_boxes(rng, 30)), tmp_path / f"c.{ending}", provenance={"seed": 3})
    head = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF", "html": b"<!DOC", "json": b"{"}
    assert path.read_bytes().upper().startswith(head[ending].upper())
    assert json.loads((tmp_path / f"c.{ending}.json").read_text()) == {"seed": 3}
    if ending == "html":
        page = path.read_text()
        assert not re.search(r"<(script|link)[^>]+(src|href)=", page)
    if ending == "png":
        with Image.open(path) as picture:
            assert picture.size[0] > 1000


@pytest.mark.parametrize("ending", ["svg", "png", "json"])
def test_the_same_chart_gives_the_same_bytes(rng, tmp_path, ending):
    table = free_boxes(rng, 30)
    for name in ("a", "b"):
        # The renderer numbers colour bars through the life of the process.
        chart = places(table)
        save_chart(chart, tmp_path / name, provenance={}, format=ending)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_chart_that_cannot_be_saved_is_refused(tmp_path):
    chart = alt.Chart().mark_point()
    with pytest.raises(ExportError, match=r"c\.bmp: format 'bmp' is unknown"):
        save_chart(chart, tmp_path / "c.bmp", provenance={})
    with pytest.raises(ExportError, match=r"c\.svg: cannot be written: No such file"):
        save_chart(chart, tmp_path / "no" / "c.svg", provenance={})


def test_an_inline_picture_follows_the_page_and_has_ids_of_its_own(rng):
    grid = centre_grid(free_boxes(rng, 40))
    one, two = (
        inline_svg(places_panel(grid, panel), name=panel, label="l", description="d")
        for panel in ("observed", "residual")
    )
    ids = [re.findall(r'\bid="([^"]+)"', picture) for picture in (one, two)]
    assert all(i.startswith("observed-") for i in ids[0])
    assert not set(ids[0]) & set(ids[1])
    for picture, name in ((one, "observed"), (two, "residual")):
        assert 'role="img"' in picture
        assert f'aria-labelledby="{name}-title {name}-desc"' in picture
        assert set(re.findall(r"url\(#([^)]+)\)", picture)) <= set(
            re.findall(r'id="([^"]+)"', picture)
        )
        assert set(re.findall(r'<text[^>]*fill="([^"]+)"', picture)) == {"currentColor"}
        assert "rgba" not in picture


def test_a_file_has_dark_ink_on_white(rng):
    spec = specification(places(free_boxes(rng, 9)))
    assert spec["config"]["background"] == "white"
    assert spec["config"]["axis"]["labelColor"] == "#1b1f24"


@pytest.mark.parametrize(
    ("log10_p", "kind", "text"),
    [
        (-417.4949, "bound", "≤ 3.2 × 10⁻⁴¹⁸"),
        (-3.5, "asymptotic", "≈ 3.2 × 10⁻⁴"),
        (-9.99999999, "exact", "1 × 10⁻¹⁰"),
        (-1.0, "exact", "0.1"),
        (0.0, "monte_carlo", "1"),
        (float("nan"), "", ""),
    ],
)
def test_p_is_written_with_its_kind(log10_p, kind, text):
    assert p_text(log10_p, kind, raised=True) == text


@pytest.mark.parametrize(("lattice", "first", "last"), [(0.0, 2, 398), (1.0, 3, 398)])
def test_without_touching_boxes_the_expectation_begins_where_a_box_no_longer_touches(
    lattice, first, last
):
    "A box 100 px wide in 500: continuous from 2 px on, whole pixels from 3 to 397"
    grid = centre_grid(boxes([[200, 150, 300, 200]], lattice=lattice), edges="without", columns=3)
    across = grid.table["expected"].to_numpy().reshape(grid.rows, 3).sum(axis=0)
    left = 500 / 3 - 50  # a box that starts before this has its centre in the left third
    share = (np.ceil(left) if lattice else left) - first
    assert across[0] == pytest.approx(share / (last - first))
