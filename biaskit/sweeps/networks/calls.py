"""
The calls by which a network makes its maps, numbered; modes that see them, or make them otherwise.

Modules do not tell all: activations, additions and poolings are often plain functions. So a network
is watched while it runs. What it calls in evaluation mode is always the same, and a call is known
by its number: whoever reads a layer, or blurs it, does so at that number.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

__all__ = ["Altered", "Calls", "seeing", "unaltered"]


class Calls(TorchFunctionMode):
    """
    Numbers the calls whose result is a map, or several, and lets a subclass see each.

    Subclasses override `called`, or `make` too where a call is to be made otherwise.
    """

    # Of the calls of layers that are made otherwise.
    changed: frozenset[int] = frozenset()

    def __init__(self) -> None:
        super().__init__()
        self.number = -1

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Make a call; torch's own hook."""
        name, kwargs = getattr(func, "__name__", ""), kwargs or {}
        result = self.make(self.number + 1, name, func, args, kwargs)
        if isinstance(result, Tensor) and result.ndim == 4:
            self.number += 1
            return self.called(self.number, name, args, kwargs, result)
        return result

    def make(
        self,
        number: int,  # noqa: ARG002 (for subclasses)
        name: str,  # noqa: ARG002
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Return what a call gives; ``number`` is the one it will have if that is a map."""
        return func(*args, **kwargs)

    def called(
        self,
        number: int,  # noqa: ARG002
        name: str,  # noqa: ARG002
        args: tuple[Any, ...],  # noqa: ARG002
        kwargs: Mapping[str, Any],  # noqa: ARG002
        result: Tensor,
    ) -> Tensor:
        """Return what goes on as the result of a call that made a map."""
        return result

    def __enter__(self) -> "Calls":
        """Count from the start: a network is about to run."""
        self.number = -1
        super().__enter__()
        return self


class Altered(nn.Module):
    """
    A network some of whose calls are made otherwise, its weights and layers kept.

    Parameters
    ----------
    module : Module
        As it is.
    mode : Calls
        Makes its calls.
    """

    def __init__(self, module: nn.Module, mode: Calls) -> None:
        super().__init__()
        self.module = module
        self.mode = mode
        self.within: list[Calls] = []  # see the network's own calls, before they are altered

    def forward(self, frames: Tensor) -> Tensor:
        """Run the network with its calls altered."""
        with ExitStack() as stack:
            for mode in (self.mode, *self.within):
                stack.enter_context(mode)
            answer: Tensor = self.module(frames)
        return answer


def unaltered(module: nn.Module) -> nn.Module:
    """
    Return the network that an altered one is made of, or the module itself.

    Examples
    --------
    >>> plain = nn.ReLU()
    >>> unaltered(Altered(plain, Calls())) is plain
    True
    """
    return module.module if isinstance(module, Altered) else module


@contextmanager
def seeing(module: nn.Module, mode: Calls) -> Iterator[None]:
    """
    Let a mode see a network's own calls while the context lasts, their results as altered.

    So a layer has the same numbers in a network and in every variant of it.

    Examples
    --------
    >>> import torch
    >>> calls = Calls()
    >>> layers = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU())
    >>> picture = torch.zeros(1, 1, 2, 2)
    >>> with torch.inference_mode(), seeing(layers, calls):
    ...     _ = layers(picture)
    >>> calls.number
    1
    """
    if not isinstance(module, Altered):
        with mode:
            yield
        return
    module.within.append(mode)
    try:
        yield
    finally:
        module.within.remove(mode)
