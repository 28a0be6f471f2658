"""The environment a server of ours runs in: no prompts, no telemetry, loopback, one folder."""

import os
from collections.abc import Mapping

from annotate.home import Home, Login

__all__ = ["HOST", "command", "environment"]

HOST = "127.0.0.1"
# All the rest stays outside: the server also reads plain names such as HOST, DEBUG, PORT and CI.
_PASSED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "TZ", "SYSTEMROOT")


def environment(
    home: Home, login: Login, inherited: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """
    Return the environment variables of the server.

    Parameters
    ----------
    home : Home
        Where its data and its images are.
    login : Login
        Used when the database is made, and never read again.
    inherited : mapping
        Of the process that starts it; only what every program needs is passed on.

    Returns
    -------
    dict

    Examples
    --------
    >>> from pathlib import Path
    >>> made = environment(Home(Path("study")), Login("a", "b", "c"), {"PORT": "1", "HOME": "h"})
    >>> made["LABEL_STUDIO_COLLECT_ANALYTICS"], "PORT" in made
    ('false', False)
    """
    own = {
        "BASE_DATA_DIR": str(home.data),
        "USERNAME": login.email,
        "PASSWORD": login.password,
        "USER_TOKEN": login.token,
        "ENABLE_LEGACY_API_TOKEN": "true",
        # Where packets are dropped the check would hold the start for 40 s.
        "LATEST_VERSION_CHECK": "false",
        "COLLECT_ANALYTICS": "false",
        "SENTRY_DSN": "",  # empty is off; unset would be on, with personal data
        "FRONTEND_SENTRY_DSN": "",
        "LOCAL_FILES_SERVING_ENABLED": "true",
        "LOCAL_FILES_DOCUMENT_ROOT": str(home.images),
        "DISABLE_SIGNUP_WITHOUT_LINK": "true",
    }
    return {
        **{name: inherited[name] for name in _PASSED if name in inherited},
        **{f"LABEL_STUDIO_{name}": value for name, value in own.items()},
        "XDG_CONFIG_HOME": str(home.data / "config"),  # else it writes into the user's
        # Else wrong predictions are taken with 201 and only logged.
        "fflag_feat_utc_210_prediction_validation_15082025": "true",
        "PYTHONUNBUFFERED": "1",
    }


def command(python: str, port: int) -> list[str]:
    """
    Return the command line of the server.

    Examples
    --------
    >>> " ".join(command("python", 8080)[3:])
    'start --no-browser --internal-host 127.0.0.1 --port 8080'
    """
    # Without --internal-host it would listen on every address of the machine.
    where = ["--no-browser", "--internal-host", HOST, "--port", str(port)]
    return [python, "-m", "label_studio.server", "start", *where]
