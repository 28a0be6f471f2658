"""Commands around Label Studio: ``biaskit annotate start``, ``setup``, ``pull`` and so on."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from biaskit.cli.annotate_projects import UrlOption, client_for, home_of, humans, setup
from biaskit.cli.common import (
    JsonOption,
    QuietOption,
    ReplaceOption,
    Speaker,
    StudyOption,
    command,
)

__all__ = ["register"]

ProjectOption = Annotated[str | None, typer.Option(help="Title of the project, if several.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    group = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        help=(
            "Mark points in images with Label Studio, and measure how well.\n\n"
            "To begin: biaskit annotate start"
        ),
    )
    for function in (start, status, stop, setup, pull, agreement, humans):
        command(group, function.__name__)(function)
    app.add_typer(group, name="annotate")


def start(
    port: Annotated[
        int | None, typer.Option(help="Else that of last time, or a free one.", min=1, max=65535)
    ] = None,
    url: UrlOption = None,
    study: StudyOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """
    Start Label Studio on this machine alone, its data in the study; or check the one at --url.

    The first start installs it in an environment of its own (a minute or two, 1.1 GB).

    biaskit annotate start
    """
    from annotate.people import tell_login
    from annotate.server import start as start_server

    speaker = Speaker(quiet=quiet, as_json=as_json)
    home, folder = home_of(study)
    if url is not None:
        client = client_for(home, url)
        client.check()
        speaker.result(f"{client.url}: answers, and takes the token", {"url": client.url})
        return
    with folder.writing("biaskit annotate start"), speaker.progress("Label Studio") as progress:
        server = start_server(home, port=port, progress=progress)
    lines = [f"{server.url}: Label Studio runs (process {server.pid})"]
    # A password belongs on a screen, not in a log.
    lines += tell_login(home, show=sys.stdout.isatty())
    lines.append(speaker.then("biaskit annotate setup IMAGES", study))
    speaker.result("\n".join(lines), {"url": server.url, "pid": server.pid, "port": server.port})


def status(
    url: UrlOption = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Tell whether the server runs and how far each project is, together and per annotator.

    biaskit annotate status
    """
    from annotate.states import server_state, states

    speaker = Speaker(quiet=False, as_json=as_json)
    home, _ = home_of(study)
    client, line = server_state(home, client_for(home, url) if url else None)
    found = states(home, client)
    lines = [line, *(line for state in found for line in state.lines())]
    if not found:
        lines.append(speaker.then("biaskit annotate setup IMAGES", study))
    data = {"server": line, "up": client is not None, "projects": [s.data() for s in found]}
    speaker.result("\n".join(lines), data)


def stop(study: StudyOption = None, as_json: JsonOption = False) -> None:
    """
    Stop the study's Label Studio; its data stay.

    biaskit annotate stop
    """
    from annotate.server import stop as stop_server

    speaker = Speaker(quiet=False, as_json=as_json)
    home, folder = home_of(study)
    stopped = stop_server(home)
    told = "stopped; its data stay" if stopped else "no server of its own was running"
    speaker.result(f"{folder.name}: {told}", {"stopped": stopped})


def pull(
    export: Annotated[
        list[Path] | None,
        typer.Argument(help="Exports in Label Studio's JSON, instead of asking the server."),
    ] = None,
    project: ProjectOption = None,
    category: Annotated[
        str | None, typer.Option(help="Of the images in EXPORT, if nothing else says it.")
    ] = None,
    url: UrlOption = None,
    study: StudyOption = None,
    replace: ReplaceOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """
    Bring all marks into the study: keypoints, and answers of people about classes.

    The export is kept whole in the folder annotate before it is read; may be repeated.

    biaskit annotate pull
    """
    from annotate.pulling import pull_answers, pull_points

    speaker = Speaker(quiet=quiet, as_json=as_json)
    home, folder = home_of(study)
    with folder.writing("biaskit annotate pull"):
        client = None if export else client_for(home, url)
        answers = None if export else pull_answers(home, folder, client, title=project)
        points = pull_points(
            home,
            folder,
            client,
            exports=export or (),
            title=project,
            category=category,
            replace_other=replace,
        )
    found = [part for part in (points, answers) if part is not None]
    lines = [line for part in found for line in part.lines()]
    after = "biaskit annotate agreement" if points else "biaskit show robustness"
    data: dict[str, Any] = {}
    for part in found:
        data |= part.data()
    speaker.result("\n".join([*lines, speaker.then(after, study)]), data)


def agreement(
    study: StudyOption = None,
    replace: ReplaceOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """
    Measure how well annotators agree with each other and with themselves.

    biaskit annotate agreement
    """
    from annotate.agreeing import agree
    from annotate.texts import agreement_text

    speaker = Speaker(quiet=quiet, as_json=as_json)
    _, folder = home_of(study)
    with folder.writing("biaskit annotate agreement"):
        table = agree(folder, mode="replace" if replace else "continue")
    text = agreement_text(table)
    then = speaker.then("biaskit chart agreement", study)
    speaker.result(f"{text}\n{then}", {"rows": table.to_dict("records")})
