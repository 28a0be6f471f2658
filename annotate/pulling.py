"""All of ``pull``: from exports to the tables of marks and of answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from annotate.answers import answer_rows
from annotate.client import Client
from annotate.collect import fetch, latest_exports, load_tasks, read_exports, write_marks
from annotate.home import Home
from annotate.people import name_annotators
from annotate.progress import annotator_numbers
from annotate.project import find_project, slug_of
from biaskit.annotations.repairs import KINDS
from biaskit.errors import ServerError
from biaskit.provenance import file_digest, provenance, read_json
from biaskit.study import Study
from biaskit.tables import ROBUSTNESS

__all__ = ["Pulled", "pull_answers", "pull_points"]


@dataclass(frozen=True)
class Pulled:
    """What was read, in words and as JSON."""

    told: list[str]
    numbers: dict[str, Any]

    def lines(self) -> list[str]:
        """Return it as lines for a terminal."""
        return self.told

    def data(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return self.numbers


def pull_points(
    home: Home,
    study: Study,
    client: Client | None,
    *,
    exports: Sequence[Path] = (),
    title: str | None = None,
    category: str | None = None,
    replace_other: bool = False,
) -> Pulled | None:
    """
    Write ``keypoints`` and ``keypoint_repairs`` from the server, or from exports.

    Parameters
    ----------
    home : Home
    study : Study
        Its lock must be held.
    client : Client or None
        None: read the exports given.
    exports : sequence of Path
    title : str, optional
        Ask for this project only; of the others the latest export kept is read again.
    category : str, optional
        Of images in foreign exports.
    replace_other : bool
        Replace tables that were made from other files.

    Returns
    -------
    Pulled or None
        None if the study has no project that asks for points.
    """
    if client is None:
        paths = {path.name: path for path in exports}
    else:
        if title is not None or not home.projects():
            title, _ = find_project(home, title)
        asked = _asked(home, client, title, "points")
        for name in asked:
            fetch(home, client, name)
        paths = latest_exports(home, "points")
        if not paths:
            return None
    names = _names(home, client, list(paths.values()))
    if client is not None and not any(_marked(path) for path in paths.values()):
        return Pulled([f"{', '.join(paths)}: nobody has marked anything yet"], {"keypoints": 0})
    found = read_exports(home, list(paths.values()), names=names, category=category)
    write_marks(study, found, projects=list(paths), replace_other=replace_other)
    kept = ", ".join(path.name for path in paths.values())
    lines = [
        f"{study.name}/keypoints: {len(found.keypoints):,} points, {found.n_images:,} images, "
        f"{found.n_annotators:,} annotators; exports kept: {kept}"
    ]
    for kind, count in sorted(found.counts.items()):
        lines.append(f"{study.name}/keypoint_repairs: {kind} {count:,} ({KINDS[kind]})")
    numbers = {
        "keypoints": len(found.keypoints),
        "images": found.n_images,
        "annotators": found.n_annotators,
        "repairs": dict(sorted(found.counts.items())),
    }
    return Pulled(lines, numbers)


def pull_answers(
    home: Home, study: Study, client: Client | None, *, title: str | None = None
) -> Pulled | None:
    """
    Write people's answers as a part of the table ``robustness``, one for each project.

    Returns
    -------
    Pulled or None
        None if the study has no project that asks for classes.
    """
    if client is None:
        return None
    lines, n = [], 0
    before = pd.DataFrame()
    for name in _asked(home, client, title, "classes"):
        path, project = fetch(home, client, name), home.projects()[name]
        tasks = load_tasks(path)
        names = name_annotators(home, client, annotator_numbers(tasks))
        key = read_json(home.folder / f"key-{slug_of(name)}.json")
        if key is None:
            raise ServerError(
                f"annotate/key-{slug_of(name)}.json: is missing; without it nobody knows what the "
                "images show. Repeat biaskit annotate humans with the same options."
            )
        table = answer_rows(tasks, key, project["words"], names)
        # Whoever saw the same view in two projects knew it the second time.
        keys = pd.concat([before, table[list(ROBUSTNESS.keys)]], ignore_index=True)
        again = keys.duplicated().to_numpy()[len(before) :]
        before, table = keys, table[~again].reset_index(drop=True)
        inputs = [{"name": path.name, "sha256": file_digest(path)}]
        now = provenance(inputs=inputs, options={"project": name}, seed=project.get("seed"))
        study.write_part("robustness", f"people-{slug_of(name)}", table, now)
        right = table["correct_top1"].mean()
        told = f", {right:.0%} right" if len(table) else ""
        if again.any():
            told += f", {again.sum():,} left out: the same view was answered in another project"
        lines.append(f"{study.name}/robustness: {len(table):,} answers of people{told} ({name})")
        n += len(table)
    return Pulled(lines, {"answers": n}) if lines else None


def _marked(path: Path) -> bool:
    return any(task.get("annotations") for task in load_tasks(path))


def _asked(home: Home, client: Client, title: str | None, kind: str) -> list[str]:
    """Return the projects of a kind to ask this server for."""
    own_url = None if client.own else client.url
    return [
        name
        for name, project in home.projects().items()
        if project["kind"] == kind
        and (name == title or (title is None and project.get("url") == own_url))
    ]


def _names(home: Home, client: Client | None, paths: Sequence[Path]) -> dict[int, str]:
    numbers = sorted({n for path in paths for n in annotator_numbers(load_tasks(path))})
    return name_annotators(home, client, numbers)
