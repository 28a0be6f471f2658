"""
The parts of sweeps in a study: which are whole, whose they are, and which have to go.

A chunk of images is a part of the same name in each of some tables, such as ``swept``,
``jaggedness`` and ``frames``, written in this order. The name says whose it is: the sweep's words,
a digest of all that went in, and the chunk's number. So what a kill has left between two writes is
known for what it is.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from biaskit.errors import StudyError
from biaskit.provenance import COMPARED, differences
from biaskit.study import Mode, Study

__all__ = ["PARTED", "added_images", "make_room", "part_name", "run_id", "whole_parts"]

# The tables a chunk is written to, in this order, by the last of them, which says it is whole.
PARTED: Mapping[str, tuple[str, ...]] = {
    "frames": ("swept", "jaggedness", "frames"),
    "shiftability": ("shiftability",),
    "votes": ("votes",),
}
_NAME = re.compile(r"(.+)-([0-9a-f]{10})-(\d{5,})")


def run_id(made: Mapping[str, Any]) -> str:
    """Return a digest of what decides a sweep's answers."""
    compared = json.dumps({key: made[key] for key in COMPARED}, sort_keys=True)
    return hashlib.sha256(compared.encode()).hexdigest()[:10]


def part_name(sweep: Mapping[str, str], run: str, chunk: int) -> str:
    """
    Return the name of a chunk's part.

    Examples
    --------
    >>> part_name({"network": "a:b", "protocol": "roll"}, "0123456789", 7)
    'a_b-roll-0123456789-00007'
    """
    return f"{_words(sweep)}-{run}-{chunk:05d}"


def _words(sweep: Mapping[str, str]) -> str:
    return "-".join(re.sub(r"[^\w.]", "_", word, flags=re.ASCII) for word in sweep.values())


def whole_parts(
    study: Study, sweep: Mapping[str, str], tables: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Return the provenance of the parts of a sweep that are whole in every table, by name."""
    return {
        name: beside
        for name, beside in study.parts(tables[-1]).items()
        if _belongs(name, sweep)
        and beside.get("run") is not None
        and all(study.has_part(table, name) for table in tables)
    }


def _belongs(name: str, sweep: Mapping[str, str]) -> bool:
    found = _NAME.fullmatch(name)
    return found is not None and found[1] == _words(sweep)


def _run_of(name: str) -> str:
    found = _NAME.fullmatch(name)
    return found[2] if found else ""


def make_room(
    study: Study,
    sweep: Mapping[str, str],
    made: Mapping[str, Any],
    mode: Mode,
    *,
    tables: Sequence[str],
    images: Iterable[str],
    all_there: bool,
) -> None:
    """
    Take out, keep beside, or refuse what the same sweep has of another making.

    Parameters
    ----------
    study : Study
    sweep : mapping
        The first five columns of its tables.
    made : mapping
        Provenance of what is to be made.
    mode : {"continue", "replace", "append"}
    tables : sequence of str
        Those a chunk is a part of; the first one has a column ``image_id``.
    images : iterable of str
        Ids of the images that are to be swept over.
    all_there : bool
        Whether nothing is left to do, so that there is nothing to refuse.

    Raises
    ------
    StudyError
        If parts of another making are there and are not to be replaced or appended to.
    """
    whole = whole_parts(study, sweep, tables)
    others = {name: beside for name, beside in whole.items() if _run_of(name) != run_id(made)}
    if others and mode == "append":
        _check_append(study, others, made, set(images), tables[0])
    elif others and mode == "continue":
        if all_there:
            return
        found = differences(next(iter(others.values()))["run"], made)
        names = ", ".join(filter(None, sweep.values()))
        raise StudyError(
            f"{study.name}: {names} was swept otherwise: {'; '.join(found)}. --replace makes it "
            "anew, --append adds other images, --study names another folder."
        )
    for table in reversed(tables):
        for name in study.parts(table):
            foreign = _belongs(name, sweep) and _run_of(name) != run_id(made)
            # Of another making only what is whole may stay: the rest is what a kill has left.
            if foreign and (mode == "replace" or name not in whole):
                study.remove_part(table, name)


def added_images(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """
    Say in what two makings differ, other than in their images.

    Examples
    --------
    >>> lists = [{"inputs": [{"name": "list of photos", "sha256": s}], "seed": 1} for s in "ab"]
    >>> added_images(*lists)
    []
    """
    found = differences(before, now)
    return [d for d in found if not d.startswith("input list of") and "--chunks" not in d]


def _check_append(
    study: Study,
    others: Mapping[str, Mapping[str, Any]],
    made: Mapping[str, Any],
    images: set[str],
    table: str,
) -> None:
    for beside in others.values():
        options = added_images(beside["run"], made)
        if options:
            raise StudyError(f"{study.name}: cannot append to this sweep: {'; '.join(options)}.")
    there = {name for part in others for name in study.read_part(table, part, "image_id")}
    twice = sorted(there & images)
    if twice:
        raise StudyError(
            f"{study.name}: {len(twice):,} of these images are there already, such as {twice[0]}. "
            "Leave them out, or make all anew with --replace."
        )
