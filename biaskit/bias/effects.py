"""
How large the bias of every category is and in which direction, with intervals.

A p-value says whether placement is free; an effect says how far from free it is, in units
a reader can picture. Means (``biaskit.bias.moments``) have two-sided intervals from resampled
images, distances (``biaskit.bias.distances``) a lower limit that stays at 0 when the null is
true.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pandas as pd

from biaskit.bias.bootstrap import ImageWeights
from biaskit.bias.distance_parts import distance_parts
from biaskit.bias.effect_rows import Part, as_table
from biaskit.bias.group_sums import Grouping, chosen, weigh
from biaskit.bias.moment_parts import Reading, moment_parts, read
from biaskit.bias.objects import EDGE_PX, Objects, arrange
from biaskit.bias.policies import POLICIES
from biaskit.bias.questions import Question, all_questions
from biaskit.tables import EFFECTS

__all__ = ["EFFECTS_OF", "EffectKind", "effects"]


@dataclass(frozen=True)
class EffectKind:
    """What an effect says, in what unit, and what kind of interval it has."""

    meaning: str
    unit: str
    interval: str  # "two-sided", "lower limit" or "none"


_SIDE = "of the image side under frame, of the free room under fit"
EFFECTS_OF: Mapping[str, EffectKind] = {
    "offset": EffectKind(
        "mean centre less the middle; negative is left of it (x) or above it (y)",
        _SIDE,
        "two-sided",
    ),
    "central_ninth": EffectKind(
        "share of objects centred in the middle ninth; expected: for boxes of these sizes",
        "share",
        "two-sided",
    ),
    "central_excess": EffectKind(
        "central_ninth less what is expected of boxes of these sizes", "share", "two-sided"
    ),
    "log_mean": EffectKind(
        "mean of ln(size as a fraction of the image)", "natural log", "two-sided"
    ),
    "log_spread": EffectKind(
        "standard deviation of ln(size as a fraction of the image)", "natural log", "two-sided"
    ),
    "total_variation": EffectKind(
        "share of objects that would have to move for the cells to be equally full",
        "share",
        "lower limit",
    ),
    "kl_divergence": EffectKind("divergence of the cells from equal ones", "nat", "lower limit"),
    "cohens_w": EffectKind("sqrt(chi-square / n) of the cells", "", "lower limit"),
    "ks_distance": EffectKind(
        "greatest distance of the distribution function from the null's", "share", "lower limit"
    ),
    "detectable_w_5pct": EffectKind(
        "least Cohen's w that chi-square at 5 % finds with power .8 in so many images", "", "none"
    ),
    "detectable_w_1e-10": EffectKind(
        "the same at 1e-10, by the chi-square law: the truth is larger", "", "none"
    ),
}


def effects(
    boxes: pd.DataFrame | Objects,
    *,
    seed: int,
    edge_px: float = EDGE_PX,
    n_resamples: int = 1000,
    policies: Sequence[str] | None = None,
    edges: Sequence[str] | None = None,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """
    Estimate every effect of every category under every null.

    Parameters
    ----------
    boxes : DataFrame or Objects
        A table ``boxes``, or what ``arrange`` made of it.
    seed : int
        Spreads integer pixels, draws one object per image, and resamples images.
    edge_px : float
        A box touches a side if at most this many pixels of room are left there.
    n_resamples : int
        Resamples of the images.
    policies, edges : sequence of str, optional
        Which of ``POLICIES`` and of "with", "without"; all if not given.
    workers : int
        Threads. They change no byte.
    progress : callable, optional
        Called with (done, total), in categories times policies times edges.

    Returns
    -------
    DataFrame
        A table ``effects``; what each effect is, its unit and kind of interval, says
        ``EFFECTS_OF``. Intervals have the level 95 %; a missing ``high`` means a lower limit.
        Categories without data have missing values and n = 0.

    Raises
    ------
    ValueError
        If a policy or a kind of edges is unknown, or ``n_resamples`` or ``workers`` is less
        than 1.

    Notes
    -----
    Cells are the headline tests': 5 x 5 for position, 10 for one axis or a size. Under policy
    ``all`` objects of one image are not independent: chi-square is divided by the design
    effect of the cells [1]_, and n by it for the other distances.

    Every category uses the same resampling weights, so intervals of two categories must not be
    combined. The same inputs give the same bytes in any order of rows and on any number of
    threads: see ``biaskit.bias.bootstrap``.

    References
    ----------
    .. [1] J. N. K. Rao and A. J. Scott, "The Analysis of Categorical Data From Complex Sample
       Surveys", Journal of the American Statistical Association 76, 1981.

    Examples
    --------
    Two boxes a tenth of the image left of its middle:

    >>> from biaskit.bias.objects import boxes_from_pixels
    >>> boxes = boxes_from_pixels([[30, 40, 50, 60], [30, 40, 50, 60]], frame=(100, 100), lattice=0)
    >>> table = effects(boxes, seed=1, policies=["one"], edges=["with"])
    >>> offset = table.query("measure == 'position_x' and null == 'frame' and effect == 'offset'")
    >>> offset["value"].round(9).tolist()
    [-0.1]
    """
    policies, edges = chosen(policies, POLICIES), chosen(edges, ("with", "without"))
    if not policies or not edges:
        return EFFECTS.empty()
    if workers < 1:
        raise ValueError(f"workers is {workers}, expected at least 1")
    objects = arrange(boxes, edge_px=edge_px)
    grouping = Grouping(objects)
    images = ImageWeights(seed, n_resamples)
    step = _counter(progress, len(policies) * len(edges) * objects.n_groups)
    parts: list[Part] = []
    # Nearly all of it is arithmetic on arrays, which needs no lock of the interpreter.
    with ThreadPoolExecutor(workers) as pool:
        for edge in edges:
            questions = all_questions(objects, edge, seed=seed, mapped=pool.map)
            readings = list(pool.map(partial(read, objects), questions))

            def answer(
                policy: str,
                questions: Sequence[Question] = questions,
                readings: Sequence[Reading | None] = readings,
            ) -> list[Part]:
                weighed = weigh(objects, [q.included for q in questions], policy, seed=seed)
                asked = zip(questions, weighed, strict=True)
                far = [part for pair in asked for part in distance_parts(grouping, *pair)]
                return far + moment_parts(grouping, readings, weighed, images, step)

            parts += [part for found in pool.map(answer, policies) for part in found]
    return as_table(objects, parts)


def _counter(progress: Callable[[int, int], None] | None, total: int) -> Callable[[], None]:
    done = 0
    lock = threading.Lock()

    def step() -> None:
        nonlocal done
        if progress is not None:
            with lock:
                done += 1
                progress(done, total)

    return step
