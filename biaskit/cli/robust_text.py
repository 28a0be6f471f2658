"""What images at other sizes and places, and votes over crops, found: as plain text."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from biaskit.cli.cells import cell, network_name
from biaskit.study import Study

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
    study: Study, networks: Sequence[str], missing: Mapping[str, Sequence[int]]
) -> tuple[str, dict[str, Any]]:
    """
    Tell how right networks are at every scale, and by how many crops.

    Parameters
    ----------
    study : Study
    networks : sequence of str
        Names of those to tell of.
    missing : mapping
        See `biaskit.sweeps.summing.missing_chunks`.

    Returns
    -------
    str
    dict
        The same for ``--json``.
    """
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
        lines += _crops(rows)
        data["voting"] = rows.to_dict("records")
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
    return [*lines, *_VOTES_LEGEND]
