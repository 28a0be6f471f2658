"""
Label Studio's JSON export of marks.

Its x and y are percent of the picture as the browser showed it: turned if EXIF says so, and not
turned by a rotation on the page. Skipped is not empty is not "nothing to be seen": the first two
are notes, the third is a mark, of visibility ``absent``.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from biaskit.annotations.json_files import as_number, load_json
from biaskit.annotations.keypoint_raw import MarkContext, RawMark
from biaskit.annotations.keypoint_regions import points_named, regions_of
from biaskit.annotations.raw import image_stem, sound
from biaskit.annotations.repairs import Refused

__all__ = ["looks_like_export", "photograph_in", "read_export"]

_UPLOAD = re.compile(r"(^|/)[0-9a-f]{8}-(?=[^/]+$)")  # what an upload is given before its name
_CATEGORY = ("category", "wnid", "label", "class")


def looks_like_export(data: bytes) -> bool:
    """Tell a JSON list: a COCO file is an object."""
    return data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")


def read_export(name: str, data: bytes, context: MarkContext) -> list[RawMark]:
    """
    Read one export.

    Parameters
    ----------
    name : str
        The file within its source.
    data : bytes
        A list of tasks with their annotations.
    context : MarkContext
        Its repairs receive ``skipped``, ``no_mark``, ``draft``, ``unmarked``, ``rotated``,
        ``contradiction`` and whatever else was found.

    Returns
    -------
    list of RawMark
        In percent; annotators by their numbers.

    Raises
    ------
    Refused
        If it is no JSON, or JSON of something else.
    """
    tasks = load_json(data)
    if not isinstance(tasks, list):
        raise Refused("not_annotation", "JSON that is no list of tasks")
    export = _Export(name, context, _points(tasks))
    for task in tasks:
        try:
            export.task(task)
        except Refused as refused:
            context.repairs.add(name, refused.kind, refused.found, number=export.number)
    if tasks and export.n_unmarked:
        found = f"{export.n_unmarked:,} of {len(tasks):,} tasks"
        context.repairs.add(name, "unmarked", found)
    return export.marks


def photograph_in(url: str) -> str:
    """
    Return the name of the picture within an address as Label Studio stores it.

    Examples
    --------
    >>> photograph_in("/data/local-files/?d=val/h%20name.JPEG")
    'val/h name.JPEG'
    >>> photograph_in("/data/upload/3/226cd9bb-dog.jpg")
    'data/upload/3/dog.jpg'
    """
    if url.startswith("data:"):
        return ""
    try:
        parts = urlsplit(url)
        local = parse_qs(parts.query).get("d")
    except ValueError:  # such as an address with half a bracket
        return ""
    path = sound(local[0] if local else unquote(parts.path))
    return _UPLOAD.sub(r"\1", path).lstrip("/") if "/upload/" in path else path.lstrip("/")


def _points(tasks: list[Any]) -> dict[str, list[str]]:
    """Return the names of the points of each project."""
    named: dict[str, set[str]] = defaultdict(set)
    for task in tasks:
        if isinstance(task, dict) and isinstance(task.get("annotations"), list):
            for annotation in task["annotations"]:
                if isinstance(annotation, dict):
                    named[str(task.get("project"))] |= set(points_named(annotation.get("result")))
    return {project: sorted(names) for project, names in named.items()}


class _Export:
    """One export on its way into rows."""

    def __init__(self, name: str, context: MarkContext, points: Mapping[str, list[str]]) -> None:
        self.name, self.context, self.points = name, context, points
        self.number = -1  # of the annotation within the file
        self.n_unmarked = 0
        self.marks: list[RawMark] = []

    def task(self, task: Any) -> None:
        if not isinstance(task, dict) or not isinstance(task.get("data"), dict):
            raise Refused("no_task", f"{task!r:.60}")
        annotations = task.get("annotations")
        if not isinstance(annotations, list):
            raise Refused("no_task", f"task {task.get('id')!r:.40} without a list of annotations")
        drafts = task.get("drafts")
        for _ in drafts if isinstance(drafts, list) else []:
            self.context.repairs.add(self.name, "draft", f"task {task.get('id')!r:.40}")
        self.n_unmarked += not annotations
        sizes = _sizes(annotations)
        for annotation in annotations:
            self.number += 1
            try:
                self._annotation(task, annotation, sizes)
            except Refused as refused:
                self._note(task, annotation, refused.kind, refused.found, "")

    def _note(self, task: Any, annotation: Any, kind: str, found: str, kept: str) -> None:
        number = annotation.get("id") if isinstance(annotation, dict) else None
        where = f"task {task.get('id')!r:.20}, annotation {number!r:.20}"
        text = f"{where}: {found}" if found else where
        self.context.repairs.add(self.name, kind, text, kept, number=self.number)

    def _annotation(self, task: Any, annotation: Any, sizes: tuple[float, float]) -> None:
        if not isinstance(annotation, dict) or not isinstance(annotation.get("result"), list):
            raise Refused("no_task", "an annotation without a list of results")

        def note(kind: str, found: str, kept: str) -> None:
            self._note(task, annotation, kind, found, kept)

        result = annotation["result"]
        if annotation.get("was_cancelled"):
            note("skipped", f"with {len(result)} regions" if result else "", "")
            return
        if not result:
            note("no_mark", "", "")
            return
        image, photograph = _image(task["data"])
        category = self.context.category(image, _category(task["data"]), path=photograph)
        points = self.points.get(str(task.get("project")), [])
        regions = regions_of(result, points, note)
        own = Counter((r.width, r.height) for r in regions if r.width >= 1 and r.height >= 1)
        width, height = own.most_common(1)[0][0] if own else sizes
        seconds = as_number(annotation.get("lead_time"))
        if annotation.get("lead_time") is not None and not 0 <= seconds < float("inf"):
            note("bad_time", f"lead_time {annotation.get('lead_time')!r:.40}", "no time")
            seconds = float("nan")
        for region in regions:
            whose = (region.width, region.height) if region.width >= 1 else (width, height)
            self.marks.append(
                RawMark(
                    file=self.name,
                    number=self.number,
                    image=image,
                    photograph=photograph,
                    category=category,
                    object=0,
                    annotator=_annotator(annotation),
                    order=as_number(annotation.get("id")),
                    marking=_marking(task, annotation),
                    point=region.point,
                    visibility=region.visibility,
                    x=region.x,
                    y=region.y,
                    whole=100.0,
                    width=whose[0],
                    height=whose[1],
                    lead_time=seconds,
                    source=region.source,
                )
            )


def _image(data: Mapping[str, Any]) -> tuple[str, str]:
    """Return the name of a task's image, and of its photograph; both without ending."""
    urls = [data.get("image"), *(v for k, v in sorted(data.items()) if k != "image_id")]
    found = (photograph_in(url) for url in urls if isinstance(url, str) and "/" in url)
    photograph = image_stem(next(filter(None, found), ""))
    own = data.get("image_id")
    named = sound(str(own)).strip() if isinstance(own, str | int) and not _truth(own) else ""
    image = image_stem(named) or photograph
    if not image:
        raise Refused("no_image", "neither image_id nor the name of a file")
    return image, photograph or image


