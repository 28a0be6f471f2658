"""Commands about tables: ``show`` what a study holds, ``export`` one, draw a ``chart``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from biaskit.cli.common import JsonOption, QuietOption, Speaker, StudyOption, command

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    command(app, "show")(show)
    command(app, "export")(export)
    command(app, "chart")(chart)


def show(
    table: Annotated[
        str | None, typer.Argument(help="Its first rows and where it is from.")
    ] = None,
    study: StudyOption = None,
    rows: Annotated[int, typer.Option(help="How many rows to show.", min=0)] = 10,
    as_json: JsonOption = False,
) -> None:
    """
    Show what is in a study, where it came from, and what is stale.

    biaskit show significance
    """
    import json

    from biaskit.study import Study

    speaker = Speaker(quiet=False, as_json=as_json)
    home = Study.find(study)
    if table is not None:
        frame, beside = home.read(table), home.provenance(table) or {}
        stale = home.stale(table)
        text = frame.head(rows).to_string(index=False)
        origin = json.dumps(beside, indent=2, ensure_ascii=False)
        note = f"\nstale: {stale}" if stale else ""
        speaker.result(f"{text}\n{len(frame):,} rows{note}\n{origin}", {**beside, "stale": stale})
        return
    entries = home.entries()
    lines = [f"{e.table:<14}{e.rows:>12,} rows  {e.made}  {e.state}" for e in entries]
    if not entries:
        lines = [f"{home.name}: no tables yet. To begin: biaskit boxes SOURCE..."]
    data = {e.table: {"rows": e.rows, "made": e.made, "state": e.state} for e in entries}
    speaker.result("\n".join(lines), {"study": home.name, "tables": data})


def export(
    table: Annotated[str, typer.Argument(help="Name of the table, such as significance.")],
    output: Annotated[
        Path | None, typer.Option(help="File; its ending decides the format. Default TABLE.csv.")
    ] = None,
    file_format: Annotated[
        str | None, typer.Option("--format", help="csv, parquet, latex, xlsx, html or md.")
    ] = None,
    columns: Annotated[list[str] | None, typer.Option(help="Only these. Repeat.")] = None,
    where: Annotated[
        list[str] | None, typer.Option(help="Only rows with column=value. Repeat.")
    ] = None,
    study: StudyOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """
    Export a table as CSV, Parquet, LaTeX, Excel, HTML or Markdown, with its origin beside it.

    biaskit export significance --output table.tex --where measure=position --where null=fit
    """
    from biaskit.export import export_table
    from biaskit.study import Study
    from biaskit.tables import SCHEMAS

    speaker = Speaker(quiet=quiet, as_json=as_json)
    home = Study.find(study)
    frame = home.read(table)
    for condition in where or []:
        column, _, value = condition.partition("=")
        if column not in frame.columns:
            raise typer.BadParameter(f"--where {condition}: {table} has no column {column!r}")
        frame = frame[frame[column].astype(str) == value]
    beside = {
        **(home.provenance(table) or {}),
        "stale": home.stale(table),
        "where": where or [],
    }
    path = export_table(
        frame.reset_index(drop=True),
        output or Path(f"{table}.csv"),
        schema=SCHEMAS[table],
        format=file_format,
        provenance=beside,
        columns=columns,
    )
    speaker.result(f"{path}: {len(frame):,} rows", {"file": str(path), "rows": len(frame)})


def chart(
    name: Annotated[
        str,
        typer.Argument(
            help="Of boxes: places, sizes, volcano, ranks, forest, drift. Of marks: midpoints, "
            "distances, marks (on a photograph), agreement. Of sweeps: shifts, "
            "curve, film, depth, accuracy, steps, lags; sweep is an animation. Of what is inside "
            "networks: maps, nonshiftability, factors, antialiasing. Of other sizes, places and "
            "crops: robustness, robust-places, voting."
        ),
    ],
    category: Annotated[str | None, typer.Option(help="Only this category.")] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            help="File .svg, .png, .pdf, .html or .json; of sweep .gif or .mp4. Default NAME.svg."
        ),
    ] = None,
    title: Annotated[str | None, typer.Option(help="Of charts of boxes and marks.")] = None,
    pair: Annotated[
        str | None, typer.Option(help="Of marks: the two points, such as left_eye,right_eye.")
    ] = None,
    network: Annotated[
        list[str] | None, typer.Option(help="Only this network of the sweep. Repeat.")
    ] = None,
    protocol: Annotated[str | None, typer.Option(help="Which sweep, if several.")] = None,
    direction: Annotated[str | None, typer.Option(help="Which sweep, if several.")] = None,
    fill: Annotated[str | None, typer.Option(help="Which sweep, if several.")] = None,
    sort: Annotated[
        str | None, typer.Option(help="Rows of shifts: sum, box or jaggedness.")
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(
            help="Of curve, film and sweep; default: with the largest jump. Of marks; default: "
            "the most typical. Of maps."
        ),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(help="The photographs that were swept or marked, or the film."),
    ] = None,
    measure: Annotated[
        str | None,
        typer.Option(
            help="Of depth and accuracy: jagged, transitions_per_step, p_top1_change or "
            "mean_abs_change. Of nonshiftability: nonshiftability_chosen, nonshiftability, "
            "deviation or variation_median. Of robustness: accuracy, accuracy_top5 or worst."
        ),
    ] = None,
    subset: Annotated[
        str | None,
        typer.Option(help="Of depth and accuracy: all, 'ever top 5' or 'all right'."),
    ] = None,
    layers: Annotated[list[str] | None, typer.Option(help="Of maps: this layer. Repeat.")] = None,
    linear: Annotated[
        bool | None,
        typer.Option(help="Of nonshiftability: whether layers without activation are drawn."),
    ] = None,
    scale: Annotated[
        float | None, typer.Option(help="Of robust-places: size of the image; default 0.5.")
    ] = None,
    jitter: Annotated[int | None, typer.Option(help="Of voting: which, if several.")] = None,
    study: StudyOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """
    Draw a chart of the study's tables, with its origin beside it.

    biaskit chart places --category n02097474 --output terriers.png

    biaskit chart curve --images photos --output jump.png
    """
    from biaskit.annotations.synsets import words_of
    from biaskit.charts import ANIMATION, CHARTS, save_study_chart
    from biaskit.study import Study

    speaker = Speaker(quiet=quiet, as_json=as_json)
    given: dict[str, Any] = {
        "title": title, "network": network or None, "protocol": protocol, "direction": direction,
        "fill": fill, "sort": sort, "image": image, "images": images, "measure": measure,
        "subset": subset, "layers": layers or None, "linear": linear, "scale": scale,
        "jitter": jitter, "pair": pair.split(",") if pair else None,
    }  # fmt: skip
    options = {key: value for key, value in given.items() if value is not None}
    kind = ANIMATION if name == "sweep" else CHARTS.get(name)
    for option in options:
        if kind is not None and option not in kind.options:
            taken = ", ".join(f"--{one}" for one in kind.options) or "no option of its own"
            raise typer.BadParameter(f"--{option}: the chart {name} takes {taken}")
    if name == "sweep" and images is None:
        raise typer.BadParameter("the chart sweep shows frames: --images names the photographs")
    usual = Path("sweep.gif" if name == "sweep" else f"{name}.svg")
    path = save_study_chart(
        Study.find(study), name, output or usual, category=category, words=words_of(), **options
    )
    about = kind.about if kind else name
    speaker.result(f"{path}: {about}", {"file": str(path), "chart": name})
