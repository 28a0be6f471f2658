"""
What the first 1, 2, 4, ... of many random crops of a frame say together, summed on the device.

Of each crop only its probabilities are added to those before it, and its most probable class to
the votes; neither logits nor probabilities of single crops are kept.
"""

from dataclasses import dataclass

import numpy as np
import torch

from biaskit.errors import NetworkError
from biaskit.sweeps.batches import Batcher, Forward
from biaskit.sweeps.networks import Preprocessing

__all__ = ["Ballots", "Voted"]

Tensor = torch.Tensor


@dataclass(frozen=True)
class Voted:
    """
    What was said to frames: without crops (column 0), and by the first so many crops of each.

    Attributes
    ----------
    by_mean, by_vote : int arrays, shape (n_frames, 1 + n_counts)
        The class with the greatest mean probability, and the one most crops take for the most
        probable; ties of votes go by the mean, all others to the first class.
    rank_true : int array, shape (n_frames, 1 + n_counts)
        Rank of the true class by the mean probability, 1 the best; 0 where there is none.
    p_true : float array, shape (n_frames, 1 + n_counts)
        Mean probability of the true class; NaN where there is none.
    """

    by_mean: np.ndarray
    by_vote: np.ndarray
    rank_true: np.ndarray
    p_true: np.ndarray


class Ballots(Batcher):
    """
    Fills batches with frames and their crops, and counts what the network says to them.

    Parameters
    ----------
    forward, preprocessing, n_classes, device, batch
        As for `Batcher`.
    counts : tuple of int
        Ascending numbers of crops to be taken together.
    """

    def __init__(
        self,
        forward: Forward,
        preprocessing: Preprocessing,
        *,
        n_classes: int,
        device: str,
        batch: int,
        counts: tuple[int, ...],
    ) -> None:
        super().__init__(forward, preprocessing, n_classes=n_classes, device=device, batch=batch)
        self.counts = np.array(counts)
        self.per_frame = 1 + counts[-1]
        # Sums of 64 probabilities are then exact but for the least of them, in whatever order.
        self.exact = torch.float32 if self.device.type == "mps" else torch.float64

    def begin(self) -> None:
        """Forget all frames: a new chunk begins."""
        super().begin()
        self.open: Tensor | None = None  # sums of the frame whose crops go on in the next batch

    def show(self, canvas: np.ndarray, corners: np.ndarray, true_class: int) -> None:
        """
        Put frames and their crops into the batches, running each that is full.

        Parameters
        ----------
        canvas : uint8 array, shape (height, width, 3)
        corners : int array, shape (n_frames, 1 + n_crops, 2)
            First row and column of each frame's window, and of its crops.
        true_class : int
            -1 if there is none.
        """
        sent = self.normalised(canvas[None])[0]
        for of_frame in corners.tolist():
            for number, (top, left) in enumerate(of_frame):
                window = sent[:, top : top + self.size, left : left + self.size]
                self.put(window, self.n_sequences, true_class, number == 0)
            self.n_sequences += 1

    def _read(self, logits: Tensor, rows: list[tuple[int, int, bool]]) -> tuple[Tensor, ...]:
        """Return what is said to the frames that begin here, and by the crops of those that end."""
        begun = len(self.rows) - len(rows)
        frame, number = np.divmod(np.arange(begun, len(self.rows)), self.per_frame)
        probabilities, top = torch.softmax(logits, dim=1), logits.argmax(dim=1)
        true = np.array([true for _, true, _ in rows])
        starts = np.flatnonzero(number == 0)
        plain = self._sent(starts)
        found = (
            top[plain][:, None],
            *self._of_true(logits[plain], probabilities[plain], true[starts]),
        )
        ends = np.flatnonzero(number == self.per_frame - 1)
        sums = self._sums(probabilities.to(self.exact), top, frame - frame[0], number)
        if self.open is not None:
            sums[:, 0] += self.open
        # A frame whose last crop is not in this batch goes on in the next one.
        self.open = sums[:, -1] if len(ends) < sums.shape[1] else None
        return (*found, *self._voted(sums[:, : len(ends)], true[ends]))

    def _sent(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(values).to(self.device, non_blocking=True)

    def _sums(self, said: Tensor, top: Tensor, frame: np.ndarray, number: np.ndarray) -> Tensor:
        """
        Add probabilities, and votes, of the crops that each count adds to the one before.

        Returns
        -------
        float tensor, shape (2, n_frames, n_counts, n_classes)
        """
        n_frames, n_counts = int(frame[-1]) + 1, len(self.counts)
        cells = np.zeros((n_frames, n_counts, len(frame)))
        crops = np.flatnonzero(number > 0)
        cells[frame[crops], np.searchsorted(self.counts, number[crops]), crops] = 1
        # A product of matrices: adding by index, or cumulatively, has no fixed order on a GPU.
        chosen = self._sent(cells.reshape(-1, len(frame)).astype(np.float32)).to(self.exact)
        votes = torch.zeros_like(said).scatter_(1, top[:, None], 1)
        return torch.stack([chosen @ said, chosen @ votes]).view(2, n_frames, n_counts, -1)

    def _voted(self, sums: Tensor, true: np.ndarray) -> tuple[Tensor, ...]:
        """Return by mean, by vote, rank and sum of the true class, each of (n_frames, n_counts)."""
        total = sums.clone()
        for k in range(1, len(self.counts)):
            total[:, :, k] += total[:, :, k - 1]
        said, votes = total
        most = votes == votes.amax(dim=2, keepdim=True)
        by_vote = torch.where(most, said, -1).argmax(dim=2)
        shape = (-1, self.n_classes)
        of_true = self._of_true(
            said.reshape(shape), said.reshape(shape), np.repeat(true, len(self.counts))
        )
        rank, p_true = (one.view(-1, len(self.counts)) for one in of_true)
        return said.argmax(dim=2), by_vote, rank, p_true

    def _of_true(self, score: Tensor, said: Tensor, true: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return the rank of the true class by score, and what is said of it, shape (n, 1)."""
        index = self._sent(np.maximum(true, 0).astype(np.int64))[:, None]
        own = score.gather(1, index)
        earlier = torch.arange(self.n_classes, device=self.device) < index
        rank = 1 + ((score > own) | ((score == own) & earlier)).sum(1, keepdim=True)
        return rank, said.gather(1, index)

    def voted(self) -> Voted:
        """
        Run what is left, and return what was said since `begin`.

        Raises
        ------
        NetworkError
            If the network answered anything but finite numbers.
        """
        self.run()
        shape = (0, 1 + len(self.counts))
        if not self.said:
            none, nan = np.zeros(shape, int), np.zeros(shape)
            return Voted(none, none, none, nan)
        top, rank, p, by_mean, by_vote, ranks, sums = (
            torch.cat(part).cpu().numpy() for part in zip(*self.said, strict=True)
        )
        p_true = np.hstack([p.astype(float), sums.astype(float) / self.counts])
        if not np.isfinite(p_true).all():
            raise NetworkError("the network answered with numbers that are not finite.")
        true = np.array([true for _, true, first in self.rows if first])
        unknown = (true < 0)[:, None]
        return Voted(
            by_mean=np.hstack([top, by_mean]),
            by_vote=np.hstack([top, by_vote]),
            rank_true=np.where(unknown, 0, np.hstack([rank, ranks])),
            p_true=np.where(unknown, np.nan, p_true),
        )
