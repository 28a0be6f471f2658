"""The stage ``biaskit test``: from a study's boxes to its tables of bias, each made once."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

import pandas as pd

from biaskit.bias.drift import drift
from biaskit.bias.effects import effects
from biaskit.bias.measures import measure
from biaskit.bias.objects import EDGE_PX, Objects, arrange
from biaskit.bias.significance import significance
from biaskit.bias.symmetry import symmetry
from biaskit.provenance import provenance
from biaskit.study import Mode, Study

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
    mode: Mode = "continue",
    shown: Shown,
) -> None:
    """
    Make measures, significance, effects, symmetry, and with ``against`` drift.

    A table that is there, made from the same boxes with the same options, is left alone, so a
    run that was cut short goes on where it stopped.

    Parameters
    ----------
    study : Study
        Has a table ``boxes``; the caller holds its lock.
    seed : int
        Decides every draw.
    against : Study, optional
        Whose boxes the categories are compared with.
    edge_px : float
        A box touches a side if at most this many pixels of room are left there.
    draws, resamples, permutations : int
        Redraws of the randomisation; resamples of the images; permutations of images for drift.
    mode : {"continue", "replace"}
    shown : callable
        Given a table's name, a context manager whose value takes (done, total).

    Raises
    ------
    StudyError
        If there are no boxes, or a table was made with other options and is not to be replaced.
    """
    boxes, source = study.read("boxes"), study.digest("boxes")

    @cache
    def objects() -> Objects:
        return arrange(boxes, edge_px=edge_px)

    plan: list[tuple[str, dict[str, Any], Callable[[Progress], pd.DataFrame]]] = []

    def ask(
        table: str,
        options: dict[str, Any],
        make: Callable[[Progress], pd.DataFrame],
        *more_inputs: dict[str, str],
        chance: bool = True,
    ) -> None:
        now = provenance(
            inputs=[source, *more_inputs], options=options, seed=seed if chance else None
        )
        # All are asked before any work: a refusal should come now, not after a minute.
        if study.needs(table, now, mode):
            plan.append((table, now, make))

    edge = {"edge_px": edge_px}
    ask("measures", edge, lambda _: measure(objects(), edge_px=edge_px), chance=False)
    ask(
        "significance",
        {**edge, "draws": draws},
        lambda show: significance(
            objects(), seed=seed, edge_px=edge_px, draws=draws, progress=show
        ),
    )
    ask(
        "effects",
        {**edge, "resamples": resamples},
        lambda show: effects(
            objects(), seed=seed, edge_px=edge_px, n_resamples=resamples, progress=show
        ),
    )
    ask("symmetry", edge, lambda _: symmetry(objects(), seed=seed, edge_px=edge_px))
    if against is not None:
        others = against.read("boxes")
        ask(
            "drift",
            {"against": against.name, "resamples": resamples, "permutations": permutations},
            lambda show: drift(
                boxes,
                others,
                seed=seed,
                n_permutations=permutations,
                n_resamples=resamples,
                progress=show,
            ),
            {**against.digest("boxes"), "name": f"{against.name}/boxes"},
        )
    for table, now, make in plan:
        with shown(table) as show:
            study.write(table, make(show), now)
