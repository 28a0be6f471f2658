"""Files of weights: code in them never runs, and what does not fit is told by name."""

import os
import re

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from biaskit.errors import WeightsError
from biaskit.sweeps.networks import find_network
from biaskit.sweeps.networks.weights import (
    classes_in,
    fit,
    fit_in_order,
    read_weights,
    state_digest,
)

NAME = "squeezenet1_1"  # 1.2 million weights


@pytest.fixture(scope="module")
def drawn():
    return find_network(NAME, weights="random", seed=7).load()


class Harm:
    "A pickle of it makes a file as soon as a careless reader opens it"

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def refused(message):
    return pytest.raises(WeightsError, match=f"^{re.escape(message)}")


def test_code_in_a_file_of_weights_is_not_run(tmp_path):
    harm = tmp_path / "harm"
    file = tmp_path / "weights.pth"
    torch.save({"classifier.1.weight": torch.ones(1), "x": Harm(harm)}, file)
    with refused("weights.pth: is not a file of tensors alone; code in it was not run."):
        find_network(NAME, weights=file).load()
    assert not harm.exists()
    torch.load(file, weights_only=False)  # the file does harm where it is trusted
    assert harm.exists()


def test_code_in_a_file_that_was_fetched_is_not_run(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save({"x": Harm(tmp_path / "harm")}, folder / "squeezenet1_1-b8a52dc0.pth")
    with refused("squeezenet1_1: the file of its weights that was fetched holds more than tensors"):
        find_network(NAME).load()
    assert not (tmp_path / "harm").exists()


def test_a_whole_pickled_network_is_code_too(tmp_path):
    torch.save(nn.Linear(2, 1), tmp_path / "whole.pt")
    with refused("whole.pt: is not a file of tensors alone; code in it was not run."):
        read_weights(tmp_path / "whole.pt")


@pytest.mark.parametrize("name", ["broken.pth", "broken.safetensors"])
@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"PK\x03\x04" + bytes(40)])
def test_a_broken_file_is_told_in_a_line(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with refused(f"{name}: ") as caught:
        read_weights(tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", ["safetensors", "pth", "pt"])
def test_own_weights_give_the_same_answers_whatever_the_file(tmp_path, drawn, ending):
    file = tmp_path / f"own.{ending}"
    state = drawn.module.state_dict()
    save_file(state, file) if ending == "safetensors" else torch.save(state, file)
    found = find_network(NAME, weights=file).load()
    picture = torch.rand(1, 3, 64, 64)
    assert torch.equal(found.module(picture), drawn.module(picture))
    assert found.weights.source == f"own.{ending}"
    assert found.weights.sha256 == state_digest(drawn.module)


@pytest.mark.parametrize("nest", ["state_dict", "model"])
def test_nests_and_beginnings_of_names_are_taken_off(tmp_path, nest):
    "As training programs write them"
    state = {f"module.{n}": t for n, t in nn.Linear(2, 1).state_dict().items()}
    torch.save({"epoch": 3, nest: state}, tmp_path / "nest.pth")
    assert list(read_weights(tmp_path / "nest.pth")) == ["weight", "bias"]


def test_half_precision_becomes_single(tmp_path):
    save_file({"weight": torch.ones(1, 2).half()}, tmp_path / "half.safetensors")
    assert read_weights(tmp_path / "half.safetensors")["weight"].dtype == torch.float32


def test_what_is_not_a_tensor_is_named(tmp_path):
    torch.save({"weight": torch.ones(1), "epoch": 3}, tmp_path / "w.pth")
    with refused("w.pth: entry 'epoch' is int, expected a tensor. Save module.state_dict() alone."):
        read_weights(tmp_path / "w.pth")
    torch.save([torch.ones(1)], tmp_path / "list.pth")
    with refused("list.pth: holds no weights by name."):
        read_weights(tmp_path / "list.pth")


def test_what_does_not_fit_is_counted_and_the_first_are_named():
    module = nn.Sequential(*(nn.Linear(2, 2) for _ in range(3)))
    state = {"0.weight": torch.ones(3, 2), "0.bias": torch.ones(2), "extra": torch.ones(1)}
    message = (
        "w.pth: does not fit toy: 4 missing (1.weight, 1.bias, 2.weight, and 1 more); "
        "1 too many (extra); 1 of another shape (0.weight: 3 x 2, expected 2 x 2). "
        "Is it of another network?"
    )
    with pytest.raises(WeightsError, match=f"^{re.escape(message)}$"):
        fit(module, state, file="w.pth", name="toy")


def test_counters_of_batch_norm_may_be_missing_and_do_not_change_the_digest():
    module, other = nn.BatchNorm2d(3).eval(), nn.BatchNorm2d(3).eval()
    state = {n: t + 1 for n, t in module.state_dict().items() if "num" not in n}
    fit(module, state, file="w.pth", name="toy")
    fit(other, {**state, "num_batches_tracked": torch.tensor(9)}, file="w.pth", name="toy")
    assert state_digest(module) == state_digest(other)
    assert torch.equal(module.running_mean, torch.ones(3))


def test_the_digest_depends_on_every_entry():
    module = nn.Linear(2, 1)
    before = state_digest(module)
    with torch.no_grad():
        module.bias += 1
    assert state_digest(module) != before


def test_entries_in_order_must_agree_one_by_one():
    ours = nn.Linear(2, 3)
    theirs = {"fc.weight": torch.ones(3, 2), "fc.bias": torch.zeros(3)}
    fit_in_order(ours, theirs, file="w.pth", name="toy")
    assert torch.equal(ours.weight, torch.ones(3, 2))
    with refused("w.pth: does not fit toy: entry 0 is fc.bias (3), expected weight (3 x 2)."):
        fit_in_order(ours, dict(reversed(theirs.items())), file="w.pth", name="toy")
    with refused("w.pth: does not fit toy: 1 entries, expected 2."):
        fit_in_order(ours, {"fc.weight": torch.ones(3, 2)}, file="w.pth", name="toy")


def test_the_number_of_classes_is_read_off_the_last_layer_alone():
    module = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 10))
    state = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 7)).state_dict()
    assert classes_in(state, module, 10) == 7
    assert classes_in({**state, "0.weight": torch.ones(5, 4)}, module, 10) == 10
    assert classes_in({**state, "1.bias": torch.ones(6)}, module, 10) == 10


def test_a_network_of_few_classes_comes_with_them(tmp_path):
    few = torchvision.models.squeezenet1_1(num_classes=3)
    torch.save(few.state_dict(), tmp_path / "pets.pth")
    assert find_network(NAME, weights=tmp_path / "pets.pth").load().classes == ("0", "1", "2")
    (tmp_path / "pets.txt").write_text("cat\ndog\nhen\n")
    named = find_network(NAME, weights=tmp_path / "pets.pth", classes=tmp_path / "pets.txt")
    assert named.load().classes == ("cat", "dog", "hen")


def test_weights_of_another_network_are_refused(tmp_path, drawn):
    file = tmp_path / "other.pth"
    torch.save(drawn.module.state_dict(), file)
    with refused("other.pth: does not fit resnet18: 102 missing (conv1.weight,"):
        find_network("resnet18", weights=file).load()


def test_files_are_looked_for_at_once(tmp_path):
    with refused("efficientnet_lite0: there is no file of weights 'absent.pth'."):
        find_network("efficientnet_lite0", weights="absent.pth")
    (tmp_path / "w.h5").write_bytes(b"")
    with refused("w.h5: weights come in files that end in .safetensors, .pth, .pt, .bin, not in"):
        find_network("efficientnet_lite0", weights=tmp_path / "w.h5")
