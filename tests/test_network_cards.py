"""Cards of networks: what is measured about networks whose answer is known."""

import json
import math

import pytest
import torch
import typer
from torch import nn
from torch.nn import functional
from typer.testing import CliRunner

from biaskit.cli.networks import register
from biaskit.study import Study
from biaskit.sweeps.networks import card_text, find_network, keep_card, network_card
from biaskit.sweeps.networks.depth import weighted_depth
from biaskit.sweeps.networks.probing import probe
from biaskit.sweeps.networks.strides import Strides, count_strides


def conv(stride=1, size=3, into=4, of=4):
    return nn.Conv2d(of, into, size, stride=stride, padding=size // 2)


class Branches(nn.Module):
    "Two ways from input to output, one of one layer and one of three"

    def __init__(self):
        super().__init__()
        self.first = conv(of=3)
        self.short, self.long = conv(), nn.Sequential(conv(), nn.ReLU(), conv(), conv())
        self.unused = conv()
        self.scale = nn.Parameter(torch.ones(4, 1, 1))
        self.last = nn.Linear(4, 2)

    def forward(self, picture):
        map_ = self.first(picture)
        both = self.short(map_) + self.scale * self.long(map_)
        return self.last(both.mean((2, 3)))


class Fixed(nn.Module):
    "A filter nobody learns, and a bias that is learnt"

    def __init__(self):
        super().__init__()
        self.register_buffer("filter", torch.ones(1, 3, 3, 3))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, picture):
        return functional.conv2d(picture, self.filter, self.bias)


class Standardised(nn.Conv2d):
    def forward(self, picture):
        weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
        return functional.conv2d(picture, weight, self.bias, self.stride, self.padding)


def chain(*layers):
    return nn.Sequential(*layers).eval()


# Depth


def test_depth_is_that_of_the_longest_branch():
    assert weighted_depth(Branches().eval(), (1, 3, 8, 8)) == 1 + 3 + 1


@pytest.mark.parametrize(
    ("module", "depth"),
    [
        (chain(nn.Flatten(), nn.Linear(192, 5)), 1),
        (chain(nn.Flatten(), nn.Linear(192, 5, bias=False), nn.Linear(5, 5)), 2),
        (chain(Standardised(3, 4, 3), nn.BatchNorm2d(4), conv()), 2),
        (chain(nn.AvgPool2d(2), nn.ReLU()), 0),
        (chain(Fixed()), 0),
    ],
)
def test_depth_counts_what_multiplies_by_learnt_weights(module, depth):
    assert weighted_depth(module, (1, 3, 8, 8)) == depth


def test_depth_has_no_limit_of_recursion():
    assert weighted_depth(chain(*(nn.Linear(1, 1) for _ in range(3000))), (1, 1)) == 3000


def test_depth_and_probing_leave_the_network_as_it_was():
    module = chain(conv(of=3), conv(stride=2)).requires_grad_(requires_grad=False)
    before = {n: t.clone() for n, t in module.state_dict().items()}
    weighted_depth(module, (1, 3, 32, 32))
    probe(module, 32)
    assert all(torch.equal(before[n], t) for n, t in module.state_dict().items())
    assert not any(p.requires_grad or p.grad is not None for p in module.parameters())


# Subsampling


def gap():
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))


class FunctionalPool(nn.Module):
    def forward(self, map_):
        return functional.max_pool2d(map_, 3)


class Gate(nn.Module):
    "Squeeze and excitation"

    def __init__(self):
        super().__init__()
        self.squeeze = conv(size=1)

    def forward(self, map_):
        return map_ * torch.sigmoid(self.squeeze(map_.mean((2, 3), keepdim=True)))


class Everywhere(nn.Module):
    "Every place sees every other, as in attention"

    def forward(self, map_):
        flat = map_.flatten(2)
        return (flat @ torch.softmax(flat.transpose(1, 2) @ flat, -1)).view_as(map_)


