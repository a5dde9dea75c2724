from __future__ import annotations

import pytest

from napari_voxuda.gui.size_field import SizeField


@pytest.fixture
def field(qtbot):
    made = SizeField("Size", "A size.")
    qtbot.addWidget(made)
    return made


def test_the_first_position_is_none_and_the_others_are_logarithmic(field):
    assert field.value() == 0
    assert field.box.text() == "none"
    field.slider.setValue(1)
    assert field.value() == 1000
    field.slider.setValue(field.slider.maximum())
    assert field.value() == 1e8
    field.slider.setValue(0)
    assert field.value() == 0


def test_a_typed_value_is_exact_and_moves_the_slider(field, qtbot):
    with qtbot.waitSignal(field.valueChanged):
        field.setValue(123_456.0)
    assert field.value() == 123_456
    assert 70 < field.slider.value() < 100
    field.setValue(5e9)  # beyond the slider's reach
    assert field.value() == 5e9
    assert field.slider.value() == field.slider.maximum()
    field.setValue(10.0)
    assert field.value() == 10
    assert field.slider.value() == 1
