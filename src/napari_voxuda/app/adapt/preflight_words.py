"""What should be looked at before a run starts, in words."""

from __future__ import annotations

from collections.abc import Sequence

from napari_voxuda.app.adapt.preflight_report import Preflight, size_words
from napari_voxuda.app.runs.places import is_run
from napari_voxuda.app.words import time_words
from napari_voxuda.data.volume import Volume

__all__ = ["doubts"]

_TIGHT = 0.8
_LONG_SECONDS = 12 * 3600
_FEW_BOXES = 8
_FEW_PICKS = 10
_FEW_SUBTOMOGRAMS = 10


def doubts(report: Preflight, volumes: Sequence[Volume], picks: int | None) -> list[str]:
    """Return sentences on what may go wrong and what to change.

    Parameters
    ----------
    report : Preflight
        Without its warnings.
    volumes : sequence of Volume
        The tomograms, or the subtomograms.
    picks : int or None
        How many picks there are; None without.
    """
    found = [*_memory_doubts(report), *_size_doubts(report, volumes)]
    if picks is not None and picks < _FEW_PICKS:
        found.append(
            f"There are only {picks} picks, so the boxes look much alike. Add picks, or choose none."
        )
    if report.seconds > _LONG_SECONDS:
        found.append(
            f"The run takes about {time_words(report.seconds)}. For a first look choose the preset "
            "“fast”, or a GPU."
        )
    if report.disk_bytes > report.free_disk_bytes:
        found.append(
            f"The run folder will take about {size_words(report.disk_bytes)}, but only "
            f"{size_words(report.free_disk_bytes)} are free there. Choose another place."
        )
    if is_run(report.out):
        found.append(f"{report.out} already holds a run. Choose another run folder, or Resume.")
    elif report.out.is_dir() and any(report.out.iterdir()):
        found.append(f"{report.out} is not empty. Choose a new folder.")
    return found


def _memory_doubts(report: Preflight) -> list[str]:
    needed, available = report.needed_bytes, report.available_bytes
    if needed is None or available is None or needed < _TIGHT * available:
        return []
    advice = "Choose a smaller batch or box under the settings, or close other programs."
    sizes = f"about {size_words(needed)} of memory, and {size_words(available)} are free"
    if needed > available:
        return [f"The run will not fit: it needs {sizes}. {advice}"]
    return [f"The run will fit only just: it needs {sizes}. {advice}"]


def _size_doubts(report: Preflight, volumes: Sequence[Volume]) -> list[str]:
    if not report.starts:
        if len(volumes) < _FEW_SUBTOMOGRAMS:
            return [
                f"There are only {len(volumes)} subtomograms to adapt to. Add more, or adapt to their "
                "tomogram."
            ]
        return []
    box = report.box
    for volume in volumes:
        thin = [name for name, n in zip("zyx", volume.shape, strict=True) if n < box]
        if thin:
            which = "The tomogram" if len(volumes) == 1 else f"The tomogram {volume.name}"
            return [
                f"{which} is thinner than a box of {box} voxels along {' and '.join(thin)}; boxes are "
                "mirrored there. Choose a smaller box under “Simulation settings”."
            ]
    count = sum(volume.data.size for volume in volumes) / box**3
    if count < _FEW_BOXES:
        what = "tomogram is" if len(volumes) == 1 else "tomograms are"
        where, advice = ("it", "a larger one") if len(volumes) == 1 else ("them", "larger ones")
        return [
            f"The {what} small: about {count:.0f} boxes of {box}³ voxels lie in {where} side by side. "
            f"Adapt to {advice}, or choose a smaller box."
        ]
    return []
