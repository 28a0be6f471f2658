"""Commands about the data's bias: ``test``, ``audit``, ``calibrate``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from biaskit.cli.common import (
    JsonOption,
    QuietOption,
    ReplaceOption,
    SeedOption,
    Speaker,
    StudyOption,
    command,
)

__all__ = ["register"]

EdgeOption = Annotated[float, typer.Option(help="A box this near the frame (px) is cut by it.")]
WordsOption = Annotated[Path | None, typer.Option(help="File of wnid and word, for the names.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    command(app, "test")(run_tests)
    command(app, "audit")(audit)
    command(app, "calibrate")(calibrate)


def run_tests(
    study: StudyOption = None,
    against: Annotated[
        Path | None, typer.Option(help="Another study, to compare the categories with.")
    ] = None,
    seed: SeedOption = 0,
    edge_px: EdgeOption = 2,
    draws: Annotated[int, typer.Option(help="Redraws of the randomisation.", min=1)] = 20,
    resamples: Annotated[int, typer.Option(help="Of the images, for intervals.", min=100)] = 1000,
    permutations: Annotated[int, typer.Option(help="Of images, for drift.", min=99)] = 999,
    threshold: Annotated[float, typer.Option(help="log10 of the P counted.", max=0)] = -10,
    limit: Annotated[int, typer.Option(help="Categories printed.", min=0)] = 20,
    words: WordsOption = None,
    pair: Annotated[
        str | None, typer.Option(help="Of marks: the two points, such as left_eye,right_eye.")
    ] = None,
    error_px: Annotated[
        float | None,
        typer.Option(help="Of one mark; default: as measured between annotators.", min=0),
    ] = None,
    replace: ReplaceOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """
    Test every category for uniform position and size, and measure by how much it departs.

    Boxes, landmark pairs (such as eyes) or both, whichever the study has. Writes measures,
    significance, effects and symmetry, and drift with --against; prints how many categories fall
    below the threshold under every null.

    biaskit test --against other_study
    """
    from biaskit.annotations.synsets import words_of
    from biaskit.bias.headline import headline
    from biaskit.bias.stage import make_tables
    from biaskit.cli.landmark_text import pairs_text
    from biaskit.cli.text import categories_text, drift_text, headline_text
    from biaskit.study import Study

    speaker = Speaker(quiet=quiet, as_json=as_json)
    home = Study.find(study)
    other = Study(against) if against else None
    with home.writing("biaskit test"):
        make_tables(
            home,
            seed=seed,
            against=other,
            edge_px=edge_px,
            draws=draws,
            resamples=resamples,
            permutations=permutations,
            pair=pair.split(",") if pair else None,
            error_px=error_px,
            mode="replace" if replace else "continue",
            shown=speaker.progress,
        )
    significance, effects = home.read("significance"), home.read("effects")
    counts = headline(significance, threshold=threshold)
    parts = []
    if home.has("boxes"):
        parts = [
            headline_text(counts, threshold),
            categories_text(significance, effects, words_of(words), limit=limit),
        ]
    if home.has("keypoints"):
        named = words_of(words)
        parts.append(pairs_text(significance, effects, named, threshold=threshold, limit=limit))
    if other:
        parts.append(drift_text(home.read("drift")))
    after = "biaskit audit" if home.has("boxes") else "biaskit chart midpoints"
    speaker.result(
        "\n\n".join([*parts, speaker.then(after, study)]),
        {"threshold": threshold, "headline": counts.to_dict("records")},
    )


def audit(
    study: StudyOption = None,
    output: Annotated[Path | None, typer.Option(help="Page; default STUDY/audit.html.")] = None,
    worst: Annotated[int, typer.Option(help="Categories shown with pictures.", min=0)] = 12,
    title: Annotated[
        str | None, typer.Option(help="Of the page; default the study's name.")
    ] = None,
    words: WordsOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """
    Write one self-contained HTML page: what was read, the headline, the worst categories.

    It needs no network and can be sent as it is.

    biaskit audit --output audit.html
    """
    from biaskit.annotations.synsets import words_of
    from biaskit.provenance import provenance, write_bytes_whole
    from biaskit.report import audit_page
    from biaskit.study import Study

    speaker = Speaker(quiet=quiet, as_json=as_json)
    home = Study.find(study)
    needed = ("boxes", "repairs", "significance", "effects", "symmetry")
    tables = {name: home.read(name) for name in needed}
    if home.has("drift"):
        tables["drift"] = home.read("drift")
    made = {name: home.provenance(name) for name in tables}
    now = provenance(
        inputs=[home.digest(name) for name in tables], options={"worst": worst}, seed=None
    )
    with speaker.progress("audit") as progress:
        page = audit_page(
            tables,
            title=title or home.folder.resolve().name,
            provenance={**now, "tables": made},
            edge_px=_edge_px(made["significance"]),
            n_worst=worst,
            words=words_of(words),
            progress=progress,
        )
    path = output or home.folder / "audit.html"
    write_bytes_whole(path, page.encode())
    speaker.result(f"{path}: {len(page) / 1e6:.1f} MB. Open it in a browser.", {"page": str(path)})


def calibrate(
    study: StudyOption = None,
    seed: SeedOption = 0,
    runs: Annotated[int, typer.Option(help="Simulated categories per setting.", min=100)] = 1000,
    short: Annotated[bool, typer.Option("--short", help="A smaller version, in seconds.")] = False,
    replace: ReplaceOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """
    Check the tests on simulated data: size under every null, power, coverage, far tails.

    biaskit calibrate --short
    """
    from biaskit.bias.calibration import calibrate as run
    from biaskit.bias.calibration import describe
    from biaskit.provenance import provenance
    from biaskit.study import Study

    speaker = Speaker(quiet=quiet, as_json=as_json)
    home = Study.find(study)
    now = provenance(inputs=[], options={"runs": runs, "short": short}, seed=seed)
    with home.writing("biaskit calibrate"):
        if home.needs("calibration", now, "replace" if replace else "continue"):
            with speaker.progress("calibration") as progress:
                table = run(seed=seed, runs=runs, short=short, progress=progress)
            home.write("calibration", table, now)
    table = home.read("calibration")
    speaker.result(describe(table), {"rows": len(table)})


def _edge_px(made: Mapping[str, Any] | None) -> float:
    """Return the edge the tests used, as their provenance tells it."""
    return float((made or {}).get("options", {}).get("edge_px", 2))
