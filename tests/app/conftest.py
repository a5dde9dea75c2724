from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_voxuda._types import Event, Task
from napari_voxuda.adaptation.domain_gap import Domain, DomainGap
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.app.job import Job
from napari_voxuda.app.mask.refinement import MaskChoice
from napari_voxuda.app.refine.view import RefineRequest
from napari_voxuda.app.scene import LabelEdit, LayerChoice, SliceView
from napari_voxuda.data.picks import Picks
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError


def run_to_end(task: Task[Any]) -> tuple[Any, list[Event]]:
    """Run a task to its end; return what it returns, and its events."""
    events: list[Event] = []
    while True:
        try:
            events.append(next(task))
        except StopIteration as stop:
            return stop.value, events


class ComparisonFacts:
    """The group *Compare*, as plain values."""

    def __init__(self) -> None:
        self.chosen, self.errors, self.agreement = None, False, False
        self.references, self.shown, self.problem = [], None, ""

    def reference(self):
        return self.chosen

    def errors_wanted(self):
        return self.errors

    def agreement_wanted(self):
        return self.agreement

    def show_references(self, choices):
        self.references = [c.name for c in choices]
        if self.chosen not in [c.key for c in choices]:
            self.chosen = None

    def show_comparison(self, comparison):
        self.shown, self.problem = comparison, ""

    def show_problem(self, words):
        self.shown, self.problem = None, words

    def switch_errors_off(self):
        self.errors = False


class LiveRowFacts:
    """The row of the live prediction, as plain values."""

    def __init__(self) -> None:
        self.on, self.moments, self.at, self.note = True, [], 0, ""
        self.notes = []

    def wanted(self):
        return self.on

    def switch_off(self):
        self.on = False

    def show_moments(self, moments, at):
        self.moments, self.at = list(moments), at

    def show_note(self, text):
        self.note = text
        self.notes.append(text)


class RefineFacts:
    """The dock *Vox-UDA refine*, as plain values."""

    def __init__(self) -> None:
        self.values = {"mask": MaskChoice(threshold=0.5, numbered=True)}
        self.said, self.versions, self.states, self.ready = [], [], [], False
        self.particles, self.marks = [], ""
        self.comparison = ComparisonFacts()

    def request(self):
        return RefineRequest(**self.values)

    def show_layers(self, images):
        self.images = images

    def choose(self, layer, run, mask):
        self.values |= {"layer": layer, "run": run, "mask": mask}

    def show_choice(self, choice):
        self.values["mask"] = choice

    def show_versions(self, versions):
        self.versions = versions

    def show_ready(self, ready):
        self.ready = ready

    def show_found(self, words):
        self.found = words

    def show_particles(self, particles):
        self.particles = particles

    def show_marks(self, words):
        self.marks = words

    def show_place(self, words, *, can_walk):
        self.place = words

    def show_state(self, state):
        self.states.append(state)

    def show_progress(self, line):
        self.progress = line

    def say(self, text, level="info"):
        self.said.append((level, text))


