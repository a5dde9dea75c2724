"""The Vox-UDA paper as functions: equations 1 to 15, each with one home.

Every public function is offered here and loaded when it is first asked for, so that the
settings can be read without importing torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_voxuda.method.amplitude import exchange_amplitude
    from napari_voxuda.method.bilateral import (
        BILATERAL_HALO,
        bilateral_filter,
        gaussian_kernel,
        suggest_bilateral_sigma_range,
    )
    from napari_voxuda.method.consistency import consistency_loss
    from napari_voxuda.method.denoising import DenoiseSettings, denoise, denoise_halo
    from napari_voxuda.method.expected_dice import (
        expected_dice_score,
        expected_dice_threshold,
        mean_size_share,
        mean_size_threshold,
        share_threshold,
    )
    from napari_voxuda.method.fourier import (
        cube_line,
        dft,
        high_pass,
        high_pass_mask,
        high_pass_spectrum,
        inverse_dft,
        kept_energy,
    )
    from napari_voxuda.method.improved_bilateral import (
        IMPROVED_BILATERAL_HALO,
        gradient_difference,
        improved_bilateral_filter,
        laplacian_gradient,
        suggest_sigma_range,
    )
    from napari_voxuda.method.ngm_slice import ngm_denoise_slice
    from napari_voxuda.method.noise_generation import (
        add_noise,
        draw_subset,
        gaussian_noise,
        poisson_noise,
        speckle_noise,
        target_noise_variance,
    )
    from napari_voxuda.method.noise_spectrum import noise_power_spectrum, spectrum_noise
    from napari_voxuda.method.objective import total_loss
    from napari_voxuda.method.pseudo_labels import (
        PseudoLabels,
        balanced_pseudo_label,
        ema_update,
        ngm_denoise,
        pseudo_label,
    )
    from napari_voxuda.method.radial_spectrum import radial_frequencies, radial_power
    from napari_voxuda.method.ranked_labels import ranked_pseudo_label
    from napari_voxuda.method.slice_filter import (
        SliceFeatures,
        bilateral_slice,
        improved_bilateral_slice,
        slice_gradient,
        slice_mean,
    )

__all__ = [
    "BILATERAL_HALO",
    "IMPROVED_BILATERAL_HALO",
    "DenoiseSettings",
    "PseudoLabels",
    "SliceFeatures",
    "add_noise",
    "balanced_pseudo_label",
    "bilateral_filter",
    "bilateral_slice",
    "consistency_loss",
    "cube_line",
    "denoise",
    "denoise_halo",
    "dft",
    "draw_subset",
    "ema_update",
    "exchange_amplitude",
    "expected_dice_score",
    "expected_dice_threshold",
    "gaussian_kernel",
    "gaussian_noise",
    "gradient_difference",
    "high_pass",
    "high_pass_mask",
    "high_pass_spectrum",
    "improved_bilateral_filter",
    "improved_bilateral_slice",
    "inverse_dft",
    "kept_energy",
    "laplacian_gradient",
    "mean_size_share",
    "mean_size_threshold",
    "ngm_denoise",
    "ngm_denoise_slice",
    "noise_power_spectrum",
    "poisson_noise",
    "pseudo_label",
    "radial_frequencies",
    "radial_power",
    "ranked_pseudo_label",
    "share_threshold",
    "slice_gradient",
    "slice_mean",
    "speckle_noise",
    "spectrum_noise",
    "suggest_bilateral_sigma_range",
    "suggest_sigma_range",
    "target_noise_variance",
    "total_loss",
]

_MODULES = (
    "denoising",
    "amplitude",
    "fourier",
    "noise_generation",
    "noise_spectrum",
    "radial_spectrum",
    "consistency",
    "bilateral",
    "improved_bilateral",
    "pseudo_labels",
    "ngm_slice",
    "slice_filter",
    "expected_dice",
    "ranked_labels",
    "objective",
)


def __getattr__(name: str) -> Any:
    if name in __all__:
        for module_name in _MODULES:
            module = import_module(f"{__name__}.{module_name}")
            if name in module.__all__:
                return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
