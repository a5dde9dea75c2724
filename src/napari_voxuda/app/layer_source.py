"""A tomogram and its labels as the labelled source: checked, kept in the run folder, found again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from napari_voxuda._types import Contrast, Message, Task
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError
from napari_voxuda.simulation.settings import SourceSettings

__all__ = [
    "KEPT_PAIR",
    "CheckedPair",
    "LayerSource",
    "check_pair",
    "in_run",
]

KEPT_PAIR = ("source-image.mrc", "source-labels.mrc")
"""The files of a pair in its run folder: float32 with protein bright, and the mask."""

_LEAST_DIFFERENCE = 0.05  # standard deviations


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerSource:
    """A tomogram and its labels.

    Parameters
    ----------
    image : Volume
        (d, h, w) the tomogram.
    labels : Volume
        (d, h, w) its labels, 0 for background; every particle in it is labelled.
    contrast : {"auto", "bright", "dark"}
        Whether protein is bright or dark in the image; ``"auto"`` compares labelled voxels with the
        others.
    """

    image: Volume
    labels: Volume
    contrast: Literal["auto", "bright", "dark"] = "auto"


@dataclass(frozen=True, kw_only=True, eq=False)
class CheckedPair:
    """A pair that a network can learn from.

    Parameters
    ----------
    image, mask : Volume
        (d, h, w) float32, normalised, protein bright; and (d, h, w) uint8, 1 where labelled.
    settings : SourceSettings
        Of kind ``pair``, naming `KEPT_PAIR`.
    """

    image: Volume
    mask: Volume
    settings: SourceSettings

    def open(self) -> Any:
        """Return the source that draws boxes of it."""
        from napari_voxuda.simulation.labelled_volume import LabelledVolume

        return LabelledVolume(self.settings, self.image, self.mask)

    def keep(self, run: Path) -> None:
        """Write the pair into a run folder, each file whole or not at all.

        Raises
        ------
        OutputError
            When it cannot be written.
        """
        from napari_voxuda.io.mrc import write_mask, write_mrc

        image, mask = KEPT_PAIR
        write_mrc(run / image, self.image, label="source of the run")
        write_mask(run / mask, self.mask, label="labels of the source")


def check_pair(pair: LayerSource, source: SourceSettings) -> Task[CheckedPair]:
    """Check a pair against the target's voxel size and bring it to one scale and contrast.

    Parameters
    ----------
    pair : LayerSource
        Image and labels.
    source : SourceSettings
        Box, number of boxes and the target's voxel size.

    Yields
    ------
    Message
        What the contrast is taken to be, and doubts.

    Raises
    ------
    InputError
        When the two do not fit together or to the target.
    """
    from napari_voxuda.data.normalise import volume_statistics
    from napari_voxuda.simulation.labelled_volume import check_labelled

    wanted = source.voxel_size_angstrom
    mask = check_labelled(pair.image, pair.labels, wanted)
    grid = pair.image.grid
    if grid.voxel_size_angstrom is None:
        yield Message(
            text=f"{pair.image.name}: the voxel size is unknown; it is taken to be that of the target, "
            f"{wanted:.4g} Å.",
            level="warning",
        )
        grid = grid.with_voxel_size(wanted)
    mean, std = volume_statistics(pair.image.data, name=pair.image.name)
    image = (np.asarray(pair.image.data, dtype=np.float32) - np.float32(mean)) / np.float32(std)
    contrast = pair.contrast
    if contrast == "auto":
        contrast, words, is_sure = _contrast(image, mask)
        yield Message(text=f"{pair.image.name}: {words}", level="info" if is_sure else "warning")
    if contrast == "dark":
        image *= -1
    return CheckedPair(
        image=Volume(data=image, grid=grid, name=pair.image.name),
        mask=Volume(data=mask.astype(np.uint8), grid=grid, name=pair.labels.name),
        settings=replace(source, kind="pair", files=KEPT_PAIR),
    )


def in_run(source: SourceSettings, run: Path) -> SourceSettings:
    """Return the settings of a run's source with the files of a kept pair found in its folder.

    Raises
    ------
    InputError
        When the pair is not there any more.
    """
    if source.kind != "pair":
        return source
    files = tuple(str(run / Path(name).name) for name in source.files)
    for file in files:
        if not Path(file).is_file():
            raise InputError(
                f"{file}: the labelled source of the run was wanted, but it is gone. Put it back, or "
                "start a new run."
            )
    return replace(source, files=files)


def _contrast(image: Any, mask: Any) -> tuple[Contrast, str, bool]:
    """Compare the labelled voxels of a normalised image with the others."""
    inside = float(image[mask].mean(dtype=np.float64))
    share = float(mask.mean())
    outside = -inside * share / (1 - share)  # the mean of all is 0
    difference = inside - outside
    contrast: Contrast = "bright" if difference >= 0 else "dark"
    words = (
        f"labelled voxels are {'brighter' if difference >= 0 else 'darker'} than the others by "
        f"{abs(difference):.2f} standard deviations, so protein is taken as {contrast} in the source."
    )
    is_sure = abs(difference) >= _LEAST_DIFFERENCE
    return contrast, words if is_sure else f"{words} That is little; check it by eye.", is_sure
