"""
How fast box files become a checked table on disk: ours against the plain way, whole processes.

    python benchmarks/xml_reading.py imagenet_val_boxes.tgz [--train 544546]

The plain way is what a good programmer writes first: tarfile, ElementTree for each file, a dict
for each object, a DataFrame written to Parquet, nothing checked. Both are started as programs of
their own and timed from start to end, in turn; the ratio is of the medians of one run. With
--train an archive of the shape of ImageNet's training boxes (1,000 tars within a tar) is made up
and read, with the peak memory of the whole tree of processes.
"""

import argparse
import io
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from pathlib import Path

import psutil

OURS = """
import sys
from pathlib import Path
from biaskit.annotations import read_boxes
from biaskit.tables import BOXES
import pyarrow.parquet as pq
read = read_boxes([Path(sys.argv[1])])
pq.write_table(BOXES.to_arrow(read.boxes), sys.argv[2])
print(read.n_files, read.n_objects)
"""

PLAIN = """
import sys, tarfile
import xml.etree.ElementTree as ET
import pandas as pd
rows, n_files = [], 0
with tarfile.open(sys.argv[1]) as archive:
    for member in archive:
        if not member.isfile():
            continue
        n_files += 1
        root = ET.parse(archive.extractfile(member)).getroot()
        width = int(root.find("size/width").text)
        height = int(root.find("size/height").text)
        for number, element in enumerate(root.iter("object")):
            box = element.find("bndbox")
            rows.append({
                "category": element.find("name").text,
                "image_id": root.find("filename").text,
                "object": number,
                "split": "val",
                "image_width": width,
                "image_height": height,
                "x_min": int(box.find("xmin").text) / width,
                "y_min": int(box.find("ymin").text) / height,
                "x_max": (int(box.find("xmax").text) + 1) / width,
                "y_max": (int(box.find("ymax").text) + 1) / height,
                "lattice": 1.0,
            })
pd.DataFrame(rows).to_parquet(sys.argv[2])
print(n_files, len(rows))
"""

OBJECT = """\t<object>
\t\t<name>{wnid}</name>
\t\t<pose>Unspecified</pose>
\t\t<truncated>0</truncated>
\t\t<difficult>0</difficult>
\t\t<bndbox>
\t\t\t<xmin>{a}</xmin>
\t\t\t<ymin>{b}</ymin>
\t\t\t<xmax>{c}</xmax>
\t\t\t<ymax>{d}</ymax>
\t\t</bndbox>
\t</object>
"""
FILE = """<annotation>
\t<folder>{wnid}</folder>
\t<filename>{wnid}_{n}</filename>
\t<source>
\t\t<database>ILSVRC_2012</database>
\t</source>
\t<size>
\t\t<width>500</width>
\t\t<height>375</height>
\t\t<depth>3</depth>
\t</size>
\t<segmented>0</segmented>
{objects}</annotation>
"""


def timed(code, source, target):
    """Seconds and peak bytes of one whole process with its children, and what it printed"""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", code, source, target], stdout=subprocess.PIPE, text=True
    )
    peak, done = [0], threading.Event()

    def watch():
        top = psutil.Process(process.pid)
        while not done.wait(0.05):
            total = 0
            try:
                for one in [top, *top.children(recursive=True)]:
                    total += one.memory_info().rss
            except psutil.Error:
                continue
            peak[0] = max(peak[0], total)

    watcher = threading.Thread(target=watch)
    watcher.start()
    printed = process.communicate()[0]
    seconds = time.perf_counter() - start
    done.set()
    watcher.join()
    if process.returncode:
        raise SystemExit(f"the process failed with {process.returncode}")
    return seconds, peak[0], printed.strip()


def add(archive, name, data):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))


def make_train(path, n_files, n_tars=1000):
    """An archive of the shape of the training boxes: 1.13 objects a file, one tar a synset"""
    with tarfile.open(path, "w") as outer:
        for k in range(n_tars):
            wnid = f"n{k:08d}"
            inner = io.BytesIO()
            with tarfile.open(fileobj=inner, mode="w") as archive:
                for n in range(n_files * k // n_tars, n_files * (k + 1) // n_tars):
                    objects = ""
                    for j in range(2 if n % 8 == 0 else 1):
                        a, b = n % 97 + 40 * j, n % 61
                        objects += OBJECT.format(wnid=wnid, a=a, b=b, c=a + 200, d=b + 150)
                    data = FILE.format(wnid=wnid, n=n, objects=objects).encode()
                    add(archive, f"Annotation/{wnid}/{wnid}_{n}.xml", data)
            add(outer, f"{wnid}.tar", inner.getvalue())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("archive", type=Path, help="imagenet_val_boxes.tgz")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--train", type=int, default=0, help="files of a made-up archive")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        target = str(Path(folder) / "boxes.parquet")
        times = {"plain": [], "ours": []}
        for _ in range(options.repeats):
            for name, code in (("plain", PLAIN), ("ours", OURS)):
                seconds, peak, printed = timed(code, str(options.archive), target)
                times[name].append(seconds)
                print(
                    f"{name:6} {seconds:6.2f} s, peak {peak / 1e6:4.0f} MB, files boxes {printed}"
                )
        plain, ours = (statistics.median(times[name]) for name in ("plain", "ours"))
        print(
            f"ratio  {plain / ours:.2f} (medians of {options.repeats}: {plain:.2f} s, {ours:.2f} s)"
        )
        if options.train:
            path = str(Path(folder) / "train.tar")
            make_train(path, options.train)
            seconds, peak, printed = timed(OURS, path, target)
            print(f"train  {seconds:6.2f} s, peak {peak / 1e6:4.0f} MB, files boxes {printed}")


if __name__ == "__main__":
    main()
