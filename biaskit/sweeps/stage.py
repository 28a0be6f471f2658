"""
The stage ``biaskit sweep``: from photographs and networks to the tables of their jaggedness.

The tables ``swept``, ``frames`` and ``jaggedness`` are folders of parts, one per chunk of images,
so a run that was killed loses the chunk it was at, and memory does not grow with the images.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from biaskit.engines import Pool
from biaskit.errors import StudyError
from biaskit.provenance import COMPARED, LIBRARIES, provenance
from biaskit.study import Mode, Study
from biaskit.sweeps.chunks import Chunk, of_shard
from biaskit.sweeps.frame_tables import Names, frames_table, seen_of, sweep_names, swept_table
from biaskit.sweeps.images import ImageFile
from biaskit.sweeps.jaggedness import jaggedness
from biaskit.sweeps.networks import Network
from biaskit.sweeps.parts import make_room, part_name, run_id, whole_parts
from biaskit.sweeps.preparing import chunk_digest
from biaskit.sweeps.runner import ChunkAnswers, Setup, sweep_chunks

__all__ = ["SweepRun", "run_sweep"]

SWEEP_LIBRARIES = (*LIBRARIES, "torch", "torchvision", "timm", "opencv-python-headless", "pillow")
_WAITING = 2  # chunks that may wait to be written

Progress = Callable[..., None]
Shown = Callable[[str], AbstractContextManager[Progress]]


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
    """

    setup: Setup
    network: Network
    images: Sequence[ImageFile]
    chunks: Sequence[Chunk]
    seen: str | None
    boxes: dict[str, str] | None
    devices: Sequence[str]
    shard: tuple[int, int] = (1, 1)

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
            **{f"plan_{name}": value for name, value in plan.items() if name != "seed"},
            **{f"input_{name}": value for name, value in preprocessing.items()},
            **{f"network_{k}": v for k, v in self.setup.request.describe().items()},
            "classes_digest": hashlib.sha256(classes.encode()).hexdigest(),
            "device": self.setup.device.partition(":")[0],
            "precision": precision,
            "batch": self.setup.batch,
            "chunks": len(self.chunks),
            "seen": self.seen or "by name",
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
    known = {n: b for n, b in whole_parts(study, run.names).items() if n in names.values()}
    mine = of_shard(run.chunks, run.shard)
    make_room(
        study,
        run.names,
        made,
        mode,
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


def _answers(run: SweepRun, chunks: list[Chunk], advance: Progress) -> Iterator[ChunkAnswers]:
    """Yield the answers to chunks: from this process, or from one per device."""
    total, begun = sum(len(chunk.images) for chunk in chunks), time.monotonic()
    images = frames = 0

    def count(n_images: int, n_frames: int) -> None:
        nonlocal images, frames
        images, frames = images + n_images, frames + n_frames
        rate = frames / max(time.monotonic() - begun, 1e-6)
        advance(min(images, total), total, f"{run.network.name}, {rate:,.0f} frames/s")

    setups = [replace(run.setup, device=device) for device in run.devices]
    if len(setups) == 1:
        yield from sweep_chunks(setups[0], iter(chunks), network=run.network, advance=count)
        return
    with Pool("biaskit.sweeps.runner:sweep_chunks", setups) as pool:
        for found in pool.run(iter(chunks)):
            count(len(found.sizes), len(found.answers.p_true))
            yield found


def _write(study: Study, run: SweepRun, found: ChunkAnswers, made: dict[str, Any]) -> None:
    seen = seen_of(run.seen)
    frames = frames_table(run.names, found, run.network.classes)
    swept = swept_table(run.names, found, seen)
    by_image = dict(zip(swept["image_id"], swept["seen"], strict=True))
    jagged = jaggedness(frames, seen=by_image, n_classes=len(run.network.classes))
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
    }
    part = part_name(run.names, run_id(made), found.number)
    for table, frame in (("swept", swept), ("jaggedness", jagged), ("frames", frames)):
        study.write_part(table, part, frame, now)
