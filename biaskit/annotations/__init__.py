"""Box files of every common format into one checked table, with every repair on record."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from biaskit.annotations.reading import BoxesRead, read_boxes

__all__ = ["BoxesRead", "read_boxes"]


def __getattr__(name: str) -> Any:
    # Worker processes import this package too: they start without pandas and pyarrow.
    if name in __all__:
        from biaskit.annotations import reading

        return getattr(reading, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
