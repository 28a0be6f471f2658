"""Folders and archives as named bytes: whole where they are sound, safe where they are not."""

import gzip
import hashlib
import io
import os
import random
import struct
import tarfile
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biaskit.annotations import limits
from biaskit.annotations.archive import Named, Source
from biaskit.annotations.repairs import KINDS, Repair
from biaskit.errors import ArchiveError

GOOD = {"val/a.xml": b"<a/>", "val/b.xml": b"<b/>" * 300, "c": b""}


def everything(name):
    return 1 << 20


def read(path, limit=everything):
    items = list(Source(path, limit).items())
    files = {item.name: item.data for item in items if isinstance(item, Named)}
    repairs = {(item.file, item.kind) for item in items if isinstance(item, Repair)}
    return files, repairs


def tar_bytes(files, mode="w", form=tarfile.PAX_FORMAT):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode, format=form) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return packed.getvalue()


def zip_bytes(files, method=zipfile.ZIP_DEFLATED):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()


def with_member(info, body=b""):
    """A tar of one unusual member between two good ones"""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for item, data in ((tarfile.TarInfo("a.xml"), b"<a/>"), (info, body)):
            item.size = item.size or len(data)
            archive.addfile(item, io.BytesIO(data) if data else None)
        last = tarfile.TarInfo("z.xml")
        last.size = 4
        archive.addfile(last, io.BytesIO(b"<z/>"))
    return packed.getvalue()


def write(path, data):
    path.write_bytes(data)
    return path


def folder(path, files):
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


PACKED = {
    "a.tar": lambda files: tar_bytes(files),
    "a.tgz": lambda files: tar_bytes(files, "w:gz"),
    "a.tar.gz": lambda files: tar_bytes(files, "w:gz", tarfile.GNU_FORMAT),
    "ustar.tar": lambda files: tar_bytes(files, "w", tarfile.USTAR_FORMAT),
    "a.zip": lambda files: zip_bytes(files),
    "stored.zip": lambda files: zip_bytes(files, zipfile.ZIP_STORED),
    "named_wrongly.bin": lambda files: tar_bytes(files, "w:gz"),
}


@pytest.mark.parametrize("name", PACKED)
def test_an_archive_holds_what_its_folder_holds(tmp_path, name):
    files, repairs = read(write(tmp_path / name, PACKED[name](GOOD)))
    assert (files, repairs) == (GOOD, set())
    assert read(folder(tmp_path / "folder", GOOD)) == (GOOD, set())


def test_a_single_file_is_its_own_source(tmp_path):
    assert read(write(tmp_path / "a.xml", b"<a/>")) == ({"a.xml": b"<a/>"}, set())


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_names_and_names_in_any_script_come_through(tmp_path, form):
    files = {"d/" * 80 + "long.xml": b"1", "犬/é.xml": b"2", "x" * 100 + ".xml": b"3", "y": b"4"}
    assert read(write(tmp_path / "a.tar", tar_bytes(files, form=form))) == (files, set())


def test_posix_prefixes_come_through(tmp_path):
    files = {"p" * 90 + "/" + "n" * 90 + ".xml": b"1"}
    packed = tar_bytes(files, form=tarfile.USTAR_FORMAT)
    assert read(write(tmp_path / "a.tar", packed)) == (files, set())


@given(
    st.dictionaries(
        st.from_regex(r"[a-z0-9]{1,12}(/[a-z0-9]{1,60}){0,4}", fullmatch=True),
        st.binary(max_size=1500),
        max_size=8,
    ),
    st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]),
)
def test_our_reader_of_tar_agrees_with_the_standard_library(tmp_path_factory, files, form):
    path = tmp_path_factory.mktemp("tar") / "a.tar"
    assert read(write(path, tar_bytes(files, form=form))) == (files, set())


