"""What the gap between source and target means, in sentences and in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_voxuda.adaptation.domain_gap import Comparison, DomainGap

__all__ = ["DOMAIN_NAMES", "gap_rows", "gap_sentences", "image_captions"]

DOMAIN_NAMES = {
    "target": "target",
    "source": "source before matching",
    "matched": "source after matching",
}
_MATCHED_RATIO = 1.25  # a quarter more or less is seen by nobody
_COUNTLESS = 100.0


def gap_sentences(gap: DomainGap) -> list[str]:
    """Say what the gap means: before, after, over which details, and what to do.

    Parameters
    ----------
    gap : DomainGap
        What was measured.

    Returns
    -------
    list of str
        Two to four sentences, the most important first.
    """
    before = gap.compare(gap.source)
    sentences = [_before(before)]
    settled = before
    if gap.matched is not None:
        settled = gap.compare(gap.matched)
        sentences.append(_after(settled, before, gap.settings.noise))
    else:
        sentences.append("The settings add no noise, so that a network would train on it as it is.")
    if not _agrees(settled) and gap.settings.noise != "spectrum":
        sentences.append(_advice(gap))
    sentences.append(_measure_words(gap))
    return sentences


def gap_rows(gap: DomainGap) -> list[tuple[str, ...]]:
    """Return a table of what was measured: a heading, then a row for each quantity."""
    domains = [gap.target, gap.source] + ([gap.matched] if gap.matched is not None else [])
    names = list(DOMAIN_NAMES.values())[: len(domains)]
    others = domains[1:]
    sigma = gap.sigma_t
    return [
        ("", *names),
        ("boxes", str(gap.target_boxes), *(str(gap.source_boxes) for _ in others)),
        ("standard deviation in a box", *(f"{d.spread:.2f}" for d in domains)),
        ("noise by the high-pass filter", *(f"{d.noise:.3f}" for d in domains)),
        ("noise over the target's", "1", *(_range(gap.compare(d)) for d in others)),
        ("intensities in common", "", *(f"{100 * gap.overlap(d):.0f} %" for d in others)),
        (
            f"sigma_t of the paper, {gap.settings.noise_samples} boxes",
            f"{sum(sigma) / len(sigma):.3f}",
            *("" for _ in others),
        ),
    ]


def image_captions(gap: DomainGap) -> dict[str, str]:
    """Return what stands below each picture: of ``source``, ``matched``, ``target``, ``residual``."""
    noise = gap.settings.noise
    added = (
        "amplitudes exchanged" if noise == "exchange" else "its image in noise like the target's"
    )
    return {
        "source": "Source box before matching",
        "matched": f"Same box after matching: {added}",
        "target": "Target box",
        "residual": "Noise in the target box by the NGM",
    }


def _times(factor: float) -> str:
    """Return a factor in words, such as ``"4.1 times"``."""
    if factor >= _COUNTLESS:
        return "over 100 times"
    return f"{factor:.1f} times" if factor < 10 else f"{factor:.0f} times"


def _before(found: Comparison) -> str:
    if _agrees(found):
        return f"Before matching, the source has the target's noise within {_percent(found)}."
    return f"Before matching, the source is {_differs(found)}."


def _after(found: Comparison, before: Comparison, noise: str) -> str:
    way = "the exchange" if noise == "exchange" else "noise matching"
    if _agrees(found):
        return f"After {way} it agrees with the target within {_percent(found)}."
    still = "" if _agrees(before) else "still "
    return f"After {way} it is {still}{_differs(found)}."


def _differs(found: Comparison) -> str:
    noisy, clean = found.highest, 1 / max(found.lowest, 1e-6)
    too_noisy, too_clean = noisy >= _MATCHED_RATIO, clean >= _MATCHED_RATIO
    if too_noisy and too_clean:
        return (
            f"up to {_times(noisy)} too noisy (details of {found.highest_angstrom:.0f} Å) and up to "
            f"{_times(clean)} too clean (details of {found.lowest_angstrom:.0f} Å)"
        )
    if too_clean:
        if 1 / max(found.level, 1e-6) >= _MATCHED_RATIO:
            return f"{_times(1 / max(found.level, 1e-6))} too clean"
        return f"up to {_times(clean)} too clean (details of {found.lowest_angstrom:.0f} Å)"
    if found.level >= _MATCHED_RATIO:
        return f"{_times(found.level)} too noisy"
    return f"up to {_times(noisy)} too noisy (details of {found.highest_angstrom:.0f} Å)"


def _advice(gap: DomainGap) -> str:
    power = gap.target.power[gap.noisy]
    is_coloured = power.max() > _MATCHED_RATIO**2 * power.min()
    if gap.settings.noise in ("ngm", "calibrated", "poisson", "speckle") and is_coloured:
        return (
            "White noise is equally strong at all frequencies, the target's is not: the noise setting "
            "“spectrum” follows it."
        )
    return "The noise setting “spectrum” gives the source the target's noise."


def _measure_words(gap: DomainGap) -> str:
    sizes = gap.voxel_size_angstrom / gap.frequencies[gap.noisy]
    details = f"details of {sizes.min():.0f} to {sizes.max():.0f} Å"
    if gap.has_noisy_band:
        return f"Compared is the strength of the noise where it dominates ({details})."
    return (
        "The source's image is as strong as the noise at almost all frequencies; compared are the "
        f"finest third of them ({details}), signal included."
    )


def _agrees(found: Comparison) -> bool:
    return found.highest < _MATCHED_RATIO and found.lowest > 1 / _MATCHED_RATIO


def _percent(found: Comparison) -> str:
    return f"{max(1, round(100 * found.deviation))} %"


def _range(found: Comparison) -> str:
    return f"{found.lowest:.2f} to {found.highest:.2f}"
