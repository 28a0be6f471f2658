"""
Sums over the maps of all layers, against the bare forward passes over the same frames.

    python benchmarks/shiftability.py                  # 10 images x 64 shifts, some minutes
    python benchmarks/shiftability.py --quick
    python benchmarks/shiftability.py --photos FOLDER --device cuda --fast
    python benchmarks/shiftability.py --memory         # 299 px, batch 64, all layers: the peak

Bare: the same network on ready batches of the same size and number, memory kept as in the run.
Ours: from JPEG files through the sums of every layer to the written table. The two take turns.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import torch

from biaskit.engines import default_workers
from biaskit.sample import write_sample
from biaskit.study import Study
from biaskit.sweeps.chunks import cut_chunks, usual_batch
from biaskit.sweeps.devices import devices_of, settle
from biaskit.sweeps.images import find_images
from biaskit.sweeps.inside.runner import InsideSetup
from biaskit.sweeps.inside.stage import INSIDE
from biaskit.sweeps.networks import find_network
from biaskit.sweeps.networks.layers import find_layers
from biaskit.sweeps.protocols import make_plan
from biaskit.sweeps.stage import SweepRun, run_sweep

NETWORKS = ("squeezenet1_0", "efficientnet_lite0", "resnet50")
STEPS = 64


class Silent:
    "In place of a progress bar"

    def __enter__(self):
        return lambda *_: None

    def __exit__(self, *_):
        return None


def contest(name, folder, images, *, device, fast, repeats):
    weights = None if name.startswith("efficientnet_lite") else "random"
    request = find_network(name, weights=weights)
    network = request.load()
    own = network.preprocessing
    plan = make_plan(
        "embed",
        input_size=own.input_size,
        resize=own.resize,
        interpolation=own.interpolation,
        steps=STEPS,
        seed=0,
    )
    batch = usual_batch(device, STEPS)
    layers = find_layers(network.module, own.input_size)
    settle(device)
    module = network.module.to(device).to(memory_format=torch.channels_last)
    ready = torch.randn(batch, 3, own.input_size, own.input_size, device=device)
    ready = ready.to(memory_format=torch.channels_last)
    n_batches = -(-len(images) * STEPS // batch)

    def bare():
        start = time.perf_counter()
        kind = torch.device(device).type
        with torch.inference_mode(), torch.autocast(kind, torch.bfloat16, enabled=fast):
            for _ in range(n_batches):
                module(ready)
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        return time.perf_counter() - start

    def ours():
        threads = 1 if device == "cpu" else default_workers()
        setup = InsideSetup(request, plan, str(folder), device, fast, batch, threads)
        chunks = cut_chunks(images, plan, batch, {})
        run = SweepRun(setup, network, images, chunks, None, None, [device], work=INSIDE)
        with tempfile.TemporaryDirectory() as home:
            study = Study(Path(home) / "study")
            start = time.perf_counter()
            with study.writing("benchmark"):
                run_sweep(study, run, mode="continue", shown=lambda _: Silent())
            return time.perf_counter() - start

    bare(), ours()
    both = [(bare(), ours()) for _ in range(repeats)]
    limit, taken = (median(times) for times in zip(*both, strict=True))
    channels = sum(layer.channels for layer in layers)
    print(
        f"{name}: {len(images)} images x {STEPS} shifts, {len(layers)} layers, {channels:,} "
        f"channels: bare {limit:.1f} s, ours {taken:.1f} s, {taken / limit:.2f} times the bare"
    )


def peak(batch):
    "Peak of a process that sums all layers of a network at 299 px"
    code = f"""
import resource, sys, torch
from biaskit.sweeps.devices import settle
from biaskit.sweeps.inside.reader import SumReader
from biaskit.sweeps.networks.calls import seeing
from biaskit.sweeps.networks.layers import find_layers
from biaskit.sweeps.networks import find_network
settle("cpu")
network = find_network("inception_v3", weights="random").load()
layers = find_layers(network.module, 299)
reader = SumReader(layers)
module = network.module.to(memory_format=torch.channels_last)
frames = torch.randn({batch}, 3, 299, 299).to(memory_format=torch.channels_last)
with torch.inference_mode():
    for _ in range(3):
        if sys.argv[1] == "sums":
            with seeing(module, reader):
                module(frames)
            reader.take({batch})
        else:
            module(frames)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
    return {
        way: int(subprocess.check_output([sys.executable, "-c", code, way], text=True))
        for way in ("bare", "sums")
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--photos", type=Path, help="default: the sample's")
    parser.add_argument("--device")
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--memory", action="store_true")
    given = parser.parse_args()
    if given.memory:
        found = peak(64)
        print(
            f"inception_v3, 299 px, batch 64, all layers: peak {found['sums']} MB with sums, "
            f"{found['bare']} MB bare"
        )
        return
    with tempfile.TemporaryDirectory() as folder:
        photos = given.photos
        if photos is None:
            write_sample(Path(folder) / "sample", seed=0)
            photos = Path(folder) / "sample" / "photos"
        images = find_images(photos)[: 3 if given.quick else 10]
        device = devices_of(given.device)[0]
        for name in NETWORKS[1:2] if given.quick else NETWORKS:
            contest(
                name, photos, images,
                device=device, fast=given.fast, repeats=1 if given.quick else 3,
            )  # fmt: skip


if __name__ == "__main__":
    main()
