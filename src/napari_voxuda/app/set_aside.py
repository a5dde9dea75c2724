"""Keep Python's full garbage collections out of a run.

A full collection looks at every object of the program. Under a viewer with PyTorch these are hundreds of thousands: for about a
quarter of a second no thread of Python goes on, and the window halts. What is there when a run starts is set aside, so that
collections meanwhile look only at what came since.
"""

from __future__ import annotations

import gc

__all__ = ["SetAside"]


class SetAside:
    """What is there at `begin` is left out of garbage collections until `end`.

    Only the first of several holds; nothing is done where the program has set objects aside itself.
    """

    def __init__(self) -> None:
        self._holds = False

    def begin(self) -> None:
        """Collect once, which takes about 0.2 s, and set aside what is left."""
        if self._holds or gc.get_freeze_count():
            return
        gc.collect()
        gc.freeze()
        self._holds = True

    def end(self) -> None:
        """Take back what `begin` has set aside."""
        if self._holds:
            self._holds = False
            gc.unfreeze()
