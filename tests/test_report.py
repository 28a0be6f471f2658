import json
import math
import re

import numpy as np
import pandas as pd
import pytest
from audit_tables import HOSTILE, make_boxes, make_drift, make_repairs, make_tables
from lxml import html

from biaskit.bias.headline import headline
from biaskit.charts import centre_grid, p_text
from biaskit.report import audit_page
from biaskit.report.answers import Answers, Effect, Verdict, answers
from biaskit.report.balance import balance
from biaskit.report.listing import COLUMNS
from biaskit.report.names import Names
from biaskit.report.reading import reading
from biaskit.report.sentences import percent, sentences
from biaskit.report.verdicts import headline_tables, lead_sentence
from biaskit.report.worst import worst_names
from biaskit.tables import BOXES, DRIFT, EFFECTS, REPAIRS, SIGNIFICANCE, SYMMETRY

PLAIN = ("n01", "n02", "n03")
GROUP = ("cat", "")


@pytest.fixture(scope="module")
def tables():
    return make_tables(PLAIN)


@pytest.fixture(scope="module")
def page(tables):
    text = audit_page(
        {**tables, "drift": make_drift(PLAIN)},
        title="My <data>",
        provenance={"seed": 1, "inputs": [{"name": "a.tgz"}]},
        n_worst=2,
        words={"n01": "kite"},
    )
    return html.fromstring(text)


def cells_of(page, category):
    """Return a category's row of the long table, by heading."""
    for row in page.xpath("//table[@id='listing']/tbody/tr"):
        texts = [" ".join(cell.text_content().split()) for cell in row]
        if texts[0].split()[0] == category:
            return dict(zip([name for name, _ in COLUMNS], texts, strict=True))
    raise KeyError(category)


def one_row(table, **choice):
    for column, value in choice.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


# The page says what the tables say


def test_the_headline_is_that_of_the_table(page, tables):
    counts = headline(tables["significance"])
    shown = page.xpath("//section[@id='headline']//tbody/tr")
    assert len(shown) == len(counts) / 2 == 8
    for edges, place in (("with", 2), ("without", 3)):
        of_edges = counts[counts["edges"] == edges]
        for row, (_, count) in zip(shown, of_edges.iterrows(), strict=True):
            text = " ".join(row[place].text_content().split())
            expected = (
                f"{count.below} of {count.n_tested} ({count.in_every_draw}–{count.in_some_draw})"
            )
            assert text == expected
            assert row[0].text == count.question


def test_a_row_of_the_long_table_is_that_of_the_tables(page, tables):
    asked = {"category": "n03", "null": "fit", "policy": "one", "edges": "without"}
    test = one_row(tables["significance"], **asked, measure="position", test="chi2")
    w = one_row(tables["effects"], **asked, measure="position", effect="cohens_w")
    row = cells_of(page, "n03")
    assert row["images"].split(" / ")[0] == str(test.n_images)
    assert row["P position"] == p_text(test.log10_p, test.p_kind, raised=True)
    assert row["q"] == p_text(test.log10_bh, test.p_kind, raised=True)
    assert row["w"] == f"{w.value:.2g} (≥ {w.low:.2g})"
    down = one_row(
        tables["effects"], **asked | {"null": "frame"}, measure="position_y", effect="offset"
    )
    assert row["down"].split()[0] == percent(down.value).removesuffix(" %")
    assert len(page.xpath("//table[@id='listing']/tbody/tr")) == 3


def test_the_furthest_from_chance_come_first_with_four_pictures_each(page):
    articles = page.xpath("//article")
    assert [a.get("id") for a in articles] == ["category-3", "category-2"]
    for article in articles:
        assert len(article.xpath(".//figure//*[local-name()='svg']")) == 4
        assert len(article.xpath(".//tbody/tr")) == 4
        assert re.search(r"n\xa0=\xa0\d+", article.text_content())
    link = page.xpath("//table[@id='listing']//a[@href='#category-3']")
    assert len(link) == 1


def test_pictures_name_themselves_and_no_id_is_used_twice(page):
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    for picture in page.xpath("//*[local-name()='svg']"):
        labels = picture.get("aria-labelledby").split()
        assert all(label in ids for label in labels)
        assert picture.get("role") == "img"
    targets = [href[1:] for href in page.xpath("//a/@href")]
    assert all(target in ids for target in targets)
    assert page.xpath("//a[not(starts-with(@href, '#'))]") == []


