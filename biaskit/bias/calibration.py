"""
Do the tests and intervals keep their promises? Measured on simulated data of known truth.

Size: how often each test rejects when its null is true. Power: how often it finds a planted
bias. Coverage: how often an interval holds the truth. Tail: log10 p against exact counting.
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd

from biaskit.bias.calibration_coverage import coverage
from biaskit.bias.calibration_plan import Trial, binomial_interval, trials
from biaskit.bias.calibration_tails import tails
from biaskit.bias.calibration_text import describe
from biaskit.bias.drift import drift
from biaskit.bias.planted import planted
from biaskit.bias.significance import significance
from biaskit.bias.symmetry import symmetry
from biaskit.tables import CALIBRATION

__all__ = ["calibrate", "describe"]

_PIECE = 400_000  # boxes simulated at a time
_PERMUTATIONS = 199


def calibrate(
    *,
    seed: int,
    runs: int = 1000,
    ns: Sequence[int] = (20, 50, 100, 500),
    short: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """
    Measure size, power, coverage and far tails on simulated data.

    Parameters
    ----------
    seed : int
    runs : int
        Simulated categories for each law and each n.
    ns : sequence of int
        Images per category.
    short : bool
        A version of seconds instead of minutes: 300 runs, n = 20 and 100.
    progress : callable, optional
        Called with (done, total) trials.

    Returns
    -------
    DataFrame
        A table ``calibration``. ``describe`` lays it out.

    Raises
    ------
    ValueError
        If ``runs`` is less than 1 or an n less than 2.
    """
    if runs < 1 or min(ns, default=2) < 2:
        raise ValueError(f"runs is {runs} and ns {tuple(ns)}, expected at least 1 and 2")
    if short:
        runs, ns = min(runs, 300), [n for n in ns if n in (20, 100)]
    jobs: list[Callable[[], Iterable[dict[str, object]]]] = [
        lambda trial=trial, n=n: _rates(trial, n, runs, seed)  # type: ignore[misc]
        for n in ns
        for trial in trials(short=short)
        if n <= trial.largest_n
    ]
    n_truth = 40_000 if short else 200_000
    jobs += [lambda n=n: coverage(n, runs, seed, n_truth=n_truth) for n in ns]  # type: ignore[misc]
    jobs.append(lambda: tails(short=short))
    rows: list[dict[str, object]] = []
    for done, job in enumerate(jobs, start=1):
        rows += job()
        if progress is not None:
            progress(done, len(jobs))
    return CALIBRATION.check(CALIBRATION.sort(pd.DataFrame(rows)), "calibration")


def _rates(trial: Trial, n: int, runs: int, seed: int) -> list[dict[str, object]]:
    """Return the share of rejections of every test of a trial, at every level."""
    per_piece = max(1, _PIECE // n)
    pieces = []
    for number, first in enumerate(range(0, runs, per_piece)):
        many = min(per_piece, runs - first)
        found = _p_values(trial, n, many, seed + 7919 * number)
        pieces.append(found)
    table = pd.concat(pieces, ignore_index=True)
    rows: list[dict[str, object]] = []
    for (measure, null, test), log10_p in table.groupby(["measure", "null", "test"])["log10_p"]:
        values = log10_p.to_numpy()
        tested = values[~np.isnan(values)]
        for level in trial.levels:
            hits = int(np.count_nonzero(tested <= np.log10(level) + 1e-12))
            low, high = binomial_interval(hits, len(tested))
            rows.append(
                {
                    "kind": trial.kind,
                    "subject": test,
                    "measure": measure,
                    "null": null,
                    "scenario": trial.scenario,
                    "n": n,
                    "level": level,
                    "rate": hits / len(tested) if len(tested) else np.nan,
                    "low": low,
                    "high": high,
                    "runs": len(tested),
                }
            )
    return rows


def _p_values(trial: Trial, n: int, runs: int, seed: int) -> pd.DataFrame:
    boxes = planted(trial.law, n_images=n, n_categories=runs, seed=seed)
    if trial.against:
        other = planted(trial.against, n_images=n, n_categories=runs, seed=seed + 1)
        table = drift(boxes, other, seed=seed, n_permutations=_PERMUTATIONS, n_resamples=1)
        return table.assign(null="frame", test="drift " + table["test"].astype(str))
    policies, edges = [trial.policy], [trial.edges]
    if trial.symmetry:
        table = symmetry(boxes, seed=seed, policies=policies, edges=edges)
        measure = np.where(table["test"] == "coupling", "position", "position_x")
        return table.assign(measure=measure, null="fit")
    table = significance(
        boxes,
        seed=seed,
        draws=1,
        measures=trial.measures,
        nulls=trial.nulls,
        policies=policies,
        edges=edges,
    )
    text = table[["measure", "null", "test"]].astype(str)
    return text.assign(log10_p=table["log10_p"])
