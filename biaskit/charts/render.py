"""Charts as files: SVG for a page, or SVG, PNG, PDF, HTML on disk; nothing is fetched."""

import re
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert
from lxml import etree
from PIL import Image

from biaskit.charts.rows import plain_text
from biaskit.charts.theme import specification
from biaskit.errors import ExportError
from biaskit.provenance import write_bytes_whole, write_json_whole

__all__ = ["CHART_FORMATS", "inline_svg", "save_chart"]

CHART_FORMATS = ("svg", "png", "pdf", "html", "json")
_SVG = "{http://www.w3.org/2000/svg}"
_CLEAR = re.compile(r"^rgba\((\d+, ?\d+, ?\d+), ?([0-9.e-]+)\)$")
_CELL = re.compile(r"^(M[-0-9.]+,[-0-9.]+)h([0-9.]+)v([0-9.]+)h-[0-9.]+Z$")
_LONG = re.compile(r"\d+\.\d{3,}")
# Left in place these would be read out one by one, or only cost bytes.
_DROPPED = ("role", "aria-roledescription", "aria-label", "aria-hidden", "class", "pointer-events")


def inline_svg(chart: alt.TopLevelMixin, *, name: str, label: str, description: str) -> str:
    """
    Return a chart as an SVG element for an HTML page, light or dark.

    Parameters
    ----------
    chart : altair chart
    name : str
        Unique on the page; all ids begin with it.
    label, description : str
        Read out instead of the picture; any text.

    Returns
    -------
    str
        Clear background, text in ``currentColor``, as wide as its container allows up to its
        own size.

    Examples
    --------
    >>> chart = alt.Chart(alt.InlineData([{"x": 1}])).mark_point().encode(x="x:Q")
    >>> inline_svg(chart, name="a", label="One <point>", description="").count("&lt;point&gt;")
    1
    """
    root = _svg(specification(chart, ink="currentColor", background=None))
    for key in ("class", "version"):
        root.attrib.pop(key, None)
    _name_ids(root, f"{name}-")
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-desc")
    for place, (tag, text) in enumerate((("title", label), ("desc", description))):
        element = etree.Element(f"{_SVG}{tag}", id=f"{name}-{tag}")
        element.text = plain_text(text)
        root.insert(place, element)
    etree.cleanup_namespaces(root)
    return etree.tostring(root, encoding="unicode")


def save_chart(
    chart: alt.TopLevelMixin,
    path: Path,
    *,
    provenance: Mapping[str, Any],
    format: str | None = None,  # noqa: A002
) -> Path:
    """
    Write a chart, and its provenance beside it as ``<file>.json``; each appears whole or not.

    Parameters
    ----------
    chart : altair chart
    path : Path
        Its ending decides the format.
    provenance : mapping
        Where the numbers come from; ready for JSON.
    format : {"svg", "png", "pdf", "html", "json"}, optional
        Instead of the ending. PNG has 192 px per inch; HTML is one file with all scripts in it.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ExportError
        If the format is unknown or the file cannot be written.

    Examples
    --------
    >>> save_chart(alt.Chart().mark_point(), Path("chart.bmp"), provenance={})
    Traceback (most recent call last):
    ...
    biaskit.errors.ExportError: chart.bmp: format 'bmp' is unknown, expected svg, png, pdf, \
html, json.
    """
    kind = (format or path.suffix.lstrip(".")).lower()
    if kind not in CHART_FORMATS:
        expected = ", ".join(CHART_FORMATS)
        raise ExportError(f"{path.name}: format '{kind}' is unknown, expected {expected}.")
    content = _encode(chart, kind)
    try:
        write_json_whole(path.with_name(f"{path.name}.json"), dict(provenance))
        write_bytes_whole(path, content)
    except OSError as error:
        raise ExportError(f"{path.name}: cannot be written: {error.strerror}.") from None
    return path


def _encode(chart: alt.TopLevelMixin, kind: str) -> bytes:
    spec = specification(chart)
    if kind == "json":
        return alt.Chart.from_dict(spec).to_json(indent=1).encode()
    if kind == "html":
        return vl_convert.vegalite_to_html(spec, bundle=True).encode()
    svg = etree.tostring(_svg(spec), encoding="unicode")
    if kind == "svg":
        return svg.encode()
    if kind == "pdf":
        return vl_convert.svg_to_pdf(svg)
    flat = BytesIO()
    Image.open(BytesIO(vl_convert.svg_to_png(svg, scale=2, ppi=96))).convert("RGB").save(
        flat, "PNG", optimize=True
    )
    return flat.getvalue()


def _svg(spec: Mapping[str, Any]) -> etree._Element:
    """Draw a specification, and slim what vl-convert returns to what a picture needs."""
    text = vl_convert.vegalite_to_svg(dict(spec), allowed_base_urls=[])
    root = etree.fromstring(text.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    for element in root.iter(etree.Element):
        _plain_colours(element)
        if "mark-rect" in element.get("class", ""):
            # Without it, neighbouring cells let a hairline of the page show through.
            element.set("shape-rendering", "crispEdges")
            _overlap_cells(element)
        if element is not root:
            for key in _DROPPED:
                element.attrib.pop(key, None)
        for key in ("transform", "d", "x1", "x2", "y1", "y2"):
            if key in element.attrib:
                short = _LONG.sub(lambda m: f"{float(m[0]):.2f}", element.attrib[key])
                element.set(key, short)
    for element in [e for e in root.iter(f"{_SVG}path") if _draws_nothing(e)]:
        element.getparent().remove(element)
    # The renderer counts through the life of the process; a picture must not show that.
    _name_ids(root, "")
    return root


def _plain_colours(element: etree._Element) -> None:
    """Write rgba() as colour and opacity, which every SVG reader knows."""
    for key in ("fill", "stroke", "stop-color"):
        found = _CLEAR.match(element.get(key, ""))
        if found:
            element.set(key, f"rgb({found[1]})")
            opacity = "stop-opacity" if key == "stop-color" else f"{key}-opacity"
            element.set(opacity, f"{float(found[2]):.3g}")


def _overlap_cells(group: etree._Element) -> None:
    """Let opaque cells reach a little under the next ones: print ignores crispEdges."""
    for cell in group.findall(f"{_SVG}path"):
        shape = _CELL.match(cell.get("d", ""))
        opaque = cell.get("fill", "").startswith(("#", "rgb(")) and cell.get("opacity") is None
        if shape and opaque:
            wide, tall = float(shape[2]) + 0.5, float(shape[3]) + 0.5
            cell.set("d", f"{shape[1]}h{wide:g}v{tall:g}h-{wide:g}Z")


def _draws_nothing(path: etree._Element) -> bool:
    if path.get("display") == "none" or path.get("d") in ("", "M0,0h0v0h0Z"):
        return True
    return not (path.get("fill") or path.get("stroke"))


def _name_ids(root: etree._Element, prefix: str) -> None:
    """Number the ids in their order, behind a prefix, and all that points to them."""
    found = [element.get("id") for element in root.iter(etree.Element) if element.get("id")]
    new = {old: f"{prefix}part-{number}" for number, old in enumerate(found, start=1)}
    for element in root.iter(etree.Element):
        for key, value in element.attrib.items():
            target = value.removeprefix("url(").removesuffix(")").removeprefix("#")
            if key == "id":
                element.set(key, new[value])
            elif value.startswith(("url(#", "#")) and target in new:
                element.set(key, value.replace(f"#{target}", f"#{new[target]}"))
