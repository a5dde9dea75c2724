"""Fetch what a source needs from the network, before anything is written."""

from __future__ import annotations

from napari_voxuda._types import Message, Progress, Task
from napari_voxuda.simulation.settings import SourceSettings

__all__ = ["fetch_task"]

_STAGE = "Fetching structures"


def fetch_task(source: SourceSettings) -> Task[None]:
    """Fetch the PDB entries of a source that are not in the cache yet.

    It can be cancelled between two entries; those that have arrived are kept.

    Parameters
    ----------
    source : SourceSettings
        Of any kind; nothing is done unless it is ``"pdb"``.

    Yields
    ------
    Event
        A `Message` and `Progress` for each entry that is fetched; nothing where all are at hand.

    Raises
    ------
    InputError
        When no such entry exists.
    DownloadError
        When an entry can be had nowhere.
    OutputError
        When the cache folder cannot be written to.
    """
    if source.kind != "pdb":
        return
    from napari_voxuda.io.pdb_entries import cached_entry, entry_path
    from napari_voxuda.simulation.entries import entry_file

    missing = [entry for entry in dict.fromkeys(source.files) if cached_entry(entry) is None]
    for done, entry in enumerate(missing):
        yield Progress(stage=_STAGE, done=done, total=len(missing))
        if entry_path(entry).exists():
            text = f"The copy of {entry} in the cache is damaged; fetching it anew."
            yield Message(text=text, level="warning")
        else:
            yield Message(text=f"Fetching {entry} from the Protein Data Bank.")
        entry_file(entry)
    if missing:
        yield Progress(stage=_STAGE, done=len(missing), total=len(missing))
