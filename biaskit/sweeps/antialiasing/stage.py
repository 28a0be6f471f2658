"""The stage that lays a network's variants beside the network as it is, from a study's tables."""

from collections.abc import Iterable, Mapping
from typing import Any

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
_NO_STEPS = ("places", "random", "pairs", "repeat", "blank")


def sum_up_antialiasing(study: Study, *, seed: int) -> list[str]:
    """
    Make ``antialiasing`` anew, if the study holds sweeps of a network and of variants of it.

    Parameters
    ----------
    study : Study
        The caller holds its lock.
    seed : int
        Of the resamples.

    Returns
    -------
    list of str
        What was left out, in words: variants that were swept otherwise than the plain network.
    """
    wanted, remarks = _comparable(study, "frames")
    if not wanted:
        return remarks
    inside, more = _comparable(study, "shiftability")
    remarks += more
    inputs = [
        {"name": f"{table}, {name}", "sha256": beside["sha256"]}
        for table, parts in (("frames", wanted), ("shiftability", inside))
        for name, beside in parts.items()
    ]
    inputs += [study.digest("layers")] if study.has("layers") else []
    now = provenance(inputs=inputs, options={"resamples": N_RESAMPLES}, seed=seed)
    if study.has("antialiasing") and not differences(study.provenance("antialiasing") or {}, now):
        return remarks
    read = [
        pq.read_table(study.folder / "frames" / f"{n}.parquet", columns=list(FRAME_COLUMNS))
        for n in wanted
    ]
    jagged = [
        pq.read_table(study.folder / "jaggedness" / f"{n}.parquet", filters=[("lag", "=", 1)])
        for n in wanted
    ]
    table = antialiasing(
        pd.concat([part.to_pandas() for part in read], ignore_index=True),
        pd.concat([part.to_pandas() for part in jagged], ignore_index=True),
        _inside(study, inside),
        study.read("layers", LAYER_COLUMNS) if study.has("layers") else LAYERS.empty(),
        seed=seed,
        n_resamples=N_RESAMPLES,
    )
    study.write("antialiasing", table, now)
    return remarks


def _comparable(study: Study, table: str) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """
    Return the whole parts of networks that have variants, made as the plain network's were.

    What is random in its places, or shows no steps, is not compared.
    """
    sweeps: dict[tuple[str, ...], dict[str, dict[str, dict[str, Any]]]] = {}
    for name, beside in study.parts(table).items():
        sweep = beside.get("sweep")
        if not sweep or sweep["protocol"] in _NO_STEPS or not study.has_part(table, name):
            continue
        key = tuple(sweep[k] for k in ("network", "protocol", "direction", "fill"))
        sweeps.setdefault(key, {}).setdefault(sweep["variant"], {})[name] = beside
    found: dict[str, dict[str, Any]] = {}
    remarks = []
    for key, variants in sweeps.items():
        plain = variants.get(PLAIN, {})
        if not plain or len(variants) == 1:
            continue
        made = [_how(beside) for beside in plain.values()]
        for variant, parts in variants.items():
            same = {n: b for n, b in parts.items() if _how(b) in made}
            found |= same
            if len(same) < len(parts):
                remarks.append(
                    f"{key[0]} {variant}, {', '.join(key[1:])}: made otherwise than plain, with "
                    f"other steps, places, sizes or seed; not compared ({table})"
                )
    return found, remarks


def _how(beside: Mapping[str, Any]) -> dict[str, Any]:
    """Return what decides the frames of a part, whatever the network's variant."""
    run = beside.get("run", {})
    options = {k: v for k, v in run.get("options", {}).items() if k.startswith(("plan_", "input_"))}
    return {**options, "seed": run.get("seed")}


def _inside(study: Study, parts: Iterable[str]) -> pd.DataFrame:
    folder = study.folder / "shiftability"
    found = [by_image(pq.read_table(folder / f"{name}.parquet").to_pandas()) for name in parts]
    if not found:
        return SHIFTABILITY.empty()
    return pd.concat(found, ignore_index=True)[list(SHIFTABILITY_COLUMNS)]
