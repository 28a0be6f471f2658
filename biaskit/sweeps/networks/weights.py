"""Files of weights: read without running code in them, fitted to a network by name and shape."""

import hashlib
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from biaskit.errors import WeightsError

__all__ = ["classes_in", "fit", "fit_in_order", "read_weights", "state_digest"]

State = dict[str, Tensor]
_NESTS = ("state_dict", "model")
_COUNTER = "num_batches_tracked"  # of BatchNorm's training; no answer depends on it
# torchvision's own files of DenseNet write norm.1 where the network has norm1.
_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)")
_SHOWN = 3


def read_weights(path: Path) -> State:
    """
    Read a file of weights and nothing else: code in it is never run.

    Parameters
    ----------
    path : Path
        ``.safetensors``, or ``.pth``, ``.pt`` or ``.bin`` as ``torch.save`` writes a state
        dict, also one within ``state_dict`` or ``model`` and with names that begin with
        ``module.``.

    Returns
    -------
    dict of str to Tensor
        On the CPU; numbers of other precision as float32.

    Raises
    ------
    WeightsError
        If the file is broken, holds code, or holds no entries by name.
    """
    content = _safetensors(path) if path.suffix == ".safetensors" else _pickled(path)
    for nest in _NESTS:
        if isinstance(content, Mapping) and isinstance(content.get(nest), Mapping):
            content = content[nest]
    if not isinstance(content, Mapping) or not content:
        raise WeightsError(
            f"{path.name}: holds no weights by name. Save module.state_dict() alone."
        )
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise WeightsError(
                f"{path.name}: entry {name!r} is {type(value).__name__}, expected a tensor. "
                "Save module.state_dict() alone."
            )
    return _plain(content)


def fit(module: nn.Module, state: State, *, file: str, name: str) -> None:
    """
    Copy weights into a network, entry by entry.

    Counters of BatchNorm may be missing, for no answer depends on them.

    Raises
    ------
    WeightsError
        If entries are missing, too many, or of another shape; the message counts them, names
        the first and leaves the network as it was.

    Examples
    --------
    >>> fit(nn.Linear(2, 1), {"weight": torch.ones(1, 3)}, file="w.pth", name="toy")
    Traceback (most recent call last):
    ...
    biaskit.errors.WeightsError: w.pth: does not fit toy: 1 missing (bias); 1 of another shape \
(weight: 1 x 3, expected 1 x 2). Is it of another network?
    """
    wanted = module.state_dict()
    missing = [n for n in wanted if n not in state and not n.endswith(_COUNTER)]
    extra = [n for n in state if n not in wanted and not n.endswith(_COUNTER)]
    shapes = [
        f"{n}: {_size(state[n])}, expected {_size(wanted[n])}"
        for n in wanted
        if n in state and state[n].shape != wanted[n].shape
    ]
    troubles = [
        f"{len(found)} {word} ({_few(found)})"
        for found, word in ((missing, "missing"), (extra, "too many"), (shapes, "of another shape"))
        if found
    ]
    if troubles:
        raise WeightsError(
            f"{file}: does not fit {name}: {'; '.join(troubles)}. Is it of another network?"
        )
    module.load_state_dict({n: t for n, t in state.items() if n in wanted}, strict=False)


def fit_in_order(module: nn.Module, state: State, *, file: str, name: str) -> None:
    """
    Copy weights into a network whose entries stand in the same order under other names.

    Raises
    ------
    WeightsError
        If the number of entries differs, or the shape or the last part of the name of any.
    """
    wanted = module.state_dict()
    for number, (theirs, ours) in enumerate(zip(state, wanted, strict=False)):
        same = theirs.rpartition(".")[2] == ours.rpartition(".")[2]
        if not same or state[theirs].shape != wanted[ours].shape:
            raise WeightsError(
                f"{file}: does not fit {name}: entry {number} is {theirs} "
                f"({_size(state[theirs])}), expected {ours} ({_size(wanted[ours])})."
            )
    if len(state) != len(wanted):
        raise WeightsError(
            f"{file}: does not fit {name}: {len(state)} entries, expected {len(wanted)}."
        )
    fit(module, dict(zip(wanted, state.values(), strict=True)), file=file, name=name)


def classes_in(state: State, module: nn.Module, n_outputs: int) -> int:
    """
    Tell for how many classes weights were trained, by the shape of the last layer.

    Parameters
    ----------
    state : dict of str to Tensor
    module : Module
        The network as built for ``n_outputs`` classes.

    Returns
    -------
    int
        ``n_outputs`` unless entries differ from it in nothing but their first length, and all
        by the same.

    Examples
    --------
    >>> classes_in({"weight": torch.ones(7, 2), "bias": torch.ones(7)}, nn.Linear(2, 10), 10)
    7
    """
    found = set()
    for name, wanted in module.state_dict().items():
        given = state.get(name)
        if given is None or given.shape == wanted.shape:
            continue
        heads = given.ndim and wanted.ndim and wanted.shape[0] == n_outputs
        if not heads or given.shape[1:] != wanted.shape[1:]:
            return n_outputs
        found.add(given.shape[0])
    return found.pop() if len(found) == 1 else n_outputs


def state_digest(module: nn.Module) -> str:
    """
    Return the sha256 of a network's weights: names, shapes and bytes, in the order of names.

    Counters of BatchNorm are left out, so a file with them and one without give the same.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        if name.endswith(_COUNTER):
            continue
        value = tensor.detach().cpu().contiguous()
        digest.update(f"{name} {tuple(value.shape)} {value.dtype}\n".encode())
        digest.update(value.numpy().tobytes())
    return digest.hexdigest()


def _safetensors(path: Path) -> Mapping[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(
            f"{path.name}: cannot be read as safetensors ({_first_line(error)})."
        ) from None


def _pickled(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise WeightsError(
            f"{path.name}: is not a file of tensors alone; code in it was not run. "
            "Save module.state_dict(), or convert it to safetensors where you trust it."
        ) from None
    except OSError as error:
        raise WeightsError(f"{path.name}: cannot be read ({_first_line(error)}).") from None
    except Exception as error:  # torch raises many kinds on broken archives, KeyError among them
        raise WeightsError(
            f"{path.name}: is broken, or no file of tensors ({_first_line(error)}); "
            "code in it was not run."
        ) from None


def _plain(content: Mapping[str, Tensor]) -> State:
    cut = all(name.startswith("module.") for name in content)
    return {
        _DENSENET.sub(r"\1\2", name.removeprefix("module.") if cut else name): (
            value.float() if value.is_floating_point() else value
        )
        for name, value in content.items()
    }


def _size(tensor: Tensor) -> str:
    return " x ".join(str(n) for n in tensor.shape) or "one number"


def _few(found: list[str]) -> str:
    more = f", and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0][:200] if lines else type(error).__name__
