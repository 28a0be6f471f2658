"""Two sets of boxes against each other, category by category."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from biaskit.bias.bootstrap import ImageWeights
from biaskit.bias.correction import correct
from biaskit.bias.drift_category import DRIFT_FLAGS, TwoSets
from biaskit.bias.objects import Objects, arrange
from biaskit.tables import DRIFT

__all__ = ["DRIFT_FLAGS", "drift"]


def drift(
    boxes: pd.DataFrame,
    against: pd.DataFrame,
    *,
    seed: int,
    n_permutations: int = 999,
    n_resamples: int = 1000,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """
    Compare places and heights of every category between two sets of boxes.

    Parameters
    ----------
    boxes, against : DataFrame
        Tables ``boxes``; splits within each are taken together.
    seed : int
        Deals out and resamples images.
    n_permutations : int
        No p can fall below 1 / (n_permutations + 1); a Bonferroni correction over m categories
        finds nothing unless that is below .05 / m.
    n_resamples : int
        Resamples of the images for the intervals.
    progress : callable, optional
        Called with (done, total) categories.

    Returns
    -------
    DataFrame
        A table ``drift``. Measures are the centre's place in fractions of the image sides,
        the height in fractions of the image's, and the place in both axes (chi-square on 5 x 5
        cells only); chi-square of one axis uses 10 cells. Each image weighs one. Categories in
        one set only are there, without p, flagged. What the flags say: ``DRIFT_FLAGS``.

    Raises
    ------
    ValueError
        If ``n_permutations`` or ``n_resamples`` is less than 1.

    Notes
    -----
    Whole images are dealt out to the two sets at random, so objects of one image may depend
    on each other. The difference of means has the percentile interval of images
    resampled in each set; resamples are shared by the categories.

    Examples
    --------
    Six images with the object at the left against six with it at the right. One dealing in
    924 is like it, and one its mirror image:

    >>> from biaskit.bias.objects import boxes_from_pixels
    >>> left = boxes_from_pixels([[k, 0, k + 10, 9] for k in range(6)], frame=(99, 99))
    >>> right = boxes_from_pixels([[k, 0, k + 10, 9] for k in range(70, 76)], frame=(99, 99))
    >>> ks = drift(left, right, seed=1).query("measure == 'position_x' and test == 'ks'")
    >>> ks["statistic"].tolist(), bool(ks["log10_p"].iloc[0] < -2)
    ([1.0], True)
    """
    if n_permutations < 1:
        raise ValueError(f"n_permutations is {n_permutations}, expected at least 1")
    objects = arrange(pd.concat([_as_set(boxes, "a"), _as_set(against, "b")], ignore_index=True))
    sides = _sides(objects)
    images = ImageWeights(seed, n_resamples)
    rows: list[dict[str, object]] = []
    for done, (category, (first, second)) in enumerate(sides.items(), start=1):
        both = TwoSets(objects, category, first, second)
        rows += both.compare(images, n_permutations, seed)
        if progress is not None:
            progress(done, len(sides))
    if not rows:
        return DRIFT.empty()
    table = _corrected(pd.DataFrame(rows))
    return DRIFT.check(DRIFT.sort(table), "drift")


def _as_set(boxes: pd.DataFrame, name: str) -> pd.DataFrame:
    image_id = boxes["split"].astype(str) + "/" + boxes["image_id"].astype(str)
    return boxes.assign(image_id=image_id, split=name)


def _sides(objects: Objects) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the rows of every category in either set, in order of the names."""
    ends = np.searchsorted(objects.group, np.arange(objects.n_groups + 1))
    found: dict[str, dict[str, np.ndarray]] = {}
    for g, (category, name) in enumerate(
        zip(objects.groups["category"], objects.groups["split"], strict=True)
    ):
        found.setdefault(category, {})[name] = np.arange(ends[g], ends[g + 1])
    none = np.zeros(0, np.int64)
    return {c: (found[c].get("a", none), found[c].get("b", none)) for c in sorted(found)}


def _corrected(table: pd.DataFrame) -> pd.DataFrame:
    """Correct over the categories of each measure and test."""
    table["log10_bonferroni"] = table["log10_bh"] = np.nan
    for rows in table.groupby(["measure", "test"]).indices.values():
        found = correct(table["log10_p"].to_numpy()[rows])
        table.loc[rows, "log10_bonferroni"] = found.bonferroni
        table.loc[rows, "log10_bh"] = found.bh
    return table
