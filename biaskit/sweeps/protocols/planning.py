"""From options to a plan: defaults of every protocol, and what cannot be combined."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from biaskit.errors import SweepError
from biaskit.sweeps.canvases import FILLS
from biaskit.sweeps.protocols.embedded import check_room
from biaskit.sweeps.protocols.places import SCALES, check_scales
from biaskit.sweeps.protocols.sequence import Plan

__all__ = ["DEFAULTS", "SHOWN", "ProtocolDefaults", "make_plan"]

# The paper names no size, no number of steps and no canvas; these are biaskit's choices.
SHOWN = 160 / 224  # of the input's side: the longer side of an embedded image
STEPS = 33


@dataclass(frozen=True)
class ProtocolDefaults:
    """What a protocol takes, the default first."""

    directions: tuple[str, ...]
    steps: int
    fill: str = "none"
    about: str = ""


_AXES = ("vertical", "horizontal", "diagonal")
DEFAULTS: Mapping[str, ProtocolDefaults] = {
    "embed": ProtocolDefaults(
        (*_AXES, "grid"), STEPS, "harmonic", "the whole image, shifted on a filled canvas"
    ),
    "crop": ProtocolDefaults(
        ("horizontal", "vertical", "diagonal"),
        STEPS,
        about="windows of the original that keep the object inside",
    ),
    "crop-scaled": ProtocolDefaults(
        ("horizontal", "vertical", "diagonal"),
        STEPS,
        about="the same after resizing as the network's evaluation does; not the paper's",
    ),
    "scale": ProtocolDefaults(
        ("larger",), STEPS, "harmonic", "the whole image, one pixel longer at each step"
    ),
    "film": ProtocolDefaults(("time",), 0, about="the frames of a film"),
    "roll": ProtocolDefaults(_AXES, STEPS, about="cyclic shifts; no camera does this"),
    "pairs": ProtocolDefaults(("any",), 2, about="Zhang's pairs of windows at random"),
    "random": ProtocolDefaults(
        ("any",), 16, "harmonic", "the whole image at random places of a filled canvas"
    ),
    "blank": ProtocolDefaults(
        (*_AXES, "grid"), STEPS, "harmonic", "control: a rectangle of the mean colour, shifted"
    ),
    "repeat": ProtocolDefaults(
        ("any",), STEPS, "harmonic", "control: the same frame again, in shuffled batches"
    ),
    "places": ProtocolDefaults(
        ("any",), 8, "harmonic", "the whole image at random places, at each of several scales"
    ),
}
GRID_STEPS = 9


def make_plan(
    protocol: str,
    *,
    input_size: int,
    resize: int,
    interpolation: str,
    direction: str | None = None,
    fill: str | None = None,
    steps: int | None = None,
    side: int | None = None,
    refill: bool = False,
    objects: str = "largest",
    pairs: int = 1,
    scales: Sequence[float] | None = None,
    seed: int,
) -> Plan:
    """
    Make a plan of a protocol's defaults and the options that were given.

    Parameters
    ----------
    protocol : str
        One of ``DEFAULTS``.
    input_size, resize, interpolation
        The network's own; see `Plan`.
    direction, fill, steps, side, refill, objects, pairs, scales, seed
        See `Plan`; ``side`` is its ``longer_side``.

    Raises
    ------
    SweepError
        If an option is unknown, does not belong to the protocol, or the image would leave the
        frame.

    Examples
    --------
    >>> plan = make_plan("embed", input_size=224, resize=256, interpolation="bilinear", seed=0)
    >>> plan.longer_side, plan.direction, plan.steps, plan.fill
    (160, 'vertical', 33, 'harmonic')
    """
    if protocol not in DEFAULTS:
        raise SweepError(f"unknown protocol '{protocol}'. Known: {', '.join(DEFAULTS)}.")
    known = DEFAULTS[protocol]
    direction = direction or known.directions[0]
    if direction not in known.directions:
        expected = ", ".join(known.directions)
        raise SweepError(f"--direction {direction}: protocol {protocol} takes {expected}.")
    if fill is not None and known.fill == "none":
        raise SweepError(f"--fill {fill}: protocol {protocol} fills nothing.")
    if fill is not None and fill not in FILLS:
        raise SweepError(f"unknown fill '{fill}'. Known: {', '.join(FILLS)}.")
    if refill and protocol not in ("embed", "blank", "random", "places"):
        raise SweepError(f"--refill: protocol {protocol} has no background that is kept.")
    if steps is not None and protocol in ("film", "pairs"):
        raise SweepError(f"--steps {steps}: a {protocol} has as many frames as it has.")
    if objects not in ("largest", "all", "each"):
        raise SweepError(f"--object {objects}: expected largest, all or each.")
    if protocol != "places" and scales is not None:
        raise SweepError(
            f"--scales: protocol {protocol} shows the image at one; places at several."
        )
    if protocol == "places" and side is not None:
        raise SweepError(f"--side {side}: protocol places takes --scales.")
    usual = GRID_STEPS if direction == "grid" else known.steps
    plan = Plan(
        protocol=protocol,
        direction=direction,
        fill=fill or known.fill,
        steps=usual if steps is None else steps,
        input_size=input_size,
        resize=resize,
        interpolation=interpolation,
        longer_side=side or round(SHOWN * input_size),
        refill=refill,
        objects=objects,
        pairs=pairs,
        seed=seed,
        scales=_descending(SCALES if scales is None else scales) if protocol == "places" else (),
    )
    if plan.steps < 2 and protocol != "film":
        raise SweepError(f"--steps {plan.steps}: a sweep has at least 2.")
    if plan.pairs < 1:
        raise SweepError(f"--pairs {pairs}: expected 1 or more.")
    if protocol == "places":
        check_scales(plan)
    elif known.fill != "none":
        check_room(plan)
    return _plain(plan)


def _descending(scales: Sequence[float]) -> tuple[float, ...]:
    """Return scales in one order, as their order makes no other frames."""
    return tuple(sorted((float(scale) for scale in scales), reverse=True))


def _plain(plan: Plan) -> Plan:
    """Set what does not bear on the frames to its default: it must not make a difference."""
    if DEFAULTS[plan.protocol].fill == "none":
        plan = replace(plan, longer_side=round(SHOWN * plan.input_size))
    if plan.protocol not in ("crop", "crop-scaled"):
        plan = replace(plan, objects="largest")
    return plan if plan.protocol == "pairs" else replace(plan, pairs=1)
