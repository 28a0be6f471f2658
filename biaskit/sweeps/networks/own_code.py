"""A network that a function of the user's own makes."""

import importlib
import sys
from collections.abc import Mapping
from typing import Any

from torch import nn

from biaskit.errors import NetworkError

__all__ = ["made_by"]


def made_by(name: str, folder: str) -> tuple[nn.Module, dict[str, Any]]:
    """
    Call the user's function and return the network it makes.

    This runs code of the user's: only names typed on the command line come here.

    Parameters
    ----------
    name : str
        ``module:function``. The function takes nothing and returns a module, or a module and a
        mapping with any of classes, input_size, resize, interpolation, mean and std.
    folder : str
        Where the module is looked for first.

    Raises
    ------
    NetworkError
        If module or function are not there, or what comes back is no network. What goes wrong
        within the function keeps its traceback.
    """
    module_name, _, function_name = name.partition(":")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name != module_name.split(".")[0]:
            raise  # the module is there, and something it needs is not
        raise NetworkError(
            f"network '{name}': there is no module '{module_name}' in the current folder, "
            "nor is one installed."
        ) from None
    function = getattr(module, function_name, None)
    if not callable(function):
        raise NetworkError(f"network '{name}': module '{module_name}' has no such function.")
    return _parts(function(), name)


def _parts(made: Any, name: str) -> tuple[nn.Module, dict[str, Any]]:
    parts = made if isinstance(made, tuple) else (made, {})
    if len(parts) == 2 and isinstance(parts[0], nn.Module) and isinstance(parts[1], Mapping):
        return parts[0], dict(parts[1])
    raise NetworkError(
        f"network '{name}': the function returned {type(made).__name__}, expected a "
        "torch.nn.Module, or one and a mapping of classes and preprocessing."
    )
