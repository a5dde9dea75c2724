"""Compute where the networks of a run are unsure of a volume."""

from __future__ import annotations

from pathlib import Path

from napari_voxuda._types import Message, Task
from napari_voxuda.app.device import resolve_device
from napari_voxuda.data.normalise import volume_statistics
from napari_voxuda.data.volume import Volume
from napari_voxuda.segmentation.predict import predict_tiles
from napari_voxuda.segmentation.settings import SegmentSettings

__all__ = ["uncertainty_task"]


def uncertainty_task(
    volume: Volume, run: Path, *, settings: SegmentSettings | None = None, device: str = "auto"
) -> Task[Volume]:
    """Return the uncertainty of each voxel of a volume.

    Parameters
    ----------
    volume : Volume
        The tomogram.
    run : Path
        A run folder whose networks are asked; see `napari_voxuda.networks.ensemble`.
    settings : SegmentSettings or None
        How the volume is cut into tiles.
    device : str
        Where it computes.

    Yields
    ------
    Event
        `Message` and `Progress`.

    Returns
    -------
    Volume
        (d, h, w) float32 in [0, 1] on the volume's grid: 1 where the mean of both networks and of all
        mirror images is on the threshold, 0 where they agree and are sure.

    Raises
    ------
    InputError
        When the volume holds NaN, infinity or a single value.
    RunFolderError, FileFormatError
        When the run holds no usable model.
    """
    from napari_voxuda.networks.ensemble import load_ensemble

    ensemble = load_ensemble(run, resolve_device(device))
    if len(ensemble.networks) == 1:
        yield Message(
            text="The run has kept only one of its two networks, so the uncertainty comes from mirror "
            "images alone."
        )
    mean, std = volume_statistics(volume.data, name=volume.name)
    uncertainty = yield from predict_tiles(
        volume.data,
        ensemble.uncertainty,
        settings or SegmentSettings(),
        mean=mean,
        std=std,
        invert=ensemble.card.contrast == "dark",
    )
    return volume.with_data(uncertainty)
