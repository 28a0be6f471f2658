"""How the tables that commands print write shares, intervals and names."""

import numpy as np
import pandas as pd

__all__ = ["cell", "network_name", "share", "signed"]


def network_name(network: str, variant: str) -> str:
    """
    Return a network's name, with its variant if it is not plain.

    Examples
    --------
    >>> network_name("vgg16", "plain"), network_name("vgg16", "blur-3")
    ('vgg16', 'vgg16 blur-3')
    """
    return network if variant == "plain" else f"{network} {variant}"


def cell(row: pd.Series, column: str) -> str:
    """
    Return a share with its interval; a dash where it is missing.

    Examples
    --------
    >>> cell(pd.Series({"jagged": 0.25, "jagged_low": 0.1, "jagged_high": 1.0}), "jagged")
    '.250 [.10 1.0]'
    """
    if np.isnan(row[column]):
        return "-"
    low, high = row[f"{column}_low"], row[f"{column}_high"]
    interval = "" if np.isnan(low) else f" [{share(low, 2)} {share(high, 2)}]"
    return f"{share(row[column], 3)}{interval}"


def signed(value: float) -> str:
    """
    Return a difference of shares with its sign.

    Examples
    --------
    >>> signed(-0.0001), signed(0.25)
    ('+0.000', '+0.250')
    """
    # Adding 0 turns a rounded -0.0 into 0.0.
    return f"{round(value, 3) + 0.0:+.3f}"


def share(value: float, digits: int) -> str:
    """
    Write a share as .123, and the whole as 1.00: a table of shares needs no zeros.

    Examples
    --------
    >>> share(0.1234, 3), share(1.0, 3)
    ('.123', '1.00')
    """
    text = f"{value:.{digits}f}"
    return text.removeprefix("0") if text.startswith("0") else text[: digits + 1]
