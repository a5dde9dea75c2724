"""Weights on disk: safetensors with JSON metadata, read without executing code."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from napari_voxuda._params import from_dict
from napari_voxuda._types import Contrast, Normalisation
from napari_voxuda.errors import FileFormatError, InputError, RunFolderError, one_line
from napari_voxuda.io._in_memory import check_fits_memory
from napari_voxuda.io._json_files import check_depth
from napari_voxuda.io.atomic import atomic_path
from napari_voxuda.method.expected_dice import mean_size_threshold
from napari_voxuda.networks.prediction import move_threshold, predict_steadily
from napari_voxuda.networks.settings import MAX_SMOOTH_VOXELS, NetworkSettings
from napari_voxuda.networks.voxresnet import VoxResNet

__all__ = [
    "CHECKPOINTS",
    "MODEL_FILE",
    "Model",
    "ModelCard",
    "checkpoints",
    "latest_checkpoint",
    "load_model",
    "read_metadata",
    "read_tensors",
    "weights_file",
    "write_tensors",
]

MODEL_FILE = "model.safetensors"
CHECKPOINTS = "checkpoints"
_KEY = "napari-voxuda"
_NO_WEIGHTS = (SafetensorError, OSError, LookupError, TypeError, ValueError, RecursionError)
_CHECKSUM = "sha256"


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What must be known to apply a model.

    Parameters
    ----------
    network : NetworkSettings
        Widths of the network.
    contrast : {"bright", "dark"}
        Contrast of protein in the target that the model was adapted to.
    normalisation : {"volume", "subtomogram"}
        How inputs are scaled.
    voxel_size_angstrom : float or None
        Voxel size of the target in Å; None when unknown.
    weights : {"teacher", "student"}
        Which of the two networks predicts.
    mirrors, smooth_voxels, threshold : bool, float, float
        How it predicts; see `predict_steadily`.
    own_size : bool
        Whether each subtomogram has a threshold of its own instead; see `Model.predict_whole`.
    """

    network: NetworkSettings
    contrast: Contrast
    normalisation: Normalisation
    voxel_size_angstrom: float | None
    weights: Literal["teacher", "student"] = "teacher"
    mirrors: bool = False
    smooth_voxels: float = 0.0
    threshold: float = 0.5
    own_size: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """A network ready to predict, with its card.

    Parameters
    ----------
    card : ModelCard
        How inputs are to be prepared.
    network : VoxResNet
        In evaluation mode, on `device`.
    device : torch.device
        Where it computes.
    """

    card: ModelCard
    network: VoxResNet
    device: torch.device

    @property
    def contrast(self) -> Contrast:
        """Contrast of protein that the model expects in the file."""
        return self.card.contrast

    @property
    def normalisation(self) -> Normalisation:
        """Over what inputs are normalised."""
        return self.card.normalisation

    @property
    def voxel_size_angstrom(self) -> float | None:
        """Voxel size of the target that the model was adapted to, in Å."""
        return self.card.voxel_size_angstrom

    def predict(self, batch: Tensor) -> Tensor:
        """Return the foreground probability of normalised, protein-bright boxes.

        Parameters
        ----------
        batch : Tensor
            (n, d, h, w) float32, edges multiples of 8.

        Returns
        -------
        Tensor
            (n, d, h, w) float32 in [0, 1], on the CPU.
        """
        return self._steady(batch, self.card.threshold).cpu()

    def predict_whole(self, batch: Tensor) -> Tensor:
        """Return the foreground probability of whole subtomograms.

        Parameters
        ----------
        batch : Tensor
            (n, d, h, w) float32, edges multiples of 8.

        Returns
        -------
        Tensor
            (n, d, h, w) float32 in [0, 1], on the CPU: as `predict`, but where the card says so,
            what `mean_size_threshold` finds in each subtomogram is told as 0.5 in it. A threshold for all gives
            small and faint molecules too little and large ones too much.
        """
        if not self.card.own_size:
            return self.predict(batch)
        found = self._steady(batch, 0.5)
        return torch.stack([move_threshold(it, mean_size_threshold(it)) for it in found]).cpu()

    def _steady(self, batch: Tensor, threshold: float) -> Tensor:
        return predict_steadily(
            self.network,
            batch.to(self.device),
            mirrors=self.card.mirrors,
            smooth_voxels=self.card.smooth_voxels,
            threshold=threshold,
        )


