"""Decisions of the dock *Vox-UDA refine*: correct a mask, refine its run, look where it is unsure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_voxuda.app.compare.controller import ComparisonController
from napari_voxuda.app.dock_work import DockWork
from napari_voxuda.app.export.choice import ExportOffer
from napari_voxuda.app.jobs import RefineJob, RefineResult, Segmentation, SegmentJob
from napari_voxuda.app.mask.handover import RefineStart
from napari_voxuda.app.mask.particle_edits import ParticleList
from napari_voxuda.app.mask.refinement import RefinedMask
from napari_voxuda.app.mask.session import MaskSession
from napari_voxuda.app.provenance import Provenance
from napari_voxuda.app.refine.actions import MaskActions
from napari_voxuda.app.refine.corrections import RunCorrections
from napari_voxuda.app.refine.place_walk import PlaceWalk
from napari_voxuda.app.refine.view import RefineView, VersionLine
from napari_voxuda.app.running import Executor, LatestOnly
from napari_voxuda.app.runs.places import has_model
from napari_voxuda.app.scene import Scene
from napari_voxuda.data.corrections import Corrections
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError, VoxUDAError
from napari_voxuda.segmentation.settings import SegmentSettings

__all__ = ["RefineController"]

_MEMORY_ADVICE = "Choose a smaller batch under “Settings”, or the CPU as device, and try again."


class RefineController:
    """Connects the dock, the layers and the tasks; knows neither Qt nor napari.

    Parameters
    ----------
    view : RefineView
        The dock.
    scene : Scene
        The layers.
    executor : Executor
        Where the work is done.
    """

    def __init__(self, view: RefineView, scene: Scene, executor: Executor) -> None:
        self._view = view
        self._scene = scene
        self.work = DockWork(
            view,
            executor,
            doing="working on it",
            stopped="Stopped. The run keeps its model and your corrections.",
            memory_advice=_MEMORY_ADVICE,
        )
        self._run: Path | None = None
        self._volume: Volume | None = None
        self._placement: Any = None
        self._start: RefineStart | None = None
        self._provenance: Provenance | None = None
        self._store = RunCorrections(executor, self.work.failed)
        self._opening: LatestOnly[Corrections] = LatestOnly(
            executor, self._opened, self.work.failed
        )
        self.mask = MaskSession(
            scene,
            executor,
            on_mask=self._mask_shown,
            on_marks=self._marked,
            on_particles=self._listed,
            on_choice=view.show_choice,
            on_error=self.work.failed,
        )
        self.comparison = ComparisonController(
            view.comparison,
            scene,
            executor,
            mask=lambda: self.mask.mask_key,
            run=lambda: self._run,
        )
        self.actions = MaskActions(view, self.mask)
        self.walk = PlaceWalk(scene, view, self.mask)

    @property
    def busy(self) -> bool:
        """Whether a job runs or waits."""
        return self.work.busy

    def layers_changed(self) -> None:
        """Bring the list of layers up to date."""
        self._view.show_layers(self._scene.choices("image"))
        self.comparison.layers_changed()

    def run_changed(self) -> None:
        """Show the versions of the run that the user chose."""
        try:
            run = self._view.request().run
        except VoxUDAError as error:
            self._view.say(str(error), "error")
            return
        self._show_versions(run)

    def take_over(self, start: RefineStart) -> None:
        """Go on with a mask that another dock has made."""
        if self.busy:
            self._view.say("Stop the present work first, then open the other mask.", "warning")
            return
        self._view.choose(start.layer, start.run, start.choice)
        try:
            volume, _ = self._target()
        except VoxUDAError as error:
            self._view.say(str(error), "error")
            return
        self._open(volume, start)

    def segment(self) -> None:
        """Segment the chosen tomogram with the chosen run and begin to correct its mask."""
        if self.busy:
            return
        try:
            volume, placement = self._target()
            request = self._view.request()
            run = self._checked_run(request.run)
        except VoxUDAError as error:
            self._view.say(str(error), "error")
            return
        from napari_voxuda.app.segment.task import segment_task

        job = SegmentJob(
            volume=volume,
            model=run,
            settings=SegmentSettings(threshold=request.mask.threshold),
            device=request.device,
        )
        layer, choice = request.layer, request.mask

        def segmented(found: Segmentation) -> None:
            again = self.mask.available and self._run == run and self._is_same(volume)
            start = RefineStart(
                layer=layer,
                run=run,
                probability=found.probability,
                placement=placement,
                mask_key=self.mask.mask_key if again else None,
                choice=choice,
                provenance=found.provenance,
            )
            self._open(volume, start)

        self.work.launch(lambda: segment_task(job), segmented)

    def refine(self) -> None:
        """Adapt the run's network to the corrections and segment again."""
        if self.busy:
            return
        try:
            request = self._view.request()
            run, volume = self._checked_run(self._run), self._volume
            corrections = self.mask.corrections()
            if volume is None or not len(corrections):
                raise InputError(
                    "Refine: corrected voxels were wanted, got none. Paint or erase where the mask "
                    "is wrong, or delete particles, then press Refine."
                )
        except VoxUDAError as error:
            self._view.say(str(error), "error")
            return
        from napari_voxuda.app.refine.task import refine_task

        job = RefineJob(
            run=run,
            volume=volume,
            corrections=corrections,
            settings=request.settings,
            segment=SegmentSettings(threshold=request.mask.threshold),
            device=request.device,
        )
        self.work.launch(lambda: refine_task(job), self._refined)

    def find_uncertain(self) -> None:
        """Compute the uncertainty and go to the first place."""
        if self.busy:
            return
        try:
            run, volume = self._checked_run(self._run), self._volume
            if volume is None:
                raise InputError("Uncertainty: a mask was wanted. Press “Segment” first.")
            device = self._view.request().device
        except VoxUDAError as error:
            self._view.say(str(error), "error")
            return
        from napari_voxuda.app.refine.uncertainty import uncertainty_task

        self.work.launch(
            lambda: uncertainty_task(volume, run, device=device),
            lambda found: self.walk.begin(found, self._placement),
        )

    def restore(self, number: int) -> None:
        """Make an earlier version the run's model again, and segment with it."""
        if self.busy:
            return

        from napari_voxuda.adaptation.run_folder import RunFolder
        from napari_voxuda.adaptation.versions import restore_version

        try:
            run = self._checked_run(self._view.request().run)
            with RunFolder.open(run):
                restore_version(run, number)
        except VoxUDAError as error:
            self._view.say(str(error), "error")
            return
        self._show_versions(run)
        self.segment()

    def offer(self) -> ExportOffer:
        """Return what there is to export; raises `InputError` where there is no mask."""
        return self.mask.offer(self._provenance)

    def close(self) -> None:
        """Stop everything; the dock is going away."""
        self._opening.forget()
        self.comparison.close()
        self.mask.forget()
        self.work.cancel()

    def _target(self) -> tuple[Volume, Any]:
        key = self._view.request().layer
        if key is None or not self._scene.has(key):
            raise InputError(
                "Tomogram: a layer was wanted, got none. Open a tomogram and choose it."
            )
        return self._scene.volume(key), self._scene.placement(key)

    def _checked_run(self, run: Path | None) -> Path:
        if run is None or not has_model(run):
            raise InputError(
                "Run: a finished run was wanted. Choose its folder, or make one with the dock "
                "“Vox-UDA adapt”."
            )
        return run

    def _is_same(self, volume: Volume) -> bool:
        return self._volume is not None and self._volume.data is volume.data

    def _open(self, volume: Volume, start: RefineStart) -> None:
        """Read the corrections that the run keeps of the volume, then begin."""
        self._provenance = start.provenance
        if self._start is not None and self._run == start.run and self._is_same(volume):
            # The marks at hand are newer than those on disk.
            self.mask.replace_probability(start.probability)
            self._show_versions(start.run)
            return
        self._start, self._volume, self._run = start, volume, start.run
        self._placement = start.placement
        run, painted = start.run, start.corrections
        self._opening.request(lambda: self._store.open(run, volume, painted))

    def _opened(self, kept: Corrections) -> None:
        start = self._start
        if start is None:
            return
        self.walk.forget()
        self.mask.begin(start.probability, start.placement, start.choice, kept, start.mask_key)
        self._view.show_ready(True)
        self._show_versions(start.run)
        if len(kept):
            self._view.say(f"{len(kept)} voxels that were corrected before are kept.")
        else:
            self._view.say("Correct the mask by the table or with the brush, then press Refine.")

    def _refined(self, result: RefineResult) -> None:
        self._provenance = result.segmentation.provenance
        self.mask.replace_probability(result.segmentation.probability)
        self.walk.forget()
        self._show_versions(self._run)
        self._view.say(f"Done: “{result.version}” is the run's model now; the earlier one is kept.")

    def _mask_shown(self, mask: RefinedMask) -> None:
        self._view.show_found(mask.words)
        self.comparison.update()

    def _marked(self, count: int) -> None:
        noun = "voxel" if count == 1 else "voxels"
        self._view.show_marks(f"{count} {noun} corrected." if count else "Nothing corrected yet.")
        if self._volume is not None:
            self._store.save(self.mask.corrections)

    def _listed(self, found: ParticleList) -> None:
        self._view.show_particles(found.particles)

    def _show_versions(self, run: Path | None) -> None:
        from napari_voxuda.adaptation.versions import list_versions

        versions = []
        try:
            versions = list_versions(run) if run is not None else []
        except VoxUDAError as error:
            self._view.say(str(error), "error")
        self._view.show_versions(
            [VersionLine(number=v.number, name=v.name, current=v.current) for v in versions]
        )
