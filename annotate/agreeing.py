"""All of ``agreement``: from the study's ``keypoints`` to ``mark_pairs`` and ``agreement``."""

import pandas as pd

from annotate.agreement import SIGMA, agreement
from annotate.mark_pairs import mark_pairs
from biaskit.provenance import provenance
from biaskit.study import Mode, Study

__all__ = ["agree"]


def agree(study: Study, *, mode: Mode = "continue") -> pd.DataFrame:
    """
    Write the tables ``mark_pairs`` and ``agreement`` of a study; its lock must be held.

    They are made anew whenever the marks have changed: nothing in them is anybody's work.

    Returns
    -------
    DataFrame
        The table ``agreement``.
    """
    keypoints = study.read("keypoints")
    now = provenance(inputs=[study.digest("keypoints")], options={"sigma": SIGMA}, seed=None)
    if mode == "continue" and any(study.stale(name) for name in ("mark_pairs", "agreement")):
        mode = "replace"
    needs = [study.needs(name, now, mode) for name in ("mark_pairs", "agreement")]
    if not any(needs):
        return study.read("agreement")
    pairs = mark_pairs(keypoints)
    table = agreement(keypoints, pairs)
    study.write("mark_pairs", pairs, now)
    study.write("agreement", table, now)
    return table
