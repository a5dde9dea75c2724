from __future__ import annotations

import json

import pytest
from qtpy.QtWidgets import QCheckBox, QLabel, QLineEdit, QSpinBox, QVBoxLayout, QWidget

from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.app.preferences import Preferences, preferences, set_preferences
from napari_voxuda.app.remembered import Remembered
from napari_voxuda.gui.choices import choice_of
from napari_voxuda.gui.config_form import ConfigForm
from napari_voxuda.gui.inputs import choice_box
from napari_voxuda.gui.mask_sliders import MaskSliders
from napari_voxuda.gui.path_row import PathRow
from napari_voxuda.gui.remember import Remember


@pytest.fixture
def store(tmp_path):
    return Remembered(tmp_path / "docks.json")


@pytest.fixture
def prefer():
    before = preferences()
    yield set_preferences
    set_preferences(before)


class Dock(QWidget):
    """One input of each kind."""

    def __init__(self, store) -> None:
        super().__init__()
        self.preset = choice_box("Preset", {"fast": "fast", "default": "default"}, "tip")
        self.form = ConfigForm(AdaptSettings.preset("fast"))
        self.preset.currentIndexChanged.connect(lambda: self.form.setValue(self.base()))
        self.box, self.tick, self.line = QSpinBox(), QCheckBox(), QLineEdit()
        self.row = PathRow("Choose…", "tip", "nothing", lambda parent, title: [])
        self.sliders = MaskSliders()
        layout = QVBoxLayout(self)
        inputs = {
            "preset": self.preset,
            "box": self.box,
            "tick": self.tick,
            "line": self.line,
            "row": self.row,
            "sliders": self.sliders,
        }
        for widget in (*inputs.values(), self.form):
            layout.addWidget(widget)
        choices = {name: choice_of(widget) for name, widget in inputs.items()}
        self.memory = Remember(
            self, "dock", choices | {"form": choice_of(self.form, self.base)}, store
        )

    def base(self):
        return AdaptSettings.preset(self.preset.currentData())


@pytest.fixture
def dock(qtbot, store):
    dock = Dock(store)
    qtbot.addWidget(dock)
    return dock


def _choose(dock, tmp_path):
    dock.preset.setCurrentIndex(1)
    dock.form.fields["batch"].setValue(3)
    dock.form.nested["network"].fields["stem"].setValue(5)
    dock.box.setValue(7)
    dock.tick.setChecked(True)
    dock.line.setText("1bxn")
    dock.row.set_paths([tmp_path])
    dock.sliders.threshold.setValue(0.7)


def test_what_was_chosen_comes_back_in_the_next_session(qtbot, dock, store, tmp_path):
    _choose(dock, tmp_path)
    qtbot.waitUntil(lambda: "sliders" in store.get("dock"))
    again = Dock(store)
    qtbot.addWidget(again)
    assert again.preset.currentData() == "default"
    assert again.form.value() == dock.form.value()
    assert again.form.value().steps == AdaptSettings.preset("default").steps
    assert (again.box.value(), again.tick.isChecked(), again.line.text()) == (7, True, "1bxn")
    assert again.row.paths() == [tmp_path]
    assert again.sliders.choice(numbered=False).threshold == 0.7


def test_only_what_differs_from_the_defaults_is_kept(qtbot, dock, store):
    dock.form.fields["batch"].setValue(3)
    qtbot.waitUntil(lambda: bool(store.get("dock")))
    assert store.get("dock") == {"form": {"batch": 3}}
    dock.form.fields["batch"].setValue(AdaptSettings.preset("fast").batch)
    qtbot.waitUntil(lambda: not store.get("dock"))


def test_closing_the_dock_keeps_what_was_just_chosen(qtbot, store):
    dock = Dock(store)
    dock.box.setValue(9)
    with qtbot.waitSignal(dock.destroyed):
        dock.deleteLater()
    assert store.get("dock") == {"box": 9}


def test_a_reset_shows_the_defaults_and_forgets(qtbot, dock, store, tmp_path):
    _choose(dock, tmp_path)
    qtbot.waitUntil(lambda: "sliders" in store.get("dock"))
    dock.memory.reset()
    assert dock.form.value() == AdaptSettings.preset("fast")
    assert (dock.box.value(), dock.tick.isChecked(), dock.line.text()) == (0, False, "")
    assert dock.row.paths() == []
    assert store.get("dock") == {}


def test_values_that_no_longer_fit_leave_the_defaults(qtbot, store, tmp_path):
    store.put(
        "dock",
        {
            "preset": "gone",
            "box": "many",
            "row": [str(tmp_path / "gone")],
            "sliders": {"threshold": 0.6, "unknown": 1},
            "form": {"batch": -5, "unknown": 3},
            "line": 4,
        },
    )
    dock = Dock(store)
    qtbot.addWidget(dock)
    assert dock.preset.currentData() == "fast"
    assert dock.form.value() == AdaptSettings.preset("fast")
    assert (dock.box.value(), dock.line.text(), dock.row.paths()) == (0, "", [])
    assert dock.sliders.choice(numbered=False).threshold == 0.5


def test_a_setting_that_a_new_version_dropped_does_not_take_the_others(qtbot, store):
    store.put("dock", {"form": {"batch": 4, "network": {"stem": 6, "gone": 1}, "gone": 2}})
    dock = Dock(store)
    qtbot.addWidget(dock)
    assert (dock.form.value().batch, dock.form.value().network.stem) == (4, 6)


def test_nothing_is_remembered_where_the_user_does_not_want_it(qtbot, store, prefer):
    store.put("dock", {"box": 5})
    prefer(Preferences(remember=False))
    dock = Dock(store)
    qtbot.addWidget(dock)
    assert dock.box.value() == 0
    dock.box.setValue(8)
    dock.memory.save()
    assert json.loads(store.file.read_text())["docks"]["dock"] == {"box": 5}


def test_another_kind_of_widget_is_refused(qtbot):
    label = QLabel()
    qtbot.addWidget(label)
    with pytest.raises(TypeError, match="QLabel"):
        choice_of(label)
