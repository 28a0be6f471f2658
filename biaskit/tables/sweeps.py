"""The tables of networks under shift: their cards, the frames of sweeps, how jagged they are."""

from biaskit.schema import Column, Schema
from biaskit.tables.columns import IMAGE_ID, P_KINDS, count, log10_p, share, text, with_interval

__all__ = [
    "DIRECTIONS",
    "FRAMES",
    "JAGGEDNESS",
    "JAGGEDNESS_BY",
    "NETWORK",
    "NETWORKS",
    "NETWORK_PAIRS",
    "PROTOCOLS",
    "SEEN",
    "SWEEP",
    "SWEPT",
    "VARIANT",
]

PROTOCOLS = (
    "embed",
    "crop",
    "crop-scaled",
    "scale",
    "film",
    "roll",
    "pairs",
    "random",
    "blank",
    "repeat",
    "places",
)
DIRECTIONS = ("horizontal", "vertical", "diagonal", "grid", "larger", "time", "any")
SEEN = ("training", "held out", "unknown")

NETWORK = text("name of the network, as torchvision or timm has it")
VARIANT = text("plain, or how the network was changed, such as by blur before its strides")
_PROTOCOL = text("how the frames were made; see the README", *PROTOCOLS)
_DIRECTION = text("in which direction the frames follow each other", *DIRECTIONS)
_FILL = text(
    "what fills the canvas around the image; none: nothing to fill; -refilled: anew at each step"
)
_SEEN = text("whether the network was trained on the image", *SEEN)
SWEEP = {
    "network": NETWORK,
    "variant": VARIANT,
    "protocol": _PROTOCOL,
    "direction": _DIRECTION,
    "fill": _FILL,
}
_OBJECT = count("number of the object the frames keep inside; -1: the image as a whole", low=-1)
_PASS = count("which of several sequences over the same image: row of a grid, number of a pair")
_SEQUENCE = {
    **SWEEP,
    "image_id": IMAGE_ID,
    "category": text("true class of the image; empty if not known"),
    "object": _OBJECT,
    "pass": _PASS,
}
_SEQUENCE_KEYS = (*SWEEP, "image_id", "object", "pass")

NETWORKS = Schema(
    name="networks",
    row="network as used",
    keys=("network", "variant", "weights"),
    columns={
        "network": NETWORK,
        "variant": VARIANT,
        "weights": text("where the weights are from: a name, a file's name, or random"),
        "sha256": text("of the weights as loaded, entry by entry; empty for random ones"),
        "licence": text("of the weights, as their source states it; empty if it states none"),
        "input_size": count("side of the square input", "px", low=1),
        "preprocessing": text("size before the crop, interpolation, mean and spread, in words"),
        "parameters": count("numbers that training changes"),
        "depth": count("layers with weights on the longest path from input to output"),
        "depth_paper": count("the depth the paper gives; 0: the paper does not have it"),
        "subsampling_factor": Column(
            "least shift of the input that moves the last map by one cell; missing if none does",
            "px",
            low=1,
            missing=True,
        ),
        "poolings": count("pooling layers with a stride, global ones left out"),
        "strides_without_blur": count("layers with a stride and no blur before it"),
        "outputs": count("classes the network tells apart", low=1),
    },
)

SWEPT = Schema(
    name="swept",
    row="image a sweep was asked for",
    keys=(*SWEEP, "image_id", "object"),
    columns={
        **SWEEP,
        "image_id": IMAGE_ID,
        "category": _SEQUENCE["category"],
        "object": _OBJECT,
        "file": text("name of the file within its folder"),
        "seen": _SEEN,
        "n_frames": count("frames that were made; 0 if it was left out"),
        "range": count("steps of one pixel that the image has room for", "px"),
        "reason": text("why it was left out; empty if it was not"),
        "image_width": count("of the photograph, upright; 0 if it could not be read", "px"),
        "image_height": count("of the photograph, upright; 0 if it could not be read", "px"),
        "box_area": Column(
            "area of the object's box in the frame; the whole image's where there is no box",
            "of the input's area",
            low=0,
            missing=True,
        ),
    },
)

FRAMES = Schema(
    name="frames",
    row="frame: a network, an image, a step",
    keys=(*_SEQUENCE_KEYS, "step"),
    columns={
        **_SEQUENCE,
        "step": count("number of the frame in its sequence, from 0"),
        "dx": Column("shift to the right", "px of the input", missing=True),
        "dy": Column("shift down", "px of the input", missing=True),
        "scale": Column(
            "longer side of the whole image as shown, of the input's side", "ratio", low=0
        ),
        "p_true": share("probability of the true class"),
        "rank_true": count(
            "rank of the true class, 1 the best; ties go to the first class; 0: none"
        ),
        "margin": Column(
            "logit of the true class less the greatest other one", "nats", missing=True
        ),
        "top1": text("most probable class"),
        "p_top1": share("its probability", missing=False),
        "p_first": share("probability of the class that was first in step 0", missing=False),
        "top5": text("the five most probable classes, best first, with | between them"),
        "p_top5": text("their probabilities, with | between them"),
    },
)

