"""The part of *Vox-UDA adapt* that turns the probability into the mask that is wanted."""

from __future__ import annotations

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QWidget,
)
from superqt import QLabeledDoubleSlider

from napari_voxuda.app.mask_refinement import MaskChoice
from napari_voxuda.gui.frame import Group
from napari_voxuda.gui.inputs import FloatBox, calm_wheel

__all__ = ["ResultGroup"]

_EVERY_MS = 150


class ResultGroup(Group):
    """Threshold, smallest size, numbering, and export of the mask."""

    changed = Signal()
    exported = Signal()
    segmented = Signal()

    def __init__(self) -> None:
        super().__init__("Result", expanded=False)
        self.segment_button = QPushButton("Segment with this run")
        self.segment_button.setToolTip(
            "Segment the target layer with the finished run that is chosen as run folder."
        )
        self.threshold_slider = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
        self.threshold_slider.setRange(0.01, 0.99)
        self.threshold_slider.setSingleStep(0.01)  # type: ignore[arg-type]
        self.threshold_slider.setDecimals(2)
        self.threshold_slider.setValue(0.5)
        self.threshold_slider.setToolTip(
            "Voxels of at least this probability are in the mask. Ctrl-Z in the viewer takes a "
            "change back."
        )
        self.threshold_slider.setAccessibleName("Threshold")
        calm_wheel(self.threshold_slider)
        self.size_box = FloatBox()
        self.size_box.setRange(0.0, 1e9)
        self.size_box.setSingleStep(10_000.0)
        self.size_box.setSuffix(" Å³")
        self.size_box.setToolTip(
            "Connected pieces of the mask that are smaller are removed. "
            "A protein of 100 kDa fills about 120 000 Å³."
        )
        self.size_box.setAccessibleName("Smallest size")
        self.number_box = QCheckBox("Number the particles")
        self.number_box.setToolTip("Give each connected piece its own label, the largest first.")
        self.found = QLabel("No mask yet.")
        self.found.setWordWrap(True)
        self.found.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.found.setAccessibleName("Found")
        self.export_button = QPushButton("Export mask…")
        self.export_button.setToolTip("Save the mask as MRC with the tomogram's header.")
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_EVERY_MS)
        self._build()
        self.show_result(False, "No mask yet.")

    def choice(self) -> MaskChoice:
        """Return how the mask is to be made."""
        return MaskChoice(
            threshold=round(float(self.threshold_slider.value()), 4),
            min_size_angstrom3=self.size_box.value(),
            numbered=self.number_box.isChecked(),
        )

    def show_result(self, available: bool, words: str) -> None:
        """Enable the inputs and say what was found."""
        for widget in (self.threshold_slider, self.size_box, self.number_box, self.export_button):
            widget.setEnabled(available)
        self.found.setText(words)

    def _build(self) -> None:
        inner = QWidget()
        rows = QFormLayout(inner)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setVerticalSpacing(4)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.addRow(self.segment_button)
        rows.addRow("Threshold", self.threshold_slider)
        rows.addRow("Smallest size", self.size_box)
        rows.addRow(self.number_box)
        rows.addRow(self.found)
        rows.addRow(self.export_button)
        self.addWidget(inner)
        for signal in (
            self.threshold_slider.valueChanged,
            self.size_box.valueChanged,
            self.number_box.toggled,
        ):
            signal.connect(self._ask)
        self._timer.timeout.connect(self.changed.emit)
        self.export_button.clicked.connect(lambda: self.exported.emit())
        self.segment_button.clicked.connect(lambda: self.segmented.emit())

    def _ask(self) -> None:
        if not self._timer.isActive():
            self._timer.start()
