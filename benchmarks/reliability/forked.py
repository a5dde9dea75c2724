"""The program's command line in child processes that start at once.

The parent has imported everything, and a child is a fork of it: it runs a command line from its first word to its
exit code like a process started afresh, but two seconds of imports are saved for each. The parent computes
nothing, so that no thread of PyTorch exists when it forks.
"""

from __future__ import annotations

import importlib
import io
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Ended", "import_everything", "in_child", "kill", "run_command"]

_MODULES = (
    *("torch", "scipy.ndimage", "gemmi", "zarr", "tifffile", "cc3d", "safetensors.torch"),
    *("napari_voxuda.cli.main", "napari_voxuda.adaptation.loop", "napari_voxuda.app.adapt.task"),
    *(
        "napari_voxuda.app.segment.files",
        "napari_voxuda.app.denoise.task",
        "napari_voxuda.app.export.task",
    ),
    *("napari_voxuda.app.info", "napari_voxuda.simulation.source", "napari_voxuda.io.zarr_labels"),
)
_POLL_S = 0.002


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a child ended.

    Parameters
    ----------
    code : int
        Exit code, or minus the number of the signal that ended it.
    seconds : float
        How long it ran.
    said : str
        What it wrote to both outputs.
    """

    code: int
    seconds: float
    said: str


def import_everything() -> None:
    """Import what the commands import when they run, and keep PyTorch on one thread."""
    for name in _MODULES:
        importlib.import_module(name)
    importlib.import_module("torch").set_num_threads(1)


def run_command(
    words: list[str],
    log: Path,
    *,
    before: Callable[[], None] | None = None,
    meanwhile: tuple[float, Callable[[int], None]] | None = None,
) -> Ended:
    """Run ``napari-voxuda`` with `words` in a child.

    Parameters
    ----------
    words : list of str
        The command line without the program's name.
    log : Path
        File for what it says.
    before : callable or None
        Called in the child before the command.
    meanwhile : tuple of float and callable, or None
        After so many seconds the function is called here with the child's id, unless it has ended by
        then; `kill` is such a function.
    """

    def work() -> int:
        from napari_voxuda.cli.main import app

        if before is not None:
            before()
        try:
            app(words, prog_name="napari-voxuda")
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else int(end.code is not None)
        return 0

    return in_child(work, log, meanwhile=meanwhile)


def kill(child: int) -> None:
    """End a process at once, without letting it clean up."""
    os.kill(child, signal.SIGKILL)


def in_child(
    work: Callable[[], int],
    log: Path,
    *,
    meanwhile: tuple[float, Callable[[int], None]] | None = None,
) -> Ended:
    """Run a function in a child, which exits with what it returns; see `run_command`."""
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        os._exit(_redirected(work, log))
    while True:
        ended, status = os.waitpid(child, 0 if meanwhile is None else os.WNOHANG)
        seconds = time.monotonic() - started
        if ended:
            said = log.read_text(errors="replace") if log.exists() else ""
            return Ended(code=os.waitstatus_to_exitcode(status), seconds=seconds, said=said)
        if meanwhile is not None and seconds >= meanwhile[0]:
            meanwhile[1](child)
            meanwhile = None
        time.sleep(_POLL_S)


def _stream(descriptor: int) -> io.TextIOWrapper:
    raw = io.BufferedWriter(io.FileIO(descriptor, "w", closefd=False))
    return io.TextIOWrapper(raw, encoding="utf-8", line_buffering=True)


def _redirected(work: Callable[[], int], log: Path) -> int:
    code = 70
    try:
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for number in (1, 2):
            os.dup2(descriptor, number)
        # The parent may have others in their place, as pytest has.
        sys.stdout, sys.stderr = _stream(1), _stream(2)
        code = work()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return code
