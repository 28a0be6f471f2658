"""
Effects with 1,000-fold intervals: time for a data set the size of ImageNet's boxes.

    python benchmarks/effects.py

Simulates 615,299 boxes in 1,000 categories, 1.6 to an image, and estimates all effects of all
measures, nulls, policies and edges. Beside it, in the same run: intervals of one single effect
(the vertical offset) by a loop over categories and resamples that draws images with NumPy, to
scale. Then the number of boxes is varied: the time per box should not rise.
"""

import argparse
import time

import numpy as np
import pandas as pd

from biaskit.bias.effects import effects
from biaskit.bias.planted import planted

N_RESAMPLES = 1000


def simulated(n_boxes: int, n_categories: int, seed: int) -> pd.DataFrame:
    """Return boxes whose images hold one to three objects: 1.6 on average."""
    rng = np.random.default_rng(seed)
    n_images = max(2, round(n_boxes / 1.6 / n_categories))
    boxes = planted("small effect", n_images=n_images, n_categories=n_categories, seed=seed)
    more = [boxes]
    for number, share in ((1, 0.4), (2, 0.2)):
        extra = planted(
            "small effect", n_images=n_images, n_categories=n_categories, seed=seed + number
        )
        columns = ["category", "image_id", "split", "image_width", "image_height"]
        extra = pd.concat([boxes[columns], extra.drop(columns=columns)], axis=1)
        # The image's own size: positions are fractions, so they stay inside.
        extra = extra.assign(object=number, lattice=0.0)
        more.append(extra[rng.random(len(extra)) < share])
    return pd.concat(more, ignore_index=True)


def seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def plain_offsets(boxes: pd.DataFrame, n_categories: int) -> None:
    """The vertical offset of some categories, images drawn one category at a time."""
    rng = np.random.default_rng(1)
    boxes = boxes.assign(y=(boxes["y_min"] + boxes["y_max"]) / 2 - 0.5)
    for category in boxes["category"].unique()[:n_categories]:
        own = boxes[boxes["category"] == category]
        per_image = own.groupby("image_id")["y"].agg(["sum", "count"]).to_numpy()
        drawn = [
            per_image[rng.integers(0, len(per_image), len(per_image))].sum(axis=0)
            for _ in range(N_RESAMPLES)
        ]
        sums = np.array(drawn)
        np.quantile(sums[:, 0] / sums[:, 1], [0.025, 0.975])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--boxes", type=int, default=615_299)
    parser.add_argument("--categories", type=int, default=1000)
    parser.add_argument("--scaling", action="store_true", help="also 1e4 to 1e6 boxes")
    options = parser.parse_args()
    boxes = simulated(options.boxes, options.categories, seed=1)
    ours = seconds(lambda: effects(boxes, seed=1, n_resamples=N_RESAMPLES))
    n_intervals = 8 * 17  # policies x edges x effects with a resampled interval
    few = min(20, options.categories)
    plain = seconds(lambda: plain_offsets(boxes, few)) / few * options.categories
    print(f"{len(boxes):,} boxes, {options.categories:,} categories: all effects in {ours:.1f} s")
    print(
        f"one effect by a plain loop: {plain:.1f} s (from {few} categories); "
        f"per interval biaskit is {plain / (ours / n_intervals):.0f} times as fast"
    )
    if options.scaling:
        for n in (10_000, 100_000, 1_000_000):
            some = simulated(n, max(1, round(n * 1000 / 615_299)), seed=2)
            took = seconds(lambda some=some: effects(some, seed=1, n_resamples=N_RESAMPLES))
            print(f"{len(some):>9,} boxes: {took:6.2f} s, {took / len(some) * 1e6:.1f} us a box")


if __name__ == "__main__":
    main()
