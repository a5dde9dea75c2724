"""Both networks of a run as an ensemble, whose disagreement tells where it is unsure."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import torch
from torch import Tensor

from napari_voxuda.errors import FileFormatError
from napari_voxuda.networks.checkpoint import (
    MODEL_FILE,
    Model,
    ModelCard,
    latest_checkpoint,
    load_model,
    read_tensors,
)
from napari_voxuda.networks.prediction import move_threshold, smooth_probability
from napari_voxuda.networks.voxresnet import VoxResNet, predict_probability

__all__ = ["Ensemble", "load_ensemble"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Ensemble:
    """Networks that were trained together, with the model card of the one that predicts.

    Parameters
    ----------
    card : ModelCard
        How inputs are prepared and the threshold is told.
    networks : tuple of VoxResNet
        At least one; the first is the one that predicts.
    device : torch.device
        Where they compute.
    """

    card: ModelCard
    networks: tuple[VoxResNet, ...]
    device: torch.device

    def uncertainty(self, batch: Tensor) -> Tensor:
        """Return how unsure the networks are of each voxel.

        Parameters
        ----------
        batch : Tensor
            (n, d, h, w) float32 normalised, protein-bright boxes, edges multiples of 8.

        Returns
        -------
        Tensor
            (n, d, h, w) float32 in [0, 1], on the CPU: ``1 - |2 q - 1|`` of the mean
            probability q over all networks and mirror images, as the threshold tells it: 1
            on the threshold, 0 where all agree and are sure.
        """
        volume = batch.to(self.device)
        total = torch.zeros_like(volume, dtype=torch.float32)
        flips = list(product((False, True), repeat=3))
        for flip in flips:
            axes = [axis - 3 for axis in range(3) if flip[axis]]
            mirrored = volume.flip(axes)
            for network in self.networks:
                total += predict_probability(network, mirrored).flip(axes)
        mean = smooth_probability(
            total / (len(flips) * len(self.networks)), self.card.smooth_voxels
        )
        told = move_threshold(mean, self.card.threshold)
        return (1 - (2 * told - 1).abs()).cpu()


def load_ensemble(run: Path, device: torch.device | str = "cpu") -> Ensemble:
    """Load the networks of a run.

    A refined model holds both networks. The model file of an adaptation holds the one that
    predicts; the other is taken from the last checkpoint where that is of the same step.

    Parameters
    ----------
    run : Path
        A run folder, or a single weights file.
    device : torch.device or str
        Where the networks will compute.

    Raises
    ------
    RunFolderError, FileFormatError
        As `load_model`.
    """
    model = load_model(run, device)
    other = _other_weights(Path(run), model)
    networks = [model.network]
    if other is not None:
        second = copy.deepcopy(model.network)
        try:
            second.load_state_dict(other)
        except RuntimeError as error:
            raise FileFormatError(
                f"{run}: the second network does not fit the first ({error})."
            ) from error
        networks.append(second)
    return Ensemble(card=model.card, networks=tuple(networks), device=model.device)


def _other_weights(run: Path, model: Model) -> dict[str, Tensor] | None:
    """Return the weights of the network that does not predict, where the run still has them."""
    prefix = "student." if model.card.weights == "teacher" else "teacher."
    if not run.is_dir():
        return _with_prefix(read_tensors(run)[0], prefix)
    newest = latest_checkpoint(run)
    if not (run / MODEL_FILE).is_file():
        return None if newest is None else _with_prefix(read_tensors(newest)[0], prefix)
    tensors, metadata = read_tensors(run / MODEL_FILE)
    found = _with_prefix(tensors, prefix)
    if found is not None or newest is None or "refined" in metadata:
        return found
    tensors, state = read_tensors(newest)
    return _with_prefix(tensors, prefix) if state.get("step") == metadata.get("step") else None


def _with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor] | None:
    part = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    return part or None
