"""The wheel holds all the package needs, and runs outside the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def run(*command, cwd, path=None):
    env = {**os.environ, **({"PYTHONPATH": str(path)} if path else {})}
    done = subprocess.run(
        [sys.executable, *map(str, command)], cwd=cwd, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_wheel_outside_the_checkout_goes_the_whole_path(tmp_path):
    pip = ("-m", "pip", "--disable-pip-version-check", "-q")
    options = ("--no-deps", "--no-build-isolation", "--wheel-dir")
    run(*pip, "wheel", ROOT, *options, tmp_path, cwd=tmp_path)
    (wheel,) = tmp_path.glob("biaskit-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "biaskit/py.typed" in names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]
    place = tmp_path / "installed"
    run(*pip, "install", "--no-deps", "--target", place, wheel, cwd=tmp_path)
    where = run("-c", "import biaskit; print(biaskit.__file__)", cwd=tmp_path, path=place)
    assert Path(where.strip()).is_relative_to(place)
    out = run("-m", "biaskit", "demo", "--quiet", cwd=tmp_path, path=place)
    assert "position, null fit" in out
    assert (tmp_path / "demo/study/audit.html").stat().st_size > 100_000
