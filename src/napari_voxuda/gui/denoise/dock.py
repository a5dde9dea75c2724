"""The dock *Denoise (IBF)*: compare denoisers on a slice, then denoise and hand over."""

from __future__ import annotations

from dataclasses import replace

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QCheckBox, QFormLayout, QLabel, QPushButton, QWidget

from napari_voxuda.app.denoise.compare import CompareChoice, Divider
from napari_voxuda.app.denoise.controller import ApplyTo, DenoiseController
from napari_voxuda.app.denoise.names import METHOD_NAMES, MethodName, Side
from napari_voxuda.app.jobs import DeviceName
from napari_voxuda.app.running import Executor
from napari_voxuda.app.scene import LayerChoice, LayerKey, Scene
from napari_voxuda.errors import VoxUDAError
from napari_voxuda.gui.choices import choice_of
from napari_voxuda.gui.config_form import ConfigForm
from napari_voxuda.gui.denoise.compare_group import CompareGroup
from napari_voxuda.gui.executor import ThreadExecutor
from napari_voxuda.gui.frame import Group, when_destroyed
from napari_voxuda.gui.inputs import DEVICE_TIP, DEVICES, choice_box
from napari_voxuda.gui.job_bar import JobBar
from napari_voxuda.gui.job_dock import JobDock
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
_APPLY_TO = {
    "volume": "Whole volume",
    "view": "Visible part, every slice",
    "slice": "Visible part, this slice",
}


