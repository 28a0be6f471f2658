"""
A study: a folder of tables, each whole or absent, with where it came from beside it.

``STUDY/<table>.parquet`` and ``STUDY/<table>.json``; large tables are folders of parts,
``STUDY/<table>/*.parquet``, each with its own JSON, read as one. A stage that finds its table
made from the same inputs and options has nothing to do; made from others, it refuses and names
the difference, unless told to replace or to append.
"""

import io
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import filelock
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from biaskit.errors import StudyError, TableError
from biaskit.provenance import (
    differences,
    file_digest,
    read_json,
    together,
    write_bytes_whole,
    write_json_whole,
)
from biaskit.tables import SCHEMAS, Schema

__all__ = ["MADE_BY", "Entry", "Mode", "Study"]

FORMAT = 1  # of the folder; a later biaskit that changes it refuses older studies by name
Mode = Literal["continue", "replace", "append"]
Provenance = Mapping[str, Any]

# The command that makes a table, for messages about a missing or stale one.
MADE_BY = {
    "boxes": "biaskit boxes SOURCE...",
    "repairs": "biaskit boxes SOURCE...",
    "keypoints": "biaskit keypoints SOURCE...",
    "keypoint_repairs": "biaskit keypoints SOURCE...",
    "mark_pairs": "biaskit annotate agreement",
    "agreement": "biaskit annotate agreement",
    "measures": "biaskit test",
    "significance": "biaskit test",
    "effects": "biaskit test",
    "symmetry": "biaskit test",
    "drift": "biaskit test --against STUDY",
    "calibration": "biaskit calibrate",
    "networks": "biaskit networks NAME --study DIR",
    "swept": "biaskit sweep IMAGES --network NAME",
    "frames": "biaskit sweep IMAGES --network NAME",
    "jaggedness": "biaskit sweep IMAGES --network NAME",
    "jaggedness_by": "biaskit sweep IMAGES --network NAME",
    "network_pairs": "biaskit sweep IMAGES --network NAME --network NAME",
    "layers": "biaskit shiftability IMAGES --network NAME",
    "shiftability": "biaskit shiftability IMAGES --network NAME",
    "shiftability_by": "biaskit shiftability IMAGES --network NAME",
    "feature_maps": "biaskit shiftability IMAGES --network NAME",
    "antialiasing": "biaskit sweep IMAGES --network NAME --variant plain --variant blur-3",
    "sampling": "biaskit sampling",
    "robustness": "biaskit robustness IMAGES --network NAME",
    "robustness_by": "biaskit robustness IMAGES --network NAME",
    "votes": "biaskit robustness IMAGES --network NAME --crops 64",
    "voting": "biaskit robustness IMAGES --network NAME --crops 64",
}


@dataclass(frozen=True)
class Entry:
    """What ``biaskit show`` tells of one table."""

    table: str
    rows: int
    made: str  # ISO date
    state: str  # "whole", "stale: ...", "broken: ..."
    provenance: Provenance


