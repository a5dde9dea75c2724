"""The dock *Denoise (IBF)*: live preview of a denoiser on a slice, then the whole volume."""

from __future__ import annotations

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QCheckBox, QFormLayout, QPushButton, QWidget

from napari_voxuda.app.denoise_controller import METHOD_NAMES, DenoiseController
from napari_voxuda.app.job import JobState
from napari_voxuda.app.jobs import DeviceName
from napari_voxuda.app.pace import ProgressLine
from napari_voxuda.app.running import Executor
from napari_voxuda.app.scene import LayerChoice, LayerKey, Scene
from napari_voxuda.app.words import Level
from napari_voxuda.gui.config_form import ConfigForm
from napari_voxuda.gui.executor import ThreadExecutor
from napari_voxuda.gui.frame import DockFrame, Group, Notice, when_destroyed
from napari_voxuda.gui.inputs import DEVICE_TIP, DEVICES, choice_box
from napari_voxuda.gui.job_bar import JobBar
from napari_voxuda.gui.layer_box import LayerBox
from napari_voxuda.method.denoising import DenoiseSettings

__all__ = ["DenoiseDock"]

_PREVIEW_EVERY_MS = 15  # joins changes that come together; stale previews are dropped anyway
_FIELDS = {
    "ibf": ("sigma_range", "sigma_domain", "operator"),
    "bilateral": ("sigma_range", "sigma_domain"),
    "ngm": ("pass_fraction", "shape"),
}
_SLIDERS = ("sigma_domain", "sigma_range", "pass_fraction")


class DenoiseDock(DockFrame):
    """View of `DenoiseController`.

    Parameters
    ----------
    scene : Scene
        The layers.
    executor : Executor or None
        Where work is done; threads without.
    """

    def __init__(
        self, scene: Scene, executor: Executor | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName("Denoise (IBF)")
        self._executor = executor if executor is not None else ThreadExecutor()
        self._throttle = QTimer(self)
        self._throttle.setSingleShot(True)
        self._throttle.setInterval(_PREVIEW_EVERY_MS)
        self._build()
        self.controller = DenoiseController(self, scene, self._executor)
        self._connect(scene)
        when_destroyed(self, scene.close, self.controller.close, self._executor.close)
        self.controller.layers_changed()
        self.layer_box.set_key(scene.active())

    def settings(self) -> DenoiseSettings:
        """Return the chosen settings."""
        method = self.method_box.currentData()
        base = self.form.value()
        return DenoiseSettings(**{**base.__dict__, "method": method})

    def layer(self) -> LayerKey | None:
        """Return the chosen layer."""
        return self.layer_box.key()

    def device(self) -> DeviceName:
        """Return the chosen device."""
        device: DeviceName = self.device_box.currentData()
        return device

    def invert_wanted(self) -> bool:
        """Whether the contrast of the result is to be turned."""
        return bool(self.invert_box.isChecked())

    def preview_wanted(self) -> bool:
        """Whether the live preview is switched on."""
        return bool(self.preview_box.isChecked())

    def switch_preview_off(self) -> None:
        """Show that the preview is off."""
        self.preview_box.setChecked(False)

    def show_layers(self, choices: list[LayerChoice]) -> None:
        """Show the layers to choose from."""
        self.layer_box.show_choices(choices)
        self.bar.start_button.setText(
            "Apply to volume" if choices else "Apply to volume (open a tomogram first)"
        )

    def show_state(self, state: JobState) -> None:
        """Show the state of the job."""
        self.paced.flush()
        self.bar.show_state(state)

    def show_progress(self, line: ProgressLine) -> None:
        """Show how far the job is."""
        self.paced.show("progress", lambda: self.bar.show_progress(line))

    def say(self, text: str, level: Level = "info") -> None:
        """Show a sentence."""
        self.notice.say(text, level)

    def _build(self) -> None:
        rows = QFormLayout()
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.layer_box = LayerBox("Tomogram", "The image layer that is denoised.")
        rows.addRow("Tomogram", self.layer_box)
        self.method_box = choice_box(
            "Method",
            {method: words[0].upper() + words[1:] for method, words in METHOD_NAMES.items()},
            "Improved bilateral filter (Eq. 13-14 of the paper), bilateral filter (Eq. 8), "
            "or the volume minus its high-pass part (Eq. 3-4).",
        )
        rows.addRow("Method", self.method_box)
        self.column.addLayout(rows)
        parameters = Group("Parameters")
        self.form = ConfigForm(DenoiseSettings(), sliders=_SLIDERS, exclude=("method",))
        parameters.addWidget(self.form)
        self.reset_button = QPushButton("Reset to the paper's values")
        self.reset_button.setToolTip("Set every parameter back to the value in the paper.")
        parameters.addWidget(self.reset_button)
        self.column.addWidget(parameters)
        self.preview_box = QCheckBox("Live preview on the current slice")
        self.preview_box.setToolTip(
            "Denoise what is visible of the current slice again whenever a parameter, the slice "
            "or the view changes; it is shown as a layer of its own above the tomogram."
        )
        self.column.addWidget(self.preview_box)
        self.invert_box = QCheckBox("Invert the contrast of the result")
        self.invert_box.setToolTip(
            "Multiply the denoised values by -1, so that dark protein becomes bright. The tomogram "
            "itself is left as it is."
        )
        self.column.addWidget(self.invert_box)
        self.bar = JobBar(
            "Apply to volume",
            start_tip="Denoise the whole tomogram; the result is a new layer.",
            stop_tip="Stop before the next block; no layer is added.",
        )
        self.device_box = choice_box("Device", DEVICES, DEVICE_TIP)
        device_rows = QFormLayout()
        device_rows.addRow("Device", self.device_box)
        self.column.addLayout(device_rows)
        self.column.addStretch(1)
        self.footer.addWidget(self.bar)
        self.notice = Notice()
        self.footer.addWidget(self.notice)
        self._show_method_fields()

    def _connect(self, scene: Scene) -> None:
        controller = self.controller
        self._throttle.timeout.connect(controller.preview_changed)
        self.method_box.currentIndexChanged.connect(self._show_method_fields)
        self.method_box.currentIndexChanged.connect(self._ask_preview)
        self.form.valueChanged.connect(self._ask_preview)
        self.layer_box.chosen.connect(self._ask_preview)
        self.preview_box.toggled.connect(controller.preview_changed)
        self.reset_button.clicked.connect(lambda: self.form.setValue(DenoiseSettings()))
        self.bar.started.connect(controller.apply)
        self.bar.paused.connect(controller.work.pause)
        self.bar.resumed.connect(controller.work.resume)
        self.bar.stopped.connect(controller.work.cancel)
        scene.watch_layers(controller.layers_changed)
        scene.watch_view(self._ask_preview)

    def _ask_preview(self) -> None:
        if self.preview_wanted() and not self._throttle.isActive():
            self._throttle.start()

    def _show_method_fields(self) -> None:
        self.form.show_fields(_FIELDS[self.method_box.currentData()])
