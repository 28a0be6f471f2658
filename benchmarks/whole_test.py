"""
The whole of ``biaskit test`` on a data set the size of ImageNet's training boxes.

    python benchmarks/whole_test.py            # a minute
    python benchmarks/whole_test.py --quick    # a tenth of the data

615,299 simulated boxes in 1,000 categories: every measure, null, policy, edges and test with 20
redraws, and every effect with intervals of 1,000 resamples. Prints the seconds of each table, and
as the physical limit of the statistics the time to sort every column of u once.
"""

import argparse
import resource
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from uniformity import simulated_boxes

from biaskit.bias.objects import arrange
from biaskit.bias.questions import all_questions
from biaskit.bias.stage import make_tables
from biaskit.provenance import provenance
from biaskit.study import Study


def seconds(work):
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def sorts(boxes):
    "Every u of every question, sorted within its category, once per edges"
    objects = arrange(boxes)
    for edges in ("with", "without"):
        for question in all_questions(objects, edges, seed=0):
            if question.u.ndim == 1:
                np.sort(np.where(question.included, question.u, 0) + objects.group)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    n, groups = (61_530, 100) if quick else (615_299, 1000)
    boxes = simulated_boxes(n, groups, np.random.default_rng(0))
    print(f"{n:,} boxes, {groups:,} categories")
    taken = {}

    @contextmanager
    def shown(table):
        start = time.perf_counter()
        yield lambda *_: None
        taken[table] = time.perf_counter() - start

    with tempfile.TemporaryDirectory() as folder:
        study = Study(Path(folder) / "study")
        with study.writing("benchmark"):
            study.write("boxes", boxes, provenance(inputs=[], options={}, seed=None))
            total, _ = seconds(lambda: make_tables(study, seed=0, shown=shown))
        for entry in study.entries()[1:]:
            print(f"{entry.table:<14}{taken[entry.table]:>7.1f} s {entry.rows:>9,} rows")
    limit, _ = seconds(lambda: sorts(boxes))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"{'all, written':<14}{total:>7.1f} s, peak {peak:.1f} GiB")
    print(f"{'u and sorts':<14}{limit:>7.1f} s: all tables take {total / limit:.1f} times that")


if __name__ == "__main__":
    main()
