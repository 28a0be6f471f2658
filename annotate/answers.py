"""The page that asks what an image shows, and its answers as rows of ``robustness``. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

import numpy as np
import pandas as pd

from annotate.views import View
from biaskit.annotations.synsets import imagenet_wnids
from biaskit.chance import keyed_uniform
from biaskit.tables import ROBUSTNESS

__all__ = [
    "answer_rows",
    "class_config",
    "class_instruction",
    "class_tasks",
    "near_classes",
    "offered_classes",
]

Task = dict[str, Any]


def offered_classes(categories: Sequence[str], words: Mapping[str, str]) -> dict[str, str]:
    """
    Return the classes people may answer, with a word of their own each.

    ImageNet's 1,000 if the categories are among them, else the categories themselves.

    Examples
    --------
    >>> offered_classes(["b", "a", "b"], {"a": "ape"})
    {'a': 'ape', 'b': 'b'}
    """
    known = imagenet_wnids()
    classes = known if known and set(categories) <= set(known) else sorted(set(categories))
    found = {name: words.get(name, name).replace("_", " ") for name in classes}
    counts = pd.Series(list(found.values())).value_counts()
    # ImageNet has two cranes and two maillots.
    return {n: word if counts[word] == 1 else f"{word} ({n})" for n, word in found.items()}


def near_classes(category: str, classes: Sequence[str], n: int) -> list[str]:
    """
    Return a class and its near neighbours in the order of ImageNet's numbers, where kin are near.

    Examples
    --------
    >>> near_classes("d", list("abcdefg"), 2)
    ['c', 'd', 'e']
    >>> near_classes("a", list("abcdefg"), 3)
    ['a', 'b', 'c', 'd']
    """
    ordered = sorted(classes)
    first = ordered.index(category) - n // 2
    first = max(0, min(first, len(ordered) - n - 1))
    return ordered[first : first + n + 1]


def class_config(words: Mapping[str, str]) -> str:
    """
    Return the labelling configuration: a few classes of each task, and a search in all.

    Examples
    --------
    >>> class_config({"n1": "ape"}).count("<Choice ")
    1
    """
    view = Element("View", style="display: flex; gap: 1.5em")
    left = SubElement(view, "View", style="flex: 0 0 50%")
    SubElement(
        left,
        "Image",
        name="image",
        value="$image",
        zoom="true",
        zoomControl="true",
        rotateControl="false",
        crossOrigin="anonymous",
    )
    right = SubElement(view, "View", style="flex: 1")
    SubElement(right, "Header", value="What is in the image?", size="5")
    near = {"name": "near", "toName": "image", "value": "$near"}
    SubElement(right, "Choices", near, choice="single-radio", showInline="false")
    SubElement(right, "Header", value="or search all classes", size="6")
    every = SubElement(
        right,
        "Taxonomy",
        name="any",
        toName="image",
        maxUsages="1",
        leafsOnly="true",
        placeholder="type a word",
    )
    for word in words.values():
        SubElement(every, "Choice", value=word)
    return tostring(view, encoding="unicode")


def class_instruction() -> str:
    """Return the text above the page, as HTML."""
    return (
        "<p>Somewhere in each image is a smaller photograph. <b>What does it show?</b> Choose one "
        "of the classes offered, or search all of them if none fits. Answer with your best guess; "
        "the time counts, and there is no second try.</p>"
        "<ul><li>Shift+1 shows the whole image.</li><li>Done: Ctrl+Enter.</li>"
        "<li>Skip only an image that does not load.</li></ul>"
    )


def class_tasks(
    views: Sequence[View],
    addresses: Mapping[str, str],
    words: Mapping[str, str],
    *,
    neighbours: int,
    annotators: int,
) -> list[Task]:
    """
    Return the tasks, in an order of chance; nothing in them tells the class.

    The classes offered come in an order of chance too.
    """
    if not views:
        return []
    names = [view.shown.image.image_id for view in views]
    order = np.argsort(keyed_uniform(0, "order", np.array(names, dtype=object)), kind="stable")
    assigned = " ".join(f"[A{k}]" for k in range(1, annotators + 1))
    tasks = []
    for k in order:
        near = [words[name] for name in near_classes(views[k].category, list(words), neighbours)]
        lots = keyed_uniform(0, names[k], np.array(near, dtype=object))
        offered = [near[i] for i in np.argsort(lots, kind="stable")]
        data = {
            "image": addresses[names[k]],
            "image_id": names[k],
            "near": [{"value": word} for word in offered],
            "assigned": assigned,
        }
        tasks.append({"data": data})
    return tasks


def answer_rows(
    tasks: Sequence[Mapping[str, Any]],
    key: Mapping[str, Mapping[str, Any]],
    words: Mapping[str, str],
    names: Mapping[int, str],
) -> pd.DataFrame:
    """
    Return the table ``robustness`` of an export: each person is one more network.

    Parameters
    ----------
    tasks : sequence
        Of the export.
    key : mapping
        From the number of a view to what is in it: ``image_id``, ``category``, ``place``, ``dx``,
        ``dy``, ``scale``, ``fill``.
    words : mapping
        From class to the word shown.
    names : mapping
        From the server's number of an annotator to A1, A2 ...

    Returns
    -------
    DataFrame
        Of several answers of one person to one view the first counts; skipped ones and views
        that the key does not know have no row.
    """
    classes = {word: name for name, word in words.items()}
    rows, seen = [], set()
    for task in tasks:
        view = key.get(str(task["data"].get("image_id")))
        for entry in sorted(task.get("annotations", ()), key=lambda entry: entry["id"]):
            who = entry.get("completed_by")
            number = who["id"] if isinstance(who, dict) else who
            mark = (number, task["data"].get("image_id"))
            if view is None or entry.get("was_cancelled") or mark in seen:
                continue
            seen.add(mark)
            answer = classes.get(_answer(entry.get("result") or []), "")
            rows.append(
                {
                    "network": f"people {names[number]}",
                    "variant": "plain",
                    **view,
                    "seen": "held out",  # it was shown to nobody before
                    "top1": answer,
                    "correct_top1": float(answer == view["category"])
                    if view["category"]
                    else np.nan,
                    "correct_top5": np.nan,
                    "p_true": np.nan,
                    "seconds": float(entry["lead_time"]) if entry.get("lead_time") else np.nan,
                }
            )
    table = pd.DataFrame(rows, columns=list(ROBUSTNESS.columns)) if rows else ROBUSTNESS.empty()
    return ROBUSTNESS.check(ROBUSTNESS.sort(table), "robustness")


def _answer(result: Sequence[Mapping[str, Any]]) -> str:
    """Return the word of the answer; a searched one is a path of one word."""
    for region in result:
        value = region.get("value", {})
        for found in (value.get("choices"), value.get("taxonomy")):
            while isinstance(found, list) and found:
                found = found[-1]
            if isinstance(found, str) and found:
                return found
    return ""
