"""Names from strangers inside LaTeX, HTML and Markdown: shown as they are, never obeyed."""

import re
import unicodedata
from html import escape

__all__ = ["html_text", "latex_text", "markdown_text", "visible"]

_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "-": r"{-}",  # two of them would become a dash
    "[": r"{[}",  # after \\ it would begin an option
    "]": r"{]}",
    "*": r"{*}",
}
_NUMBER = re.compile(r"[-\u2212]?\d+(\.\d+)?")
_MARKDOWN = frozenset("\\`*_{}[]()<>#+-.!|~&$:^=@\"'/")


def visible(text: str) -> str:
    r"""
    Show what a reader could not see: controls, marks of direction, and other characters
    without a shape become [U+202E] and the like; line breaks become spaces.

    Examples
    --------
    >>> visible("a\u202eb"), visible("two\nlines")
    ('a[U+202E]b', 'two lines')
    """
    return "".join(_shown(c) for c in text)


def _shown(character: str) -> str:
    if character in "\n\t":
        return " "
    # C: controls, formats (direction), surrogates, private, unassigned; Zl, Zp: line ends.
    kind = unicodedata.category(character)
    if kind[0] == "C" or kind in ("Zl", "Zp"):
        return f"[U+{ord(character):04X}]"
    return character


def html_text(text: str) -> str:
    """
    Return text for an HTML page.

    Examples
    --------
    >>> html_text("<script>")
    '&lt;script&gt;'
    """
    return escape(visible(text), quote=True)


def latex_text(text: str) -> str:
    r"""
    Return text for a LaTeX document; letters beyond Latin need lualatex or xelatex.

    Examples
    --------
    >>> latex_text("50 % of \\input{x}")
    '50 \\% of \\textbackslash{}input\\{x\\}'
    """
    return "".join(_latex(c) for c in visible(text))


def _latex(character: str) -> str:
    if character in _LATEX:
        return _LATEX[character]
    # Emoji and the like are in hardly any text font: their number says what was there.
    if unicodedata.category(character) == "So":
        return rf"{{[}}U+{ord(character):04X}{{]}}"
    return character


def markdown_text(text: str) -> str:
    """
    Return text for one cell of a Markdown table.

    Every sign that Markdown or HTML gives a meaning is written as a number, because programs
    differ in what a backslash protects.

    Examples
    --------
    >>> markdown_text("a|b"), markdown_text("n02123159"), markdown_text("20.31")
    ('a&#124;b', 'n02123159', '20.31')
    """
    if _NUMBER.fullmatch(text):  # a number within a cell means nothing else
        return text
    return "".join(f"&#{ord(c)};" if c in _MARKDOWN else c for c in visible(text))
