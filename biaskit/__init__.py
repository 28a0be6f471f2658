"""
biaskit: is a data set biased in where and how large things are, and is that why networks jump.

Every part of the pipeline is a function that takes tables and returns tables; see
``biaskit.tables`` for what their rows and columns mean.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("biaskit")
except PackageNotFoundError:  # a checkout that is not installed
    __version__ = "0+unknown"

__all__ = ["__version__"]
