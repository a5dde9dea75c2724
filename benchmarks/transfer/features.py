"""A picture of source and target features: pooled, then embedded in the plane by t-SNE."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_voxuda._params import from_dict
from napari_voxuda.adaptation.noise_match import SourceImages, match_noise
from napari_voxuda.adaptation.run_folder import read_record
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.data.normalise import z_score
from napari_voxuda.data.targets import SubtomogramTarget, TomogramTarget
from napari_voxuda.io.folders import find_subtomograms
from napari_voxuda.io.mrc import read_mrc
from napari_voxuda.networks.checkpoint import load_model
from napari_voxuda.simulation.settings import SourceSettings
from napari_voxuda.simulation.source import make_source

from .targets import Target

__all__ = ["Embedding", "draw_embeddings", "embed", "mixing", "t_sne"]

Array = npt.NDArray[np.float64]

_BOXES = 96
_EXAGGERATED = 100


@dataclass(frozen=True, kw_only=True)
class Embedding:
    """Features of source and target boxes in the plane.

    Parameters
    ----------
    title : str
        Of the panel.
    points : numpy.ndarray
        (n, 2) positions.
    is_target : numpy.ndarray
        (n,) bool.
    mixing : float
        See `mixing`, of the features before they were embedded.
    """

    title: str
    points: Array
    is_target: npt.NDArray[np.bool_]
    mixing: float


def embed(title: str, run: Path, target: Target, seed: int = 0) -> Embedding:
    """Embed what a run's network makes of boxes of its source and of its target.

    The features are the tap v6, which the discriminator sees, averaged over each box. Source
    boxes come as the run's training saw them: with the noise that it gives them.
    """
    import torch

    record = read_record(run)
    settings = from_dict(AdaptSettings, record["settings"])
    source = from_dict(SourceSettings, record["source"])
    model = load_model(run)
    generator = torch.Generator().manual_seed(seed)
    boxes = _target_boxes(target, source.box)
    targets = torch.unique(boxes.draw(_BOXES, generator), dim=0)  # a small folder repeats itself
    drawn = make_source(replace(source, count=_BOXES)).draw(_BOXES, generator)
    images = SourceImages(images=drawn.images, clean=drawn.clean, masks=drawn.masks)
    if settings.noise == "none":
        sources = z_score(images.images)
    else:
        sources = match_noise(
            images,
            boxes.draw(settings.noise_samples, generator),
            settings,
            signal_variance=max(drawn.clean.var(dim=(1, 2, 3)).mean().item(), 1e-12),
            normalisation=boxes.normalisation,
            generator=generator,
        )
    pooled = np.concatenate([_pooled(model.network, part) for part in (sources, targets)])
    is_target = np.arange(len(pooled)) >= len(sources)
    pooled = (pooled - pooled.mean(axis=0)) / np.maximum(pooled.std(axis=0), 1e-9)
    return Embedding(
        title=title,
        points=t_sne(pooled, np.random.default_rng(seed)),
        is_target=is_target,
        mixing=mixing(pooled, is_target),
    )


def mixing(features: Array, is_target: npt.NDArray[np.bool_]) -> float:
    """Return how often the nearest neighbour is of the other domain: 0 apart, about 0.5 mixed.

    Parameters
    ----------
    features : numpy.ndarray
        (n, f) features.
    is_target : numpy.ndarray
        (n,) bool.
    """
    distance = _squared_distances(features)
    np.fill_diagonal(distance, np.inf)
    return float(np.mean(is_target[distance.argmin(axis=1)] != is_target))


def t_sne(
    features: Array, rng: np.random.Generator, *, perplexity: float = 30.0, steps: int = 500
) -> Array:
    """Embed points in the plane so that neighbours stay neighbours (van der Maaten and Hinton 2008).

    Parameters
    ----------
    features : numpy.ndarray
        (n, f) features, at least 4 of them.
    rng : numpy.random.Generator
        Source of the first positions.
    perplexity : float
        Effective number of neighbours; at most a third of the points is used.
    steps : int
        Gradient steps.

    Returns
    -------
    numpy.ndarray
        (n, 2) positions around 0.

    Notes
    -----
    Exact: all pairs of points, which is quick for a few hundred of them.
    """
    count = len(features)
    wanted = _neighbours(features, min(perplexity, (count - 1) / 3))
    points = 1e-2 * rng.normal(size=(count, 2))
    velocity, gain = np.zeros_like(points), np.ones_like(points)
    rate = max(count / 12, 20.0)
    for step in range(steps):
        close = 1 / (1 + _squared_distances(points))
        np.fill_diagonal(close, 0)
        pull = (12.0 if step < _EXAGGERATED else 1.0) * wanted - close / close.sum()
        weight = pull * close
        gradient = 4 * (weight.sum(axis=1, keepdims=True) * points - weight @ points)
        slows = np.sign(gradient) == np.sign(velocity)
        gain = np.maximum(np.where(slows, 0.8 * gain, gain + 0.2), 0.01)
        velocity = (0.5 if step < _EXAGGERATED else 0.8) * velocity - rate * gain * gradient
        points = points + velocity
        points -= points.mean(axis=0)
    return points


def draw_embeddings(embeddings: list[Embedding], path: Path) -> None:
    """Draw the panels side by side into a picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2 * len(embeddings), 4.2), layout="constrained")
    axes = figure.subplots(1, len(embeddings), squeeze=False)[0]
    for panel, found in zip(axes, embeddings, strict=True):
        for domain, colour, marker in ((False, "#0072b2", "o"), (True, "#d55e00", "^")):
            x, y = found.points[found.is_target == domain].T
            label = "target" if domain else "source"
            panel.scatter(x, y, s=18, c=colour, marker=marker, alpha=0.7, label=label)
        title = found.title.replace("`", "")
        panel.set_title(f"{title}\nneighbour of the other domain: {found.mixing:.0%}")
        panel.set_xticks([])
        panel.set_yticks([])
    axes[0].legend(loc="best")
    figure.savefig(path, dpi=120)


