"""
The made-up categories of the sample: which law each follows, and what the tests should say.

Their ids have the form of ImageNet's and lie far above the range it uses, so that the same
readers take them and nobody mistakes them for ImageNet's own.
"""

from biaskit.sample import laws
from biaskit.sample.laws import PlantedLaw, Verdicts

__all__ = ["LAWS"]

LAWS: tuple[PlantedLaw, ...] = (
    PlantedLaw(
        "n90000001",
        "free kite",
        "placed anywhere it fits",
        "No choice at all. The frame null rejects it only because a box of width w can have its "
        "centre in [w/2, 1 - w/2] alone; the fit null knows that.",
        320,
        laws.medium,
        laws.free,
        Verdicts("reject", "keep", "keep", "keep", "reject", "reject", "keep", "keep"),
    ),
    PlantedLaw(
        "n90000002",
        "centred portrait",
        "centred: u and v follow Beta(4, 4)",
        "The photographer's favourite. KS on one axis sees far less of it than the quadrats do, "
        "since the mean is right.",
        300,
        laws.medium,
        laws.by_beta((4, 4), (4, 4)),
        Verdicts("reject", "reject", "reject", "reject", "reject", "reject", "keep", "keep"),
    ),
    PlantedLaw(
        "n90000003",
        "low horizon ship",
        "low: v follows Beta(6, 2), u is free",
        "Only the vertical axis is chosen: position_y rejects, position_x does not.",
        280,
        laws.medium,
        laws.by_beta((1, 1), (6, 2)),
        Verdicts("reject", "reject", "reject", "reject", "reject", "reject", "keep", "open"),
    ),
    PlantedLaw(
        "n90000004",
        "rule of thirds lighthouse",
        "centres at the four points a third from the sides, give or take 4 %",
        "The mean centre is in the middle; the heatmap shows four spots.",
        260,
        laws.small,
        laws.thirds,
        Verdicts("reject", "reject", "reject", "reject", "reject", "reject", "keep", "open"),
    ),
    PlantedLaw(
        "n90000005",
        "drifting balloon",
        "towards the upper left: u and v follow Beta(1.5, 3)",
        "A signed bias: the mean centre is off, and left does not mirror right.",
        240,
        laws.medium,
        laws.by_beta((1.5, 3), (1.5, 3)),
        Verdicts("reject", "reject", "reject", "reject", "reject", "reject", "reject", "open"),
    ),
    PlantedLaw(
        "n90000006",
        "passing lorry",
        "anywhere, partly outside too, and cut by the frame",
        "Boxes pile up at the frame because it cuts them, which is no choice of place: with "
        "touching boxes the fit null rejects, without them it does not.",
        360,
        laws.small,
        laws.cut_by_frame,
        Verdicts("open", "reject", "keep", "reject", "reject", "reject", "keep", "open"),
    ),
    PlantedLaw(
        "n90000007",
        "any-scale moth",
        "sizes log-uniform from 16 px to the frame, placed anywhere they fit",
        "Scale-free sizes: as many between 20 and 40 px as between 100 and 200. Against a "
        "uniform height this looks like a love of small things.",
        300,
        laws.log_uniform,
        laws.free,
        Verdicts("reject", "keep", "keep", "keep", "reject", "keep", "keep", "keep"),
    ),
    PlantedLaw(
        "n90000008",
        "uniform curtain",
        "heights uniform up to the frame, placed anywhere they fit",
        "Passes the paper's test of size, and is not scale-free: the two nulls disagree.",
        300,
        laws.uniform,
        laws.free,
        Verdicts("reject", "keep", "keep", "keep", "keep", "reject", "keep", "keep"),
    ),
    PlantedLaw(
        "n90000009",
        "half-frame owl",
        "sizes half the frame, give or take 3 %, placed anywhere they fit",
        "Every distance chosen alike, every place not: size rejects, place does not.",
        220,
        laws.narrow,
        laws.free,
        Verdicts("reject", "keep", "keep", "keep", "reject", "reject", "keep", "keep"),
    ),
    PlantedLaw(
        "n90000010",
        "approaching walrus",
        "larger is more central, place and height each uniform by themselves",
        "No test of place or of height alone can see it; the joint test and the coupling of "
        "size with eccentricity do.",
        300,
        laws.uniform,
        laws.larger_more_central,
        Verdicts("reject", "keep", "open", "keep", "keep", "reject", "keep", "reject"),
    ),
    PlantedLaw(
        "n90000011",
        "herd of lanterns",
        "eight boxes side by side in each image, the herd anywhere",
        "Each box alone is placed freely, but eight of one image are one observation: only the "
        "policy `all`, which counts them as eight, rejects.",
        140,
        laws.small,
        laws.herd,
        Verdicts("open", "keep", "keep", "reject", "reject", "reject", "keep", "keep"),
        objects_per_image=8,
    ),
    PlantedLaw(
        "n90000012",
        "scattered pebbles",
        "three boxes in each image, each anywhere it fits",
        "Several boxes that are independent: here the policy `all` is as honest as `one`.",
        240,
        laws.medium,
        laws.free,
        Verdicts("reject", "keep", "keep", "keep", "reject", "reject", "keep", "keep"),
        objects_per_image=3,
    ),
    PlantedLaw(
        "n90000013",
        "rare comet",
        "somewhat centred, Beta(2, 2), but only twelve images",
        "A bias is there and twelve images cannot show it: `keep` is not `unbiased`. Look at "
        "the smallest effect that could have been seen.",
        12,
        laws.uniform,
        laws.by_beta((2, 2), (2, 2)),
        Verdicts("open", "keep", "keep", "keep", "keep", "open", "keep", "keep"),
    ),
)
