"""Words of ImageNet's numbers: from a file, from timm's lists, or none."""

import importlib.util
import json
import re
from pathlib import Path

from biaskit.errors import AnnotationError

__all__ = ["imagenet_wnids", "wnids_of", "words_of"]

_LINE = re.compile(r"\s*(n\d{8})(?:\s*[,:\t]\s*|\s+)(.+?)\s*$", re.ASCII)


def words_of(path: Path | None = None) -> dict[str, str]:
    """
    Return the word of every wnid known.

    Parameters
    ----------
    path : Path or None
        Lines of a wnid and its word, separated by a blank, tab or comma, or Keras's JSON of
        classes. None: the lists that come with timm, if it is installed.

    Returns
    -------
    dict
        From wnid to word; empty if nothing is known, and callers show the bare wnid.

    Raises
    ------
    AnnotationError
        If the file cannot be read or holds no wnid.

    Examples
    --------
    >>> words_of().get("n02097474", "n02097474") in ("Tibetan terrier, chrysanthemum dog",
    ...     "Tibetan_terrier", "Tibetan terrier", "n02097474")
    True
    """
    return _from_timm() if path is None else _from_file(path)


def wnids_of(path: Path | None) -> dict[str, str]:
    """
    Return the wnid of every word in a file, in lower case; words of two wnids are left out.

    Only a file that was named counts here: whether timm is installed must not change a table.
    """
    if path is None:
        return {}
    found: dict[str, set[str]] = {}
    for wnid, text in _from_file(path).items():
        for word in {text, *text.split(",")}:
            found.setdefault(word.strip().lower().replace("_", " "), set()).add(wnid)
    return {word: next(iter(wnids)) for word, wnids in found.items() if len(wnids) == 1}


def imagenet_wnids() -> list[str]:
    """Return the wnids of the 1,000 classes in the order of their numbers; empty if unknown."""
    file = _timm_file("imagenet_synsets.txt")
    return file.read_text("utf-8").split() if file else []


def _from_timm() -> dict[str, str]:
    words: dict[str, str] = {}
    for name in ("imagenet22k_synset_to_lemma.txt", "imagenet_synset_to_lemma.txt"):
        if file := _timm_file(name):
            words.update(_lines(file.read_text("utf-8")))
    return words


def _timm_file(name: str) -> Path | None:
    # Finding a package does not import it: torch stays out.
    spec = importlib.util.find_spec("timm")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        file = Path(folder) / "data" / "_info" / name
        if file.is_file():
            return file
    return None


def _from_file(path: Path) -> dict[str, str]:
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AnnotationError(f"{path}: cannot be read as text ({type(error).__name__}).") from None
    words = _keras(text) if text.lstrip().startswith("{") else _lines(text)
    if not words:
        raise AnnotationError(
            f"{path}: no wnid found. Expected lines such as: n02097474 Tibetan terrier"
        )
    return words


def _lines(text: str) -> dict[str, str]:
    return {found[1]: found[2] for line in text.splitlines() if (found := _LINE.match(line))}


def _keras(text: str) -> dict[str, str]:
    """Read {"0": ["n01440764", "tench"], ...}, as networks' class lists have it."""
    try:
        pairs = list(json.loads(text).values())
        return {str(wnid): str(word) for wnid, word in pairs}
    except (ValueError, TypeError, RecursionError):
        return {}
