"""How much memory the machine has."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["machine_memory_bytes"]

_CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def machine_memory_bytes() -> int | None:
    """Return the bytes that the machine or its container has; None where the system does not tell."""
    limits = [_physical_memory(), *(_limit_in(path) for path in _CGROUP_LIMITS)]
    return min((limit for limit in limits if limit is not None), default=None)


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
