"""Whether a three-dimensional view shows an object or its mirror image."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["ORIENTATIONS", "Orientation", "hand_words", "is_mirrored", "preset_of"]

Orientation = tuple[str, str, str]
"""Where the displayed axes point before the view is turned: the first ``"towards"`` the viewer or
``"away"``, the second ``"up"`` or ``"down"``, the third ``"right"`` or ``"left"``."""

ORIENTATIONS: dict[str, Orientation] = {
    "imod": ("towards", "up", "right"),
    "slices": ("away", "down", "right"),
    "mirrored": ("towards", "down", "right"),
}
"""The orientations to choose from: x to the right, y up and z towards the viewer, as IMOD and
ChimeraX show a volume; the same hand with y down, as napari shows slices; and napari's default."""

_POSITIVE = ("towards", "up", "right")


def is_mirrored(
    orientation: Orientation | None, order: Sequence[int] = (0, 1, 2), determinant: float = 1.0
) -> bool:
    """Whether volumes with the axes z, y, x look like their mirror image.

    Parameters
    ----------
    orientation : tuple of str or None
        Where the displayed axes point; None for a viewer that knows no orientations, which shows
        the first axis away, the second down, and the third to the right.
    order : sequence of int
        Which axis of the volume, 0 for z, 1 for y and 2 for x, is displayed first, second and third.
    determinant : float
        Of the matrix that places the volume; negative where the placement mirrors it.

    Notes
    -----
    Right, up and towards the viewer are a right-handed system. x, y and z have to become one, too; each
    axis that points the other way mirrors, and so does each exchange of two axes.
    """
    shown = orientation or ORIENTATIONS["slices"]
    sign = 1
    for word, positive in zip(shown, _POSITIVE, strict=True):
        sign *= 1 if word == positive else -1
    a, b, c = order
    sign *= 1 if (a, b, c) in ((0, 1, 2), (1, 2, 0), (2, 0, 1)) else -1
    return sign * determinant < 0


def preset_of(orientation: Orientation | None) -> str | None:
    """Return which of the orientations this is; None for one that is not among them."""
    shown = orientation or ORIENTATIONS["slices"]
    return next((name for name, preset in ORIENTATIONS.items() if preset == shown), None)


def hand_words(mirrored: bool) -> str:
    """Say in a sentence which hand is shown."""
    if mirrored:
        return "Mirrored: a right-handed helix looks left-handed. IMOD and ChimeraX show the other hand."
    return "True hand: a right-handed helix looks right-handed, as in IMOD and ChimeraX."
