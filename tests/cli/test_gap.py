from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

Invoke = Callable[..., Result]
_SMALL = (
    *("--contrast", "bright", "--source-variety", "fixed", "--source-box", "16"),
    *("--source-count", "4", "--source-neighbours", "0", "--batch", "4"),
)


def test_a_table_and_sentences(invoke: Invoke, files: Path) -> None:
    outcome = invoke("gap", "--target", files / "tomogram.mrc", *_SMALL)
    assert outcome.exit_code == 0, outcome.stderr
    table, _, words = outcome.stdout.partition("\n\n")
    assert table.splitlines()[0].split() == (
        ["target", "source", "before", "matching", "source", "after", "matching"]
    )
    assert words.startswith("Before matching, the source")
    assert "After noise matching it agrees" in words


def test_json_figure_and_the_settings_of_a_preset(
    invoke: Invoke, files: Path, tmp_path: Path
) -> None:
    figure = tmp_path / "gap.png"
    words = ("--preset", "paper", "--noise", "calibrated", "--source", "phantom", "--seed", "4")
    outcome = invoke(
        "gap", "--target", files / "subtomograms", *_SMALL, *words, "--json", "--out", figure
    )
    assert outcome.exit_code == 0, outcome.stderr
    facts = json.loads(outcome.stdout)
    assert facts["figure"] == str(figure)
    assert figure.is_file()
    assert facts["target"]["power"]
    assert facts["settings"]["noise"] == "calibrated"
    assert facts["settings"]["noise_base"] == "noisy"
    again = invoke("gap", "--target", files / "subtomograms", *_SMALL, "--out", figure)
    assert again.exit_code == 4
    assert "--overwrite" in again.stderr
