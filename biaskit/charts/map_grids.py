"""Which feature maps stand in a picture, with their sums: layers by shifts, of one image."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from biaskit.charts.sweep_rows import positions
from biaskit.errors import ExportError

__all__ = ["COLUMNS", "MapGrid", "MapRow", "ShownMap", "chosen_layers", "map_grid", "map_values"]

COLUMNS, _LAYERS = 6, 6  # of a picture; layers unless more are asked for


@dataclass(frozen=True)
class ShownMap:
    """One map: its place from the left, its values, their sum, and how far that is off."""

    column: int
    values: np.ndarray  # shape (height, width); 0: the layer's least over all shifts; 1: greatest
    total: float
    off: float  # the sum less the mean over all shifts, of the size of that mean; NaN if it is 0


@dataclass(frozen=True)
class MapRow:
    """
    The maps of one channel of a layer.

    Attributes
    ----------
    layer : str
    depth, channel : int
    low, high : float
        What the values 0 and 1 stand for.
    mean : float
        Of the sums over all shifts, not only those shown.
    maps : list of ShownMap
    """

    layer: str
    depth: int
    channel: int
    low: float
    high: float
    mean: float
    maps: list[ShownMap]


@dataclass(frozen=True)
class MapGrid:
    """
    What is shown of one network and image.

    Attributes
    ----------
    name, image : str
    rows : list of MapRow
        From the first layer to the deepest.
    shifts : list of str
        What stands above the columns.
    axis : str
        What the shifts are.
    part : list of str
        Of how much it is a part, where something is left out.
    """

    name: str
    image: str
    rows: list[MapRow]
    shifts: list[str]
    axis: str
    part: list[str]


def map_grid(
    rows: pd.DataFrame, *, image: str | None = None, layers: Sequence[str] | None = None
) -> MapGrid:
    """
    Choose the maps of a picture.

    Parameters
    ----------
    rows : DataFrame
        Of one sweep of the table ``feature_maps``, with ``name``.
    image : str, optional
        By default the first of the first network.
    layers : sequence of str, optional
        By default six at most, from the first to the deepest.

    Raises
    ------
    ExportError
        If the image or a layer is not there, or a map's levels are not as many as its places.

    Examples
    --------
    >>> one = dict.fromkeys(["depth", "channel", "step", "dy", "low"], 0) | {"name": "a"}
    >>> one |= {"image_id": "b", "layer": "c", "direction": "vertical", "levels": "gA=="}
    >>> one |= {"height": 1, "width": 1, "high": 1.0, "sum": 2.0}
    >>> map_grid(pd.DataFrame([one])).rows[0].maps[0].off
    0.0
    """
    own = _of_one_image(rows, image)
    names = chosen_layers(own, layers)
    steps = np.unique(own["step"])
    # Steps far apart would hide what is to be seen: shifts by whole strides change no sum.
    first = max(0, (len(steps) - COLUMNS) // 2)
    shown = steps[first : first + COLUMNS]
    shifts, axis = _shifts(own, shown)
    channels = int(own.groupby("layer")["channel"].nunique().max())
    counts = {
        "layers": (len(names), own["layer"].nunique()),
        "shifts": (len(shown), len(steps)),
        "channels": (1, channels),
        "images": (1, rows.loc[rows["name"] == own["name"].iloc[0], "image_id"].nunique()),
        "networks": (1, rows["name"].nunique()),
    }
    return MapGrid(
        name=str(own["name"].iloc[0]),
        image=str(own["image_id"].iloc[0]),
        rows=[_row(own[own["layer"] == name], shown) for name in names],
        shifts=shifts,
        axis=axis,
        part=[f"{few:,} of {many:,} {what}" for what, (few, many) in counts.items() if few < many],
    )


def chosen_layers(rows: pd.DataFrame, layers: Sequence[str] | None = None) -> list[str]:
    """
    Return names of layers from the first to the deepest: those asked for, or some all along.

    Parameters
    ----------
    rows : DataFrame
        Of one network and image of the table ``feature_maps``.
    layers : sequence of str, optional

    Raises
    ------
    ExportError
        If a layer is not there.

    Examples
    --------
    >>> rows = pd.DataFrame({"layer": list("abcdefghijk"), "depth": range(11), "height": 8})
    >>> chosen_layers(rows), chosen_layers(rows, ["c", "b"])
    (['a', 'c', 'e', 'g', 'i', 'k'], ['b', 'c'])
    """
    found = rows[["layer", "depth", "height"]].drop_duplicates("layer")
    # A pool has the depth of what it pools, and a smaller map.
    order = found.sort_values(["depth", "height"], ascending=[True, False], kind="stable")
    there = order["layer"].tolist()
    if layers is None:
        at = np.linspace(0, len(there) - 1, min(_LAYERS, len(there))).round().astype(int)
        return [there[k] for k in at]
    wanted = [layers] if isinstance(layers, str) else list(layers)
    lacking = [name for name in wanted if name not in there]
    if lacking:
        raise ExportError(f"layer '{lacking[0]}' has no maps here; {_some(there)}.")
    return [name for name in there if name in wanted]


def map_values(levels: str, *, height: int, width: int) -> np.ndarray:
    """
    Read a map's levels.

    Parameters
    ----------
    levels : str
        Of the table ``feature_maps``: a byte for each place, row by row, in base64.
    height, width : int
        Places.

    Returns
    -------
    float array, shape (height, width)
        From 0, the layer's least value, to 1, its greatest.

    Raises
    ------
    ExportError
        If it is no base64, or of another length.

    Examples
    --------
    >>> map_values(base64.b64encode(bytes([0, 255])).decode(), height=1, width=2).tolist()
    [[0.0, 1.0]]
    """
    try:
        content = base64.b64decode(levels, validate=True)
    except (binascii.Error, ValueError):
        raise ExportError("a map's levels are no base64.") from None
    if len(content) != height * width:
        raise ExportError(
            f"a map has {len(content):,} levels, expected {height} x {width} = {height * width:,}."
        )
    return np.frombuffer(content, np.uint8).reshape(height, width) / 255


def _of_one_image(rows: pd.DataFrame, image: str | None) -> pd.DataFrame:
    """Return the rows of the first network, and of the image asked for, or its first."""
    own = rows[rows["name"] == min(rows["name"])]
    there = sorted(own["image_id"].unique())
    if image is not None and image not in there:
        raise ExportError(f"image '{image}' has no maps here; {_some(there)}.")
    return own[own["image_id"] == (there[0] if image is None else image)]


def _some(there: list[str]) -> str:
    return f"there are {len(there):,}, such as {', '.join(there[:3])}"


def _shifts(rows: pd.DataFrame, steps: np.ndarray) -> tuple[list[str], str]:
    """Return the words above the columns, and what they are."""
    first = rows.drop_duplicates("step").set_index("step").loc[list(steps)].reset_index()
    at, axis = positions(first.assign(scale=np.nan))
    if np.isnan(at).any():
        at, axis = steps.astype(float), "number of the frame"
    return [f"{value:g}".replace("-", "−") for value in at], axis


def _row(layer: pd.DataFrame, steps: np.ndarray) -> MapRow:
    # The first channel that is not 0 at every shift, else the first.
    alive = layer[layer["sum"] != 0]
    channel = int((alive if len(alive) else layer)["channel"].min())
    layer = layer[layer["channel"] == channel]
    one, mean, maps = layer.iloc[0], float(layer["sum"].mean()), []
    column_of = {step: k for k, step in enumerate(steps.tolist())}
    for row in layer[layer["step"].isin(steps)].to_dict("records"):
        values = map_values(row["levels"], height=int(row["height"]), width=int(row["width"]))
        off = (row["sum"] - mean) / abs(mean) if mean else np.nan
        maps.append(ShownMap(column_of[row["step"]], values, float(row["sum"]), float(off)))
    return MapRow(
        layer=str(one["layer"]),
        depth=int(one["depth"]),
        channel=channel,
        low=float(one["low"]),
        high=float(one["high"]),
        mean=mean,
        maps=maps,
    )
