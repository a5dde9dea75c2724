"""What the user chose last in each dock, kept in one file for the next session."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from napari_voxuda.errors import VoxUDAError
from napari_voxuda.io._json_files import read_json_object
from napari_voxuda.io.atomic import atomic_path

__all__ = ["CONFIG_VARIABLE", "Remembered", "config_file"]

CONFIG_VARIABLE = "VOXUDA_CONFIG"
_FORMAT = 1
_MOST_BYTES = 1 << 20


def config_file() -> Path:
    """Return the file: in the folder that ``VOXUDA_CONFIG`` names, else where the system keeps settings."""
    import platformdirs

    chosen = os.environ.get(CONFIG_VARIABLE)
    folder = Path(chosen or platformdirs.user_config_dir("napari-voxuda", appauthor=False))
    return folder / "docks.json"


class Remembered:
    """The last choices of every dock.

    A file that is missing means that there are none. One that is damaged or of another version is put aside,
    with a note; nothing here ever raises, for no dock may fail to open over it.

    Parameters
    ----------
    file : Path or None
        The file; that of `config_file` without.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.file = file if file is not None else config_file()
        self.note = ""

    def get(self, dock: str) -> dict[str, Any]:
        """Return the choices of a dock by their names; empty where there are none."""
        values = self._docks().get(dock)
        return dict(values) if isinstance(values, dict) else {}

    def put(self, dock: str, values: dict[str, Any]) -> None:
        """Keep the choices of a dock, which JSON must take; those of other docks stay."""
        self._write({**self._docks(), dock: values})

    def forget(self, dock: str) -> None:
        """Drop the choices of a dock."""
        docks = self._docks()
        if docks.pop(dock, None) is not None:
            self._write(docks)

    def _docks(self) -> dict[str, Any]:
        """Read the file anew: another window may have written to it."""
        if not self.file.is_file():
            return {}
        try:
            content = read_json_object(self.file, _MOST_BYTES)
        except VoxUDAError as error:
            self._put_aside(str(error))
            return {}
        docks = content.get("docks")
        if content.get("format") != _FORMAT or not isinstance(docks, dict):
            self._put_aside(f"{self.file}: settings of format {_FORMAT} were wanted.")
            return {}
        return docks

    def _put_aside(self, why: str) -> None:
        aside = self.file.with_name(f"{self.file.name}.damaged")
        try:
            self.file.replace(aside)
        except OSError:
            aside = self.file
        self.note = (
            f"The choices of the last session could not be read, so the defaults are shown. {why} "
            f"The file is kept as {aside.name}."
        )

    def _write(self, docks: dict[str, Any]) -> None:
        text = json.dumps({"format": _FORMAT, "docks": docks}, indent=1)
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with atomic_path(self.file) as temporary:
                temporary.write_text(text + "\n", encoding="utf-8")
        except (OSError, VoxUDAError) as error:
            self.note = f"The choices cannot be kept for the next session: {error}"