@pytest.mark.parametrize("inner", ["n1.tar", "n1.tar.gz", "n1.tgz", "n1.zip"])
@pytest.mark.parametrize("outer", [tar_bytes, zip_bytes, lambda f: tar_bytes(f, "w:gz")])
def test_archives_within_an_archive(tmp_path, inner, outer):
    packed = {".zip": zip_bytes, ".tar": tar_bytes}.get(
        os.path.splitext(inner)[1], lambda f: tar_bytes(f, "w:gz")
    )(GOOD)
    files, repairs = read(write(tmp_path / "a.bin", outer({inner: packed, "z.xml": b"<z/>"})))
    assert files == {f"{inner}/{name}": data for name, data in GOOD.items()} | {"z.xml": b"<z/>"}
    assert not repairs


def test_archives_in_a_folder(tmp_path):
    folder(tmp_path / "f", {"n1.tar": tar_bytes({"a.xml": b"<a/>"}), "b.xml": b"<b/>"})
    assert read(tmp_path / "f") == ({"n1.tar/a.xml": b"<a/>", "b.xml": b"<b/>"}, set())


def test_nesting_ends_somewhere(tmp_path):
    packed = tar_bytes({"a.xml": b"<a/>"})
    for level in range(4):
        packed = tar_bytes({f"{level}.tar": packed, f"{level}.xml": b"<a/>"})
    files, repairs = read(write(tmp_path / "a.tar", packed))
    assert repairs == {("3.tar/2.tar/1.tar", "too_nested")}
    assert set(files) == {"3.xml", "3.tar/2.xml", "3.tar/2.tar/1.xml"}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (tarfile.SYMTYPE, "link"),
        (tarfile.LNKTYPE, "link"),
        (tarfile.CHRTYPE, "device"),
        (tarfile.BLKTYPE, "device"),
        (tarfile.FIFOTYPE, "device"),
    ],
)
def test_links_and_devices_in_a_tar_are_passed_over(tmp_path, kind, expected):
    info = tarfile.TarInfo("evil.xml")
    info.type, info.linkname = kind, "/etc/passwd"
    files, repairs = read(write(tmp_path / "a.tar", with_member(info)))
    assert (set(files), repairs) == ({"a.xml", "z.xml"}, {("evil.xml", expected)})


@pytest.mark.parametrize(
    "name", ["/etc/x.xml", "../x.xml", "a/../../x.xml", "C:x.xml", "..\\x.xml", "a/.."]
)
@pytest.mark.parametrize("pack", [tar_bytes, zip_bytes])
def test_paths_that_climb_out_are_passed_over(tmp_path, name, pack):
    files, repairs = read(write(tmp_path / "a.bin", pack({"a.xml": b"<a/>", name: b"<b/>"})))
    assert files == {"a.xml": b"<a/>"}
    assert repairs == {(name, "path")}
    assert [path.name for path in tmp_path.rglob("*")] == ["a.bin"]


