"""
A folder, a file or an archive as a stream of named bytes, read safely.

Nothing is written to disk, no link leaves its source, no device is opened; archives within
archives are read to three levels. What cannot be had is yielded as a `Repair` in its place,
and the files around it are still read.
"""

import gzip
import hashlib
import os
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, NamedTuple

from biaskit.annotations.limits import Budget
from biaskit.annotations.member_names import is_archive, is_hidden, is_unsafe
from biaskit.annotations.repairs import LONGEST_NAME, Refused, Repair, clean
from biaskit.annotations.streams import Counted, Peeked, Seekable, Unpacked, held, read_exactly
from biaskit.annotations.tar import Stream, looks_like_tar, tar_entries
from biaskit.annotations.zips import ZIP_ERRORS, check_member, zip_members
from biaskit.errors import ArchiveError

__all__ = ["Named", "Source"]

DEEPEST = 3  # levels of archives
IN_MEMORY = 256 << 20  # a zip within an archive keeps its table at the end: it is held whole
HEAD = 512  # bytes that tell what a file is: a tar's first header


class Named(NamedTuple):
    """One file: its name within the source, with / between folders, and its bytes."""

    name: str
    data: bytes


class Source:
    """
    A folder, file or archive whose files are read one after another.

    Parameters
    ----------
    path : Path
        What the user named.
    limit : callable
        Given a name, the largest size in bytes worth reading; 0 leaves the file aside.

    Attributes
    ----------
    left_aside : Counter
        Endings of the files that were not read, and how many.

    Raises
    ------
    ArchiveError
        If there is no such file or folder.

    Examples
    --------
    >>> source = Source(Path("annotations"), limit=lambda name: 1 << 20)  # doctest: +SKIP
    >>> [item.name for item in source.items()]  # doctest: +SKIP
    ['val/ILSVRC2012_val_00000001.xml']
    """

    def __init__(self, path: Path, limit: Callable[[str], int]) -> None:
        try:
            status = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            raise ArchiveError(f"{path}: no such file or folder.") from None
        except OSError as error:  # a name too long, links in a circle, a folder closed to us
            raise ArchiveError(f"{path}: cannot be read: {error.strerror}.") from None
        self.path, self.limit = path, limit
        self._is_folder = stat.S_ISDIR(status.st_mode)
        self.left_aside: Counter[str] = Counter()
        self._digests: list[bytes] = []
        self._whole = hashlib.sha256()  # of a source that is a file: of nothing until it is opened
        self._seen: set[int] = set()  # hashes: a million names would take too much memory
        self._bytes = 0

    @property
    def name(self) -> str:
        """Base name of the source: the only part of its path that is ever stored."""
        name = self.path.name or self.path.resolve().name
        return os.fsencode(name).decode("utf-8", "backslashreplace")

    def items(self) -> Iterator[Named | Repair]:
        """Yield every file worth reading, and a `Repair` for each that cannot be had."""
        if self._is_folder:
            yield from self._folder(self.path)
        else:
            yield from self._file(self.path, self.name)

    def fingerprint(self) -> dict[str, str | int]:
        """
        Return name, sha256 and bytes of what was read, once all items have been.

        A file's digest is its own, that of no bytes if it could not be opened; a folder's is
        made of the names and digests of the files that were read, sorted.
        """
        folder = hashlib.sha256(b"".join(sorted(self._digests)))
        digest = folder if self._is_folder else self._whole
        return {"name": self.name, "sha256": digest.hexdigest(), "bytes": self._bytes}

    def _folder(self, folder: Path) -> Iterator[Named | Repair]:
        waiting = [(folder, "")]  # no recursion: a tree may be deeper than Python's stack
        while waiting:
            here, prefix = waiting.pop()
            try:
                entries = sorted(os.scandir(here), key=lambda entry: os.fsencode(entry.name))
            except OSError as error:
                yield _refusal(prefix.rstrip("/"), "unreadable", error.strerror or str(error))
                continue
            for entry in entries:
                name = prefix + os.fsencode(entry.name).decode("utf-8", "backslashreplace")
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((Path(entry.path), name + "/"))
                else:
                    yield from self._file(Path(entry.path), name)

    def _file(self, path: Path, name: str) -> Iterator[Named | Repair]:
        inside = self._is_folder
        try:
            if inside and path.is_symlink() and not self._stays_inside(path):
                yield _refusal(name, "link", os.readlink(path))
                return
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                yield _refusal(name, "device", stat.filemode(status.st_mode))
                return
            if inside and not is_archive(name) and not self.limit(name):
                self._leave(name)
                return
            with path.open("rb") as file:
                if not inside:
                    # From the file that is read: its name may be gone, or another's, by the end.
                    self._whole, self._bytes = hashlib.file_digest(file, "sha256"), file.tell()
                    file.seek(0)
                yield from self._opened(file, name, status.st_size)
        except Refused as refused:
            yield _refusal(name, refused.kind, refused.found)
        except OSError as error:
            yield _refusal(name, "unreadable", error.strerror or type(error).__name__)

    def _stays_inside(self, path: Path) -> bool:
        # Data sets kept under version control are farms of links into their own folder.
        target = Path(os.path.realpath(path))
        return target.is_relative_to(os.path.realpath(self.path)) and target.is_file()

    def _opened(self, file: BufferedReader, name: str, size: int) -> Iterator[Named | Repair]:
        head = file.read(HEAD)
        file.seek(0)
        if not _is_packed(head, name):
            if is_archive(name):
                yield _refusal(name, "broken_archive" if size else "empty", "no archive inside")
            else:
                item = self._plain(Seekable(file), name, size)
                if isinstance(item, Named) and self._is_folder:
                    self._remember(name, hashlib.sha256(item.data).digest(), size)
                yield from () if item is None else (item,)
            return
        if self._is_folder:
            self._remember(name, hashlib.file_digest(file, "sha256").digest(), size)
            file.seek(0)
        place = _Place(name if self._is_folder else "", Budget(size), 1)
        yield from self._archive(Seekable(file), head, place, size, file)

    def _plain(self, stream: Stream, name: str, size: int) -> Named | Repair | None:
        limit = 0 if is_hidden(name) else self.limit(name)
        if not limit:
            self._leave(name)
            return None
        if size > limit:
            return _refusal(name, "too_large", f"{size:,} bytes")
        if hash(name) in self._seen:
            return _refusal(name, "same_image", "a second member of this name")
        self._seen.add(hash(name))
        data = stream.read(size)
        if len(data) < size:
            data += read_exactly(stream, size - len(data))
        return Named(clean(name, LONGEST_NAME), data)

    def _archive(
        self, stream: Stream, head: bytes, place: "_Place", size: int, file: BinaryIO | None
    ) -> Iterator[Named | Repair]:
        """Yield the members of one archive; what breaks it is the last thing yielded."""
        shown = place.name or self.name
        if place.depth > DEEPEST:
            yield _refusal(shown, "too_nested", f"an archive within {DEEPEST} others")
            return
        try:
            if head.startswith(b"PK"):
                yield from self._zip(file or held(stream, size, IN_MEMORY), place)
            elif head.startswith(b"\x1f\x8b"):
                unpacked = Unpacked(stream, place.budget)
                if not looks_like_tar(unpacked.peek(HEAD)):
                    raise Refused("unsupported", "compressed, but no tar archive")
                yield from self._tar(unpacked, place)
                unpacked.drain()
            else:
                yield from self._tar(stream, place)
        except Refused as refused:
            yield _refusal(shown, refused.kind, refused.found)
        except EOFError:
            yield _refusal(shown, "truncated", "the compressed data stop early")
        except (gzip.BadGzipFile, zlib.error) as error:
            yield _refusal(shown, "broken_archive", str(error))

    def _tar(self, stream: Stream, place: "_Place") -> Iterator[Named | Repair]:
        prefix = place.within("")
        for name, kind, size, body in tar_entries(stream):
            if kind == "folder":
                continue
            full = prefix + name.removeprefix("./")
            if is_unsafe(name):
                yield _refusal(full, "path", name)
            elif kind != "file":
                yield _refusal(full, kind, "a member that is no plain file")
            elif is_archive(full):
                yield from self._inner(body, full, size, place)
            elif (item := self._plain(body, full, size)) is not None:
                yield item

    def _zip(self, file: BinaryIO, place: "_Place") -> Iterator[Named | Repair]:
        for archive, info in zip_members(file):
            name = place.within(info.filename.removeprefix("./"))
            if is_unsafe(info.filename):
                yield _refusal(name, "path", info.filename)
            elif not is_archive(name) and not self.limit(name):
                self._leave(name)
            else:
                yield from self._zip_member(archive, info, name, place)

    def _zip_member(
        self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, place: "_Place"
    ) -> Iterator[Named | Repair]:
        # A zip's members stand by themselves: one that is broken says nothing of the next.
        try:
            check_member(info, place.budget)
            with archive.open(info) as stream:
                counted = Counted(stream, place.budget)
                if is_archive(name):
                    yield from self._inner(counted, name, info.file_size, place)
                elif (item := self._plain(counted, name, info.file_size)) is not None:
                    yield item
        except Refused as refused:
            if place.budget.is_spent:
                raise
            yield _refusal(name, refused.kind, refused.found)
        except ZIP_ERRORS as error:
            unknown = isinstance(error, NotImplementedError)
            yield _refusal(name, "unsupported" if unknown else "broken_archive", str(error))

    def _inner(
        self, stream: Stream, name: str, size: int, place: "_Place"
    ) -> Iterator[Named | Repair]:
        peeked = Peeked(stream, HEAD)
        if not _is_packed(peeked.head, name):
            yield _refusal(name, "broken_archive" if size else "empty", "no archive inside")
            return
        inner = _Place(name, place.budget, place.depth + 1)
        yield from self._archive(peeked, peeked.head, inner, size, None)

    def _leave(self, name: str) -> None:
        self.left_aside[os.path.splitext(name)[1].lower() or "no ending"] += 1

    def _remember(self, name: str, digest: bytes, size: int) -> None:
        self._digests.append(hashlib.sha256(name.encode()).digest() + digest)
        self._bytes += size


class _Place(NamedTuple):
    """Where in a source an archive is: its name (empty: the source), budget and depth."""

    name: str
    budget: Budget
    depth: int

    def within(self, name: str) -> str:
        return f"{self.name}/{name}" if self.name else name


def _is_packed(head: bytes, name: str) -> bool:
    if is_archive(name) and head == bytes(HEAD):  # the end mark alone: a tar of nothing
        return True
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b")) or looks_like_tar(head)


def _refusal(name: str, kind: str, found: str) -> Repair:
    return Repair(clean(name, LONGEST_NAME), -1, kind, clean(found), "")
