"""The cautions that go with a p-value: every word that column ``flags`` may hold."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

__all__ = ["FEW", "FLAGS", "UNTESTED_BELOW", "flag_words"]

UNTESTED_BELOW = 2  # with fewer objects there is nothing to test
FEW = 20  # with fewer objects the tests were not calibrated
UNSTEADY = 1.0  # log10: a p-value that redrawing moves by more is flagged

FLAGS: Mapping[str, str] = {
    "untested": f"fewer than {UNTESTED_BELOW} objects (images, under policies by image): no p",
    "few": f"fewer than {FEW} objects or images: the tests were not calibrated below",
    "dependent": "policy all: objects of one image count as independent, so p is too small",
    "image-weighted": "policy weighted: the formulas are those of one object per image; p is "
    "conservative for many images and not proven for few",
    "selected": "policy largest: the largest object of an image is larger than the null's",
    "bound": "the true p is proven to be no larger than the one given, and may be much smaller",
    "unsteady": "redrawing U and the object taken moves log10 p by more than 1; see its range",
}
_WORDS = tuple(FLAGS)


def flag_words(marks: Mapping[str, np.ndarray], n: int) -> "pd.Categorical[str]":
    """
    Join flags into one text per row.

    Parameters
    ----------
    marks : mapping of flag to bool array, shape (n,)
    n : int
        Number of rows.

    Returns
    -------
    Categorical
        The flags of each row in the order of ``FLAGS``, separated by spaces.

    Raises
    ------
    KeyError
        If a flag is not one of ``FLAGS``.

    Examples
    --------
    >>> list(flag_words({"bound": np.array([True, False]), "few": np.array([True, False])}, 2))
    ['few bound', '']
    """
    code = np.zeros(n, np.int64)
    for word, marked in marks.items():
        if word not in FLAGS:
            raise KeyError(word)
        code |= np.where(marked, 1 << _WORDS.index(word), 0)
    present, inverse = np.unique(code, return_inverse=True)
    texts = [" ".join(w for bit, w in enumerate(_WORDS) if c >> bit & 1) for c in present]
    order = np.argsort(texts)
    rank = np.empty(len(texts), np.int64)
    rank[order] = np.arange(len(texts))
    return pd.Categorical.from_codes(rank[inverse], categories=pd.Index(sorted(texts), dtype=str))
