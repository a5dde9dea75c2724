"""The group of the dock *Vox-UDA 3-D* for surfaces, centres and the probability."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QWidget
from superqt import QLabeledDoubleSlider

from napari_voxuda._params import parameters
from napari_voxuda.app.space.surfaces import SurfaceSettings
from napari_voxuda.gui.frame import Group
from napari_voxuda.gui.inputs import calm_wheel, choice_box
from napari_voxuda.gui.space.groups import group_rows, int_slider
from napari_voxuda.gui.wrapping import let_wrap

__all__ = ["ParticlesGroup"]


class ParticlesGroup(Group):
    """Surfaces, centres, and the probability."""

    changed = Signal()
    recolored = Signal()

    def __init__(self) -> None:
        super().__init__("Particles")
        self._has_probability = False
        self._build()
        self._lay_out()
        self._connect()
        self._enable()

    def _build(self) -> None:
        declared = parameters(SurfaceSettings)
        self.of_box = choice_box(
            "Surfaces of",
            {"mask": "The mask", "probability": "The probability"},
            "What surfaces are made of: the border of the mask, or the probability at the threshold.",
        )
        self.threshold = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
        _declare(self.threshold, declared["threshold"], "Threshold")
        self.threshold.setDecimals(2)
        self.smoothing = int_slider("Smoothing", "")
        _declare(self.smoothing, declared["smoothing"], "Smoothing")
        self.color_box = choice_box(
            "Colours",
            {"particle": "One for each particle", "one": "One for all"},
            "Particles of a numbered mask have the colours of its labels.",
        )
        self.surfaces_box = _check("Surfaces", "Show the particles' surfaces.", checked=True)
        self.centres_box = _check(
            "Centres", "Show a ball of the particle's volume at the centre of each."
        )
        self.rendering_box = _check(
            "Probability, drawn by napari",
            "Show the probability at the threshold as napari's iso-surface. It follows the slider at "
            "once, and is slow for large volumes without a graphics card.",
        )
        self.found = QLabel()
        let_wrap(self.found)
        self.found.setAccessibleName("Surfaces found")

    def _lay_out(self) -> None:
        checks = QWidget()
        layout = QHBoxLayout(checks)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.surfaces_box)
        layout.addWidget(self.centres_box)
        rows = group_rows(self)
        rows.addRow("Made of", self.of_box)
        rows.addRow("Threshold", self.threshold)
        rows.addRow("Smoothing", self.smoothing)
        rows.addRow("Colours", self.color_box)
        rows.addRow("Show", checks)
        rows.addRow(self.rendering_box)
        rows.addRow(self.found)

    def _connect(self) -> None:
        for signal in (
            self.of_box.currentIndexChanged,
            self.threshold.valueChanged,
            self.smoothing.valueChanged,
            self.surfaces_box.toggled,
            self.centres_box.toggled,
            self.rendering_box.toggled,
        ):
            signal.connect(lambda _: self._tell())
        self.color_box.currentIndexChanged.connect(lambda _: self.recolored.emit())

    def settings(self) -> SurfaceSettings:
        """Return how surfaces are made."""
        return SurfaceSettings(
            threshold=round(float(self.threshold.value()), 4), smoothing=self.smoothing.value()
        )

    def show_made(self, words: str, *, stale: bool) -> None:
        """Say what surfaces there are."""
        self.found.setText(f"⚠ {words}" if stale else words)

    def show_probability(self, there: bool) -> None:
        """Enable what needs a probability."""
        self._has_probability = there
        self._enable()

    def _tell(self) -> None:
        self._enable()
        self.changed.emit()

    def _enable(self) -> None:
        self.rendering_box.setEnabled(self._has_probability)
        uses = self.of_box.currentData() == "probability" or (
            self._has_probability and self.rendering_box.isChecked()
        )
        self.threshold.setEnabled(uses)


def _declare(slider: Any, declared: Any, name: str) -> None:
    """Give a slider the range, the default and the help of a declared setting."""
    slider.setRange(declared.minimum, declared.maximum)
    slider.setSingleStep(declared.step)
    slider.setValue(declared.default)
    slider.setToolTip(declared.help)
    slider.setAccessibleName(name)
    calm_wheel(slider)


def _check(text: str, tip: str, *, checked: bool = False) -> QCheckBox:
    box = QCheckBox(text)
    box.setToolTip(tip)
    box.setAccessibleName(text)
    box.setChecked(checked)
    return box
