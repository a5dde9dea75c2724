"""A row that shows a chosen file or folder and lets the user choose another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QToolButton, QWidget
from superqt import QElidingLabel

from napari_voxuda.app.preferences import preferences
from napari_voxuda.app.remembered import Remembered

__all__ = ["PathRow", "ask_files", "ask_folder"]

_FOLDERS = "folders"  # beside the docks, in their file
MRC_FILTER = (
    "Volumes (*.mrc *.mrcs *.map *.rec *.st *.ali *.preali *.gz *.bz2 *.em *.tif *.tiff zarr.json .zattrs "
    "*.json);;All files (*)"
)


def ask_files(parent: QWidget, title: str, name_filter: str) -> list[Path]:
    """Ask for existing files; empty when the user gives up."""
    names, _ = QFileDialog.getOpenFileNames(parent, title, _last_folder(title), name_filter)
    if names:
        _keep_folder(title, Path(names[0]).parent)
    return [Path(name) for name in names]


def ask_folder(parent: QWidget | None, title: str) -> list[Path]:
    """Ask for a folder; empty when the user gives up."""
    name = QFileDialog.getExistingDirectory(parent, title, _last_folder(title))
    if name:
        _keep_folder(title, Path(name).parent)
    return [Path(name)] if name else []


def _last_folder(title: str) -> str:
    """Return the folder in which the user chose last; an empty text where there is none any more."""
    folder = Remembered().get(_FOLDERS).get(title) if preferences().remember else None
    return folder if isinstance(folder, str) and Path(folder).is_dir() else ""


def _keep_folder(title: str, folder: Path) -> None:
    if preferences().remember:
        kept = Remembered()
        kept.put(_FOLDERS, {**kept.get(_FOLDERS), title: str(folder)})


class PathRow(QWidget):
    """A button that asks for paths, their names, and a button that forgets them.

    Parameters
    ----------
    text, tip : str
        The button.
    none_text : str
        Shown while nothing is chosen.
    ask : callable
        Asks the user, given a parent widget and the title.
    what : str
        What is chosen, for the title and for screen readers: ``"run folder"``.
    """

    changed = Signal()

    def __init__(
        self,
        text: str,
        tip: str,
        none_text: str,
        ask: Callable[[QWidget, str], list[Path]],
        what: str = "",
    ) -> None:
        super().__init__()
        title = f"{text.rstrip('…')} {what}".strip()
        self._none_text = none_text
        self._paths: list[Path] = []
        self.button = QPushButton(text)
        self.button.setToolTip(tip)
        self.button.setAccessibleName(title)
        self.label = QElidingLabel(none_text)
        self.label.setElideMode(Qt.TextElideMode.ElideMiddle)
        self.clear_button = QToolButton()
        self.clear_button.setText("✕")
        self.clear_button.setToolTip("Choose none.")
        self.clear_button.setAccessibleName(f"Clear {what or text}")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.button)
        row.addWidget(self.label, 1)
        row.addWidget(self.clear_button)
        self.button.clicked.connect(lambda: self._ask(ask, title))
        self.clear_button.clicked.connect(lambda: self.set_paths([]))
        self.set_paths([])

    def paths(self) -> list[Path]:
        """Return the chosen paths."""
        return list(self._paths)

    def path(self) -> Path | None:
        """Return the first chosen path."""
        return self._paths[0] if self._paths else None

    def set_paths(self, paths: list[Path]) -> None:
        """Show `paths` as chosen."""
        self._paths = list(paths)
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        self.label.setText(f"{paths[0].name}{more}" if paths else self._none_text)
        self.label.setToolTip("\n".join(map(str, paths)) or self._none_text)
        self.clear_button.setVisible(bool(paths))
        self.changed.emit()

    def _ask(self, ask: Callable[[QWidget, str], list[Path]], title: str) -> None:
        if paths := ask(self, title):
            self.set_paths(paths)
