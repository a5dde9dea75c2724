"""The part of *Vox-UDA adapt* that says what labelled data are simulated from."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QLabel, QPushButton, QWidget

from napari_voxuda.app.adapt.request import LabelledLayers
from napari_voxuda.app.scene import LayerChoice
from napari_voxuda.errors import InputError
from napari_voxuda.gui.adapt.entry_row import EntryRow
from napari_voxuda.gui.choices import choice_of
from napari_voxuda.gui.config_form import ConfigForm
from napari_voxuda.gui.frame import Group
from napari_voxuda.gui.inputs import choice_box
from napari_voxuda.gui.layer_box import LayerBox
from napari_voxuda.gui.path_row import PathRow, ask_files, ask_folder
from napari_voxuda.gui.remember import Choice
from napari_voxuda.gui.wrapping import let_wrap
from napari_voxuda.simulation.settings import SourceSettings

__all__ = ["SourceGroup"]

_KINDS = {
    "phantom": "Built-in phantoms",
    "pdb": "Entries of the PDB",
    "files": "Structures or maps",
    "folder": "Labelled pairs",
    "layers": "Labelled tomogram",
}
_FILES = "Structures and maps (*.pdb *.ent *.cif *.mmcif *.mrc *.map *.rec *.gz);;All files (*)"
_FROM_ELSEWHERE = ("kind", "files", "voxel_size_angstrom")


class SourceGroup(Group):
    """Built-in phantoms, PDB entries, files or a folder, and how they are imaged."""

    gap_asked = Signal()

    def __init__(self) -> None:
        super().__init__("Source")
        self._build_inputs()
        self._build_rows()
        self._build_simulation()
        self.kind_box.currentIndexChanged.connect(self._show_kind)
        self.entry_row.group_chosen.connect(self._show_published)
        self._show_kind()

    def _build_inputs(self) -> None:
        self.kind_box = choice_box(
            "Source",
            _KINDS,
            "What the network learns from: simulated molecules with known masks. Phantoms are "
            "built in; structures from the Protein Data Bank, or structure files (PDB, mmCIF) or "
            "maps (MRC) of your own, may fit better.",
        )
        self.entry_row = EntryRow()
        self.files_row = PathRow(
            "Choose…",
            "Structure files (PDB, mmCIF) or density maps (MRC), of one kind.",
            "no file chosen",
            lambda parent, title: ask_files(parent, "Choose structures or maps", _FILES),
            "structures or maps",
        )
        self.folder_row = PathRow(
            "Choose…",
            "A folder that holds NAME.mrc and NAME_mask.mrc for each subtomogram.",
            "no folder chosen",
            ask_folder,
            "folder of pairs",
        )
        self.image_box = LayerBox(
            "Labelled tomogram", "The image layer whose particles are labelled."
        )
        self.labels_box = LayerBox(
            "Its labels",
            "The labels of every particle in that tomogram: what is not labelled is learnt as background. Of a "
            "large tomogram cut out a part and label that.",
        )
        self.labels_box.setPlaceholderText("no labels of three dimensions")
        self.contrast_box = choice_box(
            "Contrast of the labelled tomogram",
            {"auto": "Automatic", "bright": "Protein is bright", "dark": "Protein is dark"},
            "Automatic compares the labelled voxels with the others.",
        )

    def _build_rows(self) -> None:
        inner = QWidget()
        self._rows = QFormLayout(inner)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setVerticalSpacing(4)
        self._rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._rows.addRow("Learn from", self.kind_box)
        self._rows.addRow("Identifiers", self.entry_row)
        self._rows.addRow("Files", self.files_row)
        self._rows.addRow("Folder", self.folder_row)
        self._rows.addRow("Tomogram", self.image_box)
        self._rows.addRow("Labels", self.labels_box)
        self._rows.addRow("Contrast", self.contrast_box)
        self.addWidget(inner)

    def _build_simulation(self) -> None:
        self.form = ConfigForm(SourceSettings(), exclude=_FROM_ELSEWHERE)
        imaging = Group("Simulation settings", expanded=False)
        self.cut_note = QLabel(
            "For boxes that are cut from data only their number and size count here, and of a labelled "
            "tomogram the share of empty ones."
        )
        let_wrap(self.cut_note)
        imaging.addWidget(self.cut_note)
        imaging.addWidget(self.form)
        self.addWidget(imaging)
        self.gap_button = QPushButton("Show the domain gap")
        self.gap_button.setToolTip(
            "Simulate a few boxes and compare them with the target, before and after noise matching: "
            "spectra, histograms, and a sentence on what they mean. Takes seconds; nothing is trained."
        )
        self.gap_button.setAccessibleName("Show the domain gap")
        self.gap_button.clicked.connect(lambda: self.gap_asked.emit())
        self.addWidget(self.gap_button)

    def show_layers(self, images: list[LayerChoice], labels: list[LayerChoice]) -> None:
        """Show the layers to choose from."""
        self.image_box.show_choices(images)
        self.labels_box.show_choices(labels)

    def labelled(self) -> LabelledLayers | None:
        """Return the chosen tomogram and its labels; None while something else is the source."""
        if self.kind_box.currentData() != "layers":
            return None
        contrast = self.contrast_box.currentData()
        image, labels = self.image_box.key(), self.labels_box.key()
        return LabelledLayers(image=image, labels=labels, contrast=contrast)

    def value(self) -> SourceSettings:
        """Return the chosen source; for a labelled tomogram only how boxes are cut from it counts.

        Raises
        ------
        InputError
            When no file, folder or identifier is given where one is needed, or settings do not fit.
        """
        from napari_voxuda._params import parameters
        from napari_voxuda.simulation.words import source_settings_from_words

        base = self.form.value()
        changes = {n: getattr(base, n) for n in parameters(base) if n not in _FROM_ELSEWHERE}
        if self.kind_box.currentData() == "pdb":
            return SourceSettings(kind="pdb", files=self.entry_row.value(), **changes)
        return source_settings_from_words(self._words(), **changes)

    def choices(self) -> dict[str, Choice]:
        """Return what is remembered."""
        inputs = {
            "source": self.kind_box,
            "source_entries": self.entry_row.line,
            "source_files": self.files_row,
            "source_folder": self.folder_row,
            "source_settings": self.form,
        }
        return {name: choice_of(widget) for name, widget in inputs.items()}

    def _words(self) -> list[str]:
        kind = self.kind_box.currentData()
        if kind in ("phantom", "layers"):
            return ["phantom"]
        row = self.files_row if kind == "files" else self.folder_row
        if not row.paths():
            wanted = "files" if kind == "files" else "a folder of labelled pairs"
            raise InputError(f"Source: {wanted} were wanted, got none. Press Choose… and pick.")
        return [str(path) for path in row.paths()]

    def _show_kind(self) -> None:
        kind = self.kind_box.currentData()
        self._rows.setRowVisible(self.entry_row, kind == "pdb")
        self._rows.setRowVisible(self.files_row, kind == "files")
        self._rows.setRowVisible(self.folder_row, kind == "folder")
        for box in (self.image_box, self.labels_box, self.contrast_box):
            self._rows.setRowVisible(box, kind == "layers")
        self.cut_note.setVisible(kind in ("folder", "layers"))

    def _show_published(self, group: str) -> None:
        """Image as published, in boxes of the size that is set."""
        box = self.form.fields["box"].value()
        self.form.setValue(SourceSettings.paper(group=group, box=box))
