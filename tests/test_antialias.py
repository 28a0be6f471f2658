"""Variants of networks: blur before places are dropped, weights kept; and their table."""

import math
import pickle
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import toy_networks as toy
from jaggedness_tables import frames_of, jagged_rows
from scipy import ndimage
from torch import nn
from torch.nn import functional

from biaskit.cli.main import main
from biaskit.errors import NetworkError
from biaskit.study import Study
from biaskit.sweeps.antialiasing.antialias import antialiased
from biaskit.sweeps.antialiasing.blurs import Blur, dense
from biaskit.sweeps.antialiasing.table import (
    FRAME_COLUMNS,
    LAYER_COLUMNS,
    SHIFTABILITY_COLUMNS,
    antialiasing,
)
from biaskit.sweeps.intervals import wilson
from biaskit.sweeps.low_pass import binomial, low_pass
from biaskit.sweeps.networks import find_network, network_card
from biaskit.sweeps.networks.layers import find_layers
from biaskit.sweeps.networks.strides import Strides, count_strides
from biaskit.sweeps.networks.variants import Variant, parse_variant
from biaskit.tables import LAYERS, SHIFTABILITY

TESTS = Path(__file__).parent


@pytest.fixture
def rng():
    return np.random.default_rng(1904)


def refused(message):
    return pytest.raises(NetworkError, match=f"^{re.escape(message)}$")


def whole(*layers, seed=0):
    "Layers with whole numbers for weights: sums are exact in whatever order they are made"
    net, generator = nn.Sequential(*layers).eval(), torch.Generator().manual_seed(seed)
    for parameter in net.parameters():
        parameter.data = torch.randint(-2, 3, parameter.shape, generator=generator).float()
    for norm in (m for m in net.modules() if isinstance(m, nn.BatchNorm2d)):
        norm.eps, norm.running_var[:] = 0.0, 1.0
    return net.requires_grad_(requires_grad=False)


def noise(side, *, n=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-4, 5, (n, 3, side, side), generator=generator).float()


def conv(stride=1, size=3, of=3, into=4, **options):
    options = {"padding": size // 2, **options}
    return nn.Conv2d(of, into, size, stride=stride, **options)


class Does(nn.Module):
    "Whatever a function does with a map"

    def __init__(self, function, **layers):
        super().__init__()
        self.function = function
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, maps):
        return self.function(self, maps)


def keywords(self, maps):
    return functional.conv2d(maps, stride=(2, 1), weight=self.conv.weight, bias=None)


def shortcut(self, maps):
    return functional.relu(self.long(maps) + self.short(maps))


def twice(self, maps):
    return self.conv(functional.relu(self.conv(maps)))


def squeezed(self, maps):
    "A mean without places, which nobody sees who looks at maps only"
    maps = self.conv(maps)
    return functional.relu(maps) * maps.sum((2, 3))[:, :, None, None]


def in_place(self, maps):
    "The activation's result is thrown away: it was made in place"
    maps = self.conv(maps)
    functional.relu_(maps)
    return maps


def gated(self, maps):
    maps = self.conv(maps)
    return maps * (maps > 0).float()


