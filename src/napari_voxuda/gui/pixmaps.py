"""Grey pictures of slices."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage, QPixmap

__all__ = ["grey_pixmap"]


def grey_pixmap(values: npt.NDArray[np.float32], low: float, high: float, edge: int) -> QPixmap:
    """Return a slice as a picture.

    Parameters
    ----------
    values : numpy.ndarray
        (h, w) values.
    low, high : float
        The values that are black and white.
    edge : int
        Longest edge of the picture, in pixels.
    """
    scaled = np.clip((values - low) / max(high - low, 1e-12), 0, 1) * 255
    grey = np.ascontiguousarray(scaled, dtype=np.uint8)
    height, width = grey.shape
    image = QImage(grey.tobytes(), width, height, width, QImage.Format.Format_Grayscale8)
    return QPixmap.fromImage(image.copy()).scaled(
        edge,
        edge,
        Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.FastTransformation,
    )
