"""The tables of what happens inside networks: their layers, sums of maps under shift, blur."""

from biaskit.schema import Column, Schema
from biaskit.tables.columns import IMAGE_ID, count, share, text, with_interval
from biaskit.tables.sweeps import NETWORK, SWEEP, VARIANT

__all__ = [
    "ANTIALIASING",
    "FEATURE_MAPS",
    "LAYERS",
    "READINGS",
    "SAMPLING",
    "SAMPLING_CASES",
    "SHIFTABILITY",
    "SHIFTABILITY_BY",
]

READINGS = ("activation", "linear", "pool", "output")
_LAYER = text("name of the layer: its module's, with a number where it is called again")
_DEPTH = count("convolutions with weights on the longest path to the map, its own included")

LAYERS = Schema(
    name="layers",
    row="layer of a network",
    keys=("network", "variant", "layer"),
    columns={
        "network": NETWORK,
        "variant": VARIANT,
        "order": count("number of the layer in the order of calls, from 0"),
        "layer": _LAYER,
        "kind": text("what the layer is", "convolution", "pool", "other"),
        "reading": text(
            "where its map is read: after its activation; linear: no activation of its own "
            "follows; pool: what the pool gives; output: what the module gives",
            *READINGS,
        ),
        "depth": _DEPTH,
        "stride": count("places it steps over; 1: it drops none", "places", low=1),
        "subsampling_factor": Column(
            "least shift of the input that moves the map by exactly one cell, measured; missing "
            "if none does",
            "px",
            low=1,
            missing=True,
        ),
        "field": Column(
            "length of what a unit of the map sees of the input, measured; missing if all of it",
            "px",
            low=1,
            missing=True,
        ),
        "channels": count("of the map", low=1),
        "height": count("of the map", "cells", low=1),
        "width": count("of the map", "cells", low=1),
    },
)

SHIFTABILITY = Schema(
    name="shiftability",
    row="channel of a layer, over the shifts of an image; S is the sum over its map",
    keys=(*SWEEP, "image_id", "layer", "channel"),
    columns={
        **SWEEP,
        "image_id": IMAGE_ID,
        "layer": _LAYER,
        "channel": count("number of the channel, from 0"),
        "chosen": Column(
            "whether it is the one channel drawn by seed for this image and layer", kind="flag"
        ),
        "n_steps": count("pairs of neighbouring frames"),
        "n_changes": count("pairs with |S(t+1) - S(t)| > 0.2 |mean S|; 0 where the mean is 0"),
        "nonshiftability": share("n_changes of n_steps; missing where the mean of S is 0"),
        "deviation": share("frames with |S(t) - mean S| > 0.2 |mean S|; missing likewise"),
        "variation": Column(
            "standard deviation of S over the frames, of |mean S|; missing likewise",
            "ratio",
            low=0,
            missing=True,
        ),
        "mean_sum": Column("mean of S over the frames", "units of the map"),
        "energy_above_nyquist": share(
            "of the energy without the mean, before the layer drops places: what lies at or above "
            "half the sampling rate; missing where it drops none, where a variant's blur comes "
            "between, and where there is no energy"
        ),
        "energy_onto_dc": share(
            "likewise: what lies at multiples of the sampling rate other than 0, and so folds "
            "onto the sum"
        ),
    },
)

SHIFTABILITY_BY = Schema(
    name="shiftability_by",
    row="layer of a network under one sweep",
    keys=(*SWEEP, "layer"),
    columns={
        **SWEEP,
        "layer": _LAYER,
        "order": LAYERS.columns["order"],
        "depth": _DEPTH,
        "kind": LAYERS.columns["kind"],
        "reading": LAYERS.columns["reading"],
        "n_images": count("images"),
        "n_channels": count("channels of the layer"),
        "n_steps": Column("mean number of pairs of frames per image", "count", low=0, missing=True),
        "left_out": share("pairs of image and channel whose sum is 0 on the mean: no map to judge"),
        "n_chosen": count("images whose one channel drawn by seed is not left out"),
        **with_interval(
            "nonshiftability_chosen",
            share("the paper's: mean over images of one channel drawn by seed for each"),
        ),
        **with_interval(
            "nonshiftability", share("mean over images of the mean over all channels not left out")
        ),
        **with_interval(
            "deviation", share("the other reading: |S - mean S|, mean over images and channels")
        ),
        **with_interval(
            "variation_median",
            Column(
                "mean over images of the median over channels of the variation, cut at 1",
                "ratio",
                0,
                1,
                missing=True,
            ),
        ),
        "variation_greatest": Column(
            "greatest variation of any channel and image", "ratio", low=0, missing=True
        ),
        **with_interval("energy_above_nyquist", share("mean over images of that over channels")),
        **with_interval("energy_onto_dc", share("mean over images of that over channels")),
    },
)

