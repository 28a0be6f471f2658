"""Annotators: their accounts on a server of our own, and the names A1, A2 ... of their numbers."""

import http.cookiejar
import secrets
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable

from annotate.client import Client
from annotate.home import Home, told
from biaskit.errors import ServerError
from biaskit.provenance import read_json, write_json_whole

__all__ = ["email_of", "make_annotators", "name_annotators", "tell_login"]


def email_of(number: int) -> str:
    """
    Return the address an annotator of our own server logs in with; nothing is ever sent there.

    Examples
    --------
    >>> email_of(2)
    'a2@biaskit.example'
    """
    return f"a{number}@biaskit.example"


def make_annotators(home: Home, client: Client, number: int) -> None:
    """
    Make accounts so that there are at least so many; those there are stay as they are.

    Raises
    ------
    ServerError
        If the server does not take one.
    """
    there = {user["email"] for user in client.get("/api/users/")}
    for k in range(2, number + 1):
        if email_of(k) in there:
            continue
        login = home.make_login()
        password = login.others.get(email_of(k)) or secrets.token_urlsafe(12)
        home.add_login(email_of(k), password)
        _sign_up(client, email_of(k), password)


def _sign_up(client: Client, email: str, password: str) -> None:
    """Sign up as a person would: the API makes users, but none with a password."""
    page = client.url + client.get("/api/invite")["invite_url"]
    cookies = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(cookies)
    )
    try:
        opener.open(page, timeout=60).read()
        csrf = next((c.value or "" for c in cookies if c.name == "csrftoken"), "")
        form = {"email": email, "password": password, "csrfmiddlewaretoken": csrf}
        opener.open(page, urllib.parse.urlencode(form).encode(), timeout=60).read()
    except (urllib.error.URLError, OSError) as error:
        raise ServerError(f"{client.url}: {email} could not sign up ({error}).") from None
    if email not in {user["email"] for user in client.get("/api/users/")}:
        raise ServerError(f"{client.url}: {email} could not sign up; the server gave no reason.")


def name_annotators(home: Home, client: Client | None, numbers: Iterable[int]) -> dict[int, str]:
    """
    Return A1, A2 ... for the server's own numbers of annotators; once given, a name stays.

    Parameters
    ----------
    home : Home
        Keeps the names in ``annotators.json``: numbers and names only, no person.
    client : Client or None
        Of our own server, whose accounts have names from the start.
    numbers : ints
        All that are in the marks.
    """
    path = home.folder / "annotators.json"
    known = {int(number): str(name) for number, name in (read_json(path) or {}).items()}
    before = dict(known)
    if client is not None and client.own:
        login = home.login()
        names = {email: name for name, (email, _) in (login.people if login else {}).items()}
        for user in client.get("/api/users/"):
            if user["email"] in names:
                known.setdefault(int(user["id"]), names[user["email"]])
    free = (name for k in range(1, 10_000) if (name := f"A{k}") not in known.values())
    for number in sorted(set(numbers) - known.keys()):
        known[number] = next(free)
    if known != before:
        with told("annotate/annotators.json"):
            home.folder.mkdir(parents=True, exist_ok=True)
            write_json_whole(path, {str(n): name for n, name in sorted(known.items())})
    return known


def tell_login(home: Home, *, show: bool) -> list[str]:
    """Return lines that tell how to log in, with the passwords or with where they are."""
    login = home.login()
    people = login.people if login else {}
    if not show:
        return [f"Logins of {', '.join(people)}: annotate/login.json in the study, owner only"]
    return [
        f"{name} logs in as {email}, password {password}"
        for name, (email, password) in people.items()
    ]
