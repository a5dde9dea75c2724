"""The domain gap as a figure in a file."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_voxuda.app.gap.words import DOMAIN_NAMES, image_captions

if TYPE_CHECKING:
    from napari_voxuda.adaptation.domain_gap import DomainGap
    from napari_voxuda.app.gap.report import GapReport

__all__ = ["save_gap_figure", "shown_images", "shown_range"]

_IMAGE_LIMITS = (-2.5, 2.5)  # standard deviations of the target

# Okabe and Ito's colours, which colour-blind readers tell apart; dashes and widths tell them apart too.
_LINES: dict[str, dict[str, Any]] = {
    "target": {"color": "black", "linewidth": 2.6, "alpha": 0.85},
    "source": {"color": "#d55e00", "linestyle": (0, (5, 2)), "linewidth": 1.6},
    "matched": {"color": "#56b4e9", "linestyle": (0, (1, 1)), "linewidth": 2.6},
}


def shown_images(gap: DomainGap) -> dict[str, tuple[np.ndarray[Any, Any], tuple[float, float]]]:
    """Return the pictures to show and the grey values of each: the boxes alike, the residual's own."""
    boxes = {"source": gap.source, "matched": gap.matched, "target": gap.target}
    images = {n: (d.image, _IMAGE_LIMITS) for n, d in boxes.items() if d is not None}
    width = 2.5 * max(float(gap.residual.std()), 1e-12)
    return {**images, "residual": (gap.residual, (-width, width))}


def save_gap_figure(report: GapReport, path: Path) -> None:
    """Write spectra, histograms and boxes as a figure.

    Parameters
    ----------
    report : GapReport
        What was measured.
    path : Path
        A PNG file; replaced once the new one is complete.

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from napari_voxuda.io.atomic import atomic_path

    figure = Figure(figsize=(11, 7.6), layout="constrained")
    FigureCanvasAgg(figure)
    parts: Any = figure.subfigures(2, 1, height_ratios=(1.25, 1))
    upper, lower = parts
    title = f"Domain gap to {report.name}. " + " ".join(report.sentences)
    figure.suptitle(textwrap.fill(title, 150), fontsize=10, x=0.01, ha="left")
    spectra, histogram = upper.subplots(1, 2)
    _draw_spectra(spectra, report.gap)
    _draw_histogram(histogram, report.gap)
    _draw_images(lower, report.gap)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120, format="png")


def _domains(gap: DomainGap) -> dict[str, Any]:
    found = {"target": gap.target, "source": gap.source, "matched": gap.matched}
    return {name: domain for name, domain in found.items() if domain is not None}


def _draw_spectra(axis: Any, gap: DomainGap) -> None:
    from matplotlib.ticker import LogFormatter

    frequency = gap.frequencies / gap.voxel_size_angstrom
    half = 0.5 * (frequency[1] - frequency[0]) if len(frequency) > 1 else frequency[0]
    named = False
    for f, noisy in zip(frequency, gap.noisy, strict=True):
        if noisy:
            label = None if named else "compared: noise dominates"
            axis.axvspan(f - half, f + half, color="0.9", lw=0, zorder=0, label=label)
            named = True
    for name, domain in _domains(gap).items():
        axis.semilogy(frequency, domain.power, label=DOMAIN_NAMES[name], **_LINES[name])
    for formatted in (axis.yaxis.set_major_formatter, axis.yaxis.set_minor_formatter):
        formatted(LogFormatter(minor_thresholds=(1.5, 0.5)))
    axis.set_xlabel("spatial frequency (1/Å)")
    axis.set_ylabel("mean power")
    axis.set_title("Radial power spectra", fontsize=11)
    axis.legend(fontsize=9)


def _draw_histogram(axis: Any, gap: DomainGap) -> None:
    centres = (gap.edges[1:] + gap.edges[:-1]) / 2
    for name, domain in _domains(gap).items():
        axis.plot(centres, domain.density, label=DOMAIN_NAMES[name], **_LINES[name])
    axis.set_xlim(*shown_range(gap))
    axis.set_ylim(bottom=0)
    axis.set_xlabel("intensity (standard deviations of the target)")
    axis.set_ylabel("probability density")
    axis.set_title("Intensities, protein bright", fontsize=11)
    axis.legend(fontsize=9)


def _draw_images(figure: Any, gap: DomainGap) -> None:
    images, captions = shown_images(gap), image_captions(gap)
    axes = figure.subplots(1, len(images))
    for axis, (name, (image, limits)) in zip(axes, images.items(), strict=True):
        axis.imshow(image, cmap="gray", vmin=limits[0], vmax=limits[1], interpolation="nearest")
        note = f"from black to white: {limits[0]:.2g} to {limits[1]:.2g}"
        axis.set_title(f"{textwrap.fill(captions[name], 30)}\n({note})", fontsize=9)
        axis.set_axis_off()


def shown_range(gap: DomainGap) -> tuple[float, float]:
    """Return the range of intensities that holds nearly all of every domain."""
    total = np.sum([d.density for d in _domains(gap).values()], axis=0)
    inside = np.flatnonzero(total > 1e-3 * total.max())
    return float(gap.edges[inside[0]]), float(gap.edges[inside[-1] + 1])
