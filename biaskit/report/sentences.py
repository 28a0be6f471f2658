"""Effect sizes in words: how far, which way, how sure, from how many images."""

import math

from biaskit.charts.p_values import number_text
from biaskit.report.answers import Answers, Effect

__all__ = ["percent", "sentences", "unbroken"]

EDGES = "without"
_MINUS = "\u2212"


def percent(share: float, digits: int = 2) -> str:
    """
    Write a share as a percentage to so many significant digits, at most one after the point.

    Examples
    --------
    >>> percent(0.0412), percent(-0.5), percent(0.00049)
    ('4.1 %', '−50 %', '0 %')
    >>> percent(math.nan)
    'unknown'
    """
    if math.isnan(share):
        return "unknown"
    value = 100 * share
    rounded = round(value, 1) if abs(value) < 10 ** (digits - 1) else float(round(value))
    return f"{number_text(rounded + 0.0, 6).replace('-', _MINUS)} %"


def sentences(answers: Answers, group: tuple[str, str], spoken: str) -> list[str]:
    """
    Say in words where one category's objects stand and how large they are.

    Parameters
    ----------
    answers : Answers
    group : (str, str)
        Category and split.
    spoken : str
        What the sentences call it.

    Returns
    -------
    list of str
        Text, not HTML. Empty if no effect was estimated.

    Examples
    --------
    >>> below = Effect(80, 0.04, 0.02, 0.06, 0.0)
    >>> key = ("cat", "", "position_y", "frame", "without", "offset")
    >>> sentences(Answers({}, {key: below}), ("cat", ""), "cats")[0].replace("\u00a0", " ")
    'The centres of cats lie 4 % of the image height below the middle (95 % interval: 2 % to 6 % \
below), n = 80 images.'
    """
    parts = [
        _offset(answers, group, spoken, "y"),
        _offset(answers, group, spoken, "x"),
        _centre(answers, group),
        _spread(answers, group),
        _height(answers, group),
    ]
    return [unbroken(part) for part in parts if part]


def unbroken(text: str) -> str:
    """Keep numbers and what belongs to them on one line."""
    return text.replace(" %", "\u00a0%").replace("n = ", "n\u00a0=\u00a0")


def _offset(answers: Answers, group: tuple[str, str], spoken: str, axis: str) -> str:
    found = answers.effect(group, f"position_{axis}", "frame", EDGES, "offset")
    if found is None:
        return ""
    before, after, side = ("left of", "right of", "width")
    if axis == "y":
        before, after, side = ("above", "below", "height")
    way = after if found.value >= 0 else before
    whose = f"The centres of {spoken} lie" if axis == "y" else "They lie"
    clear = found.low > 0 or found.high < 0
    text = f"{whose} {percent(abs(found.value))} of the image {side} {way} the middle "
    if math.isnan(found.low):
        text += "(too few images for an interval)"
    elif clear:
        near, far = sorted((abs(found.low), abs(found.high)))
        text += f"(95 % interval: {percent(near)} to {percent(far)} {way.removesuffix(' of')})"
    else:
        text += (
            f"(95 % interval: {percent(abs(found.low))} {before.removesuffix(' of')} to "
            f"{percent(found.high)} {after.removesuffix(' of')}, so it may be neither)"
        )
    return f"{text}, n = {found.n:,} images."


def _centre(answers: Answers, group: tuple[str, str]) -> str:
    found = answers.effect(group, "position", "fit", EDGES, "central_ninth")
    if found is None:
        return ""
    return (
        f"{percent(found.value)} are placed in the middle ninth of the room they have, where "
        f"chance puts {percent(found.expected)} ({_interval(found)}; n = {found.n:,} images)."
    )


def _spread(answers: Answers, group: tuple[str, str]) -> str:
    found = answers.effect(group, "position", "fit", EDGES, "total_variation")
    if found is None:
        return ""
    least = f"at least {percent(found.low)}, " if found.low > 0 else "perhaps none, "
    return (
        f"To fill 5 × 5 cells evenly, about {percent(found.value)} of them would have to stand "
        f"elsewhere ({least}at 95 % confidence; n = {found.n:,} images)."
    )


def _height(answers: Answers, group: tuple[str, str]) -> str:
    mean = answers.effect(group, "height", "frame", EDGES, "log_mean")
    spread = answers.effect(group, "height", "frame", EDGES, "log_spread")
    if mean is None:
        return ""
    text = (
        f"The typical height is {percent(math.exp(mean.value))} of the image "
        f"({_interval(_exp(mean))}"
    )
    if spread is not None:
        text += f"; two thirds are within a factor of {number_text(math.exp(spread.value), 2)}"
    return f"{text}; n = {mean.n:,} images)."


def _exp(found: Effect) -> Effect:
    """Turn a mean of logarithms into a typical size."""
    middle, low, high, expected = (
        math.exp(x) for x in (found.value, found.low, found.high, found.expected)
    )
    return Effect(found.n, middle, low, high, expected)


def _interval(found: Effect) -> str:
    if math.isnan(found.low):
        return "too few images for an interval"
    return f"95 % interval: {percent(found.low)} to {percent(found.high)}"
