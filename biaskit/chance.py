"""
Chance that does not depend on order: uniform numbers keyed by what they are for.

A generator that is read from the top gives an object another number once a file is added
before it. Here the number of an object is a fixed function of (seed, keys): it stays the same
in any order of files, on any number of workers, in any process.
"""

import numpy as np
import pandas as pd

__all__ = ["hash_keys", "keyed_uniform"]

_HASH_KEY = "biaskit-chance-1"  # 16 characters, fixed for ever: it decides every draw
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _mix(x: np.ndarray) -> np.ndarray:
    """Finish a 64-bit hash: SplitMix64's output function, a bijection that mixes every bit."""
    with np.errstate(over="ignore"):
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def hash_keys(*keys: np.ndarray | pd.Series | int | str) -> np.ndarray:
    """
    Hash rows of keys to 64 bits each, the same on every machine and in every process.

    Parameters
    ----------
    *keys : array of str or int, shape (n,), or a single str or int
        The columns that name a row; their order counts.

    Returns
    -------
    uint64 array, shape (n,)
        At least one element.

    Examples
    --------
    >>> bool(hash_keys("a", 1)[0] == hash_keys("a", 1)[0])
    True
    >>> bool(hash_keys("a", 1)[0] == hash_keys("a", 2)[0])
    False
    """
    total = np.zeros(1, np.uint64)
    for key in keys:
        with np.errstate(over="ignore"):
            total = _mix(total * np.uint64(3) + _GOLDEN + _hash_column(key))
    return total


def _hash_column(key: np.ndarray | pd.Series | int | str) -> np.ndarray:
    if isinstance(key, int | str):
        key = np.array([key], dtype=object if isinstance(key, str) else np.int64)
    values = key.to_numpy() if isinstance(key, pd.Series) else np.asarray(key)
    if values.dtype.kind in "iu":
        return _mix(values.astype(np.int64).view(np.uint64) + _GOLDEN)
    # Names repeat: each is hashed once.
    codes, names = pd.factorize(values)
    hashed = pd.util.hash_array(np.asarray(names, dtype=object), hash_key=_HASH_KEY)
    return hashed[codes]


def keyed_uniform(seed: int, *keys: np.ndarray | pd.Series | int | str) -> np.ndarray:
    """
    Draw one number per row of keys, uniform on (0, 1) and strictly inside.

    Parameters
    ----------
    seed : int
        Another seed gives an independent set of numbers.
    *keys : array of str or int, shape (n,), or a single str or int
        What the numbers are for, such as category, image id, object and axis.

    Returns
    -------
    float array, shape (n,)
        (k + 1/2) / 2^52 with k an integer: neither 0 nor 1, so logarithms are safe.

    Examples
    --------
    The number belongs to the name, not to its place in the list:

    >>> a, b = keyed_uniform(1, np.array(["cat", "dog"], dtype=object), "x")
    >>> b2, a2 = keyed_uniform(1, np.array(["dog", "cat"], dtype=object), "x")
    >>> bool(a == a2), bool(b == b2)
    (True, True)
    """
    bits = hash_keys(seed, *keys) >> np.uint64(12)
    # 52 bits: with a half added they still fit a double's 53.
    return (bits.astype(np.float64) + 0.5) / 2.0**52
