"""A request becomes a network: built, given its weights, and asked once whether it answers."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from biaskit.errors import NetworkError
from biaskit.sweeps.antialiasing.antialias import antialiased
from biaskit.sweeps.networks.classes import check_classes, default_classes, read_classes
from biaskit.sweeps.networks.names import origin_of
from biaskit.sweeps.networks.network import Network, Weights
from biaskit.sweeps.networks.own_code import made_by
from biaskit.sweeps.networks.preprocessing import Preprocessing, preprocessing_of
from biaskit.sweeps.networks.sources import Blueprint, blueprint
from biaskit.sweeps.networks.weights import classes_in, fit, read_weights, state_digest

if TYPE_CHECKING:
    from biaskit.sweeps.networks.requests import NetworkRequest

__all__ = ["check_answer", "load_network"]


def load_network(request: "NetworkRequest") -> Network:
    """
    Load the network that was asked for.

    Raises
    ------
    NetworkError
        If its classes are not as many as its outputs, it does not answer as it should, or has no
        such variant.
    WeightsError
        If its weights are not to be had, or not of this network.
    """
    named = read_classes(Path(request.classes)) if request.classes else ()
    origin, name = origin_of(request.name, allow_code=request.code)
    if origin == "code":
        module, wanted, named, weights = _own(request, named)
    else:
        plan = blueprint(origin, name, request.tag)
        module, weights = _planned(request, plan, len(named))
        wanted = plan.preprocessing
    wanted = wanted.altered(input_size=request.input_size, mean=request.mean, std=request.std)
    module = module.cpu().float().eval().requires_grad_(requires_grad=False)
    n_outputs = check_answer(module, wanted, request.name)
    classes = named or default_classes(n_outputs)
    if len(classes) != n_outputs:
        where = Path(request.classes).name if request.classes else request.name
        raise NetworkError(
            f"{where}: {len(classes)} classes, but {request.name} has {n_outputs} outputs."
        )
    digest = "" if request.weights == "random" else state_digest(module)
    found = Weights(weights.source, digest, weights.licence)
    module = antialiased(module, request.variant, wanted.input_size, name=request.name)
    return Network(request.name, request.variant, module, wanted, classes, found)


def check_answer(module: nn.Module, wanted: Preprocessing, name: str) -> int:
    """
    Ask a network about two pictures of noise and return how many outputs it has.

    Raises
    ------
    NetworkError
        If the answer is not one finite number per picture and class, or there is none.
    """
    side = wanted.input_size
    rgb = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    mean, std = (torch.tensor(three).view(3, 1, 1) for three in (wanted.mean, wanted.std))
    expected = f"{name}: asked about 2 pictures of {side} x {side} px, expected 2 x classes numbers"
    try:
        with torch.inference_mode():
            answer = module((rgb - mean) / std)
    except (RuntimeError, ValueError, TypeError, AssertionError, LookupError) as error:
        line = next(iter(str(error).splitlines()), type(error).__name__)
        raise NetworkError(f"{expected}, but it failed: {line}") from error
    if not isinstance(answer, torch.Tensor):
        raise NetworkError(f"{expected}, but it answers with {type(answer).__name__}.")
    if answer.ndim != 2 or answer.shape[0] != 2 or answer.shape[1] < 1:
        shape = " x ".join(str(n) for n in answer.shape) or "a single one"
        raise NetworkError(f"{expected}, but it answers with {shape}.")
    if not answer.is_floating_point() or not bool(torch.isfinite(answer).all()):
        raise NetworkError(f"{expected} that are finite, but some are not.")
    if answer.shape[1] < 2:
        raise NetworkError(f"{expected}, but it tells no two classes apart.")
    return int(answer.shape[1])


def _planned(request: "NetworkRequest", plan: Blueprint, n_named: int) -> tuple[nn.Module, Weights]:
    if request.weights == "random":
        module = _drawn(plan, n_named or plan.n_outputs, request.seed)
        return module, Weights(f"random, seed {request.seed}", "", "")
    if request.weights == "default" or request.tag:
        found = plan.default(request.name)
        state, source, licence = found.state, found.source, found.licence
    else:
        file = Path(request.weights)
        state, source, licence = read_weights(file), file.name, ""
    state = {n: t for n, t in state.items() if not n.startswith(plan.ignored)}
    module = _drawn(plan, plan.n_outputs, 0)
    n_classes = classes_in(state, module, plan.n_outputs)
    if n_classes != plan.n_outputs:
        module = _drawn(plan, n_classes, 0)
    fit(module, state, file=source, name=request.name)
    return module, Weights(source, "", licence)


def _drawn(plan: Blueprint, n_classes: int, seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return plan.build(n_classes)


def _own(
    request: "NetworkRequest", named: Sequence[str]
) -> tuple[nn.Module, Preprocessing, tuple[str, ...], Weights]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(request.seed)
        module, options = made_by(request.name, request.folder)
    own_names = options.pop("classes", None)
    if not named and own_names is not None:
        named = check_classes([str(n) for n in own_names], request.name)
    wanted = preprocessing_of(options, request.name)
    if request.weights == "random":
        return module, wanted, tuple(named), Weights(f"random, seed {request.seed}", "", "")
    if request.weights == "default":
        return module, wanted, tuple(named), Weights(request.name, "", "")
    file = Path(request.weights)
    fit(module, read_weights(file), file=file.name, name=request.name)
    return module, wanted, tuple(named), Weights(file.name, "", "")
