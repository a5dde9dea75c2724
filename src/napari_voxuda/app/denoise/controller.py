"""Decisions of the dock *Denoise (IBF)*: what to preview, what to apply, what to tell."""

from __future__ import annotations

from typing import Any, Literal, Protocol

from napari_voxuda._types import TripleInt
from napari_voxuda.app.denoise.compare import Divider
from napari_voxuda.app.denoise.names import METHOD_NAMES, SHORT_NAMES, denoiser_words
from napari_voxuda.app.denoise.stage import PreviewStage, PreviewView
from napari_voxuda.app.dock_work import DockWork, WorkView
from napari_voxuda.app.jobs import DenoiseJob, DeviceName
from napari_voxuda.app.running import Executor, LatestOnly
from napari_voxuda.app.scene import LayerChoice, LayerKey, Scene
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError, VoxUDAError
from napari_voxuda.method.denoising import DenoiseSettings

__all__ = ["METHOD_NAMES", "ApplyTo", "DenoiseController", "DenoiseView"]

ApplyTo = Literal["volume", "view", "slice"]

_MEMORY_ADVICE = "Close other programs or choose the CPU as device, then press Apply again."


class DenoiseView(WorkView, PreviewView, Protocol):
    """What the controller asks of the dock."""

    def settings(self) -> DenoiseSettings:
        """Return the settings of the chosen method."""
        ...

    def device(self) -> DeviceName:
        """Return the chosen device."""
        ...

    def invert_wanted(self) -> bool:
        """Whether the contrast of the result is to be turned."""
        ...

    def apply_to(self) -> ApplyTo:
        """Return what is denoised: all, what is visible in every slice, or in the shown one."""
        ...

    def show_layers(self, choices: list[LayerChoice]) -> None:
        """Show the layers to choose from; keep the chosen one where possible."""
        ...

    def show_suggestion(self, settings: DenoiseSettings, words: str) -> None:
        """Fill in settings of a method, and say where they come from."""
        ...


class DenoiseController:
    """Connects the dock, the layers and the tasks; knows neither Qt nor napari.

    Parameters
    ----------
    view : DenoiseView
        The dock.
    scene : Scene
        The layers.
    divider : Divider
        The line between the sides of the preview.
    executor : Executor
        Where previews and volumes are computed.
    """

    def __init__(
        self, view: DenoiseView, scene: Scene, divider: Divider, executor: Executor
    ) -> None:
        self._view = view
        self._scene = scene
        self.work = DockWork(
            view,
            executor,
            doing="denoising",
            stopped="Stopped; no layer was added.",
            memory_advice=_MEMORY_ADVICE,
        )
        self.preview = PreviewStage(
            view, scene, divider, executor, self.work.failed, self.layers_changed
        )
        self._suggesting: LatestOnly[Any] = LatestOnly(executor, self._suggested, self.work.failed)

    @property
    def busy(self) -> bool:
        """Whether a volume is being denoised."""
        return self.work.busy

    def layers_changed(self) -> None:
        """Bring the list of layers up to date and notice a preview that the user removed."""
        self.preview.notice_removed_layers()
        choices = [c for c in self._scene.choices("image") if c.key != self.preview.key]
        self._view.show_layers(choices)

    def suggest(self) -> None:
        """Suggest a width of the range kernel for the chosen method from the data."""
        try:
            key, volume = self._chosen()
            settings = self._view.settings()
        except VoxUDAError as error:
            self._view.say(str(error), "error")
            return
        self._view.say("Looking at the noise…")
        self._suggesting.request(lambda: _suggestion(key, volume, settings))

    def apply(self) -> None:
        """Denoise the chosen layer, or the visible part of it, in the background."""
        if self.busy:
            return
        try:
            key, volume = self._chosen()
            placement = self._scene.placement(key)
            part = self._part(key, volume)
            job = DenoiseJob(
                volume=volume,
                settings=self._view.settings(),
                device=self._view.device(),
                invert=self._view.invert_wanted(),
            )
        except VoxUDAError as error:
            self._view.say(str(error), "error")
            return
        from napari_voxuda.app.denoise.part import denoise_part_task
        from napari_voxuda.app.denoise.task import denoise_task

        def applied(found: Any) -> None:
            data = found.data if isinstance(found, Volume) else found
            self._applied(data, placement, key, job, None if part is None else part[0])

        if part is None:
            self.work.launch(lambda: denoise_task(job), applied)
        else:
            start, stop = part
            self.work.launch(lambda: denoise_part_task(job, start, stop), applied)

    def hand_over(self) -> DenoiseSettings:
        """Return the settings for an adaptation.

        Raises
        ------
        InputError
            When they cannot be used.
        """
        settings = self._view.settings()
        self._view.say(f"Handed over to “Vox-UDA adapt”: {denoiser_words(settings)}.")
        return settings

    def close(self) -> None:
        """Stop everything; the dock is going away."""
        self._suggesting.forget()
        self.preview.close()
        self.work.cancel()

    def _chosen(self) -> tuple[LayerKey, Volume]:
        key = self._view.layer()
        if key is None or not self._scene.has(key):
            raise InputError("Choose an image layer first; open a tomogram if there is none.")
        return key, self._scene.volume(key)

    def _part(self, key: LayerKey, volume: Volume) -> tuple[TripleInt, TripleInt] | None:
        """Return the corners of what is to be denoised; None for all of it."""
        wanted = self._view.apply_to()
        if wanted == "volume":
            return None
        view = self._scene.slice_view(key)
        if view is None:
            raise InputError(
                "Apply to: a visible slice of this layer was wanted. Show it in 2-D, or choose the "
                "whole volume."
            )
        start, stop = list(view.start), list(view.stop)
        if wanted == "view":
            start[view.axis], stop[view.axis] = 0, volume.shape[view.axis]
        return (start[0], start[1], start[2]), (stop[0], stop[1], stop[2])

    def _applied(
        self, data: Any, placement: Any, key: LayerKey, job: DenoiseJob, offset: TripleInt | None
    ) -> None:
        self.preview.remove()
        self._view.switch_preview_off()
        name = f"{job.volume.name} {SHORT_NAMES[job.settings.method]}"
        if offset is not None:
            thin = [first for first, size in zip(offset, data.shape, strict=True) if size == 1]
            name += f" slice {thin[0]}" if thin else " part"
        name += " inverted" if job.invert else ""
        like = key if self._scene.has(key) else None
        limits = None
        if job.invert and offset is not None:
            low, high = float(data.min()), float(data.max())
            limits = (low, high) if low < high else None
        self._scene.add_image(data, placement, name=name, like=like, offset=offset, limits=limits)
        self._view.say(f"Added the layer “{name}”.")

    def _suggested(self, suggestion: Any) -> None:
        self._view.show_suggestion(suggestion.settings, suggestion.words)
        self._view.say(suggestion.words)


def _suggestion(key: LayerKey, volume: Volume, settings: DenoiseSettings) -> Any:
    """Look at the noise; called in a worker."""
    from napari_voxuda.app.denoise.preview import PreviewSource
    from napari_voxuda.app.denoise.suggestion import suggest_settings

    return suggest_settings(volume, settings, PreviewSource().statistics(key, volume))
