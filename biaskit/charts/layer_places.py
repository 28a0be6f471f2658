"""Where layers stand on an axis of depth, and where the network drops places."""

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from biaskit.charts.named_points import Frame
from biaskit.charts.theme import GREY

__all__ = ["side_by_side", "stride_rows", "stride_rules", "strides"]

_SPREAD = 0.7  # of a unit of depth: layers of the same depth stand within it
_LETTER, _GAP, _LINE = 6.4, 4.0, 13  # px of a digit, between two labels, of a line of them


def side_by_side(depth: np.ndarray, order: np.ndarray) -> np.ndarray:
    """
    Spread layers of the same depth around it, in the order of their calls.

    Parameters
    ----------
    depth, order : arrays, shape (n,)

    Returns
    -------
    float array, shape (n,)
        Places on the axis of depth; a layer that is alone stands at its depth.

    Examples
    --------
    A pool behind the second convolution has its depth, and stands to its right:

    >>> side_by_side(np.array([1, 2, 2]), np.array([0, 1, 2])).tolist()
    [1.0, 1.825, 2.175]
    """
    table = pd.DataFrame({"depth": depth, "order": order})
    rank = table.groupby("depth")["order"].rank(method="first").to_numpy(float) - 1
    n = table.groupby("depth")["order"].transform("size").to_numpy(float)
    return np.round(table["depth"].to_numpy(float) + ((rank + 0.5) / n - 0.5) * _SPREAD, 6)


def strides(layers: pd.DataFrame) -> pd.DataFrame:
    """
    Find the layers at which the measured subsampling factor grows.

    Parameters
    ----------
    layers : DataFrame
        Rows of one network of the table ``layers``, with their ``at`` on the axis of depth.

    Returns
    -------
    DataFrame
        at and factor of each; layers without a factor are passed over.

    Examples
    --------
    >>> rows = pd.DataFrame({"at": [1.0, 2.0, 3.0], "subsampling_factor": [2.0, 2.0, 4.0]})
    >>> strides(rows).values.tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    known = layers[layers["subsampling_factor"].notna()].sort_values("at", kind="stable")
    factor = known["subsampling_factor"].to_numpy(float)
    before = np.concatenate([[1.0], np.maximum.accumulate(factor)[:-1]]) if len(factor) else factor
    grown = known[factor > np.maximum(before, 1.0) + 1e-9]
    return pd.DataFrame(
        {"at": grown["at"].to_numpy(float), "factor": grown["subsampling_factor"].to_numpy(float)}
    )


def stride_rows(across: Sequence[float], words: Sequence[str]) -> list[int]:
    """
    Choose a line for every label so that none covers another, the lowest that is free.

    Parameters
    ----------
    across : sequence of float
        Px of their middles, from the left to the right.
    words : sequence of str

    Examples
    --------
    >>> stride_rows([10, 15, 80], ["1/2", "1/4", "1/8"])
    [0, 1, 0]
    """
    ends: list[float] = []
    found = []
    for middle, word in zip(across, words, strict=True):
        half = _LETTER * len(word) / 2
        row = next((k for k, end in enumerate(ends) if end + _GAP <= middle - half), len(ends))
        ends[row : row + 1] = [middle + half]
        found.append(row)
    return found


def stride_rules(layers: pd.DataFrame, frame: Frame) -> list[alt.Chart]:
    """
    Draw a thin line where the subsampling factor grows, and above it how coarse maps then are.

    Parameters
    ----------
    layers : DataFrame
        As for ``strides``.
    frame : Frame
        The plot's axes.

    Returns
    -------
    list of altair.Chart
        Layers; none where the factor never grows.

    Examples
    --------
    >>> rows = pd.DataFrame({"at": [1.0, 2.0], "subsampling_factor": [1.0, 2.0]})
    >>> len(stride_rules(rows, Frame((0, 3), (0, 1), 100, 100)))
    2
    """
    found = strides(layers)
    if found.empty:
        return []
    words = [f"1/{factor:g}" for factor in found["factor"]]
    across, _ = frame.px(found["at"].to_numpy(float), np.zeros(len(found)))
    line = stride_rows(across.tolist(), words)
    table = found.assign(word=words, low=frame.y[0], high=frame.y[1]).round(5)
    rules = (
        alt.Chart(table)
        .mark_rule(color=GREY, strokeWidth=1, opacity=0.55, strokeDash=[2, 2])
        .encode(x="at:Q", y="low:Q", y2="high:Q")
    )
    labels = [
        alt.Chart(table[np.equal(line, row)])
        .mark_text(fontSize=11, color=GREY, baseline="bottom")
        .encode(x="at:Q", y=alt.value(-2 - _LINE * row), text="word:N")
        for row in range(max(line) + 1)
    ]
    return [rules, *labels]
