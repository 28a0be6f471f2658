"""
A sweep from JPEG files to the written table, against the bare network and against the plain way.

    python benchmarks/sweeps.py                  # some minutes on two cores
    python benchmarks/sweeps.py --quick
    python benchmarks/sweeps.py --photos FOLDER --device cuda --fast
    python benchmarks/sweeps.py --memory         # ten times the images: the same peak?

Bare: the same network on ready batches of the same size and precision, memory kept as in the
sweep: the physical limit. Plain: per image and step a crop with Pillow, a transform, a batch of
one. The three take turns, and each ratio is of medians of one run.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image

from biaskit.engines import default_workers
from biaskit.sample import write_sample
from biaskit.study import Study
from biaskit.sweeps.canvases import FILLS, fill_canvas
from biaskit.sweeps.chunks import cut_chunks, usual_batch
from biaskit.sweeps.devices import devices_of, settle
from biaskit.sweeps.images import find_images
from biaskit.sweeps.networks import find_network
from biaskit.sweeps.protocols import make_plan
from biaskit.sweeps.protocols.resizing import fit_longer
from biaskit.sweeps.runner import Setup
from biaskit.sweeps.stage import SweepRun, run_sweep

NETWORKS = {"small": "squeezenet1_0", "middle": "efficientnet_lite0", "large": "resnet50"}
STEPS = 33


class Silent:
    "In place of a progress bar"

    def __enter__(self):
        return lambda *_: None

    def __exit__(self, *_):
        return None


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def synchronise(device):
    if device.startswith("cuda"):
        torch.cuda.synchronize()


class Contest:
    "One network, one list of images: the three ways take turns"

    def __init__(self, name, folder, images, *, fill, device, fast):
        weights = None if name.startswith("efficientnet_lite") else "random"
        self.request = find_network(name, weights=weights)
        self.network = self.request.load()
        own = self.network.preprocessing
        self.plan = make_plan(
            "embed",
            input_size=own.input_size,
            resize=own.resize,
            interpolation=own.interpolation,
            fill=fill,
            seed=0,
        )
        self.folder, self.images, self.device, self.fast = folder, images, device, fast
        self.batch = usual_batch(device, self.plan.steps)
        settle(device)
        self.module = self.network.module.to(device).to(memory_format=torch.channels_last)
        size = own.input_size
        self.ready = torch.randn(self.batch, 3, size, size, device=device)
        self.ready = self.ready.to(memory_format=torch.channels_last)

    def forward(self, x):
        with torch.autocast(torch.device(self.device).type, torch.bfloat16, enabled=self.fast):
            return self.module(x)

    def bare(self):
        n = max(1, len(self.images) * STEPS // self.batch)
        with torch.inference_mode():
            taken = seconds(
                lambda: ([self.forward(self.ready) for _ in range(n)], synchronise(self.device))
            )
        return n * self.batch / taken

    def sweep(self):
        threads = 1 if self.device == "cpu" else default_workers()
        setup = Setup(
            self.request, self.plan, str(self.folder), self.device, self.fast, self.batch, threads
        )
        chunks = cut_chunks(self.images, self.plan, self.batch, {})
        run = SweepRun(setup, self.network, self.images, chunks, None, None, [self.device])
        with tempfile.TemporaryDirectory() as home:
            study = Study(Path(home) / "study")
            with study.writing("benchmark"):
                taken = seconds(
                    lambda: run_sweep(study, run, mode="continue", shown=lambda _: Silent())
                )
        return len(self.images) * STEPS / taken

    def plain(self, n_images=2):
        "Canvas once per image; then a crop, a transform and a batch of one per step"
        from torchvision.transforms import Compose, Normalize, ToTensor

        own, size = self.network.preprocessing, self.plan.input_size
        transform = Compose([ToTensor(), Normalize(own.mean, own.std)])

        def work():
            with torch.inference_mode():
                for file in self.images[:n_images]:
                    photograph = np.asarray(Image.open(self.folder / file.file).convert("RGB"))
                    image = fit_longer(photograph, self.plan.longer_side, own.interpolation)
                    corner = size - image.shape[0] // 2, size - image.shape[1] // 2
                    canvas = Image.fromarray(
                        fill_canvas(image, (2 * size, 2 * size), corner, self.plan.fill, seed=0)
                    )
                    for shift in range(-16, 17):
                        top, left = size // 2 - shift, size // 2
                        frame = canvas.crop((left, top, left + size, top + size))
                        logits = self.forward(transform(frame)[None].to(self.device))
                        logits.softmax(1).topk(5)[1].tolist()

        return n_images * STEPS / seconds(work)


def contest(kind, name, folder, images, options):
    entry = Contest(name, folder, images, fill=options.fill, device=options.device,
                    fast=options.fast)  # fmt: skip
    entry.bare()
    entry.sweep()  # warm: kernels chosen, files in the cache
    rounds = [(entry.bare(), entry.sweep(), entry.plain()) for _ in range(options.rounds)]
    bare, sweep, plain = (median(column) for column in zip(*rounds, strict=True))
    ratios = [s / b for b, s, _ in rounds]
    print(
        f"{kind:<7}{name:<20}{bare:>9.1f}{sweep:>9.1f}{plain:>9.1f}{sweep / bare:>9.2f}"
        f" ({min(ratios):.2f} to {max(ratios):.2f}){sweep / plain:>8.1f}",
        flush=True,
    )


def fills(folder, images):
    "Seconds of one core per canvas of twice the input"
    for fill in FILLS:
        photographs = [np.asarray(Image.open(folder / f.file).convert("RGB")) for f in images[:5]]
        small = [fit_longer(photograph, 160, "bilinear") for photograph in photographs]
        make = partial(fill_canvas, size=(448, 448), corner=(144, 144), fill=fill, seed=0)
        taken = [seconds(partial(make, image)) for image in small]
        print(f"{fill:<16}{1e3 * median(taken):>8.1f} ms")


MEMORY = """
import resource, sys
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, {benchmarks!r})
from sweeps import Contest, find_images, tiny
folder = Path({folder!r})
contest = Contest("squeezenet1_0", folder, [], fill="mean", device="cpu", fast=False)
contest.network = replace(contest.network, module=tiny())
files = find_images(folder)
contest.images = [
    replace(files[k % len(files)], image_id=f"{{k:05d}}") for k in range(int(sys.argv[1]))
]
contest.sweep()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def tiny():
    "A network that costs nothing, so that many images can be shown; the rest is as ever"
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(3, 8, 7, stride=8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(8, 1000),
    ).eval()  # fmt: skip