def write_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, Any]) -> None:
    """Write named tensors and JSON-able metadata to one file, whole or not at all.

    Parameters
    ----------
    path : Path
        The file, replaced if it exists.
    tensors : dict of Tensor
        Any shapes and types; stored from the CPU.
    metadata : dict
        Plain values.
    """
    plain = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
    text = json.dumps(metadata)
    payload = save(plain, metadata={_KEY: text, _CHECKSUM: _checksum(text, plain)})
    header, values = _ordered(payload)
    with (
        atomic_path(path, needed_bytes=len(header) + len(values)) as temporary,
        temporary.open("wb") as file,
    ):
        file.write(header)
        file.write(values)
        file.flush()
        os.fsync(file.fileno())


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `write_tensors` wrote.

    Raises
    ------
    FileFormatError
        When the file is damaged, to the bit, or was not written by this program.
    """
    try:
        check_fits_memory(path.stat().st_size, path, "point to another run")
        content = path.read_bytes()  # not a memory map: that of a file cut short ends the process
        with warnings.catch_warnings(action="ignore"):
            tensors = load(content)
        stored = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
        metadata = json.loads(stored[_KEY])
        wanted = stored.get(_CHECKSUM)  # files of version 0.1 have none
        if wanted is not None and wanted != _checksum(stored[_KEY], tensors):
            raise ValueError("its checksum is wrong")
    except _NO_WEIGHTS as error:
        raise _not_ours(path, error) from error
    return tensors, _json_object(path, metadata)


def read_metadata(path: Path) -> dict[str, Any]:
    """Read the metadata that `write_tensors` wrote, and no tensor; raises as `read_tensors`."""
    try:
        with path.open("rb") as file:
            size = min(int.from_bytes(file.read(8), "little"), path.stat().st_size)
            metadata = json.loads(json.loads(file.read(size))["__metadata__"][_KEY])
    except _NO_WEIGHTS as error:
        raise _not_ours(path, error) from error
    return _json_object(path, metadata)


def _not_ours(path: Path, error: BaseException) -> FileFormatError:
    return FileFormatError(
        f"{path}: weights written by napari-voxuda were wanted, but the file cannot be "
        f"read as such ({one_line(error)}). Point to another run."
    )


def _json_object(path: Path, metadata: Any) -> dict[str, Any]:
    if not isinstance(metadata, dict):
        raise FileFormatError(f"{path}: the metadata are not a JSON object.")
    try:
        check_depth(metadata)
    except ValueError as error:
        raise _not_ours(path, error) from error
    return metadata


def checkpoints(run: Path) -> list[Path]:
    """Return the checkpoints of a run folder, newest first."""
    return sorted((run / CHECKPOINTS).glob("step-*.safetensors"), reverse=True)


def latest_checkpoint(run: Path) -> Path | None:
    """Return the newest checkpoint of a run folder, or None when it has none."""
    return next(iter(checkpoints(run)), None)


def _ordered(payload: bytes) -> tuple[bytes, memoryview]:
    """Return header and values of a safetensors file, with its metadata in the order of their names.

    The library writes metadata in an order of chance, but the same weights are to give the same bytes.
    """
    end = 8 + int.from_bytes(payload[:8], "little")
    header = json.loads(payload[8:end])
    ordered = {"__metadata__": dict(sorted(header.pop("__metadata__").items())), **header}
    text = json.dumps(ordered, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text, memoryview(payload)[end:]


def _checksum(text: str, tensors: dict[str, Tensor]) -> str:
    """Return the SHA-256 of metadata and tensors: names, types, shapes and bytes."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def load_model(run: Path, device: torch.device | str = "cpu") -> Model:
    """Load the model of a finished run, or the newest checkpoint of an unfinished one.

    Parameters
    ----------
    run : Path
        A run folder, or the path of a single ``.safetensors`` file.
    device : torch.device or str
        Where the model will compute.

    Raises
    ------
    RunFolderError
        When the folder does not exist or holds no weights.
    FileFormatError
        When the weights are damaged.
    """
    path = weights_file(Path(run))
    try:
        tensors, metadata = read_tensors(path)
    except FileFormatError as error:
        raise FileFormatError(f"{error}{_way_out(path)}") from error
    try:
        card = card_from_dict(metadata["model"])
        network = VoxResNet(card.network)
        prefix = f"{card.weights}."
        weights = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
        network.load_state_dict(weights)
    except (KeyError, TypeError, InputError, RuntimeError) as error:
        raise FileFormatError(
            f"{path}: the weights do not fit the network that the file describes "
            f"({one_line(error)})."
        ) from error
    target = torch.device(device)
    return Model(card=card, network=network.to(target).eval(), device=target)


