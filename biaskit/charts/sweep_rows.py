"""Rows of one sweep, for the charts of networks under shift: chosen, named, placed, and told."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from biaskit.charts.rows import plain_text
from biaskit.errors import ExportError

__all__ = [
    "NETWORK_COLOURS",
    "NETWORK_DASHES",
    "one_sweep",
    "place_words",
    "positions",
    "seen_words",
    "sweep_words",
    "with_names",
]

_CONDITIONS = ("protocol", "direction", "fill")
_MANY = 10  # networks in one chart: as many as there are colours with dashes
# Of Okabe and Ito, darkened where they would be lost on white; a second round is dashed.
NETWORK_COLOURS = ("#2b7fbf", "#d9780f", "#009e73", "#c2649a", "#8a7a00") * 2
NETWORK_DASHES = ([1, 0],) * 5 + ([5, 3],) * 5
_SEEN = {
    "held out": "held out from training",
    "training": "training images of the network",
    "unknown": "not known whether trained on",
}
_POSITIONS = {
    "vertical": ("dy", "shift down, px of the input"),
    "horizontal": ("dx", "shift to the right, px of the input"),
    "diagonal": ("dx", "shift to the right and down, px of the input"),
    "grid": ("dx", "shift to the right, px of the input"),
    "larger": ("scale", "longer side of the image, of the input's side"),
    "time": ("step", "frame of the film"),
}
_SHIFTED = {
    "vertical": "shift {dy:g} px down",
    "horizontal": "shift {dx:g} px right",
    "diagonal": "shift {dx:g} px right and down",
    "grid": "shift {dx:g} px right, {dy:g} down",
}


def one_sweep(
    table: pd.DataFrame,
    *,
    network: str | Sequence[str] | None = None,
    protocol: str | None = None,
    direction: str | None = None,
    fill: str | None = None,
) -> pd.DataFrame:
    """
    Return the rows of one protocol, direction and fill, and of some networks.

    Parameters
    ----------
    table : DataFrame
        Any table with the columns of a sweep.
    network : str or sequence of str, optional
        Names, with the variant behind a blank unless it is plain; all by default.
    protocol, direction, fill : str, optional
        Needed as far as the table holds several.

    Raises
    ------
    ExportError
        If nothing is left, or several sweeps are; the message names what is there. Not for a
        table without rows.

    Examples
    --------
    >>> names = {"network": "a", "variant": "plain", "direction": "vertical", "fill": "mean"}
    >>> table = pd.DataFrame([names | {"protocol": p} for p in ("embed", "roll")])
    >>> one_sweep(table, protocol="roll")["protocol"].tolist()
    ['roll']
    >>> one_sweep(table)
    Traceback (most recent call last):
    ...
    biaskit.errors.ExportError: there are several sweeps: embed, vertical, fill mean; roll, \
