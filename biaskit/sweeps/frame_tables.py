"""From what a network said to rows of the tables ``frames`` and ``swept``."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from biaskit.sweeps.batches import Answers
from biaskit.sweeps.images import ImageFile, seen_by_name
from biaskit.sweeps.protocols import Plan
from biaskit.sweeps.runner import ChunkAnswers
from biaskit.tables import FRAMES, SWEPT

__all__ = ["Names", "frames_table", "seen_of", "sweep_names", "swept_table"]

Names = dict[str, str]  # the first five columns of every table of a sweep
_DECIMALS = 6  # of probabilities: kernels of another batch size differ in the seventh
_LISTED = 4  # decimals of the five probabilities of a frame


def sweep_names(network: str, variant: str, plan: Plan) -> Names:
    """
    Return what tells one sweep from another in every table.

    Examples
    --------
    >>> from biaskit.sweeps.protocols import make_plan
    >>> plan = make_plan("roll", input_size=224, resize=256, interpolation="bilinear", seed=0)
    >>> sweep_names("vgg16", "plain", plan)["fill"]
    'none'
    """
    return {
        "network": network,
        "variant": variant,
        "protocol": plan.protocol,
        "direction": plan.direction,
        "fill": plan.fill + ("-refilled" if plan.refill else ""),
    }


def seen_of(word: str | None) -> Callable[[str], str]:
    """Return whether the network was trained on an image: as told, else by the image's name."""
    return seen_by_name if word is None else lambda _image_id: word


def frames_table(names: Names, found: ChunkAnswers, classes: tuple[str, ...]) -> pd.DataFrame:
    """
    Return the table ``frames`` of a chunk.

    Parameters
    ----------
    names : dict
        See `sweep_names`.
    found : ChunkAnswers
    classes : tuple of str
        The network's.

    Returns
    -------
    DataFrame
        A row per frame; images in their order, steps ascending.
    """
    shown, said = found.shown, found.answers
    if not shown:
        return FRAMES.empty()
    lengths = np.array([len(one.dx) for one in shown])
    words = np.array(classes, dtype=object)

    def per_frame(values: list[str]) -> Any:
        return pd.Categorical(values).take(np.repeat(np.arange(len(values)), lengths))

    def numbers(name: str) -> np.ndarray:
        return np.concatenate([getattr(one, name) for one in shown])

    table = pd.DataFrame(
        {
            name: pd.Categorical([word]).take(np.zeros(lengths.sum(), int))
            for name, word in names.items()
        }
    ).assign(
        image_id=per_frame([one.image.image_id for one in shown]),
        category=per_frame([one.image.category for one in shown]),
        object=np.repeat([one.object_number for one in shown], lengths),
        step=np.concatenate([np.arange(n) for n in lengths]),
        dx=numbers("dx"),
        dy=numbers("dy"),
        scale=numbers("scale").round(_DECIMALS),
        p_true=_rounded(said.p_true),
        rank_true=said.rank_true,
        margin=said.margin.astype(float).round(4),
        top1=pd.Categorical(words[said.top[:, 0]]),
        p_top1=_rounded(said.p_top[:, 0]),
        p_first=_rounded(said.p_first),
        top5=_joined(words[said.top]),
        p_top5=_joined(_as_text(said)),
    )
    table["pass"] = np.repeat([one.pass_number for one in shown], lengths)
    return FRAMES.check(table, "frames")


def _rounded(probabilities: np.ndarray) -> np.ndarray:
    return np.clip(probabilities.astype(float).round(_DECIMALS), 0, 1)


_TEXTS = np.array([f"{k / 10**_LISTED:.{_LISTED}f}" for k in range(10**_LISTED + 1)], dtype=object)


def _as_text(said: Answers) -> np.ndarray:
    return _TEXTS[np.clip(np.rint(said.p_top * 10**_LISTED), 0, 10**_LISTED).astype(int)]


def _joined(columns: np.ndarray) -> pd.Series:
    """Join words of shape (n, k) with | between them; whole columns at once, outside Python."""
    parts = [pa.array(column, pa.string()) for column in columns.T]
    return pc.binary_join_element_wise(*parts, "|").to_pandas()


def swept_table(names: Names, found: ChunkAnswers, seen: Callable[[str], str]) -> pd.DataFrame:
    """
    Return the table ``swept`` of a chunk: every image that was asked for, and why any was left out.

    Parameters
    ----------
    names : dict
        See `sweep_names`.
    found : ChunkAnswers
    seen : callable
        See `seen_of`.

    Returns
    -------
    DataFrame
        A row per image and object.
    """
    rows: dict[tuple[str, int], dict[str, object]] = {}
    for one in found.shown:
        row = rows.setdefault(
            (one.image.image_id, one.object_number), _row(found, one.image, one.object_number, seen)
        )
        row["n_frames"] = int(str(row["n_frames"])) + len(one.dx)
        row |= {"range": one.room, "box_area": one.box_area}
    for image, number, reason in found.refused:
        rows[image.image_id, number] = _row(found, image, number, seen) | {"reason": reason}
    if not rows:
        return SWEPT.empty()
    table = pd.DataFrame([names | rows[key] for key in sorted(rows)])
    return SWEPT.check(table, "swept")


def _row(
    found: ChunkAnswers, image: ImageFile, number: int, seen: Callable[[str], str]
) -> dict[str, object]:
    width, height = found.sizes[image.image_id]
    return {
        "image_id": image.image_id,
        "category": image.category,
        "object": number,
        "file": image.file,
        "seen": seen(image.image_id),
        "n_frames": 0,
        "range": 0,
        "reason": "",
        "image_width": width,
        "image_height": height,
        "box_area": float("nan"),
    }
