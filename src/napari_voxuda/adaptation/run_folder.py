"""The folder of a run: its record, event log, checkpoints, model, and lock.

``run.json``          what was asked: settings, seed, source, target, versions; and where memory ran
                      out, with what the run went on
``events.jsonl``      one JSON object a line, appended
``checkpoints/``      the newest full states; the one being written is never the only one
``snapshots/``        the segmenting network at some twenty steps; see `snapshots`
``model.safetensors`` the adapted network, once the run has finished
``source-…mrc``       tomogram and labels that the source is cut from, where it is such a pair
``lock``              held by the process that writes; freed by the system when that dies

Nothing in it is overwritten by another run, and no folder is ever deleted.
"""

from __future__ import annotations

import dataclasses
import json
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from filelock import BaseFileLock, FileLock, Timeout
from torch import Tensor

from napari_voxuda._types import Event, Message
from napari_voxuda.adaptation.events import Alarm, CheckpointSaved, StepDone
from napari_voxuda.adaptation.snapshots import SNAPSHOTS
from napari_voxuda.errors import (
    FileFormatError,
    OutputError,
    RunBusyError,
    RunFolderError,
    one_line,
)
from napari_voxuda.io._json_files import parsed, read_json_object
from napari_voxuda.io.atomic import atomic_path, remove_parts, space_words
from napari_voxuda.networks.checkpoint import (
    CHECKPOINTS,
    MODEL_FILE,
    checkpoints,
    latest_checkpoint,
    write_tensors,
)

__all__ = ["RECORD_FILE", "RunFolder", "read_events", "read_record"]

RECORD_FILE = "run.json"
EVENTS_FILE = "events.jsonl"
_LOCK_FILE = "lock"
_KEPT_FILES = ("source-image.mrc", "source-labels.mrc")
_OBJECTS = {"provenance", "settings", "source", "target"}
_LONGEST_EVENT = 1 << 20
_MOST_LOG_CHARACTERS = 1 << 29
_KEPT = 2
_FORMAT = 1


