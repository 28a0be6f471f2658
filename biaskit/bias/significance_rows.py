"""Answers over all categories, corrected and flagged, as the rows of table ``significance``."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from biaskit.bias.answers import Answer
from biaskit.bias.correction import correct
from biaskit.bias.flags import FEW, UNSTEADY, UNTESTED_BELOW, flag_words
from biaskit.bias.objects import Objects
from biaskit.tables import SIGNIFICANCE

__all__ = ["as_table"]

_SIZES = ("width", "height", "area")


def as_table(objects: Objects, answers: Sequence[Answer]) -> pd.DataFrame:
    """
    Lay out answers as one row per category and test, in the order of the keys.

    Parameters
    ----------
    objects : Objects
        Names the groups.
    answers : sequence of Answer

    Returns
    -------
    DataFrame
        A table ``significance``; texts are categoricals, which are small and quick.
    """
    if not answers or objects.n_groups == 0:
        return SIGNIFICANCE.empty()
    answers = sorted(answers, key=_key)
    groups = objects.groups.sort_values(["category", "split"])
    order = groups.index.to_numpy()
    shape = (len(answers), len(order))
    values = _values(answers, order)
    values |= _corrections(values["log10_p"], groups["split"].to_numpy(object))
    # Rows run over the groups first, as the keys of the table do.
    columns: dict[str, object] = {name: value.T.ravel() for name, value in values.items()}
    for name in ("category", "split"):
        words, codes = _codes(groups[name])
        columns[name] = pd.Categorical.from_codes(np.repeat(codes, shape[0]), words)
    for name in ("measure", "null", "policy", "edges", "test"):
        words, codes = _codes([_word(found, name) for found in answers])
        columns[name] = pd.Categorical.from_codes(np.tile(codes, shape[1]), words)
    words, codes = _codes(np.concatenate([found.kind[order] for found in answers]))
    columns["p_kind"] = pd.Categorical.from_codes(codes.reshape(shape).T.ravel(), words)
    columns["flags"] = _flags(columns, shape)
    return SIGNIFICANCE.check(pd.DataFrame(columns), "significance")


def _word(found: Answer, name: str) -> str:
    return found.test if name == "test" else str(getattr(found.question, name))


def _key(found: Answer) -> tuple[str, ...]:
    return tuple(_word(found, name) for name in ("measure", "null", "policy", "edges", "test"))


def _codes(words: Sequence[str] | np.ndarray | pd.Series) -> tuple[pd.Index, np.ndarray]:
    present, codes = np.unique(np.asarray(words, dtype=str), return_inverse=True)
    return pd.Index(present, dtype=str), codes


def _values(answers: Sequence[Answer], order: np.ndarray) -> dict[str, np.ndarray]:
    """Return the numbers of every column, shape (n_answers, n_groups), groups in ``order``."""
    missing = np.full(len(order), np.nan)
    return {
        "n_images": np.stack([a.counts.n_images[order] for a in answers]),
        "n_objects": np.stack([a.counts.n_objects[order] for a in answers]),
        "n_excluded": np.stack([a.counts.n_excluded[order] for a in answers]),
        "statistic": np.stack([a.statistic[order] for a in answers]),
        "log10_p": np.stack([a.log10_p[order] for a in answers]),
        "log10_p_asymptotic": np.stack([a.asymptotic[order] for a in answers]),
        "log10_p_low": np.stack([missing if a.low is None else a.low[order] for a in answers]),
        "log10_p_high": np.stack([missing if a.high is None else a.high[order] for a in answers]),
    }


def _corrections(log10_p: np.ndarray, split: np.ndarray) -> dict[str, np.ndarray]:
    """Correct every test over the categories of each split; shape (n_answers, n_groups)."""
    names = ("bonferroni", "holm", "bh", "by")
    values = {f"log10_{name}": np.full(log10_p.shape, np.nan) for name in names}
    for one in np.unique(split):
        family = split == one
        corrected = correct(log10_p[:, family])
        for name in names:
            values[f"log10_{name}"][:, family] = getattr(corrected, name)
    return values


def _flags(columns: dict, shape: tuple[int, int]) -> "pd.Categorical[str]":
    policy, measure, test = (columns[name] for name in ("policy", "measure", "test"))
    n = np.where(policy == "all", columns["n_objects"], columns["n_images"])
    sized = np.isin(measure, _SIZES) | ((measure == "position_height") & (test == "bonferroni"))
    with np.errstate(invalid="ignore"):
        unsteady = columns["log10_p_high"] - columns["log10_p_low"] > UNSTEADY
    marks = {
        "untested": n < UNTESTED_BELOW,
        "few": n < FEW,
        "dependent": policy == "all",
        "image-weighted": policy == "weighted",
        "selected": (policy == "largest") & sized,
        "bound": (columns["p_kind"] == "bound") & (test != "bonferroni"),
        "unsteady": unsteady,
    }
    return flag_words(marks, shape[0] * shape[1])