def memory(folder, quick):
    "Peak memory of a process that sweeps over n images, and ten times as many"
    code = MEMORY.format(benchmarks=str(Path(__file__).parent), folder=str(folder))
    peaks = []
    for count in (32, 320) if quick else (320, 3200):
        done = subprocess.run(
            [sys.executable, "-c", code, str(count)], capture_output=True, text=True, check=True
        )
        peaks.append(int(done.stdout))
        print(f"{count:>6} images, {count * STEPS:,} frames: peak {peaks[-1]:,} MB", flush=True)
    print(f"ten times the images: {peaks[1] / peaks[0]:.2f} times the peak")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fill", default="mean")
    parser.add_argument("--device", default=None)
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS.values()))
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    options.device = devices_of(options.device)[0]
    if options.quick:
        options.images, options.rounds = 16, 1
    with tempfile.TemporaryDirectory() as home:
        folder = options.photos
        if folder is None:
            write_sample(Path(home) / "sample", seed=0)
            folder = Path(home) / "sample" / "photos"
        if options.memory:
            memory(folder, options.quick)
            return
        images = find_images(folder)[: options.images]
        print(
            f"{len(images)} photographs, {STEPS} steps, fill {options.fill}, {options.device}, "
            f"{'bf16' if options.fast else 'float32'}, {torch.get_num_threads()} threads\n"
            f"{'':<7}{'frames per second':<20}{'bare':>9}{'sweep':>9}{'plain':>9}"
            f"{'sweep / bare':>24}{'/ plain':>8}"
        )
        kinds = {name: kind for kind, name in NETWORKS.items()}
        for name in options.networks:
            contest(kinds.get(name, ""), name, folder, images, options)
        fills(folder, images)


if __name__ == "__main__":
    main()
