"""The command ``shiftability``: what happens inside networks while a picture moves."""

import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
from biaskit.cli.network_options import (
    ClassesOption,
    InputSizeOption,
    MeanOption,
    StdOption,
    VariantOption,
    WeightsOption,
    network_requests,
)
from biaskit.cli.sweep_runs import (
    BatchOption,
    DeviceOption,
    FastOption,
    LabelsOption,
    ShardOption,
    WorkersOption,
    mode_of,
    sweep_files,
    sweep_run,
)

if TYPE_CHECKING:
    from biaskit.sweeps.inside.runner import InsideSetup
    from biaskit.sweeps.runner import Setup

__all__ = ["register"]

_PROTOCOLS = ("embed", "crop", "crop-scaled", "roll", "blank")


def register(app: typer.Typer) -> None:
    """Add the command of this file to the command line."""
    command(app, "shiftability")(shiftability)


def shiftability(
    images: Annotated[Path, typer.Argument(help="Folder of photographs.")],
    network: Annotated[list[str], typer.Option(help="Name; see biaskit networks. Repeat.")],
    study: StudyOption = None,
    variant: VariantOption = None,
    protocol: Annotated[
        str, typer.Option(help="embed, crop, crop-scaled, roll or blank.")
    ] = "embed",
    direction: Annotated[str | None, typer.Option(help="vertical, horizontal or diagonal.")] = None,
    fill: Annotated[str | None, typer.Option(help="As of biaskit sweep.")] = None,
    steps: Annotated[int, typer.Option(help="Frames per image, one pixel apart.")] = 64,
    side: Annotated[
        int | None,
        typer.Option(help="Longer side of the embedded image, px; default 160/224 of the input."),
    ] = None,
    layer: Annotated[
        list[str] | None,
        typer.Option(help="Further modules to read, such as 'layer3.*'. Repeat."),
    ] = None,
    picture: Annotated[
        list[str] | None,
        typer.Option(help="Layers whose maps are kept for pictures; default six. Repeat."),
    ] = None,
    sample: Annotated[
        int,
        typer.Option(help="Photographs, drawn by seed; as many as the paper. 0: all.", min=0),
    ] = 10,
    labels: LabelsOption = None,
    weights: WeightsOption = None,
    classes: ClassesOption = None,
    input_size: InputSizeOption = None,
    mean: MeanOption = None,
    std: StdOption = None,
    fast: FastOption = False,
    device: DeviceOption = None,
    batch: BatchOption = None,
    workers: WorkersOption = None,
    shard: ShardOption = None,
    seed: SeedOption = 0,
    replace: ReplaceOption = False,
    append: AppendOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """
    Sum every feature map while a picture moves pixel by pixel: what stays, what jumps, and where.

    Writes layers, shiftability, shiftability_by and feature_maps.

    biaskit shiftability photos --network efficientnet_lite0
    """
    from biaskit.cli.inside_text import inside_text
    from biaskit.study import Study
    from biaskit.sweeps.antialiasing.stage import sum_up_antialiasing
    from biaskit.sweeps.chunks import read_shard
    from biaskit.sweeps.inside.runner import InsideSetup
    from biaskit.sweeps.inside.stage import (
        INSIDE,
        check_layers,
        keep_layers,
        keep_maps,
        sum_up_inside,
    )
    from biaskit.sweeps.stage import run_sweep
    from biaskit.sweeps.summing import missing_chunks

    speaker = Speaker(quiet=quiet, as_json=as_json)
    mode = mode_of(replace=replace, append=append, seen=None)
    if protocol not in _PROTOCOLS:
        raise typer.BadParameter(
            f"--protocol {protocol}: sums are taken of {', '.join(_PROTOCOLS)}"
        )
    if direction == "grid":
        raise typer.BadParameter("--direction grid: sums are taken along one direction")
    requests = network_requests(
        network, weights, classes,
        seed=seed, input_size=input_size, mean=mean, std=std, variants=variant,
    )  # fmt: skip
    folder, files = sweep_files(images, protocol, labels, "", sample or None, seed)
    home, others = Study.find(study), tuple(layer or ())
    options = {"direction": direction, "fill": fill, "steps": steps, "side": side, "seed": seed}

    def reading(usual: "Setup") -> "InsideSetup":
        same = {field.name: getattr(usual, field.name) for field in fields(usual)}
        return InsideSetup(**same, others=others)

    names: list[dict[str, str]] = []
    with home.writing("biaskit shiftability"):
        for request in requests:
            run = sweep_run(
                request, protocol, options, folder, files, home,
                fast=fast, device=device, batch=batch, workers=workers, seen=None,
                shard=read_shard(shard), speaker=speaker, setup_of=reading,
                work=INSIDE, options={"layer": list(others)},
            )  # fmt: skip
            layers = check_layers(run, picture or ())
            run_sweep(home, run, mode=mode, shown=speaker.progress)
            with speaker.progress("layers") as advance:
                advance(0, 1, f"{run.network.name}: fields and subsampling")
                keep_layers(home, run, layers)
            keep_maps(home, run, tuple(picture or ()))
            names.append(run.names)
        sum_up_inside(home, seed=seed)
        for remark in sum_up_antialiasing(home, seed=seed):
            speaker.remark(remark)
    text, data = inside_text(home, names, missing_chunks(home, "shiftability"))
    speaker.result(f"{text}\n{speaker.then('biaskit chart nonshiftability', study)}", data)
    if not data["layers"] and shard is None:
        print("biaskit: no image could be shown.", file=sys.stderr)
        raise typer.Exit(1)
