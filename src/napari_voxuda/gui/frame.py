"""The frame of a dock: a narrow column that scrolls, groups that fold, and a place for news."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from qtpy.QtCore import QSize, Qt, QTimer
from qtpy.QtWidgets import (
    QFrame,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_voxuda.gui.paced import Paced
from napari_voxuda.gui.remember import Choice, Remember
from napari_voxuda.gui.wrapping import let_wrap

__all__ = ["DOCK_WIDTH", "DockFrame", "Group", "Notice", "when_destroyed"]

DOCK_WIDTH = 320
_LAID_OUT_MS = 50
_SIGNS = {"info": "", "warning": "⚠ Warning: ", "error": "✖ "}


class DockFrame(QWidget):
    """A dock with one column that scrolls, and a footer that is always in sight.

    `column` and `footer` are their layouts; `paced` draws what a job reports, once a second at most.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.setMinimumWidth(DOCK_WIDTH - 20)
        self.paced = Paced(self)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        inner = QWidget()
        self.column = QVBoxLayout(inner)
        self.column.setContentsMargins(6, 6, 6, 6)
        self.column.setSpacing(6)
        self._area.setWidget(inner)
        outer.addWidget(self._area, 1)
        self._sought: QWidget = inner
        self._seek = QTimer(self)
        self._seek.setSingleShot(True)
        self._seek.setInterval(_LAID_OUT_MS)
        self._seek.timeout.connect(lambda: self._area.ensureWidgetVisible(self._sought))
        self.footer = QVBoxLayout()
        self.footer.setContentsMargins(6, 4, 6, 6)
        self.footer.setSpacing(4)
        outer.addLayout(self.footer)

    def sizeHint(self) -> QSize:
        """Return the size that a dock starts with."""
        return QSize(DOCK_WIDTH, 600)

    def remember(self, name: str, choices: dict[str, Choice]) -> None:
        """Begin with what was chosen last; a button at the end of the column brings the defaults back."""
        self.memory = Remember(self, name, choices)
        self.defaults_button = QPushButton("Reset to defaults")
        self.defaults_button.setToolTip(
            "Set everything in this dock as it was after the installation. Layers, runs and files "
            "stay as they are."
        )
        self.defaults_button.clicked.connect(self.memory.reset)
        self.column.addWidget(self.defaults_button)

    def scroll_to(self, widget: QWidget) -> None:
        """Bring a widget of the column into sight, as soon as what has just been shown is laid out."""
        self._sought = widget
        self._seek.start()


class Group(QWidget):
    """A titled group that folds.

    superqt's collapsible keeps the height that its content had when it was opened; the content
    of these groups changes while they are open.
    """

    # napari draws checked buttons in its highlight colour; a heading is not a switch.
    _HEADING = (
        "QPushButton, QPushButton:checked { text-align: left; border: none; padding: 2px;"
        " background: transparent; font-weight: bold; }"
    )

    def __init__(self, title: str, *, expanded: bool = True) -> None:
        super().__init__()
        self.setAccessibleName(title)
        self.heading = QPushButton(title)
        self.heading.setCheckable(True)
        self.heading.setStyleSheet(self._HEADING)
        self.heading.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.heading.setMinimumHeight(24)
        self.heading.setAccessibleName(f"Show or hide: {title}")
        self.heading.setToolTip("Show or hide this part.")
        self._title = title
        self._content = QWidget()
        self._inside = QVBoxLayout(self._content)
        self._inside.setContentsMargins(10, 0, 0, 4)
        self._inside.setSpacing(4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.heading)
        layout.addWidget(self._content)
        self.heading.toggled.connect(self._fold)
        self.heading.setChecked(expanded)
        self._fold(expanded)

    def addWidget(self, widget: QWidget) -> None:
        """Append a widget to the content."""
        self._inside.addWidget(widget)

    def expand(self) -> None:
        """Show the content."""
        self.heading.setChecked(True)

    def collapse(self) -> None:
        """Hide the content."""
        self.heading.setChecked(False)

    def isExpanded(self) -> bool:
        """Whether the content is shown."""
        return bool(self.heading.isChecked())

    def _fold(self, expanded: bool) -> None:
        self._content.setVisible(expanded)
        self.heading.setText(f"{'▾' if expanded else '▸'} {self._title}")


class Notice(QLabel):
    """One sentence of news; errors and warnings are marked by a sign and a word, not by colour."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        let_wrap(self)
        self.setAccessibleName("Message")
        self.level = "info"
        self.hide()

    def say(self, text: str, level: Literal["info", "warning", "error"] = "info") -> None:
        """Show `text`; an empty text hides the notice."""
        self.level = level
        self.setText(f"{_SIGNS[level]}{text}" if text else "")
        font = self.font()
        font.setBold(level == "error")
        self.setFont(font)
        self.setVisible(bool(text))


def when_destroyed(widget: QWidget, *calls: Callable[[], None]) -> None:
    """Make `calls`, in their order, when `widget` is destroyed; they must not touch it."""

    def call_all(_: object = None) -> None:
        for call in calls:
            call()

    widget.destroyed.connect(call_all)
