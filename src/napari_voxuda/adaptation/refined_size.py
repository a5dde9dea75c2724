"""How large the mask is after a refinement: as large as before, but for what was corrected.

A dozen corrections tell a network which voxels to rank higher, and next to nothing about how many there are
in the whole tomogram: whoever corrects inside the mask sees only what is too much. Left free, the mask of
a refined network shrank to half or grew by a third on synthetic tomograms, and lost more by that than the better
ranking won. Its size is the user's to choose, with the threshold.
"""

from __future__ import annotations

import torch
from torch import Tensor

from napari_voxuda._types import Progress, Task
from napari_voxuda.adaptation.corrected_target import CorrectedBoxes, CorrectedTarget
from napari_voxuda.networks.prediction import predict_steadily
from napari_voxuda.networks.voxresnet import VoxResNet

__all__ = ["size_keeping_threshold", "wanted_share"]

_NEAR = 4  # batches around corrections
_ANYWHERE = 12
_BATCH = 4
_STAGE = "Keeping the size"
_LEAST = 0.5  # of the earlier share


def size_keeping_threshold(
    start: VoxResNet,
    refined: VoxResNet,
    target: CorrectedTarget,
    generator: torch.Generator,
    *,
    threshold: float,
    smooth_voxels: float,
) -> Task[float]:
    """Return the threshold at which a refined network calls as much foreground as it should.

    Parameters
    ----------
    start, refined : VoxResNet
        The network before and after.
    target : CorrectedTarget
        Draws boxes of the tomogram.
    generator : torch.Generator
        Source of randomness.
    threshold : float
        Probability in (0, 1) from which on `start` calls a voxel foreground.
    smooth_voxels : float
        Standard deviation in voxels of the Gaussian that smooths predictions.

    Yields
    ------
    Progress
        After each batch of boxes.

    Returns
    -------
    float
        In (0, 1). That of `start` where boxes at random places hold no foreground or nothing else.
    """

    def predict(network: VoxResNet, boxes: CorrectedBoxes) -> Tensor:
        device = next(network.parameters()).device
        return predict_steadily(
            network, boxes.images.to(device), mirrors=False, smooth_voxels=smooth_voxels
        ).cpu()

    total = _NEAR + _ANYWHERE
    added = corrected = 0
    for done in range(1, _NEAR + 1):
        boxes = target.around_corrections(_BATCH, generator)
        called = predict(start, boxes) >= threshold
        added += int((boxes.known & boxes.labels & ~called).sum())
        added -= int((boxes.known & ~boxes.labels & called).sum())
        corrected += int(boxes.known.sum())
        yield Progress(stage=_STAGE, done=done, total=total)
    before, after = [], []
    for done in range(_NEAR + 1, total + 1):
        boxes = target.anywhere(_BATCH, generator)
        before.append(predict(start, boxes)[~boxes.known] >= threshold)
        after.append(predict(refined, boxes)[~boxes.known])
        yield Progress(stage=_STAGE, done=done, total=total)
    called, values = torch.cat(before), torch.cat(after)
    if not called.any():
        return threshold
    more = added / max(corrected, 1) * target.corrected / target.voxels
    count = round(wanted_share(called.double().mean().item(), more) * len(values))
    if not 0 < count < len(values):
        return threshold
    found = values.kthvalue(len(values) - count + 1).values.item()
    return min(max(found, 1e-4), 1 - 1e-4)


def wanted_share(before: float, corrected: float) -> float:
    """Return the share of foreground that is wanted outside the corrections.

    Parameters
    ----------
    before : float
        The earlier share, in [0, 1].
    corrected : float
        Voxels that were corrected to foreground less those to background, as a share of the volume.

    Notes
    -----
    For each voxel that was corrected, one like it is expected elsewhere. At most half the foreground goes.
    """
    return min(max(before + corrected, _LEAST * before), 1.0)
