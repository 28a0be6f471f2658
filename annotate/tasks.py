"""Tasks as Label Studio takes them: who marks what, what is repeated, what is proposed. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from annotate.images import Shown
from annotate.landmarks import Landmarks
from biaskit.chance import keyed_uniform
from biaskit.errors import ServerError

__all__ = ["POINT_WIDTH", "Plan", "key_of", "make_tasks", "missing_tasks", "predictions_of"]

POINT_WIDTH = 0.5  # percent; how large a point is drawn. Without it x and y are lost on submit.
Task = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """
    Who marks what.

    Attributes
    ----------
    annotators : int
        A1, A2 ... as many as there are.
    shared : float
        About this share of the images goes to all of them, for agreement.
    repeats : float
        About this share comes to the same annotator a second time, at the end.
    seed : int

    Examples
    --------
    >>> Plan(annotators=2, shared=0.2, repeats=1.5, seed=0)
    Traceback (most recent call last):
    ...
    biaskit.errors.ServerError: --repeats 1.5: expected a share, 0 to 1.
    """

    annotators: int = 1
    shared: float = 0.0
    repeats: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("shared", "repeats"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ServerError(f"--{name} {value:g}: expected a share, 0 to 1.")
        if not 1 <= self.annotators <= 99:
            raise ServerError(f"--annotators {self.annotators}: expected 1 to 99.")


def make_tasks(
    images: Sequence[Shown],
    addresses: Mapping[str, str],
    plan: Plan,
    predictions: Mapping[str, Task] | None = None,
) -> list[Task]:
    """
    Return the tasks of some images in the order they are to be marked in.

    The order, who marks an image, and whether it is shared or repeated depend on the seed and
    the image's id alone: more images later change nothing for those that are there. Label
    Studio's free edition assigns no tasks, so who is to mark one stands in its data, where the
    page's tabs A1, A2 ... find it.

    Parameters
    ----------
    images : sequence of Shown
    addresses : mapping
        Image id to the address of the image.
    plan : Plan
    predictions : mapping, optional
        Image id to a prediction, see ``predictions_of``.

    Returns
    -------
    list of dict
    """
    if not images:
        return []
    names = np.array([shown.image.image_id for shown in images], dtype=object)
    place, lot, share, again = (
        keyed_uniform(plan.seed, use, names) for use in ("order", "annotator", "shared", "repeat")
    )
    tasks, repeated = [], []
    for k in np.argsort(place, kind="stable"):
        shown = images[k]
        everybody = plan.annotators == 1 or share[k] < plan.shared
        who = range(1, plan.annotators + 1) if everybody else [1 + int(lot[k] * plan.annotators)]
        data = {
            "image": addresses[shown.image.image_id],
            "image_id": shown.image.image_id,
            "category": shown.image.category,
            "image_width": shown.width,
            "image_height": shown.height,
            # Brackets, so that a search for A1 does not find A10.
            "assigned": " ".join(f"[A{number}]" for number in who),
            "shared": bool(everybody and plan.annotators > 1),
            "repeat": 0,
        }
        task: Task = {"data": data}
        if predictions and shown.image.image_id in predictions:
            task["predictions"] = [predictions[shown.image.image_id]]
        tasks.append(task)
        if again[k] < plan.repeats:
            # Without what was proposed: a repeat shows how steady a hand is on its own.
            repeated.append({"data": {**data, "repeat": 1}})
    return tasks + repeated


def key_of(task: Mapping[str, Any]) -> tuple[str, str, int]:
    """Return what tells a task from others: category, image id, and which repeat it is."""
    data = task.get("data", {})
    repeat = data.get("repeat") or 0
    return str(data.get("category", "")), str(data.get("image_id", "")), int(repeat)


def missing_tasks(tasks: Sequence[Task], there: Collection[Mapping[str, Any]]) -> list[Task]:
    """
    Return the tasks that are not in the project yet: a second import would double them.

    Examples
    --------
    >>> one, two = {"data": {"image_id": "a"}}, {"data": {"image_id": "b"}}
    >>> missing_tasks([one, two], [{"id": 7, **one}])
    [{'data': {'image_id': 'b'}}]
    """
    known = {key_of(task) for task in there}
    return [task for task in tasks if key_of(task) not in known]


def predictions_of(
    keypoints: pd.DataFrame, landmarks: Landmarks, images: Sequence[Shown], *, version: str
) -> dict[str, Task]:
    """
    Turn marks that are there into proposals, which open as an editable copy.

    Of several marks of an image those of the first annotator's first time are proposed.

    Parameters
    ----------
    keypoints : DataFrame
        A table ``keypoints``.
    landmarks : Landmarks
        Points with other names are left out.
    images : sequence of Shown
    version : str
        Where the marks are from; the page shows it.

    Returns
    -------
    dict
        Image id to a prediction. Every point has a width.
    """
    marked = keypoints[keypoints["point"].isin(landmarks.points) & keypoints["x"].notna()]
    marked = marked.sort_values(
        ["image_id", "object", "annotator", "annotation"], kind="stable"
    ).drop_duplicates(["category", "image_id", "point"])
    found: dict[tuple[str, str], list[Any]] = {}
    for row in marked.itertuples():
        found.setdefault((str(row.category), str(row.image_id)), []).append(row)
    predictions = {}
    for shown in images:
        name = shown.image.image_id
        rows = found.get((shown.image.category, name)) or found.get(("", name))
        if rows:
            result = [region for row in rows for region in _regions(row, shown)]
            predictions[name] = {"model_version": version, "result": result}
    return predictions


def _regions(row: Any, shown: Shown) -> list[dict[str, Any]]:
    point = {
        "id": f"{row.point}_1",
        "from_name": "points",
        "to_name": "image",
        "type": "keypointlabels",
        "original_width": shown.width,
        "original_height": shown.height,
        "image_rotation": 0,
        "value": {
            "x": 100 * float(row.x),
            "y": 100 * float(row.y),
            "width": POINT_WIDTH,
            "keypointlabels": [row.point],
        },
    }
    if row.visibility != "occluded":
        return [point]
    return [
        point,
        {
            "id": f"{row.point}_2",
            "from_name": f"{row.point}_seen",
            "to_name": "image",
            "type": "choices",
            "value": {"choices": ["occluded"]},
        },
    ]
