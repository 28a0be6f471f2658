import json
import re
import shutil
import string
import subprocess

import numpy as np
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lxml import etree, html

from biaskit import provenance as provenance_module
from biaskit.errors import ExportError
from biaskit.export import FORMATS, export_table, read_export
from biaskit.export.excel import _trouble as excel_trouble
from biaskit.export.excel import excel_bytes
from biaskit.export.formulas import disarm, rearm
from biaskit.tables import REPAIRS, SIGNIFICANCE

PROVENANCE = {"biaskit": "0.1.0", "seed": 7, "inputs": [{"name": "a.tgz", "sha256": "ab"}]}
HOSTILE = [
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "%0A",
    "|x",
    "'quoted",
    "'=1",
    "''=1",
    "＝1",
    "a;=1+1",
    'a","=1+1',
    "two\nlines",
    "carriage\r\nreturn",
    "<script>alert(1)</script>",
    "\\input{/etc/passwd}",
    "a|b",
    "a & b # 5 % $x$ ^ ~ {} _",
    "`code` [link](javascript:1) **bold**",
    "\u202egnp.exe",
    "🐈 tiger cat",
    "猫",
    "NA",
    "nan",
    "",
    " leading and trailing ",
    "007",
    "1e5",
    "true",
    "https://example.org",
    "mailto:a@b",
    "_x0041_",
    "\x07bell",
    "\\\\[2cm]",
]
FORMULA_SIGNS = tuple("=+-@\t\r\n|%＝＋－＠")
# Everything but lone surrogates, which no file can hold.
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NASTY_TEXT = st.one_of(
    ANY_TEXT,
    st.text("=+-@'\"\t\r\n;,| _x0041", max_size=12),
    st.sampled_from(HOSTILE),
)


def repairs(texts):
    count = len(texts)
    columns = {"file": texts, "object": range(count), "kind": "k", "found": texts, "kept": ""}
    return REPAIRS.check(pd.DataFrame(columns).astype({"object": "int64"}), "test")


def significance(**changes):
    row = {
        "category": "cat",
        "split": "val",
        "measure": "position",
        "null": "fit",
        "policy": "one",
        "edges": "without",
        "test": "chi2",
        "n_images": 80,
        "n_objects": 80,
        "n_excluded": 3,
        "statistic": 123.456789012345,
        "log10_p": -417.4949,
        "p_kind": "bound",
        "log10_p_asymptotic": -500.0,
        "log10_p_low": np.nan,
        "log10_p_high": np.nan,
        "log10_bonferroni": -414.4949,
        "log10_holm": -414.4949,
        "log10_bh": -414.4949,
        "log10_by": -413.0,
        "flags": "bound",
    }
    return SIGNIFICANCE.check(pd.DataFrame([row | changes]), "test")


def export(table, path, schema=REPAIRS, **options):
    return export_table(table, path, schema=schema, provenance=PROVENANCE, **options)


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_hostile_text_comes_back_as_it_was(tmp_path, ending):
    table = repairs(HOSTILE)
    back = read_export(export(table, tmp_path / f"t.{ending}"))
    pd.testing.assert_frame_equal(back, table, check_dtype=False)


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(texts=st.lists(NASTY_TEXT, max_size=6))
@example(texts=["x" * 2_000_000])
def test_any_text_comes_back_as_it_was(tmp_path, ending, texts):
    path = tmp_path / f"t.{ending}"
    if ending == "xlsx" and any(excel_trouble(text) for text in texts):
        with pytest.raises(ExportError, match=r"a cell holds|mixes control characters"):
            export(repairs(texts), path)
        return
    export(repairs(texts), path)
    assert read_export(path)["file"].tolist() == texts


@given(text=NASTY_TEXT)
def test_disarming_can_be_undone_and_leaves_no_formula(text):
    safe = disarm(text)
    assert rearm(safe) == text
    assert not safe.lstrip().startswith(FORMULA_SIGNS)
    # Programs with other separators cut the cell into pieces: no piece may be a formula.
    assert not any(piece.startswith(tuple("=+-@")) for piece in re.split('[,;|\t\r\n"]', safe))


