"""The stage that lays a network's variants beside the network as it is, from a study's tables."""

import pandas as pd
import pyarrow.parquet as pq

from biaskit.provenance import differences, provenance
from biaskit.study import Study
from biaskit.sweeps.antialiasing.table import (
    FRAME_COLUMNS,
    LAYER_COLUMNS,
    SHIFTABILITY_COLUMNS,
    antialiasing,
)
from biaskit.sweeps.inside.tables import by_image
from biaskit.sweeps.networks.variants import PLAIN
from biaskit.tables import LAYERS, SHIFTABILITY

__all__ = ["sum_up_antialiasing"]

N_RESAMPLES = 1000


def sum_up_antialiasing(study: Study, *, seed: int) -> None:
    """
    Make ``antialiasing`` anew, if the study holds sweeps of a network and of variants of it.

    Parameters
    ----------
    study : Study
        The caller holds its lock.
    seed : int
        Of the resamples.
    """
    parts = study.parts("frames")
    sweeps = {name: beside.get("sweep", {}) for name, beside in parts.items()}
    blurred = {s.get("network") for s in sweeps.values() if s.get("variant") != PLAIN}
    wanted = [name for name, sweep in sweeps.items() if sweep.get("network") in blurred]
    if not wanted:
        return
    inputs = [{"name": f"frames, {n}", "sha256": parts[n]["sha256"]} for n in wanted]
    inputs += [study.digest(t) for t in ("shiftability", "layers") if study.has(t)]
    now = provenance(inputs=inputs, options={"resamples": N_RESAMPLES}, seed=seed)
    if study.has("antialiasing") and not differences(study.provenance("antialiasing") or {}, now):
        return
    read = [
        pq.read_table(study.folder / "frames" / f"{n}.parquet", columns=list(FRAME_COLUMNS))
        for n in wanted
    ]
    table = antialiasing(
        pd.concat([part.to_pandas() for part in read], ignore_index=True),
        study.read("jaggedness", where=[("lag", "=", 1)]),
        _inside(study),
        study.read("layers", LAYER_COLUMNS) if study.has("layers") else LAYERS.empty(),
        seed=seed,
        n_resamples=N_RESAMPLES,
    )
    study.write("antialiasing", table, now)


def _inside(study: Study) -> pd.DataFrame:
    folder = study.folder / "shiftability"
    parts = study.parts("shiftability")
    found = [by_image(pq.read_table(folder / f"{name}.parquet").to_pandas()) for name in parts]
    if not found:
        return SHIFTABILITY.empty()
    return pd.concat(found, ignore_index=True)[list(SHIFTABILITY_COLUMNS)]
