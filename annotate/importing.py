"""What a project is given: tasks in batches, a folder of images, and a tab for each annotator."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from annotate.client import Client
from biaskit.errors import ServerError

__all__ = ["batches_of", "import_tasks", "let_serve", "make_tabs"]

_BATCH = 40 << 20  # bytes of one import; the server takes 250 MB
Task = dict[str, Any]


def let_serve(client: Client, number: int, folder: Path) -> None:
    """Let the server serve the project's folder; without this it answers 404 for every image."""
    path = str(folder)
    there = client.get("/api/storages/localfiles/", project=number)
    if path not in {storage["path"] for storage in there}:
        body = {"project": number, "path": path, "use_blob_urls": True, "title": folder.name}
        client.post("/api/storages/localfiles/", body)


def batches_of(tasks: Sequence[Task]) -> Iterator[list[Task]]:
    """
    Split tasks so that no request is larger than the server takes.

    Examples
    --------
    >>> tasks = [{"data": {"image": "x" * (30 << 20)}}] * 2
    >>> [len(batch) for batch in batches_of(tasks)]
    [1, 1]
    """
    batch: list[Task] = []
    size = 0
    for task in tasks:
        here = len(task["data"]["image"]) + 2000
        if batch and size + here > _BATCH:
            yield batch
            batch, size = [], 0
        batch.append(task)
        size += here
    if batch:
        yield batch


def import_tasks(client: Client, number: int, tasks: list[Task]) -> int:
    """
    Import tasks with what is proposed, and return how many proposals there were.

    Raises
    ------
    ServerError
        If the server refuses, or takes fewer than it was sent.
    ValueError
        If a proposed point has no width.
    """
    for task in tasks:
        for prediction in task.get("predictions", ()):
            _check_widths(task, prediction)
    answer = client.post(f"/api/projects/{number}/import", tasks)
    sent = sum(len(task.get("predictions", ())) for task in tasks)
    counts = answer["task_count"], answer["prediction_count"]
    if counts != (len(tasks), sent):
        raise ServerError(
            f"{client.url}: took {counts[0]:,} of {len(tasks):,} tasks and {counts[1]:,} of "
            f"{sent:,} proposals. Repeat the command: it adds what is missing."
        )
    return sent


def _check_widths(task: Task, prediction: Mapping[str, Any]) -> None:
    for region in prediction["result"]:
        value = region["value"]
        if region["type"] == "keypointlabels" and not value.get("width"):
            # The server takes it, draws nothing, and loses x and y when it is submitted.
            raise ValueError(f"{task['data'].get('image_id')}: a proposed point has no width")


def make_tabs(client: Client, number: int, annotators: int) -> None:
    """Give each annotator a tab with their own tasks: the free edition assigns none."""
    there = client.get("/api/dm/views/", project=number)
    titles = {view["data"].get("title") for view in there}
    if not there:
        plain = {"title": "All", "type": "list", "target": "tasks"}
        client.post("/api/dm/views/", {"project": number, "data": plain})
    for k in range(1, annotators + 1) if annotators > 1 else ():
        if f"A{k}" in titles:
            continue
        own = {
            "filter": "filter:tasks:data.assigned",
            "operator": "contains",
            "type": "String",
            "value": f"[A{k}]",
        }
        data = {
            "title": f"A{k}",
            "type": "list",
            "target": "tasks",
            "filters": {"conjunction": "and", "items": [own]},
        }
        client.post("/api/dm/views/", {"project": number, "data": data})