@given(text=st.text(string.ascii_letters + string.digits + " .'", max_size=20))
def test_ordinary_text_is_left_alone(text):
    assert disarm(text) == text


def test_plain_pandas_reads_the_same_text_but_for_the_apostrophe_before_a_formula(tmp_path):
    path = export(repairs(HOSTILE), tmp_path / "t.csv")
    back = pd.read_csv(path, dtype=str, keep_default_na=False)["file"].tolist()
    assert back == [disarm(text) for text in HOSTILE]
    assert sum(a == b for a, b in zip(back, HOSTILE, strict=True)) > len(HOSTILE) / 2


def test_plain_pandas_reads_a_workbook_to_the_letter(tmp_path):
    texts = [text for text in HOSTILE if text.isprintable()]
    path = export(repairs(texts), tmp_path / "t.xlsx")
    back = pd.read_excel(path, dtype=str, keep_default_na=False)["file"].tolist()
    assert back == texts


def test_no_cell_of_a_csv_begins_as_a_formula(tmp_path):
    path = export(repairs(HOSTILE), tmp_path / "t.csv")
    cells = pd.read_csv(path, dtype=str, keep_default_na=False)[["file", "found"]].stack()
    assert not any(cell.startswith(FORMULA_SIGNS) for cell in cells)


def test_every_text_of_a_workbook_is_a_string_cell_without_link(tmp_path):
    path = export(repairs(HOSTILE), tmp_path / "t.xlsx")
    book = openpyxl.load_workbook(path)
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type in "sn"
                assert cell.hyperlink is None
    assert book["repairs"]["A2"].value == HOSTILE[0]
    assert book["repairs"]["A2"].data_type == "s"


def test_numbers_keep_every_digit_and_missing_stays_missing(tmp_path):
    table = significance(statistic=0.1 + 0.2, log10_p=-1 / 3)
    for ending in ("csv", "xlsx", "parquet"):
        back = read_export(export(table, tmp_path / f"s.{ending}", SIGNIFICANCE))
        # Workbooks are written with 16 significant digits.
        near = 2**-52 if ending == "xlsx" else 0
        assert back["statistic"].item() == pytest.approx(0.1 + 0.2, rel=near, abs=0)
        assert back["log10_p"].item() == pytest.approx(-1 / 3, rel=near, abs=0)
        assert np.isnan(back["log10_p_low"].item())
        assert back["n_images"].dtype == np.int64


@pytest.mark.parametrize("ending", FORMATS)
def test_the_same_table_gives_the_same_bytes(tmp_path, ending):
    paths = [tmp_path / name for name in ("a", "b")]
    for path in paths:
        export(repairs(HOSTILE[:5]), path, format=ending)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_an_empty_table_keeps_its_columns(tmp_path):
    for ending in ("csv", "xlsx", "parquet"):
        back = read_export(export(SIGNIFICANCE.empty(), tmp_path / f"e.{ending}", SIGNIFICANCE))
        assert list(back.columns) == list(SIGNIFICANCE.columns)
        assert len(back) == 0


def test_columns_are_chosen_in_order(tmp_path):
    path = export(significance(), tmp_path / "s.csv", SIGNIFICANCE, columns=["log10_p", "category"])
    assert path.read_text() == '"log10_p","category"\n-417.4949,"cat"\n'
    assert list(read_export(path).columns) == ["log10_p", "category"]


def test_provenance_stands_beside_and_names_table_units_and_digest(tmp_path):
    path = export(significance(), tmp_path / "s.parquet", SIGNIFICANCE)
    about = json.loads((tmp_path / "s.parquet.json").read_text())
    assert about["seed"] == 7
    exported = about["exported"]
    assert exported["table"] == "significance"
    assert exported["rows"] == 1
    assert exported["columns"]["log10_p"]["unit"] == "log10"
    assert exported["sha256"] == provenance_module.file_digest(path)
    assert pq.read_schema(path).metadata is None


def test_a_failure_while_writing_leaves_the_old_file_whole(tmp_path, monkeypatch):
    path = export(repairs(["old"]), tmp_path / "t.csv")
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(provenance_module.os, "fsync", full)
    with pytest.raises(ExportError, match=r"^t.csv: cannot be written: No space left on device\.$"):
        export(repairs(["new"]), path)
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["t.csv", "t.csv.json"]


