"""Layers as a network calls them: which there are, where they are read, and what is refused."""

import re

import pytest
import timm
import torch
import torchvision
from torch import nn
from torch.nn import functional

from biaskit.errors import NetworkError
from biaskit.sweeps.antialiasing.antialias import antialiased
from biaskit.sweeps.inside.reader import EnergyReader, SumReader
from biaskit.sweeps.networks.calls import seeing
from biaskit.sweeps.networks.layers import find_layers


class Does(nn.Module):
    "Whatever a function does with a map"

    def __init__(self, function, **layers):
        super().__init__()
        self.function = function
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, maps):
        return self.function(self, maps)


def conv(of=3, into=4, size=3, **options):
    return nn.Conv2d(of, into, size, **{"padding": size // 2, **options})


def found(function, side=8, others=(), **layers):
    net = Does(function, **{"conv": conv(), **layers}).eval()
    return {layer.name: layer for layer in find_layers(net, side, others)}


def folding(heads):
    "A pooling of heads, each a map of its own, folded into the first axis"

    def run(self, maps):
        maps = self.conv(maps)
        n, c, h, w = maps.shape
        each = self.head(maps.reshape(n * heads, c // heads, h, w))
        return each.reshape(n, c, h, w).relu()

    return run


def test_a_map_of_heads_folded_into_the_frames_is_no_layer():
    assert set(found(folding(2), head=conv(2, 2))) == {"conv"}
    assert set(found(folding(1), head=conv(4, 4))) == {"conv", "head"}


def test_a_reader_refuses_what_is_not_of_the_frames():
    net = Does(folding(2), conv=conv(), head=conv(2, 2)).eval()
    layers = find_layers(net, 8)
    folded = layers[0]._replace(name="head", call=2, read=2)
    reader = SumReader([layers[0], folded])
    with (
        torch.inference_mode(),
        pytest.raises(ValueError, match=r"^head: 6 maps after 3 of the layers before, "),
        seeing(net, reader),
    ):
        net(torch.zeros(3, 3, 8, 8))


def test_a_reader_refuses_to_leave_a_layer_out():
    layers = find_layers(nn.Sequential(conv(), nn.ReLU()).eval(), 8)
    with pytest.raises(ValueError, match=r"^0: was not read in this pass$"):
        SumReader(layers).take(1)


def test_a_pass_that_was_broken_off_leaves_nothing_behind():
    net = nn.Sequential(conv(), nn.ReLU()).eval()
    reader = SumReader(find_layers(net, 8))
    with torch.inference_mode():
        for n in (4, 2):
            with seeing(net, reader):
                net(torch.zeros(n, 3, 8, 8))
    assert reader.take(2).shape == (2, 2, 4)


def test_heads_of_a_known_network_are_left_out():
    "mvitv2 pools its heads: 2, 4 and 8 of them from the second stage on, 1 in the first"
    names = {layer.name for layer in find_layers(timm.create_model("mvitv2_tiny").eval(), 224)}
    assert "stages.0.blocks.0.attn.pool_q" in names
    assert {name for name in names if re.match(r"stages\.[123]", name)} == {
        f"stages.{stage}.blocks.0.shortcut_pool_attn" for stage in (1, 2, 3)
    }


def test_filters_computed_for_every_frame_are_layers_read_where_frames_are_apart_again():
    "Depths of efficientnet_b0 with conditional filters are those of efficientnet_b0: 49"
    layers, usual = (
        find_layers(timm.create_model(name).eval(), 64)
        for name in ("efficientnet_cc_b0_4e", "efficientnet_b0")
    )
    own, like = (
        [(la.name, la.reading, la.depth, la.channels) for la in m] for m in (layers, usual)
    )
    assert own == like
    assert {layer.kind for layer in layers} == {"convolution"}
    assert max(layer.depth for layer in layers) == 49
    one = next(layer for layer in layers if layer.name == "blocks.4.0.conv_pw")
    assert one.channels == 480
    assert one.reading == "activation"


def standardised(self, maps):
    weight = self.conv.weight - self.conv.weight.mean((1, 2, 3), keepdim=True)
    return functional.conv2d(maps, weight, stride=2).relu()


def test_a_filter_that_is_computed_from_weights_is_a_convolution():
    (layer,) = found(standardised).values()
    assert (layer.kind, layer.reading, layer.depth) == ("convolution", "activation", 1)


@pytest.mark.parametrize(("same", "kind"), [(True, "pool"), (False, "convolution")])
def test_a_fixed_filter_is_a_pool_if_it_is_the_same_for_every_channel(same, kind):
    filters = torch.ones(3, 1, 3, 3) if same else torch.arange(27.0).view(3, 1, 3, 3)
    layers = found(lambda _, x: functional.conv2d(x, filters, stride=2, groups=3))
    assert [layer.kind for layer in layers.values()] == [kind]


def test_a_learnt_filter_that_is_the_same_for_every_channel_is_a_convolution():
    ones = conv(into=3, groups=3)
    ones.weight.data.fill_(1)
    assert found(lambda self, x: self.conv(x), conv=ones)["conv"].kind == "convolution"


def test_telling_a_fixed_filter_does_not_move_the_numbers_of_a_variant():
    filters = torch.ones(4, 1, 3, 3)
    net = Does(
        lambda s, x: s.last(functional.conv2d(s.conv(x).relu(), filters, groups=4)).relu(),
        conv=conv(stride=2),
        last=conv(4, stride=2),
    ).eval()
    own, other = (find_layers(m, 24) for m in (net, antialiased(net, "blur-3", 24)))
    assert own == other


SCALE = torch.arange(1.0, 5).view(1, 4, 1, 1)
ACTIVATIONS = {
    "x sigmoid(x)": (lambda x: x * x.sigmoid(), 2),
    "sigmoid(x) x": (lambda x: torch.sigmoid(x) * x, 2),
    "in place": (lambda x: x.mul_(x.sigmoid()), 2),
    "maximum": (lambda x: torch.maximum(x, torch.zeros(())), 1),
    "maximum with zeros like it": (lambda x: torch.maximum(x, torch.zeros_like(x)), 2),
    "frozen normalisation": (lambda x: (x * SCALE + SCALE).relu(), 3),
    "scaled": (lambda x: ((x - 1) / 2).relu(), 3),
    "norm, then addition": (lambda x: (x * SCALE + x).relu(), 3),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_map_is_read_after_its_activation_however_it_is_written(name):
    function, read = ACTIVATIONS[name]
    layer = found(lambda self, x: function(self.conv(x)))["conv"]
    assert (layer.reading, layer.read - layer.call) == ("activation", read)


LINEAR = {
    "a gate made of another map": lambda x, y: x * y.sigmoid(),
    "the greater of two maps": torch.maximum,
    "a constant over it": lambda x, _: 1 / (x + 9),
    "one map of several": lambda x, _: x + torch.zeros(3, 1, 1, 1, 1),
}


@pytest.mark.parametrize("name", LINEAR)
def test_what_is_no_activation_is_not_taken_for_one(name):
    layers = found(lambda self, x: LINEAR[name](self.conv(x), self.other(x)).relu(), other=conv())
    assert {layer.reading for layer in layers.values()} == {"linear"}


def test_torchvisions_frozen_normalisation_is_passed():
    net = torchvision.models.resnet18(norm_layer=torchvision.ops.FrozenBatchNorm2d).eval()
    usual = torchvision.models.resnet18().eval()
    frozen, batch = ({la.name: la.reading for la in find_layers(m, 64)} for m in (net, usual))
    assert frozen == batch


def test_where_a_variant_blurs_a_gated_map_is_behind_its_gate():
    layer = found(lambda self, x: self.conv(x) * 1)["conv"]
    assert layer.blur == layer.call + 1
    gated = found(lambda self, x: ACTIVATIONS["x sigmoid(x)"][0](self.conv(x)))["conv"]
    assert gated.blur == gated.read


def refused(name, shape, why):
    text = (
        f"--layer {name}: gives an array of shape {shape}, expected frames, channels, height and "
        f"width: {why}. Name another module."
    )
    return pytest.raises(NetworkError, match=f"^{re.escape(text)}$")


def test_a_module_with_its_channels_last_is_refused():
    net = torchvision.models.swin_t().eval()
    with refused("features.1.0", (2, 16, 16, 96), "its channels are in the last axis"):
        find_layers(net, 64, ("features.1.0",))


def test_a_module_whose_axes_are_turned_back_is_a_map():
    net = torchvision.models.convnext_tiny().eval()
    names = {layer.name: layer for layer in find_layers(net, 64, ("features.1.0", "features.0.1"))}
    assert names["features.1.0"][8:11] == (96, 16, 16)
    assert names["features.0.1"].reading == "output"


def attention(self, maps):
    tokens = self.conv(maps).flatten(2).transpose(1, 2)[:, None]
    return self.soft(tokens @ tokens.transpose(2, 3))


def test_attention_is_refused():
    why = "it is a product of two such arrays, as attention is"
    with refused("soft", (2, 1, 64, 64), why):
        found(attention, others=("soft",), soft=nn.Softmax(dim=-1))


def test_a_module_of_heads_or_of_one_of_several_arrays_is_refused():
    why = "its first axis is not that of the 2 frames shown"
    with refused("head", (4, 2, 8, 8), why):
        found(folding(2), others=("head",), head=conv(2, 2))
    with refused("same", (2, 2, 8, 8), "it is one of several that one call has made"):
        found(
            lambda s, x: s.same(s.conv(x).chunk(2, dim=1)[0]), others=("same",), same=nn.Identity()
        )


def test_an_output_is_read_as_it_leaves_its_module():
    "What follows may work in place, and is another call"
    layers = found(
        lambda s, x: functional.relu_(s.pair(x)), pair=nn.Sequential(conv()), others=("pair",)
    )
    assert layers["pair"].read == layers["pair.0"].call


def test_without_maps_there_are_no_layers():
    assert find_layers(nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 2)).eval(), 8) == []


@pytest.mark.parametrize("mode", ["circular", "zeros", "reflect"])
def test_maps_that_wrap_round_are_told_by_the_calls(mode):
    pads = (lambda x: functional.pad(x, (1, 1, 1, 1), mode)) if mode != "zeros" else nn.ZeroPad2d(1)
    by_call = found(lambda s, x: s.conv(pads(x)), conv=conv(padding=0))["conv"]
    by_module = found(lambda s, x: s.conv(x), conv=conv(padding_mode=mode))["conv"]
    assert by_call.periodic == by_module.periodic == (mode == "circular")


def test_energies_of_a_variant_are_of_the_layers_it_does_not_blur():
    torch.manual_seed(0)
    net = nn.Sequential(
        conv(stride=2), nn.ReLU(), nn.MaxPool2d(2), conv(4, stride=2), nn.ReLU()
    ).eval()
    variant = antialiased(net, "blur-3-pools", 32)
    assert variant.mode.changed == {2}
    layers = find_layers(net, 32)
    reader = EnergyReader([la for la in layers if la.call != 2], periodic=False)
    plain = EnergyReader(layers, periodic=False)
    picture = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        for module, one in ((net, plain), (variant, reader)):
            with seeing(module, one):
                module(picture)
    of_plain, of_variant = plain.take(1)[0], reader.take(1)[0]
    assert set(of_plain) == {"0", "2", "3"}
    assert set(of_variant) == {"0", "3"}
    torch.testing.assert_close(of_plain["0"], of_variant["0"])


@pytest.mark.parametrize(
    ("name", "side", "last", "depth"),
    [
        ("resnet50", 64, "layer4.2.conv3", 49),
        ("efficientnet_lite0", 64, "conv_head", 49),
        ("vgg16", 64, "features.30", 13),
    ],
)
def test_depths_of_known_networks(name, side, last, depth):
    layers = find_layers(timm.create_model(name).eval(), side)
    assert (layers[-1].name, layers[-1].depth) == (last, depth)
    assert max(layer.depth for layer in layers) == depth
