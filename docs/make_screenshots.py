"""Drive the docks in a real viewer on built-in data and save what they look like.

    xvfb-run -a -s "-screen 0 1366x768x24" python docs/make_screenshots.py [--steps N] [--out DIR] [--only NAME ...]

The run takes a few minutes on a CPU. NAME is what a picture's name begins with, such as ``denoise``; what no chosen picture
needs is left out.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import napari
import numpy as np
from PIL import Image
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QImage
from qtpy.QtTest import QTest

from napari_voxuda.app.remembered import CONFIG_VARIABLE
from napari_voxuda.app.runs.places import RUNS_VARIABLE
from napari_voxuda.gui.adapt.dock import AdaptDock
from napari_voxuda.gui.export.window import ExportWindow

_OUT = Path(__file__).with_name("_static") / "screenshots"
_SIZE = QSize(1366, 768)
_LARGEST_BYTES = 300_000
_ONLY: list[str] = []  # what the names of the pictures to take begin with
_OF_A_RUN = ("adapt", "gap", "check", "compare", "export", "refine", "runs")


def main() -> None:
    """Make every screenshot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200, help="steps of the adaptation")
    parser.add_argument("--out", type=Path, default=_OUT)
    parser.add_argument("--only", nargs="+", default=[""], metavar="NAME", help="pictures to take")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ[CONFIG_VARIABLE] = folder  # the docks as they are after the installation
        os.environ[RUNS_VARIABLE] = str(Path(folder) / "runs")
        _ONLY[:] = arguments.only
        _make(arguments.out, arguments.steps)


def _make(out: Path, steps: int) -> None:
    viewer = napari.Viewer(show=True, show_welcome_screen=False)
    viewer.window._qt_window.resize(_SIZE)
    if _is_wanted("tour"):
        _tour(viewer, out)
    if _is_wanted("denoise"):
        _denoise(viewer, out)
    if _is_wanted("space"):
        _space(viewer, out)
    if any(map(_is_wanted, _OF_A_RUN)):
        _adapt(viewer, out, steps)
    viewer.close()


def _is_wanted(name: str) -> bool:
    return any(name.startswith(only) or only.startswith(name) for only in _ONLY)


def _tour(viewer: napari.Viewer, out: Path) -> None:
    _, widget = viewer.window.add_plugin_dock_widget("napari-voxuda", "Vox-UDA adapt")
    widget.tour_button.click()
    _wait(lambda: "Protein" in widget.target.contrast_note.text())
    tour = widget.tour
    tour.panel.next_button.click()
    denoise = tour.spotlight.target()
    denoise.setChecked(True)
    _wait(lambda: "✓ Done" in tour.panel.text.text())
    _both_themes(viewer, out, "tour")
    denoise.setChecked(False)
    tour.close()
    viewer.window.remove_dock_widget("all")
    viewer.layers.clear()


def _denoise(viewer: napari.Viewer, out: Path) -> None:
    viewer.open_sample("napari-voxuda", "tomogram")
    viewer.layers.selection.active = viewer.layers[0]
    dock, widget = viewer.window.add_plugin_dock_widget("napari-voxuda", "Denoise (IBF)")
    widget.preview_box.setChecked(True)
    _wait(lambda: "Denoise divider" in viewer.layers)
    widget.suggest_button.click()
    _wait(lambda: not widget.suggestion_note.isHidden())
    _both_themes(viewer, out, "denoise")
    widget.compare.difference_box.setChecked(True)
    _both_themes(viewer, out, "denoise-difference")
    viewer.window.remove_dock_widget(dock)
    widget.preview_box.setChecked(False)


def _space(viewer: napari.Viewer, out: Path) -> None:
    viewer.layers.clear()
    viewer.open_sample("napari-voxuda", "tomogram")
    viewer.layers.selection.active = viewer.layers[0]
    dock, widget = viewer.window.add_plugin_dock_widget("napari-voxuda", "Vox-UDA 3-D")
    widget.toggle_button.click()
    _wait(lambda: "particles" in widget.particles.found.text())
    widget.cut.thickness.setValue(3)
    viewer.theme = "dark"
    QTest.qWait(800)
    _save(viewer.screenshot(canvas_only=False, flash=False), out / "space-dark.png")
    widget.cut.position.setValue(widget.cut.position.value() - 10)
    widget.cut.side_box.setCurrentIndex(widget.cut.side_box.findData("above"))
    widget.layers.collapse()
    viewer.theme = "light"
    QTest.qWait(800)
    _save(viewer.screenshot(canvas_only=False, flash=False), out / "space-light.png")
    viewer.window.remove_dock_widget(dock)


