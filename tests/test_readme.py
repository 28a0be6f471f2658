"""
What the README shows is what the commands print.

A block that follows ``<!-- checked -->`` is run: lines that begin with ``$`` are commands, the
others what they printed. ``<!-- checked, needs FILE -->`` wants a real file of the shared data.
``python tests/test_readme.py`` writes the README anew from what they print.

What a network answers differs in the last digits between processors, and an image near the edge may
tip: in lines that begin with a network's name numbers need only be near.
"""

import os
import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
SHARED = ROOT.parent / "shared" / "data"
BLOCK = re.compile(
    r"<!-- checked(?:, needs (?P<needs>[^>]+))? -->\n```console\n(?P<body>.*?)```", re.DOTALL
)


def blocks():
    return list(BLOCK.finditer(README.read_text(encoding="utf-8")))


def printed(command, folder):
    "stdout of one command, with the shell's names for what stands in the README"
    words = shlex.split(command, comments=True)
    if words == ["make", "demo"]:
        words = ["biaskit", "demo", "demo"]
    if words[0] != "biaskit":
        raise AssertionError(f"README: do not know how to run {command!r}")
    done = subprocess.run(
        [sys.executable, "-m", "biaskit", *words[1:]],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def rerun(block, folder):
    # A command may go on behind a backslash.
    commands = re.findall(r"^\$ (?:.*\\\n)*.*$", block["body"], re.MULTILINE)
    return "".join(f"{c}\n{printed(c[2:].replace(CONTINUED, ' '), folder)}" for c in commands)


CONTINUED = "\\\n"
NEAR = 0.03  # one image of forty more or less
NUMBER = re.compile(r"(?<![\w.])[-+]?\d*\.\d+|(?<![\w.])\d+(?![\w.])")


OF_NETWORKS = re.compile(r"efficientnet|resnet|vgg| +\d+ +\d+ +\d+  \S")


def same(shown, now):
    "Equal, but for numbers in lines that begin with a network's name, or tell of its layers"
    lines, others = shown.splitlines(), now.splitlines()
    return len(lines) == len(others) and all(map(same_line, lines, others))


def same_line(shown, now):
    if not OF_NETWORKS.match(shown):
        return shown == now
    numbers, others = ([float(n) for n in NUMBER.findall(line)] for line in (shown, now))
    words, other_words = (NUMBER.sub("", line).split() for line in (shown, now))
    near = all(abs(a - b) <= max(NEAR, 0.1 * abs(a)) for a, b in zip(numbers, others, strict=False))
    return words == other_words and len(numbers) == len(others) and near


def prepare(block, folder):
    for path in needed(block):
        if not (folder / path.name).exists():
            (folder / path.name).symlink_to(path)


def needed(block):
    return [SHARED / name for name in (block["needs"] or "").split(", ") if name]


def of_sample():
    return [b for b in blocks() if not b["needs"]]


def of_real_data():
    return [b for b in blocks() if b["needs"]]


def test_what_the_readme_shows_of_the_sample_is_what_is_printed(tmp_path):
    assert of_sample()
    for block in of_sample():
        fresh = rerun(block, tmp_path)
        assert same(block["body"], fresh), fresh
    # The Python of the README works on what the demo has written.
    code = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert code
    done = subprocess.run(
        [sys.executable, "-c", "if __name__ == '__main__':\n" + textwrap.indent(code[0], "    ")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr


def test_the_readme_explains_every_flag_and_names_every_command():
    from biaskit.bias.flags import FLAGS
    from biaskit.cli.main import app

    text = README.read_text(encoding="utf-8")
    for flag, meaning in FLAGS.items():
        assert f"| `{flag}` | {meaning} |" in text
    for command in app.registered_commands:
        assert f"biaskit {command.name}" in text or f"make {command.name}" in text


@pytest.mark.slow
@pytest.mark.parametrize("block", of_real_data(), ids=lambda b: b["needs"])
def test_what_the_readme_shows_of_real_data_is_what_is_printed(block, tmp_path):
    for path in needed(block):
        if not path.exists():
            pytest.skip(f"{path.name} is not in ../shared/data")
    prepare(block, tmp_path)
    fresh = rerun(block, tmp_path)
    assert same(block["body"], fresh), fresh


def test_numbers_of_networks_need_be_near_and_all_others_equal():
    row = "efficientnet_lite0     40  .350 [.22 .50]  .245 [.17 .33]"
    assert same(row, row.replace(".350", ".352"))
    assert not same(row, row.replace(".350", ".450"))
    assert not same(row, row.replace("[.22 .50]", ""))
    assert not same("n = 40", "n = 41")


def test_as_many_tests_pass_as_the_readme_shows(request):
    "Within a tenth: the number grows with every test, and the README need not"
    n = len(request.session.items)
    if n < 1000:
        pytest.skip("only when all tests are run")
    shown = re.search(r"=* ([\d,]+) passed", README.read_text(encoding="utf-8"))
    assert abs(int(shown[1].replace(",", "")) - n) < 0.1 * n


def write(folder):
    text = README.read_text(encoding="utf-8")
    for block in blocks():
        prepare(block, folder)
        fresh = block[0].replace(block["body"], rerun(block, folder))
        text = text.replace(block[0], fresh)
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        write(Path(name))
