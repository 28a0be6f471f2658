"""
The stage ``biaskit sweep``: from photographs and networks to the tables of their jaggedness.

The tables ``swept``, ``frames`` and ``jaggedness`` are folders of parts, one per chunk of images,
so a run that was killed loses the chunk it was at, and memory does not grow with the images.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from biaskit.engines import Pool
from biaskit.errors import StudyError
from biaskit.provenance import COMPARED, LIBRARIES, differences, provenance
from biaskit.study import Mode, Study
from biaskit.sweeps.chunks import Chunk, of_shard
from biaskit.sweeps.frame_tables import Names, frames_table, seen_of, sweep_names, swept_table
from biaskit.sweeps.images import ImageFile
from biaskit.sweeps.jaggedness import jaggedness
from biaskit.sweeps.networks import Network
from biaskit.sweeps.preparing import chunk_digest
from biaskit.sweeps.runner import ChunkAnswers, Setup, sweep_chunks

__all__ = ["PARTED", "SweepRun", "run_sweep"]

PARTED = ("swept", "jaggedness", "frames")  # written in this order: with frames, a chunk is whole
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

    def part(self, chunk: int, made: dict[str, Any]) -> str:
        """Return the name of a chunk's part: that of the sweep, of what went in, and a number."""
        words = "-".join(
            "".join(c if c.isalnum() or c in "._" else "_" for c in word)
            for word in self.names.values()
        )
        return f"{words}-{_run_id(made)}-{chunk:05d}"


def _run_id(made: dict[str, Any]) -> str:
    compared = json.dumps({key: made[key] for key in COMPARED}, sort_keys=True)
    return hashlib.sha256(compared.encode()).hexdigest()[:10]


def run_sweep(study: Study, run: SweepRun, *, mode: Mode, shown: Shown) -> int:
    """
    Sweep, and write the chunks that are not there yet.

    Parameters
    ----------
    study : Study
        The caller holds its lock.
    run : SweepRun
    mode : {"continue", "replace", "append"}
        Replace takes out what this network has under this protocol, direction and fill; append
        adds other images to it.
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
    _make_room(study, run, made, mode)
    known = {n: beside for n, beside in study.parts("frames").items() if _run_id(made) in n}
    batches = [int(beside.get("batch", run.setup.batch)) for beside in known.values()]
    # A batch that did not fit once is not tried again: its chunks would differ in the last bits.
    run = replace(run, setup=replace(run.setup, batch=min([*batches, run.setup.batch])))
    left = [
        chunk
        for chunk in of_shard(run.chunks, run.shard)
        if not _done(study, run, chunk, run.part(chunk.number, made), known)
    ]
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


def _make_room(study: Study, run: SweepRun, made: dict[str, Any], mode: Mode) -> None:
    """Take out, keep beside, or refuse what the same sweep has of another making."""
    others = {
        part: beside
        for part, beside in study.parts("frames").items()
        if beside.get("sweep") == run.names and _run_id(made) not in part
    }
    if mode == "replace":
        for part in study.parts("frames"):
            if part in others or _run_id(made) in part:
                for table in reversed(PARTED):
                    study.remove_part(table, part)
        return
    if not others:
        return
    before = next(iter(others.values()))
    found = differences(before.get("run", {}), made)
    if mode == "append":
        _check_append(study, run, found)
        return
    names = ", ".join(filter(None, run.names.values()))
    raise StudyError(
        f"{study.name}: {names} was swept otherwise: {'; '.join(found)}. --replace makes it anew, "
        "--append adds other images, --study names another folder."
    )


def _check_append(study: Study, run: SweepRun, found: list[str]) -> None:
    options = [d for d in found if not d.startswith("input list of") and "--chunks" not in d]
    if options:
        raise StudyError(f"{study.name}: cannot append to this sweep: {'; '.join(options)}.")
    where = [(name, "=", word) for name, word in run.names.items()]
    there = set(study.read("swept", ["image_id"], where)["image_id"])
    twice = sorted(there & {image.image_id for image in run.images})
    if twice:
        raise StudyError(
            f"{study.name}: {len(twice):,} of these images are there already, such as {twice[0]}. "
            "Leave them out, or make all anew with --replace."
        )


def _done(
    study: Study, run: SweepRun, chunk: Chunk, part: str, known: dict[str, dict[str, Any]]
) -> bool:
    if not all(study.has_part(table, part) for table in PARTED):
        return False
    now = chunk_digest(Path(run.setup.folder), chunk, run.setup.plan)
    if known[part].get("images_sha256") != now:
        first, last = chunk.images[0].image_id, chunk.images[-1].image_id
        raise StudyError(
            f"{study.name}: of the images {first} to {last} some have other content than when they "
            "were swept over. --replace makes the sweep anew."
        )
    return True


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
    part = run.part(found.number, made)
    for table, frame in (("swept", swept), ("jaggedness", jagged), ("frames", frames)):
        study.write_part(table, part, frame, now)
