"""Commands about networks under shift: ``sweep`` and ``merge``."""

import sys
from pathlib import Path
from typing import Annotated

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
    SeenOption,
    ShardOption,
    WorkersOption,
    mode_of,
    sweep_files,
    sweep_run,
)

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    command(app, "sweep")(sweep)
    command(app, "merge")(merge)


def sweep(
    images: Annotated[
        Path, typer.Argument(help="Folder of photographs; for film: its frames, or a video.")
    ],
    network: Annotated[list[str], typer.Option(help="Name; see biaskit networks. Repeat.")],
    study: StudyOption = None,
    protocol: Annotated[
        str,
        typer.Option(
            help="embed, crop, crop-scaled, scale, film, roll, pairs, random, blank, repeat."
        ),
    ] = "embed",
    direction: Annotated[
        str | None, typer.Option(help="vertical, horizontal, diagonal or grid.")
    ] = None,
    fill: Annotated[
        str | None,
        typer.Option(
            help="harmonic, telea, navier-stokes, ring, mean, black, reflect, replicate, blur or "
            "noise."
        ),
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Frames per sequence; default 33.")] = None,
    side: Annotated[
        int | None,
        typer.Option(help="Longer side of the embedded image, px; default 160/224 of the input."),
    ] = None,
    refill: Annotated[
        bool, typer.Option("--refill", help="Also fill anew at each step, and compare.")
    ] = False,
    objects: Annotated[
        str, typer.Option("--object", help="Kept inside by crop: largest, all or each.")
    ] = "largest",
    pairs: Annotated[int, typer.Option(help="Pairs of windows per image.")] = 1,
    labels: LabelsOption = None,
    label: Annotated[str, typer.Option(help="Class that a film shows.")] = "",
    images_are: SeenOption = None,
    sample: Annotated[
        int | None, typer.Option(help="Only so many photographs, drawn by seed.", min=1)
    ] = None,
    weights: WeightsOption = None,
    classes: ClassesOption = None,
    input_size: InputSizeOption = None,
    mean: MeanOption = None,
    std: StdOption = None,
    variant: VariantOption = None,
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
    Shift, rescale or re-place photographs step by step, and see how jaggedly networks answer.

    Writes swept, frames and jaggedness, a part per chunk of images; a run that was cut short
    goes on where it stopped.

    biaskit sweep photos --network efficientnet_lite0 --protocol embed
    """
    from biaskit.cli.inside_text import antialiasing_text
    from biaskit.cli.sweep_text import sweep_text
    from biaskit.study import Study
    from biaskit.sweeps.antialiasing.stage import sum_up_antialiasing
    from biaskit.sweeps.chunks import read_shard
    from biaskit.sweeps.stage import run_sweep
    from biaskit.sweeps.summing import missing_chunks, sum_up

    speaker = Speaker(quiet=quiet, as_json=as_json)
    mode = mode_of(replace=replace, append=append, seen=images_are)
    requests = network_requests(
        network,
        weights,
        classes,
        seed=seed,
        input_size=input_size,
        mean=mean,
        std=std,
        variants=variant,
    )
    folder, files = sweep_files(images, protocol, labels, label, sample, seed)
    home = Study.find(study)
    options = {
        "direction": direction, "fill": fill, "steps": steps, "side": side,
        "objects": objects, "pairs": pairs, "seed": seed,
    }  # fmt: skip
    names: list[dict[str, str]] = []
    with home.writing("biaskit sweep"):
        for request in requests:
            for again in (False, True) if refill else (False,):
                run = sweep_run(
                    request, protocol, {**options, "refill": again}, folder, files, home,
                    fast=fast, device=device, batch=batch, workers=workers, seen=images_are,
                    shard=read_shard(shard), speaker=speaker,
                )  # fmt: skip
                run_sweep(home, run, mode=mode, shown=speaker.progress)
                names.append(run.names)
        sum_up(home, seed=seed)
        for remark in sum_up_antialiasing(home, seed=seed):
            speaker.remark(remark)
    text, data = sweep_text(home, names, missing_chunks(home))
    told = [text, *(antialiasing_text(home) if variant else [])]
    speaker.result("\n".join([*told, speaker.then("biaskit chart shifts", study)]), data)
    if home.has("swept") and not home.read("swept", ["n_frames"])["n_frames"].any():
        print("biaskit: no image could be shown; see the table swept for why.", file=sys.stderr)
        raise typer.Exit(1)


def merge(
    shards: Annotated[list[Path], typer.Argument(help="Study folders of the shards.")],
    study: StudyOption = None,
    seed: SeedOption = 0,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """
    Merge the sweeps of several studies, such as the shards of one, into this study.

    biaskit merge shard-1 shard-2 --study whole
    """
    from biaskit.cli.sweep_text import sweep_text
    from biaskit.study import Study
    from biaskit.sweeps.antialiasing.stage import sum_up_antialiasing
    from biaskit.sweeps.inside.stage import merge_inside, sum_up_inside
    from biaskit.sweeps.parts import PARTED
    from biaskit.sweeps.robust.stage import sum_up_robustness
    from biaskit.sweeps.summing import merge as merge_studies
    from biaskit.sweeps.summing import missing_chunks, sum_up

    speaker = Speaker(quiet=quiet, as_json=as_json)
    home = Study.find(study)
    with home.writing("biaskit merge"):
        others = [Study(shard) for shard in shards]
        taken = merge_studies(home, others)
        merge_inside(home, others)
        sum_up(home, seed=seed)
        sum_up_inside(home, seed=seed)
        sum_up_robustness(home, seed=seed)
        for remark in sum_up_antialiasing(home, seed=seed):
            speaker.remark(remark)
    sweeps = [b["sweep"] for b in home.parts("frames").values() if "sweep" in b]
    names = [dict(pairs) for pairs in dict.fromkeys(tuple(sweep.items()) for sweep in sweeps)]
    missing = {k: v for table in PARTED for k, v in missing_chunks(home, table).items()}
    text, data = sweep_text(home, names, missing) if names else ("", {"missing": missing})
    also = [f"{table}: {len(home.parts(table)):,} chunks" for table in PARTED if home.has(table)]
    then = speaker.then("biaskit chart shifts" if names else "biaskit show", study)
    lines = [f"{home.name}: {taken} chunks taken", *also, *filter(None, [text]), then]
    speaker.result("\n".join(lines), {"taken": taken, **data})
