"""The command ``robustness``: images at other sizes, in other places, and by many crops."""

import sys
from dataclasses import fields
from dataclasses import replace as replace_fields
from fractions import Fraction
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

if TYPE_CHECKING:
    from biaskit.sweeps.robust.voting import VotingSetup
    from biaskit.sweeps.runner import Setup

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command of this file to the command line."""
    command(app, "robustness")(robustness)


def robustness(
    images: Annotated[Path, typer.Argument(help="Folder of photographs.")],
    network: Annotated[list[str], typer.Option(help="Name; see biaskit networks. Repeat.")],
    study: StudyOption = None,
    variant: VariantOption = None,
    scales: Annotated[
        str, typer.Option(help="Longer side of the image, of the input's side.")
    ] = "1,3/4,1/2,3/8,1/4",
    places: Annotated[int, typer.Option(help="Random places at each scale.", min=2)] = 8,
    fill: Annotated[str | None, typer.Option(help="As of biaskit sweep.")] = None,
    crops: Annotated[
        int,
        typer.Option(
            help="Also answer by 1, 2, 4, ... up to so many random crops; 64 is usual.", min=0
        ),
    ] = 0,
    jitter: Annotated[
        int | None,
        typer.Option(help="Greatest shift of a crop each way, px; default 16/224 of the input."),
    ] = None,
    steps: Annotated[
        int, typer.Option(help="Frames per image that are answered by crops, one pixel apart.")
    ] = 9,
    labels: LabelsOption = None,
    images_are: SeenOption = None,
    sample: Annotated[
        int | None, typer.Option(help="Only so many photographs, drawn by seed.", min=1)
    ] = None,
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
    Show images smaller and in random places, as Figure 7 of the paper; and vote over random crops.

    Writes swept, frames and jaggedness of protocol places, robustness and robustness_by; with
    --crops also votes and voting.

    biaskit robustness photos --network efficientnet_lite0 --crops 64
    """
    from biaskit.cli.robust_text import robust_text
    from biaskit.study import Study
    from biaskit.sweeps.chunks import read_shard
    from biaskit.sweeps.robust.crops import check_crops, usual_jitter
    from biaskit.sweeps.robust.stage import VOTES_WORK, sum_up_robustness
    from biaskit.sweeps.robust.voting import VotingSetup
    from biaskit.sweeps.stage import run_sweep
    from biaskit.sweeps.summing import missing_chunks, sum_up

    speaker = Speaker(quiet=quiet, as_json=as_json)
    mode = mode_of(replace=replace, append=append, seen=images_are)
    wanted, counts = _scales(scales), _counts(crops)
    requests = network_requests(
        network, weights, classes,
        seed=seed, input_size=input_size, mean=mean, std=std, variants=variant,
    )  # fmt: skip
    folder, files = sweep_files(images, "places", labels, "", sample, seed)
    home = Study.find(study)
    common: dict[str, Any] = {
        "fast": fast, "device": device, "batch": batch, "workers": workers, "seen": images_are,
        "shard": read_shard(shard), "speaker": speaker,
    }  # fmt: skip

    def voters(usual: "Setup") -> "VotingSetup":
        same = {field.name: getattr(usual, field.name) for field in fields(usual)}
        most = usual_jitter(usual.plan.input_size) if jitter is None else jitter
        return VotingSetup(**same, jitter=most, crops=counts)

    names: list[dict[str, str]] = []
    with home.writing("biaskit robustness"):
        for request in requests:
            how = {"fill": fill, "steps": places, "scales": wanted, "seed": seed}
            runs = [sweep_run(request, "places", how, folder, files, home, **common)]
            if counts:
                voted = {"fill": fill, "steps": steps, "seed": seed}
                run = sweep_run(
                    request, "embed", voted, folder, files, home, **common,
                    setup_of=voters, times=1 + counts[-1], work=VOTES_WORK,
                )  # fmt: skip
                most = run.setup.jitter if isinstance(run.setup, VotingSetup) else 0
                check_crops(run.setup.plan, jitter=most, crops=counts)
                runs.append(replace_fields(run, options={"crops": list(counts), "jitter": most}))
            for run in runs:
                run_sweep(home, run, mode=mode, shown=speaker.progress)
                names.append(run.names)
        sum_up(home, seed=seed)
        sum_up_robustness(home, seed=seed)
    missing = missing_chunks(home) | missing_chunks(home, "votes")
    text, data = robust_text(home, names, missing)
    speaker.result(f"{text}\n{speaker.then('biaskit chart robustness', study)}", data)
    if shard is None and not home.read("swept", ["n_frames"])["n_frames"].any():
        print("biaskit: no image could be shown; see above for why.", file=sys.stderr)
        raise typer.Exit(1)


def _scales(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(Fraction(word.strip())) for word in text.split(","))
    except (ValueError, ZeroDivisionError):
        raise typer.BadParameter(
            f"--scales {text}: expected numbers such as 1,3/4,0.5 with commas between"
        ) from None


def _counts(most: int) -> tuple[int, ...]:
    """Return 1, 2, 4, ... up to a number of crops, and that number."""
    powers = [2**k for k in range(most.bit_length()) if 2**k <= most]
    return tuple(sorted({*powers, most})) if most else ()
