import numpy as np
import pandas as pd
import pytest

from biaskit.bias.headline import headline
from biaskit.tables import SIGNIFICANCE


def verdicts(measure, null, values, *, low=None, high=None, edges="with", policy="one", split=""):
    n = len(values)
    return pd.DataFrame(
        {
            "category": [f"c{k}" for k in range(n)],
            "split": split,
            "measure": measure,
            "null": null,
            "policy": policy,
            "edges": edges,
            "test": "chi2",
            "log10_p": values,
            "log10_p_low": values if low is None else low,
            "log10_p_high": values if high is None else high,
        }
    )


@pytest.fixture
def table():
    gone = np.nan
    parts = [
        verdicts(
            "position",
            "frame",
            [-20.0, -11, -9, gone],
            low=[-21.0, -12, -11, gone],
            high=[-19.0, -8, -8, gone],
        ),
        verdicts(
            "height",
            "frame",
            [-30.0, -3, -12, -40],
            low=[-31.0, -3, -13, -41],
            high=[-29.0, -2, -11, -39],
        ),
    ]
    return pd.concat(parts, ignore_index=True)


def counts(found, question, null, edges="with"):
    row = found[(found["question"] == question) & (found["null"] == null)]
    row = row[row["edges"] == edges]
    return row[["n_tested", "below", "in_every_draw", "in_some_draw"]].to_numpy().tolist()


def test_categories_below_the_threshold_are_counted_over_all_draws(table):
    found = headline(table)
    assert counts(found, "position", "frame") == [[3, 2, 1, 3]]
    assert counts(found, "height", "frame") == [[4, 3, 3, 3]]
    assert (found["n_categories"] == 4).all()


def test_both_means_both_in_the_same_category(table):
    "The first is below in both; the third in some draw; the fourth has no position"
    assert counts(headline(table), "both", "frame, frame") == [[3, 1, 1, 2]]


def test_the_threshold_can_be_chosen(table):
    assert counts(headline(table, threshold=-25), "height", "frame") == [[4, 2, 2, 2]]


def test_the_order_of_the_rows_does_not_matter(table):
    pd.testing.assert_frame_equal(headline(table.sample(frac=1, random_state=0)), headline(table))


def test_other_policies_and_splits_are_kept_apart(table):
    other = verdicts("height", "frame", [-99.0] * 4, policy="all").assign(
        log10_p_low=np.nan, log10_p_high=np.nan
    )
    train = verdicts("height", "frame", [-99.0, -1], split="train")
    found = headline(pd.concat([table, other, train]))
    assert found["split"].tolist() == ["", "", "", "train"]
    assert found["below"].tolist() == [*headline(table)["below"].tolist(), 1]
    assert counts(headline(pd.concat([table, other]), policy="all"), "height", "frame") == [
        [4, 4, 4, 4]
    ]


def test_all_nulls_and_edges_have_their_rows():
    parts = [
        verdicts(measure, null, [-1.0], edges=edges)
        for measure, nulls in [
            ("position", ("frame", "fit")),
            ("height", ("frame", "log-uniform", "log-uniform-8px")),
        ]
        for null in nulls
        for edges in ("with", "without")
    ]
    found = headline(pd.concat(parts))
    # Two of position, two of height (sensitivities are not headlines), four pairs.
    assert len(found) == 16
    assert set(found["edges"]) == {"with", "without"}
    assert "fit, log-uniform" in set(found["null"])


def test_categoricals_are_read_like_texts(table):
    names = ["category", "split", "measure", "null", "policy", "edges", "test"]
    coded = table.astype(dict.fromkeys(names, "category"))
    pd.testing.assert_frame_equal(headline(coded), headline(table))


def test_an_empty_table_has_no_headline():
    assert len(headline(SIGNIFICANCE.empty())) == 0
