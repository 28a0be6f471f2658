"""What the commands that show photographs to networks share: their options, files and runs."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from biaskit.cli.common import Speaker

if TYPE_CHECKING:
    from biaskit.study import Mode, Study
    from biaskit.sweeps.images import ImageFile
    from biaskit.sweeps.networks import NetworkRequest
    from biaskit.sweeps.runner import Setup
    from biaskit.sweeps.stage import SweepRun

__all__ = [
    "BatchOption",
    "DeviceOption",
    "FastOption",
    "LabelsOption",
    "SeenOption",
    "ShardOption",
    "WorkersOption",
    "mode_of",
    "sweep_files",
    "sweep_run",
]

LabelsOption = Annotated[
    Path | None, typer.Option(help="CSV of image and class; default labels.csv in the folder.")
]
SeenOption = Annotated[
    str | None,
    typer.Option(help="training, held out or unknown to the networks; default by name."),
]
FastOption = Annotated[
    bool, typer.Option("--fast/--reference", help="bf16 instead of float32; shows what flips.")
]
DeviceOption = Annotated[
    str | None, typer.Option(help="cpu, cuda, cuda:1; default every GPU, else the CPU.")
]
BatchOption = Annotated[int | None, typer.Option(help="Frames per batch.", min=1)]
WorkersOption = Annotated[int | None, typer.Option(help="Threads that make canvases.", min=1)]
ShardOption = Annotated[str | None, typer.Option(help="I/N: only every N-th chunk.")]


def mode_of(*, replace: bool, append: bool, seen: str | None) -> "Mode":
    """Return what a command does with tables that are there; refuse options that clash."""
    from biaskit.tables.sweeps import SEEN

    if replace and append:
        raise typer.BadParameter("--replace and --append exclude each other")
    if seen is not None and seen not in SEEN:
        raise typer.BadParameter(f"--images-are takes {', '.join(SEEN)}")
    return "replace" if replace else "append" if append else "continue"


def sweep_files(
    images: Path, protocol: str, labels: Path | None, label: str, sample: int | None, seed: int
) -> "tuple[Path, list[ImageFile]]":
    """Return the folder of the photographs that a command is given, and the files to show."""
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


def sweep_run(
    request: "NetworkRequest",
    protocol: str,
    how: dict[str, Any],
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
    setup_of: "Callable[[Setup], Setup] | None" = None,
    times: int = 1,
    **work: Any,
) -> "SweepRun":
    """
    Load a network and return its run over the photographs.

    Parameters
    ----------
    request, protocol, how, folder, files, home, fast, device, batch, workers, seen, shard
        What the command was told; ``how`` are the options of ``make_plan``.
    speaker : Speaker
        Says what bf16 flips.
    setup_of : callable, optional
        Makes another kind of setup of the usual one.
    times : int
        How often each frame is shown, such as once for each of its crops.
    **work
        Further fields of the run.
    """
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
        **how,
    )
    boxes, source = {}, None
    if protocol in ("crop", "crop-scaled"):
        boxes = boxes_by_image(home.read("boxes"), {file.image_id for file in files})
        source = home.digest("boxes")
    size = batch or usual_batch(devices[0], plan.steps * times)
    chunks = cut_chunks(files, plan, size, boxes, times=times)
    # On a CPU one thread is enough, and takes no core from the network; a GPU needs many.
    threads = workers or (1 if devices == ["cpu"] else max(1, default_workers() // len(devices)))
    setup = Setup(request, plan, str(folder), devices[0], fast, size, threads)
    if fast:
        check_fast(devices[0])
        flips = flips_of_fast(setup, network, chunks[0])
        speaker.remark(
            f"{network.name}, {network.variant}, in bf16, on {flips['frames']} frames: the most "
            f"probable class differs on {flips['top1']:.1%}, the true class enters or leaves the "
            f"top 5 on {flips['in_top5']:.1%}, the five differ on {flips['top5']:.1%}."
        )
    if setup_of is not None:
        setup = setup_of(setup)
    return SweepRun(setup, network, files, chunks, seen, source, devices, shard, **work)