def test_heatmaps_of_the_page_count_every_image(tables):
    grid = centre_grid(tables["boxes"])
    assert grid.table["observed"].sum() == pytest.approx(3 * 40)


def test_repairs_are_counted_by_kind(page):
    rows = page.xpath("//section[@id='reading']//tbody/tr")
    texts = [[cell.text_content() for cell in row] for row in rows]
    assert [(t[0], t[2], t[3], t[4]) for t in texts] == [
        ("percent_s", "3", "0", "a<b>.xml"),
        ("zero_area", "0", "1", "d.xml"),
    ]
    # What the kinds mean is the readers' own text.
    assert all(t[1] for t in texts)


def test_drift_is_told_and_drawn(page):
    section = page.xpath("//section[@id='drift']")[0]
    assert "1 of 3 categories differ" in section.text_content()
    assert len(section.xpath(".//figure")) == 1
    first = [" ".join(cell.text_content().split()) for cell in section.xpath(".//tbody/tr[1]/*")]
    assert (
        first
        == [
            "n01 kite",
            "position y",
            "ks",
            "40 and 1,200",
            "10 % (5 % to 15 %)",
            "1 × 10⁻⁴",
            "0.001",
        ]
        or first[-1] == "1 × 10⁻³"
    )


def test_provenance_title_and_words_stand_on_the_page(page):
    assert page.xpath("//h1")[0].text_content() == "My <data>"
    assert "a.tgz" in page.xpath("//section[@id='provenance']")[0].text_content()
    assert cells_of(page, "n01")["category"] == "n01 kite"


def test_symmetry_is_counted_where_it_was_tested(tables):
    n = 20
    rows = pd.DataFrame({"category": [f"c{i:02}" for i in range(n)], "split": ""}).assign(
        policy="one", edges="without", test="mirror_sign", n_images=80, n_objects=80
    )
    rows = rows.assign(
        statistic=1.0,
        log10_p=-3.0,
        p_kind="exact",
        effect=np.linspace(-0.1, 0.1, n),
        low=-0.2,
        high=0.2,
        log10_bh=[-2.0] * 5 + [-0.1] * 15,
        flags="",
    )
    symmetry = SYMMETRY.check(rows, "made")
    found = balance(symmetry)
    assert [(b.found, b.tested, b.effect) for b in found] == [(5, 20, "0 (−0.09 to 0.09)")]
    page = html.fromstring(
        audit_page({**tables, "symmetry": symmetry}, title="x", provenance={}, n_worst=0)
    )
    assert "5 of 20" in page.xpath("//section[@id='overview']")[0].text_content()


def test_without_drift_there_is_no_section_on_it(tables):
    assert 'id="drift"' not in audit_page(tables, title="x", provenance={}, n_worst=0)


def test_the_same_tables_give_the_same_page(tables):
    pages = [audit_page(tables, title="x", provenance={}, n_worst=1) for _ in range(2)]
    assert pages[0] == pages[1]


def test_progress_is_told_to_the_end(tables):
    told = []
    audit_page(tables, title="x", provenance={}, n_worst=1, progress=lambda *a: told.append(a))
    assert [done for done, _, _ in told] == list(range(len(told)))
    assert {total for _, total, _ in told} == {len(told)}


# Names are text


def test_hostile_names_are_shown_and_never_obeyed():
    tables = {**make_tables(tuple(HOSTILE)), "drift": make_drift(HOSTILE)}
    words = dict.fromkeys(HOSTILE[:3], "<b onclick=x>word</b>")
    text = audit_page(
        tables, title=HOSTILE[0], provenance={HOSTILE[0]: HOSTILE[1]}, n_worst=12, words=words
    )
    page = html.fromstring(text)
    assert len(page.xpath("//script")) == 1
    assert page.xpath("//img|//iframe|//object|//embed|//link|//b[@onclick]|//base") == []
    assert page.xpath("//@onmouseover|//@onerror|//@onclick|//@src") == []
    shown = page.xpath("//table[@id='listing']/tbody/tr/th/bdi[1]|//tbody/tr/th/a/bdi[1]")
    names = {name.text_content() for name in shown}
    assert HOSTILE[0] in names
    assert "{{ 7 * 7 }} {% include 'x' %}" in names
    assert "[U+202E]gnp.exe[U+202C]" in names
    assert "\u202e" not in text
    assert not re.search(r"[\x00-\x08\x0b-\x1f]", text)
    assert max(len(name) for name in names) <= 80
    assert len(page.xpath("//article")) >= 11


