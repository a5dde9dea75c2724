"""Tell what a file or folder holds, as plain values and as a table."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from napari_voxuda.app.info_formats import other_facts, volume_facts, with_provenance
from napari_voxuda.errors import InputError
from napari_voxuda.io.zarr_folder import is_zarr_folder

__all__ = ["describe"]


def describe(path: str | Path) -> dict[str, Any]:
    """Return what is known of a volume, picks, a run folder, a project or a folder of subtomograms.

    Parameters
    ----------
    path : str or Path
        A volume (MRC, EM, TIFF, OME-Zarr), picks (STAR, copick, ndjson, CSV), weights, a run folder,
        the file of a copick project, the record beside an output, or a folder of MRC files.

    Returns
    -------
    dict
        JSON-able values. ``kind`` is ``"volume"``, ``"picks"``, ``"run"``, ``"subtomograms"``,
        ``"project"``, ``"model"``, ``"provenance"`` or ``"file"``; the other keys depend on it. What
        has a record beside it also has ``provenance``, and a warning where it has changed since. Triples
        are in the order (z, y, x); a voxel size that the header does not tell is None.

    Raises
    ------
    InputError
        When there is nothing at `path`, or a folder holds neither a run nor volumes.
    FileFormatError
        When a file is of another format or damaged.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise InputError(f"{path}: there is no such file or folder.")
    return with_provenance(path, _facts(path))


def _facts(path: Path) -> dict[str, Any]:
    """Return what is known of the content."""
    if path.is_dir() and not is_zarr_folder(path):
        return _run(path) if (path / "run.json").is_file() else _subtomograms(path)
    if path.suffix.lower() == ".star":
        return _picks(path)
    facts = other_facts(path)
    return _volume(path) if facts is None else facts


def _volume(path: Path) -> dict[str, Any]:
    from napari_voxuda.io.mrc import read_header, read_mrc
    from napari_voxuda.io.volumes import is_mrc_content

    if not is_mrc_content(path):
        other, volume = volume_facts(path)
        contrast, problems = _contrast(volume)
        return {**other, "contrast": contrast, "warnings": [*volume.warnings, *problems]}
    header = read_header(path)
    volume = read_mrc(path)  # also refuses a truncated file
    grid = header.grid
    names = ("minimum", "maximum", "mean", "rms")
    facts: dict[str, Any] = {
        "kind": "volume",
        "path": str(path),
        "format": "MRC",
        "shape": list(volume.shape),
        "mode": header.mode,
        "dtype": header.dtype.name,
        "voxel_size_angstrom": grid.voxel_size_angstrom and list(grid.voxel_size_angstrom),
        "origin_angstrom": list(grid.origin_angstrom),
        "nstart": list(grid.nstart),
        "space_group": header.space_group,
        "header_statistics": dict(zip(names, header.statistics, strict=True)),
        "labels": list(header.labels),
    }
    contrast, problems = _contrast(volume)
    return {**facts, "contrast": contrast, "warnings": [*volume.warnings, *problems]}


def _contrast(volume: Any) -> tuple[dict[str, Any] | None, list[str]]:
    """Return a guess of the contrast, None for masks, and what is wrong with the values."""
    from napari_voxuda.data.contrast import detect_contrast

    if volume.data.dtype.kind in "iu" and _mostly_zero(volume.data):
        return None, []  # a mask
    try:
        guess = detect_contrast(volume)
    except InputError as error:
        return None, [str(error)]
    fields = ("contrast", "confidence", "reason")
    return {name: getattr(guess, name) for name in fields}, []


def _mostly_zero(data: Any) -> bool:
    """Whether more than half of the values are 0, judged by up to 64 slices."""
    from napari_voxuda.data.slabs import release_pages

    zeros = seen = 0
    for z in range(0, len(data), max(1, len(data) // 64)):
        plane = np.asarray(data[z])
        zeros += plane.size - int(np.count_nonzero(plane))
        seen += plane.size
        release_pages(data)
    return zeros > seen / 2


def _picks(path: Path) -> dict[str, Any]:
    from napari_voxuda.io.star import star_summary, tomogram_names

    convention, count = star_summary(path)
    units = {"relion5": "Å from the centre (RELION 5)", "relion4": "pixels (RELION 4 and others)"}
    return {
        "kind": "picks",
        "path": str(path),
        "count": count,
        "convention": convention,
        "coordinates": units[convention],
        "tomograms": tomogram_names(path),
    }


def _run(path: Path) -> dict[str, Any]:
    from napari_voxuda.adaptation.run_folder import read_events, read_record
    from napari_voxuda.adaptation.run_scores import read_scores

    record = read_record(path)
    events = list(read_events(path))
    steps = [event for event in events if event.get("event") == "step"]
    last = steps[-1] if steps else {}
    return {
        "kind": "run",
        "path": str(path),
        "state": _run_state(path),
        "step": last.get("step", 0),
        "steps": record.get("settings", {}).get("steps"),
        "losses": last.get("losses"),
        "coverage": last.get("coverage"),
        "foreground": last.get("foreground"),
        "alarms": _alarms(events),
        "scores": asdict(read_scores(path)),
        **record,
    }


def _alarms(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each alarm once; one that a resumed run came by again is in the log twice."""
    fields = ("step", "kind", "text")
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for event in events:
        if event.get("event") == "alarm" and isinstance(event.get("step"), int):
            # A step runs out of memory as often as its batch is halved, but collapses once.
            told = str(event.get("text")) if event.get("kind") == "out of memory" else None
            found[event["step"], told] = event
    ordered = sorted(found.values(), key=lambda event: int(event["step"]))
    return [{name: event.get(name) for name in fields} for event in ordered]


def _run_state(path: Path) -> str:
    """Return ``"finished"``, ``"running"``, ``"unfinished"`` (can be resumed) or ``"started"``."""
    from napari_voxuda.adaptation.run_lock import is_being_written
    from napari_voxuda.networks.checkpoint import MODEL_FILE, latest_checkpoint

    if is_being_written(path):
        return "running"
    if (path / MODEL_FILE).is_file():
        return "finished"
    return "started" if latest_checkpoint(path) is None else "unfinished"


def _subtomograms(path: Path) -> dict[str, Any]:
    from napari_voxuda.io.folders import find_subtomograms
    from napari_voxuda.io.mrc import read_header

    try:
        files = find_subtomograms(path)
    except InputError as error:
        raise InputError(
            f"{path}: a run folder or a folder of subtomograms was wanted, but it holds neither "
            "run.json nor volumes (MRC)."
        ) from error
    headers = [read_header(file) for file in files]
    shapes = Counter(header.shape for header in headers)
    sizes = Counter(header.grid.voxel_size_angstrom for header in headers)
    return {
        "kind": "subtomograms",
        "path": str(path),
        "count": len(files),
        "with_mask": _with_mask(path),
        "shapes": [{"shape": list(s), "count": n} for s, n in shapes.most_common()],
        "voxel_sizes_angstrom": [
            {"voxel_size_angstrom": s and list(s), "count": n} for s, n in sizes.most_common()
        ],
        "first": files[0].name,
        "last": files[-1].name,
    }


def _with_mask(path: Path) -> int:
    """Return how many subtomograms have a mask; 0 where any lacks one."""
    from napari_voxuda.io.folders import find_pairs

    try:
        return len(find_pairs(path))
    except InputError:
        return 0
