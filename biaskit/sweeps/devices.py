"""Where a network runs, and the settings under which its answers can be repeated."""

import contextlib
import ctypes
import sys

import torch

from biaskit.errors import SweepError

__all__ = ["PRECISIONS", "check_fast", "devices_of", "keep_memory", "settle"]

PRECISIONS = ("reference", "fast")
_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8


def devices_of(name: str | None) -> list[str]:
    """
    Return the devices a name stands for; all GPUs of the machine, or the CPU, if none is named.

    Parameters
    ----------
    name : str or None
        cpu, cuda (all GPUs), cuda:1, mps.

    Raises
    ------
    SweepError
        If it is not there.

    Examples
    --------
    >>> devices_of("cpu")
    ['cpu']
    """
    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    gpus = [f"cuda:{k}" for k in range(n_gpus)]
    if name is None:
        return gpus or ["cpu"]
    if name == "cpu":
        return ["cpu"]
    if name == "cuda" and gpus:
        return gpus
    if name in gpus or (name == "mps" and torch.backends.mps.is_available()):
        return [name]
    there = ", ".join(["cpu", *gpus])
    raise SweepError(f"--device {name}: is not on this machine, which has {there}.")


def check_fast(device: str) -> None:
    """
    Refuse bf16 where it would be emulated.

    Raises
    ------
    SweepError
    """
    if device == "cpu" and not torch.cpu._is_avx512_bf16_supported():
        raise SweepError(
            "--fast: this processor has no arithmetic in bf16, and would be slower. Leave it out."
        )
    if device.startswith("cuda") and not torch.cuda.is_bf16_supported():
        raise SweepError(f"--fast: {device} has no arithmetic in bf16. Leave it out.")


def settle(device: str) -> None:
    """Make answers repeatable: whole float32 without TF32, the same kernels each time."""
    if device == "cpu":
        keep_memory()
        return
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    # The older switch leaves convolutions to what was set for all; this one does not.
    if hasattr(torch.backends.cudnn, "conv"):
        torch.backends.cudnn.conv.fp32_precision = "ieee"
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True


def keep_memory() -> None:
    """
    Let this process keep the memory of activations instead of asking the kernel for it again.

    glibc gives every large block back at once, and getting it again costs 10,000 page faults and
    more per frame: on two cores half of the time. Elsewhere than on glibc nothing is done.
    """
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(_M_MMAP_MAX, 0)
        libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
        libc.mallopt(_M_ARENA_MAX, 1)
