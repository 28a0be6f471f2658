"""How deep a network is: layers with weights on the longest path from input to output."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["weighted_depth"]

# What a layer with weights leaves in autograd's graph. Adding or multiplying by a learnt array
# (embeddings of places, scales of channels) is no layer.
_LAYERS = ("convolution", "mm", "linear", "einsum", "bilinear")
Node = Any  # of autograd's graph; torch has no public name for it


def weighted_depth(module: nn.Module, shape: tuple[int, ...]) -> int:
    """
    Count the layers with weights on the longest path from a network's input to its output.

    The graph that autograd records in one pass is walked from the output: a node counts if it
    multiplies by learnt weights of two or more dimensions, whether these go in as they are,
    turned round, or standardised first.

    Parameters
    ----------
    module : Module
        In evaluation mode. It is not changed.
    shape : tuple of int
        Of one input, such as (1, 3, 224, 224).

    Returns
    -------
    int
        0 if nothing that counts lies between input and output.

    Examples
    --------
    >>> weighted_depth(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)), (1, 2))
    2
    """
    learnt = {n: p.detach().requires_grad_() for n, p in module.named_parameters()}
    picture = torch.zeros(shape, requires_grad=True)
    with torch.enable_grad():
        answer = torch.func.functional_call(module, learnt, (picture,))
    if answer.grad_fn is None:
        return 0
    return _longest(answer.grad_fn, picture)


def _longest(root: Node, picture: Tensor) -> int:
    """Return the most weighted nodes on any path from the root to the picture."""
    depth: dict[Node, int | None] = {}  # None: no path from here leads to the picture
    for node in _children_first(root):
        children = [child for child, _ in node.next_functions if child is not None]
        if getattr(node, "variable", None) is picture:
            depth[node] = 0
            continue
        below = [depth[child] for child in children]
        reached = [d for d in below if d is not None]
        if not reached:
            depth[node] = None
            continue
        rest = [child for child, d in zip(children, below, strict=True) if d is None]
        depth[node] = max(reached) + int(_is_layer(node) and any(map(_holds_weights, rest)))
    return depth[root] or 0


def _children_first(root: Node) -> Iterator[Node]:
    """Yield every node once, after all below it; a loop, for networks are deeper than Python."""
    opened: set[Node] = set()
    stack = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            yield node
        elif node not in opened:
            opened.add(node)
            stack.append((node, True))
            stack += [(child, False) for child, _ in node.next_functions if child is not None]


def _is_layer(node: Node) -> bool:
    name = node.name().lower()
    return any(word in name for word in _LAYERS)


def _holds_weights(node: Node) -> bool:
    leaves = (getattr(found, "variable", None) for found in _children_first(node))
    return any(leaf is not None and leaf.ndim >= 2 for leaf in leaves)
