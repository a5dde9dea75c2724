"""One optimisation step: Fig. 2 of the paper, read from top to bottom."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from napari_voxuda._types import Normalisation
from napari_voxuda.adaptation.learner import Learner
from napari_voxuda.adaptation.losses import pseudo_label_loss, segmentation_loss
from napari_voxuda.adaptation.noise_match import (
    SourceImages,
    exchange_appearance,
    match_noise,
)
from napari_voxuda.adaptation.self_labels import teacher_view
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.data.normalise import z_score
from napari_voxuda.method.consistency import consistency_loss
from napari_voxuda.method.objective import total_loss
from napari_voxuda.method.pseudo_labels import (
    PseudoLabels,
    balanced_pseudo_label,
    ema_update,
    pseudo_label,
)
from napari_voxuda.networks.discriminator import discriminator_loss
from napari_voxuda.networks.voxresnet import Features, predict_probability

__all__ = ["StepOutcome", "adaptation_step"]


@dataclass(frozen=True, kw_only=True)
class StepOutcome:
    """Numbers of one step.

    Parameters
    ----------
    losses : dict of float
        ``total``, ``segmentation``, ``pseudo``, ``consistency``, ``discriminator``, unweighted.
    coverage : float
        Fraction of target voxels with a pseudo-label, in [0, 1].
    foreground : float
        Fraction of those that are foreground, in [0, 1].
    labelled : bool
        Whether pseudo-labels were used.
    predicted : float or None
        Mean foreground probability that the student gives the target; None where it saw none.
    """

    losses: dict[str, float]
    coverage: float
    foreground: float
    labelled: bool = False
    predicted: float | None = None


def adaptation_step(
    learner: Learner,
    source: SourceImages,
    target: Tensor,
    subset: Tensor,
    settings: AdaptSettings,
    *,
    signal_variance: float,
    normalisation: Normalisation,
    step: int,
    generator: torch.Generator,
    given: PseudoLabels | None = None,
) -> StepOutcome:
    """Train the student by one step and let the teacher follow.

    Parameters
    ----------
    learner : Learner
        Student, teacher, discriminator and optimiser; changed in place.
    source : SourceImages
        Labelled source boxes.
    target, subset : Tensor
        (n, d, h, w) target boxes to adapt to, and (N_sampled, d, h, w) to estimate noise from.
    settings : AdaptSettings
        Which terms count and how much.
    signal_variance : float
        Mean variance of a clean source box.
    normalisation : {"volume", "subtomogram"}
        How the target is normalised.
    step : int
        Steps done before this one.
    generator : torch.Generator
        Source of randomness, on the CPU.
    given : PseudoLabels or None
        Labels (n, d, h, w) of the target where they are known already; else the teacher gives them.
    """
    progress = step / settings.steps
    labelled = _uses_pseudo_labels(settings, progress, given)
    flows = _flows(
        source,
        target,
        subset,
        settings,
        signal_variance=signal_variance,
        normalisation=normalisation,
        labelled=labelled,
        generator=generator,
    )
    logits, features = _forward(learner, flows)

    # Source flow: both copies are segmented, and their features are to agree.
    segmentation = _supervised(logits, source.masks, settings)
    consistency = _agreement(learner, target, logits, features, settings)

    # Target flow: the teacher labels the denoised target, its confident voxels teach the student.
    pseudo, coverage, foreground = target.new_zeros(()), 0.0, 0.0
    if labelled:
        taught = given or _teach(learner, target, settings)
        pseudo, coverage, foreground = _labelled_loss(logits["target"], taught, settings)

    # Both flows: one discriminator on one feature map.
    discriminator = _adversarial(learner, features, settings, progress)

    loss = total_loss(
        segmentation + settings.pseudo_weight * _ramp(settings, progress) * pseudo,
        settings.consistency_weight * consistency,
        settings.discriminator_weight * discriminator,
    )
    learner.optimise(loss)
    ema_update(learner.teacher, learner.student, min(settings.ema_decay, (1 + step) / (10 + step)))
    losses = {
        "total": loss,
        "segmentation": segmentation,
        "pseudo": pseudo,
        "consistency": consistency,
        "discriminator": discriminator,
    }
    return StepOutcome(
        losses={name: value.item() for name, value in losses.items()},
        coverage=coverage,
        foreground=foreground,
        labelled=labelled,
        predicted=_mean_probability(logits["target"]) if "target" in logits else None,
    )


def _supervised(logits: dict[str, Tensor], masks: Tensor, settings: AdaptSettings) -> Tensor:
    losses = [
        segmentation_loss(logits[name], masks, settings.dice_weight)
        for name in ("source", "noised")
        if name in logits
    ]
    return torch.stack(losses).mean()


def _agreement(
    learner: Learner,
    target: Tensor,
    logits: dict[str, Tensor],
    features: dict[str, Features],
    settings: AdaptSettings,
) -> Tensor:
    """Return by how much two looks at the same boxes differ; 0 where nothing is to agree."""
    if "exchanged" in logits:  # ASC: the target in the source's appearance, as the teacher sees it
        taught = predict_probability(learner.teacher, target).clone()  # no inference tensor
        return mse_loss(torch.sigmoid(logits["exchanged"]), taught)
    if settings.consistency_weight > 0 and {"source", "noised"} <= features.keys():
        return consistency_loss(features["source"], features["noised"], settings.consistency_lambda)
    return target.new_zeros(())


def _labelled_loss(
    logits: Tensor, taught: tuple[Tensor, Tensor], settings: AdaptSettings
) -> tuple[Tensor, float, float]:
    """Return the loss of pseudo-labels, their share of the voxels, and the foreground's of theirs."""
    labels, confident = taught
    loss = pseudo_label_loss(logits, labels, confident, settings.dice_weight)
    coverage = confident.float().mean().item()
    foreground = (labels & confident).sum().item() / max(confident.sum().item(), 1)
    return loss, coverage, foreground


