"""Decisions of the dock *Denoise (IBF)*: what to preview, what to apply, what to tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from napari_voxuda.app.dock_work import DockWork, WorkView
from napari_voxuda.app.jobs import DenoiseJob, DeviceName
from napari_voxuda.app.running import Executor, LatestOnly
from napari_voxuda.app.scene import LayerChoice, LayerKey, Scene, SliceView
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import VoxUDAError
from napari_voxuda.method.denoising import DenoiseSettings

if TYPE_CHECKING:
    from napari_voxuda.app.denoise_preview import PreviewPiece, PreviewSource

__all__ = ["METHOD_NAMES", "DenoiseController", "DenoiseView"]

METHOD_NAMES = {
    "ibf": "improved bilateral (IBF)",
    "bilateral": "bilateral",
    "ngm": "NGM (x - high-pass)",
}
_SHORT_NAMES = {"ibf": "IBF", "bilateral": "bilateral", "ngm": "NGM"}
_MEMORY_ADVICE = "Close other programs or choose the CPU as device, then press Apply again."


class DenoiseView(WorkView, Protocol):
    """What the controller asks of the dock."""

    def settings(self) -> DenoiseSettings:
        """Return the chosen settings."""
        ...

    def layer(self) -> LayerKey | None:
        """Return the chosen layer."""
        ...

    def device(self) -> DeviceName:
        """Return the chosen device."""
        ...

    def invert_wanted(self) -> bool:
        """Whether the contrast of the result is to be turned."""
        ...

    def preview_wanted(self) -> bool:
        """Whether the live preview is switched on."""
        ...

    def switch_preview_off(self) -> None:
        """Show that the preview is off."""
        ...

    def show_layers(self, choices: list[LayerChoice]) -> None:
        """Show the layers to choose from; keep the chosen one where possible."""
        ...


class DenoiseController:
    """Connects the dock, the layers and the tasks; knows neither Qt nor napari.

    Parameters
    ----------
    view : DenoiseView
        The dock.
    scene : Scene
        The layers.
    executor : Executor
        Where previews and volumes are computed.
    """

    def __init__(self, view: DenoiseView, scene: Scene, executor: Executor) -> None:
        self._view = view
        self._scene = scene
        self.work = DockWork(
            view,
            executor,
            doing="denoising",
            stopped="Stopped; no layer was added.",
            memory_advice=_MEMORY_ADVICE,
        )
        self._preview_key: LayerKey | None = None
        self._source: PreviewSource | None = None
        self._latest: LatestOnly[_Preview] = LatestOnly(
            executor, self._show_preview, self.work.failed
        )

    @property
    def busy(self) -> bool:
        """Whether a volume is being denoised."""
        return self.work.busy

    def layers_changed(self) -> None:
        """Bring the list of layers up to date and notice a preview that the user removed."""
        if self._preview_key is not None and not self._scene.has(self._preview_key):
            self._preview_key = None
            self._latest.forget()
            self._view.switch_preview_off()
        choices = [c for c in self._scene.choices("image") if c.key != self._preview_key]
        self._view.show_layers(choices)

    def preview_changed(self) -> None:
        """Compute the preview again: a setting, the layer or the shown region has changed."""
        if not self._view.preview_wanted():
            self._remove_preview()
            return
        key = self._view.layer()
        if key is None or not self._scene.has(key):
            self._remove_preview()
            return
        view = self._scene.slice_view(key)
        if view is None:
            self._latest.forget()
            self._view.say("The preview needs a slice of this layer: show it in 2-D.")
            return
        try:
            settings = self._view.settings()
            volume, placement = self._scene.volume(key), self._scene.placement(key)
        except VoxUDAError as error:
            self._view.say(str(error), "error")
            return
        self._latest.request(lambda: self._preview(key, placement, settings, volume, view))

    def apply(self) -> None:
        """Denoise the whole chosen layer in the background."""
        if self.busy:
            return
        key = self._view.layer()
        if key is None or not self._scene.has(key):
            self._view.say(
                "Choose an image layer first; open a tomogram if there is none.", "error"
            )
            return
        try:
            volume, placement = self._scene.volume(key), self._scene.placement(key)
            settings = self._view.settings()
        except VoxUDAError as error:
            self._view.say(str(error), "error")
            return
        from napari_voxuda.app.denoise import denoise_task

        job = DenoiseJob(
            volume=volume,
            settings=settings,
            device=self._view.device(),
            invert=self._view.invert_wanted(),
        )
        self.work.launch(
            lambda: denoise_task(job), lambda found: self._applied(found, placement, key, job)
        )

    def close(self) -> None:
        """Stop everything; the dock is going away."""
        self._latest.forget()
        self.work.cancel()

    def _applied(self, found: Volume, placement: Any, key: LayerKey, job: DenoiseJob) -> None:
        self._remove_preview()
        self._view.switch_preview_off()
        name = f"{found.name} {_SHORT_NAMES[job.settings.method]}"
        name += " inverted" if job.invert else ""
        like = key if self._scene.has(key) else None
        self._scene.add_image(found.data, placement, name=name, like=like)
        self._view.say(f"Added the layer “{name}”.")

    def _preview(
        self,
        key: LayerKey,
        placement: Any,
        settings: DenoiseSettings,
        volume: Volume,
        view: SliceView,
    ) -> _Preview:
        """Compute a preview; called in the worker."""
        from napari_voxuda.app.denoise_preview import PreviewSource, preview_slice

        if self._source is None:
            self._source = PreviewSource()
        statistics = self._source.statistics(key, volume)
        piece = preview_slice(volume, view, settings, statistics, self._source)
        words = _preview_words(settings, view, piece)
        return _Preview(key=key, placement=placement, piece=piece, words=words)

    def _show_preview(self, result: _Preview) -> None:
        if not self._view.preview_wanted() or not self._scene.has(result.key):
            return
        if self._preview_key is not None and self._scene.has(self._preview_key):
            self._scene.update_image(
                self._preview_key, result.piece.data, result.placement, result.piece.offset
            )
        else:
            self._preview_key = self._scene.add_image(
                result.piece.data,
                result.placement,
                name="Denoise preview",
                offset=result.piece.offset,
                like=result.key,
            )
            self.layers_changed()
        self._view.say(result.words)

    def _remove_preview(self) -> None:
        self._latest.forget()
        key, self._preview_key = self._preview_key, None
        if key is not None:
            self._scene.remove(key)


@dataclass(frozen=True, kw_only=True)
class _Preview:
    """A finished preview and where it belongs."""

    key: LayerKey
    placement: Any
    piece: PreviewPiece
    words: str


def _preview_words(settings: DenoiseSettings, view: SliceView, piece: PreviewPiece) -> str:
    axis = "zyx"[view.axis]
    words = f"Preview: {METHOD_NAMES[settings.method]}, slice {axis} = {view.index}."
    return words if piece.is_exact else f"{words} Approximate: the volume is large."
