"""Each equation of the paper has one home, and the whole folder is offered by the package."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import napari_voxuda.method as method


def _public() -> Iterator[tuple[str, str, Any]]:
    for info in pkgutil.walk_packages(method.__path__, f"{method.__name__}."):
        if info.name.rpartition(".")[2].startswith("_"):
            continue
        module = importlib.import_module(info.name)
        for name in module.__all__:
            value = getattr(module, name)
            if getattr(value, "__module__", info.name) == info.name:
                yield info.name, name, value


def _functions() -> list[tuple[str, Callable[..., Any]]]:
    return [(name, value) for _, name, value in _public() if inspect.isroutine(value)]


def _homes() -> dict[int, list[str]]:
    homes = defaultdict(list)
    for name, function in _functions():
        for number in re.findall(r"Eq\. \((\d+)\)", _summary(function)):
            homes[int(number)].append(name)
    return dict(sorted(homes.items()))


def _summary(function: Callable[..., Any]) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0]


def test_every_equation_has_exactly_one_home() -> None:
    assert _homes() == {
        1: ["total_loss"],
        2: ["dft"],
        3: ["high_pass_spectrum"],
        4: ["high_pass"],
        5: ["gaussian_noise"],
        6: ["add_noise"],
        7: ["consistency_loss"],
        8: ["bilateral_filter"],
        9: ["gaussian_kernel"],
        10: ["laplacian_gradient"],
        11: ["laplacian_gradient"],
        12: ["laplacian_gradient"],
        13: ["gradient_difference"],
        14: ["improved_bilateral_filter"],
        15: ["speckle_noise"],
    }


def test_the_table_of_the_documentation_is_true() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "method.md"
    rows = re.findall(r"^\| \((\d+)\) \|[^|]*\| `(\w+)` \| `(\w+)\.py` \|$", page.read_text(), re.M)
    assert {int(n): [name] for n, name, _ in rows} == _homes()
    for _, name, module in rows:
        assert getattr(method, name).__module__ == f"{method.__name__}.{module}"


@pytest.mark.parametrize(("name", "function"), _functions())
def test_summary_is_one_sentence_and_raises_are_documented(
    name: str, function: Callable[..., Any]
) -> None:
    summary = _summary(function)
    assert summary.endswith(".")
    doc = inspect.getdoc(function) or ""
    assert "Parameters\n---" in doc
    if inspect.signature(function).return_annotation != "None":
        assert "Returns\n---" in doc
    if "raise InputError" in inspect.getsource(function):
        assert "Raises\n---" in doc


@pytest.mark.parametrize(("name", "function"), _functions())
def test_the_package_offers_every_function(name: str, function: Callable[..., Any]) -> None:
    assert getattr(method, name) is function
    assert name in dir(method)


def test_the_package_refuses_other_names() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        method.nothing  # noqa: B018


def test_settings_load_without_torch() -> None:
    code = (
        "import sys; from napari_voxuda.method.denoising import DenoiseSettings; "
        "from napari_voxuda.method import DenoiseSettings as again; "
        "assert DenoiseSettings is again; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
