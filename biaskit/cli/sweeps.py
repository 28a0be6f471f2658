"""Commands about networks under shift: ``sweep`` and ``merge``."""

import sys
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
from biaskit.cli.network_options import (
    ClassesOption,
    InputSizeOption,
    MeanOption,
    StdOption,
    WeightsOption,
    network_requests,
)

if TYPE_CHECKING:
    from biaskit.study import Mode, Study
    from biaskit.sweeps.images import ImageFile
    from biaskit.sweeps.networks import NetworkRequest
    from biaskit.sweeps.stage import SweepRun

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
    labels: Annotated[
        Path | None, typer.Option(help="CSV of image and class; default labels.csv in the folder.")
    ] = None,
    label: Annotated[str, typer.Option(help="Class that a film shows.")] = "",
    images_are: Annotated[
        str | None,
        typer.Option(help="training, held out or unknown to the networks; default by name."),
    ] = None,
    sample: Annotated[
        int | None, typer.Option(help="Only so many photographs, drawn by seed.", min=1)
    ] = None,
    weights: WeightsOption = None,
    classes: ClassesOption = None,
    input_size: InputSizeOption = None,
    mean: MeanOption = None,
    std: StdOption = None,
    fast: Annotated[
        bool, typer.Option("--fast/--reference", help="bf16 instead of float32; shows what flips.")
    ] = False,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, cuda:1; default every GPU, else the CPU.")
    ] = None,
    batch: Annotated[int | None, typer.Option(help="Frames per batch.", min=1)] = None,
    workers: Annotated[int | None, typer.Option(help="Threads that make canvases.", min=1)] = None,
    shard: Annotated[str | None, typer.Option(help="I/N: only every N-th chunk.")] = None,
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
    from biaskit.cli.sweep_text import sweep_text
    from biaskit.study import Study
    from biaskit.sweeps.chunks import read_shard
    from biaskit.sweeps.stage import run_sweep
    from biaskit.sweeps.summing import missing_chunks, sum_up
    from biaskit.tables.sweeps import SEEN

    speaker = Speaker(quiet=quiet, as_json=as_json)
    if replace and append:
        raise typer.BadParameter("--replace and --append exclude each other")
    if images_are is not None and images_are not in SEEN:
        raise typer.BadParameter(f"--images-are takes {', '.join(SEEN)}")
    mode: Mode = "replace" if replace else "append" if append else "continue"
    requests = network_requests(
        network, weights, classes, seed=seed, input_size=input_size, mean=mean, std=std
    )
    folder, files = _files(images, protocol, labels, label, sample, seed)
    home = Study.find(study)
    options = {
        "direction": direction, "fill": fill, "steps": steps, "side": side,
        "objects": objects, "pairs": pairs, "seed": seed,
    }  # fmt: skip
    names: list[dict[str, str]] = []
    with home.writing("biaskit sweep"):
        for request in requests:
            for again in (False, True) if refill else (False,):
                run = _run(
                    request, protocol, {**options, "refill": again}, folder, files, home,
                    fast=fast, device=device, batch=batch, workers=workers, seen=images_are,
                    shard=read_shard(shard), speaker=speaker,
                )  # fmt: skip
                run_sweep(home, run, mode=mode, shown=speaker.progress)
                names.append(run.names)
        sum_up(home, seed=seed)
    text, data = sweep_text(home, names, missing_chunks(home))
    speaker.result(f"{text}\n{speaker.then('biaskit chart shifts', study)}", data)
    if home.has("swept") and not home.read("swept", ["n_frames"])["n_frames"].any():
        print("biaskit: no image could be shown; see the table swept for why.", file=sys.stderr)
        raise typer.Exit(1)


def _files(
    images: Path, protocol: str, labels: Path | None, label: str, sample: int | None, seed: int
) -> "tuple[Path, list[ImageFile]]":
    from biaskit.errors import SweepError
    from biaskit.sweeps.images import ImageFile, draw_images, find_images
    from biaskit.sweeps.protocols import is_film

    if protocol != "film":
        found = find_images(images, labels=labels)
        return images, draw_images(found, sample, seed=seed) if sample else found
    if not images.exists() or not is_film(images):
        raise SweepError(f"{images}: is neither a folder of frames nor a video that can be read.")
    whole = images.resolve()
    return whole.parent, [ImageFile(whole.name, whole.stem, label)]


def _run(
    request: "NetworkRequest",
    protocol: str,
    options: dict[str, Any],
    folder: Path,
    files: "list[ImageFile]",
    home: "Study",
    *,
    fast: bool,
    device: str | None,
    batch: int | None,
    workers: int | None,
    seen: str | None,
    shard: tuple[int, int],
    speaker: Speaker,
) -> "SweepRun":
    from biaskit.engines import default_workers
    from biaskit.sweeps.chunks import cut_chunks, usual_batch
    from biaskit.sweeps.devices import check_fast, devices_of
    from biaskit.sweeps.precision import flips_of_fast
    from biaskit.sweeps.protocols import boxes_by_image, make_plan
    from biaskit.sweeps.runner import Setup
    from biaskit.sweeps.stage import SweepRun

    devices = devices_of(device)
    network = request.load()
    own = network.preprocessing
    plan = make_plan(
        protocol,
        input_size=own.input_size,
        resize=own.resize,
        interpolation=own.interpolation,
        **options,
    )
    boxes, source = {}, None
    if protocol in ("crop", "crop-scaled"):
        boxes = boxes_by_image(home.read("boxes"), {file.image_id for file in files})
        source = home.digest("boxes")
    size = batch or usual_batch(devices[0], plan.steps)
    chunks = cut_chunks(files, plan, size, boxes)
    # On a CPU one thread is enough, and takes no core from the network; a GPU needs many.
    threads = workers or (1 if devices == ["cpu"] else max(1, default_workers() // len(devices)))
    setup = Setup(request, plan, str(folder), devices[0], fast, size, threads)
    if fast:
        check_fast(devices[0])
        flips = flips_of_fast(setup, network, chunks[0])
        speaker.remark(
            f"{network.name} in bf16, on {flips['frames']} frames: the most probable class "
            f"differs on {flips['top1']:.1%}, the true class enters or leaves the top 5 on "
            f"{flips['in_top5']:.1%}, the five differ on {flips['top5']:.1%}."
        )
    return SweepRun(setup, network, files, chunks, seen, source, devices, shard)


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
    from biaskit.sweeps.summing import merge as merge_studies
    from biaskit.sweeps.summing import missing_chunks, sum_up

    speaker = Speaker(quiet=quiet, as_json=as_json)
    home = Study.find(study)
    with home.writing("biaskit merge"):
        taken = merge_studies(home, [Study(shard) for shard in shards])
        sum_up(home, seed=seed)
    sweeps = [b["sweep"] for b in home.parts("frames").values() if "sweep" in b]
    names = [dict(pairs) for pairs in dict.fromkeys(tuple(sweep.items()) for sweep in sweeps)]
    text, data = sweep_text(home, names, missing_chunks(home))
    speaker.result(
        f"{home.name}: {taken} chunks taken\n{text}\n{speaker.then('biaskit chart shifts', study)}",
        {"taken": taken, **data},
    )
