"""Label Studio itself: installed on first use in an environment of its own, for all studies."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import filelock

from biaskit.errors import ServerError
from biaskit.provenance import read_json, write_json_whole

__all__ = ["VERSION", "cache_folder", "install", "installed"]

VERSION = "1.23.2"  # the one whose traps are known and tested
Progress = Callable[..., None]


def cache_folder() -> Path:
    """
    Return where things are kept that many studies share: BIASKIT_CACHE, else the platform's place.

    Examples
    --------
    >>> cache_folder().name
    'biaskit'
    """
    if named := os.environ.get("BIASKIT_CACHE"):
        return Path(named)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "biaskit"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home()) / "biaskit"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "biaskit"


def _folder() -> Path:
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    return cache_folder() / f"label-studio-{VERSION}-{python}"


def installed() -> Path | None:
    """Return the Python of the environment; None if it is not there, or not whole."""
    folder = _folder()
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    whole = (read_json(folder / "whole.json") or {}).get("version") == VERSION
    return python if whole and python.exists() else None


def install(progress: Progress | None = None) -> Path:
    """
    Make the environment unless it is there: about a minute, 1.1 GB, once per user.

    Parameters
    ----------
    progress : callable, optional
        Told how many packages have come.

    Returns
    -------
    Path
        Its Python.

    Raises
    ------
    ServerError
        If it cannot be made; the message ends with what pip said.
    """
    folder = _folder()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder.with_suffix(".lock")):
            found = installed()
            if found is None:
                shutil.rmtree(folder, ignore_errors=True)  # of an install that was cut short
                _make(folder, progress or (lambda *_, **__: None))
                found = installed()
    except OSError as error:
        raise ServerError(f"{folder}: {error.strerror or error}. {_ELSE}") from error
    if found is None:
        raise ServerError(f"{folder}: the environment has no Python. {_ELSE}")
    return found


_ELSE = (
    "Set BIASKIT_CACHE to a folder with 1.5 GB of room, or use a server that runs already: --url."
)


def _make(folder: Path, progress: Progress) -> None:
    _run([sys.executable, "-m", "venv", str(folder)], "the environment could not be made", progress)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    pip = [str(python), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    _run([*pip, f"label-studio=={VERSION}"], "could not be installed", progress)
    write_json_whole(folder / "whole.json", {"version": VERSION})


def _run(command: list[str], failed: str, progress: Progress) -> None:
    # Nothing of ours may leak into the other environment, nor its packages come from ours.
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    lines: list[str] = []
    with subprocess.Popen(  # noqa: S603  our own words only
        command,
        env=clean,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        try:
            for line in process.stdout or ():
                lines.append(line.strip())
                if line.startswith("Collecting "):
                    progress(sum(told.startswith("Collecting ") for told in lines), doing="fetched")
                elif line.startswith("Installing collected"):
                    progress(160, doing="unpacking")
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        errors = [line for line in lines if line.startswith("ERROR")] or lines or ["no word"]
        raise ServerError(f"Label Studio {VERSION} {failed}: {errors[-1][:300]}. {_ELSE}")
