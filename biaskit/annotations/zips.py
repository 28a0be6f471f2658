"""The members of a zip archive, refused one by one where they are not to be trusted."""

import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from biaskit.annotations.limits import Budget
from biaskit.annotations.repairs import Refused

__all__ = ["ZIP_ERRORS", "check_member", "zip_members"]

# What the standard library is known to raise on archives that contradict themselves.
ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    ValueError,
    IndexError,
    KeyError,
    OverflowError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    OSError,
)


def zip_members(file: BinaryIO) -> Iterator[tuple[zipfile.ZipFile, zipfile.ZipInfo]]:
    """
    Yield the archive and each of its members that is no folder.

    Raises
    ------
    Refused
        Of kind ``broken_archive`` if there is no table of contents to be read, as in an
        archive that was cut short: a zip keeps it at the end.
    """
    try:
        archive = zipfile.ZipFile(file)
    except ZIP_ERRORS as error:
        raise Refused("broken_archive", f"no table of contents: {error}") from error
    with archive:
        for info in archive.infolist():
            if not info.is_dir():
                yield archive, info


def check_member(info: zipfile.ZipInfo, budget: Budget) -> None:
    """Refuse a member by its header alone: link, device, password, bomb."""
    mode = stat.S_IFMT(info.external_attr >> 16)
    if mode == stat.S_IFLNK:
        raise Refused("link", "a symbolic link")
    if mode not in (0, stat.S_IFREG):
        raise Refused("device", stat.filemode(info.external_attr >> 16))
    if info.flag_bits & 0x1:
        raise Refused("encrypted", "needs a password")
    budget.check(info.compress_size, info.file_size)
