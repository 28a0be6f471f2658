"""All of ``setup`` and ``humans``: images, tasks and a project on the server."""

import base64
import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotate.answers import class_config, class_instruction, class_tasks, offered_classes
from annotate.client import Client
from annotate.home import Home, told
from annotate.images import Shown, choose_images, lay_out
from annotate.landmarks import Landmarks
from annotate.people import make_annotators
from annotate.project import Page, SetUp, set_up, slug_of
from annotate.tasks import Plan, make_tasks, predictions_of
from annotate.views import View, ViewPlan, make_views
from biaskit.annotations.keypoints import read_keypoints
from biaskit.annotations.synsets import words_of
from biaskit.errors import ServerError
from biaskit.provenance import read_json, write_json_whole
from biaskit.study import Study

__all__ = ["Made", "set_up_humans", "set_up_points"]

_EMBEDDED = 100 << 20  # bytes of images sent inside tasks to somebody else's server


@dataclass(frozen=True)
class Made:
    """What was set up, in words and as JSON."""

    title: str
    images: int
    tasks: int
    refused: Mapping[str, str]
    done: SetUp
    annotators: int

    def lines(self) -> list[str]:
        """Return it as lines for a terminal."""
        done = self.done
        proposed = f", {done.predictions:,} with marks to correct" if done.predictions else ""
        lines = [
            f"{self.title}: {self.images:,} images, {self.tasks:,} tasks; {done.added:,} added"
            f"{proposed}, {done.there:,} there before",
            f"Mark them: {done.url}",
        ]
        if self.annotators > 1:
            lines.append(
                f"Each of A1 to A{self.annotators} opens the tab with that name and presses Label "
                "All Tasks: Label Studio's free edition assigns no tasks."
            )
        for file, reason in list(self.refused.items())[:3]:
            lines.append(f"left out {file}: {reason}")
        if len(self.refused) > 3:
            lines.append(f"left out {len(self.refused) - 3:,} more")
        return lines

    def data(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "project": self.title,
            "url": self.done.url,
            "images": self.images,
            "tasks": self.tasks,
            "added": self.done.added,
            "there": self.done.there,
            "predictions": self.done.predictions,
            "left_out": dict(self.refused),
        }


def set_up_points(
    home: Home,
    client: Client,
    folder: Path,
    landmarks: Landmarks,
    plan: Plan,
    *,
    categories: Sequence[str] = (),
    per_category: int | None = None,
    labels: Path | None = None,
    marks: Path | None = None,
    title: str,
) -> Made:
    """
    Make a project for marking a pair of points, or add what is new.

    Parameters
    ----------
    home : Home
    client : Client
    folder : Path
        The photographs.
    landmarks : Landmarks
    plan : Plan
    categories, per_category, labels
        See ``annotate.images.choose_images``.
    marks : Path, optional
        A study, or a file or folder of marks: they are proposed, to be corrected.
    title : str

    Returns
    -------
    Made

    Raises
    ------
    ServerError
    """
    page = Page(title, "points", landmarks.config(), landmarks.instruction(), landmarks.points)
    images, refused = choose_images(
        folder, per_category=per_category, categories=categories, labels=labels, seed=plan.seed
    )
    proposed = {}
    if marks is not None:
        table = _marks(marks, folder, labels)
        proposed = predictions_of(table, landmarks, images, version=f"marks of {marks.name}"[:60])
    addresses = _begin(home, client, images, title, plan.annotators)
    tasks = make_tasks(images, addresses, plan, proposed)
    options = {"seed": plan.seed, "annotators": plan.annotators}
    done = set_up(home, client, page, tasks, annotators=plan.annotators, options=options)
    return Made(title, len(images), len(tasks), refused, done, plan.annotators)


def set_up_humans(
    home: Home,
    client: Client,
    folder: Path,
    plan: ViewPlan,
    *,
    per_category: int | None = None,
    labels: Path | None = None,
    neighbours: int,
    annotators: int,
    title: str,
) -> Made:
    """
    Make a project that asks people what images at other sizes and places show.

    What a view shows is kept in the study and never sent to the server.

    Parameters
    ----------
    home, client, folder, per_category, labels, title
        As above.
    plan : ViewPlan
    neighbours : int
        Classes offered beside the true one.
    annotators : int

    Returns
    -------
    Made
    """
    images, refused = choose_images(
        folder, per_category=per_category, labels=labels, seed=plan.seed
    )
    words = offered_classes([shown.image.category for shown in images], words_of())
    page = Page(title, "classes", class_config(words), class_instruction())
    slug = slug_of(title)
    views, broken = make_views(images, plan, home.folder / "views" / slug)
    _note_key(home, slug, views, plan)
    shown = [view.shown for view in views]
    addresses = _begin(home, client, shown, title, annotators)
    tasks = class_tasks(views, addresses, words, neighbours=neighbours, annotators=annotators)
    options = {"seed": plan.seed, "annotators": annotators, "words": words}
    done = set_up(home, client, page, tasks, annotators=annotators, options=options)
    return Made(title, len(images), len(tasks), {**refused, **broken}, done, annotators)


def _note_key(home: Home, slug: str, views: Sequence[View], plan: ViewPlan) -> None:
    """Keep what each view shows; views of earlier calls stay in it."""
    path = home.folder / f"key-{slug}.json"
    new = {
        view.shown.image.image_id: {
            "image_id": view.image_id,
            "category": view.category,
            "place": view.place,
            "dx": view.dx,
            "dy": view.dy,
            "scale": plan.scale,
            "fill": plan.fill,
        }
        for view in views
    }
    with told(path.name):
        home.folder.mkdir(parents=True, exist_ok=True)
        write_json_whole(path, {**(read_json(path) or {}), **new})


def _begin(
    home: Home, client: Client, images: Sequence[Shown], title: str, annotators: int
) -> dict[str, str]:
    """Copy the database, make accounts, and put the images where the server finds them."""
    if not client.own:
        return _embedded(images)
    home.copy_database()
    make_annotators(home, client, annotators)
    return lay_out(images, home.images, slug_of(title))


def _embedded(images: Sequence[Shown]) -> dict[str, str]:
    """Return the images as addresses that hold them: another server cannot read our disk."""
    size = sum(shown.path.stat().st_size for shown in images)
    if size > _EMBEDDED:
        raise ServerError(
            f"{size / 1e6:,.0f} MB of images would be sent to the server inside their tasks, at "
            f"most {_EMBEDDED / 1e6:,.0f} MB are. Take fewer (--per-category), or a server of the "
            "study's own (biaskit annotate start)."
        )
    found = {}
    for shown in images:
        kind = mimetypes.guess_type(shown.path.name)[0] or "image/jpeg"
        content = base64.b64encode(shown.path.read_bytes()).decode("ascii")
        found[shown.image.image_id] = f"data:{kind};base64,{content}"
    return found


def _marks(path: Path, images: Path, labels: Path | None) -> Any:
    if (path / "study.json").is_file():
        return Study(path).read("keypoints")
    return read_keypoints([path], images=images, labels=labels).keypoints