JAGGEDNESS = Schema(
    name="jaggedness",
    row="sequence of frames, at one lag",
    keys=(*_SEQUENCE_KEYS, "lag"),
    columns={
        **_SEQUENCE,
        "lag": count("steps between the frames that are compared", "steps", low=1),
        "seen": _SEEN,
        "n_steps": count("pairs of frames at this lag"),
        "transitions": Column(
            "pairs in which the true class enters or leaves the top 5", "count", low=0, missing=True
        ),
        "p_top1_change": share("pairs whose most probable class differs"),
        "mean_abs_change": share("mean absolute change of the true class's probability"),
        "mean_abs_change_first": share("the same of the class that was first in step 0"),
        "ever_top5": Column(
            "1 if the true class is in the top 5 of any frame", "", 0, 1, missing=True
        ),
        "accuracy": share("frames whose most probable class is the true one"),
        "accuracy_top5": share("frames that have the true class in the top 5"),
        "right_first": Column("1 if step 0 is right", "", 0, 1, missing=True),
        "consistency": share("pairs with the same most probable class"),
        "fidelity": share("pairs with the same most probable class, and it is the true one"),
        "worst": Column("1 if every frame is right", "", 0, 1, missing=True),
        "worst_p_true": share("least probability of the true class over the frames"),
        "confidence": share("mean probability of the most probable class"),
        "top5_distance": Column(
            "mean distance of the lists of five, as ImageNet-P defines it",
            "places",
            0,
            18,
            missing=True,
        ),
        "margin_at_change": Column(
            "mean of the smaller |margin| of the two frames where the true class stops or starts "
            "being the first; missing without such a pair",
            "nats",
            low=0,
            missing=True,
        ),
    },
)

JAGGEDNESS_BY = Schema(
    name="jaggedness_by",
    row="group of sequences of one sweep, at lag 1",
    keys=(*SWEEP, "category", "subset"),
    columns={
        **SWEEP,
        "category": text("only images of this class; empty: of all classes"),
        "subset": text(
            "all images; those whose true class is ever in the top 5; those that every network of "
            "the protocol gets right in step 0",
            "all",
            "ever top 5",
            "all right",
        ),
        "seen": _SEEN,
        "n_images": count("images"),
        "n_labelled": count("images whose true class is known and among the network's"),
        "n_steps": Column("mean number of pairs of frames per image", "count", low=0, missing=True),
        **with_interval("jagged", share("images with any transition in or out of the top 5")),
        **with_interval(
            "transitions_per_step",
            Column(
                "transitions in or out of the top 5 per pair of frames",
                "per step",
                0,
                1,
                missing=True,
            ),
        ),
        **with_interval("p_top1_change", share("pairs whose most probable class differs")),
        **with_interval("mean_abs_change", share("mean absolute change of p_true")),
        **with_interval("accuracy", share("frames whose most probable class is the true one")),
        **with_interval("accuracy_top5", share("frames that have the true class in the top 5")),
        **with_interval("fidelity", share("pairs that are the same and right")),
        **with_interval("worst", share("images right in every frame")),
        **with_interval("confidence", share("mean probability of the most probable class")),
    },
)

NETWORK_PAIRS = Schema(
    name="network_pairs",
    row="pair of networks under the same sweep",
    keys=(
        "network_a",
        "variant_a",
        "network_b",
        "variant_b",
        "protocol",
        "direction",
        "fill",
        "subset",
    ),
    columns={
        "network_a": NETWORK,
        "variant_a": VARIANT,
        "network_b": NETWORK,
        "variant_b": VARIANT,
        "protocol": _PROTOCOL,
        "direction": _DIRECTION,
        "fill": _FILL,
        "subset": text(
            "all: images both were swept over; both right: those both get right in step 0; "
            "matched: those on which both are equally sure, by fifths of the mean probability",
            "all",
            "both right",
            "matched",
        ),
        "n_images": count("images compared"),
        "jagged_a": share("images jagged under a"),
        "jagged_b": share("images jagged under b"),
        "only_a": count("images jagged under a only"),
        "only_b": count("images jagged under b only"),
        "log10_p": log10_p("McNemar's exact test that neither is jagged more often"),
        "p_kind": text("what log10_p is", *P_KINDS),
        "difference": Column("P(top-1 change) of a less that of b", "share", -1, 1, missing=True),
        "low": Column(
            "lower end of its 95 % interval, images resampled", "share", -1, 1, missing=True
        ),
        "high": Column("upper end of its 95 % interval", "share", -1, 1, missing=True),
    },
)
