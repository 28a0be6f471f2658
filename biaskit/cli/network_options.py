"""The options by which a command is told which networks to load, and the requests they make."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from biaskit.sweeps.networks import NetworkRequest

__all__ = [
    "ClassesOption",
    "InputSizeOption",
    "MeanOption",
    "StdOption",
    "VariantOption",
    "WeightsOption",
    "network_requests",
]

WeightsOption = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=FILE", help="File of weights, or random. Repeat."),
]
ClassesOption = Annotated[
    Path | None, typer.Option(help="Classes of your own checkpoint, one per line.")
]
InputSizeOption = Annotated[
    int | None, typer.Option(help="Side of the input, px, in place of the network's own.")
]
MeanOption = Annotated[
    str | None, typer.Option(metavar="R,G,B", help="Mean of the input, 1 being full brightness.")
]
StdOption = Annotated[
    str | None, typer.Option(metavar="R,G,B", help="Spread of the input, likewise.")
]
VariantOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="VARIANT",
        help="plain; blur-2 to blur-7 or lowpass: a filter at every stride; blur-3-pools: at "
        "poolings only; blur-3-inner: not at full size. Repeat.",
    ),
]


def network_requests(
    names: Sequence[str],
    weights: Sequence[str] | None,
    classes: Path | None,
    *,
    seed: int,
    input_size: int | None,
    mean: str | None,
    std: str | None,
    variants: Sequence[str] | None = None,
) -> "list[NetworkRequest]":
    """
    Look all names up before any work: a misspelt one should fail now, not after an hour.

    Every network is asked for in every variant.
    """
    from biaskit.sweeps.networks import find_network

    pairs = [_pair(word, names) for word in weights or []]
    given = dict(pairs)
    if len(given) < len(pairs):
        raise typer.BadParameter("--weights names a network twice; a study holds one of each name")
    return [
        find_network(
            name,
            weights=given.get(name),
            classes=classes,
            seed=seed,
            input_size=input_size,
            mean=_triple("--mean", mean),
            std=_triple("--std", std),
            variant=variant,
            allow_code=True,
        )
        for name in dict.fromkeys(names)
        for variant in dict.fromkeys(variants or ["plain"])
    ]


def _pair(word: str, names: Sequence[str]) -> tuple[str, str]:
    name, _, value = word.partition("=")
    if not value or name not in names:
        raise typer.BadParameter(f"--weights takes NAME=FILE of a named network, found {word!r}")
    return name, value


def _triple(option: str, text: str | None) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        return tuple(float(word) for word in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"{option} takes three numbers R,G,B, found {text!r}") from None
