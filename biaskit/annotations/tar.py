"""
A tar archive as a stream of its members, read forwards and never unpacked to disk.

The standard library's reader spends most of its time on things no annotation needs (owners,
modes, dates), and reads an extended header of any length into memory. This one knows plain
files, long names and pax headers; everything else is named and passed over.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from biaskit.annotations.repairs import Refused

__all__ = ["Body", "Entry", "Stream", "looks_like_tar", "tar_entries"]

BLOCK = 512
LONGEST_HEADER = 1 << 20  # of an extended header: a path is shorter
_ZEROS = bytes(BLOCK)
_OTHER = {
    b"1": "link",
    b"2": "link",
    b"3": "device",
    b"4": "device",
    b"6": "device",
    b"5": "folder",
}
_FILES = (b"0", b"\0", b"7")


class Stream(Protocol):
    """Bytes that can be read forwards."""

    def read(self, n: int, /) -> bytes:
        """Return at most n bytes; none at the end."""
        ...


class Body:
    """The bytes of one member: what is not read is passed over later."""

    def __init__(self, stream: Stream, size: int) -> None:
        self._stream, self.left = stream, size

    def read(self, n: int = -1, /) -> bytes:
        """Return at most n bytes, all that are left for -1."""
        n = self.left if n < 0 or n > self.left else n
        data = self._stream.read(n) if n else b""
        if n and not data:
            raise Refused("truncated", f"{self.left:,} bytes are missing")
        self.left -= len(data)
        return data

    def skip(self) -> None:
        """Pass over what was not read."""
        if self.left > 1 << 16 and (seek := getattr(self._stream, "skip", None)):
            seek(self.left)
            self.left = 0
        while self.left:
            self.read(1 << 20)


class Entry(NamedTuple):
    """One member: ``kind`` is file, folder, link, device or unsupported."""

    name: str
    kind: str
    size: int
    body: Body


def looks_like_tar(head: bytes) -> bool:
    """Tell a tar archive by the checksum of its first header."""
    return len(head) >= BLOCK and head[:BLOCK] != _ZEROS and _sum_is_right(head[:BLOCK])


def tar_entries(stream: Stream) -> Iterator[Entry]:
    """
    Yield the members of a tar archive in their order.

    Parameters
    ----------
    stream : object with read(n)
        The archive, unpacked if it was compressed.

    Yields
    ------
    Entry
        Its body is valid until the next one is asked for.

    Raises
    ------
    Refused
        Of kind ``truncated`` or ``broken_archive``; what was yielded before is sound.
    """
    pax: dict[str, str] = {}
    while True:
        header = _read_block(stream)
        if header == _ZEROS:
            return
        if not _sum_is_right(header):
            raise Refused("broken_archive", "the checksum of a header is wrong")
        flag, size = header[156:157], _number(header[124:136])
        if flag in (b"L", b"K", b"x", b"g"):
            pax.update(_extended(stream, flag, size))
            continue
        name, size = pax.get("path") or _name(header), _pax_size(pax, size)
        sparse = flag == b"S" or (pax and any(key.startswith("GNU.sparse") for key in pax))
        pax = {}
        kind = "file" if flag in _FILES else _OTHER.get(flag, "unsupported")
        if kind == "file" and name.endswith("/"):
            kind = "folder"
        # Links and devices carry no bytes, whatever their header says.
        stored = size if kind in ("file", "unsupported") else 0
        body = Body(stream, stored)
        yield Entry(name, "unsupported" if sparse else kind, size, body)
        body.left += -stored % BLOCK
        body.skip()


def _read_block(stream: Stream) -> bytes:
    header = stream.read(BLOCK)
    while header and len(header) < BLOCK:
        more = stream.read(BLOCK - len(header))
        if not more:
            break
        header += more
    if len(header) < BLOCK:
        raise Refused("truncated", "the archive stops without its end mark")
    return header


def _sum_is_right(header: bytes) -> bool:
    # The checksum is made with its own eight bytes as blanks.
    field = header[148:156]
    try:
        return sum(header) - sum(field) + 256 == _number(field)
    except Refused:
        return False


def _number(field: bytes) -> int:
    if field[0] == 0x80:  # sizes from 8 GiB are binary
        return int.from_bytes(field[1:], "big")
    digits = field.partition(b"\0")[0].strip() or b"0"
    try:
        if digits.isdigit():  # int() alone would take signs and underscores
            return int(digits, 8)
    except ValueError:
        pass
    raise Refused("broken_archive", "no number where a header needs one")


def _name(header: bytes) -> str:
    name = header[:100].split(b"\0", 1)[0]
    # Only the POSIX form has a prefix; GNU keeps dates in the same place.
    if header[345] and header[257:263] == b"ustar\0":
        name = header[345:500].split(b"\0", 1)[0] + b"/" + name
    return name.decode("utf-8", "backslashreplace")


def _extended(stream: Stream, flag: bytes, size: int) -> dict[str, str]:
    """Return the path and size that an extended header gives the next member."""
    if size > LONGEST_HEADER:
        raise Refused("broken_archive", f"an extended header of {size:,} bytes")
    body = Body(stream, size)
    data = b""
    while body.left:
        data += body.read()
    Body(stream, -size % BLOCK).skip()
    if flag == b"L":
        return {"path": data.split(b"\0", 1)[0].decode("utf-8", "backslashreplace")}
    return _pax_records(data) if flag == b"x" else {}


def _pax_records(data: bytes) -> dict[str, str]:
    records, place = {}, 0
    while place < len(data) and data[place]:
        length, blank, _ = data[place : place + 20].partition(b" ")
        if not (blank and length.isdigit() and int(length) > len(length) + 1):
            raise Refused("broken_archive", "a pax header that cannot be read")
        record = data[place + len(length) + 1 : place + int(length)].rstrip(b"\n")
        key, _, value = record.partition(b"=")
        records[key.decode("utf-8", "backslashreplace")] = value.decode("utf-8", "backslashreplace")
        place += int(length)
    return records


def _pax_size(pax: dict[str, str], size: int) -> int:
    text = pax.get("size")
    if text is None:
        return size
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise Refused("broken_archive", f"a pax header gives the size as {text[:20]}")
    return int(text)
