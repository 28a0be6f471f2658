"""The list of repairs."""

import random
import re
from pathlib import Path

import pytest

from biaskit.annotations import repairs as module
from biaskit.annotations.repairs import KINDS, NOTES, Repair, Repairs, clean
from biaskit.tables import REPAIRS


def test_every_kind_is_explained_on_one_line():
    assert all(text and "\n" not in text for text in KINDS.values())
    assert set(KINDS) >= NOTES


def test_every_kind_is_used_somewhere():
    "A kind that no reader gives would be a promise not kept"
    folder = Path(module.__file__).parent
    source = "".join(p.read_text("utf-8") for p in folder.glob("*.py") if p.name != "repairs.py")
    assert not [kind for kind in KINDS if not re.search(rf'"{kind}"', source)]


def test_an_unknown_kind_is_a_mistake_of_the_programmer():
    with pytest.raises(ValueError, match="unknown kind of repair 'odd'"):
        Repairs().add("a.xml", "odd")


def test_the_table_does_not_depend_on_the_order_of_reading():
    rows = [Repair(f"{n % 3}.xml", n % 4 - 1, "word", str(n), "x") for n in range(20)]
    tables = []
    for seed in range(3):
        random.Random(seed).shuffle(rows)
        repairs = Repairs()
        repairs.extend(rows)
        tables.append(repairs.table())
    assert tables[0].equals(tables[1])
    assert tables[1].equals(tables[2])
    assert tables[0]["object"].tolist()[:3] == [-1, -1, 0]


def test_no_repairs_are_an_empty_table_of_the_same_schema():
    table = Repairs().table()
    assert list(table.columns) == list(REPAIRS.columns)
    assert len(table) == 0
    filled = Repairs()
    filled.add("a", "empty")
    assert filled.table().dtypes.to_dict() == table.dtypes.to_dict()


def test_text_of_unknown_origin_becomes_one_valid_line():
    assert clean("a\nb\x00\x1b[2J") == "a b  [2J"
    assert clean("\ud800") == "\\ud800"
    assert len(clean("x" * 10_000)) == 200
    assert clean("犬 é") == "犬 é"


def test_a_prefix_stands_before_names():
    repairs = Repairs()
    repairs.extend([Repair("a.xml", -1, "empty", "", "")], "source/")
    assert repairs.rows[0].file == "source/a.xml"
