"""The tables that sum a study's sweeps up, and sweeps of several studies merged into one."""

from collections.abc import Sequence

from biaskit.errors import StudyError
from biaskit.provenance import differences, provenance
from biaskit.study import Study
from biaskit.sweeps.groups import summarise
from biaskit.sweeps.pairs_of_networks import compare_networks
from biaskit.sweeps.stage import PARTED

__all__ = ["merge", "missing_chunks", "sum_up"]

N_RESAMPLES = 1000


def sum_up(study: Study, *, seed: int) -> None:
    """
    Make ``jaggedness_by`` and ``network_pairs`` anew from all sweeps of a study.

    Parameters
    ----------
    study : Study
        The caller holds its lock.
    seed : int
        Of the resamples.
    """
    now = provenance(
        inputs=[study.digest("jaggedness")], options={"resamples": N_RESAMPLES}, seed=seed
    )
    tables = {"jaggedness_by": summarise, "network_pairs": compare_networks}
    wanted = [t for t in tables if not study.has(t) or differences(study.provenance(t) or {}, now)]
    if not wanted:
        return
    neighbours = study.read("jaggedness", where=[("lag", "=", 1)])
    for table in wanted:
        study.write(table, tables[table](neighbours, seed=seed, n_resamples=N_RESAMPLES), now)


def merge(study: Study, others: Sequence[Study]) -> int:
    """
    Take the chunks of other studies, such as those of shards, into one.

    The parts are copied as they are, so that what comes out is what one run would have written.

    Parameters
    ----------
    study : Study
        The caller holds its lock.
    others : sequence of Study

    Returns
    -------
    int
        Number of chunks that were not there yet.

    Raises
    ------
    StudyError
        If a study holds no sweep, a part of it is broken, the same part has other content in
        two of them, or two hold the same sweep made otherwise.
    """
    taken = 0
    for other in others:
        parts = other.parts("frames")
        if not parts:
            raise StudyError(f"{other.name}: holds no sweep. Expected the study of a shard.")
        for part, beside in parts.items():
            _check_part(study, other, part, beside)
            if study.has_part("frames", part):
                continue
            for table in PARTED:
                study.take_part(table, part, other)
            taken += 1
    return taken


def _check_part(study: Study, other: Study, part: str, beside: dict) -> None:
    for table in PARTED:
        if not other.has_part(table, part):
            raise StudyError(
                f"{other.name}: part {part} of table '{table}' is not whole. Repeat its sweep."
            )
    for name, there in study.parts("frames").items():
        if there.get("sweep") != beside.get("sweep"):
            continue
        if name == part and there.get("sha256") != beside.get("sha256"):
            raise StudyError(
                f"{other.name}: part {part} has other content than {study.name}'s. Were the "
                "shards made by other library versions, or on another device?"
            )
        found = differences(there.get("run", {}), beside.get("run", {}))
        if found:
            raise StudyError(
                f"{other.name}: its sweep was made otherwise than {study.name}'s: "
                f"{'; '.join(found)}."
            )


def missing_chunks(study: Study) -> dict[str, list[int]]:
    """
    Return the chunks that are not there yet, by sweep.

    Returns
    -------
    dict
        From the sweep's words to chunk numbers, from 0; only sweeps that lack some.
    """
    there: dict[str, set[int]] = {}
    wanted: dict[str, int] = {}
    for part, beside in study.parts("frames").items():
        if "chunk" not in beside:
            continue
        sweep = part.rpartition("-")[0]
        there.setdefault(sweep, set()).add(int(beside["chunk"]))
        wanted[sweep] = int(beside["options"]["chunks"])
    return {
        sweep: lacking
        for sweep, chunks in there.items()
        if (lacking := [k for k in range(wanted[sweep]) if k not in chunks])
    }
