"""How layers and the camera look, remembered to be given back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import napari
    from napari.layers import Layer

__all__ = ["CameraLook", "LayerLook", "camera_of"]

_ATTRIBUTES = ("visible", "rendering", "depiction", "iso_threshold", "blending")


@dataclass(frozen=True, kw_only=True)
class LayerLook:
    """What the 3-D view may change of a layer.

    Parameters
    ----------
    attributes : mapping
        Values by the names of the layer's attributes.
    plane : mapping or None
        Position, normal and thickness of its plane.
    clipping : list
        Its clipping planes.
    """

    attributes: Mapping[str, Any]
    plane: Mapping[str, Any] | None
    clipping: list[Mapping[str, Any]]

    @classmethod
    def of(cls, layer: Layer) -> LayerLook:
        """Return the look of `layer`."""
        plane = getattr(layer, "plane", None)
        return cls(
            attributes={n: getattr(layer, n) for n in _ATTRIBUTES if hasattr(layer, n)},
            plane=None if plane is None else _plane(plane),
            clipping=[
                {**_plane(p), "enabled": p.enabled} for p in layer.experimental_clipping_planes
            ],
        )

    def give_back(self, layer: Layer) -> None:
        """Give `layer` this look."""
        for name, value in self.attributes.items():
            if getattr(layer, name) != value:
                setattr(layer, name, value)
        if self.plane is not None:
            for name, value in self.plane.items():
                setattr(layer.plane, name, value)
        layer.experimental_clipping_planes = self.clipping


@dataclass(frozen=True, kw_only=True)
class CameraLook:
    """Where the camera of a viewer stands.

    Parameters
    ----------
    values : mapping
        Values by the names of the camera's attributes; without the orientation where the
        viewer's camera has none (napari before 0.6).
    """

    values: Mapping[str, Any]

    @classmethod
    def of(cls, viewer: napari.Viewer) -> CameraLook:
        """Return where the camera of `viewer` stands."""
        camera = camera_of(viewer)
        names = ("orientation", "angles", "center", "zoom")
        return cls(values={n: getattr(camera, n) for n in names if hasattr(camera, n)})

    def give_back(self, viewer: napari.Viewer, *, keep_orientation: bool) -> None:
        """Put the camera of `viewer` there."""
        camera = camera_of(viewer)
        for name, value in self.values.items():
            if name != "orientation" or not keep_orientation:
                setattr(camera, name, value)


def camera_of(viewer: napari.Viewer) -> Any:
    """Return the camera of a viewer: its scene's since napari 0.9."""
    return getattr(viewer, "scene", viewer).camera


def _plane(plane: Any) -> dict[str, Any]:
    names = ("position", "normal", "thickness")
    return {name: getattr(plane, name) for name in names if hasattr(plane, name)}
