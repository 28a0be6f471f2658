"""JSON of unknown origin: broken, endless or odd, it is refused by name and never a traceback."""

import json
import math
from typing import Any

from biaskit.annotations.repairs import Refused

__all__ = ["as_number", "load_json"]


def load_json(data: bytes) -> Any:
    """
    Return what a JSON file holds.

    Parameters
    ----------
    data : bytes
        UTF-8, with or without a mark of byte order.

    Raises
    ------
    Refused
        Of kind ``not_utf8``, ``too_deep`` or ``broken``.

    Examples
    --------
    >>> load_json(b"[1, 2]")
    [1, 2]
    """
    try:
        return json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Refused("not_utf8", f"byte {error.start} is 0x{data[error.start]:02x}") from None
    except RecursionError:
        raise Refused("too_deep", "JSON nested too deep") from None
    except ValueError as error:
        raise Refused("broken", str(error)) from None


def as_number(value: object) -> float:
    """
    Return a number of JSON; NaN for everything else, such as texts and truths.

    Examples
    --------
    >>> as_number(3), as_number("3"), as_number(True)
    (3.0, nan, nan)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    try:
        return float(value)
    except OverflowError:  # an integer of hundreds of digits
        return math.nan
