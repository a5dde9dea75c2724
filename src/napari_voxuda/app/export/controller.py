"""Decisions of the export window: what would be written, whether it can be, and writing it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from napari_voxuda.app.dock_work import DockWork, WorkView
from napari_voxuda.app.export.choice import (
    OFFERED,
    ExportChoice,
    ExportOffer,
    ExportOption,
    label_names,
    needed_options,
)
from napari_voxuda.app.export.job import ExportJob
from napari_voxuda.app.export.plan import found_particles
from napari_voxuda.app.export.preview import ExportPreview, preview_export
from napari_voxuda.app.export.task import ExportResult, export_all_task
from napari_voxuda.app.running import Executor, LatestOnly
from napari_voxuda.app.scene import LabelEdit, LayerChoice, LayerKey, Scene
from napari_voxuda.app.words import error_words
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError, VoxUDAError
from napari_voxuda.io.copick import CopickOwner
from napari_voxuda.segmentation.particles import Particle

__all__ = ["ExportController", "ExportView"]

_MEMORY_ADVICE = "Close other programs, or export fewer formats at a time."


class ExportView(WorkView, Protocol):
    """What the controller asks of the window."""

    def choice(self) -> ExportChoice:
        """Return the inputs."""
        ...

    def show_layers(self, masks: list[LayerChoice], probabilities: list[LayerChoice]) -> None:
        """Show the layers to choose from; keep the chosen ones where possible."""
        ...

    def show_offer(self, offer: ExportOffer, folder: Path | None, pixel: float | None) -> None:
        """Show what is chosen at first."""
        ...

    def show_name(self, name: str, *, editable: bool) -> None:
        """Propose a name, or show that the layers' names are taken."""
        ...

    def show_options(self, options: frozenset[ExportOption]) -> None:
        """Show the options that the chosen formats need, and no others."""
        ...

    def show_preview(self, preview: ExportPreview | None) -> None:
        """Show what would be written."""
        ...

    def show_ready(self, ready: bool, words: str) -> None:
        """Enable the export, and say why it is not or what it will do."""
        ...


