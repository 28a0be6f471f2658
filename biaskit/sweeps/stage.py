"""
The stage of all that shows photographs to networks: chunk after chunk into tables.

The tables, such as ``swept``, ``frames`` and ``jaggedness``, are folders of parts, one per chunk of
images, so a run that was killed loses the chunk it was at, and memory does not grow with the
images. What is made of a chunk is a `Work`; `SWEEP` is that of ``biaskit sweep``.
"""

import hashlib
import importlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from biaskit.engines import Pool
from biaskit.errors import StudyError
from biaskit.provenance import COMPARED, LIBRARIES, provenance
from biaskit.study import Mode, Study
from biaskit.sweeps.chunks import Chunk, of_shard
from biaskit.sweeps.frame_tables import Names, frames_table, seen_of, sweep_names, swept_table
from biaskit.sweeps.images import ImageFile
from biaskit.sweeps.jaggedness import jaggedness
from biaskit.sweeps.networks import Network
from biaskit.sweeps.parts import PARTED, make_room, part_name, run_id, whole_parts
from biaskit.sweeps.preparing import chunk_digest
from biaskit.sweeps.runner import ChunkAnswers, Setup

__all__ = ["SWEEP", "Found", "SweepRun", "Work", "run_sweep"]

SWEEP_LIBRARIES = (*LIBRARIES, "torch", "torchvision", "timm", "opencv-python-headless", "pillow")
_WAITING = 2  # chunks that may wait to be written

Progress = Callable[..., None]
Shown = Callable[[str], AbstractContextManager[Progress]]


class Found(Protocol):
    """What a worker finds in a chunk: at least this, and what its `Work` makes tables of."""

    @property
    def number(self) -> int:
        """Of the chunk."""

    @property
    def sizes(self) -> Mapping[str, tuple[int, int]]:
        """Width and height of every image, px; 0 where it could not be read."""

    @property
    def n_frames(self) -> int:
        """Number of frames that were shown."""

    @property
    def digest(self) -> str:
        """sha256 of the images' files."""

    @property
    def batch(self) -> int:
        """Frames per batch at the end."""


@dataclass(frozen=True)
class Work:
    """
    What is made of each chunk of images.

    Attributes
    ----------
    worker : str
        ``module:function``, a generator of `Found` from a setup and chunks, as
        ``biaskit.sweeps.runner.sweep_chunks`` is.
    tables : sequence of str
        Written in this order; the last one says that a chunk is whole.
    make : callable
        From a run and what its worker found to a table of each name.
    beside : callable, optional
        From the same to what else the parts' provenance tells.
    """

    worker: str
    tables: Sequence[str]
    make: Callable[["SweepRun", Any], Mapping[str, pd.DataFrame]]
    beside: Callable[["SweepRun", Any], Mapping[str, Any]] | None = None


def _sweep_tables(run: "SweepRun", found: ChunkAnswers) -> Mapping[str, pd.DataFrame]:
    frames = frames_table(run.names, found, run.network.classes)
    swept = swept_table(run.names, found, seen_of(run.seen))
    by_image = dict(zip(swept["image_id"], swept["seen"], strict=True))
    jagged = jaggedness(frames, seen=by_image, n_classes=len(run.network.classes))
    return {"swept": swept, "jaggedness": jagged, "frames": frames}


def _about(run: "SweepRun", _found: Found) -> Mapping[str, Any]:
    """What the summary of places needs to know of a part."""
    own, plan = run.network.preprocessing, run.setup.plan
    about = {"input_size": own.input_size, "classes": len(run.network.classes)}
    return {"about": {**about, "scales": list(plan.scales)}}


SWEEP = Work("biaskit.sweeps.runner:sweep_chunks", PARTED["frames"], _sweep_tables, beside=_about)


@dataclass(frozen=True)
class SweepRun:
    """
    One network over one list of images by one plan.

    Attributes
    ----------
    setup : Setup
    network : Network
        As loaded.
    images : sequence of ImageFile
    chunks : sequence of Chunk
        All of them, whatever the shard.
    seen : str or None
        Whether the network was trained on the images; None: by their names.
    boxes : dict or None
        Name and sha256 of the table the chunks' boxes are from.
    devices : sequence of str
        One worker on each.
    shard : (int, int)
    work : Work
    options : mapping
        Further ones that decide the tables, for their provenance.
    """

    setup: Setup
    network: Network
    images: Sequence[ImageFile]
    chunks: Sequence[Chunk]
    seen: str | None
    boxes: dict[str, str] | None
    devices: Sequence[str]
    shard: tuple[int, int] = (1, 1)
    work: Work = SWEEP
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> Names:
        """What tells this sweep from others in every table."""
        return sweep_names(self.network.name, self.network.variant, self.setup.plan)

    def provenance(self) -> dict[str, Any]:
        """Return how its tables are made, as far as it is the same for all chunks."""
        folder = Path(self.setup.folder).resolve().name
        classes = "\n".join(self.network.classes)
        listed = "\n".join(f"{i.image_id}\t{i.category}\t{i.file}" for i in self.images)
        inputs = [
            {"name": f"list of {folder}", "sha256": hashlib.sha256(listed.encode()).hexdigest()},
            {"name": f"weights of {self.network.name}", "sha256": self.network.weights.sha256},
        ]
        plan, preprocessing = asdict(self.setup.plan), asdict(self.network.preprocessing)
        precision = "bf16" if self.setup.fast else "float32"
        options = {
            **{f"plan_{k}": v for k, v in plan.items() if k != "seed" and v != ()},
            **{f"input_{name}": value for name, value in preprocessing.items()},
            **{f"network_{k}": v for k, v in self.setup.request.describe().items()},
            "classes_digest": hashlib.sha256(classes.encode()).hexdigest(),
            "device": self.setup.device.partition(":")[0],
            "precision": precision,
            "batch": self.setup.batch,
            "chunks": len(self.chunks),
            "seen": self.seen or "by name",
            **self.options,
        }
        return provenance(
            inputs=[*inputs, *([self.boxes] if self.boxes else [])],
            options=options,
            seed=self.setup.plan.seed,
            libraries=SWEEP_LIBRARIES,
            device=self.setup.device,
            precision=precision,
        )


