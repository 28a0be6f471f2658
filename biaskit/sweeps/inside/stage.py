"""The stage ``biaskit shiftability``: sums of maps under shift into the study's tables."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from biaskit.errors import NetworkError
from biaskit.provenance import differences, provenance
from biaskit.study import Study
from biaskit.sweeps.inside.maps import feature_maps
from biaskit.sweeps.inside.runner import ChunkSums, InsideSetup
from biaskit.sweeps.inside.tables import (
    by_image,
    layers_table,
    shiftability_by,
    shiftability_table,
)
from biaskit.sweeps.networks.layers import Layer, find_layers
from biaskit.sweeps.networks.probing import probe_layers
from biaskit.sweeps.parts import PARTED, run_id
from biaskit.sweeps.preparing import prepare_image
from biaskit.sweeps.sequences import SWEEP
from biaskit.sweeps.stage import SWEEP_LIBRARIES, SweepRun, Work
from biaskit.tables import FEATURE_MAPS, LAYERS

__all__ = [
    "INSIDE",
    "check_layers",
    "keep_layers",
    "keep_maps",
    "left_out",
    "merge_inside",
    "sum_up_inside",
]

N_RESAMPLES = 1000


def _tables(run: SweepRun, found: ChunkSums) -> Mapping[str, pd.DataFrame]:
    return {"shiftability": shiftability_table(run.names, found, seed=run.setup.plan.seed)}


def _beside(_run: SweepRun, found: ChunkSums) -> Mapping[str, Any]:
    return {"left_out": found.refused}


INSIDE = Work(
    "biaskit.sweeps.inside.runner:sum_chunks", PARTED["shiftability"], _tables, beside=_beside
)


def check_layers(run: SweepRun, names: Sequence[str] = ()) -> list[Layer]:
    """
    Find the layers of a run before any work is done, and refuse names that are none.

    Parameters
    ----------
    run : SweepRun
    names : sequence of str
        Layers that are to be pictured.

    Returns
    -------
    list of Layer

    Raises
    ------
    NetworkError
        If a pattern matches nothing, or a name is no layer's.
    """
    side = run.network.preprocessing.input_size
    layers = find_layers(run.network.module, side, _setup(run).others)
    known = [layer.name for layer in layers]
    wrong = [name for name in names if name not in known]
    if wrong:
        near = difflib.get_close_matches(wrong[0], known, n=1, cutoff=0.5) or known[:1]
        raise NetworkError(
            f"--picture {wrong[0]}: {run.network.name} has no such layer. Did you mean "
            f"{near[0] if near else 'another network'}? The table layers names all; --layer adds."
        )
    return layers


def keep_layers(study: Study, run: SweepRun, layers: Sequence[Layer]) -> None:
    """
    Measure the layers of a network, unless the study has them, and keep them.

    Parameters
    ----------
    study : Study
        The caller holds its lock.
    run : SweepRun
    layers : sequence of Layer
        As `check_layers` returns them.
    """
    network, variant = run.network.name, run.network.variant
    label = f"{network} {variant}"
    how = {**run.setup.request.describe(), "side": run.network.preprocessing.input_size}
    old = study.read("layers") if study.has("layers") else LAYERS.empty()
    beside = (study.provenance("layers") or {}).get("networks", {}) if len(old) else {}
    own = old[(old["network"] == network) & (old["variant"] == variant)]
    names = [layer.name for layer in layers]
    if beside.get(label) == how and set(names) <= set(own["layer"]):
        return
    new = layers_table(
        network, variant, layers, probe_layers(run.network.module, how["side"], layers)
    )
    # Layers that only another run of this network has read stay: its sums need them.
    rest = old.drop(own.index[own["layer"].isin(names)])
    _put(study, "layers", rest, new, {"networks": {**beside, label: how}})


def keep_maps(study: Study, run: SweepRun, names: Sequence[str] = ()) -> None:
    """
    Keep feature maps of the first image that has frames, unless the study has them.

    Parameters
    ----------
    study : Study
        The caller holds its lock.
    run : SweepRun
    names : sequence of str
        Layers; by default some, evenly in depth.
    """
    old = study.read("feature_maps") if study.has("feature_maps") else FEATURE_MAPS.empty()
    beside = (study.provenance("feature_maps") or {}).get("sweeps", {}) if len(old) else {}
    label, how = " ".join(run.names.values()), [run_id(run.provenance()), *names]
    if beside.get(label) == how:
        return
    setup = _setup(run)
    for image, boxes in ((i, c.boxes.get(i.image_id)) for c in run.chunks for i in c.images):
        prepared = prepare_image(Path(setup.folder), image, setup.plan, boxes)
        if prepared.sequences:
            break
    else:
        return
    new = feature_maps(setup, prepared, network=run.network, names=names)
    same = np.logical_and.reduce([(old[k] == v).to_numpy() for k, v in run.names.items()])
    _put(study, "feature_maps", old[~same], new, {"sweeps": {**beside, label: how}})


def _put(
    study: Study, table: str, rest: pd.DataFrame, new: pd.DataFrame, more: dict[str, Any]
) -> None:
    schema = study.schemas[table]
    rows = schema.sort(pd.concat([rest, new], ignore_index=True) if len(rest) else new)
    made = provenance(inputs=[], options={}, seed=None, libraries=SWEEP_LIBRARIES)
    study.write(table, schema.check(rows, table), {**made, **more})


def merge_inside(study: Study, others: Sequence[Study]) -> None:
    """
    Take what other studies, such as those of shards, hold of layers and maps.

    Parameters
    ----------
    study : Study
        The caller holds its lock.
    others : sequence of Study
    """
    for table, by, words in (("layers", ["network", "variant"], "networks"),
                             ("feature_maps", list(SWEEP), "sweeps")):  # fmt: skip
        for other in others:
            if not other.has(table):
                continue
            old = study.read(table) if study.has(table) else study.schemas[table].empty()
            beside = (study.provenance(table) or {}).get(words, {}) if len(old) else {}
            theirs = other.read(table)
            known = set(old[by].itertuples(index=False, name=None))
            unknown = [t not in known for t in theirs[by].itertuples(index=False, name=None)]
            if any(unknown):
                more = (other.provenance(table) or {}).get(words, {})
                _put(study, table, old, theirs[unknown], {words: {**more, **beside}})


def _setup(run: SweepRun) -> InsideSetup:
    if not isinstance(run.setup, InsideSetup):
        raise TypeError(f"not a setup of the sums over maps: {type(run.setup).__name__}")
    return run.setup


def sum_up_inside(study: Study, *, seed: int) -> None:
    """
    Make ``shiftability_by`` anew from all parts of ``shiftability``.

    Parameters
    ----------
    study : Study
        The caller holds its lock.
    seed : int
        Of the resamples.
    """
    parts = [p for p in study.parts("shiftability") if study.has_part("shiftability", p)]
    if not parts or not study.has("layers"):
        return
    now = provenance(
        inputs=[study.digest("shiftability"), study.digest("layers")],
        options={"resamples": N_RESAMPLES},
        seed=seed,
    )
    if study.has("shiftability_by"):
        beside = study.provenance("shiftability_by") or {}
        if not differences(beside, now):
            return
    folder = study.folder / "shiftability"
    images = [by_image(pq.read_table(folder / f"{part}.parquet").to_pandas()) for part in parts]
    table = shiftability_by(
        pd.concat(images, ignore_index=True),
        study.read("layers"),
        seed=seed,
        n_resamples=N_RESAMPLES,
    )
    study.write("shiftability_by", table, now)


def left_out(study: Study, table: str, names: Mapping[str, str]) -> dict[str, str]:
    """
    Return the images of a run that have no frames, by id, and why.

    Parameters
    ----------
    study : Study
    table : str
        One whose parts say so: ``shiftability`` or ``votes``.
    names : mapping
        The sweep's first columns.
    """
    found: dict[str, str] = {}
    for beside in study.parts(table).values():
        if beside.get("sweep") == dict(names):
            found |= beside.get("left_out", {})
    return found
