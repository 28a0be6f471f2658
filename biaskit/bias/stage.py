"""The stage ``biaskit test``: from boxes and marks to the tables of bias, each made once."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

import pandas as pd
from pandas.api.types import union_categoricals

from biaskit.bias.drift import drift
from biaskit.bias.effects import effects
from biaskit.bias.landmark_effects import pair_effects
from biaskit.bias.landmark_error import given_error, measured_error
from biaskit.bias.landmark_tests import pair_significance
from biaskit.bias.landmarks import Pairs, landmark_pairs, pair_measures
from biaskit.bias.measures import measure
from biaskit.bias.objects import EDGE_PX, Objects, arrange
from biaskit.bias.significance import significance
from biaskit.bias.symmetry import symmetry
from biaskit.provenance import provenance
from biaskit.schema import Schema
from biaskit.study import Mode, Study
from biaskit.tables import EFFECTS, MEASURES, SIGNIFICANCE

__all__ = ["make_tables"]

Progress = Callable[..., None]
Shown = Callable[[str], AbstractContextManager[Progress]]


def make_tables(
    study: Study,
    *,
    seed: int,
    against: Study | None = None,
    edge_px: float = EDGE_PX,
    draws: int = 20,
    resamples: int = 1000,
    permutations: int = 999,
    pair: Sequence[str] | None = None,
    error_px: float | None = None,
    mode: Mode = "continue",
    shown: Shown,
) -> None:
    """
    Make measures, significance, effects, symmetry, and with ``against`` drift.

    A table that is there, made from the same boxes and marks with the same options, is left
    alone, so a run that was cut short goes on where it stopped.

    Parameters
    ----------
    study : Study
        Has a table ``boxes``, ``keypoints`` or both; the caller holds its lock.
    seed : int
        Decides every draw.
    against : Study, optional
        Whose boxes the categories are compared with.
    edge_px : float
        A box touches a side if at most this many pixels of room are left there.
    draws, resamples, permutations : int
        Redraws of the randomisation; resamples of the images; permutations of images for drift.
    pair : two str, optional
        The points of ``keypoints`` that make a pair; see ``landmark_pairs``.
    error_px : float, optional
        Standard deviation of one coordinate of one mark; by default as measured from the objects
        that several annotators marked.
    mode : {"continue", "replace"}
    shown : callable
        Given a table's name, a context manager whose value takes (done, total).

    Raises
    ------
    StudyError
        If there are neither boxes nor marks, or a table was made with other options and is not
        to be replaced.
    TableError
        If it is not clear which points make a pair.
    """
    has_marks = study.has("keypoints")
    # Without either, the study says how to get boxes.
    has_boxes = study.has("boxes") or not has_marks or against is not None
    boxes = study.read("boxes") if has_boxes else None
    sources = [study.digest("boxes")] if has_boxes else []
    more: dict[str, Any] = {}
    if has_marks:
        sources.append(study.digest("keypoints"))
        more = {"pair": list(pair) if pair else None, "error_px": error_px}

    @cache
    def objects() -> Objects:
        return arrange(study.read("boxes") if boxes is None else boxes, edge_px=edge_px)

    @cache
    def pairs() -> Pairs:
        return landmark_pairs(study.read("keypoints"), pair=pair, edge_px=edge_px)

    plan: list[tuple[str, dict[str, Any], Callable[[Progress], pd.DataFrame]]] = []

    def ask(
        table: str,
        options: dict[str, Any],
        make: Callable[[Progress], pd.DataFrame],
        inputs: Sequence[dict[str, str]] = sources,
        *,
        chance: bool = True,
    ) -> None:
        now = provenance(inputs=inputs, options=options, seed=seed if chance else None)
        # All are asked before any work: a refusal should come now, not after a minute.
        if study.needs(table, now, mode):
            plan.append((table, now, make))

    def both(
        schema: Schema,
        of_boxes: Callable[[Progress], pd.DataFrame],
        of_pairs: Callable[[], pd.DataFrame],
    ) -> Callable[[Progress], pd.DataFrame]:
        def make(show: Progress) -> pd.DataFrame:
            parts = [of_boxes(show)] if has_boxes else []
            return _stacked(schema, parts + ([of_pairs()] if has_marks else []))

        return make

    edge = {"edge_px": edge_px}
    ask(
        "measures",
        edge | ({"pair": more["pair"]} if more else {}),
        both(
            MEASURES,
            lambda _: measure(objects(), edge_px=edge_px),
            lambda: pair_measures(pairs()),
        ),
        chance=False,
    )
    ask(
        "significance",
        {**edge, "draws": draws} | ({"pair": more["pair"]} if more else {}),
        both(
            SIGNIFICANCE,
            lambda show: significance(
                objects(), seed=seed, edge_px=edge_px, draws=draws, progress=show
            ),
            lambda: pair_significance(pairs(), seed=seed),
        ),
    )
    ask(
        "effects",
        {**edge, "resamples": resamples, **more},
        both(
            EFFECTS,
            lambda show: effects(
                objects(), seed=seed, edge_px=edge_px, n_resamples=resamples, progress=show
            ),
            lambda: pair_effects(
                pairs(),
                seed=seed,
                n_resamples=resamples,
                error=measured_error(pairs().marks) if error_px is None else given_error(error_px),
            ),
        ),
    )
    if boxes is not None:
        of_boxes = sources[:1]
        ask("symmetry", edge, lambda _: symmetry(objects(), seed=seed, edge_px=edge_px), of_boxes)
    if against is not None and boxes is not None:
        others, mine = against.read("boxes"), boxes
        ask(
            "drift",
            {"against": against.name, "resamples": resamples, "permutations": permutations},
            lambda show: drift(
                mine,
                others,
                seed=seed,
                n_permutations=permutations,
                n_resamples=resamples,
                progress=show,
            ),
            [*sources[:1], {**against.digest("boxes"), "name": f"{against.name}/boxes"}],
        )
    for table, now, make in plan:
        with shown(table) as show:
            study.write(table, make(show), now)


def _stacked(schema: Schema, parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put the rows of boxes and of pairs into one table; those of one kind stay as they are."""
    parts = [part for part in parts if len(part)] or list(parts[:1])
    if len(parts) == 1:
        return parts[0]
    joined = {}
    for name in schema.columns:
        columns = [part[name] for part in parts]
        if all(isinstance(column.dtype, pd.CategoricalDtype) for column in columns):
            # Words of many rows stay categories, which are small.
            joined[name] = pd.Series(union_categoricals(columns, sort_categories=True))
        else:
            joined[name] = pd.concat(columns, ignore_index=True)
    return schema.check(schema.sort(pd.DataFrame(joined)), schema.name)
