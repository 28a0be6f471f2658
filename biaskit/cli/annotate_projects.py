"""Commands that make labelling projects: ``biaskit annotate setup`` and ``humans``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biaskit.cli.common import JsonOption, QuietOption, SeedOption, Speaker, StudyOption

if TYPE_CHECKING:
    from annotate.client import Client
    from annotate.home import Home
    from biaskit.study import Study

__all__ = ["UrlOption", "client_for", "home_of", "humans", "setup"]

UrlOption = Annotated[
    str | None,
    typer.Option(help="A server that runs already; its token in LABEL_STUDIO_API_KEY."),
]


def setup(
    images: Annotated[Path, typer.Argument(help="Folder of photographs.")],
    pair: Annotated[
        tuple[str, str] | None, typer.Option(help="The two points; left_eye right_eye by default.")
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help="Of the paper: terrier, elephant, pineapple, bagel or paddle."),
    ] = None,
    category: Annotated[
        list[str] | None, typer.Option(help="Only images of this category. Repeat.")
    ] = None,
    per_category: Annotated[
        int | None, typer.Option("--per-category", help="Images of each; default: all.", min=1)
    ] = None,
    labels: Annotated[Path | None, typer.Option(help="CSV of image id and category.")] = None,
    annotators: Annotated[int, typer.Option(help="How many people mark.", min=1, max=99)] = 1,
    shared: Annotated[
        float, typer.Option(help="Share of the images that all of them mark, for agreement.")
    ] = 0.2,
    repeats: Annotated[
        float, typer.Option(help="Share that comes to the same person a second time.")
    ] = 0.1,
    marks: Annotated[
        Path | None,
        typer.Option(help="Marks to propose: of a detector or an earlier round, any format."),
    ] = None,
    title: Annotated[str | None, typer.Option(help="Of the project, 3 to 50 characters.")] = None,
    url: UrlOption = None,
    study: StudyOption = None,
    seed: SeedOption = 0,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """
    Make a project for marking a pair of points, or add to it what is new.

    biaskit annotate setup photos --preset terrier --per-category 100 --annotators 2
    """
    from annotate.landmarks import find_landmarks
    from annotate.setting_up import set_up_points
    from annotate.tasks import Plan

    speaker = Speaker(quiet=quiet, as_json=as_json)
    home, folder = home_of(study)
    landmarks = find_landmarks(pair, preset)
    plan = Plan(annotators=annotators, shared=shared, repeats=repeats, seed=seed)
    client = client_for(home, url)
    with folder.writing("biaskit annotate setup"):
        made = set_up_points(
            home,
            client,
            images,
            landmarks,
            plan,
            categories=category or list(landmarks.categories),
            per_category=per_category,
            labels=labels,
            marks=marks,
            title=title
            or (f"Pairs: {preset}" if preset else f"Pairs: {' '.join(landmarks.points)}"),
        )
    speaker.result(
        "\n".join([*made.lines(), speaker.then("biaskit annotate pull", study)]), made.data()
    )


def humans(
    images: Annotated[Path, typer.Argument(help="Folder of photographs with known classes.")],
    per_category: Annotated[
        int | None, typer.Option("--per-category", help="Images of each class; default: 1.", min=1)
    ] = 1,
    side: Annotated[int, typer.Option(help="Of the canvas, px.", min=32, max=2048)] = 224,
    scale: Annotated[
        float, typer.Option(help="Longer side of the image, of the canvas'.", min=0.05, max=1)
    ] = 0.5,
    fill: Annotated[
        str, typer.Option(help="What fills the canvas, as in biaskit sweep.")
    ] = "harmonic",
    places: Annotated[int, typer.Option(help="Random places of each image.", min=1)] = 1,
    neighbours: Annotated[
        int, typer.Option(help="Classes offered beside the true one.", min=1, max=99)
    ] = 9,
    labels: Annotated[Path | None, typer.Option(help="CSV of image id and class.")] = None,
    annotators: Annotated[int, typer.Option(help="How many people answer.", min=1, max=99)] = 1,
    title: Annotated[str, typer.Option(help="Of the project, 3 to 50 characters.")] = "What is it?",
    url: UrlOption = None,
    study: StudyOption = None,
    seed: SeedOption = 0,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """
    Ask people what small images in random places show, as networks are asked: Figure 7.

    Everybody sees every image; biaskit annotate pull brings the answers into the table robustness.

    biaskit annotate humans photos --annotators 2
    """
    from annotate.setting_up import set_up_humans
    from annotate.views import ViewPlan

    speaker = Speaker(quiet=quiet, as_json=as_json)
    home, folder = home_of(study)
    plan = ViewPlan(side=side, scale=scale, fill=fill, places=places, seed=seed)
    client = client_for(home, url)
    with folder.writing("biaskit annotate humans"):
        made = set_up_humans(
            home,
            client,
            images,
            plan,
            per_category=per_category,
            labels=labels,
            neighbours=neighbours,
            annotators=annotators,
            title=title,
        )
    speaker.result(
        "\n".join([*made.lines(), speaker.then("biaskit annotate pull", study)]), made.data()
    )


def home_of(study: Path | None) -> "tuple[Home, Study]":
    """Return the study and its folder of the annotation app."""
    from annotate.home import Home
    from biaskit.study import Study

    folder = Study.find(study)
    return Home(folder.folder), folder


def client_for(home: "Home", url: str | None) -> "Client":
    """Return the client of the study's server, or of the one at --url."""
    from annotate.server import client_of

    return client_of(home, url)
