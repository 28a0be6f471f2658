"""Which calls of a network are its layers, and where the map of each is read."""

from fnmatch import fnmatchcase

import torch
from torch import nn

from biaskit.errors import NetworkError
from biaskit.sweeps.networks.calls import seeing, unaltered
from biaskit.sweeps.networks.discovery import FRAMES, Discovery, Trait, naming
from biaskit.sweeps.networks.layer import Layer

__all__ = ["Layer", "find_layers"]


def find_layers(module: nn.Module, side: int, others: tuple[str, ...] = ()) -> list[Layer]:
    """
    Run a network once and return its convolutions and poolings, in the order of their calls.

    A convolution's map is read after the first activation that follows, past normalisation and
    additions; where two layers meet in an addition, the deeper one goes on. Sums with, and
    multiples by, what does not depend on the picture are part of a normalisation; a bound by it,
    and ``x * sigmoid(x)``, are activations. If a map goes elsewhere without an activation, it is
    read as it is, before any addition. Layers whose map has one place only are left out, and
    those whose map has another first axis than the frames, as where heads or windows are folded
    into it.

    Not followed: a map whose axes are turned before its normalisation or activation, as in
    ConvNeXt, which is read as it is; activations put together from others, such as
    ``x * relu6(x + 3) / 6``, which are read at the first; what a call gives several of, such as
    a pooling that returns where its maxima are.

    Parameters
    ----------
    module : Module
        In evaluation mode; as it is, or altered.
    side : int
        Of the input in px.
    others : tuple of str
        Patterns such as ``layer3.*``; modules that match are layers too, read at their output.
        It must be a map of channels, height and width. Channels in the last axis are told where
        they come from a turned map, a linear layer or a normalisation of the last axis, attention
        where it is a product; an array that was given four axes in another way is taken for a map.

    Returns
    -------
    list of Layer
        Empty if nothing makes a map.

    Raises
    ------
    NetworkError
        If a pattern matches no module that makes a map, or one whose output is another array.

    Examples
    --------
    >>> net = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.BatchNorm2d(4), nn.ReLU()).eval()
    >>> (layer,) = find_layers(net, 9)
    >>> layer.name, layer.reading, layer.call, layer.read, layer.depth, layer.height
    ('0', 'activation', 0, 2, 1, 4)
    """
    own, watch = unaltered(module), Discovery()
    with naming(own, others, watch):
        # Made outside: what makes the picture is no call of the network.
        like = next(own.parameters(), torch.zeros(()))
        picture = torch.zeros(FRAMES, 3, side, side, device=like.device)
        watch.traits[picture] = Trait(seen=True)
        with torch.inference_mode(), seeing(module, watch):
            module(picture)
    missed = [p for p in others if not any(fnmatchcase(name, p) for name in watch.outputs)]
    if missed:
        raise NetworkError(
            f"--layer {missed[0]}: matches no module that makes a map. Their names: "
            + ", ".join(list(dict(own.named_modules()))[1:9])
            + ", …"
        )
    return watch.layers()
