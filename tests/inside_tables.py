"""Made-up tables of layers, sums of maps, robustness, votes and blur, as the charts take them."""

import base64

import numpy as np
import pandas as pd

from biaskit.tables import SCHEMAS

SWEEP = {"protocol": "embed", "direction": "vertical", "fill": "harmonic"}
SIZES = (1.0, 0.75, 0.5, 0.375, 0.25)


def checked(name, rows):
    return SCHEMAS[name].check(SCHEMAS[name].sort(pd.DataFrame(rows)), name)


def around(name, value, reach, top=1.0):
    "A value with its interval"
    value = float(np.clip(value, 0, top))
    low, high = max(0.0, value - reach), min(top, value + reach)
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def architecture(depth=16, branches=1, pools=5):
    "Layers in the order of calls: convolutions, each the last before a stride, and pools"
    cuts = {round((k + 1) * depth / (pools + 1)) for k in range(pools)}
    found, factor, field = [], 1, 1
    for d in range(1, depth + 1):
        for b in range(branches if d > 2 and d % 3 == 0 else 1):
            side = {"kind": "convolution", "reading": "linear" if b else "activation"}
            field += 2 * factor
            found.append({"layer": f"stage{d}.branch{b}.conv", "depth": d, "stride": 1, **side})
            found[-1] |= {"subsampling_factor": factor, "field": field}
        if d in cuts:
            factor *= 2
            field += factor // 2
            found.append({"layer": f"stage{d}.pool", "depth": d, "stride": 2, "kind": "pool"})
            found[-1] |= {"reading": "pool", "subsampling_factor": factor, "field": field}
    return [one | {"order": k} for k, one in enumerate(found)]


