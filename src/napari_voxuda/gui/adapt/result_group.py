"""The part of *Vox-UDA adapt* that turns the probability into the mask that is wanted."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QLabel,
    QPushButton,
    QWidget,
)

from napari_voxuda.app.mask.refinement import MaskChoice
from napari_voxuda.gui.choices import choice_of
from napari_voxuda.gui.frame import Group
from napari_voxuda.gui.mask_sliders import MaskSliders
from napari_voxuda.gui.remember import Choice
from napari_voxuda.gui.wrapping import breakable, let_wrap

__all__ = ["ResultGroup"]


class ResultGroup(Group):
    """Threshold, roundness, smallest size, holes, numbering, and export of the mask."""

    changed = Signal()
    exported = Signal()
    refined = Signal()
    segmented = Signal()

    def __init__(self) -> None:
        super().__init__("Result", expanded=False)
        self.segment_button = QPushButton("Segment with this run")
        self.segment_button.setToolTip(
            "Segment the target with the finished run that is chosen as run folder. The masks of a folder "
            "become files in the run folder, made as the sliders below say."
        )
        self.sliders = MaskSliders()
        self.threshold_slider = self.sliders.threshold
        self.size_box = self.sliders.size_field.box
        self.number_box = QCheckBox("Number the particles")
        self.number_box.setToolTip("Give each connected piece its own label, the largest first.")
        self.found = QLabel("No mask yet.")
        let_wrap(self.found)
        self.found.setAccessibleName("Found")
        self.export_button = QPushButton("Export mask…")
        self.export_button.setToolTip(
            "Save mask, probability and particles for other programs, with a preview of every file."
        )
        self.refine_button = QPushButton("Correct and refine…")
        self.refine_button.setToolTip(
            "Go on with this mask in the dock “Vox-UDA refine”: a table of the particles, corrections "
            "by brush, and a short training that learns from them."
        )
        self._available, self._for_files = False, False
        self._build()
        self.show_result(False, "No mask yet.")

    def choice(self) -> MaskChoice:
        """Return how the mask is to be made."""
        return self.sliders.choice(numbered=self.number_box.isChecked())

    def choices(self) -> dict[str, Choice]:
        """Return what is remembered."""
        return {"mask": choice_of(self.sliders), "numbered": choice_of(self.number_box)}

    def show_result(self, available: bool, words: str) -> None:
        """Enable the inputs and say what was found."""
        self._available = available
        for widget in (self.number_box, self.export_button, self.refine_button):
            widget.setEnabled(available)
        self.sliders.setEnabled(available or self._for_files)
        self.found.setText(breakable(words))

    def set_for_files(self, for_files: bool) -> None:
        """Let the sliders be set where the masks become files, which are made only once."""
        if for_files and not self._for_files:
            self.expand()  # they may stand as they were left with another target
        self._for_files = for_files
        self.sliders.setEnabled(self._available or for_files)

    def _build(self) -> None:
        inner = QWidget()
        rows = QFormLayout(inner)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setVerticalSpacing(4)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.addRow(self.segment_button)
        rows.addRow(self.sliders)
        rows.addRow(self.number_box)
        rows.addRow(self.found)
        rows.addRow(self.refine_button)
        rows.addRow(self.export_button)
        self.addWidget(inner)
        self.sliders.changed.connect(self.changed.emit)
        self.number_box.toggled.connect(self.sliders.ask)
        self.refine_button.clicked.connect(lambda: self.refined.emit())
        self.export_button.clicked.connect(lambda: self.exported.emit())
        self.segment_button.clicked.connect(lambda: self.segmented.emit())
