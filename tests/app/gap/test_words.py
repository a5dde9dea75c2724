from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from napari_voxuda.adaptation.domain_gap import DomainGap
from napari_voxuda.app.gap.words import gap_rows, gap_sentences, image_captions

MakeGap = Callable[..., DomainGap]


def first(found: DomainGap) -> str:
    return gap_sentences(found)[0]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (0.25, "Before matching, the source is 4.0 times too clean."),
        (2.5, "Before matching, the source is 2.5 times too noisy."),
        (15.0, "Before matching, the source is 15 times too noisy."),
        (0.0, "Before matching, the source is over 100 times too clean."),
        (0.92, "Before matching, the source has the target's noise within 8 %."),
        (
            [1, 1, 1, 0.5, 1, 1, 1, 3],
            "Before matching, the source is up to 3.0 times too noisy (details of 20 Å) and up to "
            "2.0 times too clean (details of 40 Å).",
        ),
        (
            [9, 9, 9, 0.5, 1, 1, 1, 1],
            "Before matching, the source is up to 2.0 times too clean (details of 40 Å).",
        ),
        (
            [1, 1, 1, 1.6, 1, 1, 1, 1],
            "Before matching, the source is up to 1.6 times too noisy (details of 40 Å).",
        ),
    ],
)
def test_what_the_source_is_as_simulated(gap: MakeGap, source: Any, words: str) -> None:
    assert first(gap(source, 1.0)) == words


def test_a_matched_source_is_said_to_agree_and_needs_no_advice(gap: MakeGap) -> None:
    assert gap_sentences(gap(0.25, 1.08)) == [
        "Before matching, the source is 4.0 times too clean.",
        "After noise matching it agrees with the target within 8 %.",
        "Compared is the strength of the noise where it dominates (details of 20 to 40 Å).",
    ]


def test_what_does_not_match_is_said_with_what_to_do(gap: MakeGap) -> None:
    coloured = [8, 7, 6, 5, 4, 3, 2, 1]
    _, after, advice, _ = gap_sentences(gap(2.0, 2.0, target=coloured, noise="ngm"))
    assert after.startswith("After noise matching it is still up to 2.0 times too noisy")
    assert "White noise" in advice
    assert "“spectrum”" in advice
    _, _, advice, _ = gap_sentences(gap(0.2, 0.3, noise="ngm"))
    assert "White noise" not in advice  # the target's noise is white as well
    assert "“spectrum”" in advice
    _, after, *_ = gap_sentences(gap(1.0, 2.0, noise="exchange"))
    assert after == "After the exchange it is 2.0 times too noisy."


def test_settings_without_noise_leave_the_gap(gap: MakeGap) -> None:
    _, none, advice, _ = gap_sentences(gap(0.5, noise="none"))
    assert "add no noise" in none
    assert "“spectrum”" in advice


def test_a_band_that_holds_signal_is_told(gap: MakeGap) -> None:
    words = gap_sentences(gap(1.0, 1.0, has_noisy_band=False))[-1]
    assert "signal included" in words


def test_the_table_has_a_column_for_each_kind_of_box(gap: MakeGap) -> None:
    rows = gap_rows(gap(0.25, 1.0))
    assert {len(row) for row in rows} == {4}
    assert rows[0][1:] == ("target", "source before matching", "source after matching")
    cells = {row[0]: row[1:] for row in rows}
    assert cells["boxes"] == ("80", "48", "48")
    assert cells["noise over the target's"] == ("1", "0.25 to 0.25", "1.00 to 1.00")
    assert cells["sigma_t of the paper, 10 boxes"][0] == "0.110"
    assert {len(row) for row in gap_rows(gap(0.25, noise="none"))} == {3}


def test_the_caption_says_how_the_source_was_matched(gap: MakeGap) -> None:
    assert "in noise" in image_captions(gap(1.0, 1.0))["matched"]
    exchanged = image_captions(gap(1.0, 1.0, noise="exchange"))["matched"]
    assert "in noise" not in exchanged
    assert "exchanged" in exchanged
