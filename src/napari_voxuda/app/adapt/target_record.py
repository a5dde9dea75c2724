"""What the record of a run says of its target, and whether a target is still that one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_voxuda.app.jobs import TargetChoice
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import RunFolderError

if TYPE_CHECKING:
    from napari_voxuda.data.targets import Target
    from napari_voxuda.data.tomogram_set import TomogramSet

__all__ = ["recorded_target", "same_target", "target_record"]


def target_record(
    given: TargetChoice, volumes: Sequence[Volume], target: Target, level: int
) -> dict[str, Any]:
    """Return what the record of a run says of its target."""
    facts = target.describe()
    if not isinstance(given, tuple):
        return {"path": _text(_path(given)), "level": level, **facts}
    parts = [
        {"name": volume.name, "path": _text(_path(part)), **its}
        for part, volume, its in zip(given, volumes, facts["tomograms"], strict=True)
    ]
    return {"level": level, **facts, "tomograms": parts}


def recorded_target(recorded: Mapping[str, Any]) -> TargetChoice | None:
    """Return the target that a record names; None where it was no file, or one of them was none."""
    parts = recorded.get("tomograms")
    names = [recorded.get("path")] if parts is None else [part.get("path") for part in parts]
    paths = tuple(Path(name) for name in names if name is not None)
    if len(paths) < len(names):
        return None
    return paths if parts is not None else paths[0]


def _path(target: TargetChoice) -> Path | None:
    """Return the file or folder of one target; None where it has none."""
    return target if isinstance(target, Path) else getattr(target, "path", None)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path.absolute())


def same_target(recorded: Mapping[str, Any], target: Target, out: Path) -> Target:
    """Return the target that is given for a run that goes on, several tomograms in the run's order.

    Parameters
    ----------
    recorded : mapping
        What the run's record says of its target.
    target : Target
        The one that is given.
    out : Path
        The run folder, for the message.

    Raises
    ------
    RunFolderError
        When it is another one than the run began with.
    """
    from napari_voxuda.data.tomogram_set import TomogramSet

    if isinstance(target, TomogramSet) and recorded.get("kind") == "tomograms":
        return _in_order(recorded["tomograms"], target, out)
    for key, value in target.describe().items():
        if key == "checksum" and recorded.get(key) in (None, value):
            continue  # runs of version 0.1 recorded none
        if recorded.get(key) != value:
            told = f"{key} {recorded.get(key)}, but the one given has {value}"
            if key == "checksum":
                told = "other values than the one given, although their number is the same"
            raise RunFolderError(
                f"{out}: the run's target has {told}. Give the target that the run began with, or "
                "start a new run."
            )
    return target


def _in_order(recorded: Sequence[Mapping[str, Any]], target: TomogramSet, out: Path) -> TomogramSet:
    from napari_voxuda.data.tomogram_set import TomogramSet

    left = list(target.parts)
    if len(left) != len(recorded):
        names = ", ".join(str(part["name"]) for part in recorded)
        raise RunFolderError(
            f"{out}: the run adapts to {len(recorded)} tomograms ({names}), but {len(left)} were given. "
            "Give those that the run began with, or start a new run."
        )
    ordered = []
    for part in recorded:
        facts = ("shape", "checksum", "picks")
        found = [it for it in left if all(it.describe()[key] == part[key] for key in facts)]
        if not found:
            raise RunFolderError(
                f"{out}: the run's tomogram {part['path'] or part['name']} has other values or other picks "
                "than any of those given. Put it back as it was when the run began, or start a new run."
            )
        ordered.append(found[0])
        left.remove(found[0])
    return TomogramSet(ordered)