def run_sweep(study: Study, run: SweepRun, *, mode: Mode, shown: Shown) -> int:
    """
    Sweep, and write the chunks that are not there yet.

    Parameters
    ----------
    study : Study
        The caller holds its lock.
    run : SweepRun
    mode : {"continue", "replace", "append"}
        Replace takes out what was made otherwise, and makes anew the chunks whose images have
        changed; append adds other images.
    shown : callable
        Given what is done, a context manager whose value takes (done, total) frames.

    Returns
    -------
    int
        Number of chunks that had to be done.

    Raises
    ------
    StudyError
        If the same sweep is there, made otherwise or of other images; the message names every
        difference.
    """
    made = run.provenance()
    names = {c.number: part_name(run.names, run_id(made), c.number) for c in run.chunks}
    tables = run.work.tables
    whole = whole_parts(study, run.names, tables)
    known = {name: beside for name, beside in whole.items() if name in names.values()}
    mine = of_shard(run.chunks, run.shard)
    make_room(
        study,
        run.names,
        made,
        mode,
        tables=tables,
        images=(image.image_id for image in run.images),
        all_there=all(names[chunk.number] in known for chunk in mine),
    )
    batches = [int(beside.get("batch", run.setup.batch)) for beside in known.values()]
    # A batch that did not fit once is not tried again: its chunks would differ in the last bits.
    run = replace(run, setup=replace(run.setup, batch=min([*batches, run.setup.batch])))
    left = [c for c in mine if not _done(study, run, c, known.get(names[c.number]), mode)]
    if not left:
        return 0
    with shown("sweep") as advance, ThreadPoolExecutor(1) as writer:
        waiting: list[Future[None]] = []
        for found in _answers(run, left, advance):
            waiting.append(writer.submit(_write, study, run, found, made))
            while len(waiting) > _WAITING:
                waiting.pop(0).result()
        for future in waiting:
            future.result()
    return len(left)


def _done(
    study: Study, run: SweepRun, chunk: Chunk, beside: dict[str, Any] | None, mode: Mode
) -> bool:
    if beside is None:
        return False
    now = chunk_digest(Path(run.setup.folder), chunk, run.setup.plan)
    if beside.get("images_sha256") == now:
        return True
    if mode == "replace":
        return False
    first, last = chunk.images[0].image_id, chunk.images[-1].image_id
    raise StudyError(
        f"{study.name}: of the images {first} to {last} some have other content than when they "
        "were swept over. --replace makes them anew."
    )


def _answers(run: SweepRun, chunks: list[Chunk], advance: Progress) -> Iterator[Found]:
    """Yield what is found in chunks: by this process, or by one per device."""
    total, begun = sum(len(chunk.images) for chunk in chunks), time.monotonic()
    images = frames = 0

    def count(n_images: int, n_frames: int) -> None:
        nonlocal images, frames
        images, frames = images + n_images, frames + n_frames
        rate = frames / max(time.monotonic() - begun, 1e-6)
        advance(min(images, total), total, f"{run.network.name}, {rate:,.0f} frames/s")

    setups = [replace(run.setup, device=device) for device in run.devices]
    if len(setups) == 1:
        module, _, function = run.work.worker.partition(":")
        worker = getattr(importlib.import_module(module), function)
        yield from worker(setups[0], iter(chunks), network=run.network, advance=count)
        return
    with Pool(run.work.worker, setups) as pool:
        for found in pool.run(iter(chunks)):
            count(len(found.sizes), found.n_frames)
            yield found


def _write(study: Study, run: SweepRun, found: Found, made: dict[str, Any]) -> None:
    folder = Path(run.setup.folder).resolve().name
    now = {
        **made,
        "inputs": [
            *made["inputs"],
            {"name": f"{folder}, chunk {found.number}", "sha256": found.digest},
        ],
        "run": {key: made[key] for key in COMPARED},
        "sweep": run.names,
        "chunk": found.number,
        "batch": found.batch,
        "images_sha256": found.digest,
        **(run.work.beside(run, found) if run.work.beside else {}),
    }
    part = part_name(run.names, run_id(made), found.number)
    tables = run.work.make(run, found)
    for table in run.work.tables:
        study.write_part(table, part, tables[table], now)