FEATURE_MAPS = Schema(
    name="feature_maps",
    row="map of one channel of a layer at one shift of one image",
    keys=(*SWEEP, "image_id", "layer", "channel", "step"),
    columns={
        **SWEEP,
        "image_id": IMAGE_ID,
        "layer": _LAYER,
        "channel": count("number of the channel, from 0"),
        "step": count("number of the frame in its sequence, from 0"),
        "dx": Column("shift to the right", "px of the input"),
        "dy": Column("shift down", "px of the input"),
        "depth": _DEPTH,
        "height": count("of the map", "cells", low=1),
        "width": count("of the map", "cells", low=1),
        "low": Column("value of level 0: the least over all shifts of this layer", "of the map"),
        "high": Column("value of level 255: the greatest over all shifts", "of the map"),
        "sum": Column("sum over the map", "of the map"),
        "levels": text("the map's levels from 0 to 255 row by row, a byte each, in base64"),
    },
)

ANTIALIASING = Schema(
    name="antialiasing",
    row="variant of a network under one sweep, beside the network as it is",
    keys=tuple(SWEEP),
    columns={
        **SWEEP,
        "seen": text(
            "whether the network was trained on the images", "training", "held out", "unknown"
        ),
        "n_images": count("images that both variants were swept over"),
        **with_interval("accuracy", share("frames whose most probable class is the true one")),
        **with_interval("agreement", share("frames with the most probable class of variant plain")),
        **with_interval("p_true", share("mean probability of the true class")),
        **with_interval("jagged", share("images with any transition in or out of the top 5")),
        **with_interval(
            "p_top1_change", share("pairs of frames whose most probable class differs")
        ),
        **with_interval(
            "p_top1_change_less",
            Column("p_top1_change less that of plain, same images", "share", -1, 1, missing=True),
        ),
        "n_inside": count("images of the sums of maps; 0: no shiftability of this variant"),
        **with_interval(
            "nonshiftability",
            share("of the layers that drop places: mean over images of that over layers, channels"),
        ),
    },
)

SAMPLING_CASES = (
    "no energy above half the sampling rate",
    "energy above, none onto the sum",
    "energy onto the sum",
    "no energy above, then a ReLU",
)

SAMPLING = Schema(
    name="sampling",
    row="case of the demonstration: a response that is sampled at every s-th place, moved",
    keys=("case", "dimensions"),
    columns={
        "case": text(
            "what energy the response has; then a ReLU: negative samples count as 0",
            *SAMPLING_CASES,
        ),
        "dimensions": count("1: a line of places; 2: a map", low=1),
        "factor": count("s, the places a step of the sampling spans", "places", low=1),
        "n": count("places of the response along each side", low=1),
        "energy_above_nyquist": share(
            "of the response's energy without the mean, see shiftability; before the ReLU, if any"
        ),
        "energy_onto_dc": share("likewise"),
        "sum_variation": Column(
            "greatest less least sum of the samples over all shifts, of their mean",
            "ratio",
            low=0,
        ),
        "interpolation_error": Column(
            "root mean square error, over all shifts, of the response (behind the ReLU, if any) "
            "rebuilt from its samples, of its own root mean square without the mean",
            "ratio",
            low=0,
        ),
        "sum_invariant": Column("whether the sum stays to 1e-9", kind="flag"),
        "shiftable": Column("whether the response can be rebuilt, to 1e-9", kind="flag"),
    },
)
