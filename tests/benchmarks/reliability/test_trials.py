"""What trials say of a command, and how pieces of results become one table."""

from __future__ import annotations

import pytest
from benchmarks.reliability.forked import Ended
from benchmarks.reliability.openers import complaint
from benchmarks.reliability.report import tables
from benchmarks.reliability.trials import Trial, summary

from benchmarks.reliability import store


def judged(code: int, said: str) -> Trial:
    trial = Trial(0, "adapt of mrc", "taken away")
    trial.judge(Ended(code=code, seconds=1.0, said=said))
    return trial


def test_a_command_completes_or_tells_why_in_one_sentence():
    assert judged(0, "").outcome == "completed"
    told = judged(10, "Warning: x\nError: a.mrc: it has gone. Put it back.\n")
    assert (told.outcome, told.said, told.problems) == (
        "told",
        "a.mrc: it has gone. Put it back.",
        [],
    )


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (-7, ""),
        (-9, ""),
        (1, "Error: unexpected KeyError: 'a'."),
        (4, "Traceback (most recent call last):\nError: a.\n"),
        (4, "nothing"),
        (4, "Error: a.\nError: b.\n"),
        (4, "Error: without an end"),
    ],
)
def test_anything_else_is_a_problem(code, said):
    assert judged(code, said).problems


def test_sentences_that_cannot_be_shown_are_complained_of():
    assert complaint("a.mrc: wanted b, got c.") is None
    for wrong in (" ", "a\nb", "x" * 2000, "\ud800"):
        assert complaint(wrong)


def test_pieces_are_added_and_replaced_by_name(tmp_path):
    path = tmp_path / "r.json"
    told = judged(10, f"Error: {tmp_path}/t.mrc: gone.")
    content = {**summary([judged(0, ""), told], tmp_path), "seconds": 3}
    assert list(content["sentences"].values()) == ["WORK/t.mrc: gone."]
    store.keep(path, "targets", "seed 0, 0 to 1", content)
    store.keep(path, "targets", "seed 0, 0 to 1", content)
    store.keep(path, "targets", "seed 1, 0 to 1", content)
    text = tables(store.read(path))
    assert "| adapt of mrc | 4 | 2 | 2 | 4 |" in text
    assert "6 s, 0 problems" in text
