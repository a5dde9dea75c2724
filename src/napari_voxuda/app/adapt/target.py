"""What a run adapts to: one tomogram, several, or a folder, opened and checked."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_voxuda._types import Contrast, Event, Message
from napari_voxuda.app.jobs import ContrastChoice, TargetChoice
from napari_voxuda.data.picks import Picks
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError
from napari_voxuda.io.zarr_folder import is_zarr_folder

if TYPE_CHECKING:
    from napari_voxuda.data.contrast import ContrastGuess
    from napari_voxuda.data.targets import Target

__all__ = [
    "check_voxel_sizes",
    "contrast_of",
    "expanded",
    "holds_subtomograms",
    "load_volumes",
    "make_target",
    "picks_of",
    "voxel_size_of",
]

_SAME_VOXELS = 0.01


def expanded(target: TargetChoice) -> TargetChoice:
    """Return a target in which a folder of tomograms is their files, and one of several is that one.

    Raises
    ------
    InputError
        When there is none, one is there twice, or a folder of subtomograms is among several.
    """
    from napari_voxuda.io.folders import find_tomograms

    if isinstance(target, Path) and _is_folder(target):
        target = tuple(find_tomograms(target)) or target
    if not isinstance(target, tuple):
        return target
    if len(target) == 1:
        return expanded(target[0])
    if not target:
        raise InputError("target: at least one tomogram was wanted, got none.")
    seen: set[Path] = set()
    for path in (part for part in target if isinstance(part, Path)):
        if _is_folder(path):
            raise InputError(
                f"{path}: several targets must be tomograms, but this is a folder. Give its files, or the "
                "folder alone."
            )
        if path.resolve() in seen:
            raise InputError(f"{path}: the target was given twice; leave one out.")
        seen.add(path.resolve())
    return target


def holds_subtomograms(target: TargetChoice) -> bool:
    """Whether an `expanded` target is a folder of subtomograms."""
    return isinstance(target, Path) and _is_folder(target)


def load_volumes(target: TargetChoice, level: int = 0) -> list[Volume]:
    """Return the tomograms, or the subtomograms of a folder in memory.

    Raises
    ------
    InputError
        When a file cannot be read or a folder holds none.
    """
    from napari_voxuda.io.folders import find_subtomograms
    from napari_voxuda.io.mrc import read_mrc
    from napari_voxuda.io.volumes import read_volume

    if isinstance(target, tuple):
        return [volume for part in target for volume in load_volumes(part, level)]
    if isinstance(target, Volume):
        return [target]
    if _is_folder(target):
        # In memory: a thousand memory maps would use up the file descriptors.
        found = (read_mrc(path) for path in find_subtomograms(target))
        return [replace(v, data=np.array(v.data, dtype=np.float32)) for v in found]
    return [read_volume(target, level=level)]


def voxel_size_of(volumes: Sequence[Volume], given: float | None) -> float:
    """Return the voxel size in Å: as given, or that of the headers.

    Raises
    ------
    InputError
        When it is not known.
    """
    if given is not None:
        return given
    for volume in volumes:
        if volume.grid.voxel_size_angstrom is None:
            raise InputError(
                f"{volume.path or volume.name}: the header does not tell the voxel size, which "
                "the simulated source must match. Give it in Å (--voxel-size)."
            )
    size = volumes[0].grid.voxel_size_angstrom
    return sum(size) / 3 if size else 0.0


def check_voxel_sizes(volumes: Sequence[Volume]) -> None:
    """Make sure that tomograms have one voxel size, as far as their headers tell.

    Raises
    ------
    InputError
        When one differs from the first by more than 1 %; the message says which.
    """
    known = [volume for volume in volumes if volume.grid.voxel_size_angstrom is not None]
    for volume in known[1:]:
        size, wanted = volume.grid.voxel_size_angstrom, known[0].grid.voxel_size_angstrom
        pairs = zip(size or (), wanted or (), strict=True)
        if any(abs(edge - other) > _SAME_VOXELS * other for edge, other in pairs):
            first = known[0].path or known[0].name
            raise InputError(
                f"{volume.path or volume.name}: the voxel size {_edges(wanted)} Å of {first} was wanted, "
                f"got {_edges(size)} Å. The tomograms of a run need one voxel size; bin this one alike, or "
                "leave it out."
            )


def contrast_of(
    volumes: Sequence[Volume], wanted: ContrastChoice, *, together: bool
) -> Generator[Event, None, Contrast]:
    """Return the contrast as it is wanted or detected.

    Parameters
    ----------
    volumes : sequence of Volume
        Tomograms or subtomograms.
    wanted : {"auto", "bright", "dark"}
        The user's choice.
    together : bool
        Whether the volumes are looked at together, as subtomograms are, or one by one.

    Yields
    ------
    Message
        What was detected, and why.

    Raises
    ------
    InputError
        When tomograms differ in it beyond doubt.
    """
    if wanted != "auto":
        return wanted
    from napari_voxuda.data.contrast import detect_contrast

    if together:
        guess = detect_contrast(volumes)
    else:
        guess = _surest([(volume, detect_contrast(volume)) for volume in volumes])
    yield Message(
        text=f"Contrast taken as {guess.contrast}. {guess.reason}",
        level="info" if guess.is_sure else "warning",
    )
    return guess.contrast


def _surest(guesses: Sequence[tuple[Volume, ContrastGuess]]) -> ContrastGuess:
    sure = {guess.contrast: volume for volume, guess in guesses if guess.is_sure}
    if len(sure) > 1:
        dark, bright = (sure[kind].path or sure[kind].name for kind in ("dark", "bright"))
        raise InputError(
            f"{dark}: protein looks dark, but in {bright} bright. The tomograms of a run need one "
            "contrast; leave one out, invert it (napari-voxuda denoise --invert), or say which contrast "
            "they have."
        )
    return max((guess for _, guess in guesses), key=lambda guess: guess.confidence)


def picks_of(
    picks: Path | Picks | None, volumes: Sequence[Volume], voxel_size: float
) -> list[Picks | None]:
    """Return the picks of each tomogram in its voxels, read from a file where they are none yet.

    Parameters
    ----------
    picks : Path, Picks or None
        A file or positions; None stays None. Of several tomograms a STAR file that names them.
    volumes : sequence of Volume
        The tomograms.
    voxel_size : float
        Their voxel size in Å.

    Raises
    ------
    InputError
        When the file cannot be used, or does not tell which tomogram its picks belong to.
    """
    if picks is None:
        return [None for _ in volumes]
    if len(volumes) > 1:
        return _named_picks(picks, volumes, voxel_size)
    if isinstance(picks, Picks):
        return [picks]
    from napari_voxuda.io.picks_file import read_picks

    (volume,) = volumes
    return [
        read_picks(
            picks,
            voxel_size_angstrom=voxel_size,
            shape=volume.shape,
            tomogram_name=_star_name(volume),
        )
    ]


def _named_picks(
    picks: Path | Picks, volumes: Sequence[Volume], voxel_size: float
) -> list[Picks | None]:
    from napari_voxuda.io.star import read_star_picks, tomogram_names

    if isinstance(picks, Picks) or picks.suffix.lower() != ".star" or not tomogram_names(picks):
        raise InputError(
            f"{'picks' if isinstance(picks, Picks) else picks}: for several tomograms a STAR file was "
            "wanted that names the tomogram of each pick (rlnTomoName or rlnMicrographName). Give such "
            "a file, or no picks."
        )
    return [
        read_star_picks(
            picks,
            voxel_size_angstrom=voxel_size,
            shape=volume.shape,
            tomogram_name=_star_name(volume),
        )
        for volume in volumes
    ]


def make_target(
    volumes: list[Volume],
    *,
    box: int,
    contrast: Contrast,
    picks: Path | Picks | None,
    voxel_size: float,
    is_folder: bool,
) -> Target:
    """Return what target boxes are drawn from.

    Parameters
    ----------
    volumes : list of Volume
        The tomogram, several tomograms, or the subtomograms of a folder.
    box : int
        Edge of a box in voxels.
    contrast : {"bright", "dark"}
        Contrast of protein.
    picks : Path, Picks or None
        Where boxes are drawn; see `picks_of`.
    voxel_size : float
        Voxel size in Å.
    is_folder : bool
        Whether the volumes are subtomograms.

    Raises
    ------
    InputError
        When the volumes cannot be used, or picks are given with a folder.
    """
    from napari_voxuda.data.targets import SubtomogramTarget, TomogramTarget
    from napari_voxuda.data.tomogram_set import TomogramSet

    if is_folder:
        if picks is not None:
            raise InputError("adapt: picks go with a tomogram, not with a folder of subtomograms.")
        return SubtomogramTarget(volumes, box=box, contrast=contrast)
    check_voxel_sizes(volumes)
    parts = [
        TomogramTarget(volume, box=box, contrast=contrast, picks=its)
        for volume, its in zip(volumes, picks_of(picks, volumes, voxel_size), strict=True)
    ]
    return parts[0] if len(parts) == 1 else TomogramSet(parts)


def _star_name(volume: Volume) -> str:
    from napari_voxuda.io.volumes import volume_stem

    return volume.name if volume.path is None else volume_stem(volume.path)


def _edges(size: tuple[float, ...] | None) -> str:
    found = [f"{edge:.4g}" for edge in size or ()]
    return found[0] if len(set(found)) == 1 else " × ".join(found)


def _is_folder(target: Path) -> bool:
    return target.is_dir() and not is_zarr_folder(target)
