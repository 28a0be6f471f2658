"""How far a project is: done, left, skipped and minutes, together and per annotator. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Progress", "Share", "annotator_numbers", "progress_of"]

Task = Mapping[str, Any]


@dataclass
class Share:
    """
    One annotator's part.

    Attributes
    ----------
    done, skipped, left : int
        Tasks submitted, tasks skipped, tasks still to do.
    minutes : float
        Spent on those submitted and skipped, as far as the page measured it.
    drafts : int
        Tasks begun and not submitted: they are in no table.
    """

    done: int = 0
    skipped: int = 0
    left: int = 0
    minutes: float = 0.0
    drafts: int = 0


@dataclass(frozen=True)
class Progress:
    """
    A project's state.

    Attributes
    ----------
    tasks : int
    done : int
        Tasks that everybody who was to see them has submitted or skipped.
    people : mapping of str to Share
        By A1, A2 ...
    """

    tasks: int
    done: int
    people: Mapping[str, Share] = field(default_factory=dict)

    @property
    def left(self) -> int:
        """Tasks that somebody still has to look at."""
        return self.tasks - self.done

    @property
    def minutes(self) -> float:
        """Time of all together."""
        return sum(share.minutes for share in self.people.values())


def annotator_numbers(tasks: Sequence[Task]) -> list[int]:
    """
    Return the server's numbers of all who annotated something.

    Examples
    --------
    >>> annotator_numbers([{"annotations": [{"completed_by": 3}, {"completed_by": {"id": 1}}]}])
    [1, 3]
    """
    found = {_number(entry) for task in tasks for entry in task.get("annotations", ())}
    found |= {_number(entry) for task in tasks for entry in _drafts(task)}
    return sorted(found - {0})


def progress_of(tasks: Sequence[Task], names: Mapping[int, str]) -> Progress:
    """
    Count an export.

    Parameters
    ----------
    tasks : sequence
        Of Label Studio's JSON export, tasks without marks included.
    names : mapping
        From the server's number of an annotator to A1, A2 ...

    Returns
    -------
    Progress

    Examples
    --------
    >>> mark = {"completed_by": 7, "was_cancelled": False, "lead_time": 30.0}
    >>> tasks = [{"data": {"assigned": "[A1]"}, "annotations": [mark]},
    ...     {"data": {"assigned": "[A1] [A2]"}, "annotations": [mark]}]
    >>> found = progress_of(tasks, {7: "A1"})
    >>> found.done, found.left, found.minutes, found.people["A2"].left
    (1, 1, 1.0, 1)
    """
    people: dict[str, Share] = defaultdict(Share)
    n_done = 0
    for task in tasks:
        assigned = [word.strip("[]") for word in str(task["data"].get("assigned", "")).split()]
        seen: dict[str, bool] = {}
        for entry in task.get("annotations", ()):
            name = names.get(_number(entry), "?")
            people[name].minutes += float(entry.get("lead_time") or 0) / 60
            # Submitted once and skipped once is done.
            seen[name] = seen.get(name, False) or not entry.get("was_cancelled")
        for name, submitted in seen.items():
            people[name].done += submitted
            people[name].skipped += not submitted
        for entry in _drafts(task):
            name = names.get(_number(entry), "?")
            people[name].drafts += name not in seen
        waiting = [name for name in assigned if name not in seen]
        for name in waiting:
            people[name].left += 1
        n_done += bool(seen) and not waiting
    return Progress(len(tasks), n_done, dict(sorted(people.items())))


def _drafts(task: Task) -> list[Any]:
    found = task.get("drafts") or []
    return [draft for draft in found if isinstance(draft, dict)]


def _number(entry: Mapping[str, Any]) -> int:
    who = entry.get("completed_by", entry.get("user"))
    if isinstance(who, dict):
        who = who.get("id")
    return who if isinstance(who, int) else 0