def _adapt(viewer: napari.Viewer, out: Path, steps: int) -> None:
    viewer.layers.clear()
    viewer.open_sample("napari-voxuda", "small")
    viewer.layers[1].visible = False
    viewer.layers.selection.active = viewer.layers[0]
    foreground = np.count_nonzero(viewer.layers[1].data, axis=(1, 2))
    viewer.dims.set_current_step(0, int(foreground.argmax()))
    _, widget = viewer.window.add_plugin_dock_widget("napari-voxuda", "Vox-UDA adapt")
    _wait(lambda: "Protein" in widget.target.contrast_note.text())
    _both_themes(viewer, out, "adapt-start")
    if _is_wanted("gap"):
        _gap(viewer, widget, out)
    if _is_wanted("check"):
        _check(viewer, widget, out)
    if any(map(_is_wanted, _OF_A_RUN[3:])) or _is_wanted("adapt"):
        widget.source.form.fields["count"].setValue(200)
        widget.training.form.fields["steps"].setValue(steps)
        widget.bar.start_button.click()
        curves = widget.progress.curves
        _wait(lambda: len(curves.points("total")[0]) >= 0.7 * steps, minutes=60)
        _wait(lambda: "Live prediction" in viewer.layers)
        widget.scroll_to(widget.progress.messages)
        QTest.qWait(200)  # so that what is sought next comes to the top
        widget.scroll_to(widget.live)
        _both_themes(viewer, out, "adapt-running")
        widget.live.slider.setValue(4)
        _wait(lambda: "at step" in widget.live.note.text())
        _both_themes(viewer, out, "adapt-snapshot")
        widget.live.slider.setValue(widget.live.slider.maximum())
        _wait(lambda: not widget.controller.busy, minutes=60)
        _wait(lambda: widget.result.export_button.isEnabled())
        widget.result.number_box.setChecked(True)
        QTest.qWait(1000)
        _both_themes(viewer, out, "adapt-result")
        _compare(viewer, widget, out)
        _runs(viewer, widget, out)
        if _is_wanted("export"):
            _export(viewer, widget, out)
        if _is_wanted("refine"):
            _refine(viewer, widget, out)


def _check(viewer: napari.Viewer, dock: AdaptDock, out: Path) -> None:
    dock.check.button.click()
    _wait(lambda: not dock.controller.busy and bool(dock.check.words()), minutes=5)
    dock.scroll_to(dock.check)
    _both_themes(viewer, out, "check")
    dock.check.button.click()


def _runs(viewer: napari.Viewer, dock: AdaptDock, out: Path) -> None:
    group = dock.runs
    group.expand()
    _wait(lambda: group.table.rowCount() > 0)
    group.table.selectRow(0)
    QTest.qWait(500)
    dock.scroll_to(group)
    _both_themes(viewer, out, "runs")
    group.collapse()


def _compare(viewer: napari.Viewer, dock: AdaptDock, out: Path) -> None:
    group = dock.comparison
    group.expand()
    group.reference_box.setCurrentIndex(group.reference_box.findText("small truth"))
    if group.reference() is None:
        group.reference_box.setCurrentIndex(group.reference_box.count() - 1)
    group.errors_check.setChecked(True)
    _wait(lambda: any(layer.name.endswith("errors") for layer in viewer.layers))
    mask = next(layer for layer in viewer.layers if layer.name.endswith("mask"))
    mask.visible = False
    group.agreement_check.setChecked(True)
    QTest.qWait(500)
    dock.scroll_to(group)
    _both_themes(viewer, out, "compare")
    group.errors_check.setChecked(False)
    group.collapse()
    mask.visible = True


