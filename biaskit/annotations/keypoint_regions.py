"""The regions of one marking in Label Studio: points, answers, and what contradicts what."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from biaskit.annotations.json_files import as_number
from biaskit.annotations.keypoint_raw import state_of
from biaskit.annotations.raw import sound
from biaskit.annotations.repairs import Refused

__all__ = ["Region", "points_named", "regions_of"]

Note = Callable[[str, str, str], None]  # kind, found, kept

_NONE = {
    *("eyes_not_visible", "not_visible", "none_visible", "no_eyes", "no_eye", "no_points"),
    *("none", "absent", "both_absent", "neither", "neither_visible", "not_there"),
}
_ONE = {"one_eye_visible", "one_visible", "one_eye", "one_absent", "one_point"}
_ORIGINS = {"manual", "prediction", "prediction-changed"}
_ENDING = re.compile(r"[\s_-]*\(?(occluded|hidden)\)?$", re.IGNORECASE)
EYES = ("left_eye", "right_eye")
_ASKED = "_seen"  # how the pages of biaskit call the question whether a point is to be seen


class Region(NamedTuple):
    """
    One point of a marking.

    Attributes
    ----------
    point, visibility : str
    x, y : float
        Percent of the image's sides; NaN if absent.
    width, height : float
        Of the image in pixels; NaN if not given.
    source : str
    """

    point: str
    visibility: str
    x: float
    y: float
    width: float
    height: float
    source: str


class _Answer(NamedTuple):
    region: str
    of: str  # the question
    word: str


def points_named(result: Any) -> list[str]:
    """
    Return the names of all points in a result, whatever else is wrong with it.

    Examples
    --------
    >>> points_named([{"type": "keypointlabels", "value": {"keypointlabels": ["left_eye"]}}])
    ['left_eye']
    """
    if not isinstance(result, list):
        return []
    entries = [entry for entry in result if isinstance(entry, dict)]
    named = [_plain(name)[0] for entry in entries for name in _names(entry)]
    # A point that nobody has marked so far may have been asked for.
    asked = [str(e.get("from_name")) for e in entries if e.get("type") == "choices"]
    return named + [name[: -len(_ASKED)] for name in asked if name.endswith(_ASKED)]


def regions_of(result: Sequence[Any], points: Sequence[str], note: Note) -> list[Region]:
    """
    Return the points of one marking, with those that its answers say are not there.

    Parameters
    ----------
    result : sequence
        What Label Studio calls result: regions and choices.
    points : sequence of str
        The names of all points of this project.
    note : callable
        Receives kind, found and kept of ``no_point``, ``not_a_number``, ``other_region``,
        ``other_answer`` and ``rotated``.

    Returns
    -------
    list of Region
        A point marked twice stands there twice.

    Raises
    ------
    Refused
        Of kind ``contradiction``.
    """
    marks: list[Region] = []
    answers: list[_Answer] = []
    own: dict[str, int] = {}  # from the id of a region to its mark
    turns: Counter[str] = Counter()
    for entry in result:
        kind = entry.get("type") if isinstance(entry, dict) else None
        if kind in ("keypointlabels", "labels", "keypoint"):
            mark = _mark(entry, result, note)
            if mark is not None:
                own[str(entry.get("id"))] = len(marks)
                marks.append(mark)
            if as_number(entry.get("image_rotation")) not in (0.0, 360.0):
                turns[str(entry.get("image_rotation"))] += 1
        elif kind == "choices":
            answers += _answers(entry)
        else:
            note("other_region", f"type {kind!r:.60}", "")
    turns.pop("None", None)
    for turn in turns:
        note("rotated", f"by {turn} degrees", "the numbers as they are")
    for answer in [a for a in answers if a.region in own]:
        _tell(marks, own[answer.region], answer, note)
    whole = [a for a in answers if a.region not in own]
    return marks + _absent(marks, whole, points, note)


def _names(entry: Mapping[str, Any]) -> list[str]:
    value = entry.get("value")
    if not isinstance(value, dict) or entry.get("type") not in ("keypointlabels", "labels"):
        return []
    names = value.get("keypointlabels") or value.get("labels")
    return [n for n in names if isinstance(n, str) and n] if isinstance(names, list) else []


def _plain(name: str) -> tuple[str, str]:
    """Return the point that a label names, and what the label's ending says of it."""
    name = sound(name)
    plain = _ENDING.sub("", name)
    return (plain, "occluded") if plain and plain != name else (name, "visible")


