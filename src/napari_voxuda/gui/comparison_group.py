"""The group *Compare*: scores of the mask against another labels layer, and a legend of its errors."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QFormLayout, QGridLayout, QLabel, QWidget

from napari_voxuda.app.compare.comparison import (
    AGREEMENT,
    COMPARISON_COLORS,
    FALSE_NEGATIVE,
    FALSE_POSITIVE,
    Comparison,
)
from napari_voxuda.app.scene import LayerChoice, LayerKey
from napari_voxuda.gui.frame import Group, Notice
from napari_voxuda.gui.layer_box import LayerBox
from napari_voxuda.gui.swatch import swatch

__all__ = ["ComparisonGroup"]

_SCORES = {
    "dice": ("Dice", "2 × common voxels / (voxels of the mask + voxels of the reference)."),
    "iou": ("IoU", "Common voxels / voxels in at least one of the two."),
    "precision": ("Precision", "How much of the mask is in the reference as well."),
    "recall": ("Recall", "How much of the reference is in the mask."),
}
_COUNTS = {
    "false_positive": (FALSE_POSITIVE, "Too much", "False positives: in the mask only."),
    "false_negative": (FALSE_NEGATIVE, "Missed", "False negatives: in the reference only."),
    "true_positive": (AGREEMENT, "Agree", "True positives: in both."),
}


class ComparisonGroup(Group):
    """View of `ComparisonController`."""

    reference_changed = Signal()
    errors_changed = Signal()

    def __init__(self) -> None:
        super().__init__("Compare", expanded=False)
        self.reference_box = LayerBox(
            "Compare with",
            "Labels of the same tomogram, for example by hand or by another program. Every label but 0 "
            "counts as particle.",
            none_text="nothing",
        )
        self.errors_check = QCheckBox("Show the errors in the viewer")
        self.errors_check.setToolTip(
            "A layer of its own in the colours below. It follows the mask while you change it, and is "
            "never exported with the masks."
        )
        self.agreement_check = QCheckBox("and where both agree")
        self.agreement_check.setToolTip("Colour the true positives as well.")
        self.values: dict[str, QLabel] = {}
        self.table = self._table()
        self.notice = Notice()
        inner = QWidget()
        rows = QFormLayout(inner)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setVerticalSpacing(4)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.addRow("With", self.reference_box)
        rows.addRow(self.table)
        rows.addRow(self.errors_check)
        rows.addRow(self.agreement_check)
        rows.addRow(self.notice)
        self.addWidget(inner)
        self.reference_box.chosen.connect(self.reference_changed.emit)
        self.errors_check.toggled.connect(lambda _: self._update())
        self.errors_check.toggled.connect(lambda _: self.errors_changed.emit())
        self.agreement_check.toggled.connect(lambda _: self.errors_changed.emit())
        self.show_comparison(None)

    def reference(self) -> LayerKey | None:
        """Return the labels layer to compare with."""
        return self.reference_box.key()

    def errors_wanted(self) -> bool:
        """Whether errors are shown over the tomogram."""
        return bool(self.errors_check.isChecked())

    def agreement_wanted(self) -> bool:
        """Whether it is also shown where both agree."""
        return bool(self.agreement_check.isChecked())

    def show_references(self, choices: list[LayerChoice]) -> None:
        """Show the labels layers to choose from."""
        self.reference_box.show_choices(choices)

    def show_comparison(self, comparison: Comparison | None) -> None:
        """Show the scores."""
        self.notice.say(comparison.note if comparison is not None else "")
        self.table.setVisible(comparison is not None)
        self._update()
        if comparison is None:
            return
        for name in _SCORES:
            self.values[name].setText(f"{getattr(comparison.counts, name):.3f}")
        for name in _COUNTS:
            count = f"{getattr(comparison.counts, name):,}".replace(",", "\N{THIN SPACE}")
            self.values[name].setText(f"{count} voxels")

    def show_problem(self, words: str) -> None:
        """Say why there is no comparison."""
        self.show_comparison(None)
        self.notice.say(words, "error")

    def switch_errors_off(self) -> None:
        """Show that the errors are not shown any more."""
        self.errors_check.setChecked(False)

    def _update(self) -> None:
        """Enable what there is something to show for."""
        compared = self.reference() is not None
        self.errors_check.setEnabled(compared)
        self.agreement_check.setEnabled(compared and self.errors_wanted())

    def _table(self) -> QWidget:
        """Return scores two in a row, then counts with their colours, which are the legend."""
        table = QWidget()
        grid = QGridLayout(table)
        grid.setContentsMargins(0, 2, 0, 2)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        for place, (name, (title, tip)) in enumerate(_SCORES.items()):
            self._place(grid, place // 2, 3 * (place % 2), name, title, tip)
        for row, (name, (label, title, tip)) in enumerate(_COUNTS.items(), len(_SCORES) // 2):
            colour = QLabel()
            colour.setPixmap(swatch(COMPARISON_COLORS[label]).pixmap(12, 12))
            colour.setToolTip(tip)
            colour.setAccessibleName(f"Colour of: {title}")
            grid.addWidget(colour, row, 0)
            self._place(grid, row, 0, name, title, tip, span=3)
        for column in (2, 5):
            grid.setColumnStretch(column, 1)
        return table

    def _place(
        self,
        grid: QGridLayout,
        row: int,
        column: int,
        name: str,
        title: str,
        tip: str,
        span: int = 1,
    ) -> None:
        """Put a title and its value into the columns behind the swatch."""
        heading, value = QLabel(title), QLabel()
        value.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        value.setAccessibleName(title)
        for label in (heading, value):
            label.setToolTip(tip)
        grid.addWidget(heading, row, column + 1)
        grid.addWidget(value, row, column + 2, 1, span)
        self.values[name] = value
