"""Progress bars on a terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from napari_voxuda._types import Event, Message
from napari_voxuda._types import Progress as ProgressEvent
from napari_voxuda.adaptation.events import Alarm, StepDone

__all__ = ["Bars"]


class Bars:
    """One bar for each stage of a task, with messages above them.

    Parameters
    ----------
    stream : text file
        Where the bars are drawn; stderr.
    """

    def __init__(self, stream: TextIO) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", style="dim"),
            console=Console(file=stream),
        )
        self._stages: dict[str, tuple[TaskID, int]] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def show(self, event: Event) -> None:
        """Show one event; kinds without a picture on a terminal are passed over."""
        if isinstance(event, Message):
            self._say(event.text, event.level)
        elif isinstance(event, Alarm):
            self._say(event.text, "warning")
        elif isinstance(event, ProgressEvent):
            self._advance(event.stage, event.done, event.total, "")
        elif isinstance(event, StepDone):
            self._advance("Adapting", event.step, event.total, _note(event))

    def _say(self, text: str, level: str) -> None:
        style = "yellow" if level == "warning" else None
        prefix = "Warning: " if level == "warning" else ""
        self._progress.console.print(f"{prefix}{text}", style=style, markup=False)

    def _advance(self, stage: str, done: int, total: int, note: str) -> None:
        bar, reached = self._stages.get(stage, (None, 0))
        if bar is None or done < reached:  # a stage that begins again gets a bar of its own
            bar = self._progress.add_task(escape(stage), total=total, note=note)
        self._progress.update(bar, completed=done, total=total, note=note)
        self._stages[stage] = bar, done


def _note(event: StepDone) -> str:
    loss = event.losses.get("total", float("nan"))
    return (
        f"loss {loss:.3f}, pseudo-labels {event.coverage:.0%}, {event.seconds_per_step:.2g} s/step"
    )
