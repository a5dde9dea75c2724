"""Score predicted masks against true ones: two files, or two folders paired by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_voxuda.data.masks import as_mask
from napari_voxuda.errors import InputError
from napari_voxuda.io.mrc import is_mrc_name, mrc_stem
from napari_voxuda.io.volumes import read_volume, volume_stem
from napari_voxuda.io.zarr_folder import is_zarr_folder
from napari_voxuda.scores.overlap import Confusion, Overlap, mean_overlap, overlap

__all__ = ["ClassScore", "Evaluation", "PairScore", "evaluate", "pair_name"]

_SUFFIXES = ("_mask", "_pred", "", "_subtomo")


@dataclass(frozen=True, kw_only=True)
class PairScore:
    """Scores of one predicted mask.

    Parameters
    ----------
    name : str
        What the two files' names have in common.
    prediction, truth : Path
        The two files.
    overlap : Overlap
        Counts of the foreground and of each label.
    """

    name: str
    prediction: Path
    truth: Path
    overlap: Overlap

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; labels are given when one above 1 occurs."""
        labels = self.overlap.labels
        out: dict[str, Any] = {
            "name": self.name,
            "prediction": str(self.prediction),
            "truth": str(self.truth),
            **_scores(self.overlap.foreground),
        }
        if max(labels, default=0) > 1:
            out["labels"] = {str(label): _scores(found) for label, found in labels.items()}
        return out


@dataclass(frozen=True, kw_only=True)
class ClassScore:
    """Mean scores of one class.

    Parameters
    ----------
    pairs : int
        Pairs in which the class occurs.
    iou, dice : float
        Means over these pairs, in [0, 1].
    """

    pairs: int
    iou: float
    dice: float

    @classmethod
    def of(cls, confusions: list[Confusion]) -> ClassScore:
        """Average the scores of one or more pairs."""
        iou, dice = mean_overlap(confusions)
        return cls(pairs=len(confusions), iou=iou, dice=dice)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {"pairs": self.pairs, "iou": self.iou, "dice": self.dice}


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Scores of all pairs.

    Parameters
    ----------
    pairs : tuple of PairScore
        In the order of the predictions' file names.
    classes : dict of ClassScore
        By class: the groups of names that the caller gave, else the labels of the masks.
    mean : ClassScore
        Mean over the pairs of the scores of the foreground (every label but 0).
    """

    pairs: tuple[PairScore, ...]
    classes: dict[str, ClassScore]
    mean: ClassScore

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-able values."""
        return {
            "pairs": [pair.to_dict() for pair in self.pairs],
            "classes": {name: score.to_dict() for name, score in self.classes.items()},
            "mean": self.mean.to_dict(),
        }


def evaluate(
    prediction: str | Path, truth: str | Path, *, classes: Mapping[str, str] | None = None
) -> Evaluation:
    """Score predicted masks against the truth.

    Parameters
    ----------
    prediction, truth : Path
        Two volumes of any format, or two folders of MRC files. Files of two folders belong together when their
        names are equal after the MRC suffix and one of ``_mask``, ``_pred`` and ``_subtomo`` are
        taken off. Where a folder has several files of one such name, the mask is the one that ends
        in ``_mask``, else in ``_pred``, else the bare name.
    classes : mapping of str to str, optional
        Class by beginning of the name, for example ``{"ribo": "ribosome"}``; the longest beginning
        that fits counts. By default the classes are the labels of the masks.

    Returns
    -------
    Evaluation
        Scores per pair and per class, and their mean; empty masks score as
        `napari_voxuda.scores.overlap` says.

    Raises
    ------
    InputError
        When a file or folder is missing or empty, names do not pair up, shapes differ, values are no
        labels, or a name is of no class.
    FileFormatError
        When a file is no MRC file.
    """
    paths = _pairs(Path(prediction).expanduser(), Path(truth).expanduser())
    groups = None if classes is None else {name: _class_of(name, classes) for name in paths}
    pairs = tuple(_score(name, *files) for name, files in paths.items())
    by_class: dict[str, list[Confusion]] = {}
    for pair in pairs:
        if groups is not None:
            by_class.setdefault(groups[pair.name], []).append(pair.overlap.foreground)
            continue
        for label, found in pair.overlap.labels.items():
            by_class.setdefault(str(label), []).append(found)
    key = str if groups is not None else int
    return Evaluation(
        pairs=pairs,
        classes={name: ClassScore.of(by_class[name]) for name in sorted(by_class, key=key)},
        mean=ClassScore.of([pair.overlap.foreground for pair in pairs]),
    )


