"""The bar of *Getting started*: the steps with their ticks, a sentence, and Back, Next and Close."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_voxuda.app.tour import Tour
from napari_voxuda.gui.wrapping import let_wrap

__all__ = ["TourPanel"]

_HEIGHT = 76


class TourPanel(QWidget):
    """View of a `Tour`; `moved` tells that another step is shown."""

    moved = Signal()
    closed = Signal()

    def __init__(self, tour: Tour) -> None:
        super().__init__()
        self.setAccessibleName("Getting started")
        self.tour = tour
        self.steps, self.text = QLabel(), QLabel()
        self.steps.setTextFormat(Qt.TextFormat.RichText)
        for label, name in ((self.steps, "Steps"), (self.text, "What to do")):
            label.setAccessibleName(name)
            let_wrap(label)
        self.back_button = _button("Back", "Go to the step before.")
        self.next_button = _button("Next", "Go to the next step, also when this one is not done.")
        self.close_button = _button("Close", "End the tour. What you did stays.")
        row = QHBoxLayout()
        row.addWidget(self.text, 1)
        for button in (self.back_button, self.next_button, self.close_button):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(4)
        column.addWidget(self.steps)
        column.addLayout(row)
        self.setMaximumHeight(_HEIGHT)  # the canvas and the docks need the room
        self.back_button.clicked.connect(lambda: self._go(self.tour.back))
        self.next_button.clicked.connect(lambda: self._go(self.tour.next))
        self.close_button.clicked.connect(lambda: self.closed.emit())
        self.show_tour()

    def show_tour(self) -> None:
        """Show where the tour is and what is done."""
        tour = self.tour
        words = []
        for number, step in enumerate(tour.steps, 1):
            sign = "✓" if tour.is_done(step) else f"{number}."
            title = f"{sign}&nbsp;{step.title}".replace(" ", "&nbsp;")
            words.append(f"<b><u>{title}</u></b>" if step is tour.step else title)
        self.steps.setText(" &nbsp;›&nbsp; ".join(words))
        text = tour.step.text
        if tour.finished:
            text = "You have seen everything. Close this, and open a tomogram of your own."
        elif tour.is_done(tour.step):
            text = f"✓ Done. {text}"
        self.text.setText(text)
        self.back_button.setEnabled(tour.can_go_back)
        self.next_button.setEnabled(tour.can_go_on)

    def _go(self, way: object) -> None:
        way()  # type: ignore[operator]
        self.show_tour()
        self.moved.emit()


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    return button
