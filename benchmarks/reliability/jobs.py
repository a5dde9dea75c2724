"""The commands that are killed, what may lie in their folders afterwards, and what must come out."""

from __future__ import annotations

import json
import shutil
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reliability.forked import run_command
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.io.mrc import write_mrc
from napari_voxuda.io.provenance import finished, hash_path

__all__ = ["AdaptJob", "FileJob", "Job", "make_jobs", "write_tomogram"]

SMALL = (
    *("--preset", "fast", "--batch", "2", "--network-stem", "2", "--network-body", "4"),
    *("--noise-samples", "2", "--source", "phantom", "--source-variety", "fixed"),
    *("--source-box", "16", "--source-count", "4", "--source-neighbours", "0"),
    *("--contrast", "bright", "--device", "cpu", "--voxel-size", "10"),
)
"""Options of the smallest adaptation that there is."""

_SHAPE = (40, 36, 44)


class Job(ABC):
    """A command that writes into a folder, and can be begun again after it was killed.

    Parameters
    ----------
    name : str
        What the command is called in the table.
    """

    name: str

    @abstractmethod
    def prepare(self, folder: Path) -> None:
        """Put into a new folder what is there before the command."""

    @abstractmethod
    def words(self, folder: Path) -> list[str]:
        """Return the command line that begins, or goes on where a killed one ended."""

    @abstractmethod
    def problems(self, folder: Path) -> list[str]:
        """Return what is wrong with a folder in which the command was killed."""

    @abstractmethod
    def shown(self, folder: Path) -> list[Path]:
        """Return what ``info`` must be able to show by now."""

    @abstractmethod
    def result(self, folder: Path) -> dict[str, Any]:
        """Return what came out, to be compared with what an uninterrupted command gives."""


@dataclass
class AdaptJob(Job):
    """An adaptation, into a run folder."""

    tomogram: Path
    steps: int
    name: str = "adapt"

    def prepare(self, folder: Path) -> None:
        """Leave the folder empty."""

    def words(self, folder: Path) -> list[str]:
        """Go on with the run once it has a record."""
        run = folder / "run"
        if (run / "run.json").exists():
            return ["adapt", "--resume", "--out", str(run), "--device", "cpu"]
        steps = ("--steps", str(self.steps), "--checkpoint-every", "2")
        return ["adapt", "--target", str(self.tomogram), *SMALL, *steps, "--out", str(run)]

    def shown(self, folder: Path) -> list[Path]:
        """Return the run, once it has a record."""
        return [folder / "run"] if (folder / "run" / "run.json").exists() else []

    def problems(self, folder: Path) -> list[str]:
        """Read every file that has its final name, and ask for every step that the log promises."""
        run, found = folder / "run", []
        for path in run.rglob("*.json"):
            json.loads(path.read_text())
        for path in run.rglob("*.safetensors"):
            _step_of(path)
        steps = [_step_of(path) for path in _weights(run)]
        saved = [event["step"] for event in _events(run) if event["event"] == "checkpoint"]
        if saved and max(steps, default=0) < max(saved):
            found.append(
                f"the checkpoint of step {max(saved)} is in the log, but {steps} are there"
            )
        return found

    def result(self, folder: Path) -> dict[str, Any]:
        """Return the hash of each file without times, the losses of each step, and all names."""
        run = folder / "run"
        files = sorted(path for path in run.rglob("*") if path.is_file())
        record = json.loads((run / "model.safetensors.json").read_text())
        steps = {e["step"]: e["losses"] for e in _events(run) if e["event"] == "step"}
        return {
            "files": {
                str(path.relative_to(run)): finished(hash_path(path))
                for path in files
                if path.suffix not in (".json", ".jsonl")
            },
            "recorded": record["output"]["sha256"],
            "losses": [steps[step] for step in sorted(steps)],
            "names": sorted(str(path.relative_to(run)) for path in run.rglob("*")),
        }


