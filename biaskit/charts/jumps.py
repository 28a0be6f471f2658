"""The largest jump: the two frames in a row between which the answer changes most."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from biaskit.charts.sweep_rows import with_names
from biaskit.errors import ExportError

__all__ = ["Jump", "largest_jump", "sequence_of"]

_SEQUENCE = ["name", "protocol", "direction", "fill", "image_id", "object", "pass"]


@dataclass(frozen=True)
class Jump:
    """
    Two frames of a sequence that follow each other.

    Attributes
    ----------
    name : str
        The network's, and its variant's.
    image_id : str
    object_number, pass_number : int
        Of the sequence.
    step : int
        Of the first of the two.
    size : float
        Change of the probability, with its sign.
    of : {"p_true", "p_first"}
        Whose probability: the true class's, or the first frame's where no true class is known.
    """

    name: str
    image_id: str
    object_number: int
    pass_number: int
    step: int
    size: float
    of: str


def largest_jump(frames: pd.DataFrame) -> Jump | None:
    """
    Find the largest change of a probability from one frame to the next.

    Parameters
    ----------
    frames : DataFrame
        A table ``frames``, or its keys with ``p_true`` and ``p_first``; its rows in any order.

    Returns
    -------
    Jump or None
        Of the true class, or of the first frame's if no true class is known. Of equal ones the
        first in the order of the keys; None if no sequence has two frames.

    Examples
    --------
    >>> names = {"network": "a", "variant": "plain", "protocol": "roll", "direction": "vertical"}
    >>> names |= {"fill": "none", "image_id": "1", "object": -1, "pass": 0, "p_first": 0.5}
    >>> frames = pd.DataFrame([names | {"step": s, "p_true": p} for s, p in
    ...     enumerate([0.1, 0.2, 0.9, 0.8])])
    >>> jump = largest_jump(frames)
    >>> jump.step, round(jump.size, 6)
    (1, 0.7)
    """
    rows = with_names(frames)
    column = "p_true" if rows["p_true"].notna().any() else "p_first"
    rows = rows[rows[column].notna()].sort_values([*_SEQUENCE, "step"], ignore_index=True)
    same = ~rows[_SEQUENCE].ne(rows[_SEQUENCE].shift()).any(axis=1).to_numpy(bool)
    change = np.where(same, rows[column].diff().to_numpy(float), 0.0)
    if not same.any():
        return None
    at = int(np.abs(change).argmax()) or 1
    before = rows.iloc[at - 1]
    return Jump(
        str(before["name"]),
        str(before["image_id"]),
        int(before["object"]),
        int(before["pass"]),
        int(before["step"]),
        float(change[at]),
        column,
    )


def sequence_of(rows: pd.DataFrame, image: str | None) -> tuple[pd.DataFrame, Jump | None]:
    """
    Return the frames of one image, by every network, along the sequence of its largest jump.

    Parameters
    ----------
    rows : DataFrame
        Of one sweep, with ``name``, as ``one_sweep`` returns.
    image : str or None
        Id; None takes the image of the largest jump.

    Raises
    ------
    ExportError
        If the image was not swept, or has but one frame.

    Examples
    --------
    >>> from biaskit.charts.sweep_rows import one_sweep
    >>> from biaskit.tables import FRAMES
    >>> sequence_of(one_sweep(FRAMES.empty()), None)[1] is None
    True
    """
    if rows.empty:
        return rows, None
    if image is not None:
        there = rows["image_id"].unique()
        rows = rows[rows["image_id"] == image]
        if rows.empty:
            some = ", ".join(sorted(map(str, there))[:3])
            raise ExportError(
                f"image '{image}' was not swept so; there are {len(there):,}, such as {some}."
            )
    jump = largest_jump(rows)
    if jump is None:
        raise ExportError("every sequence has one frame only: there is no curve to draw.")
    keep = (
        (rows["image_id"] == jump.image_id)
        & (rows["object"] == jump.object_number)
        & (rows["pass"] == jump.pass_number)
    )
    return rows[keep].sort_values(["name", "step"], ignore_index=True), jump