def _truth(value: object) -> bool:
    return isinstance(value, bool)


def _category(data: Mapping[str, Any]) -> str:
    for key in _CATEGORY:
        value = data.get(key)
        if isinstance(value, str | int) and not _truth(value) and str(value).strip():
            return sound(str(value))
    return ""


def _annotator(annotation: Mapping[str, Any]) -> str:
    who = annotation.get("completed_by")
    if isinstance(who, dict):  # some endpoints and older exports
        who = who.get("id", who.get("email"))
    return sound(str(who)) if isinstance(who, int | str) and not _truth(who) else ""


def _marking(task: Mapping[str, Any], annotation: Mapping[str, Any]) -> str:
    unique = annotation.get("unique_id")
    if isinstance(unique, str) and unique:
        return sound(unique)
    return sound(f"{task.get('project')}/{task.get('id')}/{annotation.get('id')}")


def _sizes(annotations: list[Any]) -> tuple[float, float]:
    """Return the size that most regions of a task give: those made by program lack it."""
    found: Counter[tuple[float, float]] = Counter()
    for annotation in annotations:
        result = annotation.get("result") if isinstance(annotation, dict) else None
        for entry in result if isinstance(result, list) else []:
            if isinstance(entry, dict):
                size = [as_number(entry.get(f"original_{side}")) for side in ("width", "height")]
                if size[0] >= 1 and size[1] >= 1:
                    found[size[0], size[1]] += 1
    return found.most_common(1)[0][0] if found else (float("nan"), float("nan"))
