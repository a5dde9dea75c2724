"""The part of *Denoise (IBF)* that says what the live preview shows on which side."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QFormLayout, QSlider, QWidget

from napari_voxuda.app.denoise.compare import CompareChoice
from napari_voxuda.app.denoise.names import SHORT_NAMES, MethodName, Side
from napari_voxuda.gui.frame import Group
from napari_voxuda.gui.inputs import calm_wheel, choice_box

__all__ = ["CompareGroup"]

_STEPS = 1000


class CompareGroup(Group):
    """Preview switch, the two sides, the divider between them, and the difference image."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__("Compare")
        self.preview_box = QCheckBox("Live preview on the current slice")
        self.preview_box.setToolTip(
            "Denoise what is visible of the current slice again whenever a parameter, the slice "
            "or the view changes; it is shown as a layer of its own above the tomogram."
        )
        self.addWidget(self.preview_box)
        names: dict[str, str] = {
            side: name[0].upper() + name[1:] for side, name in SHORT_NAMES.items()
        }
        self.left_box = choice_box("Left side", names, "What is shown left of the divider.")
        self.right_box = choice_box("Right side", names, "What is shown right of the divider.")
        self.divider_slider = QSlider(Qt.Orientation.Horizontal)
        self.divider_slider.setRange(0, _STEPS)
        self.divider_slider.setPageStep(_STEPS // 10)
        self.divider_slider.setSingleStep(_STEPS // 100)
        self.divider_slider.setToolTip(
            "Where the left side ends. The line in the viewer can be dragged with the mouse, too."
        )
        self.divider_slider.setAccessibleName("Divider")
        calm_wheel(self.divider_slider)
        inner = QWidget()
        rows = QFormLayout(inner)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setVerticalSpacing(4)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.addRow("Left", self.left_box)
        rows.addRow("Right", self.right_box)
        rows.addRow("Divider", self.divider_slider)
        self.addWidget(inner)
        self.difference_box = QCheckBox("Difference: raw − denoised")
        self.difference_box.setToolTip(
            "Show what a denoiser takes away instead of what it leaves. That should look like noise: "
            "where a structure is seen in it, the filter is too strong."
        )
        self.addWidget(self.difference_box)
        choice = CompareChoice()
        self.left_box.setCurrentIndex(self.left_box.findData(choice.left))
        self.right_box.setCurrentIndex(self.right_box.findData(choice.right))
        self.show_divider(choice.divider)
        for box in (self.left_box, self.right_box):
            box.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.divider_slider.valueChanged.connect(lambda _: self.changed.emit())
        self.difference_box.toggled.connect(lambda _: self.changed.emit())

    def choice(self) -> CompareChoice:
        """Return what lies on which side."""
        left: Side = self.left_box.currentData()
        right: Side = self.right_box.currentData()
        return CompareChoice(
            left=left,
            right=right,
            divider=self.divider_slider.value() / _STEPS,
            difference=bool(self.difference_box.isChecked()),
        )

    def bring_in(self, method: MethodName) -> None:
        """Show `method` on the right unless it is on one of the sides already."""
        if method not in (self.left_box.currentData(), self.right_box.currentData()):
            self.right_box.setCurrentIndex(self.right_box.findData(method))

    def show_divider(self, place: float) -> None:
        """Show where the divider is, without telling of a change."""
        self.divider_slider.blockSignals(True)
        self.divider_slider.setValue(round(place * _STEPS))
        self.divider_slider.blockSignals(False)
