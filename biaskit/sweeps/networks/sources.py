"""How a network of each origin is built, what input it wants, what weights are its own."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import timm
import torchvision
from torch import Tensor, nn

from biaskit.errors import NetworkError, WeightsError
from biaskit.sweeps.networks.names import LITE
from biaskit.sweeps.networks.offline import timm_module, torchvision_module
from biaskit.sweeps.networks.preprocessing import Preprocessing, preprocessing_of
from biaskit.sweeps.networks.weights import fit_in_order, read_weights
from biaskit.sweeps.networks.wheels import wheel_file

__all__ = ["Blueprint", "Found", "blueprint"]

KERAS_MEAN = (123.68 / 255, 116.779 / 255, 103.939 / 255)
_BYTE = (1 / 255, 1 / 255, 1 / 255)  # the spread of a network that takes 0 to 255


@dataclass(frozen=True)
class Found:
    """Weights as they were found: entries under the network's own names."""

    state: dict[str, Tensor]
    source: str
    licence: str


@dataclass(frozen=True)
class Blueprint:
    """
    What is known of a network before it is built.

    Parameters
    ----------
    build : function of int
        Makes the module for so many classes, its weights drawn from torch's generator.
    preprocessing : Preprocessing
    default : function of str
        Finds the weights the network has by default, or raises WeightsError, which calls it by
        the name given.
    n_outputs : int
        Classes of the default weights.
    ignored : tuple of str
        Beginnings of the names of entries that only training needs.
    """

    build: Callable[[int], nn.Module]
    preprocessing: Preprocessing
    default: Callable[[str], Found]
    n_outputs: int = 1000
    ignored: tuple[str, ...] = ()


def blueprint(origin: str, name: str, tag: str = "") -> Blueprint:
    """
    Return the blueprint of a network.

    Parameters
    ----------
    origin, name : str
        As ``origin_of`` tells them; ``code`` has no blueprint.
    tag : str
        Which of torchvision's several sets of weights; empty: the default one.
    """
    makers = {"wheel": _lite, "keras": _keras, "features": _features, "timm": _timm}
    return _torchvision(name, tag) if origin == "torchvision" else makers[origin](name)


def _lite(name: str) -> Blueprint:
    size, resize = {"0": (224, 256), "1": (240, 272), "2": (260, 292)}[name[-1]]
    middle, spread = 127 / 255, 128 / 255

    def build(n_classes: int) -> nn.Module:
        return timm.create_model(f"tf_{name}", num_classes=n_classes)

    def default(asked: str) -> Found:
        file, module = wheel_file(name), build(1000)
        fit_in_order(module, read_weights(file), file=file.name, name=asked)
        wheel = LITE[name]
        return Found(module.state_dict(), f"{wheel} {version(wheel)}", "Apache-2.0")

    wanted = Preprocessing(size, resize, "bicubic", (middle,) * 3, (spread,) * 3)
    return Blueprint(build, wanted, default)


def _keras(_name: str) -> Blueprint:
    def build(n_classes: int) -> nn.Module:
        module = torchvision.models.resnet50(num_classes=n_classes)
        for stage in (module.layer2, module.layer3, module.layer4):
            stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
        for layer in module.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.eps = 1e-3
        return module

    return Blueprint(build, Preprocessing(224, 256, "bilinear", KERAS_MEAN, _BYTE), _in_no_package)


def _in_no_package(asked: str) -> Found:
    raise WeightsError(
        f"{asked}: its weights come in no package. Give a file: --weights {asked}=FILE, "
        f"or ask for --weights {asked}=random."
    )


def _features(_name: str) -> Blueprint:
    """VGG16's convolutions alone: each channel's mean stands for a class."""

    def build(_n_classes: int) -> nn.Module:
        layers = torchvision.models.vgg16().features
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())

    weights = torchvision.models.get_model_weights("vgg16").DEFAULT
    wanted = _as_torchvision_has_it(weights.transforms())
    return Blueprint(build, wanted, _in_no_package, n_outputs=512)


def _torchvision(name: str, tag: str) -> Blueprint:
    kinds = torchvision.models.get_model_weights(name)
    weights = kinds[tag] if tag else kinds.DEFAULT
    wanted = _as_torchvision_has_it(weights.transforms())
    options: dict[str, Any] = {}
    ignored: tuple[str, ...] = ()
    if name in ("googlenet", "inception_v3"):
        # Its weights were trained on another scale of the input, which the module translates;
        # the auxiliary heads are for training only.
        options = {"aux_logits": False, "transform_input": True, "init_weights": True}
        ignored = ("aux1.", "aux2.", "AuxLogits.")
    elif name.startswith("vit_"):
        options = {"image_size": wanted.input_size}

    def build(n_classes: int) -> nn.Module:
        return torchvision.models.get_model(name, weights=None, num_classes=n_classes, **options)

    def default(asked: str) -> Found:
        state = torchvision_module(name, weights, asked=asked).state_dict()
        licence = str(weights.meta.get("license", ""))
        return Found(state, f"torchvision {type(weights).__name__}.{weights.name}", licence)

    return Blueprint(build, wanted, default, len(weights.meta["categories"]), ignored)


def _timm(name: str) -> Blueprint:
    config = timm.get_pretrained_cfg(name) or timm.models.PretrainedCfg()
    channels, height, width = config.input_size
    if (channels, height) != (3, width):
        raise NetworkError(
            f"{name}: takes {channels} x {height} x {width} inputs, expected a square of 3 colours."
        )

    def build(n_classes: int) -> nn.Module:
        return timm.create_model(name, num_classes=n_classes)

    def default(asked: str) -> Found:
        state = timm_module(name, asked=asked).state_dict()
        tagged = f"{config.architecture}.{config.tag}" if config.tag else name
        return Found(state, f"timm {tagged}", str(config.license or ""))

    known = config.interpolation in ("bilinear", "bicubic", "nearest", "lanczos")
    options = {
        "input_size": height,
        "resize": max(height, int(height / config.crop_pct)),
        "interpolation": config.interpolation if known else "bicubic",
        "mean": config.mean,
        "std": config.std,
    }
    return Blueprint(build, preprocessing_of(options, name), default, config.num_classes)


def _as_torchvision_has_it(preset: Any) -> Preprocessing:
    options = {
        "input_size": preset.crop_size[0],
        "resize": preset.resize_size[0],
        "interpolation": preset.interpolation.value,
        "mean": preset.mean,
        "std": preset.std,
    }
    return preprocessing_of(options, type(preset).__name__)