def test_the_page_asks_for_nothing_outside(page):
    text = html.tostring(page, encoding="unicode")
    outside = re.findall(r"https?://[^\s\"'<]+", text)
    assert set(outside) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert not re.search(r"@import|url\((?!#)", text)
    policy = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    assert policy.startswith("default-src 'none'")


# Small and empty studies


def test_a_study_without_tests_says_so():
    empty = {s.name: s.empty() for s in (BOXES, REPAIRS, SIGNIFICANCE, SYMMETRY, EFFECTS, DRIFT)}
    page = html.fromstring(audit_page(empty, title="nothing", provenance={}))
    text = page.text_content()
    assert "Nothing was tested" in text
    assert "There are no categories." in text
    assert "No category could be compared." in text
    assert not re.search(r"\bnan\b", text)


def test_boxes_without_tests_are_still_drawn():
    boxes = make_boxes(["cat"], n=3)
    tables = {"boxes": boxes, "significance": SIGNIFICANCE.empty()}
    page = html.fromstring(audit_page(tables, title="x", provenance={}))
    assert len(page.xpath("//section[@id='overview']//figure")) == 4
    assert page.xpath("//article") == []


def test_one_category_of_one_image_makes_a_page():
    page = html.fromstring(
        audit_page(make_tables(("cat",), n=1), title="x", provenance={}, n_worst=3)
    )
    text = page.text_content()
    assert "1 category" in text
    assert not re.search(r"\bnan\b", text)


def test_a_thousand_categories_stay_light():
    "The long table is most of a large page: under 700 bytes a category"
    categories = [f"n{i:08}" for i in range(1000)]
    verdict = Verdict(500, -123.4, "bound", -120.1, "bound few")
    effect = Effect(500, -0.123, -0.155, -0.1, 0.0)
    rows = 0
    from biaskit.report.listing import listing_row

    groups = pd.DataFrame({"category": categories, "split": "val"})
    found = Answers({}, {})
    found = Answers(
        {
            (c, "val", m, null, "without"): verdict
            for c in categories
            for m, null in (("position", "fit"), ("height", "frame"))
        },
        {
            (c, "val", m, null, "without", e): effect
            for c in categories
            for m, null, e in (
                ("position", "fit", "cohens_w"),
                ("position_x", "frame", "offset"),
                ("position_y", "frame", "offset"),
                ("height", "frame", "log_mean"),
            )
        },
    )
    for name in Names(groups, {}):
        row = listing_row(found, name, is_shown=False)
        rows += sum(len((cell.text + cell.value).encode()) + 14 for cell in row.cells) + 80
    assert rows / 1000 < 700


# Words


def effect_answers(**found):
    keys = {
        "y": (*GROUP, "position_y", "frame", "without", "offset"),
        "x": (*GROUP, "position_x", "frame", "without", "offset"),
        "centre": (*GROUP, "position", "fit", "without", "central_ninth"),
        "variation": (*GROUP, "position", "fit", "without", "total_variation"),
        "mean": (*GROUP, "height", "frame", "without", "log_mean"),
        "spread": (*GROUP, "height", "frame", "without", "log_spread"),
    }
    return Answers({}, {keys[name]: effect for name, effect in found.items()})


def said(**found):
    return [s.replace("\u00a0", " ") for s in sentences(effect_answers(**found), GROUP, "cats")]


def test_y_grows_downward_so_negative_is_above():
    assert said(y=Effect(80, -0.04, -0.06, -0.02, 0.0)) == [
        "The centres of cats lie 4 % of the image height above the middle "
        "(95 % interval: 2 % to 6 % above), n = 80 images."
    ]


def test_an_interval_that_holds_zero_takes_no_side():
    assert said(x=Effect(80, 0.01, -0.02, 0.04, 0.0)) == [
        "They lie 1 % of the image width right of the middle (95 % interval: 2 % left to 4 % "
        "right, so it may be neither), n = 80 images."
    ]