class ExportController:
    """Connects the window, the layers and the export; knows neither Qt nor napari.

    Parameters
    ----------
    view : ExportView
        The window.
    scene : Scene
        The layers.
    executor : Executor
        Where previews are made and files are written.
    offer : ExportOffer
        What is chosen at first.
    """

    def __init__(
        self, view: ExportView, scene: Scene, executor: Executor, offer: ExportOffer
    ) -> None:
        self._view = view
        self._scene = scene
        self._offer = offer
        self.work = DockWork(
            view,
            executor,
            doing="exporting",
            stopped="Stopped. Files that were finished before are complete and stay.",
            memory_advice=_MEMORY_ADVICE,
        )
        self._particles: dict[tuple[Any, ...], tuple[Particle, ...]] = {}
        self._edits: dict[LayerKey, int] = {}
        self._latest: LatestOnly[ExportPreview] = LatestOnly(
            executor, self._previewed, self._failed
        )

    @property
    def busy(self) -> bool:
        """Whether files are being written."""
        return self.work.busy

    def begin(self) -> None:
        """Show what was offered."""
        self.layers_changed()
        images = [self._scene.volume(c.key) for c in self._scene.choices("image")]
        folder = next((v.path.parent for v in images if v.path is not None), None)
        sizes = [v.grid.voxel_size_angstrom for v in images]
        pixel = next((max(size) for size in sizes if size is not None), None)
        self._view.show_offer(self._offer, folder, pixel)
        self.changed()

    def layers_changed(self) -> None:
        """Bring the lists of layers up to date."""
        probabilities = [
            choice
            for choice in self._scene.choices("image")
            if self._scene.volume(choice.key).data.dtype.kind == "f"
        ]
        if self._offer.probability is not None:
            name = f"{self._offer.probability.name}, of the run"
            probabilities.insert(0, LayerChoice(key=OFFERED, name=name))
        self._view.show_layers(self._scene.choices("labels"), probabilities)

    def changed(self) -> None:
        """Make the preview again: a choice or a mask has changed."""
        choice = self._view.choice()
        names = [c.name for c in self._scene.choices("labels") if c.key in choice.layers]
        if len(names) == 1:
            self._view.show_name(names[0], editable=True)
        else:
            self._view.show_name(", ".join(names), editable=False)
        has_project = choice.project is not None
        self._view.show_options(needed_options(choice.formats, has_project=has_project))
        try:
            jobs = self._jobs(self._view.choice())
        except VoxUDAError as error:
            self._failed(error)
            return
        self._view.show_ready(False, "Looking at what would be written…")
        keys = [self._key(layer, choice) for layer, _ in jobs]

        def work() -> ExportPreview:
            known = iter(keys)  # particles are asked for in the order of the jobs
            made = [job for _, job in jobs]
            return preview_export(made, lambda job: self._remembered(next(known), job))

        self._latest.request(work)

    def export(self) -> None:
        """Write the files."""
        if self.busy:
            return
        try:
            jobs = [job for _, job in self._jobs(self._view.choice())]
        except VoxUDAError as error:
            self._view.say(str(error), "error")
            return
        self.work.launch(lambda: export_all_task(jobs), self._exported)

    def close(self) -> None:
        """Stop everything; the window is going away."""
        self._latest.forget()
        self.work.cancel()

    def _jobs(self, choice: ExportChoice) -> list[tuple[LayerKey, ExportJob]]:
        """Return a job for each mask; refuse what is missing."""
        if not choice.formats:
            raise InputError("Choose at least one format.")
        options = needed_options(choice.formats, has_project=choice.project is not None)
        folder = choice.folder
        if folder is None:
            if "folder" in options:
                raise InputError("Choose the folder to write into.")
            folder = Path()  # everything goes into a project or an image
        layers = [key for key in choice.layers if self._scene.has(key)]
        if not layers:
            raise InputError("Choose at least one mask; segment a tomogram if there is none.")
        names = {c.key: c.name for c in self._scene.choices("labels")}
        base = ExportJob(
            labels=self._scene.volume(layers[0]),
            formats=choice.formats,
            folder=folder,
            name=choice.name,
            particles_from=choice.particles_from,
            label_names=label_names(choice.label_names),
            zarr_version=choice.zarr_version,
            owner=CopickOwner(
                user=choice.user, session=choice.session, object_name=choice.object_name
            )
            if "copick" in options
            else CopickOwner(),
            run=choice.run.strip() or None,
            project=choice.project if "copick" in options else None,
            image=choice.image,
            coordinate_pixel_angstrom=choice.coordinate_pixel_angstrom,
            overwrite=choice.overwrite,
            protected=self._files_in_use(),
        )
        if len(layers) == 1:
            return [(layers[0], self._completed(base, layers[0], choice, options))]
        named = ((key, replace(base, name=names.get(key, "mask"))) for key in layers)
        return [(key, self._completed(job, key, choice, options)) for key, job in named]

    def _completed(
        self, job: ExportJob, key: LayerKey, choice: ExportChoice, options: frozenset[ExportOption]
    ) -> ExportJob:
        """Return a job with the labels of one mask, and what belongs to that mask."""
        self._watch(key)
        labels = self._scene.volume(key)
        probability = self._probability(choice.probability) if "probability" in options else None
        own = key in self._offer.layers[:1]
        return replace(
            job,
            labels=labels,
            probability=probability,
            provenance=self._offer.provenance if own else None,
        )

    def _probability(self, key: LayerKey | None) -> Volume | None:
        if key == OFFERED:
            return self._offer.probability
        return self._scene.volume(key) if key is not None and self._scene.has(key) else None

    def _files_in_use(self) -> tuple[Path, ...]:
        keys = [c.key for kind in ("image", "labels") for c in self._scene.choices(kind)]
        paths = [self._scene.volume(key).path for key in keys]
        return tuple(path for path in paths if path is not None)

    def _watch(self, key: LayerKey) -> None:
        """Make the preview again after each step in which a mask changes."""
        if key in self._edits:
            return
        self._edits[key] = 0

        def edited(_: LabelEdit | None) -> None:
            self._edits[key] += 1
            if not self.busy:
                self.changed()

        self._scene.watch_labels(key, edited)

    def _key(self, layer: LayerKey, choice: ExportChoice) -> tuple[Any, ...]:
        """Return what the particles of a mask depend on."""
        return layer, self._edits[layer], choice.particles_from, choice.probability

    def _remembered(self, key: tuple[Any, ...], job: ExportJob) -> tuple[Particle, ...]:
        """Return the particles of a mask, measured once for each of its states; called in a worker."""
        if key not in self._particles:
            self._particles = {k: v for k, v in self._particles.items() if k[0] != key[0]}
            self._particles[key] = found_particles(job)
        return self._particles[key]

    def _previewed(self, preview: ExportPreview) -> None:
        self._view.show_preview(preview)
        if preview.problem:
            self._view.show_ready(False, preview.problem)
        elif preview.existing and not self._view.choice().overwrite:
            noun = "file exists" if preview.existing == 1 else "files exist"
            self._view.show_ready(
                False,
                f"{preview.existing} {noun}. Choose another name or folder, or tick “Replace files that "
                "exist”.",
            )
        else:
            self._view.show_ready(True, _ready_words(preview))

    def _failed(self, error: BaseException) -> None:
        self._latest.forget()
        self._view.show_preview(None)
        words = error_words(error, doing="the preview", memory_advice=_MEMORY_ADVICE)
        self._view.show_ready(False, words)

    def _exported(self, result: ExportResult) -> None:
        count = len(result.files)
        first = result.files[0].path
        what = first.name if count == 1 else f"{count} files"
        self._view.say(f"Saved {what} in {first.parent}.")
        self.changed()


def _ready_words(preview: ExportPreview) -> str:
    count = len(preview.files)
    words = [f"{count} {'file' if count == 1 else 'files'}"]
    if preview.particles is not None:
        words.append(f"{preview.particles} {'particle' if preview.particles == 1 else 'particles'}")
    if preview.existing:
        words.append(f"{preview.existing} replaced")
    return f"{', '.join(words)}. A record of its origin is written beside each."
