"""Sweeps on a GPU: the answers are those of the processor, and can be repeated."""

import numpy as np
import pytest
import torch
import toy_networks as toy

from biaskit.sweeps.chunks import Chunk
from biaskit.sweeps.frame_tables import frames_table, sweep_names
from biaskit.sweeps.networks import find_network
from biaskit.sweeps.precision import flips_of_fast
from biaskit.sweeps.protocols import make_plan
from biaskit.sweeps.runner import Setup, sweep_chunks

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here"),
]


@pytest.fixture(scope="module")
def chunk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gpu") / "photos"
    return folder, Chunk(0, tuple(toy.photographs(folder, 12, size=(400, 300))))


def asked(chunk, device, *, protocol="embed", fast=False, batch=66):
    folder, images = chunk
    request = find_network("resnet50", weights="random")
    network = request.load()
    own = network.preprocessing
    plan = make_plan(
        protocol,
        input_size=own.input_size,
        resize=own.resize,
        interpolation=own.interpolation,
        fill="mean",
        seed=0,
    )
    setup = Setup(request, plan, str(folder), device, fast, batch, 4)
    found = next(sweep_chunks(setup, iter([images]), network=network))
    return frames_table(sweep_names("resnet50", "plain", plan), found, network.classes)


def test_a_gpus_answers_are_the_processors(chunk):
    gpu, cpu = asked(chunk, "cuda:0"), asked(chunk, "cpu")
    assert len(gpu) == 12 * 33
    # Whole float32 on both sides, sums in another order.
    assert np.allclose(gpu["p_top1"], cpu["p_top1"], atol=1e-4)
    assert (gpu["top1"].astype(str) == cpu["top1"].astype(str)).mean() > 0.99


def test_the_numeric_flip_floor_is_0(chunk):
    frames = asked(chunk, "cuda:0", protocol="repeat")
    for _, rows in frames.groupby("image_id", observed=True):
        assert rows["top1"].nunique() == 1
        assert rows["p_top1"].nunique() == 1


def test_the_same_run_gives_the_same_numbers(chunk):
    assert asked(chunk, "cuda:0").equals(asked(chunk, "cuda:0"))


def test_memory_that_does_not_suffice_halves_the_batch(chunk):
    "A limit on what this process may take stands in for a small card"
    torch.cuda.set_per_process_memory_fraction(0.02, 0)
    try:
        frames = asked(chunk, "cuda:0", batch=4096)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, 0)
    assert len(frames) == 12 * 33


def test_flips_of_bf16_are_counted(chunk):
    folder, images = chunk
    request = find_network("resnet50", weights="random")
    network = request.load()
    own = network.preprocessing
    plan = make_plan(
        "embed",
        input_size=own.input_size,
        resize=own.resize,
        interpolation=own.interpolation,
        fill="mean",
        seed=0,
    )
    setup = Setup(request, plan, str(folder), "cuda:0", True, 66, 4)
    flips = flips_of_fast(setup, network, images)
    assert flips["frames"] == 8 * 33
    assert 0 <= flips["top1"] <= 1
