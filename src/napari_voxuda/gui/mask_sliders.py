"""The sliders that turn a probability into a mask."""

from __future__ import annotations

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import QFormLayout, QWidget
from superqt import QLabeledDoubleSlider

from napari_voxuda.app.mask.refinement import MaskChoice
from napari_voxuda.gui.inputs import calm_wheel
from napari_voxuda.gui.size_field import SizeField

__all__ = ["MaskSliders"]

_EVERY_MS = 150


class MaskSliders(QWidget):
    """Threshold, roundness, smallest size and largest hole; changes are told a few times a second at most."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.threshold = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
        self.threshold.setRange(0.01, 0.99)
        self.threshold.setSingleStep(0.01)  # type: ignore[arg-type]
        self.threshold.setDecimals(2)
        self.threshold.setValue(0.5)
        self.threshold.setToolTip(
            "Voxels of at least this probability are in the mask. Ctrl-Z in the viewer takes a "
            "change back."
        )
        self.threshold.setAccessibleName("Threshold")
        calm_wheel(self.threshold)
        self.roundness = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
        self.roundness.setRange(0.0, 1.0)
        self.roundness.setSingleStep(0.05)  # type: ignore[arg-type]
        self.roundness.setDecimals(2)
        self.roundness.setToolTip(
            "Draws each piece of the mask towards a ball of its size, as far as the probability leaves "
            "it open: for globular molecules whose masks are ragged with noise. Long and branched pieces "
            "stay as they are."
        )
        self.roundness.setAccessibleName("Roundness")
        calm_wheel(self.roundness)
        self.size_field = SizeField(
            "Smallest size",
            "Connected pieces of the mask that are smaller are removed. "
            "A protein of 100 kDa fills about 120 000 Å³.",
        )
        self.hole_field = SizeField(
            "Fill holes", "Enclosed holes in the mask of at most this volume are filled."
        )
        self.rows = QFormLayout(self)
        self.rows.setContentsMargins(0, 0, 0, 0)
        self.rows.setVerticalSpacing(4)
        self.rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.rows.addRow("Threshold", self.threshold)
        self.rows.addRow("Roundness", self.roundness)
        self.rows.addRow("Smallest size", self.size_field)
        self.rows.addRow("Fill holes", self.hole_field)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self.changed.emit)
        for signal in (
            self.threshold.valueChanged,
            self.roundness.valueChanged,
            self.size_field.valueChanged,
            self.hole_field.valueChanged,
        ):
            signal.connect(self.ask)

    def choice(self, *, numbered: bool) -> MaskChoice:
        """Return how the mask is to be made."""
        return MaskChoice(
            threshold=round(float(self.threshold.value()), 4),
            roundness=round(float(self.roundness.value()), 4),
            min_size_angstrom3=self.size_field.value(),
            max_hole_angstrom3=self.hole_field.value(),
            numbered=numbered,
        )

    def set_choice(self, choice: MaskChoice) -> None:
        """Show how a mask was made."""
        self.threshold.setValue(choice.threshold)
        self.roundness.setValue(choice.roundness)
        self.size_field.setValue(choice.min_size_angstrom3)
        self.hole_field.setValue(choice.max_hole_angstrom3)

    def show_choice(self, choice: MaskChoice) -> None:
        """Show how a mask was made, without telling of a change."""
        self.set_choice(choice)
        self._timer.stop()

    def ask(self) -> None:
        """Tell of a change soon."""
        if not self._timer.isActive():
            self._timer.start()
