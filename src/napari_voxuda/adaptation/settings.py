"""Settings of an adaptation and the three presets."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from napari_voxuda._params import param, validate
from napari_voxuda.errors import InputError
from napari_voxuda.method.denoising import DenoiseSettings

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
        8,
        "Subtomograms per step, of the source and of the target each.",
        minimum=2,
        maximum=256,
        step=1,
    )
    learning_rate: float = param(
        2e-3, "Adam's initial learning rate.", minimum=1e-7, maximum=1.0, step=1e-4
    )
    denoise: DenoiseSettings = field(default_factory=DenoiseSettings)

    def __post_init__(self) -> None:
        validate(self)

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


PRESETS: dict[str, AdaptSettings] = {
    "fast": AdaptSettings(steps=200, batch=6),
    "default": AdaptSettings(),
    "paper": AdaptSettings(steps=56_400, batch=16, learning_rate=1e-3),
}
