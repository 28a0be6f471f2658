"""
What is marked: a pair of points, how the page asks for them, and what its answers are called.

The labelling page of a pair such as ``left_eye right_eye`` has, and its export names so:

- ``points``, key points with one label per point;
- ``left_eye_seen`` and ``right_eye_seen``, choices: ``occluded`` (marked where it must be) or
  ``absent`` (not in the image); a point marked without a choice is visible;
- ``reason``, choices: ``eyes_not_visible`` (no mark), ``one_eye_visible`` (beside the one mark),
  ``several_animals`` (no mark); of other pairs ``not_visible``, ``one_visible`` and
  ``several_objects``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from biaskit.errors import ServerError

__all__ = ["EYES", "PRESETS", "Landmarks", "check_config", "find_landmarks"]

ABSENT, OCCLUDED = "absent", "occluded"
# Letters that Label Studio 1.23.2 leaves free on this page, from the left hand's home.
_MARK, _OCCLUDED, _ABSENT, _REASONS = "qw", "as", "zx", "ert"
_COLOURS = ("#0b6bcb", "#c2410c")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")


@dataclass(frozen=True)
class Landmarks:
    """
    A pair of points to mark in every image.

    Attributes
    ----------
    points : (str, str)
        Their names, such as ``left_eye``; small letters, digits and underscores.
    categories : tuple of str
        The categories this pair is meant for; empty: any.
    about : str
        What they are, in a sentence for the annotator.

    Examples
    --------
    >>> EYES.config().count("maxUsages")
    2
    >>> EYES.reasons
    ('eyes_not_visible', 'one_eye_visible', 'several_animals')
    """

    points: tuple[str, str]
    categories: tuple[str, ...] = ()
    about: str = ""

    def __post_init__(self) -> None:
        first, second = self.points
        for point in self.points:
            if not _NAME.fullmatch(point):
                raise ServerError(
                    f"point {point!r}: expected small letters, digits and _, such as left_eye."
                )
        if first == second:
            raise ServerError(f"--pair {first} {second}: the two points need two names.")

    @property
    def of_eyes(self) -> bool:
        """Whether these are the two eyes of an animal."""
        return self.points == ("left_eye", "right_eye")

    @property
    def reasons(self) -> tuple[str, str, str]:
        """Why there is no pair: none to be seen, only one, several objects."""
        if self.of_eyes:
            return "eyes_not_visible", "one_eye_visible", "several_animals"
        return "not_visible", "one_visible", "several_objects"

    def config(self) -> str:
        """Return Label Studio's labelling configuration."""
        view = Element("View")
        SubElement(
            view,
            "Image",
            name="image",
            value="$image",
            zoom="true",
            zoomControl="true",
            rotateControl="false",
            crossOrigin="anonymous",
        )
        labels = SubElement(
            view, "KeyPointLabels", name="points", toName="image", strokeWidth="3", opacity="0.8"
        )
        for point, colour, key in zip(self.points, _COLOURS, _MARK, strict=True):
            # A second mark of one point is refused by the page (not by the API).
            SubElement(labels, "Label", value=point, background=colour, hotkey=key, maxUsages="1")
        # Side by side: below each other the last would be out of sight on a small screen.
        row = SubElement(view, "View", style="display: flex; flex-wrap: wrap; column-gap: 2.5em")
        for number, point in enumerate(self.points):
            keys = (_OCCLUDED[number], _ABSENT[number])
            _choices(row, f"{point}_seen", f"{_words(point)} is", (OCCLUDED, ABSENT), keys)
        _choices(row, "reason", "no pair, because", self.reasons, tuple(_REASONS))
        indent(view)
        return tostring(view, encoding="unicode")

    def instruction(self) -> str:
        """Return the text that stands above the page, as HTML."""
        first, second = (_words(point) for point in self.points)
        none, one, several = self.reasons
        whose = (
            "<b>Left and right are the animal's own</b>: the left eye of an animal that looks at "
            "you is on the right of the image."
            if self.of_eyes
            else "If the names say left and right, they are the object's own, not the image's."
        )
        return (
            f"<p>{self.about or f'Mark the {first} and the {second}.'} {whose}</p>"
            "<ul>"
            "<li><b>Shift+1 first</b>: it shows the whole image; some open with their edges cut "
            "off.</li>"
            f"<li><b>q</b>, then click: {first}. <b>w</b>, then click: {second}. One key for each "
            "point.</li>"
            f"<li>Hidden by something, but you know where it is: mark it, and press <b>a</b> "
            f"({first}) or <b>s</b> ({second}). Not in the image: press <b>z</b> or <b>x</b>.</li>"
            f"<li>No pair? <b>e</b>: {_words(none)}, mark nothing. <b>r</b>: {_words(one)}, mark "
            f"that one. <b>t</b>: {_words(several)}, mark nothing.</li>"
            "<li>Undo: Ctrl+Z; or click the point and press Backspace. Done: Ctrl+Enter.</li>"
            "<li>Skip only what cannot be judged at all, such as a broken image.</li>"
            "</ul>"
        )


