"""Simulate labelled subtomograms into a new folder."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_voxuda import __version__
from napari_voxuda._params import to_dict
from napari_voxuda._types import Progress, Task
from napari_voxuda.app.fetch import fetch_task
from napari_voxuda.app.jobs import SimulateJob
from napari_voxuda.app.provenance import sign, trace
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError, OutputError
from napari_voxuda.io.atomic import atomic_folder, atomic_path
from napari_voxuda.io.mrc import write_mask, write_mrc
from napari_voxuda.io.provenance import check_sidecar_place

if TYPE_CHECKING:
    import torch

__all__ = ["simulate_task"]

_BATCH = 8
_NAMES = {"phantom": "phantom", "structures": "structure", "pdb": "structure", "maps": "map"}


def simulate_task(job: SimulateJob) -> Task[Path]:
    """Simulate ``NAME.mrc`` and ``NAME_mask.mrc`` pairs and a ``source.json``.

    Everything is written into a hidden folder beside `job.out`, which gets its name when all is
    done; after a failure or a cancel nothing is left.

    Parameters
    ----------
    job : SimulateJob
        The source, the folder and the seed.

    Yields
    ------
    Event
        `Progress` in subtomograms; before, what is fetched from the Protein Data Bank.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    InputError
        When the source cannot be used, or is itself a folder of subtomograms.
    DownloadError
        When a structure cannot be fetched.
    OutputError
        When the folder exists and is not empty, or cannot be written.
    """
    out = Path(job.out).expanduser().absolute()
    _check_new(out)
    if job.source.kind == "folder":
        raise InputError(
            f"simulate: molecules were wanted as a source, got the folder {job.source.files[0]}, "
            "whose subtomograms are simulated already."
        )
    yield from fetch_task(job.source)
    files = job.source.files if job.source.kind in ("structures", "maps") else ()
    provenance = yield from trace(
        "simulate",
        inputs={f"source {n}": Path(file) for n, file in enumerate(files, 1)},
        settings=to_dict(job.source),
        seed=job.seed,
    )
    with atomic_folder(out) as part:
        yield from _write_all(job, part)
    sign(out, "subtomograms", provenance)
    return out


def _check_new(out: Path) -> None:
    check_sidecar_place(out)
    if not out.parent.is_dir():
        raise OutputError(f"{out}: the folder {out.parent} does not exist; make it first.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputError(f"{out}: a new folder was wanted, but it exists; choose another name.")


def _write_all(job: SimulateJob, folder: Path) -> Task[None]:
    """Draw batch after batch and write its pairs, and the record at the end."""
    import torch

    from napari_voxuda.simulation.source import make_source

    settings = job.source
    yield Progress(stage="Simulating", done=0, total=settings.count)
    source = make_source(settings)
    generator = torch.Generator().manual_seed(job.seed)
    grid = Grid().with_voxel_size(settings.voxel_size_angstrom)
    boxes: list[dict[str, Any]] = []
    while len(boxes) < settings.count:
        batch = source.draw(min(_BATCH, settings.count - len(boxes)), generator)
        for image, mask, snr in zip(batch.images, batch.masks, batch.snr, strict=True):
            name = f"{_NAMES[settings.kind]}_{len(boxes) + 1:06d}"
            _write_pair(folder, name, image, mask, grid)
            boxes.append(
                {"name": name, "snr": float(snr), "foreground": float(mask.float().mean())}
            )
        yield Progress(stage="Simulating", done=len(boxes), total=settings.count)
    record = {
        "program": f"napari-voxuda {__version__}",
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "numpy", "scipy")},
        },
        "seed": job.seed,
        "source": source.description,
        "boxes": boxes,
    }
    with atomic_path(folder / "source.json") as path:
        path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _write_pair(
    folder: Path, name: str, image: torch.Tensor, mask: torch.Tensor, grid: Grid
) -> None:
    label = "simulated subtomogram"
    write_mrc(folder / f"{name}.mrc", Volume(data=image.numpy(), grid=grid), label=label)
    write_mask(folder / f"{name}_mask.mrc", Volume(data=mask.numpy().astype(np.uint8), grid=grid))
