"""A segmented volume that one dock hands over to another, to be corrected there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_voxuda.app.mask.refinement import MaskChoice
from napari_voxuda.app.provenance import Provenance
from napari_voxuda.app.scene import LayerKey
from napari_voxuda.data.corrections import Corrections
from napari_voxuda.data.volume import Volume

__all__ = ["RefineStart"]


@dataclass(frozen=True, kw_only=True, eq=False)
class RefineStart:
    """Everything that is needed to go on with a mask.

    Parameters
    ----------
    layer : LayerKey or None
        The tomogram's layer.
    run : Path or None
        The run that segmented it.
    probability : Volume
        Foreground probability, named after the volume.
    placement : object
        Where its layers lie.
    mask_key : LayerKey or None
        The mask's layer, which is gone on with.
    choice : MaskChoice
        How the mask was made.
    corrections : Corrections or None
        What was painted on the mask before.
    provenance : Provenance or None
        What the probability comes from.
    """

    layer: LayerKey | None
    run: Path | None
    probability: Volume
    placement: Any
    mask_key: LayerKey | None
    choice: MaskChoice
    corrections: Corrections | None = None
    provenance: Provenance | None = None
