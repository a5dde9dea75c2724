"""The groups of the dock *Vox-UDA 3-D*."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QWidget,
)
from superqt import QLabeledSlider

from napari_voxuda._types import TripleInt
from napari_voxuda.app.space.view import Cut
from napari_voxuda.gui.frame import Group
from napari_voxuda.gui.inputs import calm_wheel, choice_box
from napari_voxuda.gui.layer_box import LayerBox
from napari_voxuda.gui.wrapping import let_wrap

__all__ = ["CutGroup", "HandGroup", "LayersGroup", "group_rows", "int_slider"]

_THICKEST = 50


class LayersGroup(Group):
    """What is shown."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__("Layers")
        self.tomogram_box = LayerBox(
            "Tomogram", "The image through which a plane is shown.", none_text="none"
        )
        self.mask_box = LayerBox(
            "Mask", "The labels whose particles are shown as surfaces.", none_text="none"
        )
        self.probability_box = LayerBox(
            "Probability", "The image from 0 to 1 that is shown at a threshold.", none_text="none"
        )
        rows = group_rows(self)
        for name, box in (
            ("Tomogram", self.tomogram_box),
            ("Mask", self.mask_box),
            ("Probability", self.probability_box),
        ):
            rows.addRow(name, box)
            box.chosen.connect(self.changed.emit)


class HandGroup(Group):
    """How the view is oriented, and which hand that shows."""

    chosen = Signal()
    kept = Signal()
    looked = Signal(object)

    def __init__(self) -> None:
        super().__init__("View")
        self.box = choice_box(
            "Orientation",
            {
                "imod": "As IMOD and ChimeraX (y up)",
                "slices": "True hand, y down as in slices",
                "mirrored": "napari's default (mirrored)",
            },
            "Which way x, y and z point. The data stay as they are: only the camera changes. "
            "napari's default shows tomograms as their mirror image.",
        )
        self.box.setPlaceholderText("set in the viewer")
        self.hand = QLabel()
        let_wrap(self.hand)
        self.hand.setAccessibleName("Hand")
        self.keep_box = QCheckBox("Keep the orientation in slices")
        self.keep_box.setToolTip(
            "Leave the camera oriented like this when you go back to slices. Without, the viewer is "
            "as it was before."
        )
        self.look_buttons: dict[int | None, QPushButton] = {}
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for axis, name in ((None, "Corner"), (0, "z"), (1, "y"), (2, "x")):
            button = QPushButton(name)
            words = "from a corner" if axis is None else f"along {name}"
            button.setToolTip(f"Look at everything {words}.")
            button.setAccessibleName(f"Look {words}")
            button.clicked.connect(lambda _=False, axis=axis: self.looked.emit(axis))
            self.look_buttons[axis] = button
            layout.addWidget(button, 2 if axis is None else 1)
        rows = group_rows(self)
        rows.addRow(self.box)
        rows.addRow(self.hand)
        rows.addRow("Look", row)
        rows.addRow(self.keep_box)
        self.box.activated.connect(lambda _: self.chosen.emit())
        self.keep_box.toggled.connect(lambda _: self.kept.emit())

    def show_hand(self, words: str, *, mirrored: bool, preset: str | None) -> None:
        """Say which hand is shown."""
        self.hand.setText(f"⚠ {words}" if mirrored else words)
        self.hand.setVisible(bool(words))
        font = self.hand.font()
        font.setBold(mirrored)
        self.hand.setFont(font)
        self.box.setCurrentIndex(self.box.findData(preset) if preset is not None else -1)


class CutGroup(Group):
    """The plane through the tomogram, and what it cuts away."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__("Tomogram")
        self._shape: TripleInt = (1, 1, 1)
        self.as_box = choice_box(
            "Show the tomogram as",
            {"plane": "A plane", "volume": "All of it", "hidden": "Hidden"},
            "A plane is drawn at once. All of a large tomogram is slow without a graphics card.",
        )
        self.axis_box = choice_box(
            "Plane across",
            {"0": "z", "1": "y", "2": "x"},
            "The axis across the plane.",
        )
        self.position = int_slider("Position", "The slice in which the plane lies, in voxels.")
        self.thickness = int_slider("Thickness", "Thickness of the plane, in voxels.")
        self.thickness.setRange(1, _THICKEST)
        self.side_box = choice_box(
            "Surfaces",
            {"whole": "Whole", "above": "Larger slices only", "below": "Smaller slices only"},
            "Cut the surfaces, the centres and the probability at the plane: keep all, or what lies in "
            "the larger or the smaller slices.",
        )
        rows = group_rows(self)
        rows.addRow("Show as", self.as_box)
        rows.addRow("Across", self.axis_box)
        rows.addRow("Position", self.position)
        rows.addRow("Thickness", self.thickness)
        rows.addRow("Surfaces", self.side_box)
        self.axis_box.currentIndexChanged.connect(self._axis_changed)
        for signal in (
            self.as_box.currentIndexChanged,
            self.side_box.currentIndexChanged,
            self.position.valueChanged,
            self.thickness.valueChanged,
        ):
            signal.connect(lambda _: self.changed.emit())
        self.as_box.currentIndexChanged.connect(self._enable)

    def cut(self) -> Cut:
        """Return the plane."""
        return Cut(
            axis=int(self.axis_box.currentData()),
            position=self.position.value(),
            thickness=self.thickness.value(),
        )

    def show_shape(self, shape: TripleInt) -> None:
        """Let the plane move within `shape`; in another volume it begins in the middle."""
        if shape != self._shape:
            self._shape = shape
            self._fit()

    def show_position(self, position: int) -> None:
        """Show another position without telling of a change."""
        self.position.blockSignals(True)
        self.position.setValue(position)
        self.position.blockSignals(False)

    def _axis_changed(self) -> None:
        self._fit()
        self.changed.emit()

    def _fit(self) -> None:
        size = self._shape[int(self.axis_box.currentData())]
        self.position.blockSignals(True)
        self.position.setRange(0, max(1, size - 1))
        self.position.setValue(size // 2)
        self.position.blockSignals(False)

    def _enable(self) -> None:
        self.thickness.setEnabled(self.as_box.currentData() == "plane")


def group_rows(group: Group) -> QFormLayout:
    """Add rows of labelled inputs to a group."""
    inner = QWidget()
    rows = QFormLayout(inner)
    rows.setContentsMargins(0, 0, 0, 0)
    rows.setVerticalSpacing(4)
    rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    group.addWidget(inner)
    return rows


def int_slider(name: str, tip: str) -> QLabeledSlider:
    """Return a slider for whole numbers that leaves the wheel to the dock."""
    slider = QLabeledSlider(Qt.Orientation.Horizontal)
    slider.setToolTip(tip)
    slider.setAccessibleName(name)
    calm_wheel(slider)
    return slider