class DenoiseDock(JobDock):
    """View of `DenoiseController`.

    Each method keeps parameters of its own. `handed` tells the settings that an adaptation is to
    use.

    Parameters
    ----------
    scene : Scene
        The layers.
    divider : Divider
        The line between the two sides of the preview.
    executor : Executor or None
        Where work is done; threads without.
    """

    handed = Signal(object)

    def __init__(
        self,
        scene: Scene,
        divider: Divider,
        executor: Executor | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName("Denoise (IBF)")
        self._executor = executor if executor is not None else ThreadExecutor()
        self._settings = {method: DenoiseSettings(method=method) for method in METHOD_NAMES}
        self._throttle = QTimer(self)
        self._throttle.setSingleShot(True)
        self._throttle.setInterval(_PREVIEW_EVERY_MS)
        self._build()
        self.controller = DenoiseController(self, scene, divider, self._executor)
        self._connect(scene)
        when_destroyed(self, scene.close, self.controller.close, self._executor.close)
        self.controller.layers_changed()
        self.layer_box.set_key(scene.active())
        inputs = {"method": self.method_box, "settings": self.form, "invert": self.invert_box}
        inputs["device"] = self.device_box
        self.remember("denoise", {name: choice_of(widget) for name, widget in inputs.items()})

    def settings(self) -> DenoiseSettings:
        """Return the settings of the chosen method."""
        settings: DenoiseSettings = self.form.value()
        return replace(settings, method=self._method())

    def settings_of(self, side: Side) -> DenoiseSettings | None:
        """Return the settings of a denoiser; None for the tomogram itself."""
        if side == "raw":
            return None
        return self.settings() if side == self._method() else self._settings[side]

    def comparison(self) -> CompareChoice:
        """Return what lies on which side of the preview."""
        return self.compare.choice()

    def show_divider(self, place: float) -> None:
        """Show where the divider was dragged."""
        self.compare.show_divider(place)

    def show_suggestion(self, settings: DenoiseSettings, words: str) -> None:
        """Fill in settings of a method, and say where they come from."""
        self.suggestion_note.setText(words)
        self.suggestion_note.show()
        self._settings[settings.method] = settings
        if settings.method == self._method():
            self.form.setValue(settings)

    def layer(self) -> LayerKey | None:
        """Return the chosen layer."""
        return self.layer_box.key()

    def device(self) -> DeviceName:
        """Return the chosen device."""
        device: DeviceName = self.device_box.currentData()
        return device

    def apply_to(self) -> ApplyTo:
        """Return what is to be denoised."""
        part: ApplyTo = self.part_box.currentData()
        return part

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
        self.bar.start_button.setText("Apply" if choices else "Apply (open a tomogram first)")

    def _build(self) -> None:
        rows = _rows()
        self.layer_box = LayerBox("Tomogram", "The image layer that is denoised.")
        rows.addRow("Tomogram", self.layer_box)
        self.method_box = choice_box(
            "Method",
            {method: words[0].upper() + words[1:] for method, words in METHOD_NAMES.items()},
            "Improved bilateral filter (Eq. 13-14 of the paper), bilateral filter (Eq. 8), "
            "or the volume minus its high-pass part (Eq. 3-4). Each keeps its own parameters.",
        )
        rows.addRow("Method", self.method_box)
        self.column.addLayout(rows)
        self.column.addWidget(self._parameters())
        self.compare = CompareGroup()
        self.preview_box = self.compare.preview_box
        self.column.addWidget(self.compare)
        self.column.addWidget(self._result())
        self.column.addStretch(1)
        self.end_with(
            JobBar(
                "Apply",
                start_tip="Denoise the tomogram, or its visible part; the result is a new layer.",
                stop_tip="Stop before the next block; no layer is added.",
            )
        )
        self._show_method_fields()

    def _parameters(self) -> Group:
        group = Group("Parameters")
        self.form = ConfigForm(DenoiseSettings(), sliders=_SLIDERS, exclude=("method",))
        group.addWidget(self.form)
        self.suggest_button = QPushButton("Suggest sigma range from the noise")
        self.suggest_button.setToolTip(
            "Estimate the noise between neighbouring voxels of the tomogram and fill in the width of "
            "the range kernel that treats it as the paper's value treats the paper's data."
        )
        group.addWidget(self.suggest_button)
        self.suggestion_note = QLabel()
        self.suggestion_note.setWordWrap(True)
        self.suggestion_note.setAccessibleName("Suggestion")
        self.suggestion_note.hide()
        group.addWidget(self.suggestion_note)
        self.reset_button = QPushButton("Reset to the paper's values")
        self.reset_button.setToolTip(
            "Set every parameter of this method back to the paper's value."
        )
        group.addWidget(self.reset_button)
        return group

    def _result(self) -> Group:
        group = Group("Result")
        inner = QWidget()
        rows = _rows()
        inner.setLayout(rows)
        self.part_box = choice_box(
            "Apply to",
            _APPLY_TO,
            "What is denoised: all of the tomogram, or the part that is visible now, as a layer at its "
            "place. A part gets the same values as in the whole.",
        )
        rows.addRow("Apply to", self.part_box)
        self.device_box = choice_box("Device", DEVICES, DEVICE_TIP)
        rows.addRow("Device", self.device_box)
        group.addWidget(inner)
        self.invert_box = QCheckBox("Invert the contrast of the result")
        self.invert_box.setToolTip(
            "Multiply the denoised values by -1, so that dark protein becomes bright. The tomogram "
            "itself is left as it is."
        )
        group.addWidget(self.invert_box)
        self.adapt_button = QPushButton("Use in adaptation")
        self.adapt_button.setToolTip(
            "Open “Vox-UDA adapt” and let the teacher see the target denoised with this method and "
            "these parameters."
        )
        group.addWidget(self.adapt_button)
        return group

    def _connect(self, scene: Scene) -> None:
        controller = self.controller
        self._throttle.timeout.connect(controller.preview.refresh)
        self.method_box.currentIndexChanged.connect(self._take_method)
        self.form.valueChanged.connect(self._keep)
        self.form.valueChanged.connect(self._ask_preview)
        self.layer_box.chosen.connect(self._ask_preview)
        self.preview_box.toggled.connect(controller.preview.refresh)
        self.compare.changed.connect(controller.preview.rearrange)
        self.suggest_button.clicked.connect(controller.suggest)
        self.reset_button.clicked.connect(
            lambda: self.form.setValue(DenoiseSettings(method=self._method()))
        )
        self.adapt_button.clicked.connect(self._hand_over)
        self.drive(controller.apply, controller.work)
        scene.watch_layers(controller.layers_changed)
        scene.watch_view(self._ask_preview)

    def _method(self) -> MethodName:
        method: MethodName = self.method_box.currentData()
        return method

    def _ask_preview(self) -> None:
        if self.preview_wanted() and not self._throttle.isActive():
            self._throttle.start()

    def _keep(self) -> None:
        """Remember the parameters of the shown method."""
        try:
            settings = self.settings()
        except VoxUDAError:  # said when they are used
            return
        self._settings[settings.method] = settings

    def _take_method(self) -> None:
        method = self._method()
        self.suggestion_note.hide()
        self._show_method_fields()
        self.form.setValue(self._settings[method])
        self.compare.bring_in(method)

    def _show_method_fields(self) -> None:
        self.form.show_fields(_FIELDS[self._method()])
        self.suggest_button.setVisible(self._method() != "ngm")

    def _hand_over(self) -> None:
        try:
            settings = self.controller.hand_over()
        except VoxUDAError as error:
            self.say(str(error), "error")
            return
        self.handed.emit(settings)


def _rows() -> QFormLayout:
    rows = QFormLayout()
    rows.setContentsMargins(0, 0, 0, 0)
    rows.setVerticalSpacing(4)
    rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return rows
