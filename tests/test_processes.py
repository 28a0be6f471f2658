"""Parsing in other processes: all batches come back, and no process is left behind."""

import io
import os
import signal
import subprocess
import sys
import tarfile
import time

import psutil
import pytest

from biaskit import engines
from biaskit.annotations import processes
from biaskit.annotations.archive import Named
from biaskit.annotations.imagenet_xml import XmlOptions
from biaskit.annotations.processes import parse_batch, parse_batches
from biaskit.engines import default_workers
from biaskit.errors import AnnotationError

FILE = (
    b"<annotation><size><width>9</width><height>9</height></size><object><name>n01440764</name>"
    b"<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>5</ymax></bndbox></object>"
    b"</annotation>"
)


def batches(n):
    return [(0, XmlOptions(), [Named(f"n01440764_{k}.xml", FILE)]) for k in range(n)]


def names(parsed):
    return sorted(columns[0][0] for _, _, columns, _ in parsed)


@pytest.mark.parametrize("n", [0, 1, processes.STARTING, processes.STARTING + 1, 60])
@pytest.mark.parametrize("workers", [1, 2])
def test_every_batch_comes_back_once(n, workers):
    expected = names(map(parse_batch, batches(n)))
    assert names(parse_batches(iter(batches(n)), workers)) == expected
    assert len(expected) == n


def test_batches_are_read_no_faster_than_they_are_parsed():
    "Else a large archive would lie in memory whole"
    taken = []
    source = (taken.append(1) or batch for batch in batches(500))
    parsed = parse_batches(source, 2)
    for _ in range(processes.STARTING + 1):
        next(parsed)
    # In the queue, in the processes, one in the hand, and those parsed meanwhile.
    assert len(taken) < 100
    parsed.close()


def test_closing_early_leaves_no_process_behind():
    parsed = parse_batches(iter(batches(200)), 2)
    for _ in range(processes.STARTING + 1):
        next(parsed)
    assert psutil.Process().children()
    parsed.close()
    assert not psutil.Process().children()


def test_a_process_that_dies_is_an_error_and_no_silence(monkeypatch):
    monkeypatch.setattr(engines, "COMMAND", "raise SystemExit(1)")
    with pytest.raises(AnnotationError, match="a reading process died"):
        list(parse_batches(iter(batches(60)), 2))
    assert not psutil.Process().children()


def test_at_least_one_process_is_used():
    assert default_workers() >= 1


CODE = """
import sys, time
from pathlib import Path
from biaskit.annotations import read_boxes
def progress(n, total, name):
    if n > 3000:
        print("ready", flush=True)
    time.sleep(0.05)
read_boxes([Path(sys.argv[1])], workers=2, progress=progress)
"""


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="signals of POSIX")
def test_an_interrupt_ends_everything(tmp_path):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        for k in range(20_000):
            info = tarfile.TarInfo(f"n01440764_{k}.xml")
            info.size = len(FILE)
            archive.addfile(info, io.BytesIO(FILE))
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) == 2
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert "KeyboardInterrupt" in said
    until = time.monotonic() + 10
    while any(child.is_running() for child in children) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(child.is_running() for child in children)
