"""Run a command and watch the memory that its process has."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ALLOWED_BYTES", "Peak", "Row", "watch"]

ALLOWED_BYTES = 1_500_000_000
"""What a step may take beyond the size of its output."""

_INTERVAL_S = 0.05


@dataclass(frozen=True, kw_only=True)
class Peak:
    """The largest memory of a process, in bytes.

    Parameters
    ----------
    resident : int
        Resident set, pages of mapped files included: the system's own high-water mark (``VmHWM``,
        read every 50 ms), or ``ru_maxrss`` where there is none. Linux counts the parent's memory
        before the program is loaded into ``ru_maxrss``.
    anonymous : int
        Its part that no file stands behind (``RssAnon``), sampled every 50 ms.
    mapped : int
        Its part that is pages of files (``RssFile``), sampled likewise; the system can take them
        back at any time.
    seconds : float
        Wall time.
    """

    resident: int
    anonymous: int
    mapped: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Row:
    """One step: its command, the size of what it wrote, and its peak."""

    step: str
    command: str
    output: int
    peak: Peak

    @property
    def limit(self) -> int:
        """Bytes that it may take."""
        return self.output + ALLOWED_BYTES

    @property
    def is_kept(self) -> bool:
        """Whether the resident set stayed within the limit."""
        return self.peak.resident <= self.limit


def watch(arguments: list[str]) -> Peak:
    """Run ``python -m napari_voxuda`` with arguments and return its peak.

    Raises
    ------
    RuntimeError
        When the command fails; holds what it said.
    """
    started, peaks = time.monotonic(), (0, 0, 0)
    command = [sys.executable, "-m", "napari_voxuda", *arguments]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        while not (waited := os.wait4(process.pid, os.WNOHANG))[0]:
            now = _resident(process.pid)
            peaks = tuple(max(pair) for pair in zip(peaks, now, strict=True))
            time.sleep(_INTERVAL_S)
        _, status, usage = waited
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        words = said.read().decode(errors="replace")
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: exit code {process.returncode}: {words}")
    resident, anonymous, mapped = peaks
    if not resident:
        resident = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    seconds = time.monotonic() - started
    return Peak(resident=resident, anonymous=anonymous, mapped=mapped, seconds=seconds)


def _resident(pid: int) -> tuple[int, ...]:
    """Return the peak and the anonymous and file-backed bytes now; 0 where the system tells none."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0, 0, 0
    values = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    names = ("VmHWM", "RssAnon", "RssFile")
    return tuple(int(values.get(name, "0 kB").split()[0]) * 1024 for name in names)
