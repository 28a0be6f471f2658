"""Tables for tests of the measures: frames of chance, their measures by hand, rows of images."""

import math

import numpy as np
import pandas as pd

from biaskit.tables import FRAMES, JAGGEDNESS

SWEEP = {
    "network": "toy",
    "variant": "plain",
    "protocol": "embed",
    "direction": "vertical",
    "fill": "mean",
}
CLASSES = [f"c{i}" for i in range(9)]


def frames_of(top5, *, category="c0", image="1", p_true=None, margin=None, **names):
    "One sequence from its lists of five, as ranks: the true class's place in the list, else 7"
    n = len(top5)
    rank = [one.index(category) + 1 if category in one else 7 for one in top5]
    return pd.DataFrame(
        {
            **(SWEEP | names),
            "image_id": image,
            "category": category,
            "object": -1,
            "pass": names.get("pass", 0),
            "step": np.arange(n),
            "dx": 0.0,
            "dy": np.arange(n, dtype=float),
            "scale": 0.7,
            "p_true": np.full(n, 0.5) if p_true is None else p_true,
            "rank_true": rank if category else np.zeros(n, int),
            "margin": np.full(n, 0.5) if margin is None else margin,
            "top1": [one[0] for one in top5],
            "p_top1": 0.5,
            "p_first": np.full(n, 0.5),
            "top5": ["|".join(one) for one in top5],
            "p_top5": "0.5|0.2|0.1|0.1|0.1",
        }
    )[list(FRAMES.columns)]


def chance_frames(rng, lengths):
    "Sequences of these lengths; every third image's true class is unknown"
    parts = []
    for number, n in enumerate(lengths):
        known = number % 3 != 2
        part = frames_of(
            [list(rng.permutation(CLASSES)[:5]) for _ in range(n)],
            category="c0" if known else "",
            image=f"image {number // 2}",
            p_true=rng.random(n) if known else np.full(n, np.nan),
            margin=rng.normal(size=n) if known else np.full(n, np.nan),
            **{"pass": number % 2},
        )
        parts.append(part.assign(p_first=rng.random(n)))
    return pd.concat(parts, ignore_index=True)


def slow_distance(first, second):
    "ImageNet-P's double sum as it is printed; a class that is gone has place 6 or later"
    total = 0
    for i in range(1, 6):
        s = second.index(first[i - 1]) + 1 if first[i - 1] in second else 1000
        for j in range(min(i, s) + 1, max(i, s) + 1):
            total += 1 <= j - 1 <= 5
    return total


def slow_rows(frames):
    "All measures of one sequence from their definitions, frame by frame"
    frames = frames.sort_values("step").to_dict("records")
    known = frames[0]["rank_true"] > 0
    return [_slow_row(frames, lag, known) for lag in range(1, len(frames))]


def _slow_row(frames, lag, known):
    n = len(frames)
    pairs = [(frames[t], frames[t + lag]) for t in range(n - lag)]
    flips = [(x, y) for x, y in pairs if (x["rank_true"] == 1) != (y["rank_true"] == 1)]

    def share(found):
        return sum(found) / len(found)

    row = {
        "lag": lag,
        "n_steps": len(pairs),
        "p_top1_change": share([x["top1"] != y["top1"] for x, y in pairs]),
        "consistency": share([x["top1"] == y["top1"] for x, y in pairs]),
        "confidence": share([f["p_top1"] for f in frames]),
        "mean_abs_change_first": share([abs(x["p_first"] - y["p_first"]) for x, y in pairs]),
        "top5_distance": share(
            [slow_distance(x["top5"].split("|"), y["top5"].split("|")) for x, y in pairs]
        ),
    }
    truth = {
        "transitions": sum((x["rank_true"] <= 5) != (y["rank_true"] <= 5) for x, y in pairs),
        "mean_abs_change": share([abs(x["p_true"] - y["p_true"]) for x, y in pairs]),
        "ever_top5": max(f["rank_true"] <= 5 for f in frames),
        "accuracy": share([f["top1"] == f["category"] for f in frames]),
        "accuracy_top5": share([f["category"] in f["top5"].split("|") for f in frames]),
        "right_first": frames[0]["top1"] == frames[0]["category"],
        "fidelity": share([x["top1"] == y["top1"] == x["category"] for x, y in pairs]),
        "worst": min(f["top1"] == f["category"] for f in frames),
        "worst_p_true": min(f["p_true"] for f in frames),
        "margin_at_change": share([min(abs(x["margin"]), abs(y["margin"])) for x, y in flips])
        if flips
        else math.nan,
    }
    return row | (truth if known else dict.fromkeys(truth, math.nan))


def jagged_rows(images, **values):
    "Rows of jaggedness at lag 1, one per name of an image; a value is one or a sequence"
    n = len(images)
    defaults = dict.fromkeys(JAGGEDNESS.columns, 0.0) | SWEEP
    defaults |= {"category": "dog", "object": -1, "pass": 0, "lag": 1, "n_steps": 32}
    defaults |= {"seen": "held out", "image_id": list(images)}
    columns = {k: [v] * n if np.isscalar(v) else v for k, v in (defaults | values).items()}
    return JAGGEDNESS.check(pd.DataFrame(columns), "test")
