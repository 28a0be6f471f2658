"""The audit page: tables in, one self-contained HTML page out."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from biaskit.bias.flags import FLAGS
from biaskit.bias.objects import EDGE_PX
from biaskit.export.escapes import visible
from biaskit.report.answers import Answers, answers
from biaskit.report.balance import balance
from biaskit.report.changes import changes
from biaskit.report.figures import evidence_figures, figures
from biaskit.report.listing import COLUMNS, listing_row
from biaskit.report.names import Name, Names
from biaskit.report.reading import reading
from biaskit.report.sentences import percent
from biaskit.report.verdicts import headline_tables, lead_sentence
from biaskit.report.worst import Portrait, portrait, worst_names
from biaskit.tables import EFFECTS, REPAIRS

__all__ = ["audit_page"]

Progress = Callable[[int, int | None, str], None]


def audit_page(
    tables: Mapping[str, pd.DataFrame],
    *,
    title: str,
    provenance: Mapping[str, Any],
    edge_px: float = EDGE_PX,
    n_worst: int = 12,
    words: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> str:
    """
    Write everything the tables say about a data set's placement as one HTML page.

    The page fetches nothing, works without JavaScript, follows the reader's light or dark
    setting, and can be printed. Names from the data are shown as text and never obeyed.

    Parameters
    ----------
    tables : mapping of DataFrame
        ``boxes`` and ``significance``; and, where they are there, ``repairs``, ``effects``,
        ``symmetry`` and ``drift``. Others are left aside.
    title : str
        What was audited.
    provenance : mapping
        Where the tables come from, ready for JSON; stands at the foot.
    edge_px : float
        How near to the frame (px) the tables of tests took a box as cut by it.
    n_worst : int
        Categories shown with pictures, those furthest from chance.
    words : mapping of str, optional
        Category to the word shown beside it.
    progress : callable, optional
        Called with (done, total, what).

    Returns
    -------
    str
        The page. The same tables and provenance give the same page.

    Raises
    ------
    KeyError
        If a table that is needed, or one of its columns, is missing.

    Examples
    --------
    >>> from biaskit.tables import BOXES, SIGNIFICANCE
    >>> tables = {"boxes": BOXES.empty(), "significance": SIGNIFICANCE.empty()}
    >>> "Nothing was tested" in audit_page(tables, title="no boxes", provenance={})
    True
    """
    boxes, significance = tables["boxes"], tables["significance"]
    effects = tables.get("effects", EFFECTS.empty())
    names = Names(_groups(boxes, significance), words or {})
    found = answers(significance, effects)
    worst = worst_names(found, list(names), n_worst)
    step = _steps(progress, len(worst) + 3)
    headlines = headline_tables(significance)
    step("overview")
    overview = figures(boxes, "all categories together", "all") if len(boxes) else []
    evidence = evidence_figures(significance, effects, names.words) if len(significance) else []
    portraits = list(_portraits(found, worst, boxes, step))
    step("categories")
    shown = {portrait.name.anchor for portrait in portraits}
    page = (
        _environment()
        .get_template("audit.html.j2")
        .render(
            title=visible(title),
            lead=lead_sentence(headlines),
            reading=reading(boxes, tables.get("repairs", REPAIRS.empty()), edge_px=edge_px),
            edge_px=f"{edge_px:g}",
            headlines=headlines,
            overview=overview,
            evidence=evidence,
            balance=balance(tables["symmetry"]) if "symmetry" in tables else [],
            portraits=portraits,
            columns=COLUMNS,
            rows=[listing_row(found, name, is_shown=name.anchor in shown) for name in names],
            drift=changes(tables["drift"], names) if "drift" in tables else None,
            flags=FLAGS,
            facts=_facts(provenance),
        )
    )
    step("page")
    return page


def _groups(boxes: pd.DataFrame, significance: pd.DataFrame) -> pd.DataFrame:
    """Return every category and split of the boxes or the tests, in order."""
    both = [t[["category", "split"]].drop_duplicates().astype(str) for t in (boxes, significance)]
    groups = pd.concat(both, ignore_index=True).drop_duplicates()
    return groups.sort_values(["category", "split"], kind="stable", ignore_index=True)


def _steps(progress: Progress | None, total: int) -> Callable[[str], None]:
    done = 0

    def step(what: str) -> None:
        nonlocal done
        if progress is not None:
            progress(done, total, what)
        done += 1

    return step


def _portraits(
    found: Answers, worst: list[Name], boxes: pd.DataFrame, step: Callable[[str], None]
) -> list[Portrait]:
    wanted = boxes[boxes["category"].isin([name.category for name in worst])]
    made = []
    for name in worst:
        step(name.id)
        mine = wanted[(wanted["category"] == name.category) & (wanted["split"] == name.split)]
        made.append(portrait(found, name, mine.reset_index(drop=True)))
    return made


def _facts(provenance: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (visible(str(key)), value if isinstance(value, str) else _pretty(value))
        for key, value in provenance.items()
    ]


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("biaskit.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    # Only for pictures that our own charts drew; every name in them is escaped there.
    environment.filters["picture"] = lambda figure: Markup(figure.svg)  # noqa: S704
    return environment
