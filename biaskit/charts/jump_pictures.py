"""The two frames around a jump as pictures, each with what the network said to it."""

import base64
import io
from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd
from PIL import Image

from biaskit.charts.rows import plain_text
from biaskit.charts.sweep_rows import place_words
from biaskit.charts.theme import BLUE, GREY, ORANGE, layered

__all__ = ["answers_of", "jump_pictures", "png_uri"]

_GAP = 16  # px between the two
_LINE = 17  # px of a line of the list
_BAR = 15  # px of a bar at most


def png_uri(pixels: np.ndarray) -> str:
    """
    Return pixels as a PNG in a data URI: nothing is fetched to show it.

    Parameters
    ----------
    pixels : uint8 array, shape (h, w, 3)

    Examples
    --------
    >>> png_uri(np.zeros((2, 2, 3), np.uint8))[:22]
    'data:image/png;base64,'
    """
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def answers_of(frame: pd.Series, words: Mapping[str, str]) -> pd.DataFrame:
    """
    Return the five most probable classes of a row of ``frames``.

    Parameters
    ----------
    frame : Series
    words : mapping of str
        Class to the word shown instead.

    Returns
    -------
    DataFrame
        word, p and true (whether it is the true class), the best first.

    Examples
    --------
    >>> frame = pd.Series({"top5": "a|b", "p_top5": "0.7|0.2", "category": "b"})
    >>> answers_of(frame, {"a": "ape"}).values.tolist()
    [['ape', 0.7, False], ['b', 0.2, True]]
    """
    classes = str(frame["top5"]).split("|")
    return pd.DataFrame(
        {
            "word": [_short(str(words.get(name) or name)) for name in classes],
            "p": [float(p) for p in str(frame["p_top5"]).split("|")],
            "true": [name == frame["category"] for name in classes],
        }
    )


def _short(word: str) -> str:
    """Keep the first of several names of a class."""
    return plain_text(word.partition(", ")[0])


def jump_pictures(
    both: pd.DataFrame,
    pictures: Sequence[np.ndarray],
    *,
    words: Mapping[str, str],
    width: int,
) -> alt.HConcatChart:
    """
    Draw the frames before and after a jump side by side, above their five classes.

    Parameters
    ----------
    both : DataFrame
        Their two rows of ``frames``, in their order.
    pictures : sequence of two uint8 arrays, shape (h, w, 3)
    words : mapping of str
        Class to the word shown instead.
    width : int
        Px of both together.

    Returns
    -------
    altair.HConcatChart
        The true class is orange.

    Examples
    --------
    See ``biaskit.charts.shift_curves.curve``.
    """
    side = (width - _GAP) // 2
    sides = []
    for when, (_, frame), pixels in zip(
        ("before", "after"), both.iterrows(), pictures, strict=True
    ):
        head = f"{when}: {place_words(frame)}".replace("-", "−")
        picture = _picture(pixels, side, head)
        sides.append(alt.vconcat(picture, _list(answers_of(frame, words), side), spacing=6))
    whose = plain_text(f"what {both['name'].iloc[0]} said around the jump")
    title = alt.TitleParams(whose, fontSize=12, fontWeight="bold", frame="group", limit=width)
    return alt.hconcat(*sides, spacing=_GAP, title=title)


def _picture(pixels: np.ndarray, side: int, head: str) -> alt.Chart:
    height = round(side * pixels.shape[0] / pixels.shape[1])
    table = pd.DataFrame([{"x": 0, "x2": 1, "y": 0, "y2": 1, "picture": png_uri(pixels)}])
    scale = alt.Scale(domain=[0, 1], nice=False)
    return (
        alt.Chart(table)
        .mark_image(aspect=False)
        .encode(
            x=alt.X("x:Q", axis=None, scale=scale),
            x2="x2:Q",
            y=alt.Y("y:Q", axis=None, scale=scale),
            y2="y2:Q",
            url="picture:N",
        )
        .properties(
            width=side,
            height=height,
            title=alt.TitleParams(
                head, fontSize=12, fontWeight="normal", frame="group", limit=side, offset=4
            ),
        )
    )


def _list(answers: pd.DataFrame, side: int) -> alt.LayerChart:
    """Write class and probability on each line, over a bar as long as the probability."""
    table = answers.assign(
        line=[f"{number}" for number in range(len(answers))],
        number=[f"{p:.2f}" for p in answers["p"]],
        zero=0.0,
    )
    room = int((side - 40) / 6.4)
    table["word"] = [w if len(w) <= room else w[: room - 1] + "…" for w in table["word"]]
    scale = alt.Scale(domain=[0, 1], nice=False)
    y = alt.Y("line:N", axis=None, sort=None, scale=alt.Scale(paddingInner=0.15))
    colour = alt.condition("datum.true", alt.value(ORANGE), alt.value(BLUE))
    base = alt.Chart(table)
    frame = base.mark_bar(height=_BAR, color=GREY, opacity=0.14).encode(
        x=alt.X("zero:Q", axis=None, scale=scale), x2=alt.datum(1), y=y
    )
    bars = base.mark_bar(height=_BAR, opacity=0.4).encode(
        x=alt.X("zero:Q", axis=None, scale=scale), x2="p:Q", y=y, color=colour
    )
    word = base.mark_text(align="left", dx=4, fontSize=12).encode(
        x=alt.X("zero:Q", axis=None, scale=scale), y=y, text="word:N"
    )
    number = base.mark_text(align="right", dx=-4, fontSize=12).encode(
        x=alt.datum(1, scale=scale), y=y, text="number:N"
    )
    return layered(frame, bars, word, number).properties(width=side, height=_LINE * len(table))