TOYS = {
    "conv": lambda: [conv(2), nn.ReLU(), conv(of=4)],
    "no padding": lambda: [conv(2, padding=0), nn.BatchNorm2d(4), nn.ReLU6()],
    "stride 3, dilation": lambda: [conv(3, dilation=2, padding=2), nn.ReLU()],
    "stride 4, patches": lambda: [conv(4, size=4, padding=0), nn.ReLU()],
    "unequal strides": lambda: [conv((2, 1)), nn.ReLU(), conv((1, 3), of=4)],
    "groups": lambda: [conv(), nn.ReLU(), conv(2, of=4, into=8, groups=4), nn.ReLU()],
    "functional, by keywords": lambda: [Does(keywords, conv=conv())],
    "max pool": lambda: [conv(), nn.MaxPool2d(3, 2, padding=1), nn.ReLU()],
    "max pool, ceil": lambda: [nn.MaxPool2d(3, 2, ceil_mode=True), conv()],
    "max pool, ceil, stride over its size": lambda: [nn.MaxPool2d(2, 3, ceil_mode=True), conv()],
    "functional max pool": lambda: [
        Does(lambda _, x: functional.max_pool2d(x, 2, stride=(3, 2), ceil_mode=True, dilation=2)),
        conv(),
    ],
    "mean that does not cover": lambda: [conv(), nn.AvgPool2d(2, 3), conv(2, of=4)],
    "mean of one place": lambda: [conv(), nn.AvgPool2d(1, 2), nn.ReLU()],
    "shortcut of one place": lambda: [
        Does(shortcut, long=nn.Sequential(conv(2), nn.ReLU(), conv(of=4)), short=conv(2, size=1))
    ],
    "one place, padded": lambda: [conv(2, size=1, padding=1), conv(of=4)],
    "one module twice": lambda: [Does(twice, conv=conv(2, into=3))],
    "used without its places": lambda: [Does(squeezed, conv=conv(2))],
    "in place": lambda: [Does(in_place, conv=conv(2)), conv(of=4)],
    "gate": lambda: [Does(gated, conv=conv(2))],
    "even kernel, one-sided padding": lambda: [nn.ZeroPad2d((0, 1, 0, 1)), conv(2, padding=0)],
    "circular": lambda: [conv(2, padding_mode="circular"), nn.ReLU(), nn.MaxPool2d(2)],
}


# One tap


@pytest.mark.parametrize("side", [18, 19, 24, 25])
@pytest.mark.parametrize("kind", TOYS)
def test_with_one_tap_the_answer_is_the_originals_to_the_last_bit(kind, side):
    "Weights and pictures are whole numbers, so that no order of additions rounds"
    net = whole(*TOYS[kind]())
    one = antialiased(net, "blur-1", 24)
    picture = noise(side)
    assert torch.equal(one(picture), net(picture))


@pytest.mark.parametrize("kind", TOYS)
def test_with_three_taps_it_is_not_and_no_stride_is_left_without_blur(kind):
    net = whole(*TOYS[kind]())
    three = antialiased(net, "blur-3", 24)
    assert three(noise(24)).shape == net(noise(24)).shape
    assert not torch.equal(three(noise(24)), net(noise(24)))
    assert count_strides(net, 24).without_blur > 0
    assert count_strides(three, 24).without_blur == 0


def normed():
    torch.manual_seed(3)
    return nn.Sequential(
        conv(2), nn.GroupNorm(2, 4), nn.ReLU(), conv(2, of=4), nn.SiLU(), conv(of=4)
    ).eval()


def test_a_normalisation_over_places_sees_as_many_as_before():
    "Only the layer before it is blurred before its activation"
    net, picture = normed(), torch.rand(2, 3, 24, 24)
    one = antialiased(net, "blur-1", 24)
    # Rounding of float32, 6e-8, times some hundred additions.
    torch.testing.assert_close(one(picture), net(picture), rtol=1e-5, atol=1e-5)
    first, second = find_layers(net, 24)[:2]
    assert {*one.mode.after} == {first.call, second.blur}
    assert second.blur > second.call


@pytest.mark.parametrize(
    ("name", "sides"),
    [
        ("efficientnet_lite0", (224, 129, 100)),
        ("squeezenet1_0", (97, 128)),
        ("resnet50_keras", (96, 129)),
        ("resnet50_gn", (64,)),
    ],
)
def test_with_one_tap_known_networks_answer_as_they_do(name, sides):
    "TensorFlow's SAME padding, pools with ceil, strides in convolutions of one place; odd sides"
    network = find_network(
        name, weights=None if "lite" in name else "random", variant="blur-1"
    ).load()
    plain = network.module.module
    for side in sides:
        picture = torch.rand(2, 3, side, side)
        with torch.inference_mode():
            wanted, found = plain(picture), network.module(picture)
        # Convolutions of one place add up otherwise on larger maps: 2e-6 of the greatest logit.
        assert (found - wanted).abs().max() < 1e-5 * wanted.abs().max()


