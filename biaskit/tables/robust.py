"""The tables of networks, and people, asked about images at other sizes and places."""

from biaskit.schema import Column, Schema
from biaskit.tables.columns import IMAGE_ID, count, share, text, with_interval
from biaskit.tables.sweeps import NETWORK, SEEN, VARIANT

__all__ = ["ROBUSTNESS", "ROBUSTNESS_BY", "VOTES", "VOTING"]

_FILL = text("what fills the canvas around the image")
_SCALE = Column(
    "longer side of the whole image, of the frame's side, as asked for before it was rounded to "
    "pixels",
    "ratio",
    low=0,
    high=1,
)
_CATEGORY = text("true class of the image; empty if not known")
_SEEN = text("whether the network was trained on the image", *SEEN)
_ASKED = {
    "network": text("name of the network, or people and who: people A1"),
    "variant": VARIANT,
    "fill": _FILL,
    "scale": _SCALE,
}

ROBUSTNESS = Schema(
    name="robustness",
    row="answer about an image at one size and place",
    keys=(*_ASKED, "image_id", "place"),
    columns={
        **_ASKED,
        "image_id": IMAGE_ID,
        "category": _CATEGORY,
        "seen": _SEEN,
        "place": count("number of the random place, from 0"),
        "dx": Column("of the image's middle from the frame's, right", "of the frame's side"),
        "dy": Column("of the image's middle from the frame's, down", "of the frame's side"),
        "top1": text("the answer: the most probable class; empty: none was given"),
        "correct_top1": Column(
            "1 if the answer is the true class; missing where that is not known", "", 0, 1,
            missing=True,
        ),
        "correct_top5": Column(
            "1 if the true class is among the first five; missing for people, and as above",
            "", 0, 1, missing=True,
        ),
        "p_true": share("probability of the true class; missing for people"),
        "seconds": Column("time a person took", "s", low=0, missing=True),
    },
)  # fmt: skip

ROBUSTNESS_BY = Schema(
    name="robustness_by",
    row="network or person, at one size, of one class or of all",
    keys=(*_ASKED, "category"),
    columns={
        **_ASKED,
        "category": text("only images of this class; empty: of all classes"),
        "seen": _SEEN,
        "n_images": count("images whose true class is known"),
        "n_places": Column("mean number of places per image", "count", low=0, missing=True),
        **with_interval("accuracy", share("answers that are right: mean over images, each one")),
        **with_interval("accuracy_top5", share("answers with the true class among the five")),
        **with_interval("worst", share("images that are right at every one of their places")),
        **with_interval("p_true", share("mean probability of the true class")),
    },
)

_VOTED = {
    "network": NETWORK,
    "variant": VARIANT,
    "direction": text("in which direction the frames follow each other"),
    "fill": _FILL,
    "jitter": count("greatest shift of a crop from the frame, each way", "px of the input"),
}

VOTES = Schema(
    name="votes",
    row="answer to a frame by several random crops together",
    keys=(*_VOTED, "image_id", "step", "rule", "crops"),
    columns={
        **_VOTED,
        "image_id": IMAGE_ID,
        "category": _CATEGORY,
        "seen": _SEEN,
        "step": count("number of the frame in its sequence, from 0"),
        "rule": text(
            "vote: the class most crops take for the most probable, ties by the mean; mean: the "
            "most probable by the mean of the probabilities",
            "vote",
            "mean",
        ),
        "crops": count("how many random crops; 0: the frame itself, no augmentation"),
        "top1": text("the answer"),
        "correct_top1": Column("1 if it is the true class", "", 0, 1, missing=True),
        "in_top5": Column(
            "1 if the true class is among the five most probable by the mean; missing for votes",
            "", 0, 1, missing=True,
        ),
        "p_true": share("mean probability of the true class"),
    },
)  # fmt: skip

VOTING = Schema(
    name="voting",
    row="rule and number of crops, for one network",
    keys=(*_VOTED, "rule", "crops"),
    columns={
        **_VOTED,
        "rule": VOTES.columns["rule"],
        "crops": VOTES.columns["crops"],
        "seen": _SEEN,
        "n_images": count("images"),
        "n_labelled": count("images whose true class is known and among the network's"),
        "n_steps": Column("mean number of pairs of frames per image", "count", low=0, missing=True),
        **with_interval("accuracy", share("frames whose answer is the true class")),
        **with_interval("p_top1_change", share("pairs of frames whose answer differs")),
        **with_interval(
            "jagged",
            share("images whose true class enters or leaves the top 5; missing for votes"),
        ),
        "frames_per_answer": count("forward passes one answer costs", low=1),
    },
)
