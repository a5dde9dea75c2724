"""Measure how much memory a piece of work takes, on the CPU or on a GPU."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import torch

__all__ = ["MemoryGauge"]

_STATM = Path("/proc/self/statm")
_SECONDS = 0.005


class MemoryGauge:
    """Watches the memory of this process, or of a GPU, while its block runs.

    On Linux the resident memory is read every few milliseconds; elsewhere the largest that the process ever
    had is compared, which misses what stays below that.

    Parameters
    ----------
    device : torch.device
        Where the work is done.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._before: int | None = None
        self._peak: int | None = None
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def peak_bytes(self) -> int | None:
        """The most that was in use beyond the beginning; None where the system does not tell."""
        if self._before is None or self._peak is None:
            return None
        return max(0, self._peak - self._before)

    def __enter__(self) -> Self:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self._device)
            self._before = torch.cuda.memory_reserved(self._device)
        elif _STATM.exists():
            self._before = self._peak = _resident()
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()
        else:
            self._before = _largest()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        if self._thread is not None:
            self._thread.join()
            self._look()
        elif self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
            self._peak = torch.cuda.max_memory_reserved(self._device)
        else:
            self._peak = _largest()

    def _watch(self) -> None:
        while not self._done.wait(_SECONDS):
            self._look()

    def _look(self) -> None:
        self._peak = max(self._peak or 0, _resident())


def _resident() -> int:
    return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _largest() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