def test_links_in_a_zip_are_passed_over(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.xml", "<a/>")
        info = zipfile.ZipInfo("evil.xml")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    assert read(path) == ({"a.xml": b"<a/>"}, {("evil.xml", "link")})


def test_a_link_in_a_folder_is_followed_only_within_it(tmp_path):
    write(tmp_path / "secret.xml", b"<secret/>")
    inside = folder(tmp_path / "f", {"a.xml": b"<a/>"})
    (inside / "in.xml").symlink_to("a.xml")
    (inside / "out.xml").symlink_to(tmp_path / "secret.xml")
    (inside / "up").symlink_to(tmp_path)
    (inside / "loop.xml").symlink_to("loop.xml")
    files, repairs = read(inside)
    assert files == {"a.xml": b"<a/>", "in.xml": b"<a/>"}
    assert repairs == {("out.xml", "link"), ("up", "link"), ("loop.xml", "link")}


def test_a_pipe_in_a_folder_is_not_opened(tmp_path):
    folder(tmp_path / "f", {"a.xml": b"<a/>"})
    os.mkfifo(tmp_path / "f" / "pipe.xml")
    assert read(tmp_path / "f") == ({"a.xml": b"<a/>"}, {("pipe.xml", "device")})


def test_a_member_of_two_gigabytes_is_known_by_its_header(tmp_path):
    "The archive is sparse: on disk and in memory it takes next to nothing"
    info = tarfile.TarInfo("big.xml")
    info.size = 2 << 30
    path = tmp_path / "a.tar"
    last = tar_bytes({"z.xml": b"<z/>"})
    with path.open("wb") as file:
        file.write(tar_bytes({"a.xml": b"<a/>"})[:1024] + info.tobuf())
        file.seek(2 << 30, os.SEEK_CUR)
        file.write(last)
    files, repairs = read(path)
    assert (set(files), repairs) == ({"a.xml", "z.xml"}, {("big.xml", "too_large")})


def test_a_size_beyond_eight_gigabytes_is_read_from_its_binary_form(tmp_path):
    info = tarfile.TarInfo("big.xml")
    info.size = 1 << 40
    packed = tar_bytes({"a.xml": b"<a/>"})[:1024] + info.tobuf(tarfile.GNU_FORMAT)
    files, repairs = read(write(tmp_path / "a.tar", packed))
    assert set(files) == {"a.xml"}
    assert repairs == {("big.xml", "too_large"), ("a.tar", "truncated")}


def test_a_zip_bomb_is_known_by_its_header(tmp_path):
    packed = zip_bytes({"a.xml": b"<a/>", "bomb.xml": bytes(1_100_000), "z.xml": b"<z/>"})
    files, repairs = read(write(tmp_path / "a.zip", packed), lambda name: 1 << 30)
    assert (set(files), repairs) == ({"a.xml", "z.xml"}, {("bomb.xml", "bomb")})


def test_a_bomb_of_gzip_stops_where_no_honest_archive_gets(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "FLOOR", 10_000_000)
    files = {"a.xml": b"<a/>", "b.xml": bytes(30_000_000), "z.xml": b"<z/>"}
    found, repairs = read(write(tmp_path / "a.tgz", tar_bytes(files, "w:gz")))
    assert set(found) == {"a.xml"}
    assert ("a.tgz", "bomb") in repairs


def test_a_bomb_within_archives_counts_against_the_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "FLOOR", 10_000_000)
    inner = tar_bytes({"b.xml": bytes(8_000_000)}, "w:gz")
    packed = zip_bytes({f"{n}.tgz": inner for n in range(20)})
    found, repairs = read(write(tmp_path / "a.zip", packed))
    assert not found
    assert "bomb" in {kind for _, kind in repairs}
    assert len(repairs) < 6  # it did not go on through all twenty


def test_a_zip_whose_header_lies_about_sizes(tmp_path):
    packed = bytearray(zip_bytes({"a.xml": b"<a/>", "lie.xml": b"x" * 5000, "z.xml": b"<z/>"}))
    at = packed.rindex(b"PK\x01\x02", 0, packed.rindex(b"lie.xml"))
    packed[at + 24 : at + 28] = struct.pack("<I", 10)
    files, repairs = read(write(tmp_path / "a.zip", bytes(packed)))
    assert (set(files), repairs) == ({"a.xml", "z.xml"}, {("lie.xml", "broken_archive")})


