"""The tables that sum a study's sweeps up, and sweeps of several studies merged into one."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from biaskit.errors import StudyError
from biaskit.provenance import differences, provenance
from biaskit.study import Study
from biaskit.sweeps.groups import summarise
from biaskit.sweeps.pairs_of_networks import compare_networks
from biaskit.sweeps.parts import PARTED, added_images

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
    if not study.parts("jaggedness"):
        return
    now = provenance(
        inputs=[study.digest("jaggedness")], options={"resamples": N_RESAMPLES}, seed=seed
    )
    tables = {"jaggedness_by": summarise, "network_pairs": compare_networks}
    wanted = [t for t in tables if not study.has(t) or differences(study.provenance(t) or {}, now)]
    if not wanted:
        return
    # Random places at several scales have no neighbours; robustness_by sums them up.
    neighbours = study.read("jaggedness", where=[("lag", "=", 1), ("protocol", "!=", "places")])
    for table in wanted:
        study.write(table, tables[table](neighbours, seed=seed, n_resamples=N_RESAMPLES), now)


def merge(study: Study, others: Sequence[Study]) -> int:
    """
    Take the chunks of other studies, such as those of shards, into one.

    The parts are copied as they are, so that what comes out is what one run would have written.
    All is checked before anything is copied.

    Parameters
    ----------
    study : Study
        The caller holds its lock.
    others : sequence of Study
        One without chunks, as that of a shard to which none fell, adds nothing.

    Returns
    -------
    int
        Number of chunks that were not there yet.

    Raises
    ------
    StudyError
        If no study holds a sweep, a part is broken, the same part has other content in two of
        them, or two hold the same sweep made otherwise, or over the same images in other lists.
    """
    taken: list[tuple[str, str, Study]] = []
    found = 0
    for tables in PARTED.values():
        known = {name: (study, beside) for name, beside in study.parts(tables[-1]).items()}
        there = set(known)
        for other in others:
            for name, beside in other.parts(tables[-1]).items():
                _check_part(other, name, beside, known, tables)
                known.setdefault(name, (other, beside))
        _check_lists(known, tables[0])
        found += len(known)
        taken += [(tables[-1], name, known[name][0]) for name in known if name not in there]
    if not found:
        names = ", ".join(other.name for other in others)
        raise StudyError(f"{names}: no sweep there. Expected the studies of shards.")
    for last, name, other in taken:
        for table in PARTED[last]:
            study.take_part(table, name, other)
    return len(taken)


_Known = Mapping[str, tuple[Study, dict[str, Any]]]


def _check_part(
    other: Study, name: str, beside: dict[str, Any], known: _Known, tables: Sequence[str]
) -> None:
    for table in tables:
        if not other.has_part(table, name):
            raise StudyError(
                f"{other.name}: part {name} of table '{table}' is not whole. Repeat its sweep."
            )
    if name in known and known[name][1].get("sha256") != beside.get("sha256"):
        raise StudyError(
            f"{other.name}: part {name} has other content than {known[name][0].name}'s. Were the "
            "shards made by other library versions, or on another device?"
        )


def _check_lists(known: _Known, table: str) -> None:
    """Refuse runs of the same sweep that differ in more than images, or share some."""
    runs: dict[str, dict[str, list[str]]] = {}
    for name, (_, beside) in known.items():
        sweep = json.dumps(beside.get("sweep"))
        runs.setdefault(sweep, {}).setdefault(json.dumps(beside.get("run")), []).append(name)
    for of_sweep in (found for found in runs.values() if len(found) > 1):
        images: dict[str, str] = {}
        first = next(iter(of_sweep.values()))[0]
        for names in of_sweep.values():
            home, beside = known[names[0]]
            found = added_images(known[first][1].get("run", {}), beside.get("run", {}))
            ids = {i for name in names for i in known[name][0].read_part(table, name, "image_id")}
            twice = sorted(ids & set(images))
            if found or twice:
                shared = f"both hold the image {twice[0]}" if twice else "; ".join(found)
                raise StudyError(
                    f"{home.name}: its sweep was made otherwise than "
                    f"{known[first][0].name}'s: {shared}."
                )
            images |= dict.fromkeys(ids, home.name)


def missing_chunks(study: Study, table: str = "frames") -> dict[str, list[int]]:
    """
    Return the chunks that are not there yet, by sweep.

    Parameters
    ----------
    study : Study
    table : str
        One of the keys of ``biaskit.sweeps.parts.PARTED``.

    Returns
    -------
    dict
        From the sweep's words to chunk numbers, from 0; only sweeps that lack some.
    """
    there: dict[str, set[int]] = {}
    wanted: dict[str, int] = {}
    for part, beside in study.parts(table).items():
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
