"""How much a reader takes in before it calls an archive hostile."""

from dataclasses import dataclass, field

from biaskit.annotations.repairs import Refused

__all__ = ["Budget"]

RATIO = 200  # XML packs to a tenth, a column of equal numbers to a hundredth
FLOOR = 5 << 29  # 2.5 GiB may always be unpacked: it is streamed, and takes seconds


@dataclass
class Budget:
    """
    What one source may unpack to, archives within it included.

    Parameters
    ----------
    packed : int
        Bytes of the source on disk.

    Raises
    ------
    Refused
        By `spend`, of kind ``bomb``.

    Examples
    --------
    >>> Budget(1000).spend(5000)
    """

    packed: int
    spent: int = field(default=0)

    def spend(self, n_bytes: int) -> None:
        """Count unpacked bytes, and stop where no honest archive gets."""
        self.spent += n_bytes
        if self.is_spent:
            raise Refused("bomb", f"{self.packed:,} bytes unpack to over {self.spent:,}")

    @property
    def is_spent(self) -> bool:
        """Whether no more may be unpacked."""
        return self.spent > max(FLOOR, RATIO * self.packed)

    def check(self, packed: int, unpacked: int) -> None:
        """Refuse a member whose header alone says that it is a bomb."""
        if unpacked > 1 << 20 and unpacked > RATIO * max(packed, 1):
            raise Refused("bomb", f"{packed:,} bytes unpack to {unpacked:,}")
