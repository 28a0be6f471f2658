"""Probabilities of the true class as a grid, images by steps, in one of three orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from biaskit.charts.sweep_rows import one_sweep, positions
from biaskit.errors import ExportError

__all__ = ["ORDERS", "ShiftGrid", "shift_grids"]

ORDERS = {
    "sum": "sum",
    "box": "box",
    "jaggedness": "number of transitions",
}
_ROW = ["name", "image_id", "object", "pass"]
_COLUMNS = 512  # places on the axis; where there are more, frames stand by their number


@dataclass(frozen=True)
class ShiftGrid:
    """
    What one network said to every image at every step.

    Attributes
    ----------
    name : str
        The network's, and its variant's.
    rows : DataFrame
        image_id, object, pass and key (what the rows are sorted by), from the top.
    at : float array, shape (n_columns,)
        Where the columns lie on the axis.
    values : float array, shape (n_rows, n_columns)
        Probability of the true class; NaN where a sequence has no frame.
    n_images : int
    n_unlabelled : int
        Images left out, since their true class is unknown or none of the network's.
    axis : str
        Title of the axis.
    """

    name: str
    rows: pd.DataFrame
    at: np.ndarray
    values: np.ndarray
    n_images: int
    n_unlabelled: int
    axis: str


def shift_grids(
    frames: pd.DataFrame,
    swept: pd.DataFrame,
    jaggedness: pd.DataFrame,
    *,
    sort: str = "sum",
    network: str | Sequence[str] | None = None,
    protocol: str | None = None,
    direction: str | None = None,
    fill: str | None = None,
) -> list[ShiftGrid]:
    """
    Lay the frames of one sweep out as a grid per network.

    Parameters
    ----------
    frames, swept, jaggedness : DataFrame
        Tables of these names; ``swept`` gives the boxes' areas, ``jaggedness`` the transitions.
    sort : {"sum", "box", "jaggedness"}
        What decides the order of the rows, the largest first; ties by sum, then by name.
    network, protocol, direction, fill
        Which sweep; see ``biaskit.charts.sweep_rows.one_sweep``.

    Returns
    -------
    list of ShiftGrid
        In the order of the networks' names.

    Raises
    ------
    ExportError
        If the sweep is not there or not one, no true class is known, or the order is unknown
        or cannot be had.

    Examples
    --------
    >>> from biaskit.tables import FRAMES, JAGGEDNESS, SWEPT
    >>> shift_grids(FRAMES.empty(), SWEPT.empty(), JAGGEDNESS.empty())
    []
    """
    if sort not in ORDERS:
        raise ExportError(f"sort is '{sort}', expected {', '.join(ORDERS)}.")
    choice: dict[str, Any] = {
        "network": network,
        "protocol": protocol,
        "direction": direction,
        "fill": fill,
    }
    rows = one_sweep(frames, **choice)
    if len(rows) and rows["p_true"].isna().all():
        raise ExportError(
            "no image's true class is known, so there is no probability of it to draw. Name the "
            "classes by biaskit sweep --labels FILE, or put the photographs in folders of "
            "their classes."
        )
    keys = _keys(sort, swept, jaggedness, choice)
    return [_grid(str(name), part, sort, keys) for name, part in rows.groupby("name", sort=True)]


def _keys(
    sort: str, swept: pd.DataFrame, jaggedness: pd.DataFrame, choice: dict[str, Any]
) -> pd.Series:
    """Return what rows are sorted by, indexed by what tells them apart."""
    if sort == "box":
        return one_sweep(swept, **choice).set_index(["name", "image_id", "object"])["box_area"]
    if sort == "jaggedness":
        rows = one_sweep(jaggedness[jaggedness["lag"] == 1], **choice)
        if len(rows) and rows["transitions"].isna().all():
            raise ExportError(
                "rows cannot be sorted by jaggedness: no transition in or out of the top 5 is "
                "known, as with fewer than 6 classes. Sort by sum instead."
            )
        return rows.set_index(_ROW)["transitions"]
    return pd.Series(dtype=float)


def _grid(name: str, frames: pd.DataFrame, sort: str, keys: pd.Series) -> ShiftGrid:
    known = frames[frames["p_true"].notna()].reset_index(drop=True)
    where, axis = positions(known)
    where = where.round(6)
    at, column = np.unique(where, return_inverse=True)
    steps = known["step"].to_numpy()
    if np.isnan(where).any() or len(at) > _COLUMNS or not _even(at):
        (at, column), axis = np.unique(steps, return_inverse=True), "number of the frame"
    number = known.groupby(_ROW, sort=True, observed=True).ngroup().to_numpy()
    rows = known.loc[~pd.Series(number).duplicated(), _ROW].sort_values(_ROW, ignore_index=True)
    values = np.full((len(rows), len(at)), np.nan)
    values[number, column] = known["p_true"]
    total = np.nansum(values, axis=1)
    if sort == "sum":
        key = total
    else:
        index = _ROW if sort == "jaggedness" else _ROW[:-1]
        key = keys.reindex(pd.MultiIndex.from_frame(rows[index])).to_numpy(float)
    order = np.lexsort((np.arange(len(rows)), -total, np.where(np.isnan(key), np.inf, -key)))
    unknown = frames["image_id"].nunique() - known["image_id"].nunique()
    rows = rows.drop(columns="name").assign(key=key).iloc[order].reset_index(drop=True)
    n_images = int(known["image_id"].nunique())
    return ShiftGrid(name, rows, at.astype(float), values[order], n_images, unknown, axis)


def _even(at: np.ndarray) -> bool:
    gaps = np.diff(at)
    return len(gaps) == 0 or bool(np.allclose(gaps, gaps[0], rtol=1e-3, atol=1e-4))
