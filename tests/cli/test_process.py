"""The program as a process: signals, terminals and pipes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and terminals of POSIX")

_PROGRAM = (sys.executable, "-m", "napari_voxuda")
_SMALL = (
    *("--preset", "fast", "--batch", "2", "--network-stem", "2", "--network-body", "4"),
    *("--noise-samples", "2", "--checkpoint-every", "1", "--source-variety", "fixed"),
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


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_a_stopped_adaptation_leaves_a_run_that_resumes(
    files: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    run, target = tmp_path / "run", files / "tomogram.mrc"
    steps = ("--steps", "40") if number == signal.SIGKILL else ("--steps", "100000")
    words = ("adapt", "--target", str(target), *_SMALL, *steps, "--out", str(run))
    with subprocess.Popen(
        [*_PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        _wait_for(lambda: any((run / "checkpoints").glob("step-*.safetensors")), process)
        process.send_signal(number)
        out, err = process.communicate(timeout=_TIMEOUT)
    assert (process.returncode, out) == (code, ""), err
    assert "Traceback" not in err
    if number != signal.SIGKILL:
        assert f"Go on with: napari-voxuda adapt --resume --out {run}" in err
    told = subprocess.run(
        [*_PROGRAM, "info", str(run), "--json"], capture_output=True, text=True, check=True
    )
    facts = json.loads(told.stdout)
    assert facts["state"] == "unfinished"
    assert 0 < facts["step"] < facts["steps"]
    if number != signal.SIGKILL:  # these have too many steps to run them to their end
        return
    resumed = subprocess.run(
        [*_PROGRAM, "adapt", "--resume", "--out", str(run)], capture_output=True, text=True
    )
    assert (resumed.returncode, resumed.stdout) == (0, f"{run}: 40 steps done\n"), resumed.stderr


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
