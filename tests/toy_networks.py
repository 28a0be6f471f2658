"""
Small networks whose jaggedness is known by construction, and photographs to show them.

``biaskit sweep --network toy_networks:parity`` makes them by name; tests make them here.
"""

import os
import time

import numpy as np
import torch
from PIL import Image
from torch import nn

from biaskit.sweeps.images import find_images
from biaskit.sweeps.networks import Network, NetworkRequest, Preprocessing, Weights
from biaskit.sweeps.protocols import make_plan
from biaskit.sweeps.runner import Setup

SIZE = 32  # px of input
CLASSES = tuple(f"n{number:08d}" for number in range(10))
WHOLE = {"input_size": SIZE, "resize": 36, "mean": (0, 0, 0), "std": (1 / 255,) * 3}


class Constant(nn.Module):
    "The same answer to everything"

    def forward(self, x):
        return torch.arange(10.0).flip(0).expand(len(x), 10)


class Parity(nn.Module):
    "Class 0 first where the white columns have an even excess, last otherwise"

    def forward(self, x):
        sign = 1 - 2 * (torch.arange(x.shape[3], device=x.device) % 2)
        excess = (x[:, 0] > 127).any(dim=1).to(x.dtype) @ sign.to(x.dtype)
        others = torch.zeros(len(x), 9, device=x.device, dtype=x.dtype)
        return torch.cat([excess[:, None], others], dim=1)


class Lefty(nn.Module):
    "Class 0 where the middle of what is white is left of the frame's, class 1 elsewhere"

    def forward(self, x):
        columns = torch.arange(x.shape[3], device=x.device, dtype=x.dtype)
        lit = (x[:, 0] > 127).any(dim=1).to(x.dtype)
        off = (lit @ columns) / lit.sum(1) - (x.shape[3] - 1) / 2
        others = torch.zeros(len(x), 8, device=x.device, dtype=x.dtype)
        return torch.cat([(off < 0)[:, None].to(x.dtype), (off >= 0)[:, None], others], dim=1)


class Circular(nn.Module):
    "Convolutions without stride, circular padding, global mean: whole numbers, so exact"

    def __init__(self):
        super().__init__()
        rng = torch.Generator().manual_seed(3)
        self.convolution = nn.Conv2d(3, 10, 3, padding=1, padding_mode="circular", bias=False)
        self.convolution.weight.data = torch.randint(-2, 3, (10, 3, 3, 3), generator=rng).float()

    def forward(self, x):
        return self.convolution(x).relu().sum((2, 3)) / 2**16


class Strided(nn.Module):
    "An ordinary small network with strides: jagged, by how much nobody knows"

    def __init__(self):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(5)
            self.layers = nn.Sequential(
                nn.Conv2d(3, 16, 3, stride=4, bias=False),
                nn.ReLU(),
                nn.Conv2d(16, 16, 3, stride=2, bias=False),
                nn.ReLU(),
                nn.AdaptiveAvgPool2d(1),
                nn.Flatten(),
                nn.Linear(16, 10, bias=False),
            )
            # What all pictures have in common would decide else.
            self.usual = nn.Parameter(self.layers(torch.full((1, 3, 32, 32), 0.5)))

    def forward(self, x):
        return (self.layers(x / 255) - self.usual) * 400


class Slow(Strided):
    def forward(self, x):
        time.sleep(float(os.environ.get("TOY_SECONDS", "0.05")))
        return super().forward(x)


class Greedy(Strided):
    "Memory for a batch of six only"

    def forward(self, x):
        if len(x) > 6:
            raise torch.OutOfMemoryError("no room")
        return super().forward(x)


def made(kind):
    return lambda: (kind(), {**WHOLE, "classes": CLASSES})


def few():
    "Three classes: nearly all of them are always in the top 5"
    module = nn.Sequential(Strided(), nn.Linear(10, 3))
    return module, {**WHOLE, "classes": CLASSES[:3]}


constant, parity, circular = made(Constant), made(Parity), made(Circular)
lefty = made(Lefty)
strided, slow, greedy = made(Strided), made(Slow), made(Greedy)


def network(module, *, classes=CLASSES, size=SIZE):
    own = Preprocessing(size, size + 4, "bilinear", (0.0, 0.0, 0.0), (1 / 255,) * 3)
    return Network("toy", "plain", module.eval(), own, classes, Weights("none", "", ""))


def plan(protocol, **options):
    usual = {"input_size": SIZE, "resize": 36, "interpolation": "bilinear", "seed": 0, "side": 21}
    return make_plan(protocol, **{**usual, **options})


def setup(folder, planned, *, batch=8, fast=False):
    return Setup(NetworkRequest("toy"), planned, str(folder), "cpu", fast, batch, 1)


def photographs(folder, n=5, *, seed=1, size=(60, 48)):
    "Photographs of coarse noise, of the first classes; and their list"
    rng = np.random.default_rng(seed)
    folder.mkdir(exist_ok=True)
    for number in range(n):
        coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8))
        image = coarse.resize(size, Image.Resampling.NEAREST)
        image.save(folder / f"{CLASSES[number % 3]}_{number}.png")
    return find_images(folder)


def rolling(*strides):
    "Circular convolutions of 3 x 3 filters drawn by seed, each with its stride and a ReLU"
    rng, layers, channels = torch.Generator().manual_seed(7), [], 3
    for stride in strides:
        layer = nn.Conv2d(channels, 8, 3, stride, padding=1, padding_mode="circular")
        layer.weight.data = torch.randn(layer.weight.shape, generator=rng) / 4
        layer.bias.data = torch.full((8,), 0.5)
        layers += [layer, nn.ReLU()]
        channels = 8
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10)]
    return nn.Sequential(*layers)


def still():
    return rolling(1, 1, 1), {**WHOLE, "std": (1, 1, 1), "classes": CLASSES}


def coarse():
    return rolling(1, 2, 1), {**WHOLE, "std": (1, 1, 1), "classes": CLASSES}
