import numpy as np
import pandas as pd
import pytest

from biaskit.bias.answers import tail_of
from biaskit.bias.objects import arrange, boxes_from_pixels
from biaskit.bias.redraws import REDRAWN, p_range, prepare, redraw
from biaskit.bias.significance import significance

DRAWS = 6


@pytest.fixture(scope="module")
def boxes():
    "Two boxes in every second image"
    rng = np.random.default_rng(2)
    low = rng.integers(0, 60, (80, 2))
    first = boxes_from_pixels(
        np.hstack([low, low + rng.integers(17, 40, (80, 2))]), frame=(100, 100)
    )
    low = rng.integers(0, 50, (40, 2))
    second = boxes_from_pixels(
        np.hstack([low, low + rng.integers(17, 40, (40, 2))]), frame=(100, 100)
    )
    second["image_id"] = first["image_id"][::2].to_numpy()
    return pd.concat([first, second.assign(object=1)], ignore_index=True)


@pytest.fixture(scope="module")
def table(boxes):
    return significance(boxes, seed=5, draws=DRAWS, policies=["one"])


@pytest.mark.parametrize(("measure", "null"), REDRAWN)
@pytest.mark.parametrize("edges", ["with", "without"])
def test_the_range_is_that_of_tests_with_each_draw(boxes, table, measure, null, edges):
    objects = arrange(boxes)
    test = prepare(objects, measure, null, edges)
    x2 = np.stack([redraw(objects, [test], seed=5, draw=k)[0] for k in range(DRAWS)])
    log10_p = tail_of("chi2", x2[:, 0], np.full(DRAWS, test.n[0]), cells=test.n_cells).log10_p
    row = table[(table["test"] == "chi2") & (table["measure"] == measure)]
    row = row[(row["null"] == null) & (row["edges"] == edges)].iloc[0]
    assert (row.statistic, row.n_images) == (pytest.approx(x2[0, 0], rel=1e-12), test.n[0])
    assert row.log10_p == pytest.approx(log10_p[0], rel=1e-12)
    assert (row.log10_p_low, row.log10_p_high) == pytest.approx((log10_p.min(), log10_p.max()))
    assert row.log10_p_low < row.log10_p_high
    assert ("unsteady" in row["flags"]) == (row.log10_p_high - row.log10_p_low > 1)


def test_u_is_drawn_again_where_no_object_is(boxes):
    "One box per image: only the place within its cell can change, and cross into a quadrat"
    single = boxes[boxes["object"] == 0]
    found = significance(single, seed=5, draws=DRAWS, policies=["one"], nulls=["fit"])
    redrawn = found[(found["measure"] == "position") & (found["test"] == "chi2")]
    assert len(redrawn) == 2
    assert (redrawn["log10_p_low"] < redrawn["log10_p_high"]).all()


def test_only_the_headline_tests_are_redrawn(table):
    redrawn = table[table["log10_p_low"].notna()]
    assert set(redrawn["test"]) == {"chi2"}
    assert set(zip(redrawn["measure"], redrawn["null"], strict=True)) == set(REDRAWN)


def test_one_draw_has_no_range(boxes):
    assert significance(boxes, seed=5, draws=1)["log10_p_low"].isna().all()


def test_more_draws_widen_the_range_and_change_nothing_else(boxes, table):
    more = significance(boxes, seed=5, draws=3 * DRAWS, policies=["one"])
    assert more["log10_p"].equals(table["log10_p"])
    redrawn = table["log10_p_low"].notna()
    assert (more["log10_p_low"] <= table["log10_p_low"])[redrawn].all()
    assert (more["log10_p_high"] >= table["log10_p_high"])[redrawn].all()


def test_categories_without_data_have_no_range(boxes):
    objects = arrange(boxes.assign(x_min=0.0, x_max=1.0))
    test = prepare(objects, "position", "fit", "with")
    x2 = np.stack([redraw(objects, [test], seed=1, draw=k)[0] for k in range(2)])
    assert np.isnan(p_range(test, x2)).all()
