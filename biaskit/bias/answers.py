"""One test of one question in every category: statistics in, p-values with their counts out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from biaskit.bias.flags import UNTESTED_BELOW
from biaskit.bias.tails import (
    Tail,
    ad_tail,
    cvm_tail,
    ks_tail,
    kuiper_tail,
    pearson_tail,
    smooth_tail,
)

__all__ = ["Answer", "Counts", "Question", "answer", "bonferroni", "tail_of"]


@dataclass(frozen=True)
class Question:
    """What is asked of every category."""

    measure: str
    null: str
    policy: str
    edges: str


@dataclass(frozen=True)
class Counts:
    """What entered a test; int arrays, shape (n_groups,)."""

    n_images: np.ndarray
    n_objects: np.ndarray
    n_excluded: np.ndarray


@dataclass(frozen=True)
class Answer:
    """One test of one question; arrays of shape (n_groups,)."""

    question: Question
    test: str
    counts: Counts
    statistic: np.ndarray  # NaN where not tested
    log10_p: np.ndarray
    kind: np.ndarray  # str, one of the words of ``p_kind``
    asymptotic: np.ndarray  # log10 of the large-sample value
    low: np.ndarray | None = None  # least log10_p over the redraws; None: not redrawn
    high: np.ndarray | None = None


_TAILS: Mapping[str, Callable[[np.ndarray, np.ndarray], Tail]] = {
    "ks": ks_tail,
    "kuiper": kuiper_tail,
    "cvm": cvm_tail,
    "ad": ad_tail,
}


def tail_of(
    test: str, statistic: np.ndarray, n: np.ndarray, *, cells: int = 0, df: int = 0, seed: int = 0
) -> Tail:
    """
    Return the p-values of a statistic by the name of its test.

    Parameters
    ----------
    test : {"chi2", "ks", "kuiper", "cvm", "ad", "smooth"}
    statistic : float array, shape (g,)
    n : int array, shape (g,)
    cells : int
        Number of equal cells of ``chi2``.
    df, seed : int
        Of ``smooth``; see ``tails.smooth_tail``.

    Returns
    -------
    Tail
        NaN where n is less than ``UNTESTED_BELOW``.

    Examples
    --------
    >>> tail_of("ks", np.array([0.9, 0.9]), np.array([1, 5])).log10_p.round(6).tolist()
    [nan, -4.69897]
    """
    tested = np.where(n >= UNTESTED_BELOW, statistic, np.nan)
    if test == "chi2":
        return pearson_tail(tested, n, cells=cells)
    if test == "smooth":
        return smooth_tail(tested, n, df=df, seed=seed)
    return _TAILS[test](tested, n)


def answer(
    questions: Sequence[Question],
    counts: Sequence[Counts],
    test: str,
    statistics: Sequence[np.ndarray],
    *,
    cells: int = 0,
    df: int = 0,
    seed: int = 0,
) -> list[Answer]:
    """
    Answer the same test of several policies at once: the tails cost less together.

    Parameters
    ----------
    questions, counts, statistics : sequences of equal length
        One of each per policy; statistics of shape (n_groups,).
    test, cells, df, seed
        See ``tail_of``.

    Returns
    -------
    list of Answer
    """
    n = np.stack([_size(q, c) for q, c in zip(questions, counts, strict=True)])
    stacked = np.where(n >= UNTESTED_BELOW, np.stack(statistics), np.nan)
    tail = tail_of(test, stacked.ravel(), n.ravel(), cells=cells, df=df, seed=seed)
    log10_p, kind, asymptotic = (
        part.reshape(n.shape) for part in (tail.log10_p, tail.kind, tail.log10_p_asymptotic)
    )
    return [
        Answer(q, test, c, stacked[i], log10_p[i], _kind_under(q.policy, kind[i]), asymptotic[i])
        for i, (q, c) in enumerate(zip(questions, counts, strict=True))
    ]


def bonferroni(question: Question, parts: Sequence[Answer]) -> Answer:
    """
    Combine tests of parts into one of the whole: the number of parts times the least p.

    This holds whatever ties the parts together, and is exact in the far tail where they are.

    Parameters
    ----------
    question : Question
        Of the whole.
    parts : sequence of Answer
        Such as the Kolmogorov-Smirnov tests of the two axes.

    Returns
    -------
    Answer
        The statistic is the least log10 p of the parts, the counts are those of the part with
        the fewest objects. Missing where a part is.
    """
    least = np.minimum.reduce([part.log10_p for part in parts])
    asymptotic = np.minimum.reduce([part.asymptotic for part in parts])
    fewest = np.argmin([part.counts.n_objects for part in parts], axis=0)
    column = np.arange(len(fewest))
    counts = Counts(
        *(
            np.stack([getattr(part.counts, name) for part in parts])[fewest, column]
            for name in ("n_images", "n_objects", "n_excluded")
        )
    )
    shift = np.log10(len(parts))
    loose = np.any([part.kind == "asymptotic" for part in parts], axis=0)
    kind = np.where(np.isnan(least), "", np.where(loose, "asymptotic", "bound"))
    return Answer(
        question,
        "bonferroni",
        counts,
        least,
        np.minimum(least + shift, 0.0),
        kind,
        np.minimum(asymptotic + shift, 0.0),
    )


def _size(question: Question, counts: Counts) -> np.ndarray:
    """Return the n of the formulas: all objects count for themselves under ``all`` only."""
    return counts.n_objects if question.policy == "all" else counts.n_images


def _kind_under(policy: str, kind: np.ndarray) -> np.ndarray:
    if policy != "weighted":
        return kind
    # The formulas hold for one object per image; with weights they are a large-sample claim.
    return np.where(kind == "", "", "asymptotic")
