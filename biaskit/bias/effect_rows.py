"""Estimates of every group, put together as the table ``effects``."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from biaskit.bias.objects import Objects
from biaskit.tables import EFFECTS

__all__ = ["Part", "as_table"]

_NAMES = ("measure", "null", "policy", "edges", "effect")
_NUMBERS = ("value", "low", "high", "expected", "level")


@dataclass(frozen=True)
class Part:
    """One effect of one question, for every group; arrays of shape (n_groups,)."""

    measure: str
    null: str
    policy: str
    edges: str
    effect: str
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    expected: np.ndarray
    level: np.ndarray
    n: np.ndarray  # images that entered


def as_table(objects: Objects, parts: Sequence[Part]) -> pd.DataFrame:
    """
    Return the rows of all parts in the order of the keys of ``effects``.

    Parameters
    ----------
    objects : Objects
    parts : sequence of Part
        In any order.

    Returns
    -------
    DataFrame
        A table ``effects``.
    """
    if not parts or not objects.n_groups:
        return EFFECTS.empty()
    parts = sorted(parts, key=lambda part: tuple(getattr(part, name) for name in _NAMES))
    groups = objects.groups.sort_values(["category", "split"], kind="stable")
    rank = groups.index.to_numpy()
    columns: dict[str, object] = {
        name: _repeated(groups[name].to_numpy(object), each=len(parts))
        for name in ("category", "split")
    }
    for name in _NAMES:
        words = np.array([getattr(part, name) for part in parts], dtype=object)
        columns[name] = _repeated(words, tiled=len(rank))
    for name in (*_NUMBERS, "n"):
        values = np.array([getattr(part, name)[rank] for part in parts])
        columns[name] = values.T.ravel()
    table = pd.DataFrame(columns)
    return EFFECTS.check(table, "effects")


def _repeated(words: np.ndarray, *, each: int = 1, tiled: int = 1) -> pd.Categorical:
    """Repeat words as categories: a million rows of text would take a gigabyte."""
    codes, names = pd.factorize(words, sort=True)
    return pd.Categorical.from_codes(
        np.tile(np.repeat(codes, each), tiled), categories=pd.Index(names, dtype=str)
    )
