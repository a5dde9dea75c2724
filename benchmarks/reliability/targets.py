"""Take the target away, cut it short or exchange it while a command reads it, then put it back."""

from __future__ import annotations

import gzip
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reliability.forked import run_command
from benchmarks.reliability.jobs import AdaptJob, FileJob, Job, write_tomogram
from benchmarks.reliability.trials import Trial, begun, checked, uninterrupted
from napari_voxuda.data.volume import Volume
from napari_voxuda.io.mrc import read_mrc, write_mrc
from napari_voxuda.io.zarr_image import write_image_zarr

__all__ = ["EVENTS", "TargetFile", "target_trials"]

_MAPPED_ZARR = "zarr on disk"
_BEGINNING = 0.05


@dataclass
class TargetFile:
    """A target in one format, and another one of the same size that can take its place.

    Parameters
    ----------
    kind : str
        Of the file.
    path : pathlib.Path
        Where commands look for it.
    whole, other : pathlib.Path
        Copies of the target and of the other one.
    """

    kind: str
    path: Path
    whole: Path
    other: Path

    def put(self, source: Path) -> None:
        """Put a copy of a file or folder in its place."""
        self.take_away(0)
        shutil.copytree(source, self.path) if source.is_dir() else shutil.copy(source, self.path)

    def take_away(self, _child: int) -> None:
        """Remove it."""
        if self.path.is_dir():
            shutil.rmtree(self.path)
        else:
            self.path.unlink(missing_ok=True)

    def cut_short(self, _child: int) -> None:
        """Cut each of its data files to a third, in place."""
        for path in self._data_files():
            os.truncate(path, path.stat().st_size // 3)

    def exchange(self, _child: int) -> None:
        """Give its name to another file."""
        aside = self.path.with_name("aside")
        shutil.rmtree(aside, ignore_errors=True)
        if self.other.is_dir():
            shutil.copytree(self.other, aside)
            shutil.rmtree(self.path)
        else:
            shutil.copy(self.other, aside)
        os.replace(aside, self.path)

    def write_over(self, _child: int) -> None:
        """Write the values of another one into its files."""
        for path in self._data_files():
            source = self.other / path.relative_to(self.path) if self.path.is_dir() else self.other
            with path.open("rb+") as stream:
                stream.write(source.read_bytes())
                stream.truncate()

    def touch(self, _child: int) -> None:
        """Write its own values again: nothing has changed."""
        for path in self._data_files():
            source = self.whole / path.relative_to(self.path) if self.path.is_dir() else self.whole
            with path.open("rb+") as stream:
                stream.write(source.read_bytes())

    def _data_files(self) -> list[Path]:
        if not self.path.is_dir():
            return [self.path]
        files = (path for path in sorted(self.path.rglob("*")) if path.is_file())
        return [path for path in files if not path.name.startswith(".z") and path.suffix != ".json"]


EVENTS: dict[str, Callable[[TargetFile, int], None]] = {
    "taken away": TargetFile.take_away,
    "cut short": TargetFile.cut_short,
    "exchanged": TargetFile.exchange,
    "written over": TargetFile.write_over,
    "written again": TargetFile.touch,
}


def target_trials(jobs: dict[str, Job], work: Path, numbers: range, seed: int) -> Iterator[Trial]:
    """Do something to the target of commands, look at what they leave, put it back and go on.

    Parameters
    ----------
    jobs : dict of Job
        As `napari_voxuda` runs them; their tomograms are replaced.
    work : pathlib.Path
        Folder for targets and outputs.
    numbers : range
        Of the trials.
    seed : int
        With a trial's number it fixes the moment.
    """
    plans = list(itertools.product(_jobs_on_targets(jobs, work), EVENTS))
    shuffled = np.random.default_rng(seed).permutation(len(plans))
    known: dict[tuple[str, str], _Known] = {}
    for number in numbers:
        (job, target), event = plans[int(shuffled[number % len(plans)])]
        key = (job.name, target.kind)
        if key not in known:
            known[key] = _known(job, target, work)
        moment = float(np.random.default_rng((seed, number)).uniform(_BEGINNING, 1))
        yield _disturbed(job, target, work, (number, event, moment), known[key])


@dataclass
class _Known:
    """What comes out of a target, and of the other one, and how long the command takes."""

    results: list[dict[str, object]]
    seconds: float


def _known(job: Job, target: TargetFile, work: Path) -> _Known:
    results, seconds = [], []
    for source in (target.other, target.whole):
        target.put(source)
        with _environment(target):
            result, taken = uninterrupted(job, work / "whole", work)
        results.append(result)
        seconds.append(taken)
    if isinstance(job, FileJob):
        job.also = results[0]["outputs"]  # type: ignore[assignment]
    return _Known(results, seconds[1])


def _disturbed(
    job: Job, target: TargetFile, work: Path, plan: tuple[int, str, float], known: _Known
) -> Trial:
    """Run a command, disturb it, put the target back, and let it go on."""
    number, event, moment = plan
    folder, log = work / "case", work / "log.txt"
    trial = Trial(number, f"{job.name} of {target.kind}", event)
    target.put(target.whole)
    begun(job, folder)
    with _environment(target):
        meanwhile = (moment * known.seconds, lambda child: EVENTS[event](target, child))
        trial.judge(run_command(job.words(folder), log, meanwhile=meanwhile))
        target.put(target.whole)
        trial.problems += checked(job, folder, log)
        if trial.outcome != "completed" and not trial.problems:
            again = run_command(job.words(folder), log)
            if "other values" in again.said and again.code == _RUN_FOLDER:
                target.put(target.other)  # it had begun with the other target, and says so
                again = run_command(job.words(folder), log)
            if again.code:
                trial.problems.append(f"it did not go on: {again.said.strip()[-400:]}")
    if not trial.problems and job.result(folder) not in known.results:
        trial.problems.append(f"the result is of neither target (moment {moment:.3f})")
    return trial


_RUN_FOLDER = 5


class _environment:
    """While it lasts, zarr targets of this kind are read chunk by chunk, as large ones are."""

    def __init__(self, target: TargetFile) -> None:
        self._on_disk = target.kind == _MAPPED_ZARR

    def __enter__(self) -> None:
        from napari_voxuda.io import ome_zarr

        self._kept = ome_zarr._IN_MEMORY_BYTES
        if self._on_disk:
            ome_zarr._IN_MEMORY_BYTES = 0

    def __exit__(self, *exc_info: object) -> None:
        from napari_voxuda.io import ome_zarr

        ome_zarr._IN_MEMORY_BYTES = self._kept


def _jobs_on_targets(jobs: dict[str, Job], work: Path) -> list[tuple[Job, TargetFile]]:
    """Return each command with each format whose reading differs."""
    found: list[tuple[Job, TargetFile]] = []
    targets = _targets(work / "targets")
    adapt = jobs["adapt"]
    for target in targets.values():
        if isinstance(adapt, AdaptJob):
            found.append((replace(adapt, tomogram=target.path), target))
    for name in ("segment", "denoise"):
        job = jobs.get(name)
        for kind in ("mrc", _MAPPED_ZARR):
            if isinstance(job, FileJob):
                old = str(work / "tomogram.mrc")
                command = [str(targets[kind].path) if w == old else w for w in job.command]
                found.append((replace(job, command=command), targets[kind]))
    return found


def _targets(folder: Path) -> dict[str, TargetFile]:
    """Write a target and another one of the same size in each format."""
    found = {}
    names = {
        "mrc": "t.mrc",
        "mrc.gz": "t.mrc.gz",
        "em": "t.em",
        "zarr": "t.zarr",
        _MAPPED_ZARR: "t.zarr",
        "folder": "folder",
    }
    for kind, name in names.items():
        place = folder / kind.replace(" ", "-")
        for part in ("whole", "other", "used"):
            (place / part).mkdir(parents=True)
        write_tomogram(place / "whole.mrc")
        whole = read_mrc(place / "whole.mrc")
        other = whole.with_data(np.ascontiguousarray(whole.data[::-1, :, ::-1]) + 0.5)
        _write(kind, place / "whole" / name, whole)
        _write(kind, place / "other" / name, other)
        found[kind] = TargetFile(
            kind, place / "used" / name, place / "whole" / name, place / "other" / name
        )
    return found


def _write(kind: str, path: Path, volume: Volume) -> None:
    data: Any = np.asarray(volume.data, dtype="<f4")
    if kind == "em":
        header = bytearray(512)
        header[0], header[3] = 6, 5
        header[4:16] = np.array(data.shape[::-1], "<i4").tobytes()
        path.write_bytes(bytes(header) + data.tobytes())
    elif kind == "mrc.gz":
        write_mrc(path.with_suffix(""), volume)
        path.write_bytes(gzip.compress(path.with_suffix("").read_bytes(), mtime=0))
        path.with_suffix("").unlink()
    elif kind in ("zarr", _MAPPED_ZARR):
        write_image_zarr(path, volume, levels=1)
    elif kind == "folder":
        path.mkdir()
        for number in range(3):
            z = 8 * number
            box = np.ascontiguousarray(data[z : z + 20, 4:24, 6:26])
            write_mrc(path / f"s{number}.mrc", Volume(data=box, grid=volume.grid))
    else:
        write_mrc(path, volume)