class WaitingExecutor:
    """Keeps started jobs until the test runs them."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []
        self.jobs: list[Job[Any]] = []

    def start(self, task, *, on_event, on_state, on_end):
        job = Job(task, on_event, on_state)
        self.jobs.append(job)

        def run() -> None:
            job.run()
            on_end(job)

        self.waiting.append(run)
        return job

    def run_next(self) -> None:
        self.waiting.pop(0)()

    def run_all(self) -> None:
        while self.waiting:
            self.run_next()

    def close(self) -> None:
        self.waiting.clear()


class DictScene:
    """A scene of plain dictionaries."""

    def __init__(self) -> None:
        self.layers: dict[Any, dict[str, Any]] = {}
        self.view: SliceView | None = SliceView(axis=0, index=2, start=(2, 0, 0), stop=(3, 8, 8))
        self._count = 0

    def add(self, kind: str, **facts: Any) -> int:
        self._count += 1
        self.layers[self._count] = {"kind": kind, **facts}
        return self._count

    def add_volume(self, volume: Volume) -> int:
        return self.add("image", volume=volume, name=volume.name)

    def choices(self, kind):
        return [
            LayerChoice(key=k, name=v["name"]) for k, v in self.layers.items() if v["kind"] == kind
        ]

    def active(self):
        return next(iter(self.layers), None)

    def has(self, key):
        return key in self.layers

    def shown(self, keys):
        there = [key for key in keys if key in self.layers]
        seen = [key for key in there if self.layers[key].get("visible", True)]
        return next(iter(seen or there), None)

    def volume(self, key):
        if key not in self.layers:
            raise InputError("layer: gone.")
        return self.layers[key]["volume"]

    def set_voxel_size(self, key, voxel_size_angstrom):
        old = self.layers[key]["volume"]
        grid = old.grid.with_voxel_size(voxel_size_angstrom)
        self.layers[key]["volume"] = Volume(data=old.data, grid=grid, name=old.name)

    def picks(self, key, like):
        return self.layers[key]["picks"]

    def slice_view(self, key):
        return self.view

    def placement(self, key):
        return self.volume(key).grid

    def add_image(self, data, placement, *, name, offset=(0, 0, 0), **_):
        volume = Volume(data=data, grid=placement, name=name)
        return self.add("image", volume=volume, name=name, offset=offset)

    def add_labels(self, data, placement, *, name, colors=None, aid=False, visible=True):
        volume = Volume(data=data, grid=placement, name=name)
        kind = "aid" if aid else "labels"
        return self.add(kind, volume=volume, name=name, colors=colors, visible=visible)

    def update_image(self, key, data, placement, offset):
        facts = self.layers[key]
        facts["volume"] = Volume(data=data, grid=placement, name=facts["name"])
        facts["offset"] = offset

    def link_contrast(self, key, like, *, shift=0.0):
        self.layers[key]["contrast"] = (like, shift)

    def update_labels(self, key, data):
        facts = self.layers[key]
        facts["volume"] = Volume(data=data, grid=facts["volume"].grid, name=facts["name"])

    def replace_labels(self, key, data):
        self.update_labels(key, data)

    def edit_labels(self, key, voxels, values, *, told=True):
        data = self.layers[key]["volume"].data
        edit = LabelEdit(voxels=voxels, before=data.reshape(-1)[voxels])
        data.reshape(-1)[voxels] = values
        if told:
            for callback in self.layers[key].get("watchers", []):
                callback(edit)

    def watch_labels(self, key, callback):
        self.layers[key].setdefault("watchers", []).append(callback)

    def select(self, key):
        self.selected = key

    def paint(self, key, label):
        self.painting = (key, label)

    def go_to(self, key, position):
        self.shown = position

    def add_ring(self, position, placement, *, name, diameter):
        return self.add("points", position=position, name=name)

    def add_boxes(self, starts, box, placement, *, name):
        return self.add("shapes", starts=starts, box=box, name=name)

    def remove(self, key):
        self.layers.pop(key, None)

    def open(self, path: Path):
        raise InputError(f"{path}: there is no such file.")

    def watch_layers(self, callback): ...
    def watch_view(self, callback): ...
    def close(self): ...


class FakeDivider:
    """A divider of plain values."""

    def __init__(self) -> None:
        self.place = None
        self.lost = False

    def show(self, place):
        self.place = place

    def hide(self):
        self.place = None

    def is_lost(self):
        return self.lost

    def watch(self, callback):
        self.drag = callback

    def close(self): ...


@pytest.fixture
def divider() -> FakeDivider:
    return FakeDivider()


@pytest.fixture
def executor() -> WaitingExecutor:
    return WaitingExecutor()


@pytest.fixture
def view() -> RefineFacts:
    return RefineFacts()


@pytest.fixture
def comparison_view() -> ComparisonFacts:
    return ComparisonFacts()


@pytest.fixture
def scene() -> DictScene:
    return DictScene()


@pytest.fixture
def tomogram() -> Volume:
    values = np.random.default_rng(0).normal(size=(6, 8, 8)).astype(np.float32)
    values[5, 0, 0] = 30.0  # far from the previewed slice: the filters must know of it all the same
    grid = Grid(voxel_size_angstrom=(10.0, 10.0, 10.0), origin_angstrom=(5.0, 6.0, 7.0))
    return Volume(data=values, grid=grid, name="tomo")


@pytest.fixture
def no_picks() -> Picks:
    return Picks(positions=np.zeros((0, 3)))


_SHELLS = np.arange(1, 9) / 16


def _domain(amplitude: Any) -> Domain:
    return Domain(
        power=np.ones(8) * np.asarray(amplitude, dtype=float) ** 2,
        density=np.full(10, 0.1),
        spread=1.0,
        noise=0.5,
        image=np.zeros((4, 4), np.float32),
    )


def _gap(source: Any, matched: Any = None, *, target: Any = 1.0, **changes: Any) -> DomainGap:
    noise = changes.pop("noise", "spectrum")
    values: dict[str, Any] = {
        "frequencies": _SHELLS,
        "voxel_size_angstrom": 10.0,
        "edges": np.linspace(-5, 5, 11),
        "target": _domain(target),
        "source": _domain(source),
        "matched": None if matched is None else _domain(matched),
        "signal": np.zeros(8),
        "noisy": _SHELLS > 0.2,
        "has_noisy_band": True,
        "sigma_t": (0.1, 0.12),
        "residual": np.zeros((4, 4), np.float32),
        "settings": AdaptSettings(noise=noise),
        "contrast": "dark",
        "target_boxes": 80,
        "source_boxes": 48,
    }
    return DomainGap(**(values | changes))


@pytest.fixture
def gap() -> Callable[..., DomainGap]:
    """Return a function that makes a gap of noise amplitudes, those of eight shells."""
    return _gap
