"""Agreement as plain text for a terminal."""

import pandas as pd

__all__ = ["agreement_text"]


def agreement_text(agreement: pd.DataFrame) -> str:
    """
    Lay out the table ``agreement``, all categories together.

    Parameters
    ----------
    agreement : DataFrame

    Returns
    -------
    str
        A line per comparison and quantity in px, then the time of each annotator.

    Examples
    --------
    >>> from biaskit.tables import AGREEMENT
    >>> agreement_text(AGREEMENT.empty())
    'no marks yet'
    """
    rows = agreement[agreement["category"] == ""]
    if rows.empty:
        return "no marks yet"
    lines = []
    compared = rows[rows["kind"] != "alone"]
    if compared.empty:
        lines.append("nothing was marked twice, neither by two annotators nor by one")
    else:
        lines.append(
            f"{'px':<34}{'n':>6}{'bias':>8}{'95 % interval':>18}"
            f"{'limits of agreement':>22}{'error':>8}"
        )
    for _, row in compared[compared["quantity"].isin(["x", "y", "distance"])].iterrows():
        lines.append(_difference(row))
    for key, part in compared.groupby(["kind", "annotator", "other"], sort=True):
        lines.append(f"{_who(*map(str, key))}: {_likeness(part)}")
    for _, row in rows[rows["kind"] == "alone"].iterrows():
        median = "-" if pd.isna(row["median"]) else f"{row['median']:.1f} s"
        lines.append(f"{row['annotator']}: {row['n']:,} images, median time {median}")
    return "\n".join(lines)


def _who(kind: str, annotator: str, other: str) -> str:
    return f"{annotator} twice" if kind == "within" else f"{annotator} - {other}"


def _difference(row: pd.Series) -> str:
    point = "" if row["quantity"] == "distance" else f"{row['point']} "
    name = f"{_who(row['kind'], row['annotator'], row['other'])}, {point}{row['quantity']}"
    interval = f"[{_px(row['mean_low'])} {_px(row['mean_high'])}]"
    limits = f"[{_px(row['low'])} {_px(row['high'])}]"
    error = "-" if pd.isna(row["error"]) else f"{row['error']:.2f}"
    return f"{name:<34}{row['n']:>6}{_px(row['mean']):>8}{interval:>18}{limits:>22}{error:>8}"


def _likeness(part: pd.DataFrame) -> str:
    def mean(quantity: str) -> str:
        rows = part[(part["quantity"] == quantity) & (part["n"] > 0)]
        total = rows["n"].sum()
        return f"{(rows['mean'] * rows['n']).sum() / total:.3f}" if total else "-"

    swapped, one = part["n_swapped"].max(), part["n_one"].max()
    return (
        f"similarity {mean('oks_image')} (area of the image), {mean('oks_span')} (of the pair); "
        f"left and right swapped in {swapped:,} images, marked by one only in {one:,}"
    )


def _px(value: float) -> str:
    return "-" if pd.isna(value) else f"{value:+.2f}"
