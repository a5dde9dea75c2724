from __future__ import annotations

from pathlib import Path

import pytest

from napari_voxuda.cli.reference import options, refreshed

COMMANDS = ("demo", "simulate", "denoise", "gap", "adapt", "segment", "evaluate", "info")
_PAGE = Path(__file__).resolve().parents[2] / "docs" / "command_line.md"


def test_the_page_shows_the_options_of_the_program() -> None:
    page = _PAGE.read_text(encoding="utf-8")
    assert page == refreshed(page), (
        "docs/command_line.md is out of date; run "
        "`python -m napari_voxuda.cli.reference docs/command_line.md`"
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_marks_every_command(name: str) -> None:
    assert f"% options of {name}\n{options(name)}% end\n" in _PAGE.read_text(encoding="utf-8")


def test_options_show_name_unit_bounds_and_default_by_heading() -> None:
    text = options("segment")
    assert (
        "`IN`\n: A volume (MRC, EM, TIFF, OME-Zarr), or a folder of subtomograms. Required.\n"
        in text
    )
    assert "`--seed N`" in options("demo")
    assert "(Å³, at least 0, default 0)" in text
    assert text.index("**Options**") < text.index("`--json`\n") < text.index("**Segmentation**")


def test_old_text_between_the_marks_is_replaced() -> None:
    page = "before\n% options of info\nold\n% end\nafter\n% end\n"
    assert refreshed(page) == f"before\n% options of info\n{options('info')}% end\nafter\n% end\n"
