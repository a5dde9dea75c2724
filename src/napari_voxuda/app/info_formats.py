"""Tell what files of other formats than MRC and STAR hold, and where an output comes from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError

__all__ = ["other_facts", "volume_facts", "with_provenance"]


def other_facts(path: Path) -> dict[str, Any] | None:
    """Return what is known of a file that is no volume and no STAR file; None for a volume."""
    from napari_voxuda.io.copick import is_copick_project
    from napari_voxuda.io.provenance import SIDECAR_SUFFIXES, is_sidecar, read_sidecar

    suffix = path.suffix.lower()
    if suffix == ".safetensors":
        return {"kind": "model", "path": str(path), **_model(path)}
    if suffix in (".ndjson", ".csv"):
        return _table(path)
    if suffix not in SIDECAR_SUFFIXES or not path.is_file():
        return None
    if is_sidecar(path):
        return {
            "kind": "provenance",
            "path": str(path),
            **_shown(read_sidecar(path.with_suffix(""))),
        }
    if is_copick_project(path):
        return _project(path)
    return _copick_picks(path)


def volume_facts(path: Path) -> tuple[dict[str, Any], Volume]:
    """Return what is known of a volume of another format than MRC, and the volume."""
    from napari_voxuda.io.volumes import read_volume, zarr_folder_of

    folder = zarr_folder_of(path)
    volume = read_volume(path)
    size = volume.grid.voxel_size_angstrom
    facts: dict[str, Any] = {
        "kind": "volume",
        "path": str(path),
        "format": _format(path) if folder is None else "OME-Zarr",
        "shape": list(volume.shape),
        "dtype": volume.data.dtype.name,
        "voxel_size_angstrom": size and list(size),
        "origin_angstrom": list(volume.grid.origin_angstrom),
    }
    return (facts if folder is None else {**facts, **_levels(folder)}), volume


def with_provenance(path: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """Add what the record beside an output says, and a warning where they no longer agree."""
    from napari_voxuda.io.provenance import finished, hash_path, read_sidecar

    output = path / "model.safetensors" if facts["kind"] == "run" else path
    record = read_sidecar(output)
    if record is None:
        return facts
    warnings = list(facts.get("warnings", []))
    told = record.get("output")
    wanted = told.get("sha256") if isinstance(told, dict) else None
    if not output.exists() or finished(hash_path(output)) != wanted:
        warnings.append(
            f"{output.name} has changed since its record was written: the hashes do not agree, so the "
            "record may not tell where it comes from."
        )
    return {**facts, "provenance": _shown(record), "warnings": warnings}


def _shown(record: dict[str, Any] | None) -> dict[str, Any]:
    return {k: v for k, v in (record or {}).items() if k not in ("format", "kind", "path")}


def _format(path: Path) -> str:
    with path.open("rb") as stream:
        return "TIFF" if stream.read(2) in (b"II", b"MM") else "EM"


def _levels(folder: Path) -> dict[str, Any]:
    """Return version and resolutions of an OME-Zarr image."""
    from napari_voxuda.io.ome_zarr import open_ome_zarr

    image = open_ome_zarr(folder)
    return {
        "version": image.version or None,
        "is_label": image.is_label,
        "levels": [
            {
                "shape": list(level.data.shape),
                "voxel_size_angstrom": level.grid.voxel_size_angstrom
                and list(level.grid.voxel_size_angstrom),
                "chunks": list(level.data.chunks),
            }
            for level in image.levels
        ],
    }


def _model(path: Path) -> dict[str, Any]:
    from napari_voxuda.networks.checkpoint import read_tensors

    tensors, metadata = read_tensors(path)
    return {
        "weights": sum(tensor.numel() for tensor in tensors.values()),
        "step": metadata.get("step"),
        "model": metadata.get("model"),
    }


def _table(path: Path) -> dict[str, Any]:
    """Return what is known of points in voxels."""
    if path.suffix.lower() == ".ndjson":
        from napari_voxuda.io.ndjson import count_ndjson_points

        count, words = count_ndjson_points(path), "voxels (CryoET Data Portal)"
    else:
        from napari_voxuda.io.table import read_csv_picks

        everywhere = 1 << 30
        count = len(read_csv_picks(path, shape=(everywhere, everywhere, everywhere)))
        words = "voxels (table)"
    return {"kind": "picks", "path": str(path), "count": count, "coordinates": words}


def _copick_picks(path: Path) -> dict[str, Any]:
    """Return what is known of picks of copick; other JSON files are told as just that."""
    from napari_voxuda.io._json_files import read_json_object

    content = read_json_object(path)
    points = content.get("points")
    if "pickable_object_name" not in content or not isinstance(points, list):
        return {"kind": "file", "path": str(path)}
    return {
        "kind": "picks",
        "path": str(path),
        "count": len(points),
        "coordinates": "Å from the first voxel (copick)",
        "object": str(content["pickable_object_name"]),
        "user": str(content.get("user_id")),
        "session": str(content.get("session_id")),
        "tomograms": [str(content.get("run_name"))],
    }


def _project(path: Path) -> dict[str, Any]:
    """Return what is known of a copick project."""
    from napari_voxuda.io.copick import read_copick_project

    project = read_copick_project(path)
    if not os.path.isdir(project.overlay) and project.static is None:
        raise InputError(f"{path}: the folder of the project, {project.overlay}, does not exist.")
    return {
        "kind": "project",
        "path": str(path),
        "name": project.name,
        "objects": [{"name": n, "label": label} for n, label in project.objects.items()],
        "runs": project.runs(),
        "tomograms": [
            {
                "run": t.run,
                "voxel_size_angstrom": t.voxel_size_angstrom,
                "type": t.kind,
                "path": str(t.path),
            }
            for t in project.tomograms()
        ],
    }