@dataclass
class FileJob(Job):
    """A command that replaces older outputs by new ones.

    Parameters
    ----------
    name : str
        The command.
    command : list of str
        Its words; ``{}`` stands for the folder.
    outputs : list of str
        Names in the folder.
    old : Path
        A folder with the older outputs.
    new, also : dict
        Hashes of the new ones by name, once they are known, and of other ones that are right too.
    """

    name: str
    command: list[str]
    outputs: list[str]
    old: Path
    new: dict[str, str] | None = None
    also: dict[str, str] | None = None

    def prepare(self, folder: Path) -> None:
        """Copy the older outputs."""
        shutil.copytree(self.old, folder, dirs_exist_ok=True)

    def words(self, folder: Path) -> list[str]:
        """Return the whole command."""
        return [word.format(folder) for word in self.command]

    def shown(self, folder: Path) -> list[Path]:
        """Return all outputs."""
        return [folder / name for name in self.outputs]

    def problems(self, folder: Path) -> list[str]:
        """Compare each output with the older and the new one: it is either, to the bit."""
        found = []
        for name in self.outputs:
            path = folder / name
            if not path.exists():
                found.append(f"{name} has gone")
                continue
            wanted = {finished(hash_path(self.old / name)), (self.new or {}).get(name)}
            wanted.add((self.also or {}).get(name))
            if finished(hash_path(path)) not in wanted:
                found.append(f"{name} is neither the older nor the new one")
        for path in folder.glob("*.json"):
            json.loads(path.read_text())
        known = {*self.outputs, *(f"{name}.json" for name in self.outputs)}
        names = {path.name for path in folder.iterdir()}
        return found + [f"{n} was not asked for" for n in names - known if not _hidden(n)]

    def result(self, folder: Path) -> dict[str, Any]:
        """Return the hashes of the outputs, those in their records, and the names that are left."""
        hashes = {name: finished(hash_path(folder / name)) for name in self.outputs}
        records = [json.loads((folder / f"{name}.json").read_text()) for name in self.outputs]
        return {
            "outputs": hashes,
            "recorded": [record["output"]["sha256"] for record in records],
            "names": sorted(path.name for path in folder.iterdir()),
        }


def make_jobs(work: Path, steps: int) -> dict[str, Job]:
    """Write a tomogram, a model and older outputs, and return the jobs by name."""
    tomogram, run = work / "tomogram.mrc", work / "model"
    write_tomogram(tomogram)
    adapt = AdaptJob(tomogram, steps)
    _done(adapt.words(run), work)
    jobs: dict[str, Job] = {"adapt": adapt}
    segment = ["segment", str(tomogram), "--model", str(run / "run"), "--out", "{}/mask.mrc"]
    segment += ["--probability", "{}/p.mrc.gz", "--instances", "{}/i.zarr", "--core", "16"]
    segment += ["--picks", "{}/picks.star", "--table", "{}/t.csv", "--device", "cpu", "--overwrite"]
    segment_names = ["mask.mrc", "p.mrc.gz", "i.zarr", "picks.star", "t.csv"]
    denoise = ["denoise", str(tomogram), "{}/denoised.mrc", "--device", "cpu", "--overwrite"]
    export = ["export", str(work / "old-segment" / "i.zarr"), "--out", "{}", "--name", "e"]
    export += ["--format", "mrc", "--format", "zarr", "--format", "csv", "--overwrite"]
    plans = {
        "segment": (segment, segment_names, ["--threshold", "0.3"]),
        "denoise": (denoise, ["denoised.mrc"], ["--method", "ngm"]),
        "export": (export, ["e.mrc", "e.zarr", "e.csv"], ["--particles", "components"]),
    }
    for name, (words, outputs, other) in plans.items():
        old = work / f"old-{name}"
        old.mkdir()
        _done([word.format(old) for word in (*words, *other)], work)
        jobs[name] = FileJob(name, words, outputs, old)
    return jobs


def write_tomogram(path: Path) -> None:
    """Write noise with two bright balls."""
    data = np.random.default_rng(0).normal(size=_SHAPE)
    place = np.indices(_SHAPE)
    for centre in ((12, 10, 12), (28, 24, 30)):
        data += 3 * (np.linalg.norm(place - np.reshape(centre, (3, 1, 1, 1)), axis=0) < 5)
    grid = Grid(voxel_size_angstrom=(10.0,) * 3, origin_angstrom=(5.0, -3.0, 0.0))
    write_mrc(path, Volume(data=data.astype(np.float32), grid=grid))


def _done(words: list[str], work: Path) -> None:
    ended = run_command(words, work / "log.txt")
    if ended.code:
        raise RuntimeError(f"{' '.join(words)}: exit code {ended.code}: {ended.said}")


def _hidden(name: str) -> bool:
    return name.startswith(".")


def _weights(run: Path) -> list[Path]:
    found = sorted((run / "checkpoints").glob("step-*.safetensors"))
    return [*found, *run.glob("model.safetensors")]


def _step_of(path: Path) -> int:
    """Read weights, checksum included, and return their step."""
    from napari_voxuda.networks.checkpoint import read_tensors

    return int(read_tensors(path)[1]["step"])


def _events(run: Path) -> list[dict[str, Any]]:
    """Return the logged events; only the last line may be torn."""
    log = run / "events.jsonl"
    lines = log.read_bytes().split(b"\n") if log.exists() else [b""]
    return [json.loads(line) for line in lines[:-1] if line]
