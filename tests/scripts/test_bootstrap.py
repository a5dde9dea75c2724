"""The script of the README's two lines: what it says where it may not install."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bootstrap(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "scripts" / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def refuse(*command: object) -> None:
        raise AssertionError(f"a test wanted to run {command}")

    monkeypatch.setattr(module, "run", refuse)
    return module


def test_unknown_words_show_the_help(
    bootstrap: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bootstrap.main(["other"]) == 2
    assert "python3 scripts/bootstrap.py demo" in capsys.readouterr().out


def test_the_readme_names_both_lines() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for word in ("demo", "test"):
        assert f"\npython3 scripts/bootstrap.py {word} " in readme
    assert "python3 scripts/bootstrap.py test" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_the_installation_page_lists_every_system_package(bootstrap: ModuleType) -> None:
    page = (ROOT / "docs" / "install.md").read_text("utf-8")
    wanted = {*bootstrap.VIEWER_LIBRARIES.values(), *bootstrap.VIEWER_PROGRAMS.values()}
    assert {name for name in wanted if f" {name} " not in page.replace("\n", " ")} == set()


@pytest.mark.parametrize(
    ("apt", "user", "sentence"),
    [
        (None, 0, "Missing on this system (Debian's names): xvfb xauth."),
        ("apt-get", 1000, "Missing on this system. Run: sudo apt-get install xvfb xauth"),
    ],
)
def test_missing_packages_are_named_where_they_cannot_be_installed(
    bootstrap: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    apt: str | None,
    user: int,
    sentence: str,
) -> None:
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: apt)
    monkeypatch.setattr(bootstrap.os, "geteuid", lambda: user, raising=False)
    with pytest.raises(SystemExit) as stopped:
        bootstrap.install_system_packages(["xvfb", "xauth"])
    assert stopped.value.code == 1
    assert capsys.readouterr().err == f"bootstrap.py: {sentence}\n"


@pytest.mark.parametrize(
    ("statuses", "expected"), [((0, 0), 0), ((1, 0), 1), ((0, 1), 1), ((-9, 0), 1)]
)
def test_the_test_line_runs_everything_and_fails_if_anything_does(
    bootstrap: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    statuses: tuple[int, int],
    expected: int,
) -> None:
    called = []

    def call(command: list[object], **options: object) -> int:
        called.append(command[-1])
        return statuses[len(called) - 1]

    monkeypatch.setattr(bootstrap, "make_environment", lambda *requirements: None)
    monkeypatch.setattr(bootstrap, "display", list)
    monkeypatch.setattr(bootstrap.subprocess, "call", call)
    assert bootstrap.main(["test"]) == expected
    assert called == ["headless", "full"]


def test_a_display_that_is_there_is_used(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap.sys, "platform", "linux")
    monkeypatch.setattr(bootstrap, "is_loadable", lambda library: True)
    monkeypatch.setenv("DISPLAY", ":7")
    assert bootstrap.display() == []
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: name)
    assert bootstrap.display()[:2] == ["xvfb-run", "-a"]
