"""The frame of a dock: a narrow column that scrolls, groups that fold, and a place for news."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QFrame, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget
from superqt import QCollapsible

__all__ = ["DOCK_WIDTH", "DockFrame", "Group", "Notice", "when_destroyed"]

DOCK_WIDTH = 320
_SIGNS = {"info": "", "warning": "⚠ Warning: ", "error": "✖ "}


class DockFrame(QScrollArea):
    """A scroll area with one column; `column` is its layout."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(DOCK_WIDTH - 30)
        inner = QWidget()
        self.column = QVBoxLayout(inner)
        self.column.setContentsMargins(6, 6, 6, 6)
        self.column.setSpacing(6)
        self.setWidget(inner)

    def sizeHint(self) -> QSize:
        """Return the width that a dock starts with."""
        return QSize(DOCK_WIDTH, 600)


class Group(QCollapsible):
    """A titled group that folds without animation."""

    def __init__(self, title: str, *, expanded: bool = True) -> None:
        super().__init__(title, expandedIcon="▾", collapsedIcon="▸")
        self.setDuration(0)
        content = self.content()
        layout = content.layout()
        if layout is not None:
            layout.setContentsMargins(8, 2, 0, 4)
            layout.setSpacing(4)
        self.setAccessibleName(title)
        if expanded:
            self.expand(animate=False)
        else:
            self.collapse(animate=False)


class Notice(QLabel):
    """One sentence of news; errors and warnings are marked by a sign and a word, not by colour."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
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