def _target_boxes(target: Target, box: int) -> Any:
    contrast: Any = target.contrast
    if target.adapt_to.is_dir():
        volumes = [read_mrc(path) for path in find_subtomograms(target.adapt_to)]
        return SubtomogramTarget(volumes, box=box, contrast=contrast)
    return TomogramTarget(read_mrc(target.adapt_to), box=box, contrast=contrast)


def _pooled(network: Any, boxes: Any) -> Array:
    import torch

    with torch.inference_mode():
        parts = [network(part)[1].v6.mean(dim=(2, 3, 4)) for part in boxes.split(16)]
    return np.asarray(torch.cat(parts).double().numpy())


def _squared_distances(points: Array) -> Array:
    norms = (points**2).sum(axis=1)
    return np.maximum(norms[:, None] + norms[None, :] - 2 * points @ points.T, 0.0)


def _neighbours(features: Array, perplexity: float) -> Array:
    """Return the symmetric (n, n) neighbour probabilities whose rows have the perplexity."""
    distance = _squared_distances(features)
    np.fill_diagonal(distance, np.inf)
    distance -= distance.min(axis=1, keepdims=True)  # the nearest neighbour never vanishes
    low, high = np.full(len(distance), -60.0), np.full(len(distance), 60.0)
    for _ in range(60):  # bisection of the logarithm of each point's precision
        middle = (low + high) / 2
        chance = np.exp(-distance * np.exp(middle)[:, None])
        chance /= chance.sum(axis=1, keepdims=True)
        entropy = -(chance * np.log(np.maximum(chance, 1e-300))).sum(axis=1)
        wide = entropy > np.log(perplexity)
        low, high = np.where(wide, middle, low), np.where(wide, high, middle)
    return np.asarray((chance + chance.T) / (2 * len(chance)))
