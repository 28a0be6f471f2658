"""What the sums of feature maps found, as plain text: a line per stage of each network."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from biaskit.cli.cells import cell, network_name
from biaskit.study import Study
from biaskit.sweeps.inside.stage import left_out

__all__ = ["antialiasing_text", "inside_text"]

PAPER_FACTOR = 45
_LEGEND = (
    "A line per subsampling factor: its last layer that is read after an activation or pooling.",
    "px: shift of the input that moves its map by one cell; field: px that a unit sees; changes:",
    "steps that change the sum over a map by more than 20 % of its mean, of one channel per image",
    "drawn by seed (the paper's Figure 5) and of all; spread: of the sum, of its mean, median",
    "channel; above, onto: energy of the response at or above half the sampling rate, and folding",
    "onto the sum, where places are dropped to reach this factor. 95 % intervals over images.",
)


def inside_text(
    study: Study, names: Sequence[Mapping[str, str]], missing: Mapping[str, Sequence[int]]
) -> tuple[str, dict[str, Any]]:
    """
    Tell what the sums of maps of some networks found.

    Parameters
    ----------
    study : Study
        Has ``shiftability_by`` and ``layers``.
    names : sequence of mappings
        The runs' first five columns.
    missing : mapping
        See `biaskit.sweeps.summing.missing_chunks`.

    Returns
    -------
    str
    dict
        The same for ``--json``.
    """
    if not study.has("shiftability_by"):
        return "no chunk was to be done here, and none is there yet", {"layers": [], "missing": {}}
    table, layers = study.read("shiftability_by"), study.read("layers")
    blocks, data = [], []
    for name in names:
        rows = table[np.logical_and.reduce([table[key] == word for key, word in name.items()])]
        about = layers[["network", "variant", "layer", "subsampling_factor", "field", "height"]]
        rows = rows.merge(about, on=["network", "variant", "layer"]).sort_values("order")
        blocks.append(_block(name, rows))
        reasons = pd.Series(left_out(study, "shiftability", name)).value_counts()
        blocks += [f"left out {count:,}: {reason}" for reason, count in reasons.items()]
        data += rows.to_dict("records")
    blocks += [
        f"not whole: {part} lacks {len(chunks)} chunks, the first is {chunks[0]}"
        for part, chunks in missing.items()
    ]
    told = {"layers": data, "missing": dict(missing)}
    return "\n".join([*blocks, *_LEGEND, *antialiasing_text(study)]), told


def _block(name: Mapping[str, str], rows: pd.DataFrame) -> str:
    fill = f", fill {name['fill']}" if name["fill"] != "none" else ""
    if rows.empty:
        return f"{network_name(name['network'], name['variant'])}: no image could be shown"
    lines = [
        f"{network_name(name['network'], name['variant'])}: {name['protocol']}, "
        f"{name['direction']}{fill}, {rows['n_steps'].iloc[0]:.0f} steps, "
        f"n = {rows['n_images'].iloc[0]:,} images, {len(rows):,} layers",
        f"{'px':>4}{'field':>6}{'depth':>6}  {'layer':<22}{'changes, drawn':>16}"
        f"{'changes, all':>16}{'spread':>16}{'above':>7}{'onto':>7}",
    ]
    known = rows["subsampling_factor"].notna()
    # Behind an ideal low-pass every unit sees all: the size of the map then tells stages apart.
    stages = rows["subsampling_factor"].where(known, -rows["height"])
    lines += [_stage(float(s), rows[stages == s]) for s in stages.drop_duplicates()]
    whole = rows[known]
    if len(whole) < len(rows):
        lines.append(
            f"  {len(rows) - len(whole):,} layers without a factor: their units see the whole "
            "input, or it could not be measured"
        )
    last = whole["subsampling_factor"].iloc[-1] if len(whole) else np.nan
    if last == last:
        lines.append(
            f"One in {last:g}^2 = {last**2:,.0f} shifts moves the last map by whole cells (the "
            f"paper: one in {PAPER_FACTOR}^2 = {PAPER_FACTOR**2:,})."
        )
    return "\n".join(lines)


def _stage(factor: float, stage: pd.DataFrame) -> str:
    read = stage[stage["reading"] != "linear"]
    row = (read if len(read) else stage).iloc[-1]
    drops = stage[stage["energy_onto_dc"].notna()]
    above, onto = "-", "-"
    if len(drops):
        above = f"{drops['energy_above_nyquist'].iloc[0]:.0%}"
        onto = f"{drops['energy_onto_dc'].iloc[0]:.2%}"
    field = "-" if np.isnan(row["field"]) else f"{row['field']:.0f}"
    cells = "".join(
        f"{cell(row, column):>16}"
        for column in ("nonshiftability_chosen", "nonshiftability", "variation_median")
    )
    layer = row["layer"] if len(row["layer"]) <= 21 else f"{row['layer'][:20]}…"
    px = f"{factor:g}" if factor > 0 else "-"
    return f"{px:>4}{field:>6}{row['depth']:>6}  {layer:<22}{cells}{above:>7}{onto:>7}"


def antialiasing_text(study: Study) -> list[str]:
    """
    Return the lines of what blur changed, if the study has variants of a network.

    Parameters
    ----------
    study : Study
    """
    if not study.has("antialiasing"):
        return []
    table = study.read("antialiasing")
    columns = {
        "accuracy": "accuracy",
        "agreement": "agrees",
        "p_true": "p true",
        "jagged": "jagged",
        "p_top1_change": "top-1 changes",
        "nonshiftability": "nonshiftable",
    }
    lines = []
    for (protocol, direction, fill), rows in table.groupby(["protocol", "direction", "fill"]):
        lines += [
            f"Blur before places are dropped, weights kept; {protocol}, {direction}, fill {fill}. "
            "Without retraining accuracy is expected to fall.",
            f"{'network':<34}{'n':>4}"
            + "".join(f"{word:>16}" for word in columns.values())
            + f"{'n':>4}",
        ]
        for _, row in rows.iterrows():
            cells = "".join(f"{cell(row, column):>16}" for column in columns)
            name = network_name(row["network"], row["variant"])
            lines.append(f"{name[:33]:<34}{row['n_images']:>4}{cells}{row['n_inside'] or '-':>4}")
    if lines:
        lines.append(
            "agrees: frames with the plain network's most probable class; nonshiftable: changes of "
            "sums, mean over the layers that drop places, of the images in the last column"
        )
    return lines
