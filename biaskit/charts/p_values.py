"""P-values and other numbers as people read them: a p is never 0, whatever its size."""

import math

__all__ = ["exponent_and_factor", "number_text", "p_text", "superscript"]

# What stands before the number, for each p_kind of the table significance.
SIGNS = {"bound": "≤", "asymptotic": "≈"}
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def exponent_and_factor(log10_p: float) -> tuple[float, int]:
    """
    Split 10^log10_p into a factor of two digits, at least 1 and below 10, and a power of ten.

    Examples
    --------
    >>> exponent_and_factor(-417.4949)
    (3.2, -418)
    """
    exponent = math.floor(log10_p)
    factor = round(10 ** (log10_p - exponent), 1)
    return (1.0, exponent + 1) if factor >= 10 else (factor, exponent)


def p_text(log10_p: float, kind: str = "exact", *, raised: bool = False) -> str:
    """
    Write a p-value in words that fit a table cell.

    Parameters
    ----------
    log10_p : float
        At most 0; NaN for a test that had no data.
    kind : str
        A ``p_kind``: a bound gets ≤, an asymptotic value ≈.
    raised : bool
        Write the exponent with raised digits instead of ``^``.

    Returns
    -------
    str
        Empty for NaN.

    Examples
    --------
    >>> p_text(-417.4949, "bound")
    '≤ 3.2 × 10^-418'
    >>> p_text(-1.5), p_text(0.0), p_text(float("nan"))
    ('0.032', '1', '')
    """
    if math.isnan(log10_p):
        return ""
    sign = SIGNS.get(kind, "")
    if log10_p > -3:
        text = f"{10**log10_p:.2g}"
    else:
        factor, exponent = exponent_and_factor(log10_p)
        power = superscript(exponent) if raised else f"^{exponent}"
        text = f"{factor:g} × 10{power}"
    return f"{sign} {text}".strip()


def superscript(exponent: int) -> str:
    """
    Write a whole number in raised digits.

    Examples
    --------
    >>> superscript(-418)
    '⁻⁴¹⁸'
    """
    return str(exponent).translate(_RAISED)


def number_text(value: float, digits: int = 3) -> str:
    """
    Write a number to so many significant digits, without a needless exponent.

    Examples
    --------
    >>> number_text(0.000123456), number_text(1234.6), number_text(float("nan"))
    ('0.000123', '1235', '')
    """
    if math.isnan(value):
        return ""
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if -5 <= size < 7:
        text = f"{value:.{max(0, digits - 1 - size)}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value:.{digits - 1}e}"
