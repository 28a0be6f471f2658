"""
Frames stacked: the sequences of a table ``frames`` as arrays, images by steps.

A measure of a sequence compares frames some steps apart. On a table that is a join; on an array
with the steps along an axis it is a slice against another. Sequences of one length are stacked
in blocks of a size that stays in a processor's cache, so that memory grows with the table only.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from biaskit.errors import TableError
from biaskit.sweeps.top5 import class_lists
from biaskit.tables import FRAMES

__all__ = ["MEANT", "SEQUENCE", "SWEEP", "Block", "Sequences", "stack"]

SWEEP = ["network", "variant", "protocol", "direction", "fill"]
SEQUENCE = tuple(key for key in FRAMES.keys if key != "step")
MEANT = 6  # with fewer classes than that, being in the top 5 means nothing
_FRAMES_PER_BLOCK = 1 << 14
_NUMBERS = ("p_true", "p_top1", "p_first", "margin")
_NEEDED = (*SEQUENCE, "category", "step", "rank_true", "top1", "top5", *_NUMBERS)


@dataclass(frozen=True)
class Block:
    """
    Sequences of one length.

    Attributes
    ----------
    rows : int array, shape (n_sequences,)
        Their rows in ``Sequences.table``.
    top1 : int array, shape (n_sequences, n_steps)
        Number of the most probable class.
    top5 : int array, shape (5, n_sequences, n_steps), or None
        Numbers of the five most probable classes; None if a top 5 means nothing.
    rank : int array, shape (n_sequences, n_steps)
        Rank of the true class; 0 where none is known.
    p_true, p_top1, p_first, margin : float array, shape (n_sequences, n_steps)
        As in ``frames``.
    """

    rows: np.ndarray
    top1: np.ndarray
    top5: np.ndarray | None
    rank: np.ndarray
    p_true: np.ndarray
    p_top1: np.ndarray
    p_first: np.ndarray
    margin: np.ndarray

    @property
    def n_steps(self) -> int:
        """Frames per sequence."""
        return self.top1.shape[1]


@dataclass(frozen=True)
class Sequences:
    """
    All sequences of a table, in the order of their keys.

    Attributes
    ----------
    table : DataFrame
        One row per sequence: its keys and ``category``.
    start, length : int array, shape (n_sequences,)
        First frame and number of frames in the columns.
    labelled : bool array, shape (n_sequences,)
        Whether the true class is known and among the network's.
    """

    table: pd.DataFrame
    start: np.ndarray
    length: np.ndarray
    labelled: np.ndarray
    _columns: dict[str, np.ndarray]
    _top5: np.ndarray | None

    def blocks(self, *, at_least: int = 1) -> Iterator[Block]:
        """
        Yield the sequences of at least so many frames, in blocks of one length.

        Examples
        --------
        See ``stack``.
        """
        for length in np.unique(self.length[self.length >= at_least]):
            rows = np.flatnonzero(self.length == length)
            size = max(1, _FRAMES_PER_BLOCK // int(length))
            for first in range(0, len(rows), size):
                yield self._block(rows[first : first + size], int(length))

    def _block(self, rows: np.ndarray, length: int) -> Block:
        places = self.start[rows][:, None] + np.arange(length)
        top5 = None if self._top5 is None else self._top5[:, places]
        return Block(rows, top5=top5, **{k: v[places] for k, v in self._columns.items()})


def stack(frames: pd.DataFrame, *, n_classes: int) -> Sequences:
    """
    Sort a table of frames into sequences.

    Parameters
    ----------
    frames : DataFrame
        A table ``frames`` with its rows in any order.
    n_classes : int
        Classes that the networks tell apart; with fewer than 6 the top 5 is left out.

    Returns
    -------
    Sequences

    Raises
    ------
    TableError
        If a column is missing, a sequence lacks a step or has one twice, or its true class is
        not the same in all frames.

    Examples
    --------
    See ``biaskit.sweeps.jaggedness.jaggedness``; for a table without rows there is no block:

    >>> list(stack(FRAMES.empty(), n_classes=1000).blocks())
    []
    """
    _check_columns(frames)
    number = _numbers(frames, SEQUENCE)
    n = int(number.max(initial=-1)) + 1
    first_row = np.full(n, len(number))
    np.minimum.at(first_row, number, np.arange(len(number)))
    table = frames.loc[:, [*SEQUENCE, "category"]].iloc[first_row].reset_index(drop=True)
    # Categoricals would be sorted by the number of their word, not by the word.
    words = [k for k in (*SEQUENCE, "category") if FRAMES.columns[k].kind == "text"]
    table = table.astype(dict.fromkeys(words, "str"))
    by_key = table.sort_values(list(SEQUENCE), kind="stable").index.to_numpy()
    rank = np.empty(n, np.int64)
    rank[by_key] = np.arange(n)
    sequence, step = rank[number], frames["step"].to_numpy()
    order = np.lexsort((step, sequence))
    table = table.iloc[by_key].reset_index(drop=True)
    length = np.bincount(sequence, minlength=n)
    start = np.cumsum(length) - length
    _check_steps(table, sequence[order], step[order], start)
    columns = {
        "top1": pd.factorize(frames["top1"])[0].astype(np.int32)[order],
        "rank": frames["rank_true"].to_numpy()[order],
        **{name: frames[name].to_numpy(np.float64)[order] for name in _NUMBERS},
    }
    _check_truth(table, sequence[order], start, frames["category"].iloc[order], columns["rank"])
    top5 = class_lists(frames["top5"])[:, order] if n_classes >= MEANT else None
    return Sequences(table, start, length, columns["rank"][start] > 0, columns, top5)


def _numbers(frames: pd.DataFrame, keys: tuple[str, ...]) -> np.ndarray:
    """Number the rows by their keys, in order of first appearance."""
    number = np.zeros(len(frames), np.int64)
    for key in keys:
        codes, values = pd.factorize(frames[key], use_na_sentinel=False)
        if len(values) > 1:
            number = pd.factorize(number * len(values) + codes)[0]
    return number


def _check_columns(frames: pd.DataFrame) -> None:
    for name in _NEEDED:
        if name not in frames.columns:
            raise TableError(
                f"frames: column '{name}' is missing. A table 'frames' has the columns "
                f"{', '.join(FRAMES.columns)}."
            )


def _check_steps(
    table: pd.DataFrame, sequence: np.ndarray, step: np.ndarray, start: np.ndarray
) -> None:
    expected = np.arange(len(step)) - start[sequence]
    wrong = np.flatnonzero(step != expected)
    if not len(wrong):
        return
    at, where = int(wrong[0]), _name(table, int(sequence[wrong[0]]))
    if step[at] < expected[at]:
        raise TableError(f"{where}: step {step[at]} stands there twice, expected every step once.")
    raise TableError(
        f"{where}: step {expected[at]} is missing and step {step[at]} is there, expected every "
        "step from 0. If the sweep was cut short, run it again: it continues."
    )


def _check_truth(
    table: pd.DataFrame,
    sequence: np.ndarray,
    start: np.ndarray,
    category: pd.Series,
    rank: np.ndarray,
) -> None:
    codes = pd.factorize(category, use_na_sentinel=False)[0]
    wrong = np.flatnonzero(codes != codes[start[sequence]])
    if len(wrong):
        one, other = category.iloc[start[sequence[wrong[0]]]], category.iloc[wrong[0]]
        raise TableError(
            f"{_name(table, int(sequence[wrong[0]]))}: the category is '{one}' and "
            f"'{other}', expected one true class for the whole sequence."
        )
    wrong = np.flatnonzero((rank > 0) != (rank[start[sequence]] > 0))
    if len(wrong):
        raise TableError(
            f"{_name(table, int(sequence[wrong[0]]))}: rank_true is 0 in some steps and not in "
            "others, expected a true class in every step or in none."
        )


def _name(table: pd.DataFrame, row: int) -> str:
    """Name a sequence for a message, by its keys."""
    return "frames: " + ", ".join(f"{key} {table[key].iloc[row]}" for key in SEQUENCE)
