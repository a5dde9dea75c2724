"""Keeps the corrections of one volume in the folder of its run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from napari_voxuda.app.running import Executor, LatestOnly
from napari_voxuda.data.corrections import Corrections, fingerprint
from napari_voxuda.data.volume import Volume

__all__ = ["RunCorrections"]


class RunCorrections:
    """Reads and writes corrections in a worker, the latest state only.

    Parameters
    ----------
    executor : Executor
        Where files are written.
    on_error : callable
        Gets what went wrong.
    """

    def __init__(self, executor: Executor, on_error: Callable[[BaseException], None]) -> None:
        self._saving: LatestOnly[None] = LatestOnly(executor, lambda _: None, on_error)
        self._run: Path | None = None
        self._mark = ""
        self._kept = Corrections.none((1, 1, 1))

    def open(
        self, run: Path | None, volume: Volume, painted: Corrections | None = None
    ) -> Corrections:
        """Return what the run keeps of `volume` and save there from now on; called in a worker.

        What was just `painted` wins over what is kept.

        Raises
        ------
        FileFormatError
            When the file is damaged.
        """
        from napari_voxuda.adaptation.versions import load_corrections

        mark = fingerprint(volume.data)
        kept = Corrections.none(volume.shape)
        if run is not None:
            kept = load_corrections(run, mark, volume.shape)
        self._run, self._mark, self._kept = run, mark, kept
        return kept if painted is None else kept.merged(painted)

    def save(self, current: Callable[[], Corrections]) -> None:
        """Save what `current` returns, which is called in the worker."""
        run, mark = self._run, self._mark
        if run is not None:
            self._saving.request(lambda: self._write(run, mark, current()))

    def _write(self, run: Path, mark: str, corrections: Corrections) -> None:
        from napari_voxuda.adaptation.versions import save_corrections

        if _is_empty(corrections) and _is_empty(self._kept):
            return
        save_corrections(run, mark, corrections)
        self._kept = corrections


def _is_empty(corrections: Corrections) -> bool:
    return not len(corrections) and not corrections.joins
