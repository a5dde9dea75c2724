"""The part of *Vox-UDA adapt* that says what is adapted to."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QLabel, QPushButton, QWidget

from napari_voxuda.app.scene import LayerChoice, LayerKey
from napari_voxuda.gui.adapt.layer_list import LayerList
from napari_voxuda.gui.frame import Group
from napari_voxuda.gui.inputs import FloatBox, choice_box
from napari_voxuda.gui.layer_box import LayerBox
from napari_voxuda.gui.path_row import MRC_FILTER, PathRow, ask_files, ask_folder
from napari_voxuda.gui.wrapping import breakable, let_wrap

__all__ = ["TargetGroup"]

_CONTRASTS = {
    "auto": "Automatic",
    "bright": "Protein is bright",
    "dark": "Protein is dark",
}


_PICKS_FILTER = "Picks (*.star *.json *.ndjson *.csv);;All files (*)"


class TargetGroup(Group):
    """Tomogram layers or a folder, picks, voxel size and contrast."""

    changed = Signal()
    opened = Signal(object)

    def __init__(self) -> None:
        super().__init__("Target")
        self._build_inputs()
        self._build_appearance()
        self._build()
        self._connect()
        self._show_kind()

    def _build_inputs(self) -> None:
        self.open_button = QPushButton("Open tomogram…")
        self.open_button.setToolTip(
            "Open a tomogram (MRC, EM, TIFF; of an OME-Zarr folder choose zarr.json or .zattrs) as a layer "
            "and choose it as target. Choose several files to adapt to all of them."
        )
        self.open_button.setAccessibleName("Open tomogram")
        self.kind_box = choice_box(
            "Target",
            {
                "layer": "A tomogram layer",
                "layers": "Several tomograms",
                "folder": "A folder",
            },
            "Adapt to boxes cut from a tomogram in the viewer, from several of one voxel size, or to a folder of "
            "subtomograms or tomograms.",
        )
        self.layer_box = LayerBox("Tomogram", "The image layer that the network is adapted to.")
        self.layer_list = LayerList(
            "Tomograms",
            "Tick the image layers that the network is adapted to, at least one. They need one voxel size.",
        )
        self.picks_box = LayerBox(
            "Picks",
            "A points layer at the particles: boxes are cut there instead of at random.",
            none_text="None: random places",
        )
        self.folder_row = PathRow(
            "Choose…",
            "A folder of MRC subtomograms of one size, or of tomograms of one voxel size.",
            "no folder chosen",
            ask_folder,
            "folder of subtomograms or tomograms",
        )
        self.picks_row = PathRow(
            "From file…",
            "Take the picks of a file instead: STAR (RELION), copick JSON, ndjson or CSV. Of a STAR file "
            "of several tomograms those of the name of this one count.",
            "no file",
            lambda parent, title: ask_files(parent, "Picks from file", _PICKS_FILTER)[:1],
        )

    def _build_appearance(self) -> None:
        self.voxel_box = FloatBox()
        self.voxel_box.setMinimumWidth(60)
        self.voxel_box.setRange(0.0, 1000.0)
        self.voxel_box.setSingleStep(0.1)
        self.voxel_box.setSuffix(" Å")
        self.voxel_box.setSpecialValueText("unknown")
        self.voxel_box.setToolTip(
            "Edge of a voxel; the simulated source is made to match it. "
            "Filled from the layer; type it where the file does not tell it."
        )
        self.voxel_box.setAccessibleName("Voxel size")
        self.voxel_note = _note("Voxel size, where from")
        self.contrast_box = choice_box(
            "Contrast",
            _CONTRASTS,
            "Raw tomograms mostly show protein dark, processed ones often bright. "
            "With the wrong choice nothing is found.",
        )
        self.contrast_note = _note("Detected contrast")

    def _connect(self) -> None:
        self.kind_box.currentIndexChanged.connect(self._show_kind)
        self.layer_box.chosen.connect(self.changed.emit)
        self.layer_list.chosen.connect(self.changed.emit)
        self.folder_row.changed.connect(self.changed.emit)
        self.picks_row.changed.connect(
            lambda: self.picks_box.setEnabled(self.picks_row.path() is None)
        )
        self.open_button.clicked.connect(self._ask_open)

    def layer(self) -> LayerKey | None:
        """Return the chosen tomogram layer, or the first of several; None while a folder is the target."""
        return next(iter(self.layers()), None)

    def layers(self) -> list[LayerKey]:
        """Return the chosen tomogram layers; none while a folder is the target."""
        if self._kind() == "layers":
            return self.layer_list.keys()
        key = self.layer_box.key()
        return [] if self._is_folder() or key is None else [key]

    def choose(self, key: LayerKey) -> None:
        """Choose a layer, or tick it where several can be chosen."""
        self.layer_box.set_key(key)
        if self._kind() == "layers":
            self.layer_list.tick([key])

    def folder(self) -> Path | None:
        """Return the chosen folder, or None while a layer is the target."""
        return self.folder_row.path() if self._is_folder() else None

    def picks(self) -> LayerKey | None:
        """Return the chosen points layer; None where a file or several tomograms are chosen."""
        unused = self._kind() != "layer" or self.picks_row.path() is not None
        return None if unused else self.picks_box.key()

    def picks_file(self) -> Path | None:
        """Return the chosen file of picks."""
        return None if self._is_folder() else self.picks_row.path()

    def wants_folder(self) -> bool:
        """Whether the target is a folder, chosen or not."""
        return self._is_folder()

    def voxel_size_angstrom(self) -> float | None:
        """Return the voxel size in Å; None while unknown."""
        return self.voxel_box.value() or None

    def contrast(self) -> Literal["auto", "bright", "dark"]:
        """Return the chosen contrast."""
        value: Literal["auto", "bright", "dark"] = self.contrast_box.currentData()
        return value

    def show_layers(self, images: list[LayerChoice], points: list[LayerChoice]) -> None:
        """Show the layers to choose from."""
        self.layer_box.show_choices(images)
        self.layer_list.show_choices(images)
        self.picks_box.show_choices(points)

    def show_voxel_size(self, voxel_size_angstrom: float | None, note: str) -> None:
        """Show the voxel size and where it is from."""
        self.voxel_box.setValue(round(voxel_size_angstrom or 0.0, 4))
        self.voxel_note.setText(note)

    def show_contrast(self, words: str) -> None:
        """Show what the contrast looks like."""
        self.contrast_note.setText(breakable(words))
        self.contrast_note.setVisible(bool(words))

    def _build(self) -> None:
        inner = QWidget()
        self._rows = QFormLayout(inner)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setVerticalSpacing(4)
        self._rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._rows.addRow(self.open_button)
        self._rows.addRow("Adapt to", self.kind_box)
        self._rows.addRow("Tomogram", self.layer_box)
        self._rows.addRow("Tomograms", self.layer_list)
        self._rows.addRow("Folder", self.folder_row)
        self._rows.addRow("Picks", self.picks_box)
        self.picks_label = QLabel()  # the row has the name where no layer can be chosen
        self._rows.addRow(self.picks_label, self.picks_row)
        self._rows.addRow("Voxel size", self.voxel_box)
        self._rows.addRow("", self.voxel_note)
        self._rows.addRow("Contrast", self.contrast_box)
        self._rows.addRow(self.contrast_note)
        self.addWidget(inner)

    def _kind(self) -> str:
        return str(self.kind_box.currentData())

    def _is_folder(self) -> bool:
        return self._kind() == "folder"

    def _show_kind(self) -> None:
        kind, folder = self._kind(), self._is_folder()
        self._rows.setRowVisible(self.layer_box, kind == "layer")
        self._rows.setRowVisible(self.layer_list, kind == "layers")
        self._rows.setRowVisible(self.picks_box, kind == "layer")
        self._rows.setRowVisible(self.picks_row, not folder)
        self._rows.setRowVisible(self.folder_row, folder)
        self.picks_label.setText("Picks" if kind == "layers" else "")
        if kind == "layers" and not self.layer_list.keys():
            self.layer_list.tick([self.layer_box.key()])
        if folder:
            self.show_voxel_size(None, "From the files, unless you type another.")
        self.changed.emit()

    def _ask_open(self) -> None:
        paths = ask_files(self, "Open tomogram", MRC_FILTER)
        if len(paths) > 1 and self._kind() != "layers":
            self.layer_box.set_none()  # the files are the target, and no layer besides
            self.kind_box.setCurrentIndex(self.kind_box.findData("layers"))
        for path in paths:
            self.opened.emit(path)


def _note(name: str) -> QLabel:
    note = QLabel()
    note.setAccessibleName(name)
    let_wrap(note)
    return note
