from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from napari_voxuda.adaptation.run_folder import RunFolder
from napari_voxuda.adaptation.run_lock import LOCK_FILE, is_being_written

_HOLD = (
    "import sys; from pathlib import Path; from napari_voxuda.adaptation.run_folder import RunFolder\n"
    "run = RunFolder.open(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
)


def test_the_lock_of_another_process_is_seen_until_it_ends(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "run", {}).close()
    assert not is_being_written(tmp_path / "run")
    command = [sys.executable, "-c", _HOLD, str(tmp_path / "run")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        assert is_being_written(tmp_path / "run")
    assert not is_being_written(tmp_path / "run")


def test_a_lock_of_this_process_is_seen_and_asking_leaves_it_held(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run", {}):
        assert is_being_written(tmp_path / "run")
        assert is_being_written(tmp_path / "run")
    RunFolder.open(tmp_path / "run").close()


def test_asking_writes_nothing(tmp_path: Path) -> None:
    assert not is_being_written(tmp_path / "none")
    assert not is_being_written(tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / LOCK_FILE).touch()
    assert not is_being_written(tmp_path)
