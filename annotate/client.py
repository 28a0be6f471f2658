"""
Label Studio's API by plain HTTP: the six questions this package asks, and what can go wrong.

The server's own client library is not needed: it would pull a numpy and an OpenCV of its choice
into the environment of the statistics.
"""

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from biaskit.errors import ServerError

__all__ = ["TOKEN_VARIABLE", "Client"]

TOKEN_VARIABLE = "LABEL_STUDIO_API_KEY"  # noqa: S105  the variable's name, no secret
_TIMEOUT = 300.0  # s; an import of thousands of tasks answers only at its end
_AGAIN = "Nothing is lost: start it and repeat the command, which adds only what is missing"


@dataclass
class Client:
    """
    A Label Studio server, and the token it is asked with.

    Attributes
    ----------
    url : str
        Such as ``http://127.0.0.1:8080``.
    token : str
        Of the account page: a legacy token, or a personal access token (with two dots).
    own : bool
        Whether biaskit started this server; only messages differ.

    Examples
    --------
    >>> Client("127.0.0.1:1", "t")
    Traceback (most recent call last):
    ...
    biaskit.errors.ServerError: '127.0.0.1:1' is no address of a server, expected one such as \
http://127.0.0.1:8080.
    """

    url: str
    token: str = field(repr=False)
    own: bool = False
    timeout: float = _TIMEOUT
    _bearer: str = field(default="", repr=False)
    _until: float = field(default=0.0, repr=False)

    def __post_init__(self) -> None:
        self.url = self.url.rstrip("/")
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ServerError(
                f"{self.url!r} is no address of a server, expected one such as "
                "http://127.0.0.1:8080."
            )

    def get(self, path: str, **query: Any) -> Any:
        """Ask for something; the answer as JSON gives it."""
        return self._json("GET", path + (f"?{urlencode(query)}" if query else ""), None)

    def post(self, path: str, body: Any) -> Any:
        """Send something; the answer as JSON gives it, None if it is empty."""
        return self._json("POST", path, body)

    def patch(self, path: str, body: Any) -> Any:
        """Change something."""
        return self._json("PATCH", path, body)

    def healthy(self) -> bool:
        """Tell whether a Label Studio answers here and is ready; never raises."""
        try:
            status, content = self._ask("GET", "/health", None, {}, timeout=5)
            return status == 200 and json.loads(content).get("status") == "UP"
        except (ServerError, ValueError, AttributeError):
            return False

    def check(self) -> None:
        """
        Make sure that a Label Studio answers and takes the token.

        Raises
        ------
        ServerError
        """
        self.get("/api/projects/", page_size=1)

    def raw_export(self, project: int) -> bytes:
        """Return the whole JSON export of a project, tasks without marks included."""
        query = urlencode({"exportType": "JSON", "download_all_tasks": "true"})
        content = self._content("GET", f"/api/projects/{project}/export?{query}", None)
        self._decoded(content)  # a cut answer is refused here, not when it is read next year
        return content

    def _json(self, method: str, path: str, body: Any) -> Any:
        content = self._content(method, path, body)
        return self._decoded(content) if content else None

    def _decoded(self, content: bytes) -> Any:
        try:
            return json.loads(content)
        except ValueError:
            start = content[:40].decode("utf-8", "replace")
            raise ServerError(
                f"{self.url}: what answers is no Label Studio; it says {start!r}. Check the "
                "address."
            ) from None

    def _content(self, method: str, path: str, body: Any) -> bytes:
        status, content = self._ask(method, path, body, {"Authorization": self._authorization()})
        if status < 300:
            return content
        raise ServerError(f"{self.url}: {self._trouble(status, path, content)}")

    def _authorization(self) -> str:
        if self.token.count(".") != 2:
            return f"Token {self.token}"
        if time.monotonic() > self._until:  # a personal access token buys short-lived ones
            status, content = self._ask("POST", "/api/token/refresh/", {"refresh": self.token}, {})
            if status != 200:
                raise ServerError(f"{self.url}: {self._trouble(401, '', b'')}")
            self._bearer, self._until = self._decoded(content)["access"], time.monotonic() + 120
        return f"Bearer {self._bearer}"

    def _ask(
        self,
        method: str,
        path: str,
        body: Any,
        headers: Mapping[str, str],
        timeout: float | None = None,
    ) -> tuple[int, bytes]:
        parts = urlsplit(self.url)
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        seconds = timeout or self.timeout
        connection = kind(parts.hostname or "", parts.port, timeout=seconds)
        payload = None if body is None else json.dumps(body, allow_nan=False).encode()
        heads = {**headers, "Content-Type": "application/json"} if payload else dict(headers)
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise ServerError(
                f"{self.url}: no server answers ({_reason(error)}). {self._up()}"
            ) from None
        try:
            connection.request(method, parts.path + path, payload, heads)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except TimeoutError:
            raise ServerError(f"{self.url}: no answer within {seconds:.0f} s. {_AGAIN}.") from None
        except (OSError, http.client.HTTPException) as error:
            raise ServerError(
                f"{self.url}: the server stopped while it was asked ({_reason(error)}). {_AGAIN}."
            ) from None
        finally:
            connection.close()

    def _up(self) -> str:
        return "To start it: biaskit annotate start" if self.own else "Is it running? Check --url."

    def _trouble(self, status: int, path: str, content: bytes) -> str:
        detail = _detail(content)
        if status in (401, 403):
            return (
                "refuses the token in the study's folder annotate; it is of other data. Start the "
                "server of this study: biaskit annotate start"
                if self.own
                else f"refuses the token in {TOKEN_VARIABLE}. Copy one from Account & Settings of "
                "its page: a personal access token, or a legacy token where these are allowed."
            )
        if 300 <= status < 400:
            return f"answers {status}, it has moved. Give the address it moved to as --url."
        if status == 404 and "/projects/" in path:
            number = path.partition("/projects/")[2].partition("/")[0].partition("?")[0]
            return (
                f"has no project {number} (any more). To see those of the study: biaskit annotate "
                "status"
            )
        if "disk is full" in detail or "disk I/O" in detail:
            return f"its disk is full ({detail}). Make room. {_AGAIN}."
        return f"answers {status}: {detail or 'without a reason'}."


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _detail(content: bytes) -> str:
    """Return what an answer that is an error says, on one line."""
    try:
        found = json.loads(content)
    except ValueError:
        return ""
    if isinstance(found, dict):
        told = found.get("validation_errors") or found.get("detail") or found
        found = told if isinstance(told, str) else json.dumps(told, ensure_ascii=False)
    return " ".join(str(found).split())[:300].rstrip(".")
