"""The runs that are known on this machine, each in a few words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from napari_voxuda.adaptation.run_lock import is_being_written
from napari_voxuda.adaptation.run_scores import RunScores, read_scores
from napari_voxuda.adaptation.settings import PRESETS
from napari_voxuda.app.runs.history import last_step
from napari_voxuda.app.runs.places import has_model, runs_folder
from napari_voxuda.app.words import names_words
from napari_voxuda.errors import VoxUDAError
from napari_voxuda.io.atomic import atomic_path

__all__ = [
    "RunState",
    "RunSummary",
    "known_folders",
    "list_runs",
    "remember_folder",
    "run_state",
    "summarise",
]

RunState = Literal["finished", "unfinished", "running", "damaged"]

_RECORD = "run.json"
_KNOWN = "known_runs.json"
_MOST_KNOWN = 200
_MOST_CHANGES = 9
_STAMP = re.compile(r"-\d{8}-\d{6}(-\d+)?$")
_STATES: dict[str, str] = {"finished": "finished", "running": "running", "damaged": "damaged"}


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """A run in a few words.

    Parameters
    ----------
    path : Path
        Its folder.
    state : {"finished", "unfinished", "running", "damaged"}
        ``"running"`` is being written by some process.
    step, steps : int
        Steps done and in all; 0 where that is not known.
    created : datetime or None
        When it began, in local time.
    target, preset : str
        What it adapts to, and with which settings.
    scores : RunScores
        How good it is, where that is known.
    problem : str
        What is wrong with a damaged run.
    """

    path: Path
    state: RunState
    step: int = 0
    steps: int = 0
    created: datetime | None = None
    target: str = ""
    preset: str = ""
    scores: RunScores = field(default_factory=RunScores)
    problem: str = ""

    @property
    def name_words(self) -> str:
        """Name of the folder without the time that is part of it, and when the run began below."""
        name = _STAMP.sub("", self.path.name) or self.path.name
        return name if self.created is None else f"{name}\n{self.created:%d %b %H:%M}"

    @property
    def state_words(self) -> str:
        """State and step, for example ``"step 120 of 600"``."""
        if self.state == "unfinished":
            return f"step {self.step} of {self.steps}"
        if self.state == "running":
            return f"running, {self.step} of {self.steps}"
        return _STATES[self.state]

    @property
    def score_words(self) -> str:
        """The newest Dice score against a truth, else the expected one with a sign; empty without."""
        if self.scores.comparisons:
            return f"{self.scores.comparisons[-1].dice:.2f}"
        expected = self.scores.expected_dice
        return "" if expected is None else f"≈ {expected:.2f}"

    @property
    def details(self) -> list[tuple[str, str]]:
        """Everything as pairs of a name and words."""
        facts = [("State", self.state_words)]
        if self.target:
            facts.append(("Target", self.target))
        if self.preset:
            facts.append(("Settings", self.preset))
        if self.created is not None:
            facts.append(("Began", f"{self.created:%Y-%m-%d %H:%M}"))
        for found in self.scores.comparisons[-1:]:
            facts.append(("Dice", f"{found.dice:.3f} against {found.truth} (IoU {found.iou:.3f})"))
        if self.scores.expected_dice is not None:
            words = f"{self.scores.expected_dice:.2f} by the network's own probabilities"
            facts.append(("Expected Dice", words))
        if self.problem:
            facts.append(("Problem", self.problem))
        return [*facts, ("Folder", str(self.path))]


def summarise(run: Path) -> RunSummary:
    """Return a run folder in a few words; never raises for what is in it."""
    from napari_voxuda.adaptation.run_folder import read_record

    try:
        record = read_record(run)
    except (VoxUDAError, OSError) as error:
        return RunSummary(path=run, state="damaged", problem=str(error))
    settings = _part(record, "settings")
    return RunSummary(
        path=run,
        state=run_state(run),
        step=last_step(run),
        steps=_whole(settings.get("steps")),
        created=_local_time(record.get("created")),
        target=_target_words(record),
        preset=_preset_words(settings),
        scores=read_scores(run),
    )


def run_state(run: Path) -> RunState:
    """Return the state of a folder that has a record."""
    if is_being_written(run):
        return "running"
    return "finished" if has_model(run) else "unfinished"


def list_runs(folders: Iterable[Path]) -> list[RunSummary]:
    """Return the runs in `folders`, the newest first.

    Parameters
    ----------
    folders : iterable of Path
        Run folders, and folders that hold run folders. Those that are gone are passed over.
    """
    paths: dict[Path, None] = {}
    for folder in folders:
        for run in [folder] if (folder / _RECORD).is_file() else _runs_in(folder):
            paths.setdefault(run.absolute())
    found = [summarise(run) for run in paths]
    return sorted(found, key=_age, reverse=True)


def known_folders() -> list[Path]:
    """Return the folder of new runs and those that the user has chosen."""
    kept = _read_known(runs_folder() / _KNOWN)
    return [runs_folder(), *kept]


def remember_folder(folder: Path) -> None:
    """Keep a run, or a folder of runs, in the list; what lies in the folder of new runs is known.

    Raises
    ------
    OutputError
        When the list cannot be written.
    """
    folder, home = folder.expanduser().absolute(), runs_folder().absolute()
    if home in (folder, folder.parent):
        return
    kept = [path for path in _read_known(home / _KNOWN) if path != folder]
    home.mkdir(parents=True, exist_ok=True)
    with atomic_path(home / _KNOWN) as temporary:
        names = [str(path) for path in [*kept, folder][-_MOST_KNOWN:]]
        temporary.write_text(json.dumps({"folders": names}, indent=2) + "\n", encoding="utf-8")


def _read_known(file: Path) -> list[Path]:
    try:
        names = json.loads(file.read_text(encoding="utf-8"))["folders"]
        return [Path(name) for name in names if isinstance(name, str)]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []


def _runs_in(folder: Path) -> list[Path]:
    try:
        return [entry for entry in folder.iterdir() if (entry / _RECORD).is_file()]
    except OSError:
        return []


def _age(run: RunSummary) -> tuple[float, str]:
    return 0.0 if run.created is None else run.created.timestamp(), run.path.name


def _part(record: dict[str, Any], name: str) -> dict[str, Any]:
    value = record.get(name)
    return value if isinstance(value, dict) else {}


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _local_time(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone()
    except (TypeError, ValueError):
        return None


def _target_words(record: dict[str, Any]) -> str:
    """Return the name of the target's file, or of the layer."""
    target = _part(record, "target")
    if isinstance(path := target.get("path"), str):
        return Path(path).name
    if isinstance(parts := target.get("tomograms"), list):
        return names_words([str(part.get("name")) for part in parts if isinstance(part, dict)])
    inputs = _part(record, "provenance").get("inputs")
    for entry in inputs if isinstance(inputs, list) else []:
        if isinstance(entry, dict) and isinstance(name := entry.get("name"), str):
            return name
    return ""


def _preset_words(settings: dict[str, Any]) -> str:
    """Return the preset that the settings are, or are nearest to."""
    from napari_voxuda._params import to_dict

    changes: dict[str, list[str]] = {}
    for name, preset in PRESETS.items():
        wanted = json.loads(json.dumps(to_dict(preset)))
        changes[name] = [key for key, value in wanted.items() if settings.get(key) != value]
    nearest = min(changes, key=lambda name: len(changes[name]))
    if not changes[nearest]:
        return nearest
    if len(changes[nearest]) > _MOST_CHANGES:
        return "own settings"
    return f"{nearest}, changed: {', '.join(changes[nearest]).replace('_', ' ')}"
