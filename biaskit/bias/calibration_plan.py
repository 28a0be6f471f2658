"""What is put on trial: laws, the tests that should or should not reject them, and at what n."""

from collections.abc import Iterator
from dataclasses import dataclass

from scipy import special

__all__ = ["Trial", "binomial_interval", "trials"]

_SIZE_LEVELS = (0.05, 0.01, 0.001)
_POWER_LEVELS = (0.05, 0.01)
_WIDE = 0.99  # confidence of the interval of a simulated rate


@dataclass(frozen=True)
class Trial:
    """One law, and the tests applied to it."""

    kind: str  # "size" or "power"
    law: str  # of the simulated boxes, see ``planted``
    measures: tuple[str, ...] = ()  # of ``significance``
    nulls: tuple[str, ...] = ()
    edges: str = "with"
    policy: str = "one"
    symmetry: bool = False  # the tests of ``symmetry`` instead
    against: str = ""  # the tests of ``drift`` instead, against this law
    largest_n: int = 10**9
    levels: tuple[float, ...] = _SIZE_LEVELS

    @property
    def scenario(self) -> str:
        """How the data were made and read, in words."""
        words = self.law
        if self.against:
            words += f" against {self.against}"
        if self.edges == "without":
            words += ", touching set aside"
        return words if self.policy == "one" else f"{words}, policy {self.policy}"


_PLACES = ("position", "position_x", "position_y")


def trials(*, short: bool) -> Iterator[Trial]:
    """
    Yield what is put on trial.

    Parameters
    ----------
    short : bool
        Only one trial for each null, and two planted biases.
    """
    yield Trial("size", "free", _PLACES, ("fit",))
    yield Trial("size", "points", _PLACES, ("frame",))
    yield Trial("size", "uniform sizes", ("width", "height"), ("frame",))
    yield Trial("size", "log-uniform sizes", ("width", "height"), ("log-uniform",))
    yield Trial("size", "uniform areas", ("area",), ("frame",))
    yield Trial("size", "log-uniform areas", ("area",), ("log-uniform",))
    yield Trial("size", "free", symmetry=True)
    if not short:
        yield from _more_sizes()
    for law in ("centred", "coupled") if short else _PLANTED:
        yield Trial("power", law, (*_PLACES, "position_height"), ("fit",), levels=_POWER_LEVELS)
        yield Trial("power", law, symmetry=True, levels=_POWER_LEVELS)
    if not short:
        yield Trial("power", "narrow sizes", ("height",), ("log-uniform",), levels=_POWER_LEVELS)
        yield Trial("power", "free", against="horizon", largest_n=100, levels=_POWER_LEVELS)


_PLANTED = ("centred", "horizon", "thirds", "coupled", "right")


def _more_sizes() -> Iterator[Trial]:
    yield Trial("size", "free", _PLACES, ("fit",), edges="without")
    for measure in (("width", "height"),):
        yield Trial("size", "uniform sizes inside", measure, ("frame",), edges="without")
        yield Trial("size", "log-uniform sizes inside", measure, ("log-uniform",), edges="without")
    for px in (8, 32):
        yield Trial("size", f"log-uniform from {px} px", ("height",), (f"log-uniform-{px}px",))
    # The joint test holds places against fit and heights against log-uniform.
    yield Trial("size", "log-uniform sizes", ("position_height",), ("fit",))
    yield Trial("size", "near-copies", _PLACES, ("fit",))
    yield Trial("size", "near-copies", _PLACES, ("fit",), policy="weighted")
    yield Trial("size", "near-copies", symmetry=True, policy="all")
    yield Trial("size", "free", against="free", largest_n=100)


def binomial_interval(hits: int, runs: int) -> tuple[float, float]:
    """
    Return Clopper and Pearson's 99 % interval of a simulated rate.

    Parameters
    ----------
    hits, runs : int
        NaN without runs.

    Examples
    --------
    >>> low, high = binomial_interval(0, 100)
    >>> low, round(high, 3)
    (0.0, 0.052)
    """
    if runs == 0:
        return float("nan"), float("nan")
    tail = (1 - _WIDE) / 2
    low = special.betaincinv(hits, runs - hits + 1, tail) if hits else 0.0
    high = special.betaincinv(hits + 1, runs - hits, 1 - tail) if hits < runs else 1.0
    return float(low), float(high)
