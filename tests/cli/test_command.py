from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner, Result

from napari_voxuda._types import Event, Progress
from napari_voxuda.cli.command import Commands, command, repeated
from napari_voxuda.cli.console import run_task
from napari_voxuda.errors import OutputError, RunBusyError

_MANY = {"--snr", "--source"}


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("--snr 1 2 3", "--snr 1 --snr 2 --snr 3"),
        ("--snr 1 --count 2", "--snr 1 --count 2"),
        ("--source a.pdb b.pdb --snr 1 2", "--source a.pdb --source b.pdb --snr 1 --snr 2"),
        ("--snr 1 --snr 2 3", "--snr 1 --snr 2 --snr 3"),
        ("--count 5 six", "--count 5 six"),
        ("in.mrc --snr", "in.mrc --snr"),
        ("--snr=1 2", "--snr=1 2"),
        ("--snr snr snr", "--snr snr --snr snr"),
        ("", ""),
    ],
)
def test_options_are_repeated_before_each_word(words: str, wanted: str) -> None:
    assert repeated(words.split(), _MANY) == wanted.split()


def _program(function: object) -> typer.Typer:
    app = typer.Typer(cls=Commands, add_completion=False)
    command(app, "act")(function)  # type: ignore[arg-type]
    app.callback()(lambda: None)
    return app


def _run(function: object, *words: str) -> Result:
    return CliRunner().invoke(_program(function), ["act", *words], prog_name="program")


def _words(snr: Annotated[list[float], typer.Option("--snr")]) -> None:
    """Show words."""
    typer.echo(snr)


def test_a_list_option_takes_several_words() -> None:
    assert _run(_words, "--snr", "0.03", "0.05").stdout == "[0.03, 0.05]\n"


def test_a_usage_error_is_one_line_with_exit_code_2() -> None:
    outcome = _run(_words, "--snr", "0.03", "much")
    assert outcome.exit_code == 2
    assert outcome.stdout == ""
    assert outcome.stderr.count("\n") == 1
    assert outcome.stderr.startswith("Error: Invalid value for '--snr'")
    assert outcome.stderr.endswith("See 'program act --help'.\n")


@pytest.mark.parametrize(("error", "code"), [(OutputError, 4), (RunBusyError, 6)])
def test_an_error_of_ours_is_one_sentence_with_its_exit_code(
    error: type[Exception], code: int
) -> None:
    def act() -> None:
        raise error("a.mrc: it is taken.")

    outcome = _run(act)
    assert outcome.exit_code == code
    assert outcome.stderr == "Error: a.mrc: it is taken.\n"
    assert outcome.stdout == ""


def test_an_unexpected_error_is_one_line_with_a_hint() -> None:
    def act() -> None:
        raise RuntimeError("CUDA out of memory.\n  Tried to allocate 2 GiB.")

    outcome = _run(act)
    assert outcome.exit_code == 1
    assert outcome.stderr == (
        "Error: unexpected RuntimeError: CUDA out of memory. Tried to allocate 2 GiB; "
        "run the command again with --debug to see where.\n"
    )


def test_debug_shows_the_traceback_before_the_sentence() -> None:
    def act() -> None:
        raise OutputError("a.mrc: it is taken.")

    outcome = _run(act, "--debug")
    assert outcome.exit_code == 4
    assert "Traceback (most recent call last)" in outcome.stderr
    assert "in act" in outcome.stderr
    assert outcome.stderr.endswith("Error: a.mrc: it is taken.\n")


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [(signal.SIGINT, 130, "Interrupted"), (signal.SIGTERM, 143, "Terminated")],
)
def test_a_signal_closes_the_task_after_its_step_and_tells_by_exit_code(
    number: signal.Signals, code: int, word: str
) -> None:
    seen = []

    def task() -> Iterator[Event]:
        try:
            os.kill(os.getpid(), number)
            seen.append("the step is done")
            yield Progress(stage="Working", done=0, total=1)
            pytest.fail("the task went on after the signal")
        except GeneratorExit:
            seen.append("closed")
            raise

    def act() -> None:
        run_task(task())  # type: ignore[arg-type]

    before = signal.getsignal(signal.SIGTERM)
    outcome = _run(act)
    assert (outcome.exit_code, seen) == (code, ["the step is done", "closed"])
    assert outcome.stderr == f"{word}.\n"
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_second_signal_stops_within_the_step() -> None:
    closed = []

    def task() -> Iterator[Event]:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            pytest.fail("the step went on after the second signal")
            yield Event()
        finally:
            closed.append(True)

    outcome = _run(lambda: run_task(task()))  # type: ignore[arg-type]
    assert (outcome.exit_code, closed) == (130, [True])


def test_sigterm_outside_of_a_task_is_told_as_well() -> None:
    outcome = _run(lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert (outcome.exit_code, outcome.stderr) == (143, "Terminated.\n")


def test_a_signal_during_the_last_step_is_not_lost() -> None:
    def task() -> Iterator[Event]:
        os.kill(os.getpid(), signal.SIGINT)
        yield from ()

    assert _run(lambda: run_task(task())).exit_code == 130  # type: ignore[arg-type]


def test_an_ignored_signal_stays_ignored() -> None:
    def task() -> Iterator[Event]:
        os.kill(os.getpid(), signal.SIGINT)
        yield Event()

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert _run(lambda: run_task(task())).exit_code == 0  # type: ignore[arg-type]
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_exit_code_chosen_by_the_command_stays() -> None:
    def act() -> None:
        raise typer.Exit(9)

    assert _run(act).exit_code == 9
