"""The command that shows the mathematics: ``sampling``, what samples keep of a response."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    import pandas as pd

    from biaskit.study import Study

__all__ = ["register"]

SAMPLES = 15  # along every side: few enough to be counted in the chart
_WHY = (
    "The samples hold all there is, so a sum over them is a sum over the response.",
    "No wave reaches the sum, yet what was sampled cannot be told from lower waves.",
    "Waves of the sampling rate look constant to the samples: the shift decides how high.",
    "A ReLU makes new waves above the rate: invariance ends at the next nonlinearity.",
)
_LEGEND = (
    "above half, onto sum: share of the response's energy at or above half the sampling rate, and",
    "at multiples of the rate; sum moves: greatest less least sum of the samples, of their mean;",
    "rebuilt off: root mean square error of the response rebuilt from its samples, of its own.",
    "0 %: less than 1e-9, which is rounding.",
)
_ROUNDING = 1e-9
_COLUMNS = (
    ("above half", "energy_above_nyquist"),
    ("onto sum", "energy_onto_dc"),
    ("sum moves", "sum_variation"),
    ("rebuilt off", "interpolation_error"),
)


def register(app: typer.Typer) -> None:
    """Add the command of this file to the command line."""
    command(app, "sampling")(sampling)


def sampling(
    factor: Annotated[
        int, typer.Option(help="Places from one sample to the next.", min=2, max=16)
    ] = 4,
    seed: SeedOption = 0,
    output: Annotated[
        Path | None, typer.Option(help="Also a chart: file .svg, .png, .pdf, .html or .json.")
    ] = None,
    study: StudyOption = None,
    replace: ReplaceOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """
    Show when a response that is sampled at every s-th place pools to the same sum wherever it is.

    Four responses, along a line and as a map, are sampled at every shift; the table sampling has
    what was measured.

    biaskit sampling --factor 4 --output sampling.svg
    """
    from biaskit.provenance import provenance
    from biaskit.study import Study
    from biaskit.sweeps.sampling_cases import demonstration

    speaker = Speaker(quiet=quiet, as_json=as_json)
    home = Study.find(study)
    now = provenance(inputs=[], options={"factor": factor}, seed=seed)
    with home.writing("biaskit sampling"):
        if home.needs("sampling", now, "replace" if replace else "continue"):
            home.write("sampling", demonstration(n=SAMPLES * factor, factor=factor, seed=seed), now)
    table = home.read("sampling")
    if output:
        _draw(home, output, factor=factor, seed=seed)
        speaker.remark(f"{output}: a chart of the cases along a line")
    speaker.result(
        _text(table), {"sampling": table.to_dict("records"), "chart": output and str(output)}
    )


def _draw(home: "Study", output: Path, *, factor: int, seed: int) -> None:
    from biaskit.charts.render import save_chart
    from biaskit.charts.sampling import sampling as draw
    from biaskit.provenance import provenance
    from biaskit.sweeps.sampling_cases import demonstration_curves

    curves = demonstration_curves(n=SAMPLES * factor, factor=factor, seed=seed)
    options = {"chart": "sampling", "factor": factor}
    origin = provenance(inputs=[home.digest("sampling")], options=options, seed=seed)
    save_chart(draw(home.read("sampling"), curves), output, provenance=origin)


def _text(table: "pd.DataFrame") -> str:
    """Lay out the cases: a sentence each, and what was measured along a line and on a map."""
    n, factor = (int(table[name].iloc[0]) for name in ("n", "factor"))
    lines = [
        f"Responses of {n} places along each side, one place in {factor} sampled, at every shift",
        f"{'':<4}" + "".join(f"{head:>13}" for head, _ in _COLUMNS),
    ]
    for number, (case, rows) in enumerate(table.groupby("case", sort=False)):
        lines += [f"{number + 1}. {case}", f"   {_WHY[number]}"]
        for _, row in rows.iterrows():
            cells = "".join(f"{_percent(row[column]):>13}" for _, column in _COLUMNS)
            lines.append(f"{'line' if row['dimensions'] == 1 else 'map':<4}{cells}")
    return "\n".join([*lines, *_LEGEND])


def _percent(share: float) -> str:
    return "0 %" if share < _ROUNDING else f"{share:.1%}".replace("%", " %")
