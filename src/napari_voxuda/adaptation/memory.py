"""Go on with less when a step does not fit into memory.

The state is put back as it was before the step, the batch is halved from there on, and the step is tried again.
What a run has retreated to is written into its record at once, and the full state into a checkpoint: a run that is
killed afterwards goes on with the smaller batch, and like one that was not.
"""

from __future__ import annotations

import gc
from typing import Any

import torch
from torch import Tensor

from napari_voxuda.adaptation.events import Alarm
from napari_voxuda.adaptation.learner import Learner
from napari_voxuda.adaptation.run_folder import RunFolder
from napari_voxuda.errors import FileFormatError, NoMemoryError, one_line

__all__ = [
    "SMALLEST_BATCH",
    "NoMemoryError",
    "Undo",
    "free_memory",
    "recorded_batch",
    "smaller_batch",
]

SMALLEST_BATCH = 2  # BatchNorm needs more than one, and so does the speed of a CPU
_KEY = "smaller_batches"


class Undo:
    """The state before a step, so that a step that broke off half-way leaves no trace.

    A copy of 2 to 30 MB, which takes a hundredth of a step.
    """

    def __init__(self, learner: Learner, generator: torch.Generator) -> None:
        self._learner = learner
        self._generator = generator
        self._tensors: dict[str, Tensor] = {
            name: value.detach().clone() for name, value in learner.tensors().items()
        }
        self._random = generator.get_state()

    def put_back(self) -> None:
        """Make the state what it was; to be called once."""
        self._learner.load(self._tensors)
        self._learner.optimiser.zero_grad(set_to_none=True)
        self._generator.set_state(self._random)


def recorded_batch(run: RunFolder | None, asked: int) -> int:
    """Return the batch of a run's next step: as asked, or what it has retreated to."""
    found = [] if run is None else run.record.get(_KEY, [])
    try:
        return min([asked, *(max(SMALLEST_BATCH, int(entry["batch"])) for entry in found)])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise FileFormatError(
            f"run.json: numbers of boxes were wanted as {_KEY!r} ({one_line(error)})."
        ) from error


def smaller_batch(run: RunFolder | None, step: int, batch: int, box: int) -> tuple[int, Alarm]:
    """Halve the batch, write that into the run's record, and tell.

    Parameters
    ----------
    run : RunFolder or None
        The run.
    step : int
        The step, counted from 1, that did not fit.
    batch, box : int
        Boxes of that step, and their edge in voxels.

    Returns
    -------
    int
        The new batch, at least 2.
    Alarm
        What happened, in words.

    Raises
    ------
    NoMemoryError
        When the batch is as small as it can be already.
    """
    if batch <= SMALLEST_BATCH:
        raise NoMemoryError(
            f"training: memory ran out in step {step}, although it had the smallest batch, {batch} boxes "
            f"of {box}³ voxels. Close other programs and go on with the run, or start a new one with "
            "smaller boxes, a narrower network, or the CPU as device."
        )
    smaller = max(SMALLEST_BATCH, batch // 2)
    if run is not None:
        entry: dict[str, Any] = {"step": step, "batch": smaller}
        run.amend({_KEY: [*run.record.get(_KEY, []), entry]})
    text = (
        f"Step {step}, out of memory: a step with {batch} boxes did not fit. The step is tried again, "
        f"and from here on a step has {smaller} boxes."
    )
    return smaller, Alarm(step=step, kind="out of memory", text=text, restored_step=step - 1)


def free_memory() -> None:
    """Give back what a failed step has left."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
