"""What a task is asked to do and what it returns: plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from napari_voxuda._types import Contrast
from napari_voxuda.adaptation.refine_settings import RefineSettings
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.app.layer_source import LayerSource
from napari_voxuda.app.live.view import ViewWish
from napari_voxuda.app.provenance import Provenance
from napari_voxuda.data.corrections import Corrections
from napari_voxuda.data.picks import Picks
from napari_voxuda.data.volume import Volume
from napari_voxuda.method.denoising import DenoiseSettings
from napari_voxuda.segmentation.particles import Particle
from napari_voxuda.segmentation.settings import SegmentSettings
from napari_voxuda.simulation.settings import SourceSettings

__all__ = [
    "AdaptJob",
    "AdaptResult",
    "ContrastChoice",
    "DenoiseJob",
    "DeviceName",
    "GapJob",
    "RefineJob",
    "RefineResult",
    "SegmentFolderJob",
    "SegmentJob",
    "Segmentation",
    "SegmentedFolder",
    "SimulateJob",
    "TargetChoice",
]

DeviceName = Literal["auto", "cpu", "cuda"]
ContrastChoice = Literal["auto", "bright", "dark"]
TargetChoice = Path | Volume | tuple[Path | Volume, ...]
"""A tomogram, a folder, or several tomograms."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DenoiseJob:
    """Denoise a whole volume in blocks; the task returns the denoised `Volume` (float32).

    Parameters
    ----------
    volume : Volume
        The volume; may be memory-mapped.
    settings : DenoiseSettings
        The denoiser.
    invert : bool
        Turn the contrast of the result: its values times -1.
    """

    volume: Volume
    settings: DenoiseSettings = field(default_factory=DenoiseSettings)
    device: DeviceName = "auto"
    invert: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class SimulateJob:
    """Simulate labelled subtomograms into a new folder; the task returns the folder."""

    source: SourceSettings
    out: Path
    seed: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class AdaptJob:
    """Adapt a network to a target without labels; the task returns an `AdaptResult`.

    Parameters
    ----------
    target : Path, Volume, tuple of them, or None
        A tomogram (file or volume), several of one voxel size, or a folder of subtomograms or
        tomograms. None, when resuming, is what the run began with.
    out : Path
        The run folder: new, or an unfinished run when `resume` is set.
    picks : Path, Picks or None
        Positions at which a tomogram's boxes are drawn; random positions without. For several
        tomograms a STAR file that names them.
    source : SourceSettings
        The simulated source. Its voxel size and box are replaced by the target's.
    settings : AdaptSettings
        Network, losses and schedule; ``AdaptSettings.preset("fast" | "default" | "paper")``.
    contrast : {"auto", "bright", "dark"}
        Whether protein is bright or dark in the target.
    voxel_size_angstrom : float or None
        Overrides the target header's; needed where that is unknown.
    level : int
        Which resolution of an OME-Zarr image; 0 is the finest.
    resume : bool
        Go on with the run in `out`; settings and seed then come from the run itself.
    labelled : LayerSource or None
        A tomogram and its labels, which are the source instead of a simulated one; of `source`, box, count
        and `empty_fraction` count. The run folder keeps a copy, from which it is resumed.
    live : ViewWish or None
        What of a tomogram is to be shown while the run goes on; see `live_view`.
    """

    target: TargetChoice | None
    out: Path
    picks: Path | Picks | None = None
    source: SourceSettings = field(default_factory=SourceSettings)
    settings: AdaptSettings = field(default_factory=AdaptSettings)
    contrast: Literal["auto", "bright", "dark"] = "auto"
    voxel_size_angstrom: float | None = None
    level: int = 0
    device: DeviceName = "auto"
    seed: int = 0
    resume: bool = False
    labelled: LayerSource | None = None
    live: ViewWish | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class GapJob:
    """Measure how far source and target of an adaptation are apart; the task returns a `GapReport`.

    Parameters
    ----------
    target, picks, source, settings, contrast, voxel_size_angstrom, level, seed, labelled
        Those of the `AdaptJob` that would run.
    """

    target: TargetChoice | None
    picks: Path | Picks | None = None
    source: SourceSettings = field(default_factory=SourceSettings)
    settings: AdaptSettings = field(default_factory=AdaptSettings)
    contrast: Literal["auto", "bright", "dark"] = "auto"
    voxel_size_angstrom: float | None = None
    level: int = 0
    seed: int = 0
    labelled: LayerSource | None = None


