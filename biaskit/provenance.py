"""
Where a table or an exported file came from: a small JSON file that stands beside it.

A number that cannot name its inputs, options, seed and versions is not published. Names are
base names and never absolute paths, so a study can be handed on.
"""

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from biaskit import __version__

__all__ = [
    "COMPARED",
    "LIBRARIES",
    "differences",
    "file_digest",
    "provenance",
    "read_json",
    "together",
    "write_bytes_whole",
    "write_json_whole",
]

LIBRARIES = ("numpy", "pandas", "scipy", "pyarrow", "lxml")
# Two runs that agree in these give the same table; the rest is told but not compared.
COMPARED = ("inputs", "options", "seed", "biaskit")


def provenance(
    *,
    inputs: Iterable[Mapping[str, Any]],
    options: Mapping[str, Any],
    seed: int | None,
    libraries: Iterable[str] = LIBRARIES,
    device: str = "cpu",
    precision: str = "float64",
) -> dict[str, Any]:
    """
    Describe how a table is made, before it is made.

    Parameters
    ----------
    inputs : mappings
        Each with at least ``name`` and ``sha256``.
    options : mapping
        Every option that decides the content, by the name the command line gives it.
    seed : int or None
        None if nothing random went in.

    Returns
    -------
    dict
        Ready for JSON.

    Examples
    --------
    >>> provenance(inputs=[], options={"edge_px": 2}, seed=1)["options"]
    {'edge_px': 2}
    """
    return {
        "biaskit": __version__,
        "commit": _commit(),
        "inputs": sorted((dict(i) for i in inputs), key=lambda i: (i["name"], i["sha256"])),
        "options": dict(sorted(options.items())),
        "seed": seed,
        "device": device,
        "precision": precision,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "libraries": {name: _version(name) for name in libraries},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """
    Say in words in what two provenances differ, as far as it decides the table.

    Examples
    --------
    >>> differences({"seed": 1, "options": {"a": 1}}, {"seed": 2, "options": {"a": 1}})
    ['seed was 1, now 2']
    """
    found = []
    for key in COMPARED:
        old, new = _plain(before.get(key)), _plain(now.get(key))
        if key == "inputs":
            found += _input_differences(old or [], new or [])
        elif key == "options":
            old, new = old or {}, new or {}
            found += [
                f"--{name.replace('_', '-')} was {old.get(name)!r}, now {new.get(name)!r}"
                for name in sorted(old.keys() | new.keys())
                if old.get(name) != new.get(name)
            ]
        elif old != new:
            found.append(f"{key} was {old}, now {new}")
    return found


def together(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """
    Describe a table in parts as one: what the parts share, all their inputs, and all their rows.

    Examples
    --------
    >>> one = {"rows": 2, "sha256": "a", "inputs": [], "seed": 1}
    >>> told = together([one, {**one, "rows": 3, "seed": 2}])
    >>> told["rows"], told["parts"], "seed" in told
    (5, 2, False)
    """
    digests = "\n".join(str(part.get("sha256")) for part in parts)
    inputs = {json.dumps(i, sort_keys=True): i for part in parts for i in part.get("inputs", [])}
    shared = {k: v for k, v in parts[0].items() if all(part.get(k) == v for part in parts)}
    return {
        **shared,
        "rows": sum(int(part.get("rows", 0)) for part in parts),
        "parts": len(parts),
        "sha256": hashlib.sha256(digests.encode()).hexdigest(),
        "inputs": [inputs[key] for key in sorted(inputs)],
        "date": max(str(part.get("date", "")) for part in parts),
    }


def _input_differences(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[str]:
    before = {(i["name"], i["sha256"]) for i in old}
    after = {(i["name"], i["sha256"]) for i in new}
    changed = {name for name, _ in before - after} & {name for name, _ in after - before}
    gone = sorted({name for name, _ in before - after} - changed)
    come = sorted({name for name, _ in after - before} - changed)
    return (
        [f"input {name} has other content" for name in sorted(changed)]
        + [f"input {name} is no longer given" for name in gone]
        + [f"input {name} is new" for name in come]
    )


def _plain(value: Any) -> Any:
    """Return the value as JSON gives it back, so that tuples and lists compare equal."""
    return json.loads(json.dumps(value))


def file_digest(path: Path) -> str:
    """Return the sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: Path) -> dict[str, Any] | None:
    """Return what a JSON file holds; None if it is missing or broken."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write_json_whole(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file that appears whole or not at all."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    write_bytes_whole(path, (text + "\n").encode())


def write_bytes_whole(path: Path, content: bytes) -> None:
    """
    Write a file that appears whole or not at all, even if the power goes.

    Raises
    ------
    OSError
        If the disk is full or the folder cannot be written; the old file is then untouched.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


@cache
def _commit() -> str | None:
    """Return the commit of a checkout, with + if it has changes; None for an installed wheel."""
    folder = Path(__file__).resolve().parent.parent
    if not (folder / ".git").exists():
        return None
    try:
        git = ["git", "-C", str(folder)]
        head = _output([*git, "rev-parse", "HEAD"])
        changed = _output([*git, "status", "--porcelain", "--untracked-files=no"])
    except (OSError, subprocess.SubprocessError):
        return None
    return head + ("+" if changed else "")


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)  # noqa: S603
    return done.stdout.strip()
