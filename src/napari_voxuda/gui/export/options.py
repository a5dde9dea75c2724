"""What is written and where: the inputs of the export window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QGridLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_voxuda.app.export.choice import (
    FORMAT_WORDS,
    ExportChoice,
    ExportOffer,
    ExportOption,
)
from napari_voxuda.app.export.job import ExportFormat
from napari_voxuda.app.scene import LayerChoice, LayerKey
from napari_voxuda.gui.inputs import FloatBox, choice_box
from napari_voxuda.gui.layer_box import LayerBox
from napari_voxuda.gui.path_row import PathRow, ask_files, ask_folder
from napari_voxuda.io.copick import CopickOwner

__all__ = ["ExportOptions"]

_TWO_COLUMNS = 370
_PARTICLES = {
    "auto": "Automatic",
    "labels": "Each label",
    "components": "Each piece",
}


class ExportOptions(QWidget):
    """Masks, formats, place and the options that the formats need."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._proposed = ""
        self._columns = 0
        self._build()
        self._connect()

    def choice(self) -> ExportChoice:
        """Return the inputs."""
        return ExportChoice(
            layers=self.masks(),
            formats=tuple(f for f, box in self.format_boxes.items() if box.isChecked()),
            folder=self.folder_row.path(),
            name=self.name_line.text().strip(),
            overwrite=bool(self.overwrite_box.isChecked()),
            probability=self.probability_box.key(),
            particles_from=self.particles_box.currentData(),
            run=self.run_line.text(),
            coordinate_pixel_angstrom=float(self.pixel_box.value()) or None,
            label_names=self.names_line.text(),
            zarr_version=self.version_box.currentData(),
            user=self.user_line.text(),
            session=self.session_line.text(),
            object_name=self.object_line.text(),
            project=self.project_row.path(),
            image=_zarr_folder(self.image_row.path()),
        )

    def masks(self) -> tuple[LayerKey, ...]:
        """Return the chosen masks."""
        items = [self.mask_list.item(row) for row in range(self.mask_list.count())]
        return tuple(
            item.data(Qt.ItemDataRole.UserRole)
            for item in items
            if item is not None and item.checkState() == Qt.CheckState.Checked
        )

    def show_layers(self, masks: list[LayerChoice], probabilities: list[LayerChoice]) -> None:
        """Show the layers to choose from; the chosen ones stay chosen."""
        self._list_masks(masks, self.masks())
        self.probability_box.show_choices(probabilities)

    def show_offer(self, offer: ExportOffer, folder: Path | None, pixel: float | None) -> None:
        """Show what is chosen at first."""
        items = [self.mask_list.item(row) for row in range(self.mask_list.count())]
        known = [
            LayerChoice(key=item.data(Qt.ItemDataRole.UserRole), name=item.text())
            for item in items
            if item is not None
        ]
        self._list_masks(known, offer.layers)
        for chosen, box in self.format_boxes.items():
            box.setChecked(chosen in offer.formats)
        if offer.probability is not None:
            self.probability_box.setCurrentIndex(1)
        if folder is not None:
            self.folder_row.set_paths([folder])
        if pixel is not None:
            self.pixel_box.setValue(pixel)

    def show_name(self, name: str, *, editable: bool) -> None:
        """Propose a name, unless the user has typed one; several masks keep their own."""
        if not self.name_line.isEnabled() or self.name_line.text() in ("", self._proposed):
            self.name_line.blockSignals(True)
            self.name_line.setText(name)
            self.name_line.blockSignals(False)
        self._proposed = name
        self.name_line.setEnabled(editable)
        self.name_line.setPlaceholderText("" if editable else "the names of the layers")
        self.run_line.setPlaceholderText(
            self.name_line.text() if editable else "the names of the layers"
        )

    def show_options(self, options: frozenset[ExportOption]) -> None:
        """Show the options that are needed, and no others."""
        for option, rows in self._rows.items():
            for row in rows:
                self.form.setRowVisible(row, option in options)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """List the formats in two columns where there is room, else in one."""
        super().resizeEvent(event)
        self._arrange_formats(2 if self.width() >= _TWO_COLUMNS else 1)

    def _arrange_formats(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        rows = -(-len(self.format_boxes) // columns)
        for place, box in enumerate(self.format_boxes.values()):
            self._grid.addWidget(box, place % rows, place // rows)

    def _list_masks(self, masks: list[LayerChoice], chosen: tuple[LayerKey, ...]) -> None:
        before = self.masks()
        self.mask_list.blockSignals(True)
        self.mask_list.clear()
        for mask in masks:
            item = QListWidgetItem(mask.name)
            item.setData(Qt.ItemDataRole.UserRole, mask.key)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
            on = mask.key in chosen
            item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
            self.mask_list.addItem(item)
        self.mask_list.blockSignals(False)
        if self.masks() != before:
            self.changed.emit()

    def _build(self) -> None:
        self.mask_list = QListWidget()
        self.mask_list.setFixedHeight(64)
        self.mask_list.setToolTip("The labels layers that are exported.")
        self.mask_list.setAccessibleName("Masks")
        self.format_boxes: dict[ExportFormat, QCheckBox] = {}
        formats = QWidget()
        self._grid = QGridLayout(formats)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(2)
        for chosen, (title, tip) in FORMAT_WORDS.items():
            self.format_boxes[chosen] = QCheckBox(title)
            self.format_boxes[chosen].setToolTip(tip)
        self._arrange_formats(2)
        self._build_fields()
        rows = QWidget()
        self.form = QFormLayout(rows)
        self.form.setContentsMargins(0, 0, 0, 0)
        self.form.setVerticalSpacing(4)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.form.addRow("Masks", self.mask_list)
        self.form.addRow(formats)
        self._rows: dict[ExportOption, list[QWidget]] = {}
        self._add("folder", "Folder", self.folder_row)
        self.form.addRow("Name", self.name_line)
        self._add("probability", "Probability", self.probability_box)
        self._add("particles", "Particles", self.particles_box)
        self._add("run", "Tomogram", self.run_line)
        self._add("pixel", "Unbinned pixel", self.pixel_box)
        self._add("label_names", "Label names", self.names_line)
        self._add("zarr_version", "OME-Zarr", self.version_box)
        self._add("image", "Image", self.image_row)
        self._add("copick", "User", self.user_line)
        self._add("copick", "Session", self.session_line)
        self._add("copick", "Object", self.object_line)
        self._add("copick", "Project", self.project_row)
        self.form.addRow(self.overwrite_box)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 6, 0)
        column.addWidget(rows)
        column.addStretch(1)

    def _build_fields(self) -> None:
        self.folder_row = PathRow(
            "Choose…", "The folder to write into.", "none yet", ask_folder, "folder to write into"
        )
        self.name_line = _line("Name", "What the names of the files begin with.")
        self.probability_box = LayerBox(
            "Probability",
            "The foreground probability of the mask, which gives the particles their scores.",
            none_text="none: every score is 1",
        )
        self.particles_box = choice_box(
            "Particles",
            _PARTICLES,
            "What is one particle: each label, or each connected piece. Automatic takes the labels of a mask "
            "that has several, else its pieces.",
        )
        self.run_line = _line(
            "Tomogram", "Name of the tomogram as RELION (rlnTomoName) and copick (run) know it."
        )
        self.pixel_box = FloatBox()
        self.pixel_box.setRange(0.0, 1000.0)
        self.pixel_box.setSuffix(" Å")
        self.pixel_box.setSpecialValueText("as the mask")
        self.pixel_box.setAccessibleName("Unbinned pixel")
        self.pixel_box.setToolTip(
            "Å per pixel of the unbinned tilt series, in whose pixels RELION 4 counts: the voxel size "
            "divided by the binning."
        )
        self.names_line = _line(
            "Label names", "What the labels mean, such as: 1=ribosome, 2=membrane"
        )
        self.names_line.setPlaceholderText("1=ribosome, 2=membrane")
        self.version_box = choice_box(
            "OME-Zarr",
            {"0.4": "0.4", "0.5": "0.5"},
            "Version of OME-Zarr; most programs read 0.4.",
        )
        self.image_row = PathRow(
            "Choose…",
            "The zarr.json or .zattrs in the folder of the OME-Zarr image that gets the labels.",
            "none yet",
            lambda parent, title: ask_files(parent, title, "OME-Zarr (zarr.json .zattrs)"),
            "OME-Zarr image",
        )
        self._build_copick()
        self.overwrite_box = QCheckBox("Replace files that exist")
        self.overwrite_box.setToolTip("Without the tick nothing is ever replaced.")

    def _build_copick(self) -> None:
        owner = CopickOwner()
        self.user_line = _line("User", "copick's user; underscores become dashes.", owner.user)
        self.session_line = _line("Session", "copick's session.", owner.session)
        self.object_line = _line("Object", "copick's object.", owner.object_name)
        self.project_row = PathRow(
            "Choose…",
            "The JSON file of the copick project that is written into; without, its folders are made in "
            "the folder.",
            "folders of its own",
            lambda parent, title: ask_files(parent, title, "copick project (*.json)"),
            "copick project",
        )

    def _add(self, option: ExportOption, title: str, field: QWidget) -> None:
        self.form.addRow(title, field)
        self._rows.setdefault(option, []).append(field)

    def _connect(self) -> None:
        signals: list[Any] = [box.toggled for box in self.format_boxes.values()]
        signals += [row.changed for row in (self.folder_row, self.image_row, self.project_row)]
        signals += [box.currentIndexChanged for box in (self.particles_box, self.version_box)]
        lines = (
            self.name_line,
            self.run_line,
            self.names_line,
            self.user_line,
            self.session_line,
            self.object_line,
        )
        signals += [line.textChanged for line in lines]
        signals += [
            self.mask_list.itemChanged,
            self.probability_box.chosen,
            self.pixel_box.valueChanged,
            self.overwrite_box.toggled,
        ]
        for signal in signals:
            signal.connect(lambda *_: self.changed.emit())


def _line(name: str, tip: str, text: str = "") -> QLineEdit:
    line = QLineEdit(text)
    line.setToolTip(tip)
    line.setAccessibleName(name)
    return line


def _zarr_folder(path: Path | None) -> Path | None:
    """Return the folder of an image, of which a file was chosen."""
    return path.parent if path is not None and path.is_file() else path