def test_centre_spread_and_height_are_told_with_their_expectation():
    nan = float("nan")
    assert said(
        centre=Effect(80, 0.34, 0.28, 0.41, 1 / 9),
        variation=Effect(80, 0.31, 0.23, nan, 0.0),
        mean=Effect(80, math.log(0.5), math.log(0.45), math.log(0.55), nan),
        spread=Effect(80, math.log(1.4), 0.2, 0.4, nan),
    ) == [
        "34 % are placed in the middle ninth of the room they have, where chance puts 11 % "
        "(95 % interval: 28 % to 41 %; n = 80 images).",
        "To fill 5 × 5 cells evenly, about 31 % of them would have to stand elsewhere (at least "
        "23 %, at 95 % confidence; n = 80 images).",
        "The typical height is 50 % of the image (95 % interval: 45 % to 55 %; two thirds are "
        "within a factor of 1.4; n = 80 images).",
    ]


def test_an_effect_without_interval_says_why():
    nan = float("nan")
    assert said(y=Effect(1, 0.2, nan, nan, 0.0)) == [
        "The centres of cats lie 20 % of the image height below the middle "
        "(too few images for an interval), n = 1 images."
    ]
    assert said() == []


def test_the_lead_names_both_nulls(tables):
    lead = lead_sentence(headline_tables(tables["significance"]))
    counts = headline(tables["significance"])
    frame = one_row(counts, question="position", null="frame", edges="with")
    fit = one_row(counts, question="position", null="fit", edges="without")
    assert f"not uniform on the frame in {frame.below} of {frame.n_tested} categories" in lead
    assert f"{fit.below} of {fit.n_tested} remain" in lead


def test_the_worst_is_the_surest_effect_and_not_the_most_images():
    "A huge category has a tiny p for a tiny effect"
    names = list(Names(pd.DataFrame({"category": ["big", "cat"], "split": ["", ""]}), {}))
    key = ("position", "fit", "without")
    found = Answers(
        {
            ("big", "", *key): Verdict(100_000, -500.0, "exact", -499.0, ""),
            ("cat", "", *key): Verdict(80, -20.0, "exact", -19.0, ""),
        },
        {
            ("big", "", *key, "cohens_w"): Effect(100_000, 0.1, 0.09, np.nan, 0.0),
            ("cat", "", *key, "cohens_w"): Effect(80, 1.2, 1.0, np.nan, 0.0),
        },
    )
    assert [name.category for name in worst_names(found, names, 2)] == ["cat", "big"]
    assert [name.category for name in worst_names(found, names, 1)] == ["cat"]


def test_answers_leave_other_policies_and_missing_p_aside(tables):
    found = answers(tables["significance"], tables["effects"])
    rows = tables["significance"].assign(policy="all")
    assert answers(rows, tables["effects"]).verdicts == {}
    assert found.verdict(("n01", "val"), "position", "fit", "without").log10_p <= 0
    missing = Answers({(*GROUP, "height", "frame", "with"): Verdict(0, np.nan, "", np.nan, "")}, {})
    assert missing.verdict(GROUP, "height", "frame", "with") is None


def test_what_was_read_is_counted():
    found = reading(make_boxes(["a", "b"], n=5), make_repairs())
    assert (found.n_boxes, found.n_images, found.n_categories) == (10, 10, 2)
    assert found.images_per_category == "5"
    assert found.frame == "500 × 375 px"
    assert found.one_box == 1


def test_splits_of_one_category_stay_apart():
    groups = pd.DataFrame({"category": ["cat", "cat"], "split": ["train", "val"]})
    names = Names(groups, {"cat": "tiger cat"})
    assert [name.id for name in names] == ["cat (train)", "cat (val)"]
    assert len({name.anchor for name in names}) == 2
    assert names.any_split("cat").anchor == "category-1"
    assert names.any_split("dog").anchor == ""


def test_provenance_may_hold_anything_json_can(tables):
    provenance = {"tables": {"boxes": {"options": {"a": [1, None]}}}, "seed": None}
    page = html.fromstring(audit_page(tables, title="x", provenance=provenance, n_worst=0))
    shown = page.xpath("//section[@id='provenance']//pre")[0].text_content()
    assert json.loads(shown) == provenance["tables"]
