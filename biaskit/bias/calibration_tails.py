"""Far tails on trial: the log10 p given, beside one counted in whole numbers."""

from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np

from biaskit.bias.exact_laws import kolmogorov, kuiper, log10_fraction, pearson_law
from biaskit.bias.tails import Tail, ks_tail, kuiper_tail, pearson_tail

__all__ = ["tails"]

_DEPTHS = (-3, -6, -12, -18)  # log10 p near which the tails are compared


def tails(*, short: bool) -> Iterator[dict[str, object]]:
    """
    Compare the tails with exact counting near p = 1e-3, 1e-6, 1e-12 and 1e-18.

    Parameters
    ----------
    short : bool
        Only n = 20.

    Yields
    ------
    dict
        Rows of table ``calibration``: level is the exact log10 p, rate the one given.
    """
    for n, n_cells in ((20, 10), (20, 25)) if short else ((20, 10), (20, 25), (40, 10), (40, 25)):
        law = pearson_law(n, n_cells)
        for s in _near(law):
            statistic = Fraction(s * n_cells, n) - n
            found = pearson_tail(np.array([float(statistic)]), np.array([n]), cells=n_cells)
            measure = "position" if n_cells == 25 else "position_x"
            exact = log10_fraction(law[s])
            yield _row("chi2", measure, f"{n_cells} cells", n, exact, found)
    for n in (20,) if short else (20, 100, 500):
        for name, exact_law, tail in (("ks", kolmogorov, ks_tail), ("kuiper", kuiper, kuiper_tail)):
            for distance in _distances(tail, n):
                exact = log10_fraction(exact_law(distance, n))
                found = tail(np.array([float(distance)]), np.array([n]))
                yield _row(name, "position_x", f"distance {float(distance):.4f}", n, exact, found)


def _near(law: dict[int, Fraction]) -> list[int]:
    """Return the first value beyond each depth that the law reaches."""
    rising = [(s, log10_fraction(law[s])) for s in sorted(law)]
    firsts = (next((s for s, p in rising if p <= depth), None) for depth in _DEPTHS)
    return sorted({s for s in firsts if s is not None})


def _distances(tail: Callable[[np.ndarray, np.ndarray], Tail], n: int) -> list[Fraction]:
    grid = [Fraction(i, 200) for i in range(max(1, 400 // n), 200)]
    log10_p = tail(np.array([float(d) for d in grid]), np.full(len(grid), n)).log10_p
    reached = [np.flatnonzero(log10_p <= depth) for depth in _DEPTHS]
    return sorted({grid[rows[0]] for rows in reached if len(rows)})


def _row(
    subject: str, measure: str, scenario: str, n: int, exact: float, found: Tail
) -> dict[str, object]:
    return {
        "kind": "tail",
        "subject": subject,
        "measure": measure,
        "null": "fit",
        "scenario": f"{scenario}, {found.kind[0]}",
        "n": n,
        "level": exact,
        "rate": float(found.log10_p[0]),
        "low": np.nan,
        "high": np.nan,
        "runs": 1,
    }
