"""
Frames through a network in full batches, cut on its device.

One canvas is sent per image, not one frame per step; it is normalised there once, and the frames
are windows of it, copied into a batch that is always of the same shape.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from biaskit.errors import NetworkError
from biaskit.sweeps.networks import Preprocessing
from biaskit.sweeps.protocols import Sequence

__all__ = ["TOP", "Answers", "Batcher", "Forward"]

TOP = 5
Forward = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Answers:
    """
    What a network said to the frames of some sequences, in their order.

    Attributes
    ----------
    top : int array, shape (n, 5)
        Classes, the most probable first; ties go to the first class. Fewer columns where there
        are fewer classes.
    p_top : float array, shape (n, 5)
    p_true, margin : float array, shape (n,)
        NaN where there is no true class.
    rank_true : int array, shape (n,)
        0 where there is no true class.
    p_first : float array, shape (n,)
        Probability of the class that was first in the sequence's first frame.
    """

    top: np.ndarray
    p_top: np.ndarray
    p_true: np.ndarray
    rank_true: np.ndarray
    margin: np.ndarray
    p_first: np.ndarray


class Batcher:
    """
    Fills batches with frames, and collects what the network says to them.

    Parameters
    ----------
    forward : callable
        From frames, shape (batch, 3, size, size), to logits, shape (batch, n_classes).
    preprocessing : Preprocessing
    n_classes : int
    device : str
    batch : int
        Frames per batch; the last of a chunk is filled up, so that every one has this shape.
    """

    def __init__(
        self,
        forward: Forward,
        preprocessing: Preprocessing,
        *,
        n_classes: int,
        device: str,
        batch: int,
    ) -> None:
        self.forward, self.device, self.batch = forward, torch.device(device), batch
        self.n_classes = n_classes
        size = preprocessing.input_size
        self.size = size
        mean = torch.tensor(preprocessing.mean, device=self.device)
        std = torch.tensor(preprocessing.std, device=self.device)
        # input = (rgb / 255 - mean) / std, as one multiplication and one addition
        self.factor, self.shift = 1 / (255 * std), -mean / std
        self.buffer = torch.zeros((batch, 3, size, size), device=self.device)
        self.buffer = self.buffer.to(memory_format=torch.channels_last)
        self.begin()

    def begin(self) -> None:
        """Forget all frames: a new chunk begins."""
        self.filled, self.n_sequences = 0, 0
        self.rows: list[tuple[int, int, bool]] = []  # sequence, true class, is it the first frame
        self.said: list[tuple[torch.Tensor, ...]] = []
        self.first = torch.zeros(0, dtype=torch.long, device=self.device)
        self.last_sent: np.ndarray | None = None
        self.last = self.buffer

    def add(self, sequence: Sequence, true_class: int) -> None:
        """
        Put the frames of a sequence into the batches, running each that is full.

        Parameters
        ----------
        sequence : Sequence
        true_class : int
            -1 if there is none.
        """
        if sequence.starts:
            self.n_sequences += 1
        if sequence.canvases is not self.last_sent:  # rows of a grid share theirs
            self.last_sent, self.last = sequence.canvases, self.normalised(sequence.canvases)
        canvases = self.last
        places = zip(
            sequence.canvas.tolist(), sequence.top.tolist(), sequence.left.tolist(), strict=True
        )
        for step, (canvas, top, left) in enumerate(places):
            window = canvases[canvas, :, top : top + self.size, left : left + self.size]
            self.put(window, self.n_sequences - 1, true_class, sequence.starts and step == 0)

    def normalised(self, canvases: np.ndarray) -> torch.Tensor:
        """Return canvases as the network takes them, shape (n, 3, height, width)."""
        # Pillow's pixels cannot be written to, and torch warns of such arrays.
        own = canvases if canvases.flags.writeable else canvases.copy()
        sent = torch.from_numpy(own).to(self.device, non_blocking=True)
        return (sent.to(torch.float32) * self.factor + self.shift).permute(0, 3, 1, 2)

    def put(self, window: torch.Tensor, sequence: int, true_class: int, first: bool) -> None:
        """Put one frame into the batch, and run it if it is full."""
        self.buffer[self.filled].copy_(window)
        self.rows.append((sequence, true_class, first))
        self.filled += 1
        if self.filled == self.batch:
            self.run()

    def run(self) -> None:
        """Show the batch to the network; its unused places hold frames of before."""
        if not self.filled:
            return
        logits = self.forward(self.buffer)
        if logits.ndim != 2 or tuple(logits.shape) != (self.batch, self.n_classes):
            raise NetworkError(
                f"the network answered {self.batch} frames with an array of shape "
                f"{tuple(logits.shape)}, expected ({self.batch}, {self.n_classes})."
            )
        self.said.append(self._read(logits[: self.filled].float(), self.rows[-self.filled :]))
        self.filled = 0

    def _read(
        self, logits: torch.Tensor, rows: list[tuple[int, int, bool]]
    ) -> tuple[torch.Tensor, ...]:
        sent = torch.tensor(rows).to(self.device, non_blocking=True)
        sequence, true = sent[:, 0], sent[:, 1]
        # Where first frames are is known here: a mask on the device would have to be waited for.
        begins = [row for row, (_, _, first) in enumerate(rows) if first]
        first = torch.tensor(begins, dtype=torch.long).to(self.device, non_blocking=True)
        order = torch.sort(logits, dim=1, descending=True, stable=True).indices[:, :TOP]
        probabilities = torch.softmax(logits, dim=1)
        index = true.clamp(min=0)[:, None]
        of_true = logits.gather(1, index)
        earlier = torch.arange(logits.shape[1], device=self.device) < index
        rank = 1 + ((logits > of_true) | ((logits == of_true) & earlier)).sum(1)
        # The best of the others: the second, where the true class is the first.
        other = torch.where(order[:, 0] == index[:, 0], order[:, 1], order[:, 0])
        margin = of_true[:, 0] - logits.gather(1, other[:, None])[:, 0]
        missing = self.n_sequences - len(self.first)
        self.first = torch.cat([self.first, self.first.new_zeros(missing)])
        self.first[sequence[first]] = order[first, 0]
        return (
            order,
            probabilities.gather(1, order),
            probabilities.gather(1, index)[:, 0],
            rank,
            margin,
            probabilities.gather(1, self.first[sequence][:, None])[:, 0],
        )

    def finish(self) -> Answers:
        """
        Run what is left, and return the answers to all frames since `begin`.

        Raises
        ------
        NetworkError
            If the network answered anything but finite numbers.
        """
        self.run()
        width = min(TOP, self.n_classes)
        if not self.said:
            none = np.zeros(0)
            empty = np.zeros((0, width))
            return Answers(empty.astype(int), empty, none, none.astype(int), none, none)
        top, p_top, p_true, rank, margin, p_first = (
            torch.cat(part).cpu().numpy() for part in zip(*self.said, strict=True)
        )
        if not np.isfinite(p_top).all():
            raise NetworkError("the network answered with numbers that are not finite.")
        unknown = np.array([true < 0 for _, true, _ in self.rows])
        return Answers(
            top=top,
            p_top=p_top,
            p_true=np.where(unknown, np.nan, p_true),
            rank_true=np.where(unknown, 0, rank),
            margin=np.where(unknown, np.nan, margin),
            p_first=p_first,
        )
