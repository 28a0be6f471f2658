"""
Lists of the five most probable classes: from text to numbers, and how far two lists lie apart.

The distance is that of ImageNet-P [1]_. With s(i) the place in the second list of the class
that has place i in the first,

    d = sum over i = 1..5 of the sum over j = min(i, s(i)) + 1 .. max(i, s(i)) of 1(1 <= j - 1 <= 5)

so a class that moves within the lists adds the places it moves by, and one that leaves adds
6 - i, however far it falls: lists of five are all that is needed. The first list's classes
alone count, so the distance there and the distance back can differ.

References
----------
.. [1] D. Hendrycks and T. Dietterich, "Benchmarking Neural Network Robustness to Common
   Corruptions and Perturbations", ICLR 2019, section 4.1.
"""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from biaskit.errors import TableError

__all__ = ["LISTED", "class_lists", "top5_distance"]

LISTED = 5
_DISJOINT = 15  # 5 + 4 + 3 + 2 + 1: no class of the first list stands in the second
_PLACE = np.arange(1, LISTED + 1)
# What it takes off that to find the class of place i (row) at place j; negative if it adds.
_SAVED = (np.abs(_PLACE[:, None] - _PLACE) - (LISTED + 1 - _PLACE[:, None])).astype(np.int8)


def class_lists(lists: pd.Series) -> np.ndarray:
    """
    Split lists of five classes and number the classes.

    Parameters
    ----------
    lists : Series of str, length n
        A column ``top5``: classes best first, with | between them.

    Returns
    -------
    int32 array, shape (5, n)
        Equal numbers for equal classes, by place and list.

    Raises
    ------
    TableError
        If a list has not five classes.

    Examples
    --------
    >>> class_lists(pd.Series(["a|b|c|d|e", "b|a|c|d|f"])).tolist()
    [[0, 1], [1, 0], [2, 2], [3, 3], [4, 5]]
    """
    # A frame's list is often that of the frame before: each is split once.
    codes, distinct = pd.factorize(lists, use_na_sentinel=False)
    split = pc.split_pattern(pa.array(distinct.astype("str"), pa.string(), from_pandas=True), "|")
    if isinstance(split, pa.ChunkedArray):
        split = split.combine_chunks()
    lengths = pc.fill_null(pc.list_value_length(split), 0).to_numpy(zero_copy_only=False)
    if (lengths[codes] != LISTED).any():
        row = int(np.flatnonzero(lengths[codes] != LISTED)[0])
        raise TableError(
            f"frames: row {row}, top5 names {lengths[codes[row]]} classes, expected {LISTED} with "
            "| between them, as the network tells more than 5 classes apart."
        )
    numbers = split.flatten().dictionary_encode().indices.to_numpy(zero_copy_only=False)
    return np.ascontiguousarray(numbers.reshape(-1, LISTED).T.astype(np.int32)[:, codes])


def top5_distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """
    Return ImageNet-P's distance from one list of five classes to another.

    Parameters
    ----------
    first, second : integer array, shape (5, ...)
        Numbers of the classes, best first; no class twice in a list.

    Returns
    -------
    int8 array, shape (...)
        0 for equal lists, 15 for lists without a common class, at most 18: to rise from the last
        place to the first adds 4, to drop out of the last adds 1 only.

    Examples
    --------
    The first two classes change places, and the last is replaced: 1 + 1 + 1.

    >>> int(top5_distance(np.array([1, 2, 3, 4, 5]), np.array([2, 1, 3, 4, 9])))
    3
    """
    same = first[:, None] == second[None, :]
    saved = same.view(np.int8) * _SAVED.reshape(LISTED, LISTED, *[1] * (first.ndim - 1))
    total = saved.reshape(LISTED * LISTED, *same.shape[2:]).sum(axis=0, dtype=np.int8)
    return np.int8(_DISJOINT) + total