def _export(viewer: napari.Viewer, dock: AdaptDock, out: Path) -> None:
    dock.result.export_button.click()
    window = viewer.window._qt_window.findChild(ExportWindow)
    options = window.options
    for chosen in ("probability-mrc", "relion5", "csv"):
        options.format_boxes[chosen].setChecked(True)
    with tempfile.TemporaryDirectory() as folder:
        options.folder_row.set_paths([Path(folder)])
        options.name_line.setText("TS_01")
        _wait(lambda: window.table.rowCount() == 4)
        _wait(window.bar.start_button.isEnabled)
        window.table.selectRow(2)
        for theme in ("light", "dark"):
            viewer.theme = theme
            QTest.qWait(800)
            pixels = window.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
            data = pixels.bits()
            data.setsize(pixels.sizeInBytes())
            shape = (pixels.height(), pixels.bytesPerLine() // 4, 4)
            _save(
                np.frombuffer(data, np.uint8).reshape(shape)[:, : pixels.width(), 2::-1],
                out / f"export-{theme}.png",
            )
        window.close()


def _gap(viewer: napari.Viewer, adapt: AdaptDock, out: Path) -> None:
    adapt.source.gap_button.click()
    dock, widget = viewer.window.add_plugin_dock_widget("napari-voxuda", "Vox-UDA domain gap")
    _wait(lambda: not widget.body.isHidden())
    window = viewer.window._qt_window
    window.resizeDocks([dock], [680], Qt.Orientation.Horizontal)
    _both_themes(viewer, out, "gap")
    window.resizeDocks([dock], [320], Qt.Orientation.Horizontal)
    viewer.window.remove_dock_widget(dock)


def _refine(viewer: napari.Viewer, adapt: AdaptDock, out: Path) -> None:
    adapt.result.refine_button.click()
    dock, widget = viewer.window.add_plugin_dock_widget("napari-voxuda", "Vox-UDA refine")
    dock.raise_()
    table = widget.particles.table
    _wait(lambda: table.particles.rowCount() > 0)
    widget.uncertainty.find_button.click()
    _wait(lambda: widget.uncertainty.place.text().startswith("Place 1"), minutes=20)
    uncertainty = next(layer for layer in viewer.layers if layer.name.endswith("uncertainty"))
    viewer.scene.camera.zoom *= 1.3
    for _ in range(20):  # a place that is not at the border makes a better picture
        place = uncertainty.world_to_data(viewer.dims.point)[1:]
        if all(0.25 < p / n < 0.75 for p, n in zip(place, uncertainty.data.shape[1:], strict=True)):
            break
        widget.uncertainty.next_button.click()
    _both_themes(viewer, out, "refine-place")
    uncertainty.visible = False
    truth = next(layer for layer in viewer.layers if layer.name.endswith("truth")).data > 0
    widget.corrections.particle_button.click()
    marks = viewer.layers.selection.active
    for _ in range(6):
        place = np.round(marks.world_to_data(viewer.dims.point)).astype(int)
        offsets = np.indices((9, 9, 9)).reshape(3, -1).T - 4
        near = place + offsets[(offsets**2).sum(1) <= 16]
        near = near[((near >= 0) & (near < truth.shape)).all(1)]
        marks.data_setitem(tuple(near.T), np.where(truth[tuple(near.T)], 1, 2))
        widget.uncertainty.next_button.click()
    for _ in range(6):
        widget.uncertainty.previous_button.click()
    widget.bar.start_button.click()
    _wait(lambda: widget.notice.text().startswith("Done"), minutes=20)
    QTest.qWait(1000)
    _both_themes(viewer, out, "refine-result")


def _both_themes(viewer: napari.Viewer, out: Path, name: str) -> None:
    for theme in ("light", "dark"):
        viewer.theme = theme
        QTest.qWait(800)
        _save(viewer.screenshot(canvas_only=False, flash=False), out / f"{name}-{theme}.png")


def _save(pixels: np.ndarray, path: Path) -> None:
    """Save with 256 colours, fewer where the file would be too large for the repository."""
    if not any(path.name.startswith(only) for only in _ONLY):
        return
    image = Image.fromarray(pixels[..., :3])
    for colours in (256, 128, 64, 32, 16):
        image.quantize(colours, Image.Quantize.MAXCOVERAGE, kmeans=3).save(path, optimize=True)
        if path.stat().st_size < _LARGEST_BYTES:
            return


def _wait(condition: Callable[[], bool], minutes: float = 2.0) -> None:
    for _ in range(int(minutes * 600)):
        if condition():
            return
        QTest.qWait(100)
    raise TimeoutError("the viewer did not get there in time")


if __name__ == "__main__":
    main()
