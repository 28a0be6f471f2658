"""The command ``keypoints``: marks of points, such as eyes, into the study."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from biaskit.cli.common import (
    AppendOption,
    JsonOption,
    QuietOption,
    ReplaceOption,
    Speaker,
    StudyOption,
    command,
)
from biaskit.cli.data import columns_given

if TYPE_CHECKING:
    from biaskit.annotations.keypoints import KeypointsRead

__all__ = ["register", "what_was_marked"]


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    command(app, "keypoints")(keypoints)


def keypoints(
    sources: Annotated[list[Path], typer.Argument(help="Files, folders or archives.")],
    study: StudyOption = None,
    file_format: Annotated[
        str | None, typer.Option("--format", help="label-studio, coco, cvat, csv, parquet.")
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="The photographs: sizes and turns are checked by them.")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="A CSV of image and category, where files say none.")
    ] = None,
    category: Annotated[
        str | None, typer.Option(help="What images show of which nothing else says it.")
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(help="Of a CSV or Parquet: ours=theirs, such as left_eye_x=lx. Repeat."),
    ] = None,
    units: Annotated[
        str | None, typer.Option(help="Of a CSV or Parquet: px, fraction or percent.")
    ] = None,
    strict: Annotated[bool, typer.Option(help="Refuse what would be repaired.")] = False,
    replace: ReplaceOption = False,
    append: AppendOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """
    Read marks of points into the study: Label Studio, COCO keypoints, CVAT, CSV, Parquet.

    What was skipped, left empty, contradictory or had to be repaired stands in the table
    'keypoint_repairs', one row each, and is counted at the end.

    biaskit keypoints export.json --images photos
    """
    from biaskit.annotations.keypoints import read_keypoints
    from biaskit.annotations.raw import sound
    from biaskit.provenance import provenance
    from biaskit.study import Mode, Study

    speaker = Speaker(quiet=quiet, as_json=as_json)
    if replace and append:
        raise typer.BadParameter("--replace and --append exclude each other")
    home = Study.find(study)
    mode: Mode = "replace" if replace else "append" if append else "continue"
    given = columns_given(columns)
    with home.writing("biaskit keypoints"):
        with speaker.progress("keypoints") as progress:
            found = read_keypoints(
                sources,
                format=file_format,
                images=images,
                labels=labels,
                category=category,
                columns=given,
                units=units,
                strict=strict,
                progress=progress,
            )
        options = {
            "format": file_format,
            "images": sound(images.name) if images else None,
            "labels": sound(labels.name) if labels else None,
            "category": None if category is None else sound(category),
            "columns": given,
            "units": units,
            "strict": strict,
        }
        now = provenance(inputs=found.inputs, options=options, seed=None)
        told = ""
        # Marks first: where they are refused, nothing is added.
        for name, table in (("keypoints", found.keypoints), ("keypoint_repairs", found.repairs)):
            if mode == "append":
                told = " added" if home.append(name, table, now) else " there already"
            elif home.needs(name, now, mode):
                home.write(name, table, now)
    text, counts = what_was_marked(found, home.name, told)
    speaker.result(f"{text}\n{speaker.then('biaskit test', study)}", counts)
    if strict and found.n_refused:
        raise typer.Exit(1)


def what_was_marked(
    found: "KeypointsRead", name: str, told: str = ""
) -> tuple[str, dict[str, Any]]:
    """
    Return what was read, repaired and refused, as text and as a mapping.

    Parameters
    ----------
    found : KeypointsRead
    name : str
        Of the study.
    told : str
        Added to the line of the table, such as " added".
    """
    from biaskit.annotations.repairs import KINDS, NOTES

    table, repairs = found.keypoints, found.repairs
    states = Counter(table["visibility"])
    kinds = Counter(repairs["kind"])
    gone = repairs[(repairs["kept"] == "") & ~repairs["kind"].isin(list(NOTES))]
    refused = Counter(gone["kind"])
    visible = ", ".join(f"{states[s]:,} {s}" for s in ("visible", "occluded", "absent"))
    lines = [
        f"{name}/keypoints: {len(table):,} points ({visible}) of "
        f"{', '.join(sorted(table['point'].unique())[:8])}; {found.n_images:,} images, "
        f"{table['category'].nunique():,} categories, {found.n_annotators:,} annotators{told}"
    ]
    for kind, count in sorted(kinds.items()):
        part = f", {refused[kind]:,} refused" if refused[kind] else ""
        lines.append(f"{name}/keypoint_repairs: {kind} {count:,}{part} ({KINDS[kind]})")
    return "\n".join(lines), {
        "files": found.n_files,
        "points": len(table),
        "visible": states["visible"],
        "occluded": states["occluded"],
        "absent": states["absent"],
        "images": found.n_images,
        "categories": int(table["category"].nunique()),
        "annotators": found.n_annotators,
        "skipped": found.n_skipped,
        "repairs": dict(sorted(kinds.items())),
        "refused": dict(sorted(refused.items())),
    }
