"""
What the annotation app keeps in a study: the folder ``annotate`` and the files in it.

``login.json`` (owner only), ``server.json`` (the process), ``projects.json``, ``label-studio/``
(the server's database), ``images/`` (what it may serve), ``copies/`` (of the database),
``export-*.json`` (every export ever pulled), ``log.txt``.
"""

import contextlib
import json
import os
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from biaskit.errors import ServerError
from biaskit.provenance import file_digest, read_json, write_bytes_whole, write_json_whole

__all__ = ["COPIES", "Home", "Login", "told", "write_private"]

COPIES = 5  # of the database; the oldest goes


@dataclass(frozen=True)
class Login:
    """Who may enter a server of our own: annotator A1, who also owns the token, and others."""

    email: str
    password: str
    token: str
    others: Mapping[str, str] = field(default_factory=dict)  # email to password

    @property
    def people(self) -> dict[str, tuple[str, str]]:
        """Return A1, A2 ... with email and password, in this order."""
        pairs = sorted([(self.email, self.password), *self.others.items()], key=_number)
        return {f"A{_number(pair)}": pair for pair in pairs}


@contextlib.contextmanager
def told(what: str) -> Iterator[None]:
    """
    Turn a full disk, or a folder that cannot be written, into one line.

    Examples
    --------
    >>> with told("copies"):
    ...     raise OSError(28, "No space left on device")
    Traceback (most recent call last):
    ...
    biaskit.errors.ServerError: copies: No space left on device. What was there is untouched: \
make room and repeat the command.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise ServerError(
            f"{what}: {reason}. What was there is untouched: make room and repeat the command."
        ) from error


@dataclass(frozen=True)
class Home:
    """
    The folder ``annotate`` of a study.

    Attributes
    ----------
    study : Path
        The study's folder.
    """

    study: Path

    @property
    def folder(self) -> Path:
        """The folder itself."""
        return self.study.resolve() / "annotate"

    @property
    def name(self) -> str:
        """The study's name, for messages."""
        return self.study.resolve().name

    @property
    def data(self) -> Path:
        """The server's own folder."""
        return self.folder / "label-studio"

    @property
    def database(self) -> Path:
        """The server's database."""
        return self.data / "label_studio.sqlite3"

    @property
    def images(self) -> Path:
        """The only folder the server serves files from, one folder inside per project."""
        return self.folder / "images"

    @property
    def log(self) -> Path:
        """What the server said since its last start."""
        return self.folder / "log.txt"

    def prepare(self) -> None:
        """Make the folders; what the server holds is for the owner alone."""
        with told("annotate"):
            self.folder.mkdir(parents=True, exist_ok=True)
            for folder in (self.data, self.images):
                folder.mkdir(exist_ok=True)
            self.data.chmod(0o700)

    def login(self) -> Login | None:
        """Return the login made at the first start; None before it."""
        found = read_json(self.folder / "login.json")
        return Login(**found) if found else None

    def make_login(self) -> Login:
        """
        Return the login, made with a random password and token if there is none.

        The server takes them when it makes its database, and never again: a lost file cannot
        be made anew for data that are there.

        Raises
        ------
        ServerError
            If the database is there and the login is not.
        """
        found = self.login()
        if found:
            return found
        if self.database.exists():
            raise ServerError(
                "annotate/login.json: is missing, but the server's data are there and know no "
                "other login. Bring it back, or export the marks with the server's own tools."
            )
        made = Login("a1@biaskit.example", secrets.token_urlsafe(12), secrets.token_hex(20))
        with told("annotate/login.json"):
            write_private(self.folder / "login.json", asdict(made))
        return made

    def add_login(self, email: str, password: str) -> None:
        """Remember one more annotator; written before the server hears of the password."""
        found = self.make_login()
        made = {**asdict(found), "others": {**found.others, email: password}}
        with told("annotate/login.json"):
            write_private(self.folder / "login.json", made)

    def projects(self) -> dict[str, dict[str, Any]]:
        """Return what ``setup`` made, by title."""
        return dict(read_json(self.folder / "projects.json") or {})

    def note_project(self, title: str, project: Mapping[str, Any]) -> None:
        """Remember a project."""
        with told("annotate/projects.json"):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_json_whole(
                self.folder / "projects.json", {**self.projects(), title: dict(project)}
            )

    def copy_database(self) -> Path | None:
        """
        Copy the server's database, even while it runs; the latest five copies stay.

        Returns
        -------
        Path or None
            None if there is no database yet, or it is as in the latest copy.
        """
        if not self.database.exists():
            return None
        copies = self.folder / "copies"
        part = copies / ".copying.sqlite3"
        with told("annotate/copies"):
            copies.mkdir(exist_ok=True)
            copies.chmod(0o700)
            try:
                _backup(self.database, part)
                there = sorted(copies.glob("2*.sqlite3"))
                if there and file_digest(there[-1]) == file_digest(part):
                    return None
                copy = copies / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}.sqlite3"
                part.replace(copy)
            finally:
                part.unlink(missing_ok=True)
            for old in there[: max(0, len(there) + 1 - COPIES)]:
                old.unlink()
        return copy

    def save_export(self, slug: str, content: bytes) -> Path:
        """Keep an export whole, under a name with its date; equal ones are kept once."""
        there = self.exports(slug)
        if there and there[-1].read_bytes() == content:
            return there[-1]
        path = self.folder / f"export-{slug}-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}.json"
        with told(path.name):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_bytes_whole(path, content)
        return path

    def exports(self, slug: str) -> list[Path]:
        """Return the exports of a project, the oldest first."""
        return sorted(self.folder.glob(f"export-{slug}-2*.json"))


def _number(pair: tuple[str, str]) -> int:
    return int("".join(filter(str.isdigit, pair[0].partition("@")[0])) or 0)


def _backup(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    try:
        with (
            contextlib.closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old,
            contextlib.closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new)
    except sqlite3.Error as error:
        raise ServerError(
            f"annotate/{source.parent.name}/{source.name}: cannot be copied ({error}), so nothing "
            "was touched. Is the disk full?"
        ) from error


def write_private(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file that nobody but its owner could read at any moment."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(content, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
