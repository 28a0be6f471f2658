"""A labelling project on the server: made once, and given what is new ever after."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotate.client import Client
from annotate.home import Home
from annotate.importing import batches_of, import_tasks, let_serve, make_tabs
from annotate.landmarks import check_config
from annotate.tasks import missing_tasks
from biaskit.errors import ServerError

__all__ = ["Page", "SetUp", "find_project", "set_up", "slug_of"]

Task = dict[str, Any]


@dataclass(frozen=True)
class Page:
    """
    What a project asks.

    Attributes
    ----------
    title : str
        3 to 50 characters.
    kind : str
        ``points`` or ``classes``.
    config, instruction : str
        Of the labelling page.
    points : tuple of str
        Names of the points, if it asks for points.
    """

    title: str
    kind: str
    config: str
    instruction: str
    points: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 3 <= len(self.title.strip()) <= 50:
            raise ServerError(
                f"title {self.title!r} has {len(self.title.strip())} characters, expected 3 to 50. "
                "Choose another with --title."
            )


@dataclass(frozen=True)
class SetUp:
    """What ``set_up`` did: the project's number and address, tasks added, tasks there before."""

    project: int
    url: str
    added: int
    there: int
    predictions: int


def slug_of(title: str) -> str:
    """
    Return a title as a folder's and a file's name.

    Examples
    --------
    >>> slug_of("Eyes: n02097474!")
    'eyes-n02097474'
    """
    letters = [c if c.isascii() and c.isalnum() else "-" for c in title.lower()]
    return "-".join(filter(None, "".join(letters).split("-"))) or "project"


def find_project(home: Home, title: str | None) -> tuple[str, dict[str, Any]]:
    """
    Return title and record of a project of the study; the only one if none is named.

    Raises
    ------
    ServerError
        If there is none of this title, or several and none is named.
    """
    known = home.projects()
    if not known:
        raise ServerError(
            f"{home.name}: has no project yet. To make one: biaskit annotate setup IMAGES"
        )
    names = ", ".join(map(repr, known))
    if title is None:
        if len(known) > 1:
            raise ServerError(f"{home.name}: has the projects {names}. Name one: --project.")
        return next(iter(known.items()))
    if title not in known:
        raise ServerError(f"{home.name}: has no project {title!r}, it has {names}.")
    return title, known[title]


def set_up(
    home: Home,
    client: Client,
    page: Page,
    tasks: Sequence[Task],
    *,
    annotators: int = 1,
    options: Mapping[str, Any] | None = None,
) -> SetUp:
    """
    Make the project if it is not there, and import the tasks that it lacks.

    May be repeated at any time, also after a call that was cut short: what is there is counted
    by asking the server, never assumed.

    Parameters
    ----------
    home : Home
    client : Client
    page : Page
    tasks : list of dict
        All tasks the project should have.
    annotators : int
        How many may mark one image.
    options : mapping, optional
        Remembered with the project.

    Raises
    ------
    ServerError
        If the server refuses, takes fewer than it was sent, or has a project of this title that
        asks something else.
    """
    _one_server(home, client, page.title)
    check_config(page.config)
    client.post("/api/projects/validate/", {"label_config": page.config})
    number = _project(home, client, page, annotators)
    noted = {
        "id": number,
        "url": None if client.own else client.url,
        "kind": page.kind,
        "points": list(page.points),
        **(options or {}),
    }
    home.note_project(page.title, noted)
    if client.own:
        let_serve(client, number, home.images / slug_of(page.title))
    there = json.loads(client.raw_export(number))
    new = missing_tasks(tasks, there)
    predictions = 0
    for batch in batches_of(new):
        predictions += import_tasks(client, number, batch)
    make_tabs(client, number, annotators)
    url = f"{client.url}/projects/{number}/data"
    return SetUp(number, url, len(new), len(there), predictions)


def _project(home: Home, client: Client, page: Page, annotators: int) -> int:
    noted = home.projects().get(page.title)
    same = [found] if noted and (found := _by_number(client, noted["id"])) else []
    if not same:
        # A call may have died between the server's making it and our noting it.
        listed = client.get("/api/projects/", title=page.title, page_size=100)["results"]
        same = [project for project in listed if project["title"] == page.title]
    settings = {"maximum_annotations": annotators}
    if not same:
        made = client.post(
            "/api/projects/",
            {
                "title": page.title,
                "label_config": page.config,
                "expert_instruction": page.instruction,
                "show_instruction": True,
                "enable_empty_annotation": False,
                **settings,
            },
        )
        return int(made["id"])
    if _controls(same[0]["label_config"]) != _controls(page.config):
        raise ServerError(
            f"{client.url}: project {page.title!r} is there and asks something else. "
            "Choose another title: --title."
        )
    if same[0]["maximum_annotations"] < annotators:
        client.patch(f"/api/projects/{same[0]['id']}/", settings)
    return int(same[0]["id"])


def _by_number(client: Client, number: int) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = client.get(f"/api/projects/{number}/")
    except ServerError as error:
        if "has no project" in str(error):
            return None
        raise
    return found


def _one_server(home: Home, client: Client, title: str) -> None:
    """Refuse what would mix people or folders of two projects."""
    own_url = None if client.own else client.url
    for other, project in home.projects().items():
        if project.get("url") != own_url:
            where = project.get("url") or "the study's own server"
            raise ServerError(
                f"project {other!r} of this study is on {where}: annotators of two servers have "
                "the same numbers and could not be told apart. Take another study: --study."
            )
        if other != title and slug_of(other) == slug_of(title):
            raise ServerError(
                f"title {title!r} shares its folder with project {other!r}. Choose another: "
                "--title."
            )


def _controls(config: str) -> list[tuple[str, str]]:
    from lxml import etree

    view = etree.fromstring(config.encode(), etree.XMLParser(resolve_entities=False))
    named = [(tag, "name") for tag in view.iter("KeyPointLabels", "Choices", "Taxonomy")]
    named += [(tag, "value") for tag in view.iter("Label", "Choice")]
    return sorted((str(tag.tag), tag.get(key, "")) for tag, key in named)
