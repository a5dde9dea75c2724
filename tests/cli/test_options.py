from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, get_args

import pytest
import typer
from typer.testing import CliRunner

from napari_voxuda._params import Parameter, param, parameters, validate
from napari_voxuda.cli.command import Command
from napari_voxuda.cli.options import Given, help_text, option_name, option_type, with_settings
from napari_voxuda.errors import InputError


@dataclass(frozen=True, kw_only=True)
class _Settings:
    edge: int = param(4, "Edge of a box.", unit="voxels", minimum=1, maximum=9)
    size_angstrom: float = param(2.5, "Size of a voxel.", unit="Å", minimum=0.5)
    ratio_voxels: float = param(1.0, "No unit, so the name stays.")
    kind: Literal["round", "square"] = param("round", "Shape in [0, 1].")
    mirror: bool = param(True, "Mirror boxes.")
    levels: tuple[float, ...] = param((0.1, 0.2), "Levels.", minimum=0.0)
    span: tuple[float, float] = param((1.0, 2.0), "Low and high.")
    limit: float | None = param(None, "Limit, if any.")

    def __post_init__(self) -> None:
        validate(self)


_DECLARED = parameters(_Settings)
_PRESETS = {"small": _Settings(edge=2), "large": _Settings(edge=8)}


def _run(*words: str, **options: Any) -> tuple[Given, str]:
    received: list[Given] = []

    @with_settings("given", _Settings, panel="Settings", **options)
    def act(given: Given) -> None:
        """Do it."""
        received.append(given)

    app = typer.Typer()
    app.command("act", cls=Command)(act)
    outcome = CliRunner().invoke(app, list(words), env={"COLUMNS": "200"})
    assert outcome.exit_code == 0, outcome.output
    return (received or [Given(settings=_Settings, values={})])[0], outcome.stdout


def test_nothing_given_leaves_every_setting_to_the_class() -> None:
    given, _ = _run()
    assert given.values == {}
    assert given.make(_Settings) == _Settings()


def test_every_kind_of_setting_is_read_in_its_type() -> None:
    given, _ = _run(
        *("--edge", "6", "--size", "3", "--ratio-voxels", "0.5", "--kind", "square"),
        *("--no-mirror", "--levels", "0.5", "0.6", "0.7", "--span", "-1", "4", "--limit", "7"),
    )
    assert given.make(_Settings) == _Settings(
        edge=6,
        size_angstrom=3.0,
        ratio_voxels=0.5,
        kind="square",
        mirror=False,
        levels=(0.5, 0.6, 0.7),
        span=(-1.0, 4.0),
        limit=7.0,
    )


def test_fields_left_out_make_no_option_and_others_win() -> None:
    given, text = _run("--help", leave_out=("edge",))
    assert "--edge" not in text
    given, _ = _run("--size", "3")
    assert given.make(_Settings, size_angstrom=4.0).size_angstrom == 4.0


def test_prefix_stands_before_every_option() -> None:
    _, text = _run("--help", prefix="source")
    names = [option_name(declared, "source") for declared in _DECLARED.values()]
    assert names[:3] == ["--source-edge", "--source-size", "--source-ratio-voxels"]
    assert all(name in text for name in names)
    assert "--no-source-mirror" in text


def test_help_shows_text_unit_bounds_and_default_of_every_setting() -> None:
    _, text = _run("--help")
    assert "Edge of a box. (voxels, 1 to 9, default 4)" in text
    assert "Size of a voxel. (Å, at least 0.5, default 2.5)" in text
    assert "Shape in [0, 1]. (default round)" in text
    assert "Mirror boxes. (default yes)" in text
    assert "Levels. (at least 0, default 0.1 0.2)" in text
    assert "Limit, if any. (default none)" in text


def test_presets_are_shown_where_they_differ() -> None:
    assert help_text(_DECLARED["edge"], _PRESETS).endswith("(voxels, 1 to 9, small 2, large 8)")
    assert help_text(_DECLARED["kind"], _PRESETS).endswith("(default round)")


@pytest.mark.parametrize("name", list(_DECLARED))
def test_every_help_names_its_default(name: str) -> None:
    assert "default" in help_text(_DECLARED[name])


def test_a_refused_value_is_told_in_words_of_options() -> None:
    given = Given(settings=_Settings, values={"size_angstrom": 0.1}, prefix="source")
    with pytest.raises(InputError, match=r"^--source-size: at least 0\.5 Å was wanted, got 0\.1 Å"):
        given.make(_Settings)


def test_an_error_about_something_else_stays_as_it_is() -> None:
    def refuse(**values: Any) -> None:
        raise InputError("presets: none here.")

    with pytest.raises(InputError, match=r"^presets: none here\.$"):
        Given(settings=_Settings, values={}).make(refuse)


def test_given_changes_a_preset() -> None:
    given = Given(settings=_Settings, values={"edge": 3})
    made = given.make(partial(replace, _Settings(kind="square")))
    assert made == _Settings(edge=3, kind="square")


def test_types_of_options() -> None:
    assert set(get_args(option_type(_DECLARED["edge"]))) == {int, type(None)}
    assert option_type(_DECLARED["levels"]) == list[float] | None
    assert option_type(_DECLARED["span"]) == tuple[float, float] | None
    assert option_type(_DECLARED["kind"]) == Literal["round", "square"] | None


def test_only_a_declared_unit_is_taken_off_the_name() -> None:
    declared = Parameter(name="tilt_range_deg", type=float, default=60.0, help="Tilt.", unit="°")
    assert option_name(declared) == "--tilt-range"
    assert option_name(replace(declared, unit=None)) == "--tilt-range-deg"
