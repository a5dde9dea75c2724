"""How much memory the machine has."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["available_memory_bytes", "machine_memory_bytes"]

_CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def machine_memory_bytes() -> int | None:
    """Return the bytes that the machine or its container has; None where the system does not tell."""
    limits = [_physical_memory(), *(_limit_in(path) for path in _CGROUP_LIMITS)]
    return min((limit for limit in limits if limit is not None), default=None)


def available_memory_bytes() -> int | None:
    """Return the bytes that a program can still get without swapping; None where that is not known."""
    limits = [_meminfo("MemAvailable"), _free_in_container()]
    return min((limit for limit in limits if limit is not None), default=machine_memory_bytes())


def _meminfo(name: str) -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return None


def _free_in_container() -> int | None:
    """Return the container's limit less what is in use; files in memory that can go do not count."""
    folder = Path("/sys/fs/cgroup")
    limit, used = _limit_in(folder / "memory.max"), _limit_in(folder / "memory.current")
    if limit is None or used is None:
        return None
    try:
        entries = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        used -= int(entries.get("inactive_file", 0))
    except (OSError, ValueError):
        pass
    return max(0, limit - used)


def _physical_memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return None


def _limit_in(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # no such file, or "max"
        return None
