"""The weights that torchvision and timm fetch: from the disk, else quickly or not at all."""

import io
import os
import pickle
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any

import timm
import torch
import torchvision

from biaskit.errors import WeightsError

__all__ = ["cached_file", "timm_module", "torchvision_module"]

PATIENCE = 8.0  # seconds without an answer after which there is no network
_FILES = ("model.safetensors", "pytorch_model.bin")


def torchvision_module(name: str, weights: Any, *, asked: str) -> torch.nn.Module:
    """
    Return a network of torchvision with one of its own sets of weights.

    Messages call it as it was asked for.

    Raises
    ------
    WeightsError
        If they are neither on the disk nor to be fetched; the message says what to type.
    """
    with _fetching(asked):
        return torchvision.models.get_model(name, weights=weights, progress=False)


def timm_module(name: str, *, asked: str) -> torch.nn.Module:
    """
    Return a network of timm with the weights that timm has for it.

    Raises
    ------
    WeightsError
        If timm has none, or they are neither on the disk nor to be fetched.
    """
    config = timm.get_pretrained_cfg(name)
    if config is None or not (config.hf_hub_id or config.url):
        raise WeightsError(
            f"{asked}: timm has no weights for it. Give a file: --weights {asked}=FILE, "
            f"or ask for --weights {asked}=random."
        )
    file = cached_file(str(config.url or ""), config.hf_hub_id, config.hf_hub_filename)
    with _fetching(asked):
        if file is None and config.hf_hub_id:
            _reach_hub()
        overlay = {"file": str(file)} if file else None
        return timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay)


def cached_file(url: str, hub_id: str | None = None, hub_file: str | None = None) -> Path | None:
    """Return the file that an earlier download of weights left on the disk; None without one."""
    from huggingface_hub import try_to_load_from_cache

    if not hub_id:
        file = Path(torch.hub.get_dir()) / "checkpoints" / Path(url).name
        return file if file.is_file() else None
    repository, _, revision = hub_id.partition("@")
    for name in (hub_file,) if hub_file else _FILES:
        found = try_to_load_from_cache(repository, name, revision=revision or None)
        if isinstance(found, str):
            return Path(found)
    return None


def _reach_hub() -> None:
    """Ask once whether the hub answers: its own client tries for most of a minute."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise OSError("HF_HUB_OFFLINE is set")
    request = urllib.request.Request(constants.ENDPOINT, method="HEAD")  # noqa: S310
    # An answer that refuses is an answer.
    with suppress(urllib.error.HTTPError):
        urllib.request.urlopen(request, timeout=PATIENCE).close()  # noqa: S310


@contextmanager
def _fetching(name: str) -> Iterator[None]:
    """Keep a download silent, impatient and free of code; make one line of its failure."""
    before, forced = socket.getdefaulttimeout(), os.environ.get("TORCH_FORCE_WEIGHTS_ONLY_LOAD")
    socket.setdefaulttimeout(PATIENCE)
    os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = "1"
    try:
        # torch.hub writes to stdout, which belongs to results.
        with redirect_stderr(io.StringIO()), redirect_stdout(io.StringIO()):
            yield
    except pickle.UnpicklingError:
        raise WeightsError(
            f"{name}: the file of its weights that was fetched holds more than tensors; "
            "code in it was not run. Delete it, and look where it is from."
        ) from None
    except Exception as error:  # each client has its own errors, and not all are OSErrors
        raise WeightsError(
            f"{name}: its weights are not here and could not be fetched "
            f"({_reason(error)}). Give a file: --weights {name}=FILE, "
            f"or ask for --weights {name}=random."
        ) from None
    finally:
        socket.setdefaulttimeout(before)
        if forced is None:
            os.environ.pop("TORCH_FORCE_WEIGHTS_ONLY_LOAD", None)
        else:
            os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = forced


def _reason(error: Exception) -> str:
    if isinstance(error, (OSError, ConnectionError)) and not isinstance(error, PermissionError):
        return "no network?"
    lines = str(error).splitlines()
    return lines[0][:160] if lines else type(error).__name__
