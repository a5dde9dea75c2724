"""Plain input widgets that behave well in a narrow dock that scrolls."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QComboBox, QDoubleSpinBox, QWidget

__all__ = [
    "DEVICES",
    "DEVICE_TIP",
    "PLACES",
    "PLACE_TIP",
    "FloatBox",
    "calm_wheel",
    "choice_box",
    "may_shrink",
]

DEVICES = {"auto": "Automatic", "cpu": "CPU", "cuda": "CUDA GPU"}
DEVICE_TIP = "Automatic takes a CUDA GPU where there is one, and the CPU otherwise."
PLACES = {"process": "A process of its own", "thread": "A thread of the viewer"}
PLACE_TIP = (
    "In a process of its own a run leaves the window free, and ends alone if memory runs out. "
    "A thread starts a few seconds sooner, for short runs."
)
_DECIMALS = 10


class _NoScroll(QObject):
    """Keeps the mouse wheel from changing a value that has no focus: it scrolls the dock."""

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if (
            event is not None
            and event.type() == QEvent.Type.Wheel
            and isinstance(watched, QWidget)
            and not watched.hasFocus()
        ):
            event.ignore()
            return True
        return False


def calm_wheel(widget: QWidget) -> None:
    """Let `widget` take the mouse wheel only while it has the focus."""
    widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    widget.installEventFilter(_NoScroll(widget))


def may_shrink(box: QComboBox) -> None:
    """Let `box` be narrower than its longest entry."""
    box.setMinimumContentsLength(6)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)


def choice_box(name: str, choices: dict[str, str], tip: str) -> QComboBox:
    """Return a combo box of `choices`: values to the words that stand for them."""
    box = QComboBox()
    for value, words in choices.items():
        box.addItem(words, value)
    box.setToolTip(tip)
    box.setAccessibleName(name)
    may_shrink(box)
    calm_wheel(box)
    return box


class FloatBox(QDoubleSpinBox):
    """A spin box that keeps ten decimals and shows only those that are needed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDecimals(_DECIMALS)
        self.setRange(-1e12, 1e12)
        self.setKeyboardTracking(False)
        self.setMinimumWidth(60)
        calm_wheel(self)

    def textFromValue(self, v: float) -> str:
        """Return `v` without needless zeros."""
        text = f"{v:.{_DECIMALS}f}".rstrip("0").rstrip(".")
        return text or "0"
