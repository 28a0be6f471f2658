"""Rules that hold for every file of the project."""

import ast
import importlib
import inspect
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted([*ROOT.glob("biaskit/**/*.py"), *ROOT.glob("annotate/**/*.py")])
MODULES = [
    ".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for p in SOURCES
    if p.name != "__main__.py"
]


def text_files():
    done = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("not a git checkout: there is no list of the project's files")
    for name in filter(None, done.stdout.decode().split("\0")):
        path = ROOT / name
        if path.is_file():
            try:
                yield name, path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_assert_outside_tests(path):
    "It would vanish under python -O"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    lines = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    assert not lines


SILENT = [path for path in SOURCES if "cli" not in path.parts]


@pytest.mark.parametrize("path", SILENT, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_the_command_line_prints(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [n.func for n in ast.walk(tree) if isinstance(n, ast.Call)]
    assert not [f.lineno for f in calls if isinstance(f, ast.Name) and f.id == "print"]


@pytest.mark.parametrize("name", MODULES)
def test_public_names_are_listed_and_explained(name):
    "Everything in __all__ exists and has a docstring; functions made here and not listed hide"
    module = importlib.import_module(name)
    assert (module.__doc__ or "").strip(), f"{name} does not say its purpose"
    listed = getattr(module, "__all__", None)
    if listed is None:
        own = [n for n, v in vars(module).items() if getattr(v, "__module__", "") == name]
        assert not [n for n in own if not n.startswith("_")], f"{name} has no __all__"
        return
    for public in listed:
        value = getattr(module, public)
        if inspect.isfunction(value) or inspect.isclass(value):
            assert (value.__doc__ or "").strip(), f"{name}.{public} has no docstring"
    functions = inspect.getmembers(module, lambda v: inspect.isfunction(v) or inspect.isclass(v))
    for public, value in functions:
        # The functions of the command line are its commands, and need no list.
        if value.__module__ == name and public[0] != "_" and "biaskit.cli" not in name:
            assert public in listed, f"{name}.{public} is neither listed nor private"


def test_no_left_over_notes_and_no_path_of_one_machine():
    words = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]
    unwanted = re.compile(
        r"\b(" + "|".join(words) + r")\b|(?<![\w.])/(home|root|work)/\w|" + "python" + r"hosted\."
    )
    found = [
        f"{name}: {match.group(0)}"
        for name, text in text_files()
        for match in unwanted.finditer(text)
    ]
    assert not found
