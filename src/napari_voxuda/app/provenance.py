"""Record where outputs come from: the one way in which all tasks do it.

A task calls `trace` once, when it knows its inputs, and `sign` for each output that it has written.
"""

from __future__ import annotations

import platform
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from napari_voxuda import __version__
from napari_voxuda._types import Event, Progress, Task
from napari_voxuda.data.volume import Volume
from napari_voxuda.io.provenance import (
    Hashing,
    finished,
    hash_files,
    hash_path,
    hash_values,
    write_sidecar,
)

__all__ = ["Provenance", "now", "sign", "trace", "traced_model"]

_PACKAGES = ("numpy", "scipy", "torch", "mrcfile", "gemmi", "connected-components-3d", "zarr")
_STAGE = "Hashing inputs"


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What an output comes from.

    Parameters
    ----------
    task : str
        What was done, for example ``"segment"``.
    started : str
        When, in ISO 8601 and UTC.
    inputs : tuple of dict
        Role, name, SHA-256 and facts of each input.
    settings : dict
        JSON-able settings.
    model : dict or None
        Name and SHA-256 of the weights.
    device, seed : str or None, int or None
        Where it was computed, and the seed of the random numbers.
    """

    task: str
    started: str = field(default_factory=lambda: now())
    inputs: tuple[dict[str, Any], ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    model: Mapping[str, Any] | None = None
    device: str | None = None
    seed: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Provenance:
        """Return what `to_dict` gave; unknown keys are left out, missing ones take defaults."""
        known = {k: values[k] for k in cls.__dataclass_fields__ if k in values}
        inputs = known.get("inputs")
        listed = tuple(inputs) if isinstance(inputs, list | tuple) else ()
        return cls(**{"task": "unknown", **known, "inputs": listed})

    def with_settings(self, **settings: Any) -> Provenance:
        """Return this with more settings, for example those of a step that followed."""
        return replace(self, settings={**self.settings, **settings})


def trace(
    task: str,
    *,
    inputs: Mapping[str, Path | Volume | Sequence[Path] | Sequence[Volume] | None],
    settings: Mapping[str, Any] | None = None,
    model: Path | Mapping[str, Any] | None = None,
    device: str | None = None,
    seed: int | None = None,
) -> Task[Provenance]:
    """Hash the inputs of a task, a block at a time, and return what its outputs come from.

    Parameters
    ----------
    task : str
        What is done.
    inputs : mapping
        By role: a file, a folder, files of one folder, a volume, or several, which are an input each. A
        volume that was read from a file is hashed as that file, another one by its values. None is
        left out.
    settings : mapping or None
        JSON-able settings.
    model : Path, mapping or None
        The file of the weights, or what `traced_model` returned.
    device, seed : str or None, int or None
        Where it is computed, and the seed of the random numbers.

    Yields
    ------
    Progress
        Between blocks, so that it can be cancelled there.

    Raises
    ------
    InputError
        When a file cannot be read.
    """
    started = now()
    found = []
    for role, source in inputs.items():
        for one in _apart(source):
            found.append({"role": role, **(yield from _traced(one))})
    weights = (yield from traced_model(model)) if isinstance(model, Path) else model
    return Provenance(
        task=task,
        started=started,
        inputs=tuple(found),
        settings=dict(settings or {}),
        model=weights,
        device=device,
        seed=seed,
    )


def traced_model(weights: Path) -> Task[dict[str, Any]]:
    """Hash a file of weights and return its entry, for tasks that use it many times."""
    digest = yield from _hashed(hash_path(weights), weights.stat().st_size)
    return {"name": f"{weights.parent.name}/{weights.name}", "sha256": digest}


def sign(output: Path, kind: str, provenance: Provenance) -> Path:
    """Write the sidecar of an output that has just been written, and return its place.

    Parameters
    ----------
    output : Path
        The file or folder.
    kind : str
        What it is, for example ``"mask"``.
    provenance : Provenance
        What it comes from.

    Raises
    ------
    OutputError
        When the sidecar cannot be written.
    """
    return write_sidecar(
        output,
        {
            "output": {"name": output.name, "kind": kind, "sha256": finished(hash_path(output))},
            "program": f"napari-voxuda {__version__}",
            "versions": _versions(),
            **provenance.to_dict(),
            "ended": now(),
        },
    )


def now() -> str:
    """Return the time in ISO 8601 and UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _apart(
    source: Path | Volume | Sequence[Path] | Sequence[Volume] | None,
) -> list[Path | Volume | list[Path]]:
    """Return what is hashed one by one: each of several volumes, but files of one folder together."""
    if source is None:
        return []
    if isinstance(source, Path | Volume):
        return [source]
    files = [part for part in source if isinstance(part, Path)]
    return [files] if files else [part for part in source if isinstance(part, Volume)]


def _traced(source: Path | Volume | Sequence[Path]) -> Task[dict[str, Any]]:
    """Return what identifies one input."""
    if isinstance(source, Volume):
        facts = _facts(source)
        if source.path is not None and source.path.exists():
            return {**(yield from _traced(source.path)), **facts}
        digest = yield from _hashed(hash_values(source.data), source.data.nbytes)
        return {"name": source.name, "values_sha256": digest, **facts}
    if isinstance(source, Path):
        size = source.stat().st_size if source.is_file() else None
        digest = yield from _hashed(hash_path(source), size)
        entry = {"name": source.name, "sha256": digest}
        return entry if size is None else {**entry, "bytes": size}
    files = list(source)
    total = sum(file.stat().st_size for file in files)
    folder = files[0].parent
    digest = yield from _hashed(hash_files(folder, files), total)
    return {"name": folder.name, "files": len(files), "bytes": total, "sha256": digest}


def _facts(volume: Volume) -> dict[str, Any]:
    """Return what the header of a volume says."""
    grid = volume.grid
    return {
        "shape": list(volume.shape),
        "dtype": str(volume.data.dtype),
        "voxel_size_angstrom": grid.voxel_size_angstrom and list(grid.voxel_size_angstrom),
        "origin_angstrom": list(grid.origin_angstrom),
        "nstart": list(grid.nstart),
        "warnings": list(volume.warnings),
    }


def _hashed(hashing: Hashing, total: int | None) -> Generator[Event, None, str]:
    """Run a hashing and tell how far it is, in MiB."""
    try:
        while True:
            done = next(hashing)
            of = done if total is None else max(total, done)
            yield Progress(stage=_STAGE, done=done >> 20, total=of >> 20)
    except StopIteration as stop:
        return str(stop.value)
    finally:
        hashing.close()


def _versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that are installed."""
    found = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
