"""
Columns of a summary over images: shares with Wilson's intervals, means with a bootstrap's.

The rows of a summary are groups, numbered from 0; what is summed up has one value per image and
group it is in.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from biaskit.errors import TableError
from biaskit.schema import Schema
from biaskit.sweeps.intervals import bootstrap_means, wilson

__all__ = ["cautious_word", "check_columns", "mean_columns", "ratio", "share_columns"]

# The word that claims least comes first: it is the group's if any of its images has it.
_CAUTION = ("training", "unknown", "held out")


def check_columns(table: pd.DataFrame, schema: Schema) -> None:
    """
    Refuse a table that lacks a column; what its values are is not looked at.

    Raises
    ------
    TableError

    Examples
    --------
    >>> from biaskit.tables import REPAIRS
    >>> check_columns(pd.DataFrame({"file": ["a.xml"]}), REPAIRS)
    Traceback (most recent call last):
    ...
    biaskit.errors.TableError: repairs: column 'object' is missing. A table 'repairs' has the \
columns file, object, kind, found, kept.
    """
    for name in schema.columns:
        if name not in table.columns:
            raise TableError(
                f"{schema.name}: column '{name}' is missing. A table '{schema.name}' has the "
                f"columns {', '.join(schema.columns)}."
            )


def ratio(total: np.ndarray, n: np.ndarray) -> np.ndarray:
    """
    Divide, and say NaN where there is nothing.

    Examples
    --------
    >>> ratio(np.array([1, 0]), np.array([2, 0])).tolist()
    [0.5, nan]
    """
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)


def cautious_word(seen: pd.Series, group: np.ndarray, n_groups: int) -> pd.Series:
    """
    Return for every group whether the network was trained on its images.

    Parameters
    ----------
    seen : Series of str, length n
        "training", "unknown" or "held out" of every image.
    group : int array, shape (n,)
    n_groups : int

    Returns
    -------
    Series of str, length n_groups
        "training" if that is so of any image, else "unknown" if of any, or without images.

    Examples
    --------
    >>> cautious_word(pd.Series(["held out", "training"]), np.array([0, 1]), 3).tolist()
    ['held out', 'training', 'unknown']
    """
    codes = pd.Categorical(seen, categories=_CAUTION).codes.astype(np.int64)
    least = np.full(n_groups, len(_CAUTION))
    np.minimum.at(least, group, codes)
    least[least == len(_CAUTION)] = _CAUTION.index("unknown")
    return pd.Series(np.array(_CAUTION, dtype=object)[least], dtype="str")


def share_columns(
    name: str, flags: np.ndarray, group: np.ndarray, n_groups: int
) -> dict[str, np.ndarray]:
    """
    Return the share of images that count, with the ends of its interval.

    Parameters
    ----------
    name : str
    flags : float array, shape (n,)
        1: the image counts, 0: it does not, NaN: it is set aside.
    group : int array, shape (n,)
    n_groups : int

    Returns
    -------
    dict
        Float arrays of shape (n_groups,) by the names of their columns.

    Examples
    --------
    >>> columns = share_columns("jagged", np.array([1, 0, np.nan]), np.array([0, 0, 0]), 1)
    >>> {name: values.round(3).tolist() for name, values in columns.items()}
    {'jagged': [0.5], 'jagged_low': [0.095], 'jagged_high': [0.905]}
    """
    n = np.bincount(group[~np.isnan(flags)], minlength=n_groups)
    k = np.bincount(group[flags == 1], minlength=n_groups)
    interval = wilson(k, n)
    return {name: ratio(k, n), f"{name}_low": interval.low, f"{name}_high": interval.high}


def mean_columns(
    values: Mapping[str, np.ndarray],
    group: np.ndarray,
    n_groups: int,
    *,
    seed: int,
    n_resamples: int,
) -> dict[str, np.ndarray]:
    """
    Return means over images of several measures, with the ends of their intervals.

    Parameters
    ----------
    values : mapping of str to float array, shape (n,)
        One value per image, -1 to 1, by the measure's name; NaN: the image is set aside. Within a
        group the images stand in a fixed order.
    group : int array, shape (n,)
    n_groups : int
    seed, n_resamples : int
        Of the bootstrap of images.

    Returns
    -------
    dict
        Float arrays of shape (n_groups,) by the names of their columns. Ends are missing with
        fewer than two images.

    Examples
    --------
    >>> two = {"accuracy": np.array([0.5, 0.5])}
    >>> columns = mean_columns(two, np.array([0, 0]), 1, seed=1, n_resamples=9)
    >>> {name: values.tolist() for name, values in columns.items()}
    {'accuracy': [0.5], 'accuracy_low': [0.5], 'accuracy_high': [0.5]}
    """
    stacked = np.array([np.asarray(one, np.float64) for one in values.values()])
    # Every measure of a group is a group of its own, so that one call resamples them all.
    groups = group + n_groups * np.arange(len(stacked))[:, None]
    interval = bootstrap_means(
        stacked.ravel(),
        groups.ravel(),
        n_groups * len(stacked),
        seed=seed,
        n_resamples=n_resamples,
    )
    low, high = (ends.reshape(len(stacked), n_groups) for ends in (interval.low, interval.high))
    columns: dict[str, np.ndarray] = {}
    for i, name in enumerate(values):
        known = ~np.isnan(stacked[i])
        n = np.bincount(group[known], minlength=n_groups)
        total = np.bincount(group[known], stacked[i][known], minlength=n_groups)
        columns |= {name: ratio(total, n), f"{name}_low": low[i], f"{name}_high": high[i]}
    return columns
