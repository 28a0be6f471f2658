"""
One row per image: what several sequences over the same image say together, at lag 1.

The image is the unit of every share and interval over images. It may have been swept several
times (rows of a grid, pairs of windows, objects); such sequences resemble each other, and
counting each as an image would make intervals too short.
"""

import numpy as np
import pandas as pd

from biaskit.errors import TableError
from biaskit.tables import JAGGEDNESS

__all__ = ["MEANS", "image_values", "neighbours"]

MEANS = (
    "transitions_per_step",
    "p_top1_change",
    "mean_abs_change",
    "accuracy",
    "accuracy_top5",
    "fidelity",
    "confidence",
)
# The word that claims least comes first: it is the group's if any of its images has it.
_SEEN = ("training", "unknown", "held out")


def neighbours(jaggedness: pd.DataFrame) -> pd.DataFrame:
    """
    Return the rows at lag 1 in the order of their keys.

    Raises
    ------
    TableError
        If a column is missing.

    Examples
    --------
    >>> len(neighbours(JAGGEDNESS.empty()))
    0
    """
    for name in JAGGEDNESS.columns:
        if name not in jaggedness.columns:
            raise TableError(
                f"jaggedness: column '{name}' is missing. A table 'jaggedness' has the columns "
                f"{', '.join(JAGGEDNESS.columns)}."
            )
    return JAGGEDNESS.sort(jaggedness[jaggedness["lag"] == 1])


def image_values(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """
    Join the sequences of each image.

    Parameters
    ----------
    rows : DataFrame
        Rows of ``jaggedness`` at lag 1, in the order of their keys.
    keys : list of str
        What tells images apart, such as the sweep and ``image_id``.

    Returns
    -------
    DataFrame
        A row per image, sorted by ``keys``: those of ``MEANS`` averaged over its sequences;
        ``n_steps`` summed; ``jagged`` and ``ever_top5``, 1 if any sequence is; ``worst`` and
        ``right_first``, 1 if all are; ``seen``, the most cautious word. Missing where no
        sequence knows.

    Examples
    --------
    >>> from biaskit.sweeps.sequences import SWEEP
    >>> image_values(JAGGEDNESS.empty(), [*SWEEP, "image_id"]).columns.tolist()[-5:]
    ['jagged', 'ever_top5', 'worst', 'right_first', 'seen']
    """
    caution = pd.Categorical(rows["seen"], categories=_SEEN).codes
    rows = rows.assign(
        transitions_per_step=rows["transitions"] / rows["n_steps"],
        jagged=(rows["transitions"] > 0).astype(float).where(rows["transitions"].notna()),
        seen=caution.astype(np.int64),
    )
    how = dict.fromkeys(MEANS, "mean") | {"n_steps": "sum", "jagged": "max", "ever_top5": "max"}
    how |= {"worst": "min", "right_first": "min", "seen": "min"}
    images = rows.groupby(keys, sort=True, observed=True).agg(how).reset_index()
    words = np.array(_SEEN, dtype=object)[images["seen"].to_numpy(np.int64)]
    return images.assign(seen=pd.Series(words, index=images.index, dtype="str"))
