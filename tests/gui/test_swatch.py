from __future__ import annotations

from napari_voxuda.gui.swatch import swatch


def test_a_swatch_has_its_colour(qtbot):
    icon = swatch("#0c7bdc")
    image = icon.pixmap(12, 12).toImage()
    assert image.pixelColor(6, 6).name() == "#0c7bdc"