def test_a_zip_member_with_a_password(tmp_path):
    packed = bytearray(zip_bytes({"a.xml": b"<a/>", "locked.xml": b"<b/>"}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.rindex(mark) + offset] |= 1
    files, repairs = read(write(tmp_path / "a.zip", bytes(packed)))
    assert (set(files), repairs) == ({"a.xml"}, {("locked.xml", "encrypted")})


def test_a_zip_member_packed_in_an_unknown_way(tmp_path):
    packed = bytearray(zip_bytes({"a.xml": b"<a/>", "odd.xml": b"<b/>"}))
    for mark, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        packed[packed.rindex(mark) + offset] = 97
    files, repairs = read(write(tmp_path / "a.zip", bytes(packed)))
    assert (set(files), repairs) == ({"a.xml"}, {("odd.xml", "unsupported")})


def test_a_zip_member_of_wrong_checksum_says_nothing_of_the_next(tmp_path):
    packed = bytearray(zip_bytes({"a.xml": b"<a/>", "z.xml": b"<z/>"}, zipfile.ZIP_STORED))
    packed[packed.index(b"<a/>") + 1] ^= 1
    files, repairs = read(write(tmp_path / "a.zip", bytes(packed)))
    assert (set(files), repairs) == ({"z.xml"}, {("a.xml", "broken_archive")})


@pytest.mark.parametrize("n", [600, 1024, 1536, 2000, 2048, 2560])
def test_a_tar_that_ends_early_keeps_what_came_before(tmp_path, n):
    "At a member's end too: without the end mark nobody knows what is missing"
    packed = tar_bytes({"a.xml": b"<a/>", "b.xml": b"<b/>" * 200})
    files, repairs = read(write(tmp_path / "a.tar", packed[:n]))
    assert repairs == {("a.tar", "truncated")}
    assert set(files) == ({"a.xml", "b.xml"} if n == 2560 else {"a.xml"})


def test_a_gzip_that_ends_early_keeps_what_came_before(tmp_path):
    noise = random.Random(0)
    files = {f"{n}.xml": noise.randbytes(1000) for n in range(1000)}
    packed = tar_bytes(files, "w:gz")
    found, repairs = read(write(tmp_path / "a.tgz", packed[: len(packed) // 2]))
    assert repairs == {("a.tgz", "truncated")}
    assert 200 < len(found) < 600
    assert all(files[name] == data for name, data in found.items())


def test_a_gzip_of_wrong_checksum_is_reported(tmp_path):
    "It stands at the end of all, behind the end mark of the tar"
    packed = bytearray(gzip.compress(tar_bytes(GOOD) + bytes(1 << 20)))
    packed[-5] ^= 1
    packed[-8] ^= 1
    assert read(write(tmp_path / "a.tgz", bytes(packed)))[1] == {("a.tgz", "broken_archive")}


def test_a_zip_that_ends_early_has_no_table_of_contents(tmp_path):
    packed = zip_bytes(GOOD)
    inside = folder(tmp_path / "f", {"a.zip": packed[:-30], "b.xml": b"<b/>"})
    assert read(inside) == ({"b.xml": b"<b/>"}, {("a.zip", "broken_archive")})


@pytest.mark.parametrize("name", ["a.tar", "a.zip", "a.tgz"])
@pytest.mark.parametrize(("data", "kind"), [(b"", "empty"), (b"text", "broken_archive")])
def test_what_is_called_an_archive_and_is_none(tmp_path, name, data, kind):
    assert read(write(tmp_path / name, data)) == ({}, {(name, kind)})
    outer = tar_bytes({name: data, "z.xml": b"<z/>"})
    assert read(write(tmp_path / "outer.tar", outer)) == ({"z.xml": b"<z/>"}, {(name, kind)})


def test_gzip_of_something_else_is_not_supported(tmp_path):
    path = write(tmp_path / "a.tgz", gzip.compress(b"<a/>" * 1000))
    assert read(path) == ({}, {("a.tgz", "unsupported")})


def test_an_extended_header_of_a_gigabyte_is_not_read(tmp_path):
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 30
    path = tmp_path / "a.tar"
    with path.open("wb") as file:
        file.write(tar_bytes({"a.xml": b"<a/>"})[:1024] + info.tobuf())
        file.truncate(1 << 30)
    files, repairs = read(path)
    assert (set(files), repairs) == ({"a.xml"}, {("a.tar", "broken_archive")})


def test_sparse_members_are_not_supported(tmp_path):
    info = tarfile.TarInfo("hole.xml")
    info.type = tarfile.GNUTYPE_SPARSE
    files, repairs = read(write(tmp_path / "a.tar", with_member(info)))
    assert (set(files), repairs) == ({"a.xml", "z.xml"}, {("hole.xml", "unsupported")})


def test_a_file_the_system_refuses_is_one_row(tmp_path, monkeypatch):
    inside = folder(tmp_path / "f", {"a.xml": b"<a/>", "bad.xml": b"<b/>"})
    opened = type(inside).open

    def refuse(self, *args, **kwargs):
        if self.name == "bad.xml":
            raise PermissionError(13, "Permission denied")
        return opened(self, *args, **kwargs)

    monkeypatch.setattr(type(inside), "open", refuse)
    assert read(inside) == ({"a.xml": b"<a/>"}, {("bad.xml", "unreadable")})


def test_names_that_are_no_text_become_text(tmp_path):
    folder(tmp_path / "f", {"a.xml": b"<a/>"})
    with open(os.fsencode(tmp_path / "f") + b"/\xff\n.xml", "wb") as file:
        file.write(b"<b/>")
    assert set(read(tmp_path / "f")[0]) == {"a.xml", "\\xff .xml"}


def test_what_a_mac_adds_is_left_aside(tmp_path):
    path = write(tmp_path / "a.tar", tar_bytes({"._a.xml": b"1", "a.xml": b"2"}))
    source = Source(path, everything)
    assert [item.name for item in source.items()] == ["a.xml"]
    assert source.left_aside == {".xml": 1}


def test_of_two_members_of_one_name_the_first_is_read(tmp_path):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for data in (b"<a/>", b"<b/>"):
            info = tarfile.TarInfo("a.xml")
            info.size = 4
            archive.addfile(info, io.BytesIO(data))
    files, repairs = read(write(tmp_path / "a.tar", packed.getvalue()))
    assert (files, repairs) == ({"a.xml": b"<a/>"}, {("a.xml", "same_image")})


def test_a_missing_source_is_named(tmp_path):
    with pytest.raises(ArchiveError, match="nowhere: no such file or folder"):
        Source(tmp_path / "nowhere", everything)


@pytest.mark.parametrize("name", ["n" * 300, "circle"])
def test_a_source_that_the_system_refuses_is_named(tmp_path, name):
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(ArchiveError, match=f"{name}: cannot be read: "):
        Source(tmp_path / name, everything)


def test_a_pipe_as_a_source_is_never_opened(tmp_path):
    "Opening it, be it for its fingerprint, would wait for ever"
    os.mkfifo(tmp_path / "pipe")
    source = Source(tmp_path / "pipe", everything)
    assert [item.kind for item in source.items()] == ["device"]
    assert source.fingerprint()["bytes"] == 0


def test_a_source_removed_while_it_is_read_is_read_to_its_end(tmp_path):
    path = write(tmp_path / "a.tar", tar_bytes(GOOD))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    source = Source(path, everything)
    items = source.items()
    first = next(items)
    path.unlink()
    assert {item.name for item in (first, *items)} == set(GOOD)
    assert source.fingerprint()["sha256"] == digest


def test_a_fingerprint_is_that_of_the_file_or_of_all_names_and_contents(tmp_path):
    path = write(tmp_path / "a.tgz", tar_bytes(GOOD, "w:gz"))
    source = Source(path, everything)
    list(source.items())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert source.fingerprint() == {"name": "a.tgz", "sha256": digest, "bytes": path.stat().st_size}
    seen = set()
    for n, files in enumerate([GOOD, GOOD | {"c": b"1"}, {"d": b"", **GOOD}]):
        one = Source(folder(tmp_path / str(n) / "f", files), everything)
        list(one.items())
        seen.add(one.fingerprint()["sha256"])
    assert len(seen) == 3
    again = Source(folder(tmp_path / "again" / "f", GOOD), everything)
    list(again.items())
    assert again.fingerprint()["sha256"] in seen


@pytest.mark.parametrize("name", ["a.tar", "a.tgz", "a.zip"])
@given(at=st.integers(0, 6000), junk=st.binary(min_size=1, max_size=30), cut=st.integers(0, 300))
def test_any_damage_ends_in_rows_of_known_kinds(tmp_path_factory, name, at, junk, cut):
    whole = PACKED[name](GOOD | {"n.zip": zip_bytes(GOOD), "n.tgz": tar_bytes(GOOD, "w:gz")})
    damaged = whole[:at] + junk + whole[at + cut :]
    _, repairs = read(write(tmp_path_factory.mktemp("fuzz") / name, damaged))
    assert {kind for _, kind in repairs} <= set(KINDS)


@given(st.binary(max_size=2000), st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b"]))
def test_any_bytes_are_read_or_refused(tmp_path_factory, data, start):
    _, repairs = read(write(tmp_path_factory.mktemp("fuzz") / "a.tar", start + data))
    assert {kind for _, kind in repairs} <= set(KINDS)