@pytest.mark.parametrize(
    ("layers", "factor"),
    [
        ([conv(of=3), conv()], 1),
        ([conv(2, of=3), nn.ReLU(), conv(2)], 4),
        ([conv(2, of=3), nn.MaxPool2d(2), nn.BatchNorm2d(4), conv(3)], 12),
        ([conv(2, of=3), FunctionalPool()], 6),
        ([conv(4, size=1, of=3), conv()], 4),
        ([conv(2, of=3), Gate(), conv(2)], 4),
        ([nn.Conv2d(3, 4, 5, stride=3, dilation=2), Standardised(4, 4, 3)], 3),
        ([conv(2, of=3), nn.Upsample(scale_factor=2), conv()], math.nan),
        ([conv(2, of=3), Everywhere()], math.nan),
    ],
)
def test_the_factor_is_the_product_of_the_strides_and_nothing_where_there_is_none(layers, factor):
    """
    The weights do not matter: here they are 0, so that a real gradient would be too.

    Enlarged maps move by 0 and 2 px in turn.
    """
    module = chain(*layers, *gap())
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
    assert probe(module, 48).factor == pytest.approx(factor, nan_ok=True)


def test_the_far_ends_of_what_a_deep_network_sees_are_not_lost():
    "Their share of the gradient is 3 to the power of -100, which float32 does not hold"
    module = chain(conv(of=3), *(conv() for _ in range(99)), *gap())
    assert probe(module, 32).field == 2 * 100 + 1


@pytest.mark.parametrize(
    ("name", "field"),
    [("vgg16", 212), ("resnet50", 427), ("resnet50_keras", 483), ("efficientnet_lite0", 851)],
)
def test_what_known_networks_see_agrees_with_the_recurrence(name, field):
    "field += (kernel - 1) x stride so far; worked out by hand from the networks' tables"
    network = find_network(name, weights="random").load()
    assert probe(network.module, 224).field == field


