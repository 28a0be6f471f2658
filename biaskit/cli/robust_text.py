"""What images at other sizes and places, and votes over crops, found: as plain text."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from biaskit.cli.cells import cell, network_name
from biaskit.study import Study
from biaskit.sweeps.inside.stage import left_out
from biaskit.tables import SWEPT

__all__ = ["robust_text"]

_PLACES = (
    ("accuracy", "accuracy"),
    ("accuracy_top5", "in top 5"),
    ("worst", "right everywhere"),
)
_VOTES = (("accuracy", "accuracy"), ("p_top1_change", "answer changes"), ("jagged", "jagged"))
_PLACES_LEGEND = (
    "scale: longer side of the image, of the input's; right everywhere: images right at all their",
    "random places. Shares of images whose true class is known, 95 % intervals over images.",
)
_VOTES_LEGEND = (
    "crops: forward passes per answer; 0: the frame itself. answer changes: pairs of frames one",
    "pixel apart; jagged: images whose true class enters or leaves the top 5 of the mean.",
)


def robust_text(
    study: Study, names: Sequence[Mapping[str, str]], missing: Mapping[str, Sequence[int]]
) -> tuple[str, dict[str, Any]]:
    """
    Tell how right networks are at every scale, and by how many crops.

    Parameters
    ----------
    study : Study
    names : sequence of mappings
        The runs' first five columns: of protocol places, and of the frames answered by crops.
    missing : mapping
        See `biaskit.sweeps.summing.missing_chunks`.

    Returns
    -------
    str
    dict
        The same for ``--json``.
    """
    networks = {name["network"] for name in names}
    lines: list[str] = []
    data: dict[str, Any] = {"robustness": [], "voting": [], "missing": dict(missing)}
    if study.has("robustness_by"):
        rows = study.read("robustness_by")
        people = rows["network"].str.startswith("people")
        rows = rows[(rows["category"] == "") & (rows["network"].isin(networks) | people)]
        lines += _scales(rows)
        data["robustness"] = rows.to_dict("records")
    if study.has("voting"):
        rows = study.read("voting")
        rows = rows[rows["network"].isin(networks)]
        for (direction, fill, jitter), group in rows.groupby(["direction", "fill", "jitter"]):
            lines.append(f"Crops up to {jitter} px off each frame; {direction}, fill {fill}")
            lines += _crops(group)
        lines += _VOTES_LEGEND if len(rows) else ()
        data["voting"] = rows.to_dict("records")
    lines += _left_out(study, names)
    lines += [
        f"not whole: {part} lacks {len(chunks)} chunks, the first is {chunks[0]}"
        for part, chunks in missing.items()
    ]
    return "\n".join(lines) or "no chunk was to be done here, and none is there yet", data


def _scales(rows: pd.DataFrame) -> list[str]:
    head = "".join(f"{word:>18}" for _, word in _PLACES)
    lines = [f"{'network':<28}{'fill':<10}{'scale':>6}{'n':>5}{head}"]
    rows = rows.sort_values(
        ["network", "variant", "fill", "scale"], ascending=[True, True, True, False]
    )
    for _, row in rows.iterrows():
        name = network_name(row["network"], row["variant"])
        cells = "".join(f"{cell(row, column):>18}" for column, _ in _PLACES)
        lines.append(
            f"{name[:27]:<28}{row['fill'][:9]:<10}{row['scale']:>6.3g}{row['n_images']:>5,}{cells}"
        )
    return [*lines, *_PLACES_LEGEND]


def _crops(rows: pd.DataFrame) -> list[str]:
    head = "".join(f"{word:>18}" for _, word in _VOTES)
    lines = [f"{'network':<28}{'rule':<6}{'crops':>6}{'n':>5}{head}"]
    for _, row in rows.iterrows():
        name = network_name(row["network"], row["variant"])
        cells = "".join(f"{cell(row, column):>18}" for column, _ in _VOTES)
        lines.append(
            f"{name[:27]:<28}{row['rule']:<6}{row['crops']:>6}{row['n_images']:>5,}{cells}"
        )
    return lines


def _left_out(study: Study, names: Sequence[Mapping[str, str]]) -> list[str]:
    """Say of how many images nothing was seen, and why; and of how many no class is known."""
    lines = []
    swept = study.read("swept") if study.has("swept") else SWEPT.empty()
    for name in names:
        label = network_name(name["network"], name["variant"])
        if name["protocol"] != "places":
            reasons = pd.Series(left_out(study, "votes", name), dtype=object)
        else:
            own = swept[np.logical_and.reduce([(swept[k] == v) for k, v in name.items()])]
            reasons = own.loc[own["reason"] != "", "reason"]
            unlabelled = int((own["category"] == "").sum())
            if unlabelled:
                lines.append(f"{label}: {unlabelled:,} of {len(own):,} images have no known class")
        for reason, count in sorted(reasons.value_counts().items()):
            lines.append(f"{label}: left out {count:,}: {reason}")
    return lines
