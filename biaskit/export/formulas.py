"""
Text that a spreadsheet would run as a formula, made harmless in a way that can be undone.

A program that opens a CSV takes a cell that begins with = + - @ as a formula, and some of
them can start other programs. Quotes do not help, an apostrophe in front does. It is also put
after every separator inside a cell: where the comma is the decimal sign, programs split lines
at semicolons instead, and the rest of a name becomes a cell of its own. Apostrophes that stand
in such a place already get one more, so taking one away gives the old text back.
"""

import re

__all__ = ["disarm", "rearm"]

# The wide forms are folded to the narrow ones by some programs.
_TRIGGER = r"[=+\-@|%＝＋－＠\t\r\n]"
_PLACE = re.compile(rf"(?:\A|(?<=[,;|\t\r\n\"]))('*)(?=[^\S\t\r\n]*{_TRIGGER})")


def disarm(text: str) -> str:
    """
    Return text that no spreadsheet runs.

    Examples
    --------
    >>> disarm("=1+1"), disarm("tiger cat"), disarm("a;=1")
    ("'=1+1", 'tiger cat', "a;'=1")
    """
    return _PLACE.sub(r"'\1", text)


def rearm(text: str) -> str:
    """
    Undo ``disarm``.

    Examples
    --------
    >>> rearm(disarm("'=1"))
    "'=1"
    """
    return _PLACE.sub(lambda found: found[1][1:], text)
