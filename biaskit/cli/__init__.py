"""
The ``biaskit`` command: parses, calls the library, reports; it computes nothing.

Exit status: 0 done, 1 nothing usable (or refusals under ``--strict``), 2 wrong call,
130 interrupted.
"""

from biaskit.cli.main import main

__all__ = ["main"]
