"""ImageNet's and Pascal VOC's XML: conventions, names, and every kind of dirt in a file."""

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biaskit.annotations.imagenet_xml import XmlOptions, read_xml
from biaskit.annotations.repairs import KINDS, Refused
from biaskit.annotations.xml_layout import by_layout, by_tree

SIZE = "<size><width>500</width><height>375</height><depth>3</depth></size>"


def box(*numbers, name="n02092002", extra=""):
    tags = zip(("xmin", "ymin", "xmax", "ymax"), numbers, strict=True)
    inside = "".join(f"<{tag}>{number}</{tag}>" for tag, number in tags)
    return f"<object><name>{name}</name>{extra}<bndbox>{inside}</bndbox></object>"


def xml(*objects, filename="a", database="ILSVRC_2012", size=SIZE, folder="val"):
    return (
        f"<annotation><folder>{folder}</folder><filename>{filename}</filename>"
        f"<source><database>{database}</database></source>{size}"
        f"<segmented>0</segmented>{''.join(objects)}</annotation>"
    ).encode()


def read(data, name="a.xml", **options):
    return read_xml(name, data, XmlOptions(**options))


def kinds(repairs):
    return [(repair.object, repair.kind) for repair in repairs]


def test_a_file_as_imagenet_ships_it():
    boxes, repairs = read(xml(box(111, 108, 441, 193)), "val/a.xml")
    assert not repairs
    (only,) = boxes
    assert (only.image, only.object, only.category, only.split) == ("val/a", 0, "n02092002", "val")
    assert (only.width, only.height) == (500, 375)
    assert only[8:12] == (111, 108, 441, 193)
    assert (only.first, only.reach, only.lattice) == (0, 1, 1)


@pytest.mark.parametrize("database", ["The VOC2007 Database", "VOC2012"])
def test_voc_says_so_and_counts_from_one(database):
    boxes, repairs = read(xml(box(1, 1, 500, 375, name="dog"), database=database))
    assert not repairs
    assert (boxes[0].category, boxes[0].first, boxes[0].reach) == ("dog", 1, 1)


def test_the_caller_may_say_voc_or_imagenet():
    plain = xml(box(1, 1, 5, 5, name="dog"), database="Unknown")
    assert read(plain)[0][0].first == 0
    assert read(plain, convention="voc")[0][0].first == 1
    voc = xml(box(1, 1, 5, 5, name="dog"), database="The VOC2007 Database")
    assert read(voc, convention="imagenet")[0][0].first == 0


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("n02092002-Scottish_deerhound/x", "n02092002"),
        ("n02092002_123.xml", "n02092002"),
        ("train.tar/n02092002.tar.gz/x.xml", "n02092002"),
    ],
)
def test_a_word_where_a_wnid_belongs_is_taken_from_the_path(name, kept):
    boxes, repairs = read(xml(box(1, 1, 5, 5, name="Scottish_deerhound"), filename="x"), name)
    assert boxes[0].category == kept
    assert next(r for r in repairs if r.kind == "word")[1:] == (
        0,
        "word",
        "Scottish_deerhound",
        kept,
    )


def test_a_word_without_any_wnid_is_refused_unless_words_are_known():
    data = xml(box(1, 1, 5, 5, name="Scottish_deerhound"))
    boxes, repairs = read(data)
    assert not boxes
    assert kinds(repairs) == [(0, "word")]
    assert repairs[0].kept == ""
    assert read(data, wnids={"scottish deerhound": "n02092002"})[0][0].category == "n02092002"


def test_a_word_is_a_category_where_nobody_speaks_of_imagenet():
    boxes, repairs = read(xml(box(1, 1, 5, 5, name="screw"), database="Unknown"))
    assert (boxes[0].category, repairs) == ("screw", [])


def test_an_object_without_a_name_is_refused():
    data = xml(box(1, 1, 5, 5, name=" "), database="Unknown")
    assert kinds(read(data)[1]) == [(0, "no_category")]


def test_percent_s_gives_way_to_the_name_of_the_file():
    boxes, repairs = read(xml(box(1, 1, 5, 5), filename="%s"), "n02092002-x/n02092002_7")
    assert boxes[0].image.endswith("n02092002_7")
    assert [tuple(r)[1:] for r in repairs] == [(-1, "percent_s", "%s", "n02092002_7")]


@pytest.mark.parametrize("written", ["a", "a.jpg", "a.JPEG", ""])
def test_a_file_name_with_or_without_ending_is_the_same(written):
    assert not read(xml(box(1, 1, 5, 5), filename=written))[1]


def test_another_file_name_inside_is_reported():
    assert kinds(read(xml(box(1, 1, 5, 5), filename="b.jpg"))[1]) == [(-1, "name")]


def test_whole_numbers_written_as_floats_are_still_pixels():
    boxes, repairs = read(xml(box("48.0", 1, "9e1", 5)))
    assert (boxes[0].x_min, boxes[0].x_max, boxes[0].lattice, boxes[0].reach) == (48, 90, 1, 1)
    assert tuple(repairs[0])[1:] == (0, "float", "48.0 1 9e1 5", "48 1 90 5")


def test_a_fraction_is_a_place_and_not_a_pixel():
    boxes, repairs = read(xml(box("48.5", 1, 90, 5)))
    assert (boxes[0].x_min, boxes[0].lattice, boxes[0].reach) == (48.5, 0, 0)
    assert kinds(repairs) == [(0, "float")]


@pytest.mark.parametrize("text", ["", "abc", "nan", "inf", "1_0", "1" * 400, "٣"])
def test_what_is_no_number_is_refused_and_its_neighbours_are_kept(text):
    boxes, repairs = read(xml(box(text, 1, 5, 5), box(1, 1, 5, 5)))
    assert kinds(repairs) == [(0, "not_a_number")]
    assert [b.object for b in boxes] == [1]


