from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import Result

from napari_voxuda.data.volume import Volume
from napari_voxuda.io.mrc import write_mask

Invoke = Callable[..., Result]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Return predictions and truths with Dice 2/3 and 1, IoU 1/2 and 1."""
    predicted, true = tmp_path / "predicted", tmp_path / "true"
    for folder, sizes in ((predicted, (1, 2)), (true, (3, 2))):
        folder.mkdir()
        for name, size in zip(("ribo_1", "prot_1"), sizes, strict=True):
            mask = np.zeros((4, 4, 4), dtype=np.uint8)
            mask[:size, 0, :1] = 1
            write_mask(folder / f"{name}_mask.mrc", Volume(data=mask))
    return predicted, true


def test_scores_of_pairs_classes_and_their_mean(invoke: Invoke, folders: tuple[Path, Path]) -> None:
    words = ("--class", "ribosome=ribo", "proteasome=prot", "--json")
    told = json.loads(invoke("evaluate", *folders, *words).stdout)
    scores = {pair["name"]: (pair["iou"], pair["dice"]) for pair in told["pairs"]}
    assert scores["ribo_1"] == pytest.approx((1 / 3, 1 / 2))
    assert scores["prot_1"] == (1.0, 1.0)
    assert told["classes"]["ribosome"]["dice"] == pytest.approx(1 / 2)
    assert told["mean"] == pytest.approx({"pairs": 2, "iou": 2 / 3, "dice": 3 / 4})


def test_the_table_shows_the_same(invoke: Invoke, folders: tuple[Path, Path]) -> None:
    outcome = invoke("evaluate", *folders, "--class", "ribosome=ribo", "proteasome=prot")
    rows = [line.split() for line in outcome.stdout.splitlines()]
    assert rows == [
        ["pairs", "IoU", "Dice"],
        ["prot_1", "1", "1.0000", "1.0000"],
        ["ribo_1", "1", "0.3333", "0.5000"],
        ["class", "proteasome", "1", "1.0000", "1.0000"],
        ["class", "ribosome", "1", "0.3333", "0.5000"],
        ["mean", "2", "0.6667", "0.7500"],
    ]


def test_two_files(invoke: Invoke, folders: tuple[Path, Path]) -> None:
    files = [folder / "prot_1_mask.mrc" for folder in folders]
    assert json.loads(invoke("evaluate", *files, "--json").stdout)["mean"]["dice"] == 1.0


def test_the_run_keeps_its_scores(
    invoke: Invoke, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    from napari_voxuda.adaptation.run_folder import RunFolder

    RunFolder.create(tmp_path / "run", {"settings": {"steps": 3}}).close()
    assert invoke("evaluate", *folders, "--run", tmp_path / "run").exit_code == 0
    told = json.loads(invoke("info", tmp_path / "run", "--json").stdout)
    (kept,) = told["scores"]["comparisons"]
    assert (kept["truth"], kept["dice"]) == ("true", pytest.approx(3 / 4))
    assert invoke("evaluate", *folders, "--run", tmp_path).exit_code == 5
