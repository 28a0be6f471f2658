"""Rows of a table of networks, of one condition: chosen by what tells its conditions apart."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from biaskit.charts.sweep_rows import with_names
from biaskit.errors import ExportError

__all__ = ["condition_words", "network_rows", "of_one_class"]

_PLAIN = ("protocol", "direction")  # words that need none before them
_SILENT = {"fill": "none"}
_UNITS = {"jitter": " px"}


def network_rows(
    table: pd.DataFrame,
    *,
    network: str | Sequence[str] | None = None,
    variants: bool = False,
    most: int = 10,
    **conditions: str | int | None,
) -> pd.DataFrame:
    """
    Return the rows of one condition, and of some networks, with their ``name``.

    Parameters
    ----------
    table : DataFrame
        Any table with the columns ``network`` and ``variant``.
    network : str or sequence of str, optional
        Names, with the variant behind a blank unless it is plain; all by default.
    variants : bool
        Whether the name of a network stands for all its variants.
    most : int
        How many names one chart can show.
    **conditions
        Column and value; None as long as the table holds one value only.

    Raises
    ------
    ExportError
        If nothing is left, several conditions are, or too many networks; the message names
        what is there. Not for a table without rows.

    Examples
    --------
    >>> table = pd.DataFrame({"network": "a", "variant": "plain", "fill": ["mean", "black"]})
    >>> network_rows(table, fill="mean")["name"].tolist()
    ['a']
    >>> network_rows(table, fill=None)
    Traceback (most recent call last):
    ...
    biaskit.errors.ExportError: there are several: fill black; fill mean. Choose one by fill.
    """
    if table.empty:
        return with_names(table)
    keep = np.ones(len(table), bool)
    for key, value in conditions.items():
        keep &= True if value is None else (table[key] == value).to_numpy(bool)
    if not keep.any():
        asked = {key: value for key, value in conditions.items() if value is not None}
        raise ExportError(
            f"there is nothing with {_words(asked)}. There are: {_listed(table, list(conditions))}."
        )
    rows = with_names(table[keep])
    rows["name"] = rows["name"].str.strip()
    if network is not None:
        rows = _of_networks(
            rows, [network] if isinstance(network, str) else list(network), variants
        )
    there = rows[list(conditions)].drop_duplicates()
    if conditions and len(there) > 1:
        several = [key for key in conditions if there[key].nunique() > 1]
        raise ExportError(
            f"there are several: {_listed(rows, list(conditions))}. Choose one by "
            f"{' and '.join(several)}."
        )
    names = rows["name"].unique()
    if len(names) > most:
        raise ExportError(
            f"{len(names)} networks are too many for one chart, expected {most} at most. Choose "
            f"some of {', '.join(names)}."
        )
    return rows.reset_index(drop=True)


def of_one_class(rows: pd.DataFrame) -> pd.DataFrame:
    """
    Return the rows of all classes together; where there are none, those of the only class.

    Raises
    ------
    ExportError
        If they are of several classes.

    Examples
    --------
    >>> of_one_class(pd.DataFrame({"category": ["", "cat"], "accuracy": [0.5, 0.7]}))["accuracy"]
    0    0.5
    Name: accuracy, dtype: float64
    """
    if (rows["category"] == "").any():
        return rows[rows["category"] == ""]
    if rows["category"].nunique() > 1:
        raise ExportError("the rows are of several categories; choose one.")
    return rows


def condition_words(rows: pd.DataFrame, columns: Sequence[str]) -> str:
    """
    Say in words what condition the rows are of.

    Examples
    --------
    >>> condition_words(pd.DataFrame({"direction": ["vertical"], "jitter": [8]}),
    ...     ["direction", "jitter"])
    'vertical, jitter 8 px'
    """
    return _listed(rows, columns)


def _of_networks(rows: pd.DataFrame, wanted: list[str], variants: bool) -> pd.DataFrame:
    keep = np.zeros(len(rows), bool)
    for name in wanted:
        own = (rows["name"] == name).to_numpy(bool)
        if variants:
            own = own | (rows["network"] == name).to_numpy(bool)
        if not own.any():
            there = ", ".join(rows["name"].unique())
            raise ExportError(f"network '{name}' is not there. There are: {there}.")
        keep |= own
    return rows[keep]


def _listed(table: pd.DataFrame, columns: Sequence[str]) -> str:
    there = table[list(columns)].drop_duplicates().sort_values(list(columns))
    return "; ".join(_words(row) for row in there.to_dict("records"))


def _words(condition: dict) -> str:
    shown = {k: v for k, v in condition.items() if _SILENT.get(k) != v} or condition
    return ", ".join(
        str(value) if key in _PLAIN else f"{key} {value}{_UNITS.get(key, '')}"
        for key, value in shown.items()
    )
