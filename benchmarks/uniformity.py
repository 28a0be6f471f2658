"""
How fast the tests of uniformity are: against a loop with SciPy, in all, and as the data grow.

    python benchmarks/uniformity.py            # a few minutes
    python benchmarks/uniformity.py --quick    # a tenth of the data

Prints, from this one run: (1) Kolmogorov-Smirnov, Cramer-von Mises and chi-square with their
p-values for one variable of every category, ours against a loop over categories that calls
``scipy.stats.kstest`` (its default method), ``cramervonmises`` and ``chisquare`` of
``numpy.histogram``; the loop is given each category's values ready cut. Ours starts from the
unsorted column, and computes Kuiper's and Anderson-Darling's statistics as well. (2) The whole
significance table. (3) One variable at 10^4 to 10^7 boxes.
"""

import argparse
import resource
import time

import numpy as np
import pandas as pd
from scipy import stats

from biaskit.bias.significance import significance
from biaskit.bias.tails import cvm_tail, ks_tail, pearson_tail
from biaskit.bias.uniformity import BINS, order_by_group, statistics

PER_CATEGORY = 615
BOXES_PER_IMAGE = 1.61  # as in ImageNet's validation set


def simulated_boxes(n, n_categories, rng):
    "Boxes of any size, free where they fit; images of ImageNet's usual sizes"
    image = np.cumsum(rng.random(n) < 1 / BOXES_PER_IMAGE)
    first = np.r_[True, image[1:] != image[:-1]]
    frames = np.array([(500, 375), (500, 333), (375, 500), (400, 300)])
    of_image = rng.integers(0, len(frames), first.sum())[np.cumsum(first) - 1]
    width, height = frames[of_image].T
    category = image * n_categories // (image[-1] + 1)
    table = {
        "category": np.char.add("n", np.char.zfill(category.astype(str), 8)),
        "image_id": np.char.add("image_", np.char.zfill(image.astype(str), 8)),
        "object": np.arange(n) - np.maximum.accumulate(np.where(first, np.arange(n), 0)),
        "split": "train",
        "image_width": width,
        "image_height": height,
        "lattice": 1.0,
    }
    for axis, frame in (("x", width), ("y", height)):
        size = np.maximum(16, np.rint(frame * rng.beta(2, 1.5, n)))
        start = np.floor(rng.random(n) * (frame - size + 1))
        table[f"{axis}_min"], table[f"{axis}_max"] = start / frame, (start + size) / frame
    return pd.DataFrame(table)


def seconds(*works, repeats=3):
    "First and median time of each, in turn, so that a busy moment of the machine meets both"
    times = [[] for _ in works]
    for _ in range(repeats):
        for work, taken in zip(works, times, strict=True):
            start = time.perf_counter()
            work()
            taken.append(time.perf_counter() - start)
    return [(taken[0], float(np.median(taken))) for taken in times]


def ours(u, group, n_groups):
    found = statistics(order_by_group(u, group), n_groups)
    n = np.bincount(group, minlength=n_groups)
    return ks_tail(found.ks, n), cvm_tail(found.cvm, n), pearson_tail(found.chi2, n, cells=BINS)


def loop(parts):
    for x in parts:
        stats.kstest(x, "uniform")
        stats.cramervonmises(x, "uniform")
        stats.chisquare(np.histogram(x, BINS, (0, 1))[0])


def one_variable(n, rng):
    group = np.sort(rng.integers(0, n // PER_CATEGORY, n))
    u = rng.beta(1.2, 1.2, n)  # somewhat central, as real categories are
    parts = np.split(u, np.flatnonzero(np.diff(group)) + 1)
    (first, median), (_, scipys) = seconds(
        lambda: ours(u, group, n // PER_CATEGORY), lambda: loop(parts), repeats=5
    )
    print(f"one variable, {n:,} boxes in {n // PER_CATEGORY:,} categories: KS, CvM, chi-square")
    print(f"  loop with scipy {scipys:.3f} s (median of 5)")
    print(f"  biaskit         {median:.3f} s (median of 5; first call {first:.3f} s)")
    print(f"  ratio           {scipys / median:.1f} (first call {scipys / first:.1f})")


def whole_table(n, rng):
    boxes = simulated_boxes(n, n // PER_CATEGORY, rng)
    print(f"whole significance table, {n:,} boxes in {n // PER_CATEGORY:,} categories")
    for workers in (1, 2):
        start, busy = time.perf_counter(), time.process_time()
        table = significance(boxes, seed=1, workers=workers)
        wall, busy = time.perf_counter() - start, time.process_time() - busy
        print(f"  {workers} thread(s): {wall:.1f} s, {busy:.1f} s of CPU, {len(table):,} tests")


def growth(sizes, rng):
    print(f"one variable as the data grow, {PER_CATEGORY} boxes per category")
    for n in sizes:
        group = np.sort(rng.integers(0, max(1, n // PER_CATEGORY), n))
        u = rng.beta(1.2, 1.2, n)
        [(_, median)] = seconds(lambda u=u, g=group: ours(u, g, int(g[-1]) + 1))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"  {n:>10,}: {median:.3f} s, {1e6 * median / n:.2f} us per box, peak {peak:.2f} GiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--quick", action="store_true", help="a tenth of the data")
    part = 10 if parser.parse_args().quick else 1
    rng = np.random.default_rng(20180530)
    one_variable(615_299 // part, rng)
    growth([10**4, 10**5, 10**6, 10**7 // part], rng)
    whole_table(615_299 // part, rng)


if __name__ == "__main__":
    main()
