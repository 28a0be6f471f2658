"""Ports of this machine: which are free, and who holds the others."""

import socket
import sys

import psutil

from annotate.settings import HOST
from biaskit.errors import ServerError

__all__ = ["choose_port", "free_port"]

_FIRST_PORT = 8080


def free_port(first: int = _FIRST_PORT) -> int:
    """
    Return the first port from ``first`` on that nobody listens on.

    Examples
    --------
    >>> free_port(20000) >= 20000
    True
    """
    for port in range(first, min(first + 200, 65536)):
        if _is_free(port):
            return port
    raise ServerError(f"ports {first} to {first + 199} are all in use. Choose one with --port.")


def choose_port(asked: int | None, last: int | None) -> int:
    """
    Return the port asked for, else that of the last time, else a free one.

    Raises
    ------
    ServerError
        If the one asked for is in use; the server itself would move on to the next in silence.

    Examples
    --------
    >>> choose_port(None, None) >= 8080
    True
    """
    if asked is None:
        return last if last and _is_free(last) else free_port()
    if not _is_free(asked):
        raise ServerError(
            f"--port {asked}: is in use{_holder(asked)}. Choose another, or leave --port out."
        )
    return asked


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        if sys.platform != "win32":  # there it would mean sharing
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _holder(port: int) -> str:
    try:
        for found in psutil.net_connections("tcp"):
            if found.status == psutil.CONN_LISTEN and found.laddr.port == port and found.pid:
                return f" by process {found.pid} ({psutil.Process(found.pid).name()})"
    except psutil.Error:
        pass  # only the administrator may see other people's
    return ""
