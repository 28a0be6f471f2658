"""A network that is ready to be asked: its module, preprocessing, classes and weights."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from biaskit.sweeps.networks.preprocessing import Preprocessing

if TYPE_CHECKING:  # torch takes seconds to import, and whoever asks for a name needs none of it
    from torch import nn

__all__ = ["Network", "Weights"]


@dataclass(frozen=True)
class Weights:
    """
    Where a network's weights are from.

    Parameters
    ----------
    source : str
        A name, a file's name without its folder, or ``random, seed 0``.
    sha256 : str
        Of the entries as loaded, see ``state_digest``; empty if they are random.
    licence : str
        As the source states it; empty if it states none.
    """

    source: str
    sha256: str
    licence: str


@dataclass(frozen=True)
class Network:
    """
    A network and what must be known to use it.

    Parameters
    ----------
    name : str
        As torchvision, timm or biaskit calls it.
    variant : str
        ``plain``, or how the network was changed.
    module : torch.nn.Module
        In evaluation mode, float32, on the CPU, without gradients. From a float array of shape
        (n, 3, input_size, input_size) it makes logits of shape (n, len(classes)).
    preprocessing : Preprocessing
    classes : tuple of str
        The category of every output, in order.
    weights : Weights
    """

    name: str
    variant: str
    module: "nn.Module"
    preprocessing: Preprocessing
    classes: tuple[str, ...]
    weights: Weights
