"""The results of trials in one JSON file, to which pieces made at different times are added."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import Any

from napari_voxuda.io.atomic import atomic_path

__all__ = ["RESULTS", "keep", "machine", "read"]

RESULTS = Path(__file__).resolve().parents[1] / "results" / "reliability.json"
"""Where results go when no other file is named."""


def machine() -> dict[str, object]:
    """Return what kind of machine this is."""
    return {
        "cpus": os.cpu_count(),
        "system": platform.system(),
        "processor": platform.machine(),
        "python": platform.python_version(),
    }


def read(path: Path) -> dict[str, dict[str, Any]]:
    """Return the pieces in a file by trial and name; none where there is no such file."""
    found: dict[str, dict[str, Any]] = json.loads(path.read_text()) if path.exists() else {}
    return found


def keep(path: Path, trial: str, piece: str, content: dict[str, Any]) -> None:
    """Add a piece to a file; one of the same name is replaced.

    Parameters
    ----------
    path : pathlib.Path
        The file, made where there is none.
    trial : str
        For example ``"fuzz"``.
    piece : str
        Which cases it holds: seed and range.
    content : dict
        JSON-able values.
    """
    pieces = read(path)
    pieces.setdefault(trial, {})[piece] = {"machine": machine(), **content}
    ordered = {name: dict(sorted(pieces[name].items())) for name in sorted(pieces)}
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(ordered, indent=1, sort_keys=True) + "\n")
