"""From the server to tables: the export is kept whole first, then read."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from annotate.client import Client
from annotate.home import Home
from annotate.people import name_annotators
from annotate.progress import annotator_numbers
from annotate.project import slug_of
from biaskit.annotations.keypoints import KeypointsRead, read_keypoints
from biaskit.errors import ServerError
from biaskit.study import Study

__all__ = ["fetch", "latest_exports", "load_tasks", "read_exports", "write_marks"]


def fetch(home: Home, client: Client, title: str) -> Path:
    """
    Save the export of a project in the study and return the file.

    Raises
    ------
    ServerError
        If the project is of another server, or is not there, or the server stops; no earlier
        export is touched.
    """
    noted = home.projects()[title]
    own_url = None if client.own else client.url
    if noted.get("url") != own_url:
        where = noted.get("url") or "the study's own server"
        raise ServerError(f"project {title!r} is on {where}, not on {client.url}. See --url.")
    return home.save_export(slug_of(title), client.raw_export(noted["id"]))


def latest_exports(home: Home, kind: str) -> dict[str, Path]:
    """Return the latest export of every project of a kind, by title."""
    found = {}
    for title, project in home.projects().items():
        there = home.exports(slug_of(title))
        if project["kind"] == kind and there:
            found[title] = there[-1]
    return found


def load_tasks(path: Path) -> list[dict[str, Any]]:
    """
    Return the tasks of an export.

    Raises
    ------
    ServerError
        If it is none.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ServerError(f"{path.name}: cannot be read ({error}).") from None
    if not isinstance(found, list):
        raise ServerError(f"{path.name}: is no export of Label Studio: expected a list of tasks.")
    return found


def read_exports(
    home: Home,
    paths: Sequence[Path],
    *,
    names: Mapping[int, str] | None = None,
    images: Path | None = None,
    category: str | None = None,
) -> KeypointsRead:
    """
    Read exports into the tables of marks, the annotators under the names the study knows.

    Parameters
    ----------
    home : Home
    paths : sequence of Path
        Exports; of each project the latest.
    names : mapping, optional
        From the server's numbers to A1, A2 ...; as in ``annotators.json`` by default.
    images : Path, optional
        The photographs, to check sizes and EXIF against; by default those laid out for the
        server, where there are any.
    category : str, optional
        Of exports of other projects, whose tasks may not say it.

    Returns
    -------
    KeypointsRead
    """
    numbers = sorted({n for path in paths for n in annotator_numbers(load_tasks(path))})
    names = name_annotators(home, None, numbers) if names is None else names
    laid_out = home.images if home.images.is_dir() and any(home.images.iterdir()) else None
    given = {str(number): name for number, name in names.items()}
    return read_keypoints(
        paths,
        format="label-studio",
        images=images or laid_out,
        category=category,
        annotators=given,
    )


def write_marks(
    study: Study, found: KeypointsRead, *, projects: Sequence[str], replace_other: bool = False
) -> None:
    """
    Write ``keypoints`` and ``keypoint_repairs``; those of an earlier pull are replaced.

    Every export holds all marks so far, so nothing is ever read twice.

    Raises
    ------
    StudyError
        If the tables are of other files, unless told to replace them.
    """
    from biaskit.errors import StudyError
    from biaskit.provenance import provenance

    before = study.provenance("keypoints")
    if before and "pulled" not in before.get("options", {}) and not replace_other:
        raise StudyError(
            f"{study.name}: table 'keypoints' is of files that biaskit keypoints read. --replace "
            "makes it anew from the server, --study names another folder."
        )
    now = provenance(inputs=found.inputs, options={"pulled": sorted(projects)}, seed=None)
    study.write("keypoints", found.keypoints, now)
    study.write("keypoint_repairs", found.repairs, now)
