"""Sample tomograms, simulated on demand: nothing is downloaded."""

from __future__ import annotations

from typing import Any

from napari_voxuda._types import TripleInt

__all__ = ["small_phantom", "synthetic_tomogram"]

_LayerData = tuple[Any, dict[str, Any], str]


def synthetic_tomogram() -> list[_LayerData]:
    """Return a noisy tomogram of 64 by 160 by 160 voxels; its true labels are hidden."""
    return _sample("Synthetic tomogram", (64, 160, 160), molecules=40, signal=0.9, truth=False)


def small_phantom() -> list[_LayerData]:
    """Return a small, clearer tomogram of 40 by 96 by 96 voxels with its true labels."""
    return _sample("Small synthetic tomogram", (40, 96, 96), molecules=12, signal=1.1, truth=True)


def _sample(
    name: str, shape: TripleInt, *, molecules: int, signal: float, truth: bool
) -> list[_LayerData]:
    import torch

    from napari_voxuda._napari.layers import contrast_limits, volume_keywords
    from napari_voxuda.simulation.scene import SceneSettings, make_scene

    settings = SceneSettings(
        shape=shape,
        molecules=molecules,
        signal=signal,
        small_proteins=4 * molecules,
        gold_beads=1,
    )
    scene = make_scene(settings, torch.Generator().manual_seed(1))
    image = volume_keywords(scene.volume.with_data(scene.volume.data, name=name))
    image |= {"contrast_limits": contrast_limits(scene.volume.data), "colormap": "gray"}
    labels = volume_keywords(scene.instances.with_data(scene.instances.data, name=f"{name} truth"))
    labels |= {"visible": truth, "opacity": 0.5}
    return [(scene.volume.data, image, "image"), (scene.instances.data, labels, "labels")]