class Study:
    """
    A folder of tables.

    Parameters
    ----------
    folder : Path
        Made when the first table is written.
    schemas : mapping of name to Schema
        The tables it may hold.

    Raises
    ------
    StudyError
        If the folder is a file, or a study of another format.

    Examples
    --------
    >>> import tempfile
    >>> study = Study(Path(tempfile.mkdtemp()) / "study")
    >>> study.read("boxes")
    Traceback (most recent call last):
    ...
    biaskit.errors.StudyError: study: has no table 'boxes' yet. To make it: biaskit boxes SOURCE...
    """

    def __init__(self, folder: Path, schemas: Mapping[str, Schema] = SCHEMAS) -> None:
        self.folder = Path(folder)
        self.schemas = schemas
        self.name = self.folder.name or str(self.folder)
        if self.folder.exists() and not self.folder.is_dir():
            raise StudyError(f"{self.name}: is a file, expected a study folder.")
        mark = read_json(self.folder / "study.json")
        if mark is not None and mark.get("format") != FORMAT:
            raise StudyError(
                f"{self.name}: is a study of format {mark.get('format')}, this biaskit reads "
                f"format {FORMAT}. Use the biaskit that made it, or make a new study."
            )

    @classmethod
    def find(cls, folder: Path | None) -> "Study":
        """Open the folder given, else BIASKIT_STUDY's, else ./study."""
        return cls(folder or Path(os.environ.get("BIASKIT_STUDY") or "study"))

    # Reading

    def has(self, table: str) -> bool:
        """Tell whether the table is there and whole."""
        return bool(self._files(table)) and self._trouble(table) is None

    def read(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        where: Sequence[tuple[str, str, Any]] | None = None,
    ) -> pd.DataFrame:
        """
        Return a table, or some of its columns; a table in parts comes as one.

        Parameters
        ----------
        table : str
        columns : sequence of str, optional
            All by default.
        where : sequence of (column, comparison, value), optional
            Only rows of which all are true, such as ``("lag", "=", 1)``; the others are never
            in memory.

        Raises
        ------
        StudyError
            If the table is not there, not whole, or not what its schema says.
        """
        files = self._files(table)
        if not files:
            raise StudyError(
                f"{self.name}: has no table '{table}' yet. To make it: {_maker(table)}"
            )
        trouble = self._trouble(table)
        if trouble:
            raise StudyError(
                f"{self.name}: table '{table}' is broken: {trouble}. "
                f"To make it again: {_maker(table)} --replace"
            )
        names = list(columns or self._schema(table).columns)
        try:
            parts = [pq.read_table(f, columns=names, filters=_filters(where)) for f in files]
            found = pa.concat_tables(parts)
        except (OSError, pa.ArrowException, KeyError) as error:
            raise StudyError(
                f"{self.name}: table '{table}' cannot be read: {_first_line(error)}. "
                f"To make it again: {_maker(table)} --replace"
            ) from error
        frame = found.to_pandas()
        if columns is not None:
            return frame
        return self._schema(table).check(frame, f"{self.name}/{table}")

    def provenance(self, table: str) -> dict[str, Any] | None:
        """Return how a table was made, its parts taken together; None if it is not there."""
        files = self._files(table)
        if self._in_parts(files):
            return together([read_json(file.with_suffix(".json")) or {} for file in files])
        return read_json(self.folder / f"{table}.json")

    def parts(self, table: str) -> dict[str, dict[str, Any]]:
        """Return the provenance of every part of a table by the part's name; {} without one."""
        files = self._files(table)
        return {f.stem: read_json(f.with_suffix(".json")) or {} for f in files}

    def has_part(self, table: str, part: str) -> bool:
        """Tell whether a part of a table is there and whole."""
        file = self.folder / table / f"{part}.parquet"
        return file.is_file() and _trouble_of(file) is None

    def digest(self, table: str) -> dict[str, str]:
        """Return name and sha256 of a table, as an input of the tables made from it."""
        found = self.provenance(table) or {}
        return {"name": table, "sha256": str(found.get("sha256", ""))}

    def entries(self) -> list[Entry]:
        """Return every table that is there, in the order of the pipeline."""
        found = []
        for table in self.schemas:
            if self._files(table):
                beside = self.provenance(table) or {}
                trouble, stale = self._trouble(table), self.stale(table)
                state = f"broken: {trouble}" if trouble else f"stale: {stale}" if stale else "whole"
                made = str(beside.get("date", "unknown"))
                found.append(Entry(table, int(beside.get("rows", 0)), made, state, beside))
        return found

    def stale(self, table: str) -> str:
        """Say which inputs of a table have been made anew since; empty if none."""
        inputs = (self.provenance(table) or {}).get("inputs", [])
        moved = [
            i["name"]
            for i in inputs
            if i["name"] in self.schemas and self.digest(i["name"])["sha256"] != i["sha256"]
        ]
        return f"{', '.join(moved)} changed since" if moved else ""

    # Writing

    @contextmanager
    def writing(self, what: str) -> Iterator["Study"]:
        """
        Hold the study's lock: one writer at a time.

        Raises
        ------
        StudyError
            If another process writes; the message names it.
        """
        self._prepare()
        lock = filelock.FileLock(self.folder / ".lock")
        holder = self.folder / ".writer.json"
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            other = read_json(holder) or {}
            raise StudyError(
                f"{self.name}: process {other.get('pid', '?')} ({other.get('what', 'unknown')}, "
                f"since {other.get('since', '?')}) is writing here. Wait for it, or stop it."
            ) from None
        try:
            for part in self.folder.glob("**/.*.part"):  # left by a killed run
                part.unlink(missing_ok=True)
            since = datetime.now(UTC).isoformat(timespec="seconds")
            # On a full disk the message to others is lost, and what fails next says so itself.
            with suppress(OSError):
                write_json_whole(holder, {"pid": os.getpid(), "what": what, "since": since})
            yield self
        finally:
            holder.unlink(missing_ok=True)
            lock.release()

    def needs(self, table: str, now: Provenance, mode: Mode = "continue") -> bool:
        """
        Tell whether a stage has to make this table.

        Returns
        -------
        bool
            False if it is there, whole and made from the same inputs with the same options.

        Raises
        ------
        StudyError
            If it was made otherwise and the mode is "continue"; the message names every
            difference.
        """
        if mode != "continue" or not self.has(table):
            return True
        found = differences(self.provenance(table) or {}, now)
        if not found:
            return False
        again = "--replace makes it anew"
        if table in ("boxes", "keypoints"):
            again += ", --append adds to it"
        raise StudyError(
            f"{self.name}: table '{table}' was made otherwise: {'; '.join(found)}. "
            f"{again}, --study names another folder."
        )

    def write(self, table: str, frame: pd.DataFrame, now: Provenance) -> None:
        """
        Write a table and its provenance, each whole or not at all.

        A kill between the two leaves a table whose digest is not the one beside it: it counts
        as broken and is made again.
        """
        content = self._encode(table, frame)
        self._put(self.folder / f"{table}.parquet", content, table, len(frame), now)

    def write_part(self, table: str, part: str, frame: pd.DataFrame, now: Provenance) -> None:
        """Write one part of a table that is a folder of parts; ``part`` names its content."""
        folder = self.folder / table
        with self._told(table):
            folder.mkdir(exist_ok=True)
        content = self._encode(table, frame)
        self._put(folder / f"{part}.parquet", content, table, len(frame), now)

    def read_part(self, table: str, part: str, column: str) -> list[Any]:
        """Return one column of one part."""
        file = self.folder / table / f"{part}.parquet"
        found: list[Any] = pq.read_table(file, columns=[column])[column].to_pylist()
        return found

    def remove_part(self, table: str, part: str) -> None:
        """Take a part out of a table; nothing happens if it is not there."""
        file = self.folder / table / f"{part}.parquet"
        # The other way round, a kill in between would leave a part that nobody knows.
        file.unlink(missing_ok=True)
        file.with_suffix(".json").unlink(missing_ok=True)

    def take_part(self, table: str, part: str, other: "Study") -> None:
        """Copy a part of the same table of another study, as it is, with its provenance."""
        source = other.folder / table / f"{part}.parquet"
        with self._told(table):
            (self.folder / table).mkdir(exist_ok=True)
            for file in (source, source.with_suffix(".json")):
                write_bytes_whole(self.folder / table / file.name, file.read_bytes())

    def append(self, table: str, frame: pd.DataFrame, now: Provenance) -> bool:
        """
        Add rows to a table; its inputs then are the old ones and the new.

        Returns
        -------
        bool
            False if every input is in the table already, so that a repeated call adds nothing.

        Raises
        ------
        StudyError
            If some but not all inputs are in the table, or the options differ.
        TableError
            If a row repeats the keys of one that is there.
        """
        if not self.has(table):
            self.write(table, frame, now)
            return True
        before = self.provenance(table) or {}
        other = [d for d in differences(before, now) if not d.startswith("input ")]
        if other:
            raise StudyError(f"{self.name}: cannot append to '{table}': {'; '.join(other)}.")
        known = {i["sha256"] for i in before.get("inputs", [])}
        twice = [i["name"] for i in now["inputs"] if i["sha256"] in known]
        if len(twice) == len(now["inputs"]):
            return False
        if twice:
            raise StudyError(
                f"{self.name}: '{table}' already holds {', '.join(twice)}. Leave it out."
            )
        schema = self._schema(table)
        both = pd.concat([self.read(table), frame], ignore_index=True)
        keys = list(schema.keys or schema.columns)
        if schema.keys:
            self._check_new(table, both, keys, len(frame))
        both = both.sort_values(keys, kind="stable", ignore_index=True)
        inputs = sorted(
            [*before.get("inputs", []), *now["inputs"]], key=lambda i: (i["name"], i["sha256"])
        )
        self.write(table, schema.check(both, f"{self.name}/{table}"), {**now, "inputs": inputs})
        return True

    def _check_new(self, table: str, both: pd.DataFrame, keys: list[str], n_new: int) -> None:
        """Refuse rows, the last ones of both, that repeat the keys of one that is there."""
        twice = both.duplicated(keys)
        if twice.any():
            first = both.loc[twice, keys].iloc[0]
            found = ", ".join(f"{key} {value}" for key, value in first.items() if value != "")
            raise TableError(
                f"{self.name}: '{table}' holds {int(twice.sum()):,} of these {n_new:,} rows "
                f"already, the first: {found}. Give all files at once and --replace: "
                "what repeats is then left out and counted."
            )

    def remove(self, table: str) -> None:
        """Take a table out of the study; nothing happens if it is not there."""
        for file in self._files(table):
            file.with_suffix(".json").unlink(missing_ok=True)
            file.unlink(missing_ok=True)

    # How it lies on the disk

    def _prepare(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not (self.folder / "study.json").exists():
                write_json_whole(self.folder / "study.json", {"format": FORMAT})
        except OSError as error:
            raise StudyError(f"{self.name}: cannot be written: {error.strerror}.") from error

    def _put(self, path: Path, content: bytes, table: str, rows: int, now: Provenance) -> None:
        with self._told(table):
            write_bytes_whole(path, content)
            digest = file_digest(path)
            beside = {"table": table, "rows": rows, "sha256": digest, **now}
            write_json_whole(path.with_suffix(".json"), beside)

    @contextmanager
    def _told(self, table: str) -> Iterator[None]:
        """Say which table cannot be written, and why, as on a full disk."""
        try:
            yield
        except OSError as error:
            raise StudyError(
                f"{self.name}: table '{table}' cannot be written: {error.strerror}. "
                "The tables that were there are untouched."
            ) from error

    def _encode(self, table: str, frame: pd.DataFrame) -> bytes:
        buffer = io.BytesIO()
        schema = self._schema(table)
        # Measured numbers hardly repeat: a dictionary of them costs more than it saves.
        repeating = [name for name, column in schema.columns.items() if column.kind != "number"]
        pq.write_table(schema.to_arrow(frame), buffer, compression="zstd", use_dictionary=repeating)
        return buffer.getvalue()

    def _files(self, table: str) -> list[Path]:
        self._schema(table)
        single = self.folder / f"{table}.parquet"
        if single.is_file():
            return [single]
        return sorted((self.folder / table).glob("*.parquet"))

    def _in_parts(self, files: Sequence[Path]) -> bool:
        return bool(files) and files[0].parent != self.folder

    def _trouble(self, table: str) -> str | None:
        return next(filter(None, map(_trouble_of, self._files(table))), None)

    def _schema(self, table: str) -> Schema:
        if table not in self.schemas:
            known = ", ".join(self.schemas)
            raise StudyError(f"unknown table '{table}'. Known: {known}.")
        return self.schemas[table]


def _trouble_of(file: Path) -> str | None:
    beside = read_json(file.with_suffix(".json"))
    if beside is None:
        return f"{file.stem}.json beside it is missing or broken"
    if beside.get("sha256") != file_digest(file):
        return "its content is not what its JSON says; was the run that wrote it killed?"
    return None


def _filters(where: Sequence[tuple[str, str, Any]] | None) -> list[tuple[str, str, Any]] | None:
    return list(where) if where else None


def _maker(table: str) -> str:
    return MADE_BY.get(table, "biaskit --help")


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
