"""How every chart looks: colours that a colour-blind reader can tell apart, type, grid."""

from typing import Any

import altair as alt

from biaskit.charts.rows import plain_text

__all__ = [
    "BAND",
    "BLUE",
    "GREEN",
    "GREY",
    "ORANGE",
    "RESIDUAL",
    "layered",
    "specification",
    "untitled",
]

# Of Okabe and Ito, chosen so that each stands out on white and on black.
BLUE, ORANGE, GREEN, GREY = "#2b7fbf", "#d9780f", "#009e73", "#8a8f98"
BAND = GREY  # what the null allows, at an opacity that works on both
# The middle is nearly clear instead of white: it takes the colour of the page, light or dark.
RESIDUAL = (
    "rgba(43, 127, 191, 1)",
    "rgba(43, 127, 191, 0.02)",
    "rgba(217, 120, 15, 0.02)",
    "rgba(217, 120, 15, 1)",
)


def layered(*charts: alt.Chart | alt.LayerChart) -> alt.LayerChart:
    """Lay charts over each other, the first at the back."""
    return alt.LayerChart(layer=list(charts))


def untitled(chart: alt.LayerChart) -> alt.LayerChart:
    """Return a chart without its title, for a place where a caption says it."""
    chart = chart.copy(deep=False)
    chart.title = alt.Undefined
    return chart


def specification(
    chart: alt.TopLevelMixin, *, ink: str = "#1b1f24", background: str | None = "white"
) -> dict[str, Any]:
    """
    Return a chart's Vega-Lite specification in the look of biaskit.

    Parameters
    ----------
    chart : altair chart
        Any chart of this package.
    ink : str
        Colour of all text; ``currentColor`` takes that of the page around an inline SVG.
    background : str or None
        None is clear.

    Returns
    -------
    dict
        Ready for vl-convert, with all data inside.

    Examples
    --------
    >>> chart = alt.Chart(alt.InlineData([{"x": 1}])).mark_point().encode(x="x:Q")
    >>> specification(chart, ink="currentColor")["config"]["title"]["color"]
    'currentColor'
    """
    # Checked against the schema in the tests; here it would cost as much as the drawing.
    spec = _safe(chart.to_dict(validate=False))
    spec["config"] = {**spec.get("config", {}), **_config(ink, background)}
    return spec


def _safe(value: Any) -> Any:
    """
    Replace what has no place in a picture's text, everywhere in a specification.

    The renderer aborts the whole process at a control character, so one hostile name would take
    the study down with it.
    """
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, dict):
        return {key: _safe(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_safe(inner) for inner in value]
    return value


def _config(ink: str, background: str | None) -> dict[str, Any]:
    words = {"labelColor": ink, "titleColor": ink, "titleFontWeight": "normal"}
    lines = {"gridColor": GREY, "gridOpacity": 0.25, "domainColor": GREY, "tickColor": GREY}
    return {
        "background": background,
        "font": "Arial, Helvetica, Liberation Sans, sans-serif",
        "aria": False,  # the figure carries one label; a label per mark is noise, and bytes
        "view": {"stroke": None},
        "axis": {**words, **lines, "labelFontSize": 12, "titleFontSize": 13, "labelOverlap": True},
        "legend": {**words, "labelFontSize": 12, "titleFontSize": 12, "orient": "bottom"},
        "header": words,
        "title": {
            "color": ink,
            "subtitleColor": ink,
            "fontSize": 13,
            "fontWeight": "bold",
            "subtitleFontSize": 12,
            "anchor": "start",
            "offset": 8,
        },
        "text": {"color": ink},
        "rule": {"color": GREY},
    }