def layers_of(networks, variants=("plain",)):
    "Table layers of some architectures by name"
    return checked(
        "layers",
        [
            one
            | {"network": name, "variant": variant, "channels": 64}
            | dict.fromkeys(("height", "width"), max(1, int(224 // one["subsampling_factor"])))
            | {"subsampling_factor": float(one["subsampling_factor"]), "field": float(one["field"])}
            for name, found in networks.items()
            for variant in variants
            for one in found
        ],
    )


def shiftability_of(networks, variants=("plain",), n=10, seed=0):
    "Table shiftability_by: rises behind the third stride, less with blur"
    rng = np.random.default_rng(seed)
    rows = []
    for name, found in networks.items():
        for k, variant in enumerate(variants):
            for one in found:
                rise = np.log2(one["subsampling_factor"]) / 5
                value = np.clip(0.8 * rise**2 + rng.normal(0, 0.05), 0, 1) / (1 + 1.5 * k)
                row = {key: one[key] for key in ("layer", "order", "depth", "kind", "reading")}
                row |= {"network": name, "variant": variant, **SWEEP}
                row |= {"n_images": n, "n_channels": 64, "n_steps": 32.0, "left_out": 0.05}
                row |= {"n_chosen": n, "variation_greatest": 2.0}
                row |= around("nonshiftability_chosen", value + rng.normal(0, 0.05), 0.12)
                for measure in ("nonshiftability", "deviation", "variation_median"):
                    row |= around(measure, value, 0.04)
                row |= around("energy_above_nyquist", 0.3, 0.1) | around("energy_onto_dc", 0.1, 0.1)
                rows.append(row)
    return checked("shiftability_by", rows)


def pattern(height, width, at, seed=0):
    "A blob over a texture, moved down by `at` of the map's side"
    y, x = np.mgrid[:height, :width] / np.array([height, width]).reshape(2, 1, 1)
    blob = np.exp(-(((y - 0.5 - at) / 0.15) ** 2 + ((x - 0.5) / 0.2) ** 2))
    lines = 0.35 * (1 + np.sin(40 * (y - at) + 9 * x + seed))
    return np.clip(blob * (0.4 + lines), 0, 1)


def maps_of(layers, *, steps=9, images=("i0000",), networks=("net",), sums=None, channel=3):
    "Table feature_maps: layers as (name, depth, height, width)"
    rows = []
    for network in networks:
        for image in images:
            for name, depth, height, width in layers:
                for step in range(steps):
                    shift = step - steps // 2
                    values = pattern(height, width, shift / 224, seed=depth)
                    levels = np.rint(values * 255).astype(np.uint8)
                    total = values.sum() * (1 + 0.3 * (depth > 8) * np.sin(step * depth))
                    rows.append(
                        {"network": network, "variant": "plain", **SWEEP, "image_id": image}
                        | {"layer": name, "channel": channel, "step": step}
                        | {"dx": 0.0, "dy": float(shift), "depth": depth}
                        | {"height": height, "width": width, "low": 0.0, "high": 3.0}
                        | {"sum": float(total * 3) if sums is None else float(sums[step])}
                        | {"levels": base64.b64encode(levels.tobytes()).decode()}
                    )
    return checked("feature_maps", rows)


def robustness_by_of(networks, people=(), *, sizes=SIZES, fill="grey", n=200, category=""):
    "Table robustness_by: networks fall to less than one in two at half size, people do not"
    rows = []
    for k, name in enumerate([*networks, *people]):
        person = name in people
        for size in sizes:
            value = 0.93 * size**0.1 if person else (0.8 - 0.03 * k) * size**0.9
            row = {"network": name, "variant": "plain", "fill": fill, "scale": size}
            row |= {"category": category, "seen": "unknown" if person else "held out"}
            row |= {"n_images": n, "n_places": 1.0 if person else 8.0}
            row |= around("accuracy", value, 0.05) | around("accuracy_top5", value + 0.1, 0.03)
            row |= around("worst", value / 2, 0.06) | around("p_true", value * 0.9, 0.03)
            for measure in ("accuracy_top5", "p_true") if person else ():
                row |= dict.fromkeys((measure, f"{measure}_low", f"{measure}_high"), np.nan)
            rows.append(row)
    return checked("robustness_by", rows)


def voting_of(networks, *, crops=(0, 1, 4, 16, 64), rules=("mean", "vote"), jitter=16, n=100):
    "Table voting: more crops are a little better and change less; votes know no top 5"
    rows = []
    for k, name in enumerate(networks):
        for rule in rules:
            for many in crops:
                gain = np.log2(many + 1) / 60 - (0.03 if many == 1 else 0)
                value = 0.72 - 0.05 * k + gain - 0.01 * (rule == "vote")
                row = {"network": name, "variant": "plain", "direction": "vertical"}
                row |= {"fill": "harmonic", "jitter": jitter, "rule": rule, "crops": many}
                row |= {"seen": "held out", "n_images": n, "n_labelled": n, "n_steps": 32.0}
                row |= {"frames_per_answer": max(1, many)}
                row |= around("accuracy", value, 0.03)
                row |= around("p_top1_change", 0.12 + 0.02 * k - 4 * gain / 3, 0.02)
                row |= around("jagged", 0.3 + 0.03 * k - 2 * gain, 0.05)
                if rule == "vote":
                    row |= dict.fromkeys(("jagged", "jagged_low", "jagged_high"), np.nan)
                rows.append(row)
    return checked("voting", rows)


def antialiasing_of(networks, variants=("plain", "blur-3", "lowpass"), *, n=100, n_inside=10):
    "Table antialiasing: less change, less accuracy"
    rows = []
    for j, name in enumerate(networks):
        for k, variant in enumerate(variants):
            row = {"network": name, "variant": variant, **SWEEP, "seen": "held out"}
            row |= {"n_images": n, "n_inside": n_inside}
            row |= around("accuracy", 0.75 - 0.04 * j - 0.12 * k, 0.05)
            row |= around("agreement", 1 - 0.18 * k, 0.03 if k else 0)
            row |= around("p_true", 0.6 - 0.1 * k, 0.05) | around("jagged", 0.3 - 0.05 * k, 0.05)
            row |= around("p_top1_change", 0.12 - 0.03 * k + 0.01 * j, 0.02)
            less = -0.03 * k
            row |= {"p_top1_change_less": less, "p_top1_change_less_low": less - 0.01}
            row |= {"p_top1_change_less_high": less + 0.01}
            row |= around("nonshiftability", 0.45 - 0.15 * k, 0.05)
            if not n_inside:
                names = ("nonshiftability", "nonshiftability_low", "nonshiftability_high")
                row |= dict.fromkeys(names, np.nan)
            rows.append(row)
    return checked("antialiasing", rows)


def robustness_of(networks, *, sizes=(1.0, 0.5), n=40, places=8, fill="grey", seed=0):
    "Table robustness: right in the middle, and less often the further from it"
    rng = np.random.default_rng(seed)
    rows = []
    for k, name in enumerate(networks):
        for size in sizes:
            reach = (1 - size) / 2
            for image in range(n):
                for place in range(places):
                    dx, dy = rng.uniform(-reach, reach, 2)
                    p = float(np.clip(0.9 - 0.05 * k - 1.6 * np.hypot(dx, dy), 0.02, 1))
                    right = float(rng.random() < p)
                    row = {"network": name, "variant": "plain", "fill": fill, "scale": size}
                    row |= {"image_id": f"i{image:04}", "category": "c0", "seen": "held out"}
                    row |= {"place": place, "dx": dx, "dy": dy, "top1": "c0" if right else "c1"}
                    row |= {"correct_top1": right, "correct_top5": 1.0, "p_true": p}
                    rows.append(row | {"seconds": np.nan})
    return checked("robustness", rows)
