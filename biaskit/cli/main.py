"""The command's entry: its subcommands and its exit status."""

import io
import sys
from collections.abc import Sequence

import typer

from biaskit import __version__
from biaskit.cli import (
    annotate,
    bias,
    data,
    inside,
    keypoints,
    networks,
    robust,
    sampling,
    sweeps,
    tables,
)

__all__ = ["app", "main"]

app = typer.Typer(
    name="biaskit",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help=(
        "Is a data set biased in where and how large things are, and is that why a network "
        "jumps when the picture moves by a pixel?\n\nTo begin: biaskit demo"
    ),
)
for _part in (
    data, keypoints, bias, networks, sweeps, inside, sampling, robust, tables, annotate,
):  # fmt: skip
    _part.register(app)


@app.callback(invoke_without_command=True)
def _version(
    version: bool = typer.Option(False, "--version", help="Print the version and stop."),
) -> None:
    if version:
        print(f"biaskit {__version__}")
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        In place of the process' own.

    Examples
    --------
    >>> main(["--version"])  # doctest: +ELLIPSIS
    biaskit ...
    0
    """
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        # A category or a folder may be named in letters that the terminal does not know.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app(args=arguments, prog_name="biaskit")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return 0
