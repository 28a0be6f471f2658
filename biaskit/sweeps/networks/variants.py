"""The names of a network's variants: what is blurred before it drops places, and with what."""

import re
from dataclasses import dataclass

from biaskit.errors import NetworkError

__all__ = ["PLAIN", "Variant", "parse_variant"]

PLAIN = "plain"
_NAME = re.compile(r"(?:blur-([1-7])|lowpass)(?:-(pools|inner))?")


@dataclass(frozen=True)
class Variant:
    """
    How a network is changed where it drops places.

    Attributes
    ----------
    taps : int or None
        Of the binomial filter, 1 to 7; None: the ideal low-pass.
    layers : {"all", "pools", "inner"}
        Which strides are blurred: all; those of poolings; all but those of convolutions that take
        the picture at its full size.
    """

    taps: int | None
    layers: str


def parse_variant(text: str) -> Variant | None:
    """
    Read the name of a variant.

    Parameters
    ----------
    text : str
        ``plain``; or ``blur-2`` to ``blur-7``, a binomial filter of so many taps, or ``lowpass``;
        then ``-pools`` or ``-inner``, if not all strides are meant. ``blur-1`` is a check: it
        runs every layer at every place and drops as many, but blurs nothing.

    Returns
    -------
    Variant or None
        None for ``plain``.

    Raises
    ------
    NetworkError
        If there is no such variant.

    Examples
    --------
    >>> parse_variant("blur-3-inner"), parse_variant("lowpass"), parse_variant("plain")
    (Variant(taps=3, layers='inner'), Variant(taps=None, layers='all'), None)
    """
    if text == PLAIN:
        return None
    found = _NAME.fullmatch(text)
    if found is None:
        raise NetworkError(
            f"unknown variant '{text}'. Known: plain, blur-2 to blur-7, lowpass, each with -pools "
            "or -inner."
        )
    taps, layers = found.groups()
    return Variant(int(taps) if taps else None, layers or "all")
