"""
Left against right, and size against place: tests that do not ask for uniformity.

Nobody has to place objects uniformly to have no preference for a side. Under mirror symmetry
each image could as well have been flipped, so the sign of its mean place is a fair coin
whatever the law of the places is, and however many objects an image has.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from biaskit.bias.correction import correct
from biaskit.bias.coupling import order_within_groups, rank_correlation
from biaskit.bias.flags import FEW, UNTESTED_BELOW, flag_words
from biaskit.bias.group_sums import Grouping, Weighed, chosen, weigh
from biaskit.bias.mirror import Outcome, mirror_mean, mirror_sign
from biaskit.bias.nulls import variable
from biaskit.bias.objects import EDGE_PX, Objects, arrange
from biaskit.bias.policies import POLICIES, lots
from biaskit.tables import SYMMETRY

__all__ = ["symmetry"]

# What each policy does to the coupling; the mirror tests take whole images and are free of it.
_CAUTION = {"weighted": "image-weighted", "all": "dependent", "largest": "selected"}


def symmetry(
    boxes: pd.DataFrame | Objects,
    *,
    seed: int,
    edge_px: float = EDGE_PX,
    policies: Sequence[str] | None = None,
    edges: Sequence[str] | None = None,
) -> pd.DataFrame:
    """
    Test every category for left-right symmetry and for a coupling of size and place.

    Parameters
    ----------
    boxes : DataFrame or Objects
        A table ``boxes``, or what ``arrange`` made of it.
    seed : int
        Spreads integer pixels, and draws one object per image.
    edge_px : float
        A box touches a side if at most this many pixels of room are left there.
    policies, edges : sequence of str, optional
        Which of ``POLICIES`` and of "with", "without"; all if not given.

    Returns
    -------
    DataFrame
        A table ``symmetry``. ``mirror_sign`` and ``mirror_mean`` (``biaskit.bias.mirror``) look
        at the horizontal place in the box's free room and take images as units, so they are
        valid under every policy. ``coupling`` (``biaskit.bias.coupling``) is the rank
        correlation of area with max(|u - 1/2|, |v - 1/2|), the distance from the middle in the
        free room of both axes; negative if larger objects are more central.

    Raises
    ------
    ValueError
        If a policy or a kind of edges is unknown.

    Examples
    --------
    Five boxes in five images, all left of the middle: p = 2 / 2^5.

    >>> from biaskit.bias.objects import boxes_from_pixels
    >>> left = boxes_from_pixels([[0, 40, 20, 60]] * 5, frame=(100, 100))
    >>> table = symmetry(left, seed=1, policies=["one"], edges=["with"])
    >>> sign = table.query("test == 'mirror_sign'").iloc[0]
    >>> float(sign["effect"]), float(round(10 ** sign["log10_p"], 4)), sign["p_kind"]
    (-0.5, 0.0625, 'exact')
    """
    policies, edges = chosen(policies, POLICIES), chosen(edges, ("with", "without"))
    objects = arrange(boxes, edge_px=edge_px)
    if not objects.n_groups or not policies or not edges:
        return SYMMETRY.empty()
    parts = [part for edge in edges for part in _of_edges(objects, edge, policies, seed=seed)]
    table = pd.concat(parts, ignore_index=True)
    return SYMMETRY.check(SYMMETRY.sort(table), "symmetry")


def _of_edges(
    objects: Objects, edge: str, policies: Sequence[str], *, seed: int
) -> list[pd.DataFrame]:
    grouping = Grouping(objects)
    x, y = (variable(objects, f"position_{axis}", "fit", edge, seed=seed) for axis in "xy")
    u, v = (np.where(one.excluded, 0.5, one.u) for one in (x, y))
    masks = [~x.excluded, ~(x.excluded | y.excluded)]
    distance = np.maximum(np.abs(u - 0.5), np.abs(v - 0.5))
    area = objects.x.size * objects.y.size / (objects.x.frame * objects.y.frame)
    lot = lots(objects, seed=seed)
    by_size, by_distance = (
        order_within_groups(objects.group, value, lot) for value in (area, distance)
    )
    parts = []
    for policy in policies:
        across, both = weigh(objects, masks, policy, seed=seed)
        for test, weighed, outcome in (
            ("mirror_sign", across, mirror_sign(grouping, u, across)),
            ("mirror_mean", across, mirror_mean(grouping, u, across)),
            ("coupling", both, rank_correlation(grouping, by_size, by_distance, both)),
        ):
            parts.append(_rows(objects, grouping, edge, test, weighed, outcome))
    return parts


def _rows(
    objects: Objects,
    grouping: Grouping,
    edge: str,
    test: str,
    weighed: Weighed,
    outcome: Outcome,
) -> pd.DataFrame:
    n, policy = weighed.n_images, weighed.policy
    untested = (n < UNTESTED_BELOW) | np.isnan(outcome.log10_p)
    log10_p = np.where(untested, np.nan, outcome.log10_p)
    marks = {"untested": untested, "few": (n < FEW) & ~untested}
    if test == "coupling" and policy in _CAUTION:
        marks[_CAUTION[policy]] = np.ones(len(n), bool)
    marks["bound"] = (outcome.kind == "bound") & ~untested
    return objects.groups.assign(
        policy=policy,
        edges=edge,
        test=test,
        n_images=n,
        n_objects=grouping.by_group((weighed.weight > 0).astype(np.int64)),
        statistic=outcome.statistic,
        log10_p=log10_p,
        p_kind=np.where(untested, "", outcome.kind),
        effect=outcome.effect,
        low=outcome.low,
        high=outcome.high,
        log10_bh=_by_split(objects, log10_p),
        flags=flag_words(marks, len(n)).astype(str),
    )


def _by_split(objects: Objects, log10_p: np.ndarray) -> np.ndarray:
    """Correct over the categories of each split."""
    corrected = np.full(len(log10_p), np.nan)
    for rows in objects.groups.groupby("split").indices.values():
        corrected[rows] = correct(log10_p[rows]).bh
    return corrected
