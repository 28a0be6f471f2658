"""Intervals on trial: how often they hold the truth, with no, a small and a large effect."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import pandas as pd

from biaskit.bias.calibration_plan import binomial_interval
from biaskit.bias.drift import drift
from biaskit.bias.effects import EFFECTS_OF, effects
from biaskit.bias.planted import planted
from biaskit.bias.symmetry import symmetry

__all__ = ["coverage"]

_LAWS = {"free": "no effect", "small effect": "small effect", "large effect": "large effect"}
_ASKED = (("position", "fit"), ("position_y", "fit"), ("height", "log-uniform"))
_RESAMPLES = 500
_KEYS = ["measure", "null", "subject"]


def coverage(n: int, runs: int, seed: int, *, n_truth: int = 200_000) -> list[dict[str, object]]:
    """
    Measure the coverage of every interval with n images.

    Parameters
    ----------
    n : int
        Images per category.
    runs : int
        Categories.
    seed : int
    n_truth : int
        Other images of the same law whose estimate is taken as the truth: with 200,000 its error
        is a twentieth of that from 500.

    Returns
    -------
    list of dict
        Rows of table ``calibration``.

    Notes
    -----
    Distances from a null that is true are 0. The law ``free`` has places free and sizes of no
    special law, so of its sizes no distance is tried.
    """
    rows: list[dict[str, object]] = []
    for law, scenario in _LAWS.items():
        boxes = planted(law, n_images=n, n_categories=runs, seed=seed + 2)
        truth = _truth(law, seed, n_truth)
        for table in (_effects(boxes, seed, _RESAMPLES), _symmetry(boxes, seed)):
            rows += _covered(table, truth, scenario, n)
        other = planted("free", n_images=n, n_categories=runs, seed=seed + 3)
        both = _drift(boxes, other, seed, _RESAMPLES)
        rows += _covered(both, truth, scenario, n)
    return rows


@lru_cache(maxsize=8)
def _truth(law: str, seed: int, n_truth: int) -> Mapping[tuple[str, str, str], float]:
    boxes = planted(law, n_images=n_truth, seed=seed + 4)
    found = pd.concat([_effects(boxes, seed, 1), _symmetry(boxes, seed)])
    truth = {tuple(row[_KEYS]): float(row["value"]) for _, row in found.iterrows()}
    other = planted("free", n_images=n_truth, seed=seed + 5)
    for name, low, high in (("position_x", "x_min", "x_max"), ("position_y", "y_min", "y_max")):
        means = [((b[low] + b[high]) / 2).mean() for b in (boxes, other)]
        truth[name, "frame", "drift difference"] = means[0] - means[1]
    heights = [(b["y_max"] - b["y_min"]).mean() for b in (boxes, other)]
    truth["height", "frame", "drift difference"] = heights[0] - heights[1]
    if law == "free":
        truth = {key: _null_truth(key, value) for key, value in truth.items()}
    return truth


def _null_truth(key: tuple[str, str, str], value: float) -> float:
    """Replace by 0 what is 0 under the law ``free``; leave out its distances of size."""
    measure, _, subject = key
    if subject in EFFECTS_OF and EFFECTS_OF[subject].interval == "lower limit":
        return float("nan") if measure == "height" else 0.0
    zero = ("offset", "central_excess", "mirror_sign", "mirror_mean", "coupling")
    return 0.0 if subject in (*zero, "drift difference") else value


def _effects(boxes: pd.DataFrame, seed: int, n_resamples: int) -> pd.DataFrame:
    table = effects(boxes, seed=seed, n_resamples=n_resamples, policies=["one"], edges=["with"])
    asked = [(table["measure"] == measure) & (table["null"] == null) for measure, null in _ASKED]
    table = table[np.any(asked, axis=0)]
    table = table.assign(subject=table["effect"].astype(str))
    table = table[table["subject"].map(lambda name: EFFECTS_OF[name].interval != "none")]
    return table.astype({"measure": str, "null": str})[[*_KEYS, "value", "low", "high"]]


def _symmetry(boxes: pd.DataFrame, seed: int) -> pd.DataFrame:
    table = symmetry(boxes, seed=seed, policies=["one"], edges=["with"])
    measure = np.where(table["test"] == "coupling", "position", "position_x")
    return table.assign(measure=measure, null="fit", subject=table["test"], value=table["effect"])[
        [*_KEYS, "value", "low", "high"]
    ]


def _drift(boxes: pd.DataFrame, other: pd.DataFrame, seed: int, n_resamples: int) -> pd.DataFrame:
    table = drift(boxes, other, seed=seed, n_permutations=1, n_resamples=n_resamples)
    table = table[table["test"] == "ks"]
    return table.assign(null="frame", subject="drift difference", value=table["difference"])[
        [*_KEYS, "value", "low", "high"]
    ]


def _covered(
    table: pd.DataFrame,
    truth: Mapping[tuple[str, str, str], float],
    scenario: str,
    n: int,
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for key, found in table.groupby(_KEYS):
        measure, null, subject = map(str, key)
        true = truth[measure, null, subject]
        found = found[found["low"].notna()]
        if np.isnan(true) or found.empty:
            continue
        # A limit of 0 holds 0, whatever the last digit of either.
        above = (found["low"] <= true + 1e-9).to_numpy()
        below = (found["high"].isna() | (found["high"] >= true - 1e-9)).to_numpy()
        hits = int(np.count_nonzero(above & below))
        low, high = binomial_interval(hits, len(found))
        rows.append(
            {
                "kind": "coverage",
                "subject": subject,
                "measure": measure,
                "null": null,
                "scenario": scenario,
                "n": n,
                "level": 0.95,
                "rate": hits / len(found),
                "low": low,
                "high": high,
                "runs": len(found),
            }
        )
    return rows