def test_a_network_for_one_size_has_no_factor_and_does_not_fail():
    class OneSize(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = conv(2, of=3)

        def forward(self, picture):
            if picture.shape[-1] != 32:
                raise ValueError("32 px only")
            return self.body(picture).mean((2, 3))

    assert math.isnan(probe(OneSize().eval(), 32).factor)


# Strides


def blur(stride):
    filter_ = nn.Conv2d(4, 4, 3, stride=stride, padding=1, groups=4, bias=False)
    with torch.no_grad():
        filter_.weight[:] = torch.tensor([1.0, 2, 1]).outer(torch.tensor([1.0, 2, 1])) / 16
    return filter_


@pytest.mark.parametrize(
    ("layers", "poolings", "without_blur"),
    [
        ([conv(2, of=3), nn.MaxPool2d(2), nn.MaxPool2d(3, stride=1)], 1, 2),
        ([conv(of=3), nn.AvgPool2d(2), nn.AvgPool2d(1, stride=2)], 2, 1),
        ([conv(of=3), FunctionalPool()], 1, 1),
        ([conv(of=3), blur(1), conv(2)], 0, 0),
        ([conv(of=3), blur(2), conv(2)], 0, 0),
        ([conv(of=3), blur(1), nn.ReLU(), conv(2)], 0, 1),
        ([conv(of=3), nn.MaxPool2d(2, stride=1), blur(2)], 0, 0),
        ([conv(of=3), nn.Conv2d(4, 4, 3, stride=2, groups=4)], 0, 1),
        ([conv(of=3), nn.AvgPool2d(32)], 0, 0),
    ],
)
def test_strides_are_counted_as_they_are_called(layers, poolings, without_blur):
    "A mean over as many places as are stepped is a blur; a global pooling is no stride"
    assert count_strides(chain(*layers), 32) == Strides(poolings, without_blur)


# Known networks


@pytest.mark.parametrize(
    ("name", "depth", "factor", "poolings", "without_blur", "parameters"),
    [
        ("vgg16", 16, 32, 5, 5, 138_357_544),
        ("resnet50", 50, 32, 1, 8, 25_557_032),
        ("resnet50_keras", 50, 32, 1, 8, 25_557_032),
        ("squeezenet1_0", 18, 16, 3, 4, 1_248_424),
        ("googlenet", 22, 32, 4, 5, 6_624_904),
        ("densenet121", 121, 32, 4, 2, 7_978_856),
        ("resnetblur50", 50, 32, 0, 4, 25_557_032),
        ("vit_tiny_patch16_224", 50, math.nan, 0, 1, 5_717_416),
        ("swin_t", 53, math.nan, 0, 1, 28_288_354),
        pytest.param("inception_resnet_v2", 176, 32, 4, 10, 55_843_464, marks=pytest.mark.slow),
    ],
)
def test_cards_of_known_networks(name, depth, factor, poolings, without_blur, parameters):
    "Depths of VGG, ResNet, GoogLeNet and DenseNet are in their names and papers"
    card = network_card(find_network(name, weights="random").load()).iloc[0]
    found = card[["depth", "poolings", "strides_without_blur", "parameters"]].tolist()
    assert found == [depth, poolings, without_blur, parameters]
    assert card["subsampling_factor"] == pytest.approx(factor, nan_ok=True)


def test_the_papers_numbers_stand_beside_ours_with_the_reason_they_differ():
    card = network_card(find_network("resnet50", weights="random").load()).iloc[0]
    text = card_text(card)
    assert card["depth_paper"] == 50
    # 25,557,032 and twice 26,560 running values and 26,560 biases.
    assert "25,557,032 (paper: 25,636,712, +79,680: Keras counts 53,120 running" in text
    assert 25_557_032 + 53_120 + 26_560 == 25_636_712
    assert 55_843_464 + 60_544 - 30_272 == 55_873_736


def test_the_running_values_that_keras_counts_are_as_many_as_said():
    for name, running in (("resnet50", 53_120), ("inception_resnet_v2", 60_544)):
        module = find_network(name, weights="random").load().module
        norms = [m for m in module.modules() if isinstance(m, nn.BatchNorm2d)]
        assert sum(2 * norm.num_features for norm in norms) == running


def test_few_classes_are_told(tmp_path):
    (tmp_path / "two.txt").write_text("cat\ndog\n")
    network = find_network("squeezenet1_1", weights="random", classes=tmp_path / "two.txt").load()
    text = card_text(network_card(network).iloc[0])
    assert "2 classes; with fewer than 6, only top-1 jaggedness is measured" in text


def test_a_newer_card_of_the_same_network_takes_the_older_ones_place(tmp_path):
    card = network_card(find_network("squeezenet1_1", weights="random").load())
    study = Study(tmp_path / "study")
    with study.writing("test"):
        keep_card(study, card.assign(network="z"))
        keep_card(study, card)
        keep_card(study, card.assign(depth=99))
    kept = study.read("networks")
    assert kept["network"].tolist() == ["squeezenet1_1", "z"]
    assert kept["depth"].tolist() == [99, 18]
    assert study.provenance("networks")["precision"] == "float32"


# The command


@pytest.fixture
def typed():
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    app.callback()(lambda: None)
    register(app)
    return lambda *words: CliRunner().invoke(app, ["networks", *map(str, words)])


def test_the_command_lists_what_can_be_run_here(typed):
    done = typed()
    assert done.exit_code == 0
    assert "efficientnet_lite0, efficientnet_lite1, efficientnet_lite2" in done.stdout
    assert len(done.stdout.splitlines()) < 12
    every = typed("--all").stdout.splitlines()
    assert len(every) > 1000
    assert "efficientnet_lite0" in every[0]
    assert every[0].endswith("here")


def test_the_command_writes_cards_into_the_study(typed, tmp_path):
    words = ["efficientnet_lite0", "squeezenet1_1", "--weights", "squeezenet1_1=random"]
    done = typed(*words, "--study", tmp_path / "study")
    assert done.exit_code == 0, done.stderr
    assert "depth       18 layers with weights on the longest path" in done.stdout
    kept = Study(tmp_path / "study").read("networks")
    assert kept["network"].tolist() == ["efficientnet_lite0", "squeezenet1_1"]
    assert kept["licence"].tolist() == ["Apache-2.0", ""]


def test_the_command_makes_no_study_that_was_not_asked_for(typed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BIASKIT_STUDY", raising=False)
    done = typed("squeezenet1_1", "--weights", "squeezenet1_1=random", "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["networks"][0]["depth"] == 18
    assert list(tmp_path.iterdir()) == []


def test_the_command_refuses_in_one_line(typed):
    done = typed("resnet5O")
    assert done.exit_code == 1
    assert done.stderr.splitlines() == [
        "biaskit: unknown network 'resnet5O'. Did you mean resnet50? "
        "All names: biaskit networks --all."
    ]
    assert typed("resnet50", "--weights", "vgg16=random").exit_code == 2
