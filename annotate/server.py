"""A Label Studio of the study's own: start it, see whether it runs, stop it and nothing else."""

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from annotate.client import TOKEN_VARIABLE, Client
from annotate.home import Home, told
from annotate.installation import install
from annotate.ports import choose_port
from annotate.settings import HOST, command, environment
from biaskit.errors import ServerError
from biaskit.provenance import read_json, write_json_whole

__all__ = [
    "Running",
    "client_of",
    "log_end",
    "own_client",
    "running",
    "start",
    "stop",
]

Progress = Callable[..., None]
_WAIT = 240.0  # s; a new database took 67 s on a busy machine
_STOP = 20.0


@dataclass(frozen=True)
class Running:
    """
    A server that was started here.

    Attributes
    ----------
    pid : int
    started : float
        When the process began, s since 1970: a number used again is another process.
    command : list of str
        Its command line.
    port : int
    """

    pid: int
    started: float
    command: list[str]
    port: int

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{HOST}:{self.port}"

    def process(self) -> psutil.Process | None:
        """Return the process; None if it has ended, or the number is another's by now."""
        try:
            found = psutil.Process(self.pid)
            same = abs(found.create_time() - self.started) < 2 and found.cmdline() == self.command
            return found if same and found.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None


def running(home: Home) -> Running | None:
    """
    Return the server of a study if its process lives, whether it answers yet or not.

    Examples
    --------
    >>> running(Home(Path("no such study")))
    """
    noted = _noted(home)
    return noted if noted and noted.process() else None


def _noted(home: Home) -> Running | None:
    found = read_json(home.folder / "server.json")
    try:
        return Running(**found) if found else None
    except TypeError:
        return None


def own_client(home: Home) -> Client:
    """
    Return the client of the study's own server.

    Raises
    ------
    ServerError
        If it was never started, or does not run.
    """
    login, server = home.login(), running(home)
    if login is None or server is None:
        what = "has no server yet" if login is None else "its server does not run"
        raise ServerError(f"{home.name}: {what}. To start it: biaskit annotate start")
    return Client(server.url, login.token, own=True)


def start(home: Home, *, port: int | None = None, progress: Progress | None = None) -> Running:
    """
    Start the server of a study and wait until it is ready; one that runs is left as it is.

    The database is copied first if there is one.

    Parameters
    ----------
    home : Home
    port : int, optional
        Else the port of the last time, else the first free one from 8080 on.
    progress : callable, optional
        Told the seconds gone by.

    Returns
    -------
    Running

    Raises
    ------
    ServerError
        If the port is taken, the server runs on another one, it cannot be installed, or it ends
        or stays silent; then its last words are told.
    """
    tell = progress or (lambda *_, **__: None)
    there = running(home)
    if there:
        if port not in (None, there.port):
            raise ServerError(
                f"{home.name}: its server runs already, at {there.url}. To move it: biaskit "
                "annotate stop, then start it anew."
            )
        _wait(home, there, there.process(), tell)
        return there
    before = _noted(home)
    chosen = choose_port(port, before.port if before else None)
    python = install(tell)
    home.prepare()
    login = home.make_login()
    home.copy_database()
    words = command(str(python), chosen)
    with told("annotate/log.txt"), home.log.open("wb") as log:
        child = subprocess.Popen(  # noqa: S603  our own words only
            words,
            env=environment(home, login),
            cwd=home.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # it outlives this command, and the terminal
        )
    try:
        # The words we gave: the system may still tell those of before the program was loaded.
        made = Running(child.pid, psutil.Process(child.pid).create_time(), words, chosen)
        with told("annotate/server.json"):
            write_json_whole(home.folder / "server.json", asdict(made))
        _wait(home, made, child, tell)
        # Had another server taken the port in this moment, it would not know our token.
        own_client(home).check()
    except BaseException:
        child.terminate()
        raise
    return made


def stop(home: Home) -> bool:
    """
    Stop the server of a study, and wait until it has ended.

    Returns
    -------
    bool
        False if none ran. A process that merely has its number is not touched.
    """
    server = running(home)
    process = server.process() if server else None
    if process is None:
        return False
    process.terminate()
    try:
        process.wait(_STOP)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(_STOP)
    return True


def _wait(
    home: Home,
    server: Running,
    process: subprocess.Popen[bytes] | psutil.Process | None,
    tell: Progress,
) -> None:
    client, began = Client(server.url, "", own=True), time.monotonic()
    while not client.healthy():
        gone = time.monotonic() - began
        ended = process is None or (
            process.poll() is not None
            if isinstance(process, subprocess.Popen)
            else server.process() is None
        )
        if ended or gone > _WAIT:
            what = "ended before it was ready" if ended else f"was not ready after {gone:.0f} s"
            raise ServerError(
                f"Label Studio {what}. The end of annotate/log.txt: {log_end(home.log)}"
            )
        tell(int(gone), doing="starting, seconds")
        time.sleep(0.25)


def log_end(log: Path, lines: int = 3) -> str:
    """Return the last lines of a log, on one line."""
    try:
        found = log.read_text("utf-8", "replace").splitlines()
    except OSError:
        return "nothing"
    return " | ".join([line.strip() for line in found if line.strip()][-lines:]) or "nothing"


def client_of(home: Home, url: str | None) -> Client:
    """
    Return the client of the server at ``url``, or of the study's own.

    Raises
    ------
    ServerError
        If it does not answer, or no token or a wrong one is there.
    """
    if url is None:
        client = own_client(home)
    else:
        token = os.environ.get(TOKEN_VARIABLE, "").strip()
        if not token:
            raise ServerError(
                f"--url {url}: needs a token in the environment variable {TOKEN_VARIABLE}. Copy "
                "one from Account & Settings of the server's page."
            )
        client = Client(url, token)
    client.check()
    return client