def _adversarial(
    learner: Learner, features: dict[str, Features], settings: AdaptSettings, progress: float
) -> Tensor:
    if settings.discriminator_weight == 0:
        return next(iter(features.values())).c.new_zeros(())
    tap = settings.discriminator_feature
    return discriminator_loss(
        learner.discriminator,
        getattr(features["noised" if "noised" in features else "source"], tap),
        getattr(features["target"], tap),
        settings.reversal * min(1.0, 2 * progress),
    )


def _uses_pseudo_labels(
    settings: AdaptSettings, progress: float, given: PseudoLabels | None
) -> bool:
    if settings.pseudo_labels in ("none", "ranked"):
        return settings.pseudo_labels == "ranked" and given is not None
    return progress >= settings.pseudo_start


def _ramp(settings: AdaptSettings, progress: float) -> float:
    """Return how much of their weight pseudo-labels have: 0 at their start, 1 after the ramp."""
    if settings.pseudo_ramp == 0:
        return 1.0
    return min(1.0, max(0.0, progress - settings.pseudo_start) / settings.pseudo_ramp)


def _mean_probability(logits: Tensor) -> float:
    return torch.sigmoid(logits.detach().float()).mean().item()


def _flows(
    source: SourceImages,
    target: Tensor,
    subset: Tensor,
    settings: AdaptSettings,
    *,
    signal_variance: float,
    normalisation: Normalisation,
    labelled: bool,
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """Return what the student sees: x_s, its noised copy x_s' (Eq. 2-6) and x_t, where used."""
    flows = {}
    consistent = settings.consistency_weight > 0
    if settings.noise == "none" or (consistent and settings.consistency == "features"):
        flows["source"] = z_score(source.images)
    if settings.noise != "none":
        flows["noised"] = match_noise(
            source,
            subset,
            settings,
            signal_variance=signal_variance,
            normalisation=normalisation,
            generator=generator,
        )
    if settings.discriminator_weight > 0 or labelled:
        flows["target"] = target
    if consistent and settings.consistency == "appearance":
        flows["exchanged"] = exchange_appearance(
            target, z_score(source.images), settings, generator
        )
    return flows


def _forward(
    learner: Learner, flows: dict[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, Features]]:
    """Feed all flows through the student at once, so that BatchNorm sees both domains."""
    logits, features = learner.student(torch.cat(list(flows.values())))
    sizes = [len(volume) for volume in flows.values()]
    parts = zip(*(tap.split(sizes) for tap in features), strict=True)
    return (
        dict(zip(flows, logits.split(sizes), strict=True)),
        dict(zip(flows, (Features(*taps) for taps in parts), strict=True)),
    )


def _teach(learner: Learner, target: Tensor, settings: AdaptSettings) -> tuple[Tensor, Tensor]:
    probability = predict_probability(learner.teacher, teacher_view(target, settings))
    if settings.pseudo_labels == "balanced":
        return balanced_pseudo_label(probability)
    return pseudo_label(probability, settings.confidence)
