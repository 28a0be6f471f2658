"""What sweeps found, as plain text: a line per network, then pairs, then what was left out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from biaskit.cli.cells import cell, network_name, signed
from biaskit.study import Study

__all__ = ["sweep_text"]

PAIRS = 12  # lines at most; the table has them all
_SWEEP = ("protocol", "direction", "fill")
_COLUMNS = (
    ("jagged", "jagged"),
    ("p_top1_change", "top-1 changes"),
    ("mean_abs_change", "mean |change|"),
    ("accuracy", "accuracy"),
    ("accuracy_top5", "in top 5"),
)
_LEGEND = (
    "jagged: images whose true class enters or leaves the top 5 at any step; the other columns are",
    "means over images, per step or frame; 95 % intervals over images. One network less another:",
    "top-1 changes; images jagged under the first only : the second only, McNemar's log10 p.",
)


def sweep_text(
    study: Study, names: Sequence[Mapping[str, str]], missing: Mapping[str, Sequence[int]]
) -> tuple[str, dict[str, Any]]:
    """
    Tell what some sweeps of a study found.

    Parameters
    ----------
    study : Study
        Has ``swept``, ``jaggedness_by`` and ``network_pairs``.
    names : sequence of mappings
        The sweeps' first five columns.
    missing : mapping
        See `biaskit.sweeps.summing.missing_chunks`.

    Returns
    -------
    str
    dict
        The same for ``--json``.
    """
    if not study.has("jaggedness_by"):
        return "no chunk was to be done here, and none is there yet", {"sweeps": [], "missing": {}}
    groups, pairs = study.read("jaggedness_by"), study.read("network_pairs")
    left_out = study.read("swept", ["network", "variant", *_SWEEP, "reason", "n_frames"])
    blocks, data = [], []
    for sweep in dict.fromkeys(tuple(name[key] for key in _SWEEP) for name in names):
        of_sweep = [name for name in names if tuple(name[key] for key in _SWEEP) == sweep]
        rows = _rows_of(groups, sweep)
        rows = rows[(rows["category"] == "") & (rows["subset"] == "all")]
        blocks.append(_block(sweep, rows, _rows_of(pairs, sweep)))
        blocks += _reasons(left_out, of_sweep)
        data += rows.to_dict("records")
    artefact = _artefact(study, names)
    for part, chunks in missing.items():
        blocks.append(f"not whole: {part} lacks {len(chunks)} chunks, the first is {chunks[0]}")
    return "\n".join([*blocks, *artefact, *_LEGEND]), {"sweeps": data, "missing": dict(missing)}


def _rows_of(table: pd.DataFrame, sweep: tuple[str, ...]) -> pd.DataFrame:
    keep = np.logical_and.reduce(
        [(table[key] == word).to_numpy() for key, word in zip(_SWEEP, sweep, strict=True)]
    )
    return table[keep]


def _block(sweep: tuple[str, ...], rows: pd.DataFrame, pairs: pd.DataFrame) -> str:
    protocol, direction, fill = sweep
    steps = f"{rows['n_steps'].mean():.0f} steps" if len(rows) else "no step"
    seen = ", ".join(sorted(set(rows["seen"])))
    head = f"{protocol}, {direction}{f', fill {fill}' if fill != 'none' else ''}"
    images = {"held out": "images held out from training", "training": "the networks' own training"
              " images", "unknown": "not known whether trained on"}.get(seen, seen)  # fmt: skip
    named = [network_name(n, v) for n, v in zip(rows["network"], rows["variant"], strict=True)]
    wide = min(34, max([19, *map(len, named)])) + 1
    lines = [
        f"{head}: {steps} per image; {images or 'no image'}",
        f"{'network':<{wide}}{'n':>5}" + "".join(f"{name:>16}" for _, name in _COLUMNS),
    ]
    for name, (_, row) in zip(named, rows.iterrows(), strict=True):
        cells = "".join(f"{cell(row, column):>16}" for column, _ in _COLUMNS)
        lines.append(f"{name[: wide - 1]:<{wide}}{row['n_images']:>5}{cells}")
        lines += _what_is_missing(row)
    told = _told(pairs[pairs["subset"] == "all"])
    for _, pair in told.head(PAIRS).iterrows():
        a, b = (network_name(pair[f"network_{k}"], pair[f"variant_{k}"]) for k in "ab")
        p = "-" if np.isnan(pair["log10_p"]) else f"{round(pair['log10_p'], 1) + 0.0:.1f}"
        lines.append(
            f"{a} less {b}: top-1 changes {signed(pair['difference'])} [{signed(pair['low'])} "
            f"{signed(pair['high'])}]; jagged {pair['only_a']} : {pair['only_b']}, log10 p {p}"
        )
    more = (pairs["subset"] == "all").sum() - min(PAIRS, len(told))
    if more:
        lines.append(f"... {more:,} more pairs: biaskit export network_pairs")
    return "\n".join(lines)


def _told(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of networks in one variant, and of one network as it is and blurred."""
    same = pairs["variant_a"] == pairs["variant_b"]
    plain = (pairs["variant_a"] == "plain") | (pairs["variant_b"] == "plain")
    return pairs[same | (plain & (pairs["network_a"] == pairs["network_b"]))]


def _what_is_missing(row: pd.Series) -> list[str]:
    unknown = row["n_images"] - row["n_labelled"]
    if unknown:
        return [
            f"  {unknown:,} of {row['n_images']:,} images have no true class this network knows: "
            "jagged and accuracy are of the others"
        ]
    if row["n_images"] and np.isnan(row["jagged"]):
        return [
            "  fewer than 6 classes, nearly all of them always in the top 5: top-1 measures only"
        ]
    return []


def _reasons(swept: pd.DataFrame, names: Sequence[Mapping[str, str]]) -> list[str]:
    lines = []
    for name in names:
        keep = np.logical_and.reduce([(swept[key] == word) for key, word in name.items()])
        reasons = swept.loc[keep & (swept["reason"] != ""), "reason"].value_counts()
        for reason, count in sorted(reasons.items()):
            lines.append(
                f"{network_name(name['network'], name['variant'])}: left out {count:,}: {reason}"
            )
    return lines


def _artefact(study: Study, names: Sequence[Mapping[str, str]]) -> list[str]:
    """Say what filling the background anew at each step changes, image by image."""
    lines = []
    for name in names:
        if not name["fill"].endswith("-refilled"):
            continue
        keys = ["image_id", "object", "pass"]
        once, anew = (
            study.read(
                "jaggedness",
                [*keys, "p_top1_change"],
                [("lag", "=", 1), *((k, "=", v) for k, v in {**name, "fill": fill}.items())],
            ).set_index(keys)["p_top1_change"]
            for fill in (name["fill"].removesuffix("-refilled"), name["fill"])
        )
        difference = (anew - once).dropna()
        if len(difference) > 1:
            error = difference.std() / np.sqrt(len(difference))
            lines.append(
                f"{name['network']}: filling anew at each step changes P(top-1 change) by "
                f"{difference.mean():+.4f}, standard error {error:.4f} (n = {len(difference):,})"
            )
    return lines
