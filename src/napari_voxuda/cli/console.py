"""What a command shows: results on stdout; progress, messages and errors on stderr."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, TypeVar

from napari_voxuda._types import Event, Message, Task
from napari_voxuda.cli.signals import Interruption
from napari_voxuda.errors import escaped

__all__ = ["aligned", "message", "result", "run_task", "show_json"]

_Result = TypeVar("_Result")
_Show = Callable[[Event], None]


def run_task(task: Task[_Result]) -> _Result:
    """Run a task to its end, show its events, and return its result.

    The task is closed whatever happens, before an error goes on to the caller. On Ctrl-C or
    SIGTERM that is after its next event, so that it can put its state away.
    """
    with _display() as show, Interruption() as interruption:
        try:
            while True:
                show(next(task))
                interruption.check()
        except StopIteration as stop:
            interruption.check()
            value: _Result = stop.value
            return value
        finally:
            task.close()


def message(text: str, level: str = "info") -> None:
    """Show a sentence on stderr; `level` is ``"info"``, ``"warning"`` or ``"error"``."""
    prefix = "" if level == "info" else f"{level.capitalize()}: "
    _write(sys.stderr, f"{prefix}{text}\n")
    sys.stderr.flush()


def result(text: str) -> None:
    """Show a result on stdout at once, so that a reader who went away is noticed here."""
    _write(sys.stdout, f"{text}\n")
    sys.stdout.flush()


def show_json(value: Any) -> None:
    """Show `value` on stdout as one JSON document; paths become text, NaN and infinity null."""
    result(json.dumps(_plain(value), indent=2, allow_nan=False, ensure_ascii=False))


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return `rows` as a table whose columns are aligned by spaces."""
    rows = [["".join(map(escaped, cell)) for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def _write(stream: TextIO, text: str) -> None:
    """Write a text, with escape sequences for what the stream has no bytes for."""
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))


@contextmanager
def _display() -> Iterator[_Show]:
    """Yield a function that shows an event: bars on a terminal, only messages in a pipe."""
    if not sys.stderr.isatty():
        yield _show_message
        return
    from napari_voxuda.cli.bars import Bars

    with Bars(sys.stderr) as bars:
        yield bars.show


def _show_message(event: Event) -> None:
    from napari_voxuda.adaptation.events import Alarm

    if isinstance(event, Message):
        message(event.text, event.level)
    elif isinstance(event, Alarm):
        message(event.text, "warning")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if hasattr(value, "item") and not isinstance(value, str | bytes):
        return _plain(value.item())
    return value
