"""One declaration of a setting: what it accepts, what it says, and that it survives JSON."""

from __future__ import annotations

import dataclasses
import importlib
import json
import math
import pkgutil
import typing
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import napari_voxuda
from napari_voxuda._params import Parameter, from_dict, param, parameters, to_dict, validate
from napari_voxuda.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Inner:
    depth: int = param(2, "Layers.", minimum=1, maximum=9)

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True)
class Outer:
    rate: float = param(0.244, "Rate.", unit="Å", minimum=0.0, maximum=1.0, step=0.01)
    count: int = param(3, "Count.", minimum=1)
    name: Literal["cube", "radial"] = param("cube", "Shape.")
    limit: float | None = param(None, "Limit.", minimum=0.0, advanced=True)
    pair: tuple[float, float] = param((0.125, 2.0), "Pair.", minimum=0.1)
    many: tuple[str, ...] = param((), "Many.")
    on: bool = param(True, "On.")
    inner: Inner = field(default_factory=Inner)
    free: Any = None

    def __post_init__(self) -> None:
        validate(self)


def _settings_classes() -> list[type[Any]]:
    """Return every settings class of the package below the docks."""
    found = {}
    for module in pkgutil.walk_packages(napari_voxuda.__path__, "napari_voxuda."):
        if module.name.split(".")[1] in ("gui", "_napari", "__main__"):
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and dataclasses.is_dataclass(value) and parameters(value):
                found[value.__qualname__] = value
    return [found[name] for name in sorted(found)]


CLASSES = _settings_classes()
DECLARED = [
    pytest.param(cls, declared, id=f"{cls.__name__}.{declared.name}")
    for cls in CLASSES
    for declared in parameters(cls).values()
]
NUMBERS = [values for values in DECLARED if values.values[1].type in (int, float)]


def test_parameters_carries_the_whole_declaration() -> None:
    found = parameters(Outer)
    assert list(found) == ["rate", "count", "name", "limit", "pair", "many", "on"]
    assert found["rate"] == Parameter(
        name="rate",
        type=float,
        default=0.244,
        help="Rate.",
        unit="Å",
        minimum=0.0,
        maximum=1.0,
        step=0.01,
    )
    assert found["name"].choices == ("cube", "radial")
    assert found["name"].type is str
    assert found["limit"].optional
    assert found["limit"].advanced
    assert parameters(Outer()) == found


