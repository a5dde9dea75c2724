"""Images that keep one contrast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari.layers import Image

__all__ = ["ContrastLinks"]


class ContrastLinks:
    """Keeps the contrast limits of images those of others, shifted; each image has one link."""

    def __init__(self) -> None:
        self._links: list[_Link] = []

    def link(self, image: Image, other: Image, shift: float) -> None:
        """Give `image` the limits of `other` plus `shift`, and let both follow each other."""
        for link in list(self._links):
            if link.image is image and link.other is other:
                link.set_shift(shift)
                return
            if link.image is image:
                link.close()
                self._links.remove(link)
        self._links.append(_Link(image, other, shift))

    def unlink(self, image: Image) -> None:
        """Let `image` go, which is removed."""
        for link in [link for link in self._links if link.image is image]:
            link.close()
            self._links.remove(link)

    def close(self) -> None:
        """Let go of every image."""
        for link in self._links:
            link.close()
        self._links.clear()


class _Link:
    def __init__(self, image: Image, other: Image, shift: float) -> None:
        self.image, self.other = image, other
        self._shift = shift
        self._follow_other()
        image.events.contrast_limits.connect(self._follow_image)
        other.events.contrast_limits.connect(self._follow_other)

    def set_shift(self, shift: float) -> None:
        if shift != self._shift:
            self._shift = shift
            self._follow_other()

    def close(self) -> None:
        self.image.events.contrast_limits.disconnect(self._follow_image)
        self.other.events.contrast_limits.disconnect(self._follow_other)

    def _follow_other(self, event: Any = None) -> None:
        _give(self.image, self.other, self._shift)

    def _follow_image(self, event: Any = None) -> None:
        _give(self.other, self.image, -self._shift)


def _give(image: Image, like: Image, shift: float) -> None:
    """Give the limits on; equal ones end the exchange between the two."""
    low, high = (float(v) + shift for v in like.contrast_limits)
    if not np.allclose(image.contrast_limits, (low, high), rtol=1e-6, atol=1e-6 * (high - low)):
        image.contrast_limits_range = (
            min(low, image.contrast_limits_range[0]),
            max(high, image.contrast_limits_range[1]),
        )
        image.contrast_limits = (low, high)