def card_from_dict(values: dict[str, Any]) -> ModelCard:
    """Make a model card from its JSON form.

    Raises
    ------
    InputError
        When a value is missing or not allowed.
    """
    try:
        card = ModelCard(**{**values, "network": from_dict(NetworkSettings, values["network"])})
    except (KeyError, TypeError) as error:
        raise InputError(f"model card: {error}.") from error
    if card.contrast not in get_args(Contrast) or card.normalisation not in get_args(Normalisation):
        raise InputError(f"model card: unknown {card.contrast!r} or {card.normalisation!r}.")
    if card.weights not in ("teacher", "student"):
        raise InputError(f"model card: unknown weights {card.weights!r}.")
    for name in ("mirrors", "own_size"):
        if not isinstance(getattr(card, name), bool):
            raise InputError(
                f"model card: {name} true or false was wanted, got {getattr(card, name)!r}."
            )
    if not 0 <= card.smooth_voxels <= MAX_SMOOTH_VOXELS or not 0 < card.threshold < 1:
        raise InputError(
            f"model card: smoothing in [0, {MAX_SMOOTH_VOXELS:g}] voxels and a threshold in (0, 1) "
            f"were wanted, got {card.smooth_voxels} and {card.threshold}."
        )
    return card


def _way_out(path: Path) -> str:
    """Return what can be done about damaged weights of a run folder."""
    older = [p for p in checkpoints(path.parent.parent) if p.name < path.name]
    if path.parent.name == CHECKPOINTS and older:
        return (
            f" Or give the checkpoint before it, {older[0]}; "
            "'napari-voxuda adapt --resume' falls back to that one too."
        )
    if path.name == MODEL_FILE and checkpoints(path.parent):
        return (
            " Or delete it and write it anew with 'napari-voxuda adapt --resume --out "
            f"{path.parent}'."
        )
    return ""


def weights_file(run: Path) -> Path:
    """Return the file of a run's model, or its newest checkpoint.

    Parameters
    ----------
    run : Path
        A run folder, or the path of a single ``.safetensors`` file.

    Raises
    ------
    RunFolderError
        When the folder does not exist or holds no weights.
    """
    if run.is_file():
        return run
    if not run.is_dir():
        raise RunFolderError(
            f"{run}: a run folder was wanted, but it does not exist. "
            "Make one with 'napari-voxuda adapt'."
        )
    if (run / MODEL_FILE).is_file():
        return run / MODEL_FILE
    newest = latest_checkpoint(run)
    if newest is None:
        raise RunFolderError(
            f"{run}: neither {MODEL_FILE} nor a checkpoint was found in it. "
            "Choose the folder that 'napari-voxuda adapt --out' made, or let the run go on first."
        )
    return newest
