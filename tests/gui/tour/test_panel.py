from __future__ import annotations

from napari_voxuda.app.tour import Tour
from napari_voxuda.gui.tour.panel import TourPanel


def test_it_shows_the_step_and_what_is_done(qtbot):
    panel = TourPanel(Tour())
    qtbot.addWidget(panel)
    assert "sample" in panel.text.text() or "synthetic" in panel.text.text()
    assert not panel.back_button.isEnabled()
    with qtbot.waitSignal(panel.moved):
        panel.next_button.click()
    assert "<b><u>2.&nbsp;Preview&nbsp;denoising" in panel.steps.text()
    panel.tour.tick({"denoise"})
    panel.show_tour()
    assert "✓&nbsp;Preview" in panel.steps.text()
    assert panel.text.text().startswith("✓ Done.")
    with qtbot.waitSignal(panel.closed):
        panel.close_button.click()