def _mark(entry: Mapping[str, Any], result: Sequence[Any], note: Note) -> Region | None:
    names = _names(entry)
    if entry.get("type") == "keypoint":
        # With <Labels> the place and the name are two entries of one id, and both have the place.
        same = [e for e in result if isinstance(e, dict) and e.get("id") == entry.get("id")]
        if any(_names(e) for e in same):
            return None
    if len(names) != 1:
        note("no_point", f"labels {', '.join(names) or 'none'}", "")
        return None
    point, visibility = _plain(names[0])
    value = entry["value"]
    x, y = as_number(value.get("x")), as_number(value.get("y"))
    if not (abs(x) < float("inf") and abs(y) < float("inf")):
        found = f"x {value.get('x', 'is missing')!s:.40}, y {value.get('y', 'is missing')!s:.40}"
        note("not_a_number", f"{point}: {found}", "")
        return None
    sizes = (as_number(entry.get("original_width")), as_number(entry.get("original_height")))
    origin = entry.get("origin")
    source = origin if isinstance(origin, str) and origin in _ORIGINS else "file"
    return Region(point, visibility, x, y, *sizes, source)


def _answers(entry: Mapping[str, Any]) -> list[_Answer]:
    value = entry.get("value")
    words = value.get("choices") if isinstance(value, dict) else None
    if isinstance(words, str):
        words = [words]
    if not isinstance(words, list):
        return []
    about = (str(entry.get("id")), str(entry.get("from_name") or ""))
    return [_Answer(*about, sound(word)) for word in words if isinstance(word, str)]


def _tell(marks: list[Region], place: int, answer: _Answer, note: Note) -> None:
    state = state_of(answer.word)
    if state == "absent":
        raise Refused("contradiction", f"{marks[place].point} marked, and {answer.word}")
    if state:
        marks[place] = marks[place]._replace(visibility=state)
    else:
        note("other_answer", f"{answer.of}: {answer.word}", "")


def _absent(
    marks: list[Region], answers: Sequence[_Answer], points: Sequence[str], note: Note
) -> list[Region]:
    """Return the points that are not there, and set the visibility of those that are."""
    marked = Counter(mark.point for mark in marks)
    gone: dict[str, str] = {}
    for answer in answers:
        plain = re.sub(r"[\s_-]+", "_", answer.word.strip().lower())
        names = list(points) or (list(EYES) if "eye" in plain else [])
        one = _point_of(answer, plain, names)
        if one is not None:
            point, state = one
            if state == "absent":
                gone[point] = answer.word
            else:
                hits = [i for i, mark in enumerate(marks) if mark.point == point]
                if not hits:
                    raise Refused("contradiction", f"{answer.word}, and no mark of {point}")
                for i in hits:
                    marks[i] = marks[i]._replace(visibility=state)
        elif plain in _NONE and names:
            gone |= dict.fromkeys(names, answer.word)
        elif plain in _ONE:
            if marked.total() != 1:
                raise Refused("contradiction", f"{answer.word}, and {_told(marked)}")
            gone |= {name: answer.word for name in names if name not in marked}
        else:
            note("other_answer", f"{answer.of}: {answer.word}", "")
    for point, word in gone.items():
        if point in marked:
            raise Refused("contradiction", f"{word}, and {_told(marked)}")
    nan = float("nan")
    source = "manual" if any(m.source != "file" for m in marks) or not marks else "file"
    return [Region(p, "absent", nan, nan, nan, nan, source) for p in sorted(gone)]


def _told(marked: Counter[str]) -> str:
    return ", ".join(f"{n} marks of {p}" for p, n in sorted(marked.items())) or "no mark"


def _point_of(answer: _Answer, plain: str, points: Sequence[str]) -> tuple[str, str] | None:
    """Return the one point that an answer speaks of, and what it says: left_eye_absent."""
    for point in sorted(points, key=len, reverse=True):
        name = re.sub(r"[\s_-]+", "_", point.lower())
        if plain.startswith(name) and (state := state_of(plain[len(name) :])):
            return point, state
        if name in answer.of.lower() and (state := state_of(plain)):
            return point, state
    return None
