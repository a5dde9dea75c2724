"""Decisions of the dock *Vox-UDA adapt*: what to run, what its events mean, what to tell."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from napari_voxuda._types import Event, Message, Progress
from napari_voxuda.adaptation.events import Alarm, CheckpointSaved, Preview, SnapshotKept, StepDone
from napari_voxuda.app.adapt_and_segment import AdaptOutcome, adapt_and_segment_task
from napari_voxuda.app.adapt_request import AdaptRequest, make_job, target_volume
from napari_voxuda.app.adapt_view import AdaptView
from napari_voxuda.app.child import child_task
from napari_voxuda.app.comparison_controller import ComparisonController
from napari_voxuda.app.job import Job, JobState
from napari_voxuda.app.jobs import Segmentation, SegmentJob
from napari_voxuda.app.live_controller import LiveController
from napari_voxuda.app.live_view import LivePiece, ViewWish
from napari_voxuda.app.mask_controller import MaskController
from napari_voxuda.app.mask_refinement import RefinedMask
from napari_voxuda.app.pace import Pace, ProgressLine
from napari_voxuda.app.preflight import preflight_task
from napari_voxuda.app.preflight_controller import PreflightController
from napari_voxuda.app.refine_start import RefineStart
from napari_voxuda.app.run_places import fresh_run_folder, has_model, is_resumable
from napari_voxuda.app.running import Executor, LatestOnly
from napari_voxuda.app.runs_controller import RunsController
from napari_voxuda.app.scene import Scene
from napari_voxuda.app.words import error_words, time_words
from napari_voxuda.data.volume import Volume
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
        self.mask = MaskController(scene, executor, self._mask_shown, self._failed)
        self.runs = RunsController(view, executor, self._show_run)
        self.live = LiveController(view.live, scene, executor, view.target_layer)
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
        key = self._view.target_layer()
        self._contrast.forget()
        if key is None or not self._scene.has(key):
            self._view.show_contrast("")
            return
        try:
            volume = self._scene.volume(key)
        except VoxUDAError as error:
            self._view.say(str(error), "error")
            return
        size = volume.grid.voxel_size_angstrom
        if size is None:
            self._view.show_voxel_size(None, "The layer does not tell it; please type it.")
        else:
            self._view.show_voxel_size(sum(size) / 3, "From the layer.")
        self._view.show_contrast("Looking at the contrast…")
        self._contrast.request(partial(_contrast_words, volume))

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
        """Segment the target layer with the run that is shown."""
        if self.busy:
            return
        try:
            request = self._view.request()
            volume, placement = self._target(request)
            if self._run is None or not has_model(self._run):
                raise InputError(
                    "Model: a finished run was wanted. Choose its folder as run folder."
                )
        except VoxUDAError as error:
            self._view.say(str(error), "error")
            return
        from napari_voxuda.app.segment import segment_task

        job = SegmentJob(
            volume=volume,
            model=self._run,
            settings=request.segment_settings,
            device=request.device,
            contrast=request.contrast,
        )
        self._launch(lambda: segment_task(job), partial(self._segmented, placement, volume.name))

    def mask_changed(self) -> None:
        """Make the mask again: threshold, smallest size or numbering has changed."""
        self.mask.refine(self._view.mask_choice())

    def hand_over(self) -> RefineStart:
        """Return the mask for the dock *Vox-UDA refine* and let go of it; see `MaskController`."""
        start = self.mask.hand_over(self._view.target_layer(), self._run, self._view.mask_choice())
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
            volume, placement = None, None
            name = request.folder.name if request.folder is not None else ""
            if request.folder is None:
                volume, placement = self._target(request)
                name = volume.name
            run = self._run if resume else request.run
            if run is None:
                run = fresh_run_folder(name)
            job = make_job(request, self._scene, run, resume=resume)
        except VoxUDAError as error:
            self._view.say(str(error), "error")
            return
        if check:
            tried = _placed(partial(preflight_task, job), request)
            on_end = partial(self.preflight.show, placement, name)
            self._launch(tried, on_end, stopped="The check was stopped.")
            return
        self._run = run
        self.preflight.clear()
        job = replace(job, live=self.live.begin(request.layer, placement, run, job.settings.steps))
        self.runs.leave()
        self.runs.remember(run)
        if not resume:
            self._view.clear_curves()
        call = partial(adapt_and_segment_task, job, volume, request.segment_settings)
        task = _placed(call, request, job.live)
        self._launch(task, partial(self._adapted, placement, name))
        self._view.log(f"Run folder: {run}")

    def _target(self, request: AdaptRequest) -> tuple[Volume, Any]:
        """Return the target volume and its place; give a pixel layer the voxel size in Å."""
        volume = target_volume(request, self._scene)
        key, size = request.layer, request.voxel_size_angstrom
        if key is not None and size is not None:
            if self._scene.volume(key).grid.voxel_size_angstrom is None:
                self._scene.set_voxel_size(key, size)
                self._view.log(f"The layer {volume.name} is shown with voxels of {size:g} Å now.")
            return volume, self._scene.placement(key)
        return volume, self._scene.placement(key) if key is not None else None

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

    def _adapted(self, placement: Any, name: str, outcome: AdaptOutcome) -> None:
        self._view.log(f"Adapted in {outcome.adapted.steps} steps.")
        if outcome.segmentation is not None:
            self._segmented(placement, name, outcome.segmentation)
        else:
            self._view.say(
                "Done. To use the model, choose a tomogram layer as target and press "
                "“Segment with this run”."
            )

    def _segmented(self, placement: Any, name: str, segmentation: Segmentation) -> None:
        self._mask_run = self._run
        mask = self.mask.take(segmentation, placement, name, self._view.mask_choice())
        self._view.say(f"Done. The mask is the layer “{mask}”.")

    def _mask_shown(self, mask: RefinedMask) -> None:
        self._view.show_result(True, mask.words)
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


def _contrast_words(volume: Volume) -> str:
    """Say whether protein looks dark or bright; called in a worker."""
    from napari_voxuda.data.contrast import detect_contrast

    guess = detect_contrast([volume])
    return guess.reason if guess.is_sure else f"⚠ {guess.reason}"
