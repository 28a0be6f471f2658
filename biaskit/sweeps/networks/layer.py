"""A layer of a network: a call, and where its map is read."""

from typing import NamedTuple

__all__ = ["Layer"]


class Layer(NamedTuple):
    """
    A convolution or pooling of a network, or another module that was asked for.

    Attributes
    ----------
    name : str
        Of its module, with ``#2`` where it is called again; of the module around it and of the
        function, where there is none.
    kind : {"convolution", "pool", "other"}
        A fixed filter, such as a blur, is a pool.
    reading : str
        One of ``biaskit.tables.inside.READINGS``.
    call : int
        Number of the call that is the layer.
    read : int
        Number of the call whose result is its map, after its activation.
    blur : int
        Number of the call after which places may be dropped instead: its activation, or what it
        leaves before an addition.
    stride : (int, int)
        Vertical and horizontal.
    depth : int
        Convolutions with weights on the longest path to the map.
    channels, height, width : int
        Of the map.
    periodic : bool
        Whether the network pads maps by what is at their other end.
    """

    name: str
    kind: str
    reading: str
    call: int
    read: int
    blur: int
    stride: tuple[int, int]
    depth: int
    channels: int
    height: int
    width: int
    periodic: bool = False
