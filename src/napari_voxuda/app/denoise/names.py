"""What the denoisers are called where a user reads it."""

from __future__ import annotations

from typing import Literal

from napari_voxuda.method.denoising import DenoiseSettings

__all__ = ["METHOD_NAMES", "SHORT_NAMES", "MethodName", "Side", "denoiser_words"]

MethodName = Literal["ibf", "bilateral", "ngm"]
Side = Literal["raw", "ibf", "bilateral", "ngm"]

METHOD_NAMES: dict[MethodName, str] = {
    "ibf": "improved bilateral (IBF)",
    "bilateral": "bilateral",
    "ngm": "NGM (x - high-pass)",
}
SHORT_NAMES: dict[Side, str] = {"raw": "raw", "ibf": "IBF", "bilateral": "bilateral", "ngm": "NGM"}


def denoiser_words(settings: DenoiseSettings) -> str:
    """Return a denoiser with the parameters that count for it: ``IBF, sigma range 1.2, …``."""
    if settings.method == "ngm":
        return f"NGM, pass fraction {settings.pass_fraction:g}, {settings.shape}"
    words = (
        f"{SHORT_NAMES[settings.method]}, sigma range {settings.sigma_range:g}, "
        f"sigma domain {settings.sigma_domain:g}"
    )
    return f"{words}, {settings.operator}" if settings.method == "ibf" else words
