import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from biaskit.bias.objects import boxes_from_pixels
from biaskit.errors import TableError
from biaskit.tables import BOXES, SCHEMAS, SIGNIFICANCE


@pytest.fixture
def boxes():
    return boxes_from_pixels([[0, 0, 5, 5], [1, 1, 3, 3]], frame=(10, 10))


def refused(message):
    return pytest.raises(TableError, match=f"^{re.escape(message)}$")


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_the_empty_table_of_every_schema_passes_its_own_check(schema):
    empty = schema.empty()
    assert list(schema.check(empty, "here").columns) == list(schema.columns)
    assert schema.to_arrow(empty).schema == schema.arrow_schema()


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_keys_are_columns_and_every_column_says_what_it_means(schema):
    assert set(schema.keys) <= set(schema.columns)
    assert all(column.meaning for column in schema.columns.values())


def test_value_outside_its_limits_names_file_row_and_unit(boxes):
    boxes.loc[0, "x_max"] = 1.02
    with refused("boxes.csv: row 0, x_max is 1.02 of image width, expected 0 to 1."):
        BOXES.check(boxes, "boxes.csv")


def test_missing_value_is_refused_where_none_may_be(boxes):
    boxes.loc[1, "y_min"] = np.nan
    with refused("boxes.csv: row 1, y_min is missing."):
        BOXES.check(boxes, "boxes.csv")


def test_infinity_is_refused(boxes):
    boxes.loc[1, "lattice"] = np.inf
    with refused("b: row 1, lattice is inf px, expected at least 0."):
        BOXES.check(boxes, "b")


def test_unknown_column_is_refused(boxes):
    with pytest.raises(TableError, match=r"^b: column 'colour' is unknown\. A table 'boxes' has"):
        BOXES.check(boxes.assign(colour="red"), "b")


def test_repeated_keys_are_refused(boxes):
    twice = pd.concat([boxes, boxes.iloc[:1]])
    found = "split , category thing, image_id image_0000000, object 0"
    with refused(f"b: row 2 repeats {found}; expected once per annotated object."):
        BOXES.check(twice, "b")


def test_numbers_for_names_are_refused(boxes):
    with refused("b: category holds int64, expected text."):
        BOXES.check(boxes.assign(category=3), "b")


def test_names_for_numbers_are_refused(boxes):
    with pytest.raises(TableError, match=r"^b: x_min holds \w+, expected number\.$"):
        BOXES.check(boxes.assign(x_min="left"), "b")


def test_fractions_for_counts_are_refused(boxes):
    with refused("b: image_width holds float64, expected integer."):
        BOXES.check(boxes.assign(image_width=10.5), "b")


def test_words_outside_the_list_are_refused():
    table = SIGNIFICANCE.empty()
    row = dict.fromkeys(SIGNIFICANCE.columns, 0.0) | {
        "category": "cat",
        "split": "",
        "measure": "colour",
        "n_images": 1,
        "n_objects": 1,
        "n_excluded": 0,
    }
    with pytest.raises(
        TableError, match=r"^s: row 0, measure is 'colour', expected one of position"
    ):
        SIGNIFICANCE.check(pd.DataFrame([row], columns=table.columns), "s")


def test_columns_are_put_in_order_and_rows_sorted_by_key(boxes):
    mixed = boxes.iloc[::-1, ::-1]
    assert list(BOXES.check(mixed, "b").columns) == list(BOXES.columns)
    assert BOXES.sort(mixed)["image_id"].tolist() == ["image_0000000", "image_0000001"]


def test_categoricals_are_stored_as_plain_text(boxes):
    stored = BOXES.to_arrow(boxes.astype({"category": "category"}))
    assert stored.schema.field("category").type == pa.string()
    assert stored.equals(BOXES.to_arrow(boxes))
