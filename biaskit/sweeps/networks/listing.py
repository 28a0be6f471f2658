"""Which networks can be run here: every name, and whether its weights are on this machine."""

from dataclasses import dataclass
from pathlib import Path

from biaskit.errors import WeightsError
from biaskit.sweeps.networks.names import FEATURES, KERAS, LITE, timm_names, torchvision_names
from biaskit.sweeps.networks.wheels import wheel_file

__all__ = ["Listed", "listed_networks"]


@dataclass(frozen=True)
class Listed:
    """
    A network that can be asked for.

    Parameters
    ----------
    name : str
        To be typed.
    origin : str
        ``wheel``, ``keras``, ``torchvision`` or ``timm``.
    here : bool
        Whether its default weights are on this machine, so that no network is needed.
    """

    name: str
    origin: str
    here: bool


def listed_networks() -> list[Listed]:
    """
    List every network by name, with whether its weights are here.

    Nothing is fetched: wheels are looked for among the packages, downloads in the caches of
    torch and of the hub.

    Examples
    --------
    >>> next(found.origin for found in listed_networks() if found.name == "vgg16")
    'torchvision'
    """
    theirs = torchvision_names()
    return [
        *(Listed(name, "wheel", _has_wheel(name)) for name in LITE),
        Listed(KERAS, "keras", here=False),
        Listed(FEATURES, "features", here=False),
        *(Listed(name, "torchvision", _has_torchvision(name)) for name in theirs),
        *(
            Listed(f"timm:{name}" if name in {*theirs, *LITE} else name, "timm", _has_timm(name))
            for name in timm_names()
        ),
    ]


def _has_wheel(name: str) -> bool:
    try:
        return wheel_file(name).is_file()
    except WeightsError:
        return False


def _has_torchvision(name: str) -> bool:
    from torchvision.models import get_model_weights

    return _cached(str(get_model_weights(name).DEFAULT.url)) is not None


def _has_timm(name: str) -> bool:
    import timm

    config = timm.get_pretrained_cfg(name)
    if config is None or not (config.url or config.hf_hub_id):
        return False
    return _cached(str(config.url or ""), config.hf_hub_id, config.hf_hub_filename) is not None


def _cached(url: str, hub_id: str | None = None, hub_file: str | None = None) -> Path | None:
    from biaskit.sweeps.networks.offline import cached_file

    return cached_file(url, hub_id, hub_file)
