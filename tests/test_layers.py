"""Imports point down: the picture of layers in CONTRIBUTING.md is true."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LAYERS = [
    {"errors"},
    {"chance", "schema", "tables", "geometry", "provenance", "study", "engines"},
    {"annotations"},
    {"bias", "sweeps"},
    {"comparison", "experiment"},
    {"charts", "export", "report", "sample"},
    {"annotate"},
    {"pages", "cli", "__main__", "app"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
NEVER_TOGETHER = [{"bias", "sweeps"}]
ONLY_IN = {
    "torch": {"sweeps", "experiment"},
    "torchvision": {"sweeps", "experiment"},
    "timm": {"sweeps", "experiment"},
    "altair": {"charts"},
    "vl_convert": {"charts"},
    "streamlit": {"pages", "app"},
    "label_studio_sdk": {"annotate"},
    "skimage": {"sample"},
}


def sources():
    found = [*ROOT.glob("biaskit/**/*.py"), *ROOT.glob("annotate/**/*.py"), *ROOT.glob("app.py")]
    return [path for path in sorted(found) if path != ROOT / "biaskit/__init__.py"]


def part_of(path):
    names = path.relative_to(ROOT).with_suffix("").parts
    return names[1] if names[0] == "biaskit" else names[0]


def imported(path):
    "Full dotted names, those inside functions and type checks included"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise AssertionError(f"{path}: relative import")
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_imports_only_from_its_layer_or_lower_ones(path):
    part = part_of(path)
    assert part in LEVEL, f"{part} has no layer: give it one here and in CONTRIBUTING.md"
    for name in imported(path):
        names = name.split(".")
        if names[0] == "biaskit" and len(names) > 1 and names[1] in LEVEL:
            assert LEVEL[names[1]] <= LEVEL[part], f"{part} imports {name} from above"
            for pair in NEVER_TOGETHER:
                assert {part, names[1]} != pair, f"{part} imports {name}"
        if names[0] == "annotate":
            assert LEVEL["annotate"] <= LEVEL[part], f"{part} imports {name} from above"


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_heavy_libraries_stay_where_they_belong(path):
    for name in imported(path):
        top = name.split(".")[0]
        if top in ONLY_IN:
            assert part_of(path) in ONLY_IN[top], f"{path} imports {top}"


@pytest.mark.parametrize("code", ["import biaskit", "from biaskit.cli import main; main(['-h'])"])
def test_starting_imports_nothing_heavy(code):
    "A person who asks for --help waits for none of these"
    heavy = [*ONLY_IN, "pandas", "scipy", "pyarrow"]
    check = f"{code}\nimport sys\nprint([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
