"""The card of a network: one row of the table of networks."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from biaskit.provenance import provenance
from biaskit.study import Study
from biaskit.sweeps.networks.network import Network
from biaskit.tables import NETWORKS

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

__all__ = ["PAPER_DEPTH", "PAPER_PARAMETERS", "card_text", "keep_card", "network_card"]

_LIBRARIES = ("torch", "torchvision", "timm")
# Table 1 of the paper.
PAPER_DEPTH = {"vgg16": 16, "resnet50": 50, "resnet50_keras": 50, "inception_resnet_v2": 134}
PAPER_PARAMETERS = {
    "vgg16": 138_357_544,
    "resnet50": 25_636_712,
    "resnet50_keras": 25_636_712,
    "inception_resnet_v2": 55_873_736,
}
# Keras counts the running means and variances of BatchNorm, which no training changes by
# gradient, and has biases in ResNet50's convolutions and no scales in InceptionResNetV2's norms.
_KERAS_RESNET = ": Keras counts 53,120 running means and variances, and 26,560 biases before them"
_REASONS = {
    "resnet50": _KERAS_RESNET,
    "resnet50_keras": _KERAS_RESNET,
    "inception_resnet_v2": (
        ": Keras counts 60,544 running means and variances, and has no 30,272 scales"
    ),
}


def network_card(network: Network) -> "pd.DataFrame":
    """
    Measure what the table of networks tells about a network.

    Parameters
    ----------
    network : Network

    Returns
    -------
    DataFrame
        Table ``networks`` of one row. The subsampling factor is missing where every unit of the
        last map sees the whole input, or the input's size is fixed.
    """
    import pandas as pd

    wanted = network.preprocessing
    row = {
        "network": network.name,
        "variant": network.variant,
        "weights": network.weights.source,
        "sha256": network.weights.sha256,
        "licence": network.weights.licence,
        "input_size": wanted.input_size,
        "preprocessing": wanted.words(),
        "depth_paper": PAPER_DEPTH.get(network.name, 0),
        "outputs": len(network.classes),
        **_measured(network.module, wanted.input_size),
    }
    return NETWORKS.check(pd.DataFrame([row]), f"card of {network.name}")


def _measured(module: "nn.Module", side: int) -> dict[str, float]:
    import torch

    from biaskit.sweeps.networks.depth import weighted_depth
    from biaskit.sweeps.networks.probing import probe
    from biaskit.sweeps.networks.strides import count_strides

    threads = torch.get_num_threads()
    # Single small passes gain little from more threads, and on a machine that is busy
    # otherwise threads that wait for each other cost a hundred times as much.
    torch.set_num_threads(1)
    try:
        strides = count_strides(module, side)
        return {
            "parameters": sum(p.numel() for p in module.parameters()),
            "depth": weighted_depth(module, (1, 3, side, side)),
            "subsampling_factor": probe(module, side).factor,
            "poolings": strides.poolings,
            "strides_without_blur": strides.without_blur,
        }
    finally:
        torch.set_num_threads(threads)


def keep_card(study: Study, card: "pd.DataFrame") -> None:
    """
    Put a card into the study's table of networks, in place of an older one of the same network.

    Parameters
    ----------
    study : Study
        Held for writing.
    card : DataFrame
        Table ``networks`` of one row or more.
    """
    import pandas as pd

    old = study.read("networks") if study.has("networks") else NETWORKS.empty()
    keys = list(NETWORKS.keys)
    both = card if old.empty else pd.concat([old, card], ignore_index=True)
    rows = NETWORKS.sort(both.drop_duplicates(keys, keep="last"))
    inputs = [
        {"name": f"weights of {name}", "sha256": digest}
        for name, digest in zip(rows["network"], rows["sha256"], strict=True)
    ]
    now = provenance(
        inputs=inputs, options={}, seed=None, libraries=_LIBRARIES, precision="float32"
    )
    study.write("networks", NETWORKS.check(rows, "networks"), now)


def card_text(card: Mapping[Any, Any]) -> str:
    """
    Lay out a row of the table of networks for people, the paper's numbers beside ours.

    Parameters
    ----------
    card : mapping
        A row of table ``networks``.
    """
    name = str(card["network"])
    factor = card["subsampling_factor"]
    lines = {
        "weights": _weights_words(card),
        "input": card["preprocessing"],
        "outputs": f"{card['outputs']:,} classes{_few_words(card['outputs'])}",
        "parameters": f"{card['parameters']:,}{_paper_parameters(name, int(card['parameters']))}",
        "depth": f"{card['depth']} layers with weights on the longest path{_paper_depth(card)}",
        "subsampling": (
            f"{factor:g} px of the input per cell of the last map, measured"
            if factor == factor
            else "none: every unit sees the whole input, or the input has one size only"
        ),
        "strides": (
            f"{card['poolings']} at poolings; {card['strides_without_blur']} without a blur before"
        ),
    }
    variant = "" if card["variant"] == "plain" else f", {card['variant']}"
    return "\n".join([f"{name}{variant}", *(f"  {k:<12}{v}" for k, v in lines.items())])


def _weights_words(card: Mapping[Any, Any]) -> str:
    digest = f", sha256 {str(card['sha256'])[:16]}…" if card["sha256"] else ""
    return f"{card['weights']}{digest}, licence {card['licence'] or 'not stated'}"


def _few_words(outputs: int) -> str:
    return "; with fewer than 6, only top-1 jaggedness is measured" if outputs < 6 else ""


def _paper_parameters(name: str, ours: int) -> str:
    theirs = PAPER_PARAMETERS.get(name)
    if theirs is None:
        return ""
    if theirs == ours:
        return ", as in the paper"
    return f" (paper: {theirs:,}, {theirs - ours:+,}{_REASONS.get(name, '')})"


def _paper_depth(card: Mapping[Any, Any]) -> str:
    return f" (paper: {card['depth_paper']})" if card["depth_paper"] else ""
