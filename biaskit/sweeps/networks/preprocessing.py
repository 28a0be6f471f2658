"""How a network wants its input: side, resizing before the crop, mean and spread."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from biaskit.errors import NetworkError

__all__ = ["INTERPOLATIONS", "Preprocessing", "preprocessing_of"]

INTERPOLATIONS = ("bilinear", "bicubic", "nearest", "lanczos")
Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Preprocessing:
    """
    What is done to a photograph before a network sees it.

    The network sees ``(rgb / 255 - mean) / std``.

    Parameters
    ----------
    input_size : int
        Side of the square input in px.
    resize : int
        Length in px of the photograph's shorter side before the middle is cut out, as in the
        network's own evaluation.
    interpolation : str
        One of ``INTERPOLATIONS``, as Pillow names them.
    mean, std : three floats
        Of red, green and blue, on a scale where 1 is full brightness.

    Raises
    ------
    NetworkError
        If a number is not one that a photograph can be treated with.

    Examples
    --------
    >>> Preprocessing(224, 256, "bilinear", (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)).words()
    'shorter side 256 px, bilinear, middle 224 px, mean 0.5 0.5 0.5, spread 0.25 0.25 0.25'
    """

    input_size: int
    resize: int
    interpolation: str
    mean: Triple
    std: Triple

    def __post_init__(self) -> None:
        if not 1 <= self.input_size <= self.resize:
            raise NetworkError(
                f"preprocessing: input size {self.input_size} px of a photograph resized to "
                f"{self.resize} px, expected 1 px or more and no more than the resized side."
            )
        if self.interpolation not in INTERPOLATIONS:
            raise NetworkError(
                f"preprocessing: interpolation is '{self.interpolation}', "
                f"expected one of {', '.join(INTERPOLATIONS)}."
            )
        _check_triple("mean", self.mean, least=-math.inf)
        _check_triple("std", self.std, least=0)

    def words(self) -> str:
        """Say it in a line, as the table of networks holds it."""
        mean, std = (" ".join(f"{v:.6g}" for v in three) for three in (self.mean, self.std))
        return (
            f"shorter side {self.resize} px, {self.interpolation}, middle {self.input_size} px, "
            f"mean {mean}, spread {std}"
        )

    def altered(
        self,
        *,
        input_size: int | None = None,
        mean: Triple | None = None,
        std: Triple | None = None,
    ) -> "Preprocessing":
        """
        Return it with what is given; another input size keeps the share that is cut away.

        Examples
        --------
        >>> half = (0.5, 0.5, 0.5)
        >>> Preprocessing(224, 256, "bilinear", half, half).altered(input_size=112).resize
        128
        """
        size = input_size or self.input_size
        return replace(
            self,
            input_size=size,
            resize=round(self.resize * size / self.input_size),
            mean=mean or self.mean,
            std=std or self.std,
        )


def preprocessing_of(options: Mapping[str, Any], where: str) -> Preprocessing:
    """
    Make it from a mapping in which everything but the input size may be left out.

    Raises
    ------
    NetworkError
        If a name is unknown or a value of the wrong kind; the message begins with ``where``.

    Examples
    --------
    >>> preprocessing_of({"input_size": 32}, "my:network").resize
    32
    """
    known = ("input_size", "resize", "interpolation", "mean", "std")
    if unknown := sorted(set(options) - set(known)):
        raise NetworkError(
            f"{where}: option '{unknown[0]}' is unknown. Known: classes, {', '.join(known)}."
        )
    try:
        size = int(options.get("input_size", 224))
        return Preprocessing(
            size,
            int(options.get("resize", size)),
            str(options.get("interpolation", "bilinear")),
            _triple(options.get("mean", (0.485, 0.456, 0.406))),
            _triple(options.get("std", (0.229, 0.224, 0.225))),
        )
    except (TypeError, ValueError) as error:
        raise NetworkError(f"{where}: {error}") from None


def _triple(values: Any) -> Triple:
    red, green, blue = (float(v) for v in values)
    return red, green, blue


def _check_triple(name: str, values: Triple, *, least: float) -> None:
    if len(values) != 3 or not all(math.isfinite(v) and v > least for v in values):
        kind = "finite numbers" if math.isinf(least) else f"finite numbers above {least:g}"
        raise NetworkError(
            f"preprocessing: {name} is {values}, expected {kind} for red, green and blue."
        )
