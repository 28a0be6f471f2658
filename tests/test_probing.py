"""What the units of every layer see: networks worked out by hand, and known ones."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from biaskit.sweeps.antialiasing.antialias import antialiased
from biaskit.sweeps.networks import find_network
from biaskit.sweeps.networks.layers import find_layers
from biaskit.sweeps.networks.probing import probe, probe_layers

NOTHING = (math.nan, math.nan)


def conv(into=4, size=3, of=4, **options):
    return nn.Conv2d(of, into, size, **{"padding": size // 2} | options)


def chain(*layers):
    return nn.Sequential(*layers).eval()


def probed(module, *others, side=32):
    "Factor and field of every layer, by name"
    layers = find_layers(module, side, others)
    found = probe_layers(module, side, layers)
    return {f.name: (p.factor, p.field) for f, p in zip(layers, found, strict=True)}


class Same(nn.Conv2d):
    "TensorFlow's padding: as much as leaves n / stride places, the odd one on the right"

    def forward(self, maps):
        ends = []
        for n in (maps.shape[3], maps.shape[2]):
            room = (math.ceil(n / self.stride[0]) - 1) * self.stride[0] + self.kernel_size[0] - n
            ends += [max(room, 0) // 2, max(room, 0) - max(room, 0) // 2]
        return super().forward(functional.pad(maps, ends))


class Joined(nn.Module):
    "Two branches of different fields, added and set side by side"

    def __init__(self):
        super().__init__()
        self.stem = conv(of=3, stride=2)
        self.short, self.long, self.longer = conv(size=1), conv(), conv()
        self.side, self.last = conv(size=7), conv(of=8)

    def forward(self, picture):
        stem = functional.relu(self.stem(picture))
        added = self.short(stem)
        added += self.longer(self.long(stem).relu_())
        beside = torch.cat([functional.relu(added), self.side(stem)], dim=1)
        return self.last(beside)


# By hand: field += (kernel - 1) x dilation x factor before; factor *= stride.
PLAIN = chain(conv(of=3), nn.ReLU(), conv(size=5), conv())
DILATED = chain(conv(of=3, stride=2), conv(dilation=3), conv(stride=2, dilation=2))
POOLED = chain(
    conv(of=3),
    nn.MaxPool2d(3, stride=2, padding=1),
    conv(),
    nn.MaxPool2d(2, ceil_mode=True),
    nn.MaxPool2d(2, stride=2, dilation=3),
)
JOINED = Joined().eval()
EVEN = chain(Same(3, 4, 3, stride=2), Same(4, 4, 5, stride=2))
ODD = chain(nn.Conv2d(3, 4, 2), Same(4, 4, 3, stride=2), Same(4, 4, 5, stride=2))
BY_HAND = {
    "chain": (PLAIN, {"0": (1, 3), "2": (1, 7), "3": (1, 9)}),
    "dilated": (DILATED, {"0": (2, 3), "1": (2, 15), "2": (4, 23)}),
    "pooled": (POOLED, {"0": (1, 3), "1": (2, 5), "2": (2, 9), "3": (4, 11), "4": (8, 23)}),
    "joined": (
        JOINED,
        {
            "stem": (2, 3),
            "short": (2, 3),
            "long": (2, 7),
            "longer": (2, 11),
            "side": (2, 15),
            "last": (2, 19),
        },
    ),
    "even": (EVEN, {"0": (2, 3), "1": (4, 11)}),
    "odd": (ODD, {"0": (1, 2), "1": (2, 4), "2": (4, 12)}),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_factor_and_field_are_those_worked_out_by_hand(name):
    """
    Of each layer in turn, from factor 1 and field 1: field grows by (kernel - 1) x factor before.

    chain: 1 + 2, + 4, + 2. dilated: 1 + 2, then at factor 2 + 6 x 2 = 15, and + 4 x 2 = 23.
    pooled: 1 + 2, + 2 = 5 for the pool, at factor 2 + 4 = 9, + 2 = 11, and at factor 4 a pool whose
    two places are 3 apart, + 3 x 4 = 23. joined, at factor 2: the stem 3, long 3 + 4 = 7, longer
    7 + 4 = 11, which is added to 3 of short: 11; side 3 + 12 = 15, which stands beside 11; last
    15 + 4 = 19. even and odd: at a size of 2n TensorFlow pads one side only, at 511 both; what is
    seen is as long: 3, then 3 + 4 x 2 = 11; and 2, 2 + 2 = 4, 4 + 8 = 12.
    """
    module, by_hand = BY_HAND[name]
    assert probed(module) == by_hand


@pytest.mark.parametrize("name", BY_HAND)
def test_a_real_network_answers_to_what_is_seen_and_to_nothing_else(name):
    "Weights above 0 and a bright column: a unit changes exactly if it sees the column"
    module, by_hand = BY_HAND[name]
    generator = torch.Generator().manual_seed(1)
    filters = {
        n: torch.rand(p.shape, generator=generator) + 0.1 for n, p in module.named_parameters()
    }
    length = 128
    plain = torch.rand(1, 3, 64, length, generator=generator)
    columns = plain.repeat(length, 1, 1, 1)
    columns[range(length), :, :, range(length)] += 100
    with torch.inference_mode():
        maps = torch.func.functional_call(module, filters, (torch.cat([plain, columns]),))
    middle, row = maps.shape[3] // 2, maps.shape[2] // 2
    starts, lengths = [], []
    for unit in range(middle - 1, middle + 2):
        answers = maps[:, :, row, unit].sum(1)
        changed = torch.nonzero(answers[1:] > 1.01 * answers[0]).flatten().tolist()
        starts.append(changed[0])
        lengths.append(changed[-1] - changed[0] + 1)
    factor, field = [*by_hand.values()][-1]
    assert starts == [starts[0], starts[0] + factor, starts[0] + 2 * factor]
    assert lengths == [field] * 3


class Halves(nn.Module):
    "Only one half of the channels goes through a filter, then they are shuffled"

    def __init__(self):
        super().__init__()
        self.filter = conv(2, of=2)

    def forward(self, maps):
        left, right = maps.chunk(2, dim=1)
        both = torch.cat([left, self.filter(right)], dim=1)
        return both.view(len(both), 2, 2, *both.shape[2:]).transpose(1, 2).flatten(1, 2)


class Pick(nn.Module):
    "What was not filtered, of a map whose halves see unlike parts"

    def forward(self, maps):
        return maps[:, ::2]


def test_channels_that_are_taken_apart_are_told_apart():
    "Of the shuffled channels 0, 2, 1, 3 every second one is 0 and 1: those that skip the filter"
    module = chain(conv(of=3, stride=2), Halves(), Pick(), conv(of=2, size=1))
    assert probed(module) == {"0": (2, 3), "1.filter": (2, 7), "3": (2, 3)}
    module = chain(conv(of=3, stride=2), Halves(), conv(size=1))
    assert probed(module) == {"0": (2, 3), "1.filter": (2, 7), "2": (2, 7)}


def test_groups_keep_what_they_see_to_themselves():
    "A depthwise filter behind two halves: 3 + 4 where nothing was done before, 7 + 4 elsewhere"
    depthwise = conv(groups=4)
    module = chain(conv(of=3, stride=2), Halves(), depthwise, Pick(), conv(of=2, size=1))
    assert probed(module) == {"0": (2, 3), "1.filter": (2, 7), "2": (2, 11), "4": (2, 7)}


def test_circular_padding_does_not_shorten_what_is_seen():
    module = chain(
        conv(of=3, padding_mode="circular"), conv(stride=2, size=5, padding_mode="circular")
    )
    assert probed(module) == {"0": (1, 3), "1": (2, 7)}


def test_what_is_cut_off_at_borders_without_padding_is_not_taken_for_the_whole():
    """
    A field of 495 on a strip of 512 reaches columns that no unit sees, and touches no end.

    Strides of 2 without padding leave a last column over at every step.
    """
    strides = [conv(of=3, stride=2, padding=0)] + [conv(stride=2, padding=0) for _ in range(3)]
    module = chain(*strides, *(conv(padding=1) for _ in range(15)))
    # 1 + 2 x (1 + 2 + 4 + 8) = 31, and 15 times 2 x 16 more.
    assert [field for _, field in probed(module, side=64).values()][3:] == [
        31 + 32 * n for n in range(16)
    ]


def test_taps_further_apart_than_a_strip_is_long_are_not_lost():
    "Three taps 300 apart, as in segmentation at a factor of 8: 601, though the strip is 512"
    module = chain(conv(of=3), conv(dilation=300, padding=300), conv(padding="same", size=5))
    assert probed(module) == {"0": (1, 3), "1": (1, 603), "2": (1, 607)}


class Swish(nn.Module):
    "Written out, so that it is not known by name; its slope at 0 is a half"

    def forward(self, maps):
        return maps * torch.sigmoid(maps)


def test_slopes_below_1_at_each_of_many_layers_lose_nothing():
    "0.5 to the power of 50 is far below what counts as not 0; one row, so that no paths add up"
    rows = [nn.Conv2d(4, 4, (1, 3), padding=(0, 1)) for _ in range(50)]
    module = chain(conv(of=3), *(layer for row in rows for layer in (row, Swish())))
    assert [field for _, field in probed(module).values()] == [3 + 2 * n for n in range(51)]


def test_padding_may_be_wider_than_the_filter():
    module = chain(conv(of=3, padding=5), conv(size=1, padding=2, stride=2), conv())
    assert probed(module) == {"0": (1, 3), "1": (2, 3), "2": (2, 7)}


def test_a_factor_as_large_as_half_a_strip_is_measured_on_a_longer_one():
    module = chain(*(conv(of=n, size=16, stride=16, padding=0) for n in (3, 4)))
    assert probed(module, side=512) == {"0": (16, 16), "1": (256, 256)}


class Residual(nn.Module):
    def __init__(self, filter_):
        super().__init__()
        self.filter = filter_

    def forward(self, maps):
        return maps + self.filter(maps)


def test_padding_by_words_leaves_as_many_places():
    module = chain(conv(of=3), Residual(conv(padding="same", size=5)), conv(padding="valid"))
    assert probed(module) == {"0": (1, 3), "1.filter": (1, 7), "2": (1, 9)}


class Attend(nn.Module):
    "Which places matter, from the mean over channels, as in CBAM; and which channels"

    def __init__(self):
        super().__init__()
        self.places, self.channels = conv(1, of=1, size=7), conv(size=1)

    def forward(self, maps):
        maps = maps * torch.sigmoid(self.channels(maps.mean((2, 3), keepdim=True)))
        return maps * torch.sigmoid(self.places(maps.mean(1, keepdim=True)))


@pytest.mark.parametrize("taken_apart", [False, True])
def test_a_mean_over_channels_is_no_mean_over_the_map(taken_apart):
    "On a strip of 32 px a stride of 32 leaves one row; of it, a mean leaves one number a column"
    module = chain(
        conv(of=3, stride=32),
        *([Beside(), conv(size=1)] if taken_apart else []),
        Attend(),
        conv(size=1),
    )
    assert [*probed(module, side=96).values()][-1] == (32, 3 + 6 * 32)


class Columns(nn.Module):
    "Which columns matter, from their means, as in coordinate attention"

    def __init__(self):
        super().__init__()
        self.columns = nn.Conv2d(4, 4, (1, 7), padding=(0, 3))

    def forward(self, maps):
        return maps * torch.sigmoid(self.columns(maps.mean(2, keepdim=True)))


def test_a_mean_over_columns_is_no_mean_over_the_map():
    module = chain(conv(of=3, stride=2), Columns(), conv(size=1))
    assert [*probed(module).values()] == [(2, 3), (2, 15), (2, 15)]


class Beside(nn.Module):
    "A map before what is made of it, of which only the former goes on"

    def __init__(self):
        super().__init__()
        self.filter = conv()

    def forward(self, maps):
        return torch.cat([maps, self.filter(maps)], dim=1)[:, :4]


def test_channels_picked_by_number_are_those_the_network_means():
    module = chain(conv(of=3), Beside(), conv())
    assert probed(module) == {"0": (1, 3), "1.filter": (1, 5), "2": (1, 5)}


class Uneven(nn.Module):
    "A pool whose last place is partly filled, added to a convolution of as many places"

    def __init__(self):
        super().__init__()
        self.stem, self.filter = conv(of=3, size=2, padding=0), conv(stride=2)
        self.last = conv()

    def forward(self, picture):
        stem = self.stem(picture)
        return self.last(functional.max_pool2d(stem, 2, ceil_mode=True) + self.filter(stem))


def test_a_place_that_is_partly_filled_counts_where_the_pool_says_so():
    "Of 511 places 256 are left in both; 2, 2 + 1 and 2 + 2, and 4 + 2 x 2"
    assert probed(Uneven().eval()) == {
        "stem": (1, 2),
        "max_pool2d": (2, 3),
        "filter": (2, 4),
        "last": (2, 8),
    }


class Attention(nn.Module):
    "Every place sees every other"

    def forward(self, maps):
        flat = maps.flatten(2)
        return (flat @ torch.softmax(flat.transpose(1, 2) @ flat, -1)).view_as(maps)


class Rows(nn.Module):
    "A learnt matrix over the places of a row, as many as 32 px make"

    def __init__(self):
        super().__init__()
        self.matrix = nn.Linear(16, 16)

    def forward(self, maps):
        return self.matrix(maps)


@pytest.mark.parametrize("mixing", [Attention, Rows])
def test_layers_before_what_mixes_all_places_are_measured_and_those_behind_are_not(mixing):
    module = chain(conv(of=3, stride=2), mixing(), conv())
    found = probed(module)
    assert found["0"] == (2, 3)
    assert found["2"] == pytest.approx(NOTHING, nan_ok=True)


def test_a_network_for_one_size_has_layers_without_numbers():
    class OneSize(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = conv(of=3, stride=2)

        def forward(self, picture):
            if picture.shape[-1] != 32:
                raise ValueError("32 px only")
            return self.body(picture).mean((2, 3))

    assert probed(OneSize().eval())["body"] == pytest.approx(NOTHING, nan_ok=True)


def test_no_layers_have_no_numbers():
    assert probe_layers(PLAIN, 32, []) == []


def test_the_last_layers_numbers_are_the_networks():
    for module, by_hand in BY_HAND.values():
        found = probe(module, 32)
        assert (found.factor, found.field) == [*by_hand.values()][-1]


# Known networks

STAGES = {
    "vgg16": {
        "features.2": (1, 5),
        "features.4": (2, 6),
        "features.9": (4, 16),
        "features.16": (8, 44),
        "features.23": (16, 100),
        "features.28": (16, 196),
        "features.30": (32, 212),
    },
    "resnet50": {
        "conv1": (2, 7),
        "maxpool": (4, 11),
        "layer1": (4, 35),
        "layer2": (8, 91),
        "layer3": (16, 267),
        "layer4": (32, 427),
    },
    "resnet50_keras": {
        "layer1": (4, 35),
        "layer2": (8, 99),
        "layer3": (16, 291),
        "layer4": (32, 483),
    },
    "efficientnet_lite0": {
        "conv_stem": (2, 3),
        "blocks.0": (2, 7),
        "blocks.1": (4, 19),
        "blocks.2": (8, 67),
        "blocks.3": (16, 147),
        "blocks.4": (16, 339),
        "blocks.5": (32, 787),
        "blocks.6": (32, 851),
        "conv_head": (32, 851),
    },
    "inception_v3": {
        "maxpool1": (4, 15),
        "maxpool2": (8, 31),
        "Mixed_5d": (8, 127),
        "Mixed_6a": (16, 159),
        "Mixed_6e": (16, 927),
        "Mixed_7a": (32, 1055),
        "Mixed_7c": (32, 1311),
    },
    "inception_resnet_v2": {
        "maxpool_3a": (4, 15),
        "maxpool_5a": (8, 31),
        "mixed_5b": (8, 63),
        "repeat": (8, 383),
        "mixed_6a": (16, 415),
        "repeat_1": (16, 2335),
        "mixed_7a": (32, 2399),
        "conv2d_7b.conv": (32, 3039),
    },
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=[pytest.mark.slow] if n.startswith("inception") else [])
        for n in STAGES
    ],
)
def test_stages_of_known_networks_are_those_of_the_recurrence(name):
    "Worked out from the networks' tables: field += (kernel - 1) x factor before"
    network = find_network(name, weights="random").load()
    side = network.preprocessing.input_size
    names = {n for n, _ in network.module.named_modules()}
    blocks = [stage for stage in STAGES[name] if stage in names]
    found = probed(network.module, *blocks, side=side)
    assert {stage: found[stage] for stage in STAGES[name]} == STAGES[name]
    # No layer is left out, and none sees more of the input than the deepest.
    assert max(field for _, field in found.values()) == [*STAGES[name].values()][-1][1]
    assert all(factor > 0 for factor, _ in found.values())


@pytest.mark.parametrize(
    ("name", "last", "field"),
    [
        ("densenet121", "features.denseblock4.denselayer16.conv2", 2071),
        ("mobilenet_v3_large", "features.16.0", 595),
        ("shufflenet_v2_x1_0", "conv5.0", 527),
        ("convnext_tiny", "features.7.2.block.0", 1688),
    ],
)
def test_layers_are_found_behind_what_is_set_side_by_side_gated_shuffled_or_turned(
    name, last, field
):
    """
    Stage by stage, kernel - 1 times factor, from 1; the factor is 32 at the end.

    densenet121: 6 + 4, 6 x 8 + 4, 12 x 16 + 8, 24 x 32 + 16, 16 x 64. mobilenet_v3_large: 2, 4, 4,
    8, 16, 32, 32, 16, 3 x 32, 2 x 32, 64, 2 x 128. shufflenet_v2: 2 + 4, 8 + 3 x 16, 16 + 7 x 32,
    32 + 3 x 64. convnext_tiny: 3 + 3 x 24, 4 + 3 x 48, 8 + 9 x 96, 16 + 3 x 192.
    """
    network = find_network(name, weights="random").load()
    found = probed(network.module, side=network.preprocessing.input_size)
    assert found[last] == (32, field)
    assert not any(math.isnan(factor) for factor, _ in found.values())


def test_a_blur_does_not_change_the_factor():
    "timm's blur pool of 3 taps; ours; and an ideal low-pass, by which every unit sees all"
    network = find_network("resnetblur18", weights="random").load()
    assert [*probed(network.module, side=224).values()][-1][0] == 32
    blurred = probed(antialiased(POOLED, "blur-3", 32))
    # A filter of 3 behind a dense pool of 3: 3 + 2 + 2; 2 more places at factor 2; and so on.
    assert [factor for factor, _ in blurred.values()] == [1, 2, 2, 4, 8]
    assert [field for _, field in blurred.values()][:3] == [3, 7, 11]
    ideal = probed(antialiased(POOLED, "lowpass", 32))
    assert ideal["0"] == (1, 3)
    assert ideal["1"] == pytest.approx(NOTHING, nan_ok=True)
