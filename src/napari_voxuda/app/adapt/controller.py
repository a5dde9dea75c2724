"""Decisions of the dock *Vox-UDA adapt*: what to run, what its events mean, what to tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from napari_voxuda._types import Event, Message, Progress
from napari_voxuda.adaptation.events import Alarm, CheckpointSaved, Preview, SnapshotKept, StepDone
from napari_voxuda.app.adapt.and_segment import (
    AdaptOutcome,
    adapt_and_segment_task,
    segment_each_task,
    segment_files_task,
)
from napari_voxuda.app.adapt.contrast_words import contrast_words
from napari_voxuda.app.adapt.preflight import preflight_task
from napari_voxuda.app.adapt.preflight_controller import PreflightController
from napari_voxuda.app.adapt.request import AdaptRequest, TargetLayer, make_job, target_layers
from napari_voxuda.app.adapt.target import check_voxel_sizes
from napari_voxuda.app.adapt.target_masks import TargetMasks
from napari_voxuda.app.adapt.view import AdaptView
from napari_voxuda.app.child import child_task
from napari_voxuda.app.compare.controller import ComparisonController
from napari_voxuda.app.job import Job, JobState
from napari_voxuda.app.jobs import Segmentation, SegmentedFolder
from napari_voxuda.app.live.controller import LiveController
from napari_voxuda.app.live.view import LivePiece, ViewWish
from napari_voxuda.app.mask.handover import RefineStart
from napari_voxuda.app.pace import Pace, ProgressLine
from napari_voxuda.app.running import Executor, LatestOnly
from napari_voxuda.app.runs.controller import RunsController
from napari_voxuda.app.runs.places import fresh_run_folder, has_model, is_resumable
from napari_voxuda.app.scene import LayerKey, Scene
from napari_voxuda.app.words import error_words, names_words, time_words
from napari_voxuda.errors import InputError, VoxUDAError

__all__ = ["AdaptController"]

_MEMORY_ADVICE = (
    "Choose the preset “fast”, a smaller batch under “All settings”, or the CPU as device, "
    "then press Start; a run that had begun can go on with Resume."
)


class AdaptController:
    """Connects the dock, the layers and the tasks; knows neither Qt nor napari.

    Parameters
    ----------
    view : AdaptView
        The dock.
    scene : Scene
        The layers.
    executor : Executor
        Where the work is done.
    """

    def __init__(self, view: AdaptView, scene: Scene, executor: Executor) -> None:
        self._view = view
        self._scene = scene
        self._executor = executor
        self._pace = Pace()
        self._job: Job[Any] | None = None
        self._run: Path | None = None
        self._contrast: LatestOnly[str] = LatestOnly(
            executor, view.show_contrast, lambda error: view.show_contrast(f"Not known: {error}")
        )
        self.mask = TargetMasks(scene, executor, self._mask_shown, self._failed)
        self.runs = RunsController(view, executor, self._show_run)
        self.live = LiveController(view.live, scene, executor, self._shown_target)
        self.preflight = PreflightController(view, scene)
        self._mask_run: Path | None = None
        self.comparison = ComparisonController(
            view.comparison,
            scene,
            executor,
            mask=lambda: self.mask.labels_key,
            run=lambda: self._mask_run,
            on_scored=self.runs.refresh,
        )

    @property
    def busy(self) -> bool:
        """Whether a job runs or waits."""
        return self._job is not None and not self._job.state.is_over

    def layers_changed(self) -> None:
        """Bring the lists of layers up to date."""
        self.live.layers_changed()
        choices = self._scene.choices
        images = [choice for choice in choices("image") if not self.live.is_own(choice)]
        self._view.show_layers(images, choices("points"), choices("labels"))
        self.comparison.layers_changed()

    def open(self, path: Path) -> None:
        """Open a tomogram and choose it as target."""
        try:
            key = self._scene.open(path)
        except VoxUDAError as error:
            self._view.say(str(error), "error")
            return
        if key is not None:
            self._view.say("")
            self._view.choose_target(key)

    def target_changed(self) -> None:
        """Show voxel size and contrast of the newly chosen target."""
        keys = [key for key in self._view.target_layers() if self._scene.has(key)]
        self._contrast.forget()
        if not keys:
            self._view.show_contrast("")
            return
        try:
            volumes = [self._scene.volume(key) for key in keys]
            check_voxel_sizes(volumes)
        except VoxUDAError as error:
            self._view.say(str(error), "error")
            return
        sizes = [volume.grid.voxel_size_angstrom for volume in volumes]
        size = next((size for size in sizes if size is not None), None)
        layer = "layer" if len(keys) == 1 else "layers"
        if size is None:
            told = "does" if len(keys) == 1 else "do"
            self._view.show_voxel_size(None, f"The {layer} {told} not tell it; please type it.")
        else:
            self._view.show_voxel_size(sum(size) / 3, f"From the {layer}.")
        self._view.show_contrast("Looking at the contrast…")
        self._contrast.request(partial(contrast_words, volumes))

    def run_folder_changed(self) -> None:
        """Show what can be done with the run folder that the user chose, and its curves."""
        if self.busy:
            return  # the run that goes on here stays the one that is shown
        self._run = self._view.run_folder()
        self._show_run()
        self.live.show_run(self._run)
        self.runs.look_at(self._run)

    def check(self) -> None:
        """Check a new run before it starts, or take the last check away."""
        if self.busy:
            return
        if self.preflight.shown:
            self.preflight.clear()
        else:
            self._begin(resume=False, check=True)

    def start(self) -> None:
        """Start a new run."""
        if not self.busy:
            self._begin(resume=False)

    def resume(self) -> None:
        """Go on with the paused job, or with the unfinished run on disk."""
        if self._job is not None and self._job.state is JobState.PAUSED:
            self._job.resume()
        elif not self.busy:
            self._begin(resume=True)

    def pause(self) -> None:
        """Hold the job before its next step."""
        if self._job is not None:
            self._job.pause()

    def cancel(self) -> None:
        """Stop the job before its next step; what the run has saved is kept."""
        if self._job is not None:
            self._job.cancel()

    def segment(self) -> None:
        """Segment the target layers, or the files of a folder, with the run that is shown."""
        if self.busy:
            return
        try:
            request = self._view.request()
            layers = [] if request.folder is not None else self._targets(request)
            if self._run is None or not has_model(self._run):
                raise InputError(
                    "Model: a finished run was wanted. Choose its folder as run folder."
                )
        except VoxUDAError as error:
            self._view.say(str(error), "error")
            return
        if request.folder is not None:
            size = request.voxel_size_angstrom
            how = (request.segment_settings, size, request.device, request.contrast)
            call = partial(segment_files_task, request.folder, self._run, *how)
            self._launch(call, self._segmented_files)
            return
        volumes = [layer.volume for layer in layers]
        settings = request.segment_settings
        task = partial(
            segment_each_task, volumes, self._run, settings, request.device, request.contrast
        )
        self._launch(task, partial(self._segmented, layers))

    def mask_changed(self) -> None:
        """Make the mask again: threshold, smallest size or numbering has changed."""
        self.mask.refine(self._view.mask_choice())

    def hand_over(self) -> RefineStart:
        """Return the mask for the dock *Vox-UDA refine* and let go of it; see `MaskController`."""
        start = self.mask.hand_over(self._shown_target(), self._run, self._view.mask_choice())
        self._view.show_result(False, "The mask goes on in the dock “Vox-UDA refine”.")
        self.comparison.update()
        return start

    def close(self) -> None:
        """Stop everything; the dock is going away."""
        self._contrast.forget()
        self.runs.close()
        self.comparison.close()
        self.live.close()
        self.mask.close()
        self.cancel()

    def _begin(self, *, resume: bool, check: bool = False) -> None:
        try:
            request = self._view.request()
            layers = [] if request.folder is not None else self._targets(request)
            name = request.folder.name if request.folder is not None else ""
            name = name or names_words([layer.volume.name for layer in layers])
            run = self._run if resume else request.run
            if run is None:
                run = fresh_run_folder(name)
            job = make_job(request, self._scene, run, resume=resume)
        except VoxUDAError as error:
            self._view.say(str(error), "error")
            return
        if check:
            tried = _placed(partial(preflight_task, job), request)
            on_end = partial(self.preflight.show, layers)
            self._launch(tried, on_end, stopped="The check was stopped.")
            return
        self._run = run
        self.preflight.clear()
        places = [(layer.key, layer.placement) for layer in layers]
        key, placement = places[0] if places else (None, None)
        live = self.live.begin(key, placement, run, job.settings.steps, places[1:])
        job = replace(job, live=live)
        self.runs.leave()
        self.runs.remember(run)
        if not resume:
            self._view.clear_curves()
        call = partial(
            adapt_and_segment_task,
            job,
            [layer.volume for layer in layers],
            request.segment_settings,
        )
        task = _placed(call, request, job.live)
        self._launch(task, partial(self._adapted, layers))
        self._view.log(f"Run folder: {run}")

    def _targets(self, request: AdaptRequest) -> list[TargetLayer]:
        """Return the target layers; give a pixel layer the voxel size in Å."""
        found = target_layers(request, self._scene)
        size = request.voxel_size_angstrom
        for layer in found:
            known = self._scene.volume(layer.key).grid.voxel_size_angstrom
            if size is not None and known is None:
                self._scene.set_voxel_size(layer.key, size)
                self._view.log(
                    f"The layer {layer.volume.name} is shown with voxels of {size:g} Å now."
                )
        place = self._scene.placement
        return [replace(layer, placement=place(layer.key)) for layer in found]

    def _shown_target(self) -> LayerKey | None:
        return self._scene.shown(self._view.target_layers())

    def _launch(self, task: Any, on_end: Any, *, stopped: str = "") -> None:
        self._pace = Pace()
        self._view.say("")

        def ended(job: Job[Any]) -> None:
            self.live.ended()
            self._show_run()
            self.runs.refresh()
            if job.error is not None:
                self._failed(job.error)
            elif job.state is JobState.CANCELLED:
                self._view.say(stopped or self._stopped_words())
            else:
                on_end(job.result)

        self._job = self._executor.start(
            task, on_event=self._on_event, on_state=self._view.show_state, on_end=ended
        )

    def _on_event(self, event: Event) -> None:
        if isinstance(event, StepDone):
            self._stepped(event)
        elif isinstance(event, LivePiece):
            self.live.show_piece(event)
        elif isinstance(event, SnapshotKept):
            self.live.snapshot_kept()
        elif isinstance(event, Preview):
            self._view.show_preview(event)
        elif isinstance(event, Progress):
            self._view.show_progress(self._pace.line(event))
        elif isinstance(event, Message):
            self._view.log(event.text, event.level)
        elif isinstance(event, Alarm):
            self._view.show_alarm(event)
            self._view.log(event.text, "warning")
        elif isinstance(event, CheckpointSaved):
            self._view.log(f"Checkpoint saved at step {event.step}.")

    def _stepped(self, event: StepDone) -> None:
        self._view.show_step(event)
        left = time_words((event.total - event.step) * event.seconds_per_step)
        text = f"step {event.step} of {event.total}, {left} left"
        self._view.show_progress(ProgressLine(text=text, done=event.step, total=event.total))

    def _adapted(self, layers: list[TargetLayer], outcome: AdaptOutcome) -> None:
        self._view.log(f"Adapted in {outcome.adapted.steps} steps.")
        if outcome.masks is not None:
            self._segmented_files(outcome.masks)
        else:
            self._segmented(layers, outcome.segmentations)

    def _segmented(self, layers: list[TargetLayer], found: Sequence[Segmentation]) -> None:
        self._mask_run = self._run
        masks = self.mask.take(layers, found, self._view.mask_choice())
        if len(masks) == 1:
            self._view.say(f"Done. The mask is the layer “{masks[0]}”.")
        else:
            self._view.say(
                f"Done. The masks are {len(masks)} layers, each named after its tomogram; that of the "
                "tomogram on top is shown."
            )

    def _segmented_files(self, found: SegmentedFolder) -> None:
        many = f"The {len(found.masks)} masks lie" if len(found.masks) > 1 else "The mask lies"
        words = f"{many} in {found.out}."
        if not self.mask.available:
            self._view.show_result(False, words)
        self._view.say(f"Done. {words}")

    def _mask_shown(self, words: str) -> None:
        self._view.show_result(True, words)
        self.comparison.update()

    def _failed(self, error: BaseException) -> None:
        words = error_words(error, doing="working on it", memory_advice=_MEMORY_ADVICE)
        self._view.say(words, "error")
        self._view.log(words, "error")

    def _stopped_words(self) -> str:
        if self._run is not None and is_resumable(self._run):
            return "Stopped. Resume goes on from the last checkpoint; Start begins a new run."
        return "Stopped."

    def _show_run(self) -> None:
        run = self._run
        self._view.show_run(
            run,
            resumable=run is not None and is_resumable(run) and not self.runs.following,
            has_model=run is not None and has_model(run),
        )


def _placed(
    call: partial[Any], request: AdaptRequest, live: ViewWish | None = None
) -> partial[Any]:
    """Return what makes the task of `call` where the user wants it to run."""
    return partial(child_task, call, live) if request.place == "process" else call
