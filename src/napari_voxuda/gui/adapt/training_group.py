"""The part of *Vox-UDA adapt* that says how to train and where to keep the run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QLabel, QSpinBox, QWidget

from napari_voxuda.adaptation.settings import PRESETS, AdaptSettings
from napari_voxuda.app.denoise.names import denoiser_words
from napari_voxuda.app.jobs import DeviceName
from napari_voxuda.errors import InputError
from napari_voxuda.gui.choices import choice_of
from napari_voxuda.gui.config_form import ConfigForm
from napari_voxuda.gui.frame import Group
from napari_voxuda.gui.inputs import (
    DEVICE_TIP,
    DEVICES,
    PLACE_TIP,
    PLACES,
    calm_wheel,
    choice_box,
)
from napari_voxuda.gui.path_row import PathRow, ask_folder
from napari_voxuda.gui.remember import Choice
from napari_voxuda.method.denoising import DenoiseSettings

__all__ = ["TrainingGroup"]

_PRESETS = {
    "fast": "fast: a first look",
    "default": "default: better",
    "paper": "paper: as published",
}


class TrainingGroup(Group):
    """Preset, device, run folder, seed, and every single setting."""

    run_changed = Signal()

    def __init__(self) -> None:
        super().__init__("Training")
        self._handed: DenoiseSettings | None = None
        self._build_inputs()
        self._lay_out()
        self.preset_box.currentIndexChanged.connect(self._take_preset)
        self.run_row.changed.connect(self.run_changed.emit)
        self.form.valueChanged.connect(self._show_denoiser)
        self._show_denoiser()

    def _build_inputs(self) -> None:
        self.preset_box = choice_box(
            "Preset",
            {name: _PRESETS.get(name, name) for name in PRESETS},
            "Sets everything under “All settings”. The published schedule takes days on a CPU.",
        )
        self.device_box = choice_box("Device", DEVICES, DEVICE_TIP)
        self.place_box = choice_box("Run in", PLACES, PLACE_TIP)
        self.run_row = PathRow(
            "Choose…",
            "Folder that keeps settings, log, checkpoints and the model. A new one is made in "
            "your data folder where none is chosen. Choose an unfinished run to resume it, or a "
            "finished one to segment with it.",
            "a new folder",
            ask_folder,
            "run folder",
        )
        self.seed_box = QSpinBox()
        self.seed_box.setRange(0, 2**31 - 1)
        self.seed_box.setToolTip("Equal seeds and settings give equal runs on one machine.")
        self.seed_box.setAccessibleName("Seed")
        calm_wheel(self.seed_box)

    def _lay_out(self) -> None:
        inner = QWidget()
        rows = QFormLayout(inner)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setVerticalSpacing(4)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.addRow("Preset", self.preset_box)
        rows.addRow("Device", self.device_box)
        rows.addRow("Run folder", self.run_row)
        self.addWidget(inner)
        self.denoiser_note = QLabel()
        self.denoiser_note.setWordWrap(True)
        self.denoiser_note.setAccessibleName("Denoiser")
        self.denoiser_note.setToolTip(
            "Change it under “All settings”: Teacher input, and Denoise. A denoiser that came from the "
            "dock “Denoise (IBF)” is kept when another preset is chosen."
        )
        self.addWidget(self.denoiser_note)
        self.form = ConfigForm(AdaptSettings.preset(self.preset_box.currentData()))
        settings = Group("All settings", expanded=False)
        seed = QWidget()
        seed_rows = QFormLayout(seed)
        seed_rows.setContentsMargins(0, 0, 0, 0)
        seed_rows.addRow("Seed", self.seed_box)
        seed_rows.addRow("Run in", self.place_box)
        settings.addWidget(seed)
        settings.addWidget(self.form)
        self.addWidget(settings)

    def settings(self) -> AdaptSettings:
        """Return the chosen settings; raises `InputError` where they do not fit together."""
        settings: AdaptSettings = self.form.value()
        return settings

    def device(self) -> DeviceName:
        """Return the chosen device."""
        device: DeviceName = self.device_box.currentData()
        return device

    def place(self) -> Literal["process", "thread"]:
        """Return where the run is to be computed."""
        place: Literal["process", "thread"] = self.place_box.currentData()
        return place

    def run_folder(self) -> Path | None:
        """Return the chosen run folder; None for a new one."""
        return self.run_row.path()

    def seed(self) -> int:
        """Return the seed."""
        return int(self.seed_box.value())

    def choices(self) -> dict[str, Choice]:
        """Return what is remembered; the run folder is not, for a new run needs a new one."""
        inputs = {
            "preset": self.preset_box,
            "device": self.device_box,
            "place": self.place_box,
            "seed": self.seed_box,
        }
        return {name: choice_of(widget) for name, widget in inputs.items()} | {
            "settings": choice_of(self.form, self._preset)
        }

    def _preset(self) -> AdaptSettings:
        return AdaptSettings.preset(self.preset_box.currentData())

    def set_denoiser(self, settings: DenoiseSettings) -> None:
        """Let the teacher see the target denoised with `settings`, whatever the preset says."""
        self._handed = settings
        self._give(self.settings())

    def _take_preset(self) -> None:
        self._give(self._preset())

    def _give(self, settings: AdaptSettings) -> None:
        if self._handed is not None:
            settings = replace(settings, teacher_input="denoised", denoise=self._handed)
        self.form.setValue(settings)

    def _show_denoiser(self) -> None:
        try:
            settings = self.settings()
        except InputError:  # said when they are used
            return
        is_denoised = settings.teacher_input == "denoised"
        if self._handed is not None:
            self._handed = settings.denoise if is_denoised else None
        words = f"Teacher sees the target denoised: {denoiser_words(settings.denoise)}."
        if settings.pseudo_labels == "none":
            words += " ⚠ Without pseudo-labels it is of no account: choose another preset."
        elif settings.denoise.method != "ngm":
            words += (
                " ⚠ A bilateral filter made the masks worse wherever it was measured; NGM did not."
            )
        self.denoiser_note.setText(words)
        self.denoiser_note.setVisible(is_denoised)
