"""The stage ``biaskit shiftability``: sums of maps under shift into the study's tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

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
from biaskit.sweeps.networks.calls import find_layers
from biaskit.sweeps.networks.probing import probe_layers
from biaskit.sweeps.parts import PARTED
from biaskit.sweeps.preparing import prepare_image
from biaskit.sweeps.stage import SWEEP_LIBRARIES, SweepRun, Work
from biaskit.tables import FEATURE_MAPS, LAYERS

__all__ = ["INSIDE", "keep_layers", "keep_maps", "left_out", "sum_up_inside"]

N_RESAMPLES = 1000


def _tables(run: SweepRun, found: ChunkSums) -> Mapping[str, pd.DataFrame]:
    return {"shiftability": shiftability_table(run.names, found, seed=run.setup.plan.seed)}


def _beside(_run: SweepRun, found: ChunkSums) -> Mapping[str, Any]:
    return {"left_out": found.refused}


INSIDE = Work(
    "biaskit.sweeps.inside.runner:sum_chunks", PARTED["shiftability"], _tables, beside=_beside
)


def keep_layers(study: Study, run: SweepRun, others: tuple[str, ...]) -> pd.DataFrame:
    """
    Measure the layers of a network, unless the study has them, and keep them.

    Parameters
    ----------
    study : Study
        The caller holds its lock.
    run : SweepRun
    others : tuple of str
        Patterns of the names of further modules.

    Returns
    -------
    DataFrame
        Rows of table ``layers`` of this network.
    """
    network, variant = run.network.name, run.network.variant
    side = run.network.preprocessing.input_size
    layers = find_layers(run.network.module, side, others)
    old = study.read("layers") if study.has("layers") else LAYERS.empty()
    own = old[(old["network"] == network) & (old["variant"] == variant)]
    found = {(layer.name, layer.channels, layer.height) for layer in layers}
    if found <= set(zip(own["layer"], own["channels"], own["height"], strict=True)):
        return own
    new = layers_table(network, variant, layers, probe_layers(run.network.module, side, layers))
    rest = old.drop(own.index)
    rows = LAYERS.sort(pd.concat([rest, new], ignore_index=True) if len(rest) else new)
    made = provenance(inputs=[], options={}, seed=None, libraries=SWEEP_LIBRARIES)
    study.write("layers", LAYERS.check(rows, "layers"), made)
    return new


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
    same = pd.Series(data=True, index=old.index)
    for key, word in run.names.items():
        same &= old[key] == word
    setup = run.setup
    if not isinstance(setup, InsideSetup):
        raise TypeError(f"a setup of the sums over maps is needed, not {type(setup).__name__}")
    for chunk in run.chunks:
        for image in chunk.images:
            prepared = prepare_image(
                Path(setup.folder), image, setup.plan, chunk.boxes.get(image.image_id)
            )
            if not prepared.sequences:
                continue
            if set(old.loc[same, "image_id"]) == {image.image_id} and not names:
                return
            new = feature_maps(setup, prepared, network=run.network, names=names)
            rest = old[~same]
            rows = pd.concat([rest, new], ignore_index=True) if len(rest) else new
            made = provenance(
                inputs=[{"name": image.file, "sha256": prepared.digest}],
                options={},
                seed=setup.plan.seed,
                libraries=SWEEP_LIBRARIES,
            )
            study.write("feature_maps", FEATURE_MAPS.check(FEATURE_MAPS.sort(rows), "maps"), made)
            return


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
    parts = study.parts("shiftability")
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