def _words(name: str) -> str:
    return name.replace("_", " ")


def _choices(
    row: Element, name: str, title: str, values: tuple[str, ...], keys: tuple[str, ...]
) -> None:
    view = SubElement(row, "View")
    SubElement(view, "Header", value=title, size="6")
    choices = SubElement(
        view, "Choices", name=name, toName="image", choice="single-radio", showInline="true"
    )
    for value, key in zip(values, keys, strict=True):
        SubElement(choices, "Choice", value=value, hotkey=key)


EYES = Landmarks(
    ("left_eye", "right_eye"), (), "Mark the middle of the pupil of each of the animal's eyes."
)

# The paper marked five categories by hand.
PRESETS: Mapping[str, Landmarks] = {
    "terrier": Landmarks(EYES.points, ("n02097474",), EYES.about),
    "elephant": Landmarks(EYES.points, ("n02504013", "n02504458"), EYES.about),
    "pineapple": Landmarks(
        ("stem", "base"),
        ("n07753275",),
        "Mark where the leaves meet the fruit (stem), and the middle of its other end (base).",
    ),
    "bagel": Landmarks(
        ("left_edge", "right_edge"),
        ("n07693725",),
        "Mark the leftmost and the rightmost point of the bagel's outline, as the image shows it.",
    ),
    "paddle": Landmarks(
        ("grip", "blade"),
        ("n03874293",),
        "Mark the end of the grip, and the tip of the blade; of two blades the nearer one.",
    ),
}


def find_landmarks(pair: tuple[str, str] | None, preset: str | None) -> Landmarks:
    """
    Return the landmarks of a preset or a pair of names; eyes if neither is given.

    Raises
    ------
    ServerError
        If both are given, the preset is unknown, or the names cannot be used.

    Examples
    --------
    >>> find_landmarks(("stem", "base"), None).points
    ('stem', 'base')
    >>> find_landmarks(None, "cat")
    Traceback (most recent call last):
    ...
    biaskit.errors.ServerError: --preset 'cat' is unknown, expected terrier, elephant, pineapple, \
bagel, paddle.
    """
    if pair and preset:
        raise ServerError("--pair and --preset exclude each other.")
    if preset is not None:
        if preset not in PRESETS:
            raise ServerError(f"--preset {preset!r} is unknown, expected {', '.join(PRESETS)}.")
        return PRESETS[preset]
    return EYES if pair is None or pair == EYES.points else Landmarks(pair)


def check_config(config: str) -> None:
    """
    Refuse a labelling configuration with the mistakes that Label Studio itself lets through.

    Its own check finds broken XML and a control of no image; not a label used twice, a hotkey
    used twice, or an image that names no field of the task.

    Raises
    ------
    ServerError

    Examples
    --------
    >>> check_config(EYES.config())
    >>> check_config(EYES.config().replace("$image", "image"))
    Traceback (most recent call last):
    ...
    biaskit.errors.ServerError: labelling configuration: value 'image' of Image names no field of \
the task, expected $image.
    """
    from lxml import etree

    where = "labelling configuration"
    try:
        view = etree.fromstring(config.encode(), etree.XMLParser(resolve_entities=False))
    except etree.XMLSyntaxError as error:
        raise ServerError(f"{where}: {error}.") from None
    images = {image.get("name"): image.get("value", "") for image in view.iter("Image")}
    for value in images.values():
        if not value.startswith("$"):
            raise ServerError(
                f"{where}: value {value!r} of Image names no field of the task, expected $image."
            )
    for control in view.iter("KeyPointLabels", "Choices", "Taxonomy"):
        if control.get("toName") not in images:
            raise ServerError(f"{where}: {control.get('name')} is of no image in it.")
        values = [inner.get("value") for inner in control]
        _once(where, f"value of {control.get('name')}", values)
    _once(where, "name", [tag.get("name") for tag in view.iter("KeyPointLabels", "Choices")])
    _once(where, "hotkey", [tag.get("hotkey") for tag in view.iter("Label", "Choice")])


def _once(where: str, what: str, values: list[str | None]) -> None:
    named = [value for value in values if value]
    twice = sorted({value for value in named if named.count(value) > 1})
    if twice:
        raise ServerError(f"{where}: {what} {twice[0]!r} is used twice.")
