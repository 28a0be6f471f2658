"""Bytes read forwards: from a file, from within another archive, unpacked, counted."""

import gzip
import io
from typing import BinaryIO, cast

from biaskit.annotations.limits import Budget
from biaskit.annotations.repairs import Refused
from biaskit.annotations.tar import Stream

__all__ = ["Counted", "Peeked", "Seekable", "Unpacked", "held", "read_exactly"]

PIECE = 1 << 18


class Seekable:
    """A file on disk: a member that is not wanted costs no reading."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.read = file.read

    def skip(self, n: int) -> None:
        """Pass over n bytes."""
        self._file.seek(n, io.SEEK_CUR)


class Peeked:
    """A stream whose first bytes, ``head``, were looked at."""

    def __init__(self, stream: Stream, n: int) -> None:
        self._stream = stream
        self.head = b""
        while len(self.head) < n and (more := stream.read(n - len(self.head))):
            self.head += more
        self._waiting = self.head

    def read(self, n: int, /) -> bytes:
        """Return at most n bytes, those looked at first."""
        if self._waiting:
            data, self._waiting = self._waiting[:n], self._waiting[n:]
            return data
        return self._stream.read(n)


class Counted:
    """A stream whose bytes count against what its source may unpack to."""

    def __init__(self, stream: Stream, budget: Budget) -> None:
        self._stream, self._budget = stream, budget
        self._piece, self._place = b"", 0

    def peek(self, n: int) -> bytes:
        """Return the next bytes, at most n, and leave them to be read."""
        if self._place >= len(self._piece):
            self._fill()
        return self._piece[self._place : self._place + n]

    def read(self, n: int, /) -> bytes:
        """Return at most n bytes: fewer where a piece ends."""
        if self._place >= len(self._piece):
            self._fill()
        start = self._place
        self._place = stop = min(start + n, len(self._piece))
        return self._piece[start:stop]

    def _fill(self) -> None:
        self._piece, self._place = self._stream.read(PIECE), 0
        self._budget.spend(len(self._piece))


class Unpacked(Counted):
    """What a gzip stream holds, unpacked piece by piece."""

    def __init__(self, stream: Stream, budget: Budget) -> None:
        super().__init__(gzip.GzipFile(fileobj=cast(BinaryIO, stream), mode="rb"), budget)

    def drain(self) -> None:
        """Read to the end, where the checksum of the whole stands."""
        while self.read(PIECE):
            pass


def read_exactly(stream: Stream, size: int) -> bytes:
    """Return ``size`` bytes, or refuse a file that ends before."""
    data = stream.read(size)
    if len(data) == size:
        return data
    pieces, n = [data], len(data)
    while n < size and (more := stream.read(size - n)):
        pieces.append(more)
        n += len(more)
    if n < size:
        raise Refused("truncated", f"{n:,} of {size:,} bytes are there")
    return b"".join(pieces)


def held(stream: Stream, size: int, largest: int) -> BinaryIO:
    """Hold a stream in memory, for formats whose table of contents is at the end."""
    if size > largest:
        raise Refused("too_large", f"a zip of {size:,} bytes within an archive: unpack it first")
    return io.BytesIO(read_exactly(stream, size))
