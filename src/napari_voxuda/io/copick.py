"""Read copick projects from their plain files, and name what belongs in them.

A project is a JSON file that names an overlay folder, to which is written, and maybe a static one,
which is only read. Both are laid out alike::

    ExperimentRuns/RUN/VoxelSpacing10.000/TYPE.zarr
    ExperimentRuns/RUN/Picks/USER_SESSION_OBJECT.json
    ExperimentRuns/RUN/Segmentations/10.000_USER_SESSION_OBJECT[-multilabel].zarr

Only folders on this machine are read. The package copick is not needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from napari_voxuda.data.volume import Grid
from napari_voxuda.errors import FileFormatError, InputError
from napari_voxuda.io._json_files import is_path, read_json_object
from napari_voxuda.io.names import child, copick_name

__all__ = [
    "CopickOwner",
    "CopickProject",
    "CopickTomogram",
    "copick_voxel_size",
    "is_copick_project",
    "picks_name",
    "read_copick_project",
    "run_of",
    "segmentation_name",
]

_RUNS = "ExperimentRuns"
_SPACING = re.compile(r"VoxelSpacing(\d+(?:\.\d+)?)")
_MOST_CONFIG_BYTES = 1 << 24
_CUBE = 0.01


@dataclass(frozen=True, kw_only=True)
class CopickOwner:
    """Whose picks and segmentations they are.

    Parameters
    ----------
    user, session, object_name : str
        Made fit for copick: underscores and spaces become dashes.
    """

    user: str = "voxuda"
    session: str = "1"
    object_name: str = "particle"

    def __post_init__(self) -> None:
        for field in ("user", "session", "object_name"):
            plain = copick_name(getattr(self, field), what=f"copick {field.replace('_', ' ')}")
            object.__setattr__(self, field, plain)


@dataclass(frozen=True, kw_only=True)
class CopickTomogram:
    """A tomogram of a project.

    Parameters
    ----------
    run : str
        Name of its run.
    voxel_size_angstrom : float
        From the folder's name.
    kind : str
        The type of the tomogram, for example ``"wbp"``.
    path : pathlib.Path
        Its zarr folder.
    """

    run: str
    voxel_size_angstrom: float
    kind: str
    path: Path


@dataclass(frozen=True, kw_only=True)
class CopickProject:
    """What the JSON file of a project says.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    name : str
        Name of the project.
    overlay : pathlib.Path
        The folder that is written to.
    static : pathlib.Path or None
        The folder that is only read.
    objects : dict of int
        Label by name of object.
    user, session : str or None
        Whose work it is, where the file says so.
    """

    path: Path
    name: str
    overlay: Path
    static: Path | None
    objects: dict[str, int]
    user: str | None
    session: str | None

    def runs(self) -> list[str]:
        """Return the names of the runs."""
        found = {run.name for root in self._roots() for run in _folders(root / _RUNS)}
        return sorted(found)

    def tomograms(self) -> list[CopickTomogram]:
        """Return the tomograms of all runs; where both folders have one, that of the overlay."""
        found: dict[tuple[str, float, str], CopickTomogram] = {}
        for root in self._roots():
            for tomogram in _tomograms(root):
                key = (tomogram.run, tomogram.voxel_size_angstrom, tomogram.kind)
                found[key] = tomogram
        return [found[key] for key in sorted(found)]

    def picks_path(self, run: str, owner: CopickOwner) -> Path:
        """Return where picks of a run are written.

        Raises
        ------
        OutputError
            When the name of the run is no plain one.
        """
        return child(self.overlay, _RUNS, run, "Picks", picks_name(owner))

    def segmentation_path(
        self, run: str, owner: CopickOwner, voxel_size_angstrom: float, *, multilabel: bool = False
    ) -> Path:
        """Return where a segmentation of a run is written.

        Raises
        ------
        OutputError
            When the name of the run is no plain one.
        """
        name = segmentation_name(owner, voxel_size_angstrom, multilabel=multilabel)
        return child(self.overlay, _RUNS, run, "Segmentations", name)

    def _roots(self) -> list[Path]:
        return [self.overlay] if self.static is None else [self.static, self.overlay]


def is_copick_project(path: Path) -> bool:
    """Whether a file is the JSON file of a copick project."""
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    try:
        content = read_json_object(path, _MOST_CONFIG_BYTES)
    except InputError:
        return False
    return "pickable_objects" in content and ("overlay_root" in content or "config_type" in content)


def read_copick_project(path: str | Path) -> CopickProject:
    """Read the JSON file of a project.

    Parameters
    ----------
    path : str or pathlib.Path
        The file; folders that it names without a leading slash are looked for beside it.

    Raises
    ------
    InputError
        When there is no such file, or the project is not on this machine.
    FileFormatError
        When it is no such file.
    """
    path = Path(path).expanduser()
    content = read_json_object(path, _MOST_CONFIG_BYTES)
    kind = content.get("config_type", "filesystem")
    overlay = content.get("overlay_root")
    if not isinstance(overlay, str) or not isinstance(content.get("pickable_objects"), list):
        raise FileFormatError(f"{path}: the JSON file of a copick project was wanted.")
    if kind != "filesystem":
        raise InputError(
            f"{path}: a copick project of the type filesystem was wanted, got {str(kind)[:40]!r}; "
            "download it first."
        )
    static = content.get("static_root")
    return CopickProject(
        path=path,
        name=str(content.get("name") or path.stem),
        overlay=_local(overlay, path),
        static=None if static is None else _local(str(static), path),
        objects=_objects(content["pickable_objects"]),
        user=_text(content.get("user_id")),
        session=_text(content.get("session_id")),
    )


def picks_name(owner: CopickOwner) -> str:
    """Return the name of a file of picks."""
    return f"{owner.user}_{owner.session}_{owner.object_name}.json"


def segmentation_name(
    owner: CopickOwner, voxel_size_angstrom: float, *, multilabel: bool = False
) -> str:
    """Return the name of the folder of a segmentation."""
    suffix = "-multilabel" if multilabel else ""
    size = f"{voxel_size_angstrom:.3f}"
    return f"{size}_{owner.user}_{owner.session}_{owner.object_name}{suffix}.zarr"


def copick_voxel_size(grid: Grid, name: str) -> float:
    """Return the edge of a voxel in Å, which copick has one of.

    Raises
    ------
    InputError
        When it is unknown, or the voxels are no cubes.
    """
    size = grid.voxel_size_angstrom
    if size is None:
        raise InputError(f"{name}: copick needs the voxel size, which is unknown; set it in Å.")
    if max(size) / min(size) - 1 > _CUBE:
        raise InputError(
            f"{name}: copick keeps cubic voxels, but these measure {size} Å (z, y, x)."
        )
    return sum(size) / 3


def run_of(tomogram: Path) -> str | None:
    """Return the run that a tomogram lies in, where it lies in a project."""
    parts = tomogram.absolute().parts
    if len(parts) > 4 and _SPACING.fullmatch(parts[-2]) and parts[-4] == _RUNS:
        return parts[-3]
    return None


def _local(root: str, path: Path) -> Path:
    """Return a folder that a project names, refusing those on other machines."""
    scheme = root.partition("://")[0] if "://" in root else ""
    if scheme in ("local", "file"):
        root = unquote(urlsplit(root).path) if scheme == "file" else root.partition("://")[2]
    elif scheme:
        raise InputError(
            f"{path}: a project on this machine was wanted, got {scheme[:20]}://…; download it first."
        )
    if not is_path(root):
        raise FileFormatError(f"{path}: the name of a folder was wanted, got {root[:60]!r}.")
    return (path.absolute().parent / Path(root).expanduser()).absolute()


def _objects(entries: list[Any]) -> dict[str, int]:
    found = {}
    for entry in entries:
        if isinstance(entry, dict) and isinstance(entry.get("name"), str):
            label = entry.get("label")
            found[entry["name"]] = label if isinstance(label, int) else 1
    return found


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _folders(folder: Path) -> Iterator[Path]:
    """Yield the folders in a folder, in the order of their names, without hidden ones."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    yield from (e for e in entries if e.is_dir() and not e.name.startswith("."))


def _tomograms(root: Path) -> Iterator[CopickTomogram]:
    for run in _folders(root / _RUNS):
        for spacing in _folders(run):
            size = _SPACING.fullmatch(spacing.name)
            if size is None:
                continue
            for place in _folders(spacing):
                kind = place.name.removesuffix(".zarr")
                if kind != place.name and not kind.endswith("_features"):
                    yield CopickTomogram(
                        run=run.name,
                        voxel_size_angstrom=float(size[1]),
                        kind=kind,
                        path=place,
                    )