@dataclass(frozen=True, kw_only=True)
class AdaptResult:
    """A finished adaptation.

    Parameters
    ----------
    run : Path
        The run folder, which `SegmentJob.model` takes.
    steps : int
        Steps done in all.
    """

    run: Path
    steps: int


@dataclass(frozen=True, kw_only=True, eq=False)
class RefineJob:
    """Adapt a finished run to corrections and segment again; the task returns a `RefineResult`.

    Parameters
    ----------
    run : Path
        The run folder, which gets a new version of its model.
    volume : Volume
        What was corrected and is segmented again.
    corrections : Corrections
        The corrected voxels of `volume`.
    settings : RefineSettings
        Steps and weights.
    segment : SegmentSettings
        How the volume is segmented again; the corrected voxels then get the user's values.
    """

    run: Path
    volume: Volume
    corrections: Corrections
    settings: RefineSettings = field(default_factory=RefineSettings)
    segment: SegmentSettings = field(default_factory=SegmentSettings)
    device: DeviceName = "auto"
    seed: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class SegmentJob:
    """Segment a whole volume with the model of a run; the task returns a `Segmentation`.

    Parameters
    ----------
    volume : Volume
        The volume; may be memory-mapped.
    model : Path
        A run folder.
    settings : SegmentSettings
        How the mask is made, and tiles.
    contrast : {"auto", "bright", "dark"}
        Whether protein is bright or dark in the volume. ``"auto"`` is as in the tomogram that the model
        was adapted to, with a warning where the volume looks otherwise.
    """

    volume: Volume
    model: Path
    settings: SegmentSettings = field(default_factory=SegmentSettings)
    device: DeviceName = "auto"
    contrast: ContrastChoice = "auto"


@dataclass(frozen=True, kw_only=True, eq=False)
class SegmentFolderJob:
    """Segment each subtomogram of a folder; the task returns a `SegmentedFolder`.

    Parameters
    ----------
    folder : Path
        The subtomograms: every MRC file but those named ``NAME_mask``.
    model : Path
        A run folder.
    out : Path
        Folder of the masks; made when it does not exist.
    probability : Path or None
        Folder of the foreground probabilities, which are not written without it.
    voxel_size_angstrom : float or None
        Overrides the headers'; needed for sizes in Å³ where they do not tell it.
    overwrite : bool
        Whether files that exist are replaced.
    contrast : {"auto", "bright", "dark"}
        As for `SegmentJob`.
    """

    folder: Path
    model: Path
    out: Path
    probability: Path | None = None
    voxel_size_angstrom: float | None = None
    settings: SegmentSettings = field(default_factory=SegmentSettings)
    device: DeviceName = "auto"
    overwrite: bool = False
    contrast: ContrastChoice = "auto"


@dataclass(frozen=True, kw_only=True)
class SegmentedFolder:
    """A segmented folder.

    Parameters
    ----------
    out : Path
        The folder.
    masks : tuple of Path
        Its masks, in the natural order of the subtomograms' names.
    """

    out: Path
    masks: tuple[Path, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Segmentation:
    """A segmented volume; probability and mask have its grid and its name.

    Parameters
    ----------
    probability : Volume
        (d, h, w) float32 foreground probability in [0, 1].
    mask : Volume
        (d, h, w) uint8, 1 where foreground, made as the settings say.
    particles : list of Particle
        The connected components of `mask`, largest first.
    provenance : Provenance or None
        What it comes from; goes into the sidecars of what is written of it.
    contrast : {"bright", "dark"} or None
        What protein was taken to be in the volume; None where it is not known.
    """

    probability: Volume
    mask: Volume
    particles: list[Particle]
    provenance: Provenance | None = None
    contrast: Contrast | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class RefineResult:
    """A refined run and the volume as it is segmented now.

    Parameters
    ----------
    version : str
        Name of the new version of the model.
    segmentation : Segmentation
        Mask and particles with the corrected voxels as the user gave them; the probability is the
        network's.
    """

    version: str
    segmentation: Segmentation
