"""One category in two sets of boxes: distances, differences of means, and what they are worth."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from biaskit.bias import two_samples
from biaskit.bias.bootstrap import ImageWeights, percentile_interval
from biaskit.bias.flags import FEW
from biaskit.bias.objects import Objects
from biaskit.bias.questions import BINS, QUADRATS
from biaskit.chance import hash_keys

__all__ = ["DRIFT_FLAGS", "TwoSets"]

DRIFT_FLAGS: Mapping[str, str] = {
    "only-first": "the category has no boxes in the second set: nothing to compare",
    "only-second": "the category has no boxes in the first set: nothing to compare",
    "untested": "fewer than 2 images in one of the sets: no p",
    "few": f"fewer than {FEW} images in one of the sets",
    "floor": "no permutation was as far apart: p is 1 / (permutations + 1), the truth may be less",
}
_AXES = ("height", "position_x", "position_y")
_STREAM = 0xD21F7


@dataclass
class TwoSets:
    """The objects of one category in both sets, and their images numbered from 0."""

    objects: Objects
    name: str
    first: np.ndarray  # rows of its objects in the first set
    second: np.ndarray
    rows: np.ndarray = field(init=False)
    image: np.ndarray = field(init=False)
    n: tuple[int, int] = field(init=False)  # images in each set

    def __post_init__(self) -> None:
        self.rows = np.concatenate([self.first, self.second])
        numbers = self.objects.image[self.rows]
        # Images are runs of rows, so they can be counted as they come.
        self.image = np.cumsum(np.diff(numbers, prepend=-1) != 0) - 1
        n_first = int(self.image[len(self.first) - 1]) + 1 if len(self.first) else 0
        n_all = int(self.image[-1]) + 1
        self.n = (n_first, n_all - n_first)

    def compare(
        self, images: ImageWeights, n_permutations: int, seed: int
    ) -> list[dict[str, object]]:
        """
        Compare the two sets.

        Parameters
        ----------
        images : ImageWeights
        n_permutations : int
        seed : int
            With the category's name it decides how images are dealt out.

        Returns
        -------
        list of dict
            One row of table ``drift`` per measure and test, not yet corrected.
        """
        values = self._values()
        differences = self._differences(values, images)
        if min(self.n) < 2:
            tests = [(m, t) for m in _AXES for t in ("chi2", "cvm", "ks")] + [("position", "chi2")]
            distances = {test: np.zeros(0) for test in tests}
        else:
            name = int(hash_keys(self.name)[0])
            rng = np.random.default_rng([seed, _STREAM, name])
            distances = self._distances(values, n_permutations, rng)
        return [
            self._row(measure, test, distances[measure, test], differences.get(measure))
            for measure, test in distances
        ]

    def _values(self) -> dict[str, np.ndarray]:
        x, y, rows = self.objects.x, self.objects.y, self.rows
        return {
            "height": y.size[rows] / y.frame[rows],
            "position_x": (x.start[rows] + x.size[rows] / 2) / x.frame[rows],
            "position_y": (y.start[rows] + y.size[rows] / 2) / y.frame[rows],
        }

    def _distances(
        self, values: Mapping[str, np.ndarray], n_permutations: int, rng: np.random.Generator
    ) -> dict[tuple[str, str], np.ndarray]:
        n_images = sum(self.n)
        pooled = {m: two_samples.pool(values[m], self.image, n_images) for m in _AXES}
        bins = {m: _cell(values[m], BINS) for m in _AXES}
        across, down = (_cell(values[f"position_{axis}"], QUADRATS) for axis in "xy")
        cells = {m: self._shares(bins[m], BINS) for m in _AXES}
        cells["position"] = self._shares(down * QUADRATS + across, QUADRATS**2)
        parts: dict[tuple[str, str], list[np.ndarray]] = {}
        for dealt in two_samples.deal_out(
            self.n[0], n_images, n_permutations=n_permutations, rng=rng
        ):
            for measure, one in pooled.items():
                ks, cvm = two_samples.ks_and_cvm_distances(one, dealt)
                parts.setdefault((measure, "ks"), []).append(ks)
                parts.setdefault((measure, "cvm"), []).append(cvm)
            for measure, share in cells.items():
                chi2 = two_samples.chi2_distances(share, dealt)
                parts.setdefault((measure, "chi2"), []).append(chi2)
        return {test: np.concatenate(found) for test, found in parts.items()}

    def _shares(self, cell: np.ndarray, n_cells: int) -> np.ndarray:
        """Return the share of each image's objects in each cell."""
        size = sum(self.n) * n_cells
        counts = np.bincount(self.image * n_cells + cell, minlength=size).reshape(-1, n_cells)
        return counts / counts.sum(axis=1, keepdims=True)

    def _differences(
        self, values: Mapping[str, np.ndarray], images: ImageWeights
    ) -> dict[str, tuple[float, float, float]]:
        """Return first mean less second with its interval, for each measure of one axis."""
        if min(self.n) < 1:
            return {}
        per_image = np.bincount(self.image)
        means = [np.bincount(self.image, values[m]) / per_image for m in _AXES]
        in_first = np.arange(sum(self.n)) < self.n[0]
        columns = np.column_stack([np.ones(sum(self.n)), *means])
        sums = [images.totals(columns * side[:, None]) for side in (in_first, ~in_first)]
        with np.errstate(invalid="ignore", divide="ignore"):
            resampled = sums[0][1:] / sums[0][0] - sums[1][1:] / sums[1][0]
        low, high = percentile_interval(resampled, min(self.n))
        value = [m[in_first].mean() - m[~in_first].mean() for m in means]
        return {
            m: (float(v), float(a), float(b))
            for m, v, a, b in zip(_AXES, value, low, high, strict=True)
        }

    def _row(
        self,
        measure: str,
        test: str,
        distances: np.ndarray,
        difference: tuple[float, float, float] | None,
    ) -> dict[str, object]:
        tested = len(distances) > 0
        log10_p, alone = two_samples.p_value(distances) if tested else (np.nan, False)
        value, low, high = difference or (np.nan, np.nan, np.nan)
        return {
            "category": self.name,
            "measure": measure,
            "test": test,
            "n_images_a": self.n[0],
            "n_images_b": self.n[1],
            "n_objects_a": len(self.first),
            "n_objects_b": len(self.second),
            "statistic": float(distances[0]) if tested else np.nan,
            "log10_p": log10_p,
            "p_kind": "monte_carlo" if tested else "",
            "difference": value,
            "low": low,
            "high": high,
            "flags": self._flags(alone=alone),
        }

    def _flags(self, *, alone: bool) -> str:
        marks = {
            "only-first": self.n[1] == 0,
            "only-second": self.n[0] == 0,
            "untested": min(self.n) == 1,
            "few": 2 <= min(self.n) < FEW,
            "floor": alone,
        }
        return " ".join(word for word, marked in marks.items() if marked)


def _cell(value: np.ndarray, n_cells: int) -> np.ndarray:
    return np.clip(value * n_cells, 0, n_cells - 1).astype(np.int64)