def test_a_failure_after_the_provenance_leaves_no_half_table(tmp_path, monkeypatch):
    path = export(repairs(["old"]), tmp_path / "t.csv")
    before = path.read_bytes()
    calls = []

    def full_at_last(_):
        calls.append(1)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(provenance_module.os, "fsync", full_at_last)
    with pytest.raises(ExportError, match="No space left"):
        export(repairs(["new"]), path)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("*.part")) + list(tmp_path.glob(".*.part"))


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ExportError, match=r"^t.csv: cannot be written: No such file or directory"):
        export(repairs([]), tmp_path / "no" / "t.csv")


def test_unknown_format_and_column_are_refused(tmp_path):
    with pytest.raises(ExportError, match="format 'doc' is unknown, expected csv, parquet"):
        export(repairs([]), tmp_path / "t.doc")
    with pytest.raises(
        ExportError, match=r"column 'colour' is unknown\. A table 'repairs' has file"
    ):
        export(repairs([]), tmp_path / "t.csv", columns=["colour"])
    with pytest.raises(ExportError, match="named twice"):
        export(repairs([]), tmp_path / "t.csv", columns=["file", "file"])
    assert list(tmp_path.iterdir()) == []


def test_text_too_long_for_a_cell_is_refused_with_its_place(tmp_path):
    assert read_export(export(repairs(["x" * 32_767]), tmp_path / "t.xlsx"))["file"].item()
    message = (
        "t.xlsx: row 1, file has 32,768 characters, a cell holds 32,767. "
        "Write csv or parquet instead."
    )
    with pytest.raises(ExportError, match=f"^{re.escape(message)}$"):
        # Excel counts UTF-16 units: a cat is two.
        export(repairs(["short", "🐈" * 16_384]), tmp_path / "t.xlsx")


def test_more_rows_than_a_sheet_holds_are_refused():
    rows = REPAIRS.to_arrow(repairs(["a"])).take([0] * 1_048_576)
    with pytest.raises(ExportError, match="1,048,576 rows, a sheet holds 1,048,575"):
        excel_bytes(rows, REPAIRS, {}, "t.xlsx")


def test_half_a_character_is_refused(tmp_path):
    half = pd.Series(["\ud800"], dtype=object)
    for ending in FORMATS:
        if ending in ("html", "md", "latex"):
            continue  # shown there as [U+D800]
        with pytest.raises(ExportError, match="not valid Unicode"):
            export(repairs(["a"]).assign(file=half), tmp_path / f"t.{ending}")


@pytest.mark.parametrize(
    ("ending", "written"),
    [
        ("latex", r"$\le 3.2 \times 10^{-418}$"),
        ("html", "≤ 3.2 × 10<sup>−418</sup>"),
        ("md", "≤ 3.2 × 10^-418"),
    ],
)
def test_a_far_tail_is_printed_as_power_of_ten_with_its_kind(tmp_path, ending, written):
    text = export(significance(), tmp_path / "s", SIGNIFICANCE, format=ending).read_text()
    assert written in text
    # The large-sample value beside it is marked as one.
    assert re.search(r"(≈|\\approx) 1( ×|\})|≈ 1 × 10|\\approx 1 \\times 10\^\{-500\}", text)
    assert ">0<" not in text
    assert "| 0 |" not in text
    assert "& 0 &" not in text


@pytest.mark.parametrize("log10_p", [-1e-9, -0.5, -2.9999, -3, -3.0001, -20000.5])
def test_p_is_never_printed_as_zero(tmp_path, log10_p):
    table = significance(log10_p=log10_p, p_kind="exact", log10_p_asymptotic=np.nan)
    path = export(table, tmp_path / "s.md", SIGNIFICANCE, columns=["log10_p"])
    cell = path.read_text().splitlines()[2].strip("| ")
    factor, _, exponent = cell.partition(" × 10^")
    assert float(factor) > 0
    assert np.log10(float(factor)) + float(exponent or 0) == pytest.approx(log10_p, abs=0.03)


