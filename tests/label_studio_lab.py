"""A real Label Studio for tests: started by the command, in a study of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from annotate.client import Client
from annotate.home import Home
from annotate.server import own_client, running

ROOT = Path(__file__).resolve().parents[1]


@dataclass
class Lab:
    "A study whose server runs"

    study: Path

    @property
    def home(self) -> Home:
        return Home(self.study)

    @property
    def client(self) -> Client:
        return own_client(self.home)

    @property
    def pid(self) -> int:
        return running(self.home).pid

    def run(self, *arguments, status=0, env=None):
        "Run biaskit annotate in a process of its own; what it printed"
        done = call("annotate", *arguments, "--study", self.study, env=env)
        assert done.returncode == status, done.stderr + done.stdout
        assert "Traceback" not in done.stderr
        return done.stdout if status == 0 else done.stderr

    def export(self, title):
        return json.loads(self.client.raw_export(self.home.projects()[title]["id"]))

    def annotate(self, task, result, who, seconds=3.0):
        body = {"result": result, "completed_by": who, "lead_time": seconds}
        return self.client.post(f"/api/tasks/{task}/annotations/", body)

    def users(self):
        return {user["email"]: user["id"] for user in self.client.get("/api/users/")}


def call(*arguments, env=None):
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    return subprocess.run(
        [sys.executable, "-m", "biaskit", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path, **(env or {})},
    )


def write_image(path, size, *, orientation=None):
    "A picture of noise, so that no two files are alike"
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(sum(path.name.encode()))
    pixels = rng.integers(60, 200, (size[1], size[0], 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    image.save(path, exif=exif, quality=80)
    return path


def point(name, x, y, size):
    return {
        "from_name": "points",
        "to_name": "image",
        "type": "keypointlabels",
        "original_width": size[0],
        "original_height": size[1],
        "image_rotation": 0,
        "value": {"x": 100 * x / size[0], "y": 100 * y / size[1], "width": 0.5,
                  "keypointlabels": [name]},
    }  # fmt: skip
