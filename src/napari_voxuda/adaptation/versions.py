"""The models of a run: as adapted, and after each refinement.

``model.safetensors``            the present model, which everything else uses
``versions/000.safetensors``     the model as it was adapted, kept at the first refinement
``versions/001.safetensors`` …   the model after each refinement: student and teacher
``corrections/….safetensors``    what the user corrected, one file for each volume

No version is ever overwritten; going back to one copies it to ``model.safetensors``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from torch import Tensor

from napari_voxuda._types import TripleInt
from napari_voxuda.data.corrections import Corrections
from napari_voxuda.errors import FileFormatError, InputError, OutputError, RunFolderError
from napari_voxuda.networks.checkpoint import MODEL_FILE, read_metadata, read_tensors, write_tensors

__all__ = [
    "CORRECTIONS",
    "VERSIONS",
    "Version",
    "add_version",
    "list_versions",
    "load_corrections",
    "restore_version",
    "save_corrections",
]

VERSIONS = "versions"
CORRECTIONS = "corrections"
_KEY = "refined"
_SAVING = Lock()  # the dock saves while a refinement begins, which saves as well


@dataclass(frozen=True, kw_only=True)
class Version:
    """One model of a run.

    Parameters
    ----------
    number : int
        0 for the model as adapted, then counted up.
    name : str
        What it is called, for example ``"Refined 2 (120 voxels)"``.
    current : bool
        Whether it is the model that the run uses now.
    """

    number: int
    name: str
    current: bool


def list_versions(run: Path) -> list[Version]:
    """Return the models of a run, oldest first; empty where it has not finished.

    Raises
    ------
    FileFormatError
        When a file of a model is damaged.
    """
    if not (run / MODEL_FILE).is_file():
        return []
    current = _facts(run / MODEL_FILE)
    kept = {number: _facts(path) for number, path in _files(run).items()}
    facts = kept or {current["number"]: current}
    return [
        Version(number=number, name=str(f["name"]), current=number == current["number"])
        for number, f in sorted(facts.items())
    ]


def add_version(
    run: Path, tensors: dict[str, Tensor], card: dict[str, Any], voxels: int
) -> Version:
    """Keep a refined model as a new version and make it the present one.

    Parameters
    ----------
    run : Path
        A finished run; the caller holds its lock.
    tensors : dict of Tensor
        Weights named ``student.…`` and ``teacher.…``.
    card : dict
        The model card as JSON-able values.
    voxels : int
        Corrected voxels that it learnt.
    """
    folder = run / VERSIONS
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: the folder cannot be made ({error.strerror}).") from error
    model, metadata = read_tensors(run / MODEL_FILE)
    if not _files(run):
        write_tensors(folder / "000.safetensors", model, metadata)
    number = max(_files(run)) + 1
    name = f"Refined {number} ({voxels} voxels)"
    facts = {
        "number": number,
        "name": name,
        "from": _number(metadata, run / MODEL_FILE),
        "voxels": voxels,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    metadata = {"step": metadata.get("step"), "model": card, _KEY: facts}
    write_tensors(folder / f"{number:03d}.safetensors", tensors, metadata)
    write_tensors(run / MODEL_FILE, tensors, metadata)
    return Version(number=number, name=name, current=True)


def restore_version(run: Path, number: int) -> None:
    """Make a version the present model again; the caller holds the run's lock.

    Raises
    ------
    RunFolderError
        When the run has no such version.
    """
    path = _files(run).get(number)
    if path is None:
        raise RunFolderError(
            f"{run}: version {number} was wanted, but the run has {sorted(_files(run)) or 'none'}."
        )
    tensors, metadata = read_tensors(path)
    write_tensors(run / MODEL_FILE, tensors, metadata)


def save_corrections(run: Path, mark: str, corrections: Corrections) -> Path:
    """Write the corrections of the volume with the fingerprint `mark`, whole or not at all."""
    folder = run / CORRECTIONS
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: the folder cannot be made ({error.strerror}).") from error
    path = folder / f"{mark}.safetensors"
    tensors = {
        "positions": torch.from_numpy(corrections.positions),
        "foreground": torch.from_numpy(corrections.foreground),
    }
    joins = [[list(voxel) for voxel in group] for group in corrections.joins]
    with _SAVING:
        write_tensors(path, tensors, {"shape": list(corrections.shape), "joins": joins})
    return path


def load_corrections(run: Path, mark: str, shape: TripleInt) -> Corrections:
    """Return the kept corrections of the volume with the fingerprint `mark`; none without a file.

    Raises
    ------
    FileFormatError
        When the file is damaged or does not fit a volume of `shape`.
    """
    path = run / CORRECTIONS / f"{mark}.safetensors"
    if not path.is_file():
        return Corrections.none(shape)
    tensors, metadata = read_tensors(path)
    try:
        return Corrections(
            shape=shape,
            positions=tensors["positions"].to(torch.int32).numpy(),
            foreground=tensors["foreground"].bool().numpy(),
            joins=tuple(
                tuple((int(z), int(y), int(x)) for z, y, x in g) for g in metadata["joins"]
            ),
        )
    except (KeyError, TypeError, ValueError, InputError) as error:
        raise FileFormatError(f"{path}: these corrections cannot be used ({error}).") from error


def _files(run: Path) -> dict[int, Path]:
    """Return the kept versions by number."""
    found = (
        (re.fullmatch(r"(\d{3,})\.safetensors", p.name), p) for p in (run / VERSIONS).glob("*")
    )
    return {int(match[1]): path for match, path in found if match}


def _facts(path: Path) -> dict[str, Any]:
    metadata = read_metadata(path)
    number = _number(metadata, path)
    facts = metadata.get(_KEY) or {"name": "As adapted"}
    return {**facts, "number": number, "name": facts.get("name", f"Refined {number}")}


def _number(metadata: dict[str, Any], path: Path) -> int:
    try:
        return int(metadata.get(_KEY, {}).get("number", 0))
    except (AttributeError, TypeError, ValueError) as error:
        raise FileFormatError(f"{path}: what it says of its version is damaged.") from error