vertical, fill mean. Choose one by protocol, direction and fill.
    """
    if table.empty:
        return with_names(table)
    chosen = {"protocol": protocol, "direction": direction, "fill": fill}
    keep = np.ones(len(table), bool)
    for key, word in chosen.items():
        keep &= True if word is None else (table[key] == word).to_numpy(bool)
    if not keep.any():
        asked = ", ".join(f"{key} {word}" for key, word in chosen.items() if word is not None)
        raise ExportError(f"no sweep with {asked}. There are: {_listed(table)}.")
    rows = with_names(table[keep])
    if network is not None:
        rows = _of_networks(rows, [network] if isinstance(network, str) else list(network))
    if len(rows[list(_CONDITIONS)].drop_duplicates()) > 1:
        raise ExportError(
            f"there are several sweeps: {_listed(rows)}. Choose one by protocol, direction and "
            "fill."
        )
    names = rows["name"].unique()
    if len(names) > _MANY:
        raise ExportError(
            f"{len(names)} networks are too many for one chart, expected {_MANY} at most. Choose "
            f"some of {', '.join(names)}."
        )
    return rows.reset_index(drop=True)


def with_names(table: pd.DataFrame) -> pd.DataFrame:
    """
    Add the column ``name``: the network, and its variant unless that is plain.

    Examples
    --------
    >>> table = pd.DataFrame({"network": ["a", "a"], "variant": ["plain", "blur"]})
    >>> with_names(table)["name"].tolist()
    ['a', 'a blur']
    """
    network, variant = table["network"].astype("str"), table["variant"].astype("str")
    both = (network + " " + variant).where(variant != "plain", network)
    return table.assign(name=both)


def _of_networks(rows: pd.DataFrame, wanted: list[str]) -> pd.DataFrame:
    there = rows["name"].unique().tolist()
    lacking = [name for name in wanted if name not in there]
    if lacking:
        raise ExportError(
            f"network '{lacking[0]}' was not swept so. There are: {', '.join(there)}."
        )
    return rows[rows["name"].isin(wanted)]


def _listed(table: pd.DataFrame) -> str:
    there = table[list(_CONDITIONS)].astype("str").drop_duplicates()
    return "; ".join(_sweep(row) for row in sorted(there.itertuples(index=False, name=None)))


def _sweep(row: tuple[str, ...]) -> str:
    protocol, direction, fill = row
    return f"{protocol}, {direction}" + ("" if fill == "none" else f", fill {fill}")


def sweep_words(rows: pd.DataFrame) -> str:
    """
    Say in words what sweep the rows are of.

    Examples
    --------
    >>> sweep_words(pd.DataFrame({"protocol": ["roll"], "direction": ["vertical"],
    ...     "fill": ["none"]}))
    'roll, vertical'
    """
    return _listed(rows)


def seen_words(rows: pd.DataFrame) -> str:
    """
    Say whether the networks were trained on the images, by network where they differ.

    Parameters
    ----------
    rows : DataFrame
        Columns ``name`` and ``seen``.

    Examples
    --------
    >>> seen_words(pd.DataFrame({"name": ["a", "b"], "seen": ["held out", "training"]}))
    'images: a: held out from training; b: training images of the network'
    >>> seen_words(pd.DataFrame({"name": ["a"], "seen": ["unknown"]}))
    'images: not known whether trained on'
    """
    told: dict[str, list[str]] = {}
    for name, seen in rows.groupby("name", sort=False)["seen"]:
        words = " and ".join(_SEEN[word] for word in _SEEN if (seen == word).any())
        told.setdefault(words, []).append(plain_text(str(name)))
    if len(told) <= 1:
        return f"images: {next(iter(told), 'none')}"
    return "images: " + "; ".join(f"{', '.join(names)}: {words}" for words, names in told.items())


def positions(frames: pd.DataFrame) -> tuple[np.ndarray, str]:
    """
    Return where each frame lies on the axis of its sweep, and the axis' title.

    Parameters
    ----------
    frames : DataFrame
        Rows of one sweep of a table ``frames``.

    Returns
    -------
    float array
        Shifts in px of the input, scales, or numbers of frames.
    str

    Examples
    --------
    >>> where, title = positions(pd.DataFrame({"direction": ["vertical"] * 2, "dy": [-1.0, 0.0]}))
    >>> where.tolist(), title
    ([-1.0, 0.0], 'shift down, px of the input')
    """
    direction = str(frames["direction"].iloc[0]) if len(frames) else "any"
    column, title = _POSITIONS.get(direction, ("step", "number of the frame"))
    return frames[column].to_numpy(float), title


def place_words(frame: pd.Series) -> str:
    """
    Say in a few words where a frame lies in its sweep.

    Parameters
    ----------
    frame : Series
        A row of ``frames``.

    Examples
    --------
    >>> place_words(pd.Series({"direction": "vertical", "dx": 0.0, "dy": -3.0, "step": 2}))
    'shift -3 px down'
    """
    direction = frame["direction"]
    if direction == "larger":
        return f"longer side {frame['scale']:.3f} of the input"
    if direction not in _SHIFTED:
        return f"frame {int(frame['step'])}"
    return _SHIFTED[direction].format(dx=frame["dx"], dy=frame["dy"])
