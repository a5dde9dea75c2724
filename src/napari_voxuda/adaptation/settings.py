"""Settings of an adaptation, the presets, and the paper's baselines as settings."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from napari_voxuda._params import param, validate
from napari_voxuda.errors import InputError
from napari_voxuda.method.denoising import DenoiseSettings
from napari_voxuda.networks.settings import MAX_SMOOTH_VOXELS, NetworkSettings

__all__ = ["PRESETS", "AdaptSettings", "PresetName"]

PresetName = Literal["fast", "default", "paper"]


@dataclass(frozen=True, kw_only=True)
class AdaptSettings:
    """Network, losses and schedule of an adaptation.

    Raises
    ------
    InputError
        When a value is outside its bounds.
    """

    steps: int = param(600, "Optimisation steps.", minimum=1, maximum=10_000_000, step=50)
    batch: int = param(
        6,
        "Subtomograms per step, of the source and of the target each.",
        minimum=2,
        maximum=256,
        step=1,
    )
    learning_rate: float = param(
        2e-3, "Adam's initial learning rate.", minimum=1e-7, maximum=1.0, step=1e-4
    )
    schedule: Literal["cosine", "step"] = param(
        "cosine", "Learning rate over the run: cosine to zero, or divided by 10 twice (published)."
    )
    network: NetworkSettings = field(default_factory=NetworkSettings)
    noise: Literal["none", "ngm", "calibrated", "poisson", "speckle", "spectrum", "exchange"] = (
        param(
            "spectrum",
            "Noise given to the source: none, NGM as published (Eq. 2-6), NGM with the calibrated "
            "variance, Poisson or speckle noise of NGM's level (Fig. 7), noise with the target's power "
            "spectrum, or no noise but the target's low-frequency amplitude (ASC).",
        )
    )
    noise_base: Literal["clean", "noisy"] = param(
        "clean", "What that noise is added to: the noise-free source image, or the noisy one."
    )
    noise_samples: int = param(
        10,
        "Target subtomograms from which the noise is estimated.",
        minimum=1,
        maximum=1000,
        step=1,
    )
    noise_pass_fraction: float = param(
        0.244,
        "Fraction rho of the spectrum that the high-pass filter of the NGM keeps (Eq. 3).",
        minimum=0.001,
        maximum=1.0,
        step=0.001,
    )
    snr: tuple[float, float] = param(
        (0.008, 0.15),
        "Range of the signal-to-noise ratio (variance ratio) when noise is added to clean source "
        "images; drawn log-uniformly.",
        minimum=1e-5,
        maximum=1000.0,
    )
    exchange_window: float = param(
        0.1,
        "Fraction of the frequencies up to Nyquist whose amplitude is exchanged between the domains.",
        minimum=0.0,
        maximum=1.0,
        step=0.01,
        advanced=True,
    )
    pseudo_labels: Literal["none", "confident", "balanced", "ranked"] = param(
        "ranked",
        "Target voxels that supervise the student: none; in every step those above a fixed "
        "confidence (published) or above a threshold of each box; or the highest-ranking ones, "
        "labelled once.",
    )
    confidence: float = param(
        0.85, "Confidence eta that a pseudo-label needs.", minimum=0.5, maximum=0.999, step=0.01
    )
    pseudo_start: float = param(
        0.7,
        "Fraction of the run before pseudo-labels are used.",
        minimum=0.0,
        maximum=1.0,
        step=0.05,
    )
    pseudo_ramp: float = param(
        0.0,
        "Fraction of the run over which the weight of pseudo-labels grows from 0 after their start.",
        minimum=0.0,
        maximum=1.0,
        step=0.05,
    )
    pseudo_weight: float = param(
        1.0, "Weight of the pseudo-label loss.", minimum=0.0, maximum=100.0, step=0.1
    )
    teacher_input: Literal["denoised", "raw"] = param(
        "raw", "What the teacher sees: the denoised target (published) or the target itself."
    )
    denoise: DenoiseSettings = field(default_factory=DenoiseSettings)
    consistency_weight: float = param(
        0.0, "Weight of the consistency loss (Eq. 7).", minimum=0.0, maximum=100.0, step=0.1
    )
    consistency: Literal["features", "appearance"] = param(
        "features",
        "What is to agree: the features of the source with and without noise (Eq. 7), or the "
        "student's output on the target in the source's appearance with the teacher's on the "
        "target (ASC).",
        advanced=True,
    )
    consistency_lambda: tuple[float, float, float, float] = param(
        (0.2, 0.2, 0.3, 0.3),
        "Weights of the feature maps c, v2, v4, v6 in Eq. 7.",
        minimum=0.0,
        maximum=10.0,
        step=0.1,
    )
    discriminator_weight: float = param(
        0.0, "Weight of the discriminator loss.", minimum=0.0, maximum=100.0, step=0.1
    )
    discriminator_feature: Literal["v4", "v6"] = param(
        "v6", "Feature map that the discriminator sees."
    )
    reversal: float = param(
        0.1,
        "Final strength of the gradient reversal, reached at the middle of the run.",
        minimum=0.0,
        maximum=10.0,
        step=0.01,
    )
    dice_weight: float = param(
        0.0,
        "Weight of a Dice term beside the cross-entropy; it makes the probabilities less calibrated.",
        minimum=0.0,
        maximum=10.0,
        step=0.1,
    )
    ema_decay: float = param(
        0.95,
        "Decay of the teacher's moving average per step.",
        minimum=0.0,
        maximum=0.99999,
        step=0.001,
    )
    augment: bool = param(True, "Mirror boxes at random along their axes.")
    calibrate: bool = param(
        True,
        "At the end, choose the threshold by the probabilities in the target and tell it as 0.5; no "
        "label is used.",
    )
    predict_with: Literal["teacher", "student"] = param(
        "teacher", "Which of the two networks segments."
    )
    mirrors: bool = param(
        True, "Average the predictions of all eight mirror images; eight times slower."
    )
    smooth_voxels: float = param(
        1.2,
        "Standard deviation of the Gaussian that smooths predictions.",
        unit="voxels",
        minimum=0.0,
        maximum=MAX_SMOOTH_VOXELS,
        step=0.1,
    )
    checkpoint_every: int = param(
        50, "Steps between two checkpoints.", minimum=1, maximum=1_000_000, step=10, advanced=True
    )
    preview_every: int = param(
        20, "Steps between two previews.", minimum=1, maximum=1_000_000, step=10, advanced=True
    )

    def __post_init__(self) -> None:
        validate(self)
        if self.snr[0] > self.snr[1]:
            raise InputError(f"AdaptSettings.snr: low, high was wanted, got {self.snr}.")

    @classmethod
    def preset(cls, name: str, **changes: Any) -> AdaptSettings:
        """Return a preset, with single settings changed by name.

        Raises
        ------
        InputError
            When no preset has this name.
        """
        if name not in PRESETS:
            raise InputError(f"preset: one of {', '.join(PRESETS)} was wanted, got {name!r}.")
        return replace(PRESETS[name], **changes)

    def source_only(self) -> AdaptSettings:
        """Return the same training without any adaptation: the paper's lower bound.

        It has the Dice term, without which it finds nothing in a target at the threshold 0.5.
        Trained on a labelled folder of the target it is the fully supervised upper bound.
        """
        return replace(
            self,
            dice_weight=1.0,
            noise="none",
            pseudo_labels="none",
            consistency_weight=0.0,
            discriminator_weight=0.0,
            calibrate=False,
        )

    def dann(self) -> AdaptSettings:
        """Return the paper's baseline: a single domain discriminator and nothing else."""
        return replace(self.source_only(), discriminator_weight=1.0)

    def asc(self) -> AdaptSettings:
        """Return a rival of the paper: appearance and structure consistency, at voxel level.

        Xu et al., MICCAI 2023, in our reading: the source is learnt in the target's appearance
        (low-frequency Fourier amplitude), and the student's output on the target in the source's
        appearance is to agree with the teacher's on the target itself. The structural change is the
        mirroring of `augment`.
        """
        return replace(
            self.source_only(), noise="exchange", consistency="appearance", consistency_weight=1.0
        )


PRESETS: dict[str, AdaptSettings] = {
    # For a first look. Labels that a network gives after fewer steps than this did harm.
    "fast": AdaptSettings(steps=400, pseudo_labels="none"),
    # Chosen on the data that docs/results.md names.
    "default": AdaptSettings(),
    # 3,000 source subtomograms / batch 16 = 188 steps an epoch, 300 epochs.
    "paper": AdaptSettings(
        steps=56_400,
        batch=16,
        learning_rate=1e-3,
        schedule="step",
        network=NetworkSettings(stem=32, body=64),
        noise="ngm",
        noise_base="noisy",
        pseudo_labels="confident",
        pseudo_start=0.0,
        pseudo_ramp=0.0,
        teacher_input="denoised",
        consistency_weight=1.0,
        discriminator_weight=1.0,
        ema_decay=0.999,
        augment=False,
        calibrate=False,
        mirrors=False,
        smooth_voxels=0.0,
        checkpoint_every=1000,
    ),
}