@pytest.mark.parametrize(
    ("name", "decimals"), [("rate", 3), ("count", 0), ("pair", 3), ("name", 0)]
)
def test_decimals_show_step_and_default(name: str, decimals: int) -> None:
    assert parameters(Outer)[name].decimals == decimals


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"rate": 10**400}, "Outer.rate: a number below 1e300 was wanted, got a far larger one."),
        (
            {"count": -(10**400)},
            "Outer.count: a number below 1e300 was wanted, got a far larger one.",
        ),
        ({"rate": 1.5}, "Outer.rate: at most 1 Å was wanted, got 1.5 Å."),
        ({"rate": -1}, "Outer.rate: at least 0 Å was wanted, got -1 Å."),
        ({"rate": math.nan}, "Outer.rate: a finite number was wanted, got nan."),
        ({"rate": math.inf}, "Outer.rate: a finite number was wanted, got inf."),
        ({"rate": "1"}, "Outer.rate: float was wanted, got '1'."),
        ({"rate": True}, "Outer.rate: float was wanted, got True."),
        ({"rate": None}, "Outer.rate: a value was wanted, got None."),
        ({"count": 2.0}, "Outer.count: int was wanted, got 2.0."),
        ({"count": True}, "Outer.count: int was wanted, got True."),
        ({"count": 0}, "Outer.count: at least 1 was wanted, got 0."),
        ({"name": "ball"}, "Outer.name: one of cube, radial was wanted, got 'ball'."),
        ({"limit": -0.5}, "Outer.limit: at least 0 was wanted, got -0.5."),
        ({"pair": (1.0,)}, "Outer.pair: 2 values were wanted, got 1."),
        ({"pair": (1.0, 0.0)}, "Outer.pair: at least 0.1 was wanted, got 0."),
        ({"pair": 1.0}, "Outer.pair: a sequence was wanted, got 1.0."),
        ({"many": "word"}, "Outer.many: a sequence was wanted, got 'word'."),
        ({"many": [1]}, "Outer.many: str was wanted, got 1."),
        ({"on": 1}, "Outer.on: bool was wanted, got 1."),
    ],
)
def test_wrong_values_are_refused_in_one_sentence(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        Outer(**change)
    assert str(caught.value) == sentence


def test_bounds_are_inclusive_and_whole_numbers_become_real() -> None:
    made = Outer(rate=1, pair=[1, 2], limit=0)
    assert (made.rate, made.pair, made.limit) == (1.0, (1.0, 2.0), 0.0)
    assert isinstance(made.rate, float)
    assert isinstance(made.pair[0], float)


def test_nested_settings_survive_json() -> None:
    made = Outer(rate=0.5, many=("a", "b"), inner=Inner(depth=7))
    assert from_dict(Outer, json.loads(json.dumps(to_dict(made)))) == made


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ([1], "Outer: a dictionary of settings was wanted, got list."),
        ({"inner": 3}, "Inner: a dictionary of settings was wanted, got int."),
        ({"inner": {"depth": 0}}, "Inner.depth: at least 1 was wanted, got 0."),
        (
            {"deep": 1},
            "Outer: unknown setting 'deep'; known are "
            "count, free, inner, limit, many, name, on, pair, rate.",
        ),
    ],
)
def test_from_dict_refuses_what_it_does_not_know(values: Any, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        from_dict(Outer, values)
    assert str(caught.value) == sentence


@given(st.floats(0.0, 1.0), st.integers(1, 10**9), st.lists(st.text(), max_size=3), st.booleans())
def test_any_allowed_value_survives_json(
    rate: float, count: int, many: list[str], on: bool
) -> None:
    made = Outer(rate=rate, count=count, many=tuple(many), on=on)
    assert from_dict(Outer, json.loads(json.dumps(to_dict(made)))) == made


def test_the_package_declares_its_settings() -> None:
    assert {"AdaptSettings", "DenoiseSettings", "SegmentSettings", "SourceSettings"} <= {
        cls.__name__ for cls in CLASSES
    }


@pytest.mark.parametrize("cls", CLASSES)
def test_defaults_survive_json(cls: type[Any]) -> None:
    assert from_dict(cls, json.loads(json.dumps(to_dict(cls())))) == cls()


@pytest.mark.parametrize("cls", CLASSES)
def test_settings_validate_themselves(cls: type[Any]) -> None:
    name = next(n for n, p in parameters(cls).items() if typing.get_origin(p.type) is not tuple)
    with pytest.raises(InputError, match=rf"^{cls.__name__}\.{name}: "):
        cls(**{name: object()})


@pytest.mark.parametrize(("cls", "declared"), DECLARED)
def test_help_is_a_sentence(cls: type[Any], declared: Parameter) -> None:
    assert declared.help.endswith(".")


@pytest.mark.parametrize(("cls", "declared"), NUMBERS)
def test_numbers_have_a_lower_bound_and_a_step(cls: type[Any], declared: Parameter) -> None:
    assert declared.minimum is not None
    assert declared.step is not None


@pytest.mark.parametrize(("cls", "declared"), NUMBERS)
def test_the_value_just_outside_a_bound_is_refused(cls: type[Any], declared: Parameter) -> None:
    step = 1 if declared.type is int else 1e-6
    for bound, outward in ((declared.minimum, -step), (declared.maximum, step)):
        if bound is None:
            continue
        outside = declared.type(bound + outward * max(1.0, abs(bound)))
        with pytest.raises(InputError, match=rf"^{cls.__name__}\.{declared.name}: at "):
            cls(**{declared.name: outside})
