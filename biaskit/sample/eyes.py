"""Eye marks of the cat's photographs, in the form of Label Studio's JSON export."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from biaskit.sample.photographs import Photograph

__all__ = ["EXPORT", "write_eyes"]

EXPORT = "eyes/label_studio_export.json"
_ANNOTATORS = (1, 2)
_SPREAD = 0.8  # px: how far a mark falls from the middle of the pupil, one standard deviation
_HABIT = {1: (0.0, 0.0), 2: (-0.4, 0.6)}  # px: the second marks a little to the lower left
_SKIPPED = (2, 6)  # the second annotator skips the seventh photograph
# A fixed date: the export must not depend on the day it was made.
_DATE = "2026-01-05T10:00:00.000000Z"


def write_eyes(folder: Path, photographs: Sequence[Photograph], *, seed: int) -> int:
    """
    Write the marks that two annotators might have made, and return how many points.

    Parameters
    ----------
    folder : Path
        Where the sample is written.
    photographs : sequence of Photograph
        Those with points are marked: ``left_eye`` and ``right_eye``, the animal's own.
    seed : int
        Decides the small differences between marks.

    Returns
    -------
    int
        Points in the export.
    """
    rng = np.random.default_rng([seed, 2])
    marked = [photograph for photograph in photographs if photograph.points]
    tasks = [_task(number, photograph, rng) for number, photograph in enumerate(marked)]
    path = folder / EXPORT
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((json.dumps(tasks, indent=1) + "\n").encode())
    return sum(len(a["result"]) for task in tasks for a in task["annotations"])


def _task(number: int, photograph: Photograph, rng: np.random.Generator) -> dict[str, Any]:
    annotations = [_annotation(number, who, photograph, rng) for who in _ANNOTATORS]
    skipped = sum(annotation["was_cancelled"] for annotation in annotations)
    name = f"photos/{photograph.wnid}/{photograph.image_id}.JPEG"
    return {
        "id": number + 1,
        "annotations": annotations,
        "drafts": [],
        "predictions": [],
        "data": {
            "image": f"/data/local-files/?d={name}",
            "image_id": photograph.image_id,
            "category": photograph.wnid,
        },
        "meta": {},
        "created_at": _DATE,
        "updated_at": _DATE,
        "inner_id": number + 1,
        "total_annotations": len(annotations) - skipped,
        "cancelled_annotations": skipped,
        "total_predictions": 0,
        "project": 1,
    }


def _annotation(
    number: int, who: int, photograph: Photograph, rng: np.random.Generator
) -> dict[str, Any]:
    skipped = (who, number) == _SKIPPED
    # Drawn for a skipped one too, so that skipping changes no other mark.
    regions = [
        _region(f"t{number + 1}a{who}{name}", name, point, who, photograph.size, rng)
        for name, point in photograph.points.items()
    ]
    return {
        "id": len(_ANNOTATORS) * number + who,
        "completed_by": who,
        "result": [] if skipped else regions,
        "was_cancelled": skipped,
        "ground_truth": False,
        "created_at": _DATE,
        "updated_at": _DATE,
        "draft_created_at": None,
        "lead_time": round(float(rng.uniform(2, 6)), 3),
        "prediction": {},
        "result_count": 0 if skipped else len(regions),
        "task": number + 1,
        "project": 1,
        "parent_prediction": None,
        "parent_annotation": None,
    }


def _region(
    identity: str,
    name: str,
    point: tuple[float, float],
    who: int,
    size: tuple[int, int],
    rng: np.random.Generator,
) -> dict[str, Any]:
    x, y = np.add(point, _HABIT[who]) + rng.normal(0, _SPREAD, 2)
    return {
        "id": identity,
        "from_name": "eyes",
        "to_name": "image",
        "type": "keypointlabels",
        "origin": "manual",
        "original_width": size[0],
        "original_height": size[1],
        "image_rotation": 0,
        "value": {
            # Percent of the image's sides, as Label Studio counts.
            "x": round(100 * float(x) / size[0], 6),
            "y": round(100 * float(y) / size[1], 6),
            "width": 0.5,
            "keypointlabels": [name],
        },
    }
