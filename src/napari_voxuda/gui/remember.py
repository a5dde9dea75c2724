"""Bring back in a dock what was chosen in it last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

from napari_voxuda.app.preferences import preferences
from napari_voxuda.app.remembered import Remembered
from napari_voxuda.errors import VoxUDAError

__all__ = ["Choice", "Remember"]

_AFTER_MS = 500


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One thing that is remembered.

    Parameters
    ----------
    get : callable
        Returns the value as plain JSON-able values; may raise `VoxUDAError` while it is unfinished.
    put : callable
        Shows a value; may raise for one that no longer fits.
    changed : signal
        Tells of a change.
    """

    get: Callable[[], Any]
    put: Callable[[Any], None]
    changed: Any


class Remember:
    """Shows the last choices of a dock and keeps new ones.

    Parameters
    ----------
    dock : QWidget
        The dock; its end is the last moment at which choices are kept.
    name : str
        The dock's name in the file.
    choices : dict of Choice
        What is remembered, in the order in which it is shown.
    store : Remembered or None
        Where it is kept; the user's file without.
    """

    def __init__(
        self,
        dock: QWidget,
        name: str,
        choices: dict[str, Choice],
        store: Remembered | None = None,
    ) -> None:
        self._name, self._choices = name, choices
        self.store = store if store is not None else Remembered()
        self._defaults = self._read({})
        self._waiting = False
        self._timer = QTimer(dock)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_AFTER_MS)
        self._timer.timeout.connect(self.save)
        if preferences().remember:
            self._show(self.store.get(name))
        self._kept = self._read(self._defaults)
        for choice in choices.values():
            choice.changed.connect(self._changed)
        dock.destroyed.connect(lambda: self.save())

    def save(self) -> None:
        """Keep what has changed; touches no widget."""
        if not self._waiting:
            return
        self._waiting = False
        changed = {k: v for k, v in self._kept.items() if v != self._defaults.get(k)}
        if changed:
            self.store.put(self._name, changed)
        else:
            self.store.forget(self._name)

    def reset(self) -> None:
        """Show the defaults again, and forget what was chosen."""
        self._show(self._defaults)
        self._kept, self._waiting = self._defaults, True
        self.save()

    def _changed(self, *_: object) -> None:
        if not preferences().remember:
            return
        self._kept = self._read(self._kept)
        self._waiting = True
        self._timer.start()

    def _read(self, before: dict[str, Any]) -> dict[str, Any]:
        found = dict(before)
        for key, choice in self._choices.items():
            try:
                found[key] = choice.get()
            except VoxUDAError:  # half typed: the value before stays
                continue
        return found

    def _show(self, values: dict[str, Any]) -> None:
        for key, choice in self._choices.items():
            if key not in values:
                continue
            try:
                choice.put(values[key])
            except (VoxUDAError, AttributeError, KeyError, TypeError, ValueError, OverflowError):
                continue  # of another version, or edited by hand: the default stays
