"""A measured domain gap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_voxuda._params import to_dict

if TYPE_CHECKING:
    from napari_voxuda.adaptation.domain_gap import DomainGap

__all__ = ["GapReport"]


@dataclass(frozen=True, kw_only=True, eq=False)
class GapReport:
    """A measured gap.

    Parameters
    ----------
    name : str
        Name of the target.
    gap : DomainGap
        What was measured.
    sentences : tuple of str
        What it means.
    """

    name: str
    gap: DomainGap
    sentences: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers and sentences as JSON-able values; frequencies in 1/Å."""
        gap = self.gap
        domains = {"target": gap.target, "source": gap.source, "matched": gap.matched}
        return {
            "name": self.name,
            "contrast": gap.contrast,
            "sentences": list(self.sentences),
            "sigma_t": list(gap.sigma_t),
            "boxes": {"target": gap.target_boxes, "source": gap.source_boxes},
            "frequencies_per_angstrom": (gap.frequencies / gap.voxel_size_angstrom).tolist(),
            "noise_dominates": gap.noisy.tolist() if gap.has_noisy_band else None,
            "signal_power": gap.signal.tolist(),
            "bin_edges": gap.edges.tolist(),
            "settings": to_dict(gap.settings),
            **{
                name: {
                    "power": domain.power.tolist(),
                    "density": domain.density.tolist(),
                    "standard_deviation": domain.spread,
                    "noise": domain.noise,
                    **({} if name == "target" else {"noise_over_target": _compared(gap, domain)}),
                }
                for name, domain in domains.items()
                if domain is not None
            },
        }


def _compared(gap: DomainGap, domain: Any) -> dict[str, float]:
    found = gap.compare(domain)
    return {"level": found.level, "lowest": found.lowest, "highest": found.highest}
