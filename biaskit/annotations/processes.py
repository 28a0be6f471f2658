"""Batches of files parsed in other processes, in an order that does not matter."""

import gc
from collections.abc import Generator, Iterator
from itertools import chain
from typing import Any

from biaskit.annotations.archive import Named
from biaskit.annotations.imagenet_xml import XmlOptions, read_xml
from biaskit.annotations.raw import RawBox, as_columns
from biaskit.annotations.repairs import Repair
from biaskit.engines import Pool
from biaskit.errors import AnnotationError, WorkerError

__all__ = ["Batch", "Parsed", "parse_all", "parse_batch", "parse_batches"]

Batch = tuple[int, XmlOptions, list[Named]]  # number of the source, its options, files
Parsed = tuple[int, int, list[Any], list[Repair]]  # source, number of files, columns, repairs
STARTING = 4  # batches that are parsed at once before other processes are worth their start


def parse_batch(batch: Batch) -> Parsed:
    """Parse one batch into the columns of `RawBox`: arrays and lists, no object per row."""
    source, options, files = batch
    boxes: list[RawBox] = []
    repairs: list[Repair] = []
    for name, data in files:
        read, repaired = read_xml(name, data, options)
        boxes += read
        repairs += repaired
    return source, len(files), as_columns(boxes), repairs


def parse_batches(batches: Iterator[Batch], workers: int) -> Generator[Parsed, None, None]:
    """
    Yield every batch parsed, as soon as it is.

    Parameters
    ----------
    batches : iterator of Batch
        Read no faster than they are parsed.
    workers : int
        Processes; 1 parses here. A few batches are always parsed here.

    Raises
    ------
    AnnotationError
        If a process dies, as under a limit of memory.
    """
    for _, batch in zip(range(STARTING), batches, strict=False):
        yield parse_batch(batch)
    if workers <= 1:
        yield from map(parse_batch, batches)
        return
    first = next(batches, None)
    if first is None:
        return
    try:
        with Pool("biaskit.annotations.processes:parse_all", [None] * workers) as pool:
            yield from pool.run(chain([first], batches))
    except WorkerError as error:
        raise AnnotationError(f"a reading process died: {error}") from error


def parse_all(_setup: None, batches: Iterator[Batch]) -> Iterator[Parsed]:
    """Parse batches in a process of its own; see `biaskit.engines`."""
    gc.disable()  # rows hold no cycles: looking for them would take a sixth of the time
    yield from map(parse_batch, batches)
