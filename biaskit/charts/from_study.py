"""What the charts of sweeps need of a study: only the rows and columns they draw, part by part."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from biaskit.charts.jumps import largest_jump, sequence_of
from biaskit.charts.remade_frames import remade_frames
from biaskit.charts.sweep_rows import one_sweep
from biaskit.errors import ExportError
from biaskit.study import Study
from biaskit.sweeps.sequences import MEANT, SWEEP
from biaskit.sweeps.steps_curve import first_transitions
from biaskit.tables import FRAMES

__all__ = ["curve_pictures", "tables_of"]

_KEYS = [*SWEEP, "image_id", "category", "object", "pass", "step"]
_MAP = [*_KEYS, "dx", "dy", "scale", "p_true"]
_JUMP = [*_KEYS, "p_true", "p_first"]
_CURVES = ("curve", "film", "sweep")

Where = list[tuple[str, str, Any]]


def tables_of(
    study: Study,
    chart: str,
    tables: Sequence[str],
    *,
    image: str | None = None,
    category: str | None = None,
    network: Sequence[str] | None = None,
    protocol: str | None = None,
    direction: str | None = None,
    fill: str | None = None,
) -> dict[str, pd.DataFrame]:
    """
    Read what a chart of sweeps is drawn from; frames of all images are never in memory whole.

    Parameters
    ----------
    study : Study
    chart : str
        Its name in ``CHARTS``, or ``sweep``.
    tables : sequence of str
        The tables it needs.
    image, category : str, optional
        Only this image, or images of this class.
    network, protocol, direction, fill
        Which sweep; see ``biaskit.charts.sweep_rows.one_sweep``.

    Returns
    -------
    dict
        From the tables' names to the rows of one sweep, as the chart's function takes them.

    Raises
    ------
    StudyError
        If a table is not there.
    ExportError
        If the sweep is not there or not one, or the image was not swept.

    Examples
    --------
    >>> import tempfile
    >>> tables_of(Study(Path(tempfile.mkdtemp()) / "study"), "lags", ["jaggedness"])
    Traceback (most recent call last):
    ...
    biaskit.errors.StudyError: study: has no table 'swept' yet. To make it: biaskit sweep IMAGES \
--network NAME
    """
    there = study.read("swept", [*SWEEP, "image_id", "n_frames", "reason"])
    protocol = "film" if chart == "film" else protocol
    choice: dict[str, Any] = {
        "network": network,
        "protocol": protocol,
        "direction": direction,
        "fill": fill,
    }
    rows = one_sweep(there, **choice)
    where: Where = [
        (k, "=", rows[k].iloc[0]) for k in ("protocol", "direction", "fill") if len(rows)
    ]
    if category is not None:
        where.append(("category", "=", category))
    if chart in _CURVES and len(rows):
        if image is not None:
            _check_image(rows, image)
        where.append(("image_id", "=", image or _most_jagged(study, where, network)))
    found = {}
    for table in tables:
        if table == "networks":
            found[table] = study.read(table)
        elif table == "frames" and chart == "steps":
            found[table] = _transitions(study, where)
        else:
            columns = _MAP if table == "frames" and chart == "shifts" else None
            kept = where
            if table == "jaggedness_by":
                kept = [w for w in where if w[0] != "image_id"]
            elif table == "jaggedness" and chart != "lags":
                kept = [*where, ("lag", "=", 1)]
            found[table] = study.read(table, columns, kept)
    return found


def _check_image(rows: pd.DataFrame, image: str) -> None:
    own = rows[rows["image_id"] == image]
    if own.empty:
        some = ", ".join(sorted(rows["image_id"].unique())[:3])
        n = rows["image_id"].nunique()
        raise ExportError(f"image '{image}' was not swept so; there are {n:,}, such as {some}.")
    if not (own["n_frames"] > 0).any():
        raise ExportError(f"image '{image}' was left out of the sweep: {own['reason'].iloc[0]}.")


def _most_jagged(study: Study, where: Where, network: Sequence[str] | None) -> str:
    """Find the image of the largest jump, part by part."""
    best, size, of_true = "", -1.0, False
    for rows in _parts(study, where, _JUMP):
        chosen = one_sweep(rows)
        if network:
            chosen = chosen[chosen["name"].isin(list(network))]
        jump = largest_jump(chosen) if len(chosen) else None
        if jump is None:
            continue
        # A jump of the first frame's class counts only where no true class is known at all.
        true = jump.of == "p_true"
        if (true, abs(jump.size)) > (of_true, size):
            best, size, of_true = jump.image_id, abs(jump.size), true
    if not best:
        raise ExportError("every sequence has one frame only: there is no curve to draw.")
    return best


def _transitions(study: Study, where: Where) -> pd.DataFrame:
    found = [
        first_transitions(rows, n_classes=MEANT) for rows in _parts(study, where, None) if len(rows)
    ]
    empty = first_transitions(FRAMES.empty(), n_classes=MEANT)
    return pd.concat(found, ignore_index=True) if found else empty


def _parts(study: Study, where: Where, columns: list[str] | None) -> Iterator[pd.DataFrame]:
    """Yield the chosen rows of ``frames``, one part at a time; no sequence is cut by a part."""
    wanted = {key: word for key, _, word in where if key in SWEEP}
    for part, beside in study.parts("frames").items():
        sweep = beside.get("sweep", wanted)
        if any(sweep.get(key) != word for key, word in wanted.items()):
            continue
        file = study.folder / "frames" / f"{part}.parquet"
        file = file if file.is_file() else study.folder / "frames.parquet"
        names = columns or list(FRAMES.columns)
        yield pq.read_table(file, columns=names, filters=where or None).to_pandas()


def curve_pictures(
    study: Study, tables: Mapping[str, pd.DataFrame], images: Path, *, image: str | None = None
) -> list[np.ndarray]:
    """
    Make the two frames around the largest jump again.

    Parameters
    ----------
    study : Study
    tables : mapping
        What ``tables_of`` returns for ``curve`` or ``film``.
    images : Path
        The folder of photographs, or the film.
    image : str, optional
        As in ``curve``.

    Raises
    ------
    ExportError
        As ``biaskit.charts.remade_frames.remade_frames``.

    Examples
    --------
    >>> curve_pictures(Study(Path("no study")), {"frames": FRAMES.empty()}, Path("photos"))
    []
    """
    rows, jump = sequence_of(one_sweep(tables["frames"]), image)
    if jump is None:
        return []
    own = rows[rows["name"] == jump.name]
    return list(remade_frames(study, own, images, steps=[jump.step, jump.step + 1]))
