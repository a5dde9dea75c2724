"""The program as a process: signals, terminals and pipes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from napari_voxuda.app.info import describe

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and terminals of POSIX")

_PROGRAM = (sys.executable, "-m", "napari_voxuda")
_SMALL = (
    *("--preset", "fast", "--batch", "2", "--network-stem", "2", "--network-body", "4"),
    *("--noise-samples", "2", "--source-variety", "fixed"),
    *("--source-box", "16", "--source-count", "4", "--source-neighbours", "0"),
    *("--contrast", "bright"),
)
_TIMEOUT = 120


def _wait_for(done: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    for _ in range(_TIMEOUT * 20):
        if done():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    pytest.fail("the program did not get so far")


def _stop(words: tuple[str, ...], started: Callable[[], bool], number: int) -> tuple[int, str]:
    """Run an adaptation, send a signal once it has started, and return exit code and stderr."""
    with subprocess.Popen(
        [*_PROGRAM, "adapt", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        _wait_for(started, process)
        process.send_signal(number)
        out, err = process.communicate(timeout=_TIMEOUT)
    assert out == ""
    return process.returncode, err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_adaptation_keeps_its_last_step(
    files: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    run, rare = tmp_path / "run", ("--steps", "100000", "--checkpoint-every", "100000")
    words = ("--target", str(files / "tomogram.mrc"), *_SMALL, *rare, "--out", str(run))
    log = run / "events.jsonl"
    returned, err = _stop(words, lambda: log.is_file() and '"step"' in log.read_text(), number)
    assert returned == code, err
    assert "Traceback" not in err
    assert "Stopping after this step" in err
    assert f"Go on with: napari-voxuda adapt --resume --out {run}" in err
    facts = describe(run)
    assert facts["state"] == "unfinished"
    kept = [path.stem for path in (run / "checkpoints").iterdir()]
    assert kept == [f"step-{facts['step']:08d}"]


def test_a_killed_adaptation_resumes(files: Path, tmp_path: Path) -> None:
    run, often = tmp_path / "run", ("--steps", "40", "--checkpoint-every", "1")
    words = ("--target", str(files / "tomogram.mrc"), *_SMALL, *often, "--out", str(run))
    folder = run / "checkpoints"
    returned, _ = _stop(words, lambda: any(folder.glob("step-*.safetensors")), signal.SIGKILL)
    assert returned == -signal.SIGKILL
    facts = describe(run)
    assert facts["state"] == "unfinished"
    assert facts["step"] < 40
    resumed = subprocess.run(
        [*_PROGRAM, "adapt", "--resume", "--out", str(run)], capture_output=True, text=True
    )
    assert (resumed.returncode, resumed.stdout) == (0, f"{run}: 40 steps done\n"), resumed.stderr
    assert describe(run)["state"] == "finished"


def test_a_terminal_sees_bars_and_a_pipe_does_not(files: Path, tmp_path: Path) -> None:
    words = [*_PROGRAM, "denoise", str(files / "tomogram.mrc")]
    piped = subprocess.run([*words, str(tmp_path / "a.mrc")], capture_output=True, check=True)
    assert piped.stdout.decode() == f"{tmp_path / 'a.mrc'}\n"
    assert piped.stderr == b""
    leader, follower = os.openpty()
    seen = subprocess.run(
        [*words, str(tmp_path / "b.mrc")],
        stdout=subprocess.PIPE,
        stderr=follower,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
        check=True,
    )
    os.close(follower)
    shown = os.read(leader, 1 << 16).decode()
    os.close(leader)
    assert seen.stdout.decode() == f"{tmp_path / 'b.mrc'}\n"
    assert "Denoising" in shown
    assert "\x1b[" in shown


def test_a_reader_that_goes_away_is_no_error_in_words(files: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*_PROGRAM, "info", str(files / "tomogram.mrc"), "--json"],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(write)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