def test_names_are_text_on_an_html_page(tmp_path):
    page = html.parse(str(export(repairs(HOSTILE), tmp_path / "t.html"))).getroot()
    assert page.xpath("//script|//a|//img|//link|//iframe") == []
    cells = [td.text_content() for td in page.xpath("//tbody/tr/td[1]")]
    assert cells[HOSTILE.index("<script>alert(1)</script>")] == "<script>alert(1)</script>"
    assert cells[HOSTILE.index("\u202egnp.exe")] == "[U+202E]gnp.exe"
    assert len(cells) == len(HOSTILE)


def test_names_stay_in_their_cell_of_a_markdown_table(tmp_path):
    lines = export(repairs(HOSTILE), tmp_path / "t.md").read_text().splitlines()
    rows = lines[2 : 2 + len(HOSTILE)]
    assert all(row.count("|") == 6 for row in rows)
    shown = [html.fromstring(f"<p>{row.split(' | ')[0][2:]}</p>").text_content() for row in rows]
    assert shown[HOSTILE.index("a|b")] == "a|b"
    assert not any(c in row for row in rows for c in "<`*[")


def test_latex_of_hostile_names_has_no_command_of_theirs(tmp_path):
    text = export(repairs(HOSTILE), tmp_path / "t.tex").read_text()
    body = text[text.index(r"\midrule") : text.index(r"\bottomrule")]
    rows = body.splitlines()[1:]
    assert len(rows) == len(HOSTILE)
    allowed = (
        r"\\textbackslash\{\}|\\textasciicircum\{\}|\\textasciitilde\{\}|\\textless\{\}"
        r"|\\textgreater\{\}|\\textbar\{\}|\\textquotedbl\{\}|\\textquotesingle\{\}"
        r"|\\textasciigrave\{\}|\\[{}$&#%_]|\{[-*\[\]]\}"
    )
    for row in rows:
        rest = re.sub(allowed, "", row.removesuffix(r" \\"))
        assert not re.search(r"[\\{}$#%_^~]", rest), row
        assert rest.count("&") == 4
    assert all(line.startswith("%") for line in text.splitlines()[:2])


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("lualatex"), reason="no lualatex on this machine")
def test_latex_of_hostile_names_compiles(tmp_path):
    export(repairs(HOSTILE * 2), tmp_path / "t.tex")
    (tmp_path / "main.tex").write_text(
        r"\documentclass{article}\usepackage{booktabs,longtable,textcomp,upquote}"
        r"\begin{document}\input{t.tex}\end{document}"
    )
    command = ["lualatex", "-interaction=nonstopmode", "-halt-on-error", "main.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


def test_a_long_latex_table_breaks_over_pages(tmp_path):
    text = export(repairs(["a"] * 41), tmp_path / "t.tex").read_text()
    assert r"\begin{longtable}" in text
    assert text.count(r"\bottomrule") == 1


def test_an_exported_page_is_well_formed_and_fetches_nothing(tmp_path):
    text = export(significance(), tmp_path / "t.html", SIGNIFICANCE).read_text()
    errors = html.HTMLParser(recover=True)
    etree.fromstring(text, errors)
    assert [e for e in errors.error_log if e.level_name == "FATAL"] == []
    assert not re.search(r"(src|href)=|url\(|@import", text)


def test_a_file_of_unknown_table_or_broken_content_is_refused(tmp_path):
    path = export(repairs(["a"]), tmp_path / "t.csv")
    path.write_text('"file","object"\n"a","not a number"\n')
    with pytest.raises(ExportError, match=r"^t.csv: cannot be read as CSV"):
        read_export(path)
    (tmp_path / "t.csv.json").unlink()
    with pytest.raises(ExportError, match="does not name a table we know"):
        read_export(path)
    (tmp_path / "t.xlsx").write_bytes(b"PK no workbook")
    with pytest.raises(ExportError, match=r"^t.xlsx: cannot be read as xlsx"):
        read_export(tmp_path / "t.xlsx", schema=REPAIRS)
    path.write_text('"colour"\n"red"\n')
    with pytest.raises(ExportError, match="column 'colour' is not of a table 'repairs'"):
        read_export(path, schema=REPAIRS)
