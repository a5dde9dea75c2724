"""The groups of the dock *Vox-UDA refine*."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QWidget,
)

from napari_voxuda.app.mask.layers import MARK_COLORS
from napari_voxuda.app.refine.view import VersionLine
from napari_voxuda.app.scene import LayerKey
from napari_voxuda.data.corrections import BACKGROUND, PARTICLE
from napari_voxuda.gui.frame import Group
from napari_voxuda.gui.inputs import choice_box
from napari_voxuda.gui.layer_box import LayerBox
from napari_voxuda.gui.mask_sliders import MaskSliders
from napari_voxuda.gui.path_row import PathRow, ask_folder
from napari_voxuda.gui.refine.particle_table import ParticleTable
from napari_voxuda.gui.swatch import swatch
from napari_voxuda.gui.wrapping import let_wrap

__all__ = ["CorrectionsGroup", "MaskGroup", "ParticlesGroup", "RunGroup", "UncertaintyGroup"]


class RunGroup(Group):
    """Tomogram, run, and the versions of its model."""

    run_changed = Signal()
    segmented = Signal()
    restored = Signal(int)

    def __init__(self) -> None:
        super().__init__("Tomogram and run")
        self.layer_box = LayerBox("Tomogram", "The image layer whose mask is corrected.")
        self.run_row = PathRow(
            "Choose…", "The folder of a finished run.", "no run chosen", ask_folder, "run"
        )
        self.version_box = choice_box(
            "Version",
            {},
            "The models of this run. Each refinement adds one and none is ever lost: "
            "choose an earlier one to go back to it.",
        )
        self.restore_button = _button(
            "Use this version", "Make this version the run's model and segment again."
        )
        self.segment_button = _button(
            "Segment", "Segment the tomogram with the run and begin to correct its mask."
        )
        inner = QWidget()
        self._rows = QFormLayout(inner)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setVerticalSpacing(4)
        self._rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._rows.addRow("Tomogram", self.layer_box)
        self._rows.addRow("Run", self.run_row)
        self._rows.addRow("Version", self.version_box)
        self._rows.addRow(self.restore_button)
        self._rows.addRow(self.segment_button)
        self.addWidget(inner)
        self.run_row.changed.connect(self.run_changed.emit)
        self.segment_button.clicked.connect(lambda: self.segmented.emit())
        self.version_box.currentIndexChanged.connect(lambda _: self._update())
        self.restore_button.clicked.connect(
            lambda: self.restored.emit(int(self.version_box.currentData()))
        )
        self._current: int | None = None
        self.show_versions([])

    def choose(self, layer: LayerKey | None, run: Path | None) -> None:
        """Show another tomogram and run."""
        self.layer_box.set_key(layer)
        self.run_row.set_paths([run] if run is not None else [])

    def show_versions(self, versions: Sequence[VersionLine]) -> None:
        """Show the versions of the run; nothing where there is no choice."""
        self._current = next((v.number for v in versions if v.current), None)
        self.version_box.clear()
        for version in versions:
            sign = " ✓" if version.current else ""
            self.version_box.addItem(version.name + sign, version.number)
        self.version_box.setCurrentIndex(self.version_box.findData(self._current))
        for widget in (self.version_box, self.restore_button):
            self._rows.setRowVisible(widget, len(versions) > 1)
        self.segment_button.setEnabled(bool(versions))
        self._update()

    def _update(self) -> None:
        chosen = self.version_box.currentData()
        self.restore_button.setEnabled(chosen is not None and chosen != self._current)


class MaskGroup(Group):
    """The sliders, what was found, and export."""

    changed = Signal()
    exported = Signal()

    def __init__(self) -> None:
        super().__init__("Mask")
        self.sliders = MaskSliders()
        self.found = _label("No mask yet", "Found")
        self.export_button = _button(
            "Export mask…",
            "Save mask, probability and particles for other programs, with a preview of every file.",
        )
        self.addWidget(self.sliders)
        self.addWidget(_row(self.found, self.export_button, stretch=(1, 0)))
        self.sliders.changed.connect(self.changed.emit)
        self.export_button.clicked.connect(lambda: self.exported.emit())


class ParticlesGroup(Group):
    """The table and what can be done with its particles."""

    visited = Signal(object)
    deleted = Signal(object)
    merged = Signal(object)
    split = Signal(object)

    def __init__(self) -> None:
        super().__init__("Particles")
        self.table = ParticleTable()
        self.delete_button = _button(
            "Delete",
            "Make the selected particles background; Refine learns from it. Ctrl-Z on the mask's "
            "layer takes it back.",
        )
        self.merge_button = _button(
            "Merge", "Give the selected particles one number, which they keep."
        )
        self.split_button = _button(
            "Split", "Divide the selected particle where it is thinnest, by a cut of one voxel."
        )
        self.addWidget(self.table)
        self.addWidget(_row(self.delete_button, self.merge_button, self.split_button))
        self.table.visited.connect(self.visited.emit)
        self.table.selected.connect(self._update)
        self.table.deleted.connect(lambda: self.deleted.emit(self.table.chosen()))
        self.delete_button.clicked.connect(lambda: self.deleted.emit(self.table.chosen()))
        self.merge_button.clicked.connect(lambda: self.merged.emit(self.table.chosen()))
        self.split_button.clicked.connect(lambda: self.split.emit(self.table.chosen()))
        self._update()

    def _update(self) -> None:
        count = len(self.table.chosen())
        self.delete_button.setEnabled(count > 0)
        self.merge_button.setEnabled(count > 1)
        self.split_button.setEnabled(count == 1)


class CorrectionsGroup(Group):
    """Brushes for corrections."""

    painted = Signal(int)
    cleared = Signal()

    def __init__(self) -> None:
        super().__init__("Corrections")
        self.particle_button = _button(
            "Particle", "Paint what belongs to a particle: press this, then paint on the tomogram."
        )
        self.background_button = _button(
            "Background", "Paint what belongs to no particle: press this, then paint."
        )
        self.erase_button = _button(
            "Erase", "Take corrections back with the brush; the network decides there again."
        )
        self.clear_button = _button("Clear all", "Take every correction back; Ctrl-Z undoes it.")
        self.particle_button.setIcon(swatch(MARK_COLORS[PARTICLE]))
        self.background_button.setIcon(swatch(MARK_COLORS[BACKGROUND]))
        self.count = _label("Nothing corrected yet.", "Corrected")
        brushes = (self.particle_button, self.background_button, self.erase_button)
        self.addWidget(_row(*brushes, stretch=(3, 4, 2)))
        self.addWidget(_row(self.count, self.clear_button, stretch=(1, 0)))
        for mark, button in zip((PARTICLE, BACKGROUND, 0), brushes, strict=True):
            button.clicked.connect(lambda _=False, mark=mark: self.painted.emit(mark))
        self.clear_button.clicked.connect(lambda: self.cleared.emit())


class UncertaintyGroup(Group):
    """Where to look next."""

    asked = Signal()
    went_on = Signal()
    went_back = Signal()

    def __init__(self) -> None:
        super().__init__("Where to look")
        self.find_button = _button(
            "Find uncertain places",
            "Ask both networks of the run about all mirror images of the tomogram, and go where "
            "most voxels are undecided.",
        )
        self.previous_button = _button("◀", "Go back to the place before.")
        self.next_button = _button(
            "▶", "Go to the next most uncertain place; places seen or corrected are left out."
        )
        self.previous_button.setAccessibleName("Previous place")
        self.next_button.setAccessibleName("Next place")
        self.place = _label("Where to correct first", "Place")
        self.place.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.addWidget(self.find_button)
        walk = (self.previous_button, self.place, self.next_button)
        self.addWidget(_row(*walk, stretch=(0, 1, 0)))
        self.find_button.clicked.connect(lambda: self.asked.emit())
        self.previous_button.clicked.connect(lambda: self.went_back.emit())
        self.next_button.clicked.connect(lambda: self.went_on.emit())
        self.show_place(self.place.text(), can_walk=False)

    def show_place(self, words: str, *, can_walk: bool) -> None:
        """Say which place is shown, and whether there are more."""
        self.place.setText(words)
        self.previous_button.setEnabled(can_walk)
        self.next_button.setEnabled(can_walk)


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setAccessibleName(text.strip("… "))
    return button


def _label(text: str, name: str) -> QLabel:
    label = QLabel(text)
    let_wrap(label)
    label.setAccessibleName(name)
    return label


def _row(*widgets: QWidget, stretch: Sequence[int] | None = None) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(4)
    for widget, share in zip(widgets, stretch or (1,) * len(widgets), strict=True):
        layout.addWidget(widget, share)
    return row