def test_a_negative_number_is_a_number():
    boxes, repairs = read(xml(box(-3, 1, 5, 5)))
    assert (boxes[0].x_min, repairs) == (-3, [])


@pytest.mark.parametrize(
    "size", ["", "<size/>", SIZE.replace("500", "abc"), SIZE.replace("500", "500.5")]
)
def test_a_missing_size_is_left_open(size):
    assert math.isnan(read(xml(box(1, 1, 5, 5), size=size))[0][0].width)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (xml(), "no_object"),
        (xml(box(1, 1, 5, 5))[:-1], "broken"),
        (b"no markup", "broken"),
        (b"<html></html>", "not_annotation"),
        (xml(box(1, 1, 5, 5), folder="caf\u00e9").decode().encode("latin-1"), "not_utf8"),
        (xml(box(1, 1, 5, 5)).decode().encode("utf-16"), "not_utf8"),
        (b"<?xml version='1.0'?><!DOCTYPE annotation><annotation/>", "entity"),
        (b"<annotation>" + b"<a>" * 1_000_000, "too_deep"),
        (b"<annotation>" + b"<a>" * 1_000_000 + b"</a>" * 1_000_000 + b"</annotation>", "too_deep"),
    ],
)
def test_a_file_that_cannot_be_read_gives_one_row(data, kind):
    boxes, repairs = read(data)
    assert not boxes
    assert kinds(repairs) == [(-1, kind)]
    assert repairs[0].kept == ""


def test_an_entity_never_reaches_a_file(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("n01440764")
    data = (
        f'<!DOCTYPE annotation [<!ENTITY e SYSTEM "file://{secret}">]>'
        f"<annotation>{box(1, 1, 5, 5, name='&e;')}</annotation>"
    ).encode()
    boxes, repairs = read(data)
    assert (boxes, kinds(repairs)) == ([], [(-1, "entity")])
    assert "n01440764" not in str(repairs)


def test_an_entity_bomb_is_refused_before_it_grows():
    levels = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(30))
    data = f'<!DOCTYPE a [<!ENTITY e0 "ha">{levels}]><annotation>&e30;</annotation>'.encode()
    assert kinds(read(data)[1]) == [(-1, "entity")]


def test_a_declaration_hidden_by_an_encoding_is_found():
    "In UTF-7, +ADw- is <: a search of the bytes for <! would miss it"
    data = b"<?xml version='1.0' encoding='UTF-7'?>+ADwAIQ-DOCTYPE annotation><annotation/>"
    assert read(data)[1][0].kind in ("entity", "broken")


def test_no_network_is_asked(monkeypatch):
    import socket

    def refuse(*args, **kwargs):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    data = b'<!DOCTYPE annotation SYSTEM "http://localhost:9/a.dtd"><annotation/>'
    assert kinds(read(data)[1]) == [(-1, "entity")]


def test_an_undeclared_entity_is_broken_xml():
    assert kinds(read(xml(box(1, 1, 5, 5, name="&what;")))[1]) == [(-1, "broken")]


def test_an_object_without_a_box_is_refused_alone():
    boxes, repairs = read(xml("<object><name>n02092002</name></object>", box(1, 1, 5, 5)))
    assert (kinds(repairs), [b.object for b in boxes]) == ([(0, "no_box")], [1])


def test_parts_of_a_voc_person_are_no_objects():
    part = "<part><name>head</name><bndbox><xmin>3</xmin></bndbox></part>"
    inside = box(1, 2, 30, 40, name="person", extra=part)
    boxes, _ = read(xml(inside, database="The VOC2007 Database"))
    assert [(b.category, b.x_min) for b in boxes] == [("person", 1)]


def test_comments_do_not_get_in_the_way():
    data = xml(box("1", 1, 5, 5)).replace(b"<object>", b"<!-- one --><object><!-- two -->")
    split = xml(box("1<!-- three -->0", 1, 50, 50))
    assert read(split)[0][0].x_min == 10
    assert read(data)[0] == read(xml(box(1, 1, 5, 5)))[0]


texts = st.text(st.characters(codec="utf-8"), max_size=8)
digits = st.integers(-5, 2000).map(str)


@given(
    objects=st.lists(
        st.tuples(texts, st.lists(digits | texts, min_size=4, max_size=4)), max_size=3
    ),
    filename=texts,
    space=st.sampled_from(["", "\n\t", " "]),
)
def test_the_glance_at_the_layout_says_what_the_parser_says(objects, filename, space):
    "Whatever the short way accepts, lxml reads as the same texts"
    data = xml(*(box(*numbers, name=name) for name, numbers in objects), filename=filename)
    data = data.replace(b"><", f">{space}<".encode())
    glance = by_layout(data)
    if glance is not None:
        assert glance == by_tree(data)


def test_the_usual_layout_needs_no_parser():
    "Else the speed of reading would be lost unseen"
    assert by_layout(xml(box(1, 1, 5, 5))) is not None
    assert by_layout(xml(box(1, 1, 5, 5), filename="&amp;")) is None


@given(at=st.integers(0, 400), junk=st.binary(max_size=6), cut=st.integers(0, 40))
def test_any_damage_ends_in_rows_of_known_kinds(at, junk, cut):
    whole = xml(box(1, 1, 5, 5), box("2.5", 3, 9, 9))
    _, repairs = read(whole[:at] + junk + whole[at + cut :])
    assert {repair.kind for repair in repairs} <= set(KINDS)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_or_read(data):
    with suppress(Refused):
        by_tree(data)
