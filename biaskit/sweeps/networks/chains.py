"""A layer's map on its way to its activation."""

from typing import Any

__all__ = ["Chain"]


class Chain:
    """
    The calls a layer's map goes through until it is read.

    Parameters
    ----------
    name, kind : str
    call : int
        Number of the layer's own call.
    depth : int
    stride : (int, int)
    shape : tuple of int
        Channels, height and width.

    Examples
    --------
    A convolution, its normalisation, an addition, its activation:

    >>> chain = Chain("conv", "convolution", 4, 1, (2, 2), (8, 5, 5))
    >>> chain.passed(5)
    >>> chain.passed(6, added=True)
    >>> chain.passed(7, activated=True)
    >>> chain.read, chain.blur, chain.reading
    (7, 5, 'activation')
    """

    def __init__(
        self,
        name: str,
        kind: str,
        call: int,
        depth: int,
        stride: tuple[int, int],
        shape: tuple[int, ...],
    ) -> None:
        self.name, self.kind, self.call, self.depth = name, kind, call, depth
        self.stride, self.shape = stride, shape
        self.open = kind == "convolution"
        self.reading = "linear" if self.open else "pool"
        self.read = call
        self._path = [call]  # the states of the map before anything is added to it
        self._added = False
        self._users: dict[int, set[int]] = {}

    def used(self, state: int, number: int) -> None:
        """Note that a call takes the map as it was after the call ``state``."""
        self._users.setdefault(state, set()).add(number)

    def passed(self, number: int, *, added: bool = False, activated: bool = False) -> None:
        """Note that the map goes on as the result of this call."""
        if not self.open:
            return
        self._added |= added
        if not self._added:
            self._path.append(number)
        if activated or not self._added:
            self.read = number
        if activated:
            self.reading, self.open = "activation", False

    @property
    def blur(self) -> int:
        """The last state that all which follows takes: places may be dropped there instead."""
        shared = (state for state in self._path if len(self._users.get(state, ())) > 1)
        return next(shared, self._path[-1])

    def layer(self) -> tuple[Any, ...]:
        """Return the fields of a `biaskit.sweeps.networks.calls.Layer`."""
        return (
            self.name,
            self.kind,
            self.reading,
            self.call,
            self.read,
            self.blur,
            self.stride,
            self.depth,
            *self.shape,
        )
