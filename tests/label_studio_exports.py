"""Tasks as Label Studio exports them, for several tests."""

import json

__all__ = ["annotation", "answer", "mark", "task", "write"]


def mark(point, x, y, *, size=(500, 400), rotation=0, origin="manual", identity=None, **value):
    "A point in percent; size None: as made by program"
    entry = {
        "id": identity or f"r_{point}",
        "from_name": "eyes",
        "to_name": "image",
        "type": "keypointlabels",
        "image_rotation": rotation,
        "value": {"x": x, "y": y, "width": 0.5, "keypointlabels": [point], **value},
    }
    if origin:
        entry["origin"] = origin
    if size:
        entry |= {"original_width": size[0], "original_height": size[1]}
    return entry


def answer(word, *, of="visibility", identity="c1"):
    return {
        "id": identity,
        "from_name": of,
        "to_name": "image",
        "type": "choices",
        "value": {"choices": [word]},
    }


def annotation(*result, number=1, who=1, **more):
    return {
        "id": number,
        "completed_by": who,
        "result": list(result),
        "was_cancelled": False,
        "lead_time": 2.5,
        "unique_id": f"u{number}",
        **more,
    }


def task(*annotations, number=1, image="dogs/n02097474_1.JPEG", data=None, **more):
    own = {"image": f"/data/local-files/?d={image}", "category": "n02097474"}
    return {
        "id": number,
        "data": own | (data or {}),
        "annotations": list(annotations),
        "drafts": [],
        "predictions": [],
        "project": 3,
        **more,
    }


def write(folder, *tasks, name="export.json"):
    path = folder / name
    path.write_text(json.dumps(list(tasks)), encoding="utf-8")
    return path
