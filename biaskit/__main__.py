"""``python -m biaskit`` is the ``biaskit`` command."""

import sys

from biaskit.cli import main

if __name__ == "__main__":
    sys.exit(main())
