"""The audit page in a real Chromium: nothing fetched, no errors, any width, dark, print, no JS."""

import re
import shutil

import pytest
from audit_tables import HOSTILE, make_drift, make_tables

from biaskit.report import audit_page

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium on this machine"),
]
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

PLAIN = tuple(f"n{number:02}" for number in range(1, 13))


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        # Without its sandbox it also runs as root, as in containers; our pages are harmless.
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        yield browser
        browser.close()


def written(folder, categories, **options):
    tables = {**make_tables(categories), "drift": make_drift(list(categories))}
    path = folder / "audit.html"
    text = audit_page(tables, title="A study", provenance={"seed": 1}, n_worst=3, **options)
    path.write_text(text, encoding="utf-8", newline="")
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return written(tmp_path_factory.mktemp("plain"), PLAIN, words={"n01": "kite"})


@pytest.fixture
def visit(browser):
    """Open a page and fail at its end if it fetched, logged or threw anything."""
    asked, told, contexts = [], [], []

    def open_page(path, *, width=1280, height=900, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.on("dialog", lambda dialog: (told.append(dialog.message), dialog.dismiss()))

        def refuse(route):
            asked.append(route.request.url)
            route.abort()

        page.route(re.compile(r"^(?!file:)"), refuse)
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert asked == []
    assert told == []


def fits(page):
    return page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )


@pytest.mark.parametrize("width", [1440, 1280, 768, 375, 320])
def test_the_page_fits_every_width(visit, path, width):
    page = visit(path, width=width)
    assert fits(page)
    pictures = page.locator("figure svg")
    assert pictures.count() > 10
    for picture in pictures.all():
        box = picture.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width + 1
        assert box["height"] > 80


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_pictures_can_be_read_in_light_and_dark(visit, path, scheme):
    page = visit(path, color_scheme=scheme)
    ink, paper = page.evaluate(
        """() => {
          const luminance = (colour) => {
            const [r, g, b] = colour.match(/[0-9.]+/g).map((c) => {
              const s = Number(c) / 255;
              return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const text = document.querySelector("figure svg text");
          return [luminance(getComputedStyle(text).fill),
                  luminance(getComputedStyle(document.body).backgroundColor)];
        }"""
    )
    high, low = max(ink, paper), min(ink, paper)
    assert (high + 0.05) / (low + 0.05) > 7  # WCAG AAA
    assert (paper < 0.2) == (scheme == "dark")


def test_the_table_is_searched_and_sorted(visit, path):
    page = visit(path)
    rows = page.locator("#listing tbody tr:visible")
    assert rows.count() == 12
    page.get_by_role("searchbox").fill("KITE")
    assert rows.count() == 1
    assert page.locator("#finder output").inner_text() == "1 of 12"
    page.get_by_role("searchbox").fill("")
    page.get_by_role("button", name="w", exact=True).click()
    upward = page.locator("#listing tbody td:nth-child(5)").evaluate_all(
        "cells => cells.map((cell) => Number(cell.dataset.v))"
    )
    assert upward == sorted(upward)
    assert len(set(upward)) > 3
    page.get_by_role("button", name="w", exact=True).click()
    head = page.locator("#listing thead th:nth-child(5)")
    assert head.get_attribute("aria-sort") == "descending"
    downward = page.locator("#listing tbody td:nth-child(5)").evaluate_all(
        "cells => cells.map((cell) => Number(cell.dataset.v))"
    )
    assert downward == upward[::-1]


def test_links_lead_to_their_sections(visit, path):
    page = visit(path)
    page.locator("#listing tbody a").first.click()
    anchor = page.url.partition("#")[2]
    assert page.locator(f"article#{anchor}").bounding_box()["y"] < 200


def test_without_javascript_it_is_a_plain_table(visit, path):
    page = visit(path, java_script_enabled=False)
    assert page.locator("#listing tbody tr").count() == 12
    assert not page.locator("#finder").is_visible()
    assert not page.get_by_text("Press a heading to sort").is_visible()


def test_hostile_names_do_nothing(visit, tmp_path):
    page = visit(written(tmp_path, tuple(HOSTILE), words={HOSTILE[0]: HOSTILE[1]}), width=375)
    assert fits(page)
    assert page.locator("#listing").inner_text().count("<script>alert(1)</script>") == 1
    assert page.locator("script").count() == 1
    page.get_by_role("searchbox").fill("<script>")
    assert page.locator("#listing tbody tr:visible").count() == 1


def test_printed_no_picture_is_cut(visit, path):
    page = visit(path)
    page.emulate_media(media="print")
    # The width of A4 less the margins, at 96 px per inch.
    page.set_viewport_size({"width": 703, "height": 1000})
    assert fits(page)
    for picture in page.locator("figure svg").all():
        box = picture.bounding_box()
        assert box["x"] + box["width"] <= 704
    assert page.locator("nav").is_hidden()
    assert page.locator("#listing").evaluate("t => getComputedStyle(t.parentNode).overflow") == (
        "visible"
    )
    pdf = page.pdf(prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF")
    assert 3 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 15
