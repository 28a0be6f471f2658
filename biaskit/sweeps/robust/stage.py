"""The stage ``biaskit robustness``: its parts, and the tables that sum answers over places up."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from biaskit.provenance import differences, provenance
from biaskit.study import Study
from biaskit.sweeps.frame_tables import seen_of
from biaskit.sweeps.parts import PARTED
from biaskit.sweeps.robust.robustness import robustness_by, robustness_rows
from biaskit.sweeps.robust.vote_tables import votes_table, voting
from biaskit.sweeps.robust.voting import ChunkVotes
from biaskit.sweeps.stage import SweepRun, Work
from biaskit.tables import ROBUSTNESS

__all__ = ["VOTES_WORK", "sum_up_robustness"]

N_RESAMPLES = 1000
NETWORKS = "networks"  # name of the part that holds what networks answered


def _votes(run: SweepRun, found: ChunkVotes) -> Mapping[str, pd.DataFrame]:
    table = votes_table(run.names, found, run.network.classes, seen_of(run.seen))
    return {"votes": table}


def _beside(_run: SweepRun, found: ChunkVotes) -> Mapping[str, Any]:
    return {"left_out": {image.image_id: reason for image, reason in found.refused}}


VOTES_WORK = Work(
    "biaskit.sweeps.robust.voting:vote_chunks", PARTED["votes"], _votes, beside=_beside
)


def sum_up_robustness(study: Study, *, seed: int) -> None:
    """
    Make ``robustness``, ``robustness_by`` and ``voting`` anew from what a study holds.

    What networks answered is one part of ``robustness``; answers of people are parts of their own.

    Parameters
    ----------
    study : Study
        The caller holds its lock.
    seed : int
        Of the resamples.
    """
    parts = {n: b for n, b in study.parts("frames").items() if _of_places(b)}
    if parts:
        inputs = [{"name": f"frames, {n}", "sha256": b["sha256"]} for n, b in parts.items()]
        now = provenance(inputs=inputs, options={}, seed=None)
        beside = study.parts("robustness").get(NETWORKS, {})
        if not study.has_part("robustness", NETWORKS) or differences(beside, now):
            study.write_part("robustness", NETWORKS, _answers(study, parts), now)
    if study.has("robustness"):
        now = _summary(study, "robustness", seed)
        if _differs(study, "robustness_by", now):
            rows = study.read("robustness")
            table = robustness_by(rows, seed=seed, n_resamples=N_RESAMPLES)
            study.write("robustness_by", table, now)
    if study.parts("votes"):
        now = _summary(study, "votes", seed)
        if _differs(study, "voting", now):
            rows = study.read("votes")
            study.write("voting", voting(rows, seed=seed, n_resamples=N_RESAMPLES), now)


def _of_places(beside: Mapping[str, Any]) -> bool:
    return bool(beside.get("sweep", {}).get("protocol") == "places" and "about" in beside)


def _summary(study: Study, table: str, seed: int) -> dict[str, Any]:
    options = {"resamples": N_RESAMPLES}
    return provenance(inputs=[study.digest(table)], options=options, seed=seed)


def _differs(study: Study, table: str, now: Mapping[str, Any]) -> bool:
    return not study.has(table) or bool(differences(study.provenance(table) or {}, now))


def _answers(study: Study, parts: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    found = []
    for name, beside in parts.items():
        swept = pq.read_table(study.folder / "swept" / f"{name}.parquet").to_pandas()
        about = beside["about"]
        found.append(
            robustness_rows(
                pq.read_table(study.folder / "frames" / f"{name}.parquet").to_pandas(),
                dict(zip(swept["image_id"], swept["seen"], strict=True)),
                input_size=about["input_size"],
                scales=about["scales"],
                n_classes=about["classes"],
            )
        )
    rows = pd.concat([part for part in found if len(part)] or found[:1], ignore_index=True)
    return ROBUSTNESS.sort(ROBUSTNESS.check(rows, "robustness"))
