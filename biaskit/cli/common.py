"""What every command shares: its options, progress on stderr, and how it speaks."""

import functools
import json
import math
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from biaskit.errors import BiaskitError, StudyError

__all__ = [
    "AppendOption",
    "JsonOption",
    "QuietOption",
    "ReplaceOption",
    "SeedOption",
    "Speaker",
    "StudyOption",
    "command",
]

Progress = Callable[..., None]  # done, total, what is being done

StudyOption = Annotated[
    Path | None,
    typer.Option(help="Study folder; else the variable BIASKIT_STUDY, else ./study."),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no remarks.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
ReplaceOption = Annotated[bool, typer.Option("--replace", help="Make tables anew if they differ.")]
AppendOption = Annotated[bool, typer.Option("--append", help="Add to the tables that are there.")]
SeedOption = Annotated[
    int, typer.Option(help="Decides every draw; recorded with the result.", min=0, max=2**63 - 1)
]


class Speaker:
    """
    Speaks to people on stderr and gives results on stdout.

    Parameters
    ----------
    quiet : bool
        Neither progress nor remarks.
    as_json : bool
        ``result`` prints its mapping as JSON instead of its text.
    """

    def __init__(self, *, quiet: bool, as_json: bool) -> None:
        self.quiet = quiet
        self.as_json = as_json

    def remark(self, text: str) -> None:
        """Say something that is not part of the result."""
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)

    def result(self, text: str, data: dict[str, Any]) -> None:
        """Give the result, as text or as JSON."""
        told = json.dumps(_without_nan(data), ensure_ascii=False, default=str)
        print(told if self.as_json else text)

    @staticmethod
    def then(command: str, study: Path | None) -> str:
        """Return the line to type next, in the study of this call."""
        where = f" --study {shlex.quote(str(study))}" if study else ""
        return f"Next: {command}{where}"

    @contextmanager
    def progress(self, what: str) -> Iterator[Progress]:
        """Show how far a long piece of work is; a line at the end when stderr is no terminal."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeElapsedColumn as Elapsed
        from rich.progress import TimeRemainingColumn as Remaining

        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        hidden = self.quiet or not console.is_terminal
        with Progress(*columns, Elapsed(), Remaining(), console=console, disable=hidden) as bar:
            task = bar.add_task(what, total=None)

            def advance(done: int, total: int | None = None, doing: str = "") -> None:
                label = f"{what}: {doing}" if doing else what
                bar.update(task, completed=done, total=total, description=label[:60])

            yield advance


def _without_nan(value: Any) -> Any:
    """Replace what JSON has no word for, everywhere in a result, by null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    return value


def command(app: typer.Typer, name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """
    Register a function as the subcommand ``name``, whose own errors become one line.

    BiaskitError gives exit status 1 (StudyError, a wrong call, 2) and an interrupt 130; every
    other error keeps its traceback, for it is a defect of ours.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def run(*args: Any, **options: Any) -> None:
            try:
                function(*args, **options)
            except BiaskitError as error:
                print(f"biaskit: {error}", file=sys.stderr)
                raise typer.Exit(2 if isinstance(error, StudyError) else 1) from None
            except KeyboardInterrupt:
                print("interrupted: what was whole stays; repeat to go on.", file=sys.stderr)
                raise typer.Exit(130) from None
            except BrokenPipeError:  # whoever reads us, such as head, has seen enough
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                raise typer.Exit(0) from None

        return app.command(name)(run)

    return register
