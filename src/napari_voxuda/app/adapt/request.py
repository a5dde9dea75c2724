"""What the dock *Vox-UDA adapt* asks for, and the job that this makes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.app.adapt.target import check_voxel_sizes
from napari_voxuda.app.jobs import AdaptJob, DeviceName, GapJob, TargetChoice
from napari_voxuda.app.layer_source import LayerSource
from napari_voxuda.app.mask.refinement import MaskChoice
from napari_voxuda.app.scene import LayerKey, Scene
from napari_voxuda.data.picks import Picks
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError
from napari_voxuda.io.zarr_folder import is_zarr_folder
from napari_voxuda.segmentation.settings import SegmentSettings
from napari_voxuda.simulation.settings import SourceSettings

__all__ = [
    "AdaptRequest",
    "LabelledLayers",
    "TargetLayer",
    "make_gap_job",
    "make_job",
    "target_layers",
]


@dataclass(frozen=True, kw_only=True)
class LabelledLayers:
    """A tomogram layer and its labels.

    Parameters
    ----------
    image, labels : LayerKey or None
        The two layers; None where nothing is chosen.
    contrast : {"auto", "bright", "dark"}
        Whether protein is bright or dark in the image.
    """

    image: LayerKey | None
    labels: LayerKey | None
    contrast: Literal["auto", "bright", "dark"] = "auto"


@dataclass(frozen=True, kw_only=True, eq=False)
class TargetLayer:
    """A layer that the network is adapted to.

    Parameters
    ----------
    key : LayerKey
        The layer.
    volume : Volume
        What it holds.
    placement : object
        Where it lies, for the layers that are derived from it.
    """

    key: LayerKey
    volume: Volume
    placement: Any


@dataclass(frozen=True, kw_only=True)
class AdaptRequest:
    """The dock's inputs.

    Parameters
    ----------
    layer : LayerKey or None
        The target layer, or the first of several; for a folder, None.
    more_layers : tuple of LayerKey
        The other layers where the network is adapted to several tomograms.
    folder : Path or None
        A folder of subtomograms or tomograms as target.
    picks : LayerKey or None
        A points layer with particle positions.
    picks_file : Path or None
        A file with particle positions instead: STAR, copick, ndjson or CSV.
    voxel_size_angstrom : float or None
        The voxel size in Å that the user sees or typed; None while unknown.
    contrast : {"auto", "bright", "dark"}
        Whether protein is bright or dark.
    source : SourceSettings
        The simulated source.
    labelled : LabelledLayers or None
        A tomogram layer and its labels as source instead.
    settings : AdaptSettings
        The training.
    device : {"auto", "cpu", "cuda"}
        Where tensors are computed.
    place : {"process", "thread"}
        Whether the run gets a process of its own or a thread of this one.
    run : Path or None
        The run folder; a fresh one where None.
    seed : int
        Seed of the run.
    mask : MaskChoice
        How the mask is made from the probability.
    """

    layer: LayerKey | None = None
    more_layers: tuple[LayerKey, ...] = ()
    folder: Path | None = None
    picks: LayerKey | None = None
    picks_file: Path | None = None
    voxel_size_angstrom: float | None = None
    contrast: Literal["auto", "bright", "dark"] = "auto"
    source: SourceSettings = field(default_factory=SourceSettings)
    labelled: LabelledLayers | None = None
    settings: AdaptSettings = field(default_factory=AdaptSettings)
    device: DeviceName = "auto"
    place: Literal["process", "thread"] = "process"
    run: Path | None = None
    seed: int = 0
    mask: MaskChoice = field(default_factory=lambda: MaskChoice(threshold=0.5))

    @property
    def layers(self) -> tuple[LayerKey, ...]:
        """All target layers; none for a folder."""
        return () if self.layer is None else (self.layer, *self.more_layers)

    @property
    def segment_settings(self) -> SegmentSettings:
        """The settings of the segmentation after the training; the mask of a layer is made separately."""
        if self.folder is not None:
            return self.mask.for_files()
        return SegmentSettings(threshold=self.mask.threshold)


def target_layers(request: AdaptRequest, scene: Scene) -> list[TargetLayer]:
    """Return the target layers as volumes whose voxel size is known and one.

    Raises
    ------
    InputError
        When no layer is chosen, one is gone, or their voxel size is unknown or not one.
    """
    keys = request.layers or (None,)
    check_voxel_sizes([scene.volume(key) for key in keys if key is not None and scene.has(key)])
    volumes = [_target_volume(key, request, scene) for key in keys]
    return [
        TargetLayer(key=key, volume=volume, placement=scene.placement(key))
        for key, volume in zip(keys, volumes, strict=True)
    ]


def _target_volume(key: LayerKey | None, request: AdaptRequest, scene: Scene) -> Volume:
    if key is None or not scene.has(key):
        raise InputError(
            "Target: a tomogram layer was wanted, got none. Open a tomogram with the button "
            "“Open tomogram…” and choose it as target."
        )
    volume = scene.volume(key)
    known, wanted = volume.grid.voxel_size_angstrom, request.voxel_size_angstrom
    if wanted is None and known is None:
        raise InputError(
            f"{volume.name}: the voxel size is unknown, and the simulated source must match it. "
            "Type it in Å under “Voxel size”."
        )
    if wanted is not None and (known is None or abs(sum(known) / 3 - wanted) > 1e-3 * wanted):
        volume = replace(volume, grid=volume.grid.with_voxel_size(wanted))
    return volume


def make_job(request: AdaptRequest, scene: Scene, run: Path, *, resume: bool = False) -> AdaptJob:
    """Return the job that `request` asks for.

    Parameters
    ----------
    request : AdaptRequest
        The dock's inputs.
    scene : Scene
        The layers.
    run : Path
        The run folder.
    resume : bool
        Whether to go on with the unfinished run in `run`.

    Raises
    ------
    InputError
        When the target or the picks cannot be used.
    """
    return AdaptJob(
        **_inputs(request, scene),
        out=run,
        device=request.device,
        resume=resume,
        labelled=None if resume else _labelled(request, scene),
    )


def make_gap_job(request: AdaptRequest, scene: Scene) -> GapJob:
    """Return the job that measures the gap which a run of `request` would have to close.

    Raises
    ------
    InputError
        When the target or the picks cannot be used.
    """
    return GapJob(**_inputs(request, scene), labelled=_labelled(request, scene))


def _inputs(request: AdaptRequest, scene: Scene) -> dict[str, Any]:
    """Return what the two jobs have in common, by name."""
    target: TargetChoice
    picks: Path | Picks | None = None
    if request.folder is not None:
        target = request.folder
        if not target.is_dir():
            raise InputError(f"{target}: a folder was wanted. Choose it again.")
        if is_zarr_folder(target):
            raise InputError(
                f"{target}: a folder of volumes was wanted, got one OME-Zarr image. Open it with the "
                "button “Open tomogram…” and choose it as target."
            )
    else:
        found = tuple(layer.volume for layer in target_layers(request, scene))
        target = found[0] if len(found) == 1 else found
        picks = request.picks_file
        if request.picks is not None and request.layer is not None:
            picks = scene.picks(request.picks, request.layer)
            if not len(picks):
                raise InputError(
                    "Picks: points were wanted, but the layer is empty. Add points, or choose none."
                )
    return {
        "target": target,
        "picks": picks,
        "source": request.source,
        "settings": request.settings,
        "contrast": request.contrast,
        "voxel_size_angstrom": request.voxel_size_angstrom,
        "seed": request.seed,
    }


def _labelled(request: AdaptRequest, scene: Scene) -> LayerSource | None:
    layers = request.labelled
    if layers is None:
        return None
    for key, wanted in ((layers.image, "a tomogram layer"), (layers.labels, "a labels layer")):
        if key is None or not scene.has(key):
            raise InputError(
                f"Source: {wanted} was wanted, got none. Open a tomogram and its labels, and choose "
                "both under “Source”."
            )
    return LayerSource(
        image=scene.volume(layers.image),
        labels=scene.volume(layers.labels),
        contrast=layers.contrast,
    )
