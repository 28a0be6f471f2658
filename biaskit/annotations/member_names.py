"""What the name of a file within an archive says, before anything of it is read."""

import re

__all__ = ["is_archive", "is_hidden", "is_unsafe"]

_ARCHIVE = re.compile(r"\.(tar|tgz|tar\.gz|zip)$", re.IGNORECASE)
_ARCHIVES = (".tar", ".tgz", "r.gz", ".zip")  # the last four letters of these
_UNSAFE = re.compile(r"^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)")
_HIDDEN = re.compile(r"(^|/)(\._|__MACOSX/|\.DS_Store$)")  # what a Mac adds to archives


def is_archive(name: str) -> bool:
    """
    Tell an archive by its name.

    Examples
    --------
    >>> is_archive("train/n01440764.tar.gz"), is_archive("n01440764_1.xml")
    (True, False)
    """
    return name[-4:].lower() in _ARCHIVES and bool(_ARCHIVE.search(name)) and not is_hidden(name)


def is_unsafe(name: str) -> bool:
    """
    Tell a name that is absolute or climbs out of its archive.

    Examples
    --------
    >>> is_unsafe("a/../../b"), is_unsafe("a..b/c")
    (True, False)
    """
    # The pattern decides; most names are cleared by a look that takes a tenth of its time.
    return (".." in name or name[:1] in "/\\" or name[1:2] == ":") and bool(_UNSAFE.search(name))


def is_hidden(name: str) -> bool:
    """
    Tell what a Mac adds to archives beside the files.

    Examples
    --------
    >>> is_hidden("__MACOSX/a.xml"), is_hidden("a.xml")
    (True, False)
    """
    return ("._" in name or "__M" in name or ".DS" in name) and bool(_HIDDEN.search(name))
