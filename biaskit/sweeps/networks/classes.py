"""Which category each output of a network stands for."""

import json
import re
from collections import Counter
from pathlib import Path

from biaskit.annotations.synsets import imagenet_wnids
from biaskit.errors import NetworkError

__all__ = ["check_classes", "default_classes", "read_classes"]

_WNID = re.compile(r"(n\d{8})(?=[\s,:])", re.ASCII)
# | stands between the five best classes of a frame; a control character could hide a name.
_UNWANTED = re.compile(r"[|\x00-\x1f\x7f-\x9f\u2028\u2029]")


def read_classes(path: Path) -> tuple[str, ...]:
    r"""
    Read the categories of a network's outputs, in order.

    Parameters
    ----------
    path : Path
        One category a line; or lines of a wnid and its word, of which the wnid is taken; or
        Keras's JSON, ``{"0": ["n01440764", "tench"], ...}``.

    Raises
    ------
    NetworkError
        If the file cannot be read, is empty, repeats a category, or a name holds ``|`` or a
        control character.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "classes.txt"
    >>> _ = file.write_text("n02097474 Tibetan terrier\nbagel\n")
    >>> read_classes(file)
    ('n02097474', 'bagel')
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise NetworkError(
            f"{path.name}: cannot be read as a list of classes ({type(error).__name__})."
        ) from None
    if text.lstrip().startswith("{"):
        return check_classes(_keras(text, path.name), path.name)
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    names = [found[1] if (found := _WNID.match(line)) else line for line in lines]
    return check_classes(names, path.name)


def check_classes(names: list[str] | tuple[str, ...], where: str) -> tuple[str, ...]:
    """
    Return the categories, or say what is wrong with them.

    Examples
    --------
    >>> check_classes(["cat", "dog"], "pets.txt")
    ('cat', 'dog')
    >>> check_classes(["cat", "cat"], "pets.txt")
    Traceback (most recent call last):
    ...
    biaskit.errors.NetworkError: pets.txt: class 'cat' stands there 2 times, expected once.
    """
    if not names:
        raise NetworkError(f"{where}: no class found. Expected one category a line.")
    for number, name in enumerate(names):
        if not isinstance(name, str) or not name.strip() or _UNWANTED.search(name):
            raise NetworkError(
                f"{where}: class {number} is {name!r}, "
                "expected text without | and control characters."
            )
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise NetworkError(f"{where}: class '{name}' stands there {times} times, expected once.")
    return tuple(names)


def default_classes(n_outputs: int) -> tuple[str, ...]:
    """
    Return ImageNet's wnids for 1,000 outputs, and else the numbers of the outputs.

    Examples
    --------
    >>> default_classes(3)
    ('0', '1', '2')
    """
    wnids = imagenet_wnids()
    if n_outputs == len(wnids):
        return tuple(wnids)
    return tuple(str(number) for number in range(n_outputs))


def _keras(text: str, where: str) -> list[str]:
    expected = 'expected {"0": ["n01440764", "tench"], ...}'
    try:
        found = json.loads(text)
        return [str(found[str(number)][0]) for number in range(len(found))]
    except (ValueError, TypeError, RecursionError):
        raise NetworkError(f"{where}: is not a JSON of classes, {expected}.") from None
    except (LookupError, AttributeError):
        raise NetworkError(
            f"{where}: numbers are missing or have no class, {expected} with every number from 0."
        ) from None