class RunFolder:
    """A run folder that this process may write to; use it as a context manager.

    Make one with `create` or `open`, which take the lock.
    """

    def __init__(self, path: Path, record: dict[str, Any], lock: BaseFileLock) -> None:
        self.path = path
        self.record = record
        self._lock = lock

    @classmethod
    def create(
        cls, path: Path, record: dict[str, Any], *, keep: Callable[[Path], None] | None = None
    ) -> Self:
        """Make a new run folder.

        Parameters
        ----------
        path : Path
            A folder that does not exist or is empty.
        record : dict
            JSON-able description of the run, kept as ``run.json``.
        keep : callable or None
            Writes what the run needs beside it, each file whole or not at all, before there is a record:
            a run that has one has everything.

        Raises
        ------
        OutputError
            When the folder cannot be made.
        RunFolderError
            When the folder already holds something.
        RunBusyError
            When another process writes to it.
        """
        try:
            path.mkdir(parents=True, exist_ok=True)
            occupied = [entry.name for entry in path.iterdir() if not _is_left_over(entry)]
        except OSError as error:
            raise OutputError(
                f"{path}: the run folder cannot be made ({error.strerror}). Choose another place."
            ) from error
        if (path / RECORD_FILE).exists():
            _acquire(path).release()  # a busy run is said to be busy
            raise RunFolderError(
                f"{path}: this folder already holds a run. Choose a new folder, "
                "or go on with that run by adding --resume."
            )
        if occupied:
            raise RunFolderError(
                f"{path}: a new or empty folder was wanted, but it holds {occupied[0]!r}. "
                "Choose another folder."
            )
        lock = _acquire(path)
        record = {"format": _FORMAT, "created": datetime.now(UTC).isoformat(), **record}
        try:
            (path / CHECKPOINTS).mkdir(exist_ok=True)
            remove_parts(path)
            if keep is not None:
                keep(path)
            _write_json(path / RECORD_FILE, record)
        except BaseException:
            lock.release()
            raise
        return cls(path, record, lock)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open an existing run folder for writing.

        Raises
        ------
        RunFolderError
            When it is not a run folder.
        RunBusyError
            When another process writes to it.
        """
        read_record(path)
        lock = _acquire(path)
        try:
            record = read_record(path)  # again, now that nobody else can be writing it
            for folder in (path, path / CHECKPOINTS, path / SNAPSHOTS):
                remove_parts(folder)
        except BaseException:
            lock.release()
            raise
        return cls(path, record, lock)

    @property
    def is_finished(self) -> bool:
        """Whether the adapted model has been written."""
        return (self.path / MODEL_FILE).exists()

    def latest_checkpoint(self) -> Path | None:
        """Return the newest checkpoint, or None."""
        return latest_checkpoint(self.path)

    def checkpoints(self) -> list[Path]:
        """Return the checkpoints, newest first."""
        return checkpoints(self.path)

    def set_aside(self, damaged: Path) -> Path:
        """Rename a damaged checkpoint, so that it counts no longer; return its new path."""
        aside = damaged.with_name(f"{damaged.name}.damaged")
        try:
            damaged.replace(aside)
        except OSError as error:
            raise OutputError(f"{damaged}: cannot be renamed ({one_line(error)}).") from error
        return aside

    def log(self, event: Event) -> None:
        """Append an event to the log; arrays are left out."""
        entry = _loggable(event)
        if entry is None:
            return
        entry = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **entry}
        try:
            _append_line(self.path / EVENTS_FILE, json.dumps(entry))
        except OSError as error:
            raise OutputError(
                f"{self.path / EVENTS_FILE}: cannot be written ({error.strerror}); "
                f"{space_words(self.path)}. Free some space or rights, then resume the run."
            ) from error

    def amend(self, facts: dict[str, Any]) -> None:
        """Add facts to ``run.json``, which is replaced as a whole; what was asked stays as it is."""
        self.record = {**self.record, **facts}
        _write_json(self.path / RECORD_FILE, self.record)

    def save_checkpoint(
        self, step: int, tensors: dict[str, Tensor], metadata: dict[str, Any]
    ) -> Path:
        """Write a full state and remove all but the newest two."""
        folder = self.path / CHECKPOINTS
        path = folder / f"step-{step:08d}.safetensors"
        write_tensors(path, tensors, metadata)
        for old in sorted(folder.glob("step-*.safetensors"))[:-_KEPT]:
            old.unlink(missing_ok=True)
        return path

    def save_model(self, tensors: dict[str, Tensor], metadata: dict[str, Any]) -> Path:
        """Write the finished model."""
        path = self.path / MODEL_FILE
        write_tensors(path, tensors, metadata)
        return path

    def close(self) -> None:
        """Free the lock."""
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def read_record(path: Path) -> dict[str, Any]:
    """Return what ``run.json`` of a run folder says.

    Raises
    ------
    RunFolderError
        When there is none.
    FileFormatError
        When it is damaged or of a newer format.
    """
    file = path / RECORD_FILE
    if not file.is_file():
        raise RunFolderError(
            f"{path}: a run folder was wanted, but {RECORD_FILE} was not found in it. "
            "Choose the folder that 'napari-voxuda adapt --out' made."
        )
    record = read_json_object(file)
    if record.get("format") != _FORMAT:
        raise FileFormatError(
            f"{file}: a run of format {_FORMAT} was wanted. Use the version of napari-voxuda "
            "that made it."
        )
    for name in _OBJECTS & record.keys():
        if not isinstance(record[name], dict):
            raise FileFormatError(
                f"{file}: an object was wanted as {name!r}, got {type(record[name]).__name__}."
            )
    return record


def read_events(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the logged events of a run folder, oldest first; a torn last line is left out."""
    file = path / EVENTS_FILE
    if not file.is_file():
        return
    with file.open(encoding="utf-8", errors="replace") as lines:
        left = _MOST_LOG_CHARACTERS
        while left > 0 and (line := lines.readline(_LONGEST_EVENT)):
            left -= len(line)
            with suppress(FileFormatError):  # no event, or a torn one
                yield parsed(line, file)


def _is_left_over(entry: Path) -> bool:
    """Whether this is what a run that was killed in its first moment leaves, before its record."""
    if entry.name == CHECKPOINTS:
        return entry.is_dir() and not any(entry.iterdir())
    if entry.name in _KEPT_FILES:
        return entry.is_file()
    return entry.name == _LOCK_FILE or (entry.name.startswith(".") and entry.suffix == ".part")


def _append_line(path: Path, text: str) -> None:
    """Append a line; one that a full disk cut short ends before it."""
    with path.open("ab+") as file:
        end = file.seek(0, os.SEEK_END)
        if end:
            file.seek(end - 1)
        torn = end > 0 and file.read(1) != b"\n"
        file.write(b"\n" * torn + text.encode() + b"\n")


def _acquire(path: Path) -> BaseFileLock:
    lock = FileLock(path / _LOCK_FILE, thread_local=False)
    try:
        with warnings.catch_warnings(
            action="ignore"
        ):  # where there is no flock, a plain file locks
            lock.acquire(timeout=0)
    except Timeout as error:
        raise RunBusyError(
            f"{path}: another process is writing to this run. Wait for it or stop it first."
        ) from error
    except OSError as error:
        raise OutputError(f"{path}: cannot be written to ({error.strerror}).") from error
    return lock


def _write_json(path: Path, value: dict[str, Any]) -> None:
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        json.dump(value, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())


def _loggable(event: Event) -> dict[str, Any] | None:
    if isinstance(event, StepDone):
        return {"event": "step", **dataclasses.asdict(event)}
    if isinstance(event, Message):
        return {"event": "message", **dataclasses.asdict(event)}
    if isinstance(event, Alarm):
        return {"event": "alarm", **dataclasses.asdict(event)}
    if isinstance(event, CheckpointSaved):
        return {"event": "checkpoint", "step": event.step, "file": event.path.name}
    return None
