"""Words of wnids."""

import importlib.machinery
import importlib.util
import json
import subprocess
import sys

import pytest

from biaskit.annotations import synsets
from biaskit.annotations.synsets import imagenet_wnids, wnids_of, words_of
from biaskit.errors import AnnotationError

DOG = {"n02092002": "Scottish deerhound, deerhound"}


@pytest.mark.parametrize(
    "text",
    [
        "n02092002 Scottish deerhound, deerhound",
        "n02092002\tScottish deerhound, deerhound\r\n",
        "n02092002,Scottish deerhound, deerhound",
        "\ufeff# wnid word\nn02092002: Scottish deerhound, deerhound\n\n",
        json.dumps({"177": ["n02092002", "Scottish deerhound, deerhound"]}),
    ],
)
def test_every_usual_form_of_a_file(tmp_path, text):
    path = tmp_path / "words.txt"
    path.write_text(text, "utf-8")
    assert words_of(path) == DOG
    assert wnids_of(path)["deerhound"] == "n02092002"
    assert wnids_of(path)["scottish deerhound"] == "n02092002"


def test_a_word_of_two_wnids_names_neither(tmp_path):
    "ImageNet has two cranes and two maillots"
    path = tmp_path / "words.txt"
    path.write_text("n02012849 crane\nn03126707 crane\nn02099601 golden_retriever\n")
    assert wnids_of(path) == {"golden retriever": "n02099601"}


@pytest.mark.parametrize("text", ["", "cat\ndog", "{", '{"a": 1}', "[" * 100_000])
def test_a_file_without_wnids_is_refused(tmp_path, text):
    path = tmp_path / "words.txt"
    path.write_text(text)
    with pytest.raises(AnnotationError, match="no wnid found"):
        words_of(path)


def test_a_file_that_is_none_is_refused(tmp_path):
    with pytest.raises(AnnotationError, match="cannot be read"):
        words_of(tmp_path / "nowhere")


@pytest.fixture
def timm(tmp_path, monkeypatch):
    "A package of timm's shape; the real one is not needed to read its lists"
    folder = tmp_path / "timm" / "data" / "_info"
    folder.mkdir(parents=True)
    (folder / "imagenet_synsets.txt").write_text("n01440764\nn02092002\n")
    (folder / "imagenet_synset_to_lemma.txt").write_text(
        "n02092002 Scottish_deerhound, deerhound\n"
    )
    (tmp_path / "timm" / "__init__.py").write_text("raise RuntimeError('timm was imported')")
    monkeypatch.syspath_prepend(tmp_path)
    # A real one that another test has imported would be found first.
    monkeypatch.delitem(sys.modules, "timm", raising=False)


def test_timms_lists_are_read_without_importing_it(timm):
    assert words_of() == {"n02092002": "Scottish_deerhound, deerhound"}
    assert imagenet_wnids() == ["n01440764", "n02092002"]
    assert "timm" not in sys.modules


def test_without_anything_there_are_no_words(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert (words_of(), imagenet_wnids()) == ({}, [])


def test_only_a_named_file_can_turn_words_into_wnids(timm):
    "Whether timm is installed must not change a table"
    assert wnids_of(None) == {}


def test_the_real_lists_agree_with_themselves():
    if not imagenet_wnids():
        pytest.skip("timm is not installed")
    wnids = imagenet_wnids()
    assert len(wnids) == 1000
    assert wnids == sorted(wnids)
    assert "Tibetan" in words_of()["n02097474"]


def test_torch_stays_out():
    code = (
        "import sys; from biaskit.annotations.synsets import words_of; words_of();"
        "sys.exit(any(m in sys.modules for m in ('torch', 'timm')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_module_says_what_it_gives():
    assert set(synsets.__all__) == {"imagenet_wnids", "wnids_of", "words_of"}
