"""The categories furthest from chance, each with pictures, sentences and p-values."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from biaskit.charts import number_text, p_text
from biaskit.report.answers import ASKED, Answers
from biaskit.report.figures import Figure, figures
from biaskit.report.names import Name
from biaskit.report.sentences import EDGES, sentences

__all__ = ["Portrait", "Result", "portrait", "worst_names"]


@dataclass(frozen=True)
class Result:
    """One question, tested with touching boxes and without, as text."""

    words: str
    cells: tuple[tuple[str, str, str], ...]  # n, w, p


@dataclass(frozen=True)
class Portrait:
    """One category's section."""

    name: Name
    sentences: tuple[str, ...]
    figures: tuple[Figure, ...]
    results: tuple[Result, ...]


def worst_names(answers: Answers, names: Sequence[Name], n_worst: int) -> list[Name]:
    """
    Return the categories furthest from chance: by the lower limit of Cohen's w, then by p.

    Sorting by p alone would name the categories with most images. Those whose position was
    not tested are not candidates.

    Parameters
    ----------
    answers : Answers
    names : sequence of Name
    n_worst : int

    Examples
    --------
    >>> worst_names(Answers({}, {}), [Name("cat", "", "cat", "", "category-1")], 3)
    []
    """
    ranked = []
    for name in names:
        group = (name.category, name.split)
        verdict = answers.verdict(group, "position", "fit", EDGES)
        if verdict is not None:
            w = answers.effect(group, "position", "fit", EDGES, "cohens_w")
            sure = 0.0 if w is None or pd.isna(w.low) else w.low
            ranked.append((-sure, verdict.log10_p, name.category, name.split, name))
    return [name for *_, name in sorted(ranked, key=lambda row: row[:4])[:n_worst]]


def portrait(answers: Answers, name: Name, boxes: pd.DataFrame) -> Portrait:
    """
    Describe one category.

    Parameters
    ----------
    answers : Answers
    name : Name
    boxes : DataFrame
        Its rows of the table ``boxes``.
    """
    group = (name.category, name.split)
    return Portrait(
        name,
        tuple(sentences(answers, group, name.spoken)),
        tuple(figures(boxes, name.spoken, name.anchor)),
        tuple(_results(answers, group)),
    )


def _results(answers: Answers, group: tuple[str, str]) -> list[Result]:
    rows = []
    for asked in ASKED:
        cells = []
        for edges in ("with", "without"):
            verdict = answers.verdict(group, asked.measure, asked.null, edges)
            w = answers.effect(group, asked.measure, asked.null, edges, "cohens_w")
            cells.append(
                ("", "", "")
                if verdict is None
                else (
                    f"{verdict.n:,}",
                    "" if w is None else number_text(w.value, 2),
                    p_text(verdict.log10_p, verdict.p_kind, raised=True),
                )
            )
        rows.append(Result(asked.words, tuple(cells)))
    return rows
