"""The state of the server and of each project, for ``biaskit annotate status``."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from annotate.client import Client
from annotate.collect import latest_exports, load_tasks
from annotate.home import Home
from annotate.people import name_annotators
from annotate.progress import Progress, annotator_numbers, progress_of
from annotate.server import own_client, running
from biaskit.errors import ServerError

__all__ = ["State", "server_state", "states"]


@dataclass(frozen=True)
class State:
    """A project's state, and where it was read."""

    title: str
    source: str  # "now", or the file of the latest export
    progress: Progress | None
    trouble: str = ""

    def lines(self) -> list[str]:
        """Return it as lines for a terminal."""
        if self.progress is None:
            return [f"{self.title}: {self.trouble}"]
        found = self.progress
        when = "" if self.source == "now" else f" (as in {self.source})"
        head = (
            f"{self.title}: {found.done:,} of {found.tasks:,} tasks done, {found.left:,} left, "
            f"{found.minutes:.1f} minutes{when}"
        )
        lines = [head]
        for name, share in found.people.items():
            drafts = f", {share.drafts:,} begun and not submitted" if share.drafts else ""
            lines.append(
                f"  {name}: {share.done:,} done, {share.skipped:,} skipped, {share.left:,} left, "
                f"{share.minutes:.1f} minutes{drafts}"
            )
        return lines

    def data(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        found = self.progress
        if found is None:
            return {"project": self.title, "trouble": self.trouble}
        return {
            "project": self.title,
            "source": self.source,
            "tasks": found.tasks,
            "done": found.done,
            "left": found.left,
            "minutes": round(found.minutes, 2),
            "annotators": {name: asdict(share) for name, share in found.people.items()},
        }


def server_state(home: Home, client: Client | None = None) -> tuple[Client | None, str]:
    """Return the client that answers, None if none does, and a line that says so."""
    if client is not None:
        return client, f"{client.url}: up"
    server = running(home)
    if server is None:
        return None, "server: not running. To start it: biaskit annotate start"
    if not Client(server.url, "").healthy():
        return None, f"server: process {server.pid} runs, but does not answer at {server.url} (yet)"
    return own_client(home), f"server: up at {server.url} (process {server.pid})"


def states(home: Home, client: Client | None) -> list[State]:
    """Return every project's state: now if this server has it, else as it was last pulled."""
    found = []
    exports = {**latest_exports(home, "points"), **latest_exports(home, "classes")}
    for title, project in home.projects().items():
        here = client is not None and project.get("url") == (None if client.own else client.url)
        try:
            if here and client is not None:
                source, tasks = "now", json.loads(client.raw_export(project["id"]))
            elif title in exports:
                source, tasks = exports[title].name, load_tasks(exports[title])
            else:
                where = project.get("url") or "the study's own server"
                found.append(State(title, "", None, f"on {where}, and never pulled"))
                continue
        except ServerError as error:
            found.append(State(title, "", None, str(error)))
            continue
        names = name_annotators(home, client if here else None, annotator_numbers(tasks))
        found.append(State(title, source, progress_of(tasks, names)))
    return found