def test_a_network_that_would_answer_otherwise_is_refused():
    class Remembers(nn.Module):
        "Its second answer is not its first"

        def __init__(self):
            super().__init__()
            self.conv, self.calls = conv(2), 0

        def forward(self, maps):
            self.calls += 1
            return self.conv(maps).mean((2, 3)) * self.calls

    message = (
        "the network: cannot be run as variant 'blur-3': where its layers are run at every place "
        "and as many are dropped behind them, it answers otherwise."
    )
    with refused(message):
        antialiased(Remembers().eval(), "blur-3", 24)


# Dense evaluation and filters


def test_dense_places_are_the_layers_own_and_as_many(rng):
    "Of 300 layers drawn by chance, by torch's own rules"
    for _ in range(300):
        size, stride, dilation = (tuple(rng.integers(1, 4, 2).tolist()) for _ in range(3))
        padding = tuple(int(rng.integers(0, k // 2 + 1)) for k in size)
        ceil, side = bool(rng.integers(2)), rng.integers(7, 14, 2).tolist()
        maps = torch.from_numpy(rng.integers(-9, 9, (1, 2, *side))).float()
        pool = (maps, size, stride, padding, dilation, ceil)
        weight = torch.from_numpy(rng.integers(-2, 3, (4, 1, *size))).float()
        convolution = (maps, weight, None, stride, padding, dilation, 2)
        for name, args in (("max_pool2d", pool), ("conv2d", convolution)):
            func = getattr(functional, name)
            wanted = func(*args)
            for periodic in (False, True):
                found = dense(name, func, args, {}, periodic=periodic)
                kept = found[:, :, :: stride[0], :: stride[1]]
                assert torch.equal(kept, wanted), (name, args[1:], side)


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("side", [1, 2, 3, 9, 12])
def test_filters_are_those_of_numpy(rng, side, periodic):
    "Mirrored at the border, the border itself once; small maps are filtered by matrices"
    maps = rng.normal(size=(2, 3, side, side))
    for taps in range(1, 8):
        wanted = maps
        for axis in (2, 3):
            wanted = ndimage.correlate1d(
                wanted,
                binomial(taps),
                axis=axis,
                mode="wrap" if periodic else "mirror",
                origin=-1 if taps % 2 == 0 else 0,
            )
        found = Blur(taps, periodic=periodic)(torch.from_numpy(maps), (2, 3))
        np.testing.assert_allclose(found, wanted[:, :, ::2, ::3], atol=1e-14)
    ideal = Blur(None, periodic=periodic)(torch.from_numpy(maps), (2, 3))
    wanted = [[low_pass(m, (2, 3), periodic=periodic)[::2, ::3] for m in one] for one in maps]
    np.testing.assert_allclose(ideal, wanted, atol=1e-14)


def test_even_filters_move_by_half_a_place_to_the_right():
    row = torch.tensor([0.0, 0, 0, 4, 0, 0]).view(1, 1, 1, 6)
    assert Blur(2, periodic=False)(row, (1, 2)).flatten().tolist() == [0, 2, 0]
    assert Blur(4, periodic=False)(row, (1, 2)).flatten().tolist() == [0, 1.5, 0.5]


@pytest.mark.parametrize("taps", [3, None])
def test_filters_keep_precision_memory_format_and_gradients(taps):
    blur = Blur(taps, periodic=False)
    maps = torch.rand(2, 5, 12, 12)
    with torch.inference_mode():
        wanted = blur(maps, (2, 2))
        last = blur(maps.to(memory_format=torch.channels_last), (2, 2))
        half = blur(maps.bfloat16(), (2, 2))
    assert wanted.is_contiguous()
    assert last.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(last, wanted)
    assert half.dtype == torch.bfloat16
    # bf16 has 8 bits: 2^-9 for the maps, as much for the result.
    assert (half - wanted).abs().max() < 2**-7
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(blur(maps, (2, 2)), wanted)
    # The filter that was first made in inference mode serves here.
    blur(maps.requires_grad_(), (2, 2)).sum().backward()
    # A filter sums to 1, so each sample hands on 1 in all: 36 of each channel.
    torch.testing.assert_close(maps.grad.sum((2, 3)), torch.full((2, 5), 36.0))


@pytest.mark.parametrize("variant", ["blur-5", "lowpass"])
def test_a_variant_runs_in_any_batch_format_and_precision(variant):
    torch.manual_seed(1)
    net = nn.Sequential(conv(2), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(3, 2), conv(of=4))
    found = antialiased(net.eval(), variant, 32)
    picture = torch.rand(5, 3, 32, 32)
    with torch.inference_mode():
        wanted = found(picture)
        one_by_one = torch.cat([found(one[None]) for one in picture])
        last = found(picture.to(memory_format=torch.channels_last))
        with torch.autocast("cpu", torch.bfloat16):
            half = found(picture)
    torch.testing.assert_close(one_by_one, wanted)
    torch.testing.assert_close(last, wanted)
    torch.testing.assert_close(half.float(), wanted, rtol=0.05, atol=0.05)


# What is blurred where


@pytest.mark.parametrize("taps", [3, None])
def test_the_filter_stands_behind_the_activation_and_behind_the_dense_maximum(taps):
    "Each layer written out by hand; a shortcut of one place, blurred before itself, is the same"
    blur, variant = Blur(taps, periodic=False), f"blur-{taps}" if taps else "lowpass"
    first, norm, last = conv(2), nn.BatchNorm2d(4), conv(2, size=1, of=4)
    net = whole(first, norm, nn.ReLU6(), nn.MaxPool2d(3, 2), last)
    picture = noise(25)
    maps = functional.conv2d(picture, first.weight, first.bias, padding=1)
    maps = blur(functional.relu6(norm(maps)), (2, 2))
    maps = blur(functional.max_pool2d(maps, 3, 1), (2, 2))
    maps = blur(functional.conv2d(maps, last.weight, last.bias), (2, 2))
    torch.testing.assert_close(antialiased(net, variant, 24)(picture), maps)


def test_a_mean_whose_last_place_is_partly_filled_is_left_as_it_is():
    "It divides by fewer there, which no stride of 1 gives"
    net = whole(conv(2), conv(of=4), nn.AvgPool2d(2, 3, ceil_mode=True), conv(of=4))
    one = antialiased(net, "blur-1", 24)
    for side in (24, 25, 26, 27, 28, 29):
        assert torch.equal(one(noise(side)), net(noise(side)))
    assert count_strides(antialiased(net, "blur-3", 24), 24) == Strides(1, 1)


def test_only_pools_or_all_but_what_takes_the_picture_at_full_size():
    def layers():
        return [
            conv(),
            conv(2, of=4),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.ReLU(),
            conv(2, of=4),
            nn.AvgPool2d(2),
            conv(of=4),
        ]

    net = whole(*layers())
    assert count_strides(net, 64) == Strides(2, 3)
    left = {
        variant: count_strides(antialiased(net, variant, 64), 64).without_blur
        for variant in ("blur-3", "blur-3-pools", "blur-3-inner", "lowpass-inner")
    }
    assert left == {"blur-3": 0, "blur-3-pools": 2, "blur-3-inner": 1, "lowpass-inner": 1}


def test_a_mean_that_covers_and_a_fixed_blur_are_left_as_they_are():
    fixed = conv(2, of=4, groups=4, bias=False)
    net = whole(conv(), fixed, nn.AvgPool2d(2), nn.AvgPool2d(3, 2, padding=1), conv(of=4))
    blurring = Does(
        lambda self, x: functional.conv2d(x, self.filter, stride=2, groups=3),
        filter=(torch.ones(3, 1, 2, 2) / 4),
    )
    for module in (net[2], net[3], blurring):
        with refused(
            "the network: has no stride to blur under variant 'blur-3', which would be plain."
        ):
            antialiased(nn.Sequential(conv(), conv(of=4, into=3), module), "blur-3", 24)


def test_a_variant_has_the_layers_of_the_network_under_the_same_numbers():
    "So what is read at a layer of one is read at the same layer of the other"
    network = find_network("squeezenet1_1", weights="random").load()
    own = find_layers(network.module, 97)
    for variant in ("blur-3", "lowpass"):
        found = find_layers(antialiased(network.module, variant, 97), 97)
        for one, other in zip(own, found, strict=True):
            assert (one.name, one.call, one.read, one.stride) == (
                other.name,
                other.call,
                other.read,
                other.stride,
            )


@pytest.mark.parametrize(
    ("name", "poolings", "without_blur"),
    [
        # The stem's convolution, and three shortcuts.
        ("resnetblur18", 0, 4),
        # The stem; a mean before the first stage, and in each other stage one in either branch.
        ("resnetaa34d", 7, 1),
        ("efficientnet_blur_b0", 0, 1),
        ("mobilenetv4_conv_aa_medium", 4, 1),
    ],
)
def test_timms_own_networks_with_blur_are_known_as_such(name, poolings, without_blur):
    network = find_network(name, weights="random").load()
    side = network.preprocessing.input_size
    assert count_strides(network.module, side) == Strides(poolings, without_blur)
    blurred = antialiased(network.module, "blur-3", side)
    assert count_strides(blurred, side) == Strides(poolings, 0)


# Shift


def sums_under_roll(net, side, variant):
    "Greatest less least sum of any channel over all shifts, of its greatest sum"
    found = antialiased(net, variant, side).double()
    picture = noise(side, n=1).double()
    rolled = torch.cat([picture.roll((dy, dx), (2, 3)) for dy in range(4) for dx in range(4)])
    sums = found(rolled).sum((2, 3))
    net.float()
    return float(((sums.amax(0) - sums.amin(0)) / sums.abs().amax(0)).max())


def circular(stride, *more):
    return whole(
        conv(padding_mode="circular", into=8),
        nn.ReLU(),
        conv(stride, of=8, into=8, padding_mode="circular"),
        *more,
    )


@pytest.mark.parametrize("more", [(), (nn.ReLU(),)])
def test_behind_a_low_pass_sums_stay_where_a_stride_makes_them_vary(more):
    "After the stride's own activation too: it comes before the filter"
    for stride in (2, 4):
        net = circular(stride, *more)
        assert sums_under_roll(net, 24, "plain") > 0.05
        # float64 would give 1e-15; the filter of a float32 network is made in float32.
        assert sums_under_roll(net, 24, "lowpass") < 1e-6


def test_a_binomial_takes_what_folds_onto_the_sum_at_stride_2_and_not_at_4():
    "Its gain is 0 at half a cycle per place and not at a quarter"
    for taps in range(2, 8):
        assert sums_under_roll(circular(2), 24, f"blur-{taps}") < 1e-12
        assert sums_under_roll(circular(4), 24, f"blur-{taps}") > 1e-3
    assert sums_under_roll(circular(2), 24, "blur-1") == sums_under_roll(circular(2), 24, "plain")


def test_a_pool_without_padding_goes_round_in_a_network_that_does():
    "Its dense maximum has a place for every place of the map, the last one over both ends"
    pools = whole(conv(padding_mode="circular", into=8), nn.ReLU(), nn.MaxPool2d(2))
    assert sums_under_roll(pools, 24, "plain") > 0.05
    assert sums_under_roll(pools, 24, "lowpass") < 1e-6
    assert sums_under_roll(pools, 24, "blur-3-pools") < 1e-12


def test_behind_the_next_nonlinearity_sums_may_vary_again():
    "A ReLU on the coarse grid makes new energy above half its rate"
    net = circular(2, nn.ReLU(), conv(of=8, padding_mode="circular"), nn.ReLU(), conv(2, of=4))
    assert sums_under_roll(net, 24, "lowpass") > 1e-6


# Names, requests, cards


def test_names_of_variants_are_read():
    assert parse_variant("plain") is None
    assert parse_variant("blur-7") == Variant(7, "all")
    assert parse_variant("lowpass-pools") == Variant(None, "pools")
    assert parse_variant("blur-2-inner") == Variant(2, "inner")


@pytest.mark.parametrize(
    "name", ["blur-9", "blur-0", "blur", "plain-pools", "lowpass-inner-pools", "", "Blur-3"]
)
def test_an_unknown_variant_is_told_the_known_ones_before_any_work(name):
    message = (
        f"unknown variant '{name}'. Known: plain, blur-2 to blur-7, lowpass, each with -pools or "
        "-inner."
    )
    with refused(message):
        parse_variant(name)
    if name:
        with refused(message):
            find_network("resnet18", weights="random", variant=name)


def test_a_network_without_a_stride_has_no_variant():
    "It would be measured as if it were another network"
    message = (
        "toy_networks:circular: has no stride to blur under variant 'lowpass', which would be "
        "plain."
    )
    with refused(message):
        find_network("toy_networks:circular", variant="lowpass", allow_code=True).load()
    with refused(
        "efficientnet_lite0: has no stride to blur under variant 'blur-3-pools', which would be "
        "plain."
    ):
        find_network("efficientnet_lite0", variant="blur-3-pools").load()


def test_a_request_carries_its_variant_and_says_it():
    request = find_network("resnet18", weights="random", variant="blur-3")
    assert pickle.loads(pickle.dumps(request)) == request
    assert request.describe()["variant"] == "blur-3"
    assert "variant" not in find_network("resnet18", weights="random").describe()


def test_a_variant_has_the_weights_and_the_parameters_of_the_network():
    plain, blurred = (
        find_network("efficientnet_lite0", variant=v).load() for v in (None, "blur-5")
    )
    assert (plain.variant, blurred.variant) == ("plain", "blur-5")
    assert blurred.weights == plain.weights
    theirs, ours = (sum(p.numel() for p in n.module.parameters()) for n in (plain, blurred))
    assert theirs == ours
    assert len([*blurred.module.buffers()]) == len([*plain.module.buffers()])


def test_the_card_of_a_variant_says_what_was_changed_and_nothing_else():
    cards = [
        network_card(find_network("squeezenet1_1", weights="random", variant=v).load()).iloc[0]
        for v in ("plain", "blur-3", "lowpass-pools")
    ]
    assert [card["variant"] for card in cards] == ["plain", "blur-3", "lowpass-pools"]
    for name in ("parameters", "depth", "outputs", "input_size"):
        assert len({card[name] for card in cards}) == 1
    assert [card["strides_without_blur"] for card in cards] == [4, 0, 1]
    assert [card["poolings"] for card in cards] == [3, 0, 0]
    factors = [card["subsampling_factor"] for card in cards]
    # Behind an ideal filter every unit sees the whole input.
    assert factors[:2] == [16, 16]
    assert math.isnan(factors[2])


# The command


def test_a_sweep_runs_every_network_in_every_variant(tmp_path, monkeypatch, capsys):
    toy.photographs(tmp_path / "photos", 6)
    monkeypatch.chdir(TESTS)
    words = ["sweep", tmp_path / "photos", "--network", "toy_networks:strided", "--study"]
    words += [tmp_path / "study", "--side", 21, "--steps", 5, "--batch", 3, "--device", "cpu"]
    words += ["--fill", "mean", "--variant", "plain", "--variant", "blur-3"]
    assert main([str(word) for word in words]) == 0
    pair = "toy_networks:strided blur-3 less toy_networks:strided: top-1 changes"
    assert pair in capsys.readouterr().out
    study = Study(tmp_path / "study")
    frames = study.read("frames")
    assert frames["variant"].value_counts().to_dict() == {"plain": 30, "blur-3": 30}
    logits = [frames.loc[frames["variant"] == v, "p_top1"].to_numpy() for v in ("plain", "blur-3")]
    assert not np.allclose(*logits)
    pairs = study.read("network_pairs")
    assert {*pairs["variant_a"], *pairs["variant_b"]} == {"plain", "blur-3"}
    made = [beside["options"] for beside in study.parts("frames").values()]
    assert sorted(o.get("network_variant", "plain") for o in made) == ["blur-3", "plain"]
    table = antialiasing(
        study.read("frames", list(FRAME_COLUMNS)),
        study.read("jaggedness"),
        SHIFTABILITY.empty(),
        LAYERS.empty(),
        seed=1,
        n_resamples=20,
    )
    assert table["variant"].tolist() == ["blur-3", "plain"]
    assert table["agreement"].tolist()[1] == 1


def test_an_unknown_variant_is_one_line(tmp_path, capsys):
    words = ["networks", "resnet18", "--weights", "resnet18=random", "--variant", "blur-9"]
    assert main(words) == 1
    assert capsys.readouterr().err == (
        "biaskit: unknown variant 'blur-9'. Known: plain, blur-2 to blur-7, lowpass, each with "
        "-pools or -inner.\n"
    )


# The table


def lists(*first):
    "Lists of five that begin with these classes"
    return [
        [one, *[c for c in ("c1", "c2", "c3", "c4", "c5", "c6") if c != one][:4]] for one in first
    ]


def two_variants():
    "Two images of four frames: plain is right in all of them, blur in half of the first's"
    frames, jagged = [], []
    answers = {
        "plain": {"1": ["c0", "c0", "c0", "c0"], "2": ["c0", "c0", "c0", "c1"]},
        "blur-3": {"1": ["c0", "c1", "c0", "c1"], "2": ["c0", "c0", "c0", "c1"]},
    }
    for variant, images in answers.items():
        for image, first in images.items():
            p = np.full(4, 0.25 if variant == "plain" else 0.5)
            frames.append(frames_of(lists(*first), image=image, p_true=p, variant=variant))
        changes = [np.mean([a != b for a, b in pairwise(f)]) for f in images.values()]
        right = [np.mean([a == "c0" for a in f]) for f in images.values()]
        jagged.append(
            jagged_rows(
                "12",
                variant=variant,
                p_top1_change=changes,
                accuracy=right,
                transitions=[1.0, 0.0],
                seen=["held out", "unknown"],
            )
        )
    return pd.concat(frames, ignore_index=True), pd.concat(jagged, ignore_index=True)


def table(frames, jagged, shiftability=None, layers=None):
    none = SHIFTABILITY.empty() if shiftability is None else shiftability
    return antialiasing(
        frames[list(FRAME_COLUMNS)],
        jagged,
        none[list(SHIFTABILITY_COLUMNS)],
        (LAYERS.empty() if layers is None else layers)[list(LAYER_COLUMNS)],
        seed=4,
        n_resamples=200,
    ).set_index("variant")


def test_a_variant_beside_plain_by_hand():
    found = table(*two_variants())
    blurred, plain = found.loc["blur-3"], found.loc["plain"]
    assert (plain.n_images, blurred.n_images) == (2, 2)
    assert (plain.agreement, plain.agreement_low, plain.agreement_high) == (1, 1, 1)
    assert plain.accuracy == (4 / 4 + 3 / 4) / 2
    assert blurred.accuracy == (2 / 4 + 3 / 4) / 2
    # The first image agrees in two frames of four, the second in all.
    assert blurred.agreement == (2 / 4 + 4 / 4) / 2
    assert (plain.p_true, blurred.p_true) == (0.25, 0.5)
    assert plain.p_top1_change == pytest.approx((0 + 1 / 3) / 2)
    assert blurred.p_top1_change == pytest.approx((1 + 1 / 3) / 2)
    assert blurred.p_top1_change_less == pytest.approx((1 + 0) / 2)
    assert (plain.p_top1_change_less, plain.p_top1_change_less_low) == (0, 0)
    interval = wilson(np.array(1), np.array(2))
    assert (plain.jagged, plain.jagged_low) == (0.5, pytest.approx(float(interval.low)))
    assert plain.seen == "unknown"
    assert plain.n_inside == 0
    assert np.isnan([plain.nonshiftability, plain.nonshiftability_high]).all()


def test_the_interval_of_a_difference_is_paired(rng):
    "Images differ among each other by far more than variants do on an image"
    n = 60
    base = rng.random(n) * 0.8
    images = [f"{i:02d}" for i in range(n)]
    rows = [
        jagged_rows(images, variant=v, p_top1_change=base + less)
        for v, less in (("plain", 0.1), ("lowpass", rng.normal(0, 0.005, n).clip(-0.02, 0.02)))
    ]
    frames = pd.concat([frames_of(lists("c0"), image=i, variant="plain") for i in images])
    found = table(frames, pd.concat(rows)).loc["lowpass"]
    assert found.p_top1_change_less == pytest.approx(-0.1, abs=0.005)
    width = found.p_top1_change_less_high - found.p_top1_change_less_low
    # Four standard errors of the difference are 4 x .005 / sqrt(60); of the mean, a hundred times.
    assert width < 0.004
    assert found.p_top1_change_high - found.p_top1_change_low > 0.05


def test_only_images_of_both_variants_count_and_only_sweeps_with_both():
    frames, jagged = two_variants()
    fewer = jagged[(jagged["variant"] == "plain") | (jagged["image_id"] == "1")]
    found = table(frames, fewer)
    assert found["n_images"].to_dict() == {"plain": 2, "blur-3": 1}
    assert found.loc["blur-3"].agreement == 0.5
    assert np.isnan(found.loc["blur-3"].accuracy_low)
    fewer = jagged[(jagged["variant"] == "blur-3") | (jagged["image_id"] == "2")]
    found = table(frames, fewer)
    assert found["n_images"].to_dict() == {"plain": 1, "blur-3": 1}
    assert found.loc["blur-3"].agreement == 1
    assert len(table(frames, jagged[jagged["variant"] == "plain"])) == 0
    assert len(table(frames, jagged[jagged["variant"] == "blur-3"])) == 0
    elsewhere = jagged.assign(fill=np.where(jagged["variant"] == "plain", "mean", "black"))
    assert len(table(frames, elsewhere)) == 0


def test_without_frames_what_frames_say_is_missing():
    frames, jagged = two_variants()
    found = table(frames.iloc[:0], jagged)
    assert found[["agreement", "p_true"]].isna().all(axis=None)
    assert found["accuracy"].notna().all()


def test_names_as_categories_give_the_same():
    frames, jagged = two_variants()
    told = frames.astype(dict.fromkeys(["network", "variant", "image_id", "top1"], "category"))
    told = pd.concat([part for _, part in told.groupby("variant", observed=True)])
    pd.testing.assert_frame_equal(table(told, jagged), table(frames, jagged))


def sums(variant, value, image="1", fill="mean", layer="pool", channel=0):
    row = dict.fromkeys(SHIFTABILITY.columns, 0.0) | {"network": "toy", "variant": variant}
    row |= {"protocol": "embed", "direction": "vertical", "fill": fill, "image_id": image}
    return row | {"layer": layer, "channel": channel, "nonshiftability": value}


def layer_rows():
    rows = [
        dict.fromkeys(LAYERS.columns, 1)
        | {"network": "toy", "variant": v, "layer": name, "stride": s}
        for v in ("plain", "blur-3")
        for name, s in (("pool", 2), ("stem", 4), ("conv", 1))
    ]
    return pd.DataFrame(rows)


def test_nonshiftability_is_of_the_layers_that_drop_places():
    "Channels within a layer first, then layers, then images; what is left out counts nowhere"
    rows = [
        sums("plain", 0.2, channel=0),
        sums("plain", 0.4, channel=1),
        sums("plain", np.nan, channel=2),
        sums("plain", 0.9, layer="stem"),
        sums("plain", 1.0, layer="conv"),
        sums("plain", 0.1, image="2"),
        sums("plain", np.nan, image="3"),
        sums("blur-3", 0.1),
        sums("blur-3", 1.0, layer="conv"),
    ]
    found = table(*two_variants(), pd.DataFrame(rows), layer_rows())
    assert found["n_inside"].to_dict() == {"plain": 2, "blur-3": 1}
    assert found.loc["plain"].nonshiftability == pytest.approx(((0.3 + 0.9) / 2 + 0.1) / 2)
    assert found.loc["blur-3"].nonshiftability == pytest.approx(0.1)


def test_nonshiftability_of_the_same_sweep_comes_before_that_of_another():
    frames, jagged = two_variants()
    other = [sums(v, 0.5, fill="black") for v in ("plain", "blur-3")]
    own = [sums("plain", 0.25)]
    found = table(frames, jagged, pd.DataFrame(other + own), layer_rows())
    assert found.loc["plain"].nonshiftability == 0.25
    assert found.loc["blur-3"].n_inside == 0
    found = table(frames, jagged, pd.DataFrame(other), layer_rows())
    assert found["nonshiftability"].tolist() == [0.5, 0.5]


def test_order_of_rows_changes_nothing():
    frames, jagged = two_variants()
    rows = pd.DataFrame([sums("plain", 0.2), sums("plain", 0.6, image="2"), sums("blur-3", 0.1)])
    mixed = [part.sample(frac=1, random_state=1) for part in (frames, jagged, rows)]
    pd.testing.assert_frame_equal(
        table(*mixed, layer_rows()), table(frames, jagged, rows, layer_rows()), check_exact=True
    )
