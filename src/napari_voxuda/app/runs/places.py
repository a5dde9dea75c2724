"""Where runs are kept when the user does not say, and what a folder holds."""

from __future__ import annotations

import os
import re
from datetime import datetime
from pathlib import Path

from napari_voxuda.app.preferences import preferences
from napari_voxuda.errors import OutputError

__all__ = [
    "RUNS_VARIABLE",
    "fresh_masks_folder",
    "fresh_run_folder",
    "has_model",
    "is_resumable",
    "is_run",
    "runs_folder",
]

RUNS_VARIABLE = "VOXUDA_RUNS"
"""Names the folder of new runs, where the user wants another one."""

_RECORD, _MODEL, _CHECKPOINTS = "run.json", "model.safetensors", "checkpoints"


def runs_folder() -> Path:
    """Return the folder under which new runs are kept; it may not exist yet.

    It is the one that `RUNS_VARIABLE` names, or that of the preferences, or one in the user's data
    folder.
    """
    if chosen := os.environ.get(RUNS_VARIABLE):
        return Path(chosen).expanduser()
    if (preferred := preferences().runs_folder) is not None:
        return preferred
    import platformdirs

    return Path(platformdirs.user_data_dir("napari-voxuda", appauthor=False)) / "runs"


def fresh_run_folder(name: str, *, parent: Path | None = None, now: datetime | None = None) -> Path:
    """Return a folder that does not exist yet, named after the target and the time.

    Parameters
    ----------
    name : str
        The target's name; characters that file systems dislike are replaced.
    parent : Path or None
        `runs_folder` without.
    now : datetime or None
        The present without.

    Raises
    ------
    OutputError
        When a thousand folders of this name and second exist.
    """
    parent = runs_folder() if parent is None else parent
    stem = re.sub(r"[^\w.-]+", "_", name).strip("._") or "run"
    stamp = (now or datetime.now()).strftime("%Y%m%d-%H%M%S")
    for number in range(1000):
        folder = parent / (f"{stem}-{stamp}" + (f"-{number}" if number else ""))
        if not folder.exists():
            return folder
    raise OutputError(f"{parent}: no free name for a run was found; choose a run folder.")


def fresh_masks_folder(run: Path) -> Path:
    """Return a place in a run folder for the masks of a folder, where none lie yet."""
    folder, number = run / "masks", 1
    while folder.exists():
        number += 1
        folder = run / f"masks-{number}"
    return folder


def is_run(folder: Path) -> bool:
    """Whether `folder` holds the record of a run."""
    return (folder / _RECORD).is_file()


def has_model(run: Path) -> bool:
    """Whether `run` holds a finished model."""
    return (run / _RECORD).is_file() and (run / _MODEL).is_file()


def is_resumable(run: Path) -> bool:
    """Whether `run` is a run that began and has not finished."""
    return (run / _RECORD).is_file() and not (run / _MODEL).is_file()
