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
import time

import numpy as np
from uniformity import simulated_boxes

from biaskit.bias.effects import effects
from biaskit.bias.measures import measure
from biaskit.bias.objects import arrange
from biaskit.bias.questions import all_questions
from biaskit.bias.significance import significance
from biaskit.bias.symmetry import symmetry


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
    total = 0.0
    for work in (measure, significance, effects, symmetry):
        options = {} if work is measure else {"seed": 0}
        taken, table = seconds(lambda work=work, options=options: work(boxes, **options))
        total += taken
        print(f"{work.__name__:<14}{taken:>7.1f} s {len(table):>9,} rows")
    limit, _ = seconds(lambda: sorts(boxes))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"{'all tables':<14}{total:>7.1f} s, peak {peak:.1f} GiB")
    print(f"{'u and sorts':<14}{limit:>7.1f} s: all tables take {total / limit:.1f} times that")


if __name__ == "__main__":
    main()