def pair_name(path: Path) -> str:
    """Return what a file's name has in common with its partner's.

    That is the name without the MRC suffix and without one of ``_mask``, ``_pred``, ``_subtomo``.
    """
    stem = volume_stem(path)
    for suffix in _SUFFIXES:
        if suffix and stem.endswith(suffix):
            return stem.removesuffix(suffix)
    return stem


def _scores(confusion: Confusion) -> dict[str, float]:
    return {"iou": confusion.iou, "dice": confusion.dice}


def _score(name: str, prediction: Path, truth: Path) -> PairScore:
    predicted, true = read_volume(prediction), read_volume(truth)
    if predicted.shape != true.shape:
        raise InputError(
            f"evaluate: masks of one shape were wanted, got {predicted.shape} in {prediction} and "
            f"{true.shape} in {truth}."
        )
    found = overlap(as_mask(predicted).data, as_mask(true).data)
    return PairScore(name=name, prediction=prediction, truth=truth, overlap=found)


def _pairs(prediction: Path, truth: Path) -> dict[str, tuple[Path, Path]]:
    """Return the files that belong together, by name."""
    for path in (prediction, truth):
        if not path.exists():
            raise InputError(f"{path}: there is no such file or folder.")
    if _is_folder(prediction) != _is_folder(truth):
        folder, file = (prediction, truth) if _is_folder(prediction) else (truth, prediction)
        raise InputError(
            f"evaluate: two files or two folders were wanted, got the folder {folder} and the file "
            f"{file}."
        )
    if not _is_folder(prediction):
        return {pair_name(prediction): (prediction, truth)}
    predicted, true = _masks(prediction), _masks(truth)
    lonely = [*_names(prediction, predicted, true), *_names(truth, true, predicted)]
    if lonely:
        raise InputError(
            f"evaluate: files of equal names in {prediction} and {truth} were wanted (after taking "
            f"off _mask, _pred or _subtomo), but these have no partner: {_listed(lonely)}."
        )
    return {name: (path, true[name]) for name, path in predicted.items()}


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not is_zarr_folder(path)


def _masks(folder: Path) -> dict[str, Path]:
    """Return the masks of a folder by name."""
    by_name: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if is_mrc_name(path) and path.is_file() and not path.name.startswith("."):
            by_name.setdefault(pair_name(path), []).append(path)
    if not by_name:
        raise InputError(f"{folder}: masks (MRC files) were wanted, found none.")
    return {name: _mask_among(name, by_name[name]) for name in by_name}


def _mask_among(name: str, paths: list[Path]) -> Path:
    """Return the file that holds the mask when several have one name."""
    for suffix in _SUFFIXES:
        found = [path for path in paths if mrc_stem(path) == name + suffix]
        if len(found) > 1:
            raise InputError(
                f"evaluate: one mask named {name} was wanted, got {found[0]} and {found[1]}; "
                "remove or rename one."
            )
        if found:
            return found[0]
    return paths[0]


def _names(folder: Path, masks: dict[str, Path], others: Iterable[str]) -> list[str]:
    return [f"{folder.name}/{masks[name].name}" for name in masks if name not in set(others)]


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return ", ".join(names[:6]) + more


def _class_of(name: str, classes: Mapping[str, str]) -> str:
    fitting = [prefix for prefix in classes if name.startswith(prefix)]
    if not fitting:
        raise InputError(
            f"evaluate: {name} is of no class; names beginning with one of {', '.join(classes)} "
            "were wanted."
        )
    return classes[max(fitting, key=len)]
