"""Decisions about the prediction on the tomogram: live while a run goes on, and of its snapshots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from napari_voxuda.app.live.newest import Newest
from napari_voxuda.app.live.snapshots import SnapshotViewer
from napari_voxuda.app.live.view import LivePiece, SlicePicture, ViewWish
from napari_voxuda.app.running import Executor
from napari_voxuda.app.scene import LayerChoice, LayerKey, Scene, SliceView
from napari_voxuda.errors import FileFormatError, VoxUDAError

if TYPE_CHECKING:
    from napari_voxuda.adaptation.snapshots import Snapshot

__all__ = ["LiveController", "LiveView"]

_NAMES = {"live": "Live prediction", "snapshot": "Snapshot prediction"}
_COLORMAP, _OPACITY, _LIMITS = "green", 0.8, (0.15, 0.75)
_NO_LIVE = "A folder of subtomograms has no live prediction: there is no tomogram to show it on."
_NO_TARGET = "Choose the tomogram as target to see what a snapshot finds in it."


class LiveView(Protocol):
    """What the controller asks of the dock."""

    def wanted(self) -> bool:
        """Whether the live prediction is switched on."""
        ...

    def switch_off(self) -> None:
        """Show that it is off."""
        ...

    def show_moments(self, moments: Sequence[str], at: int) -> None:
        """Show which moments of the run can be looked at, oldest first, and which one is chosen."""
        ...

    def show_note(self, text: str) -> None:
        """Show a sentence about what is shown on the tomogram."""
        ...


class LiveController:
    """Shows on the tomogram what the network finds, now or at a snapshot.

    Parameters
    ----------
    view : LiveView
        The dock.
    scene : Scene
        The layers.
    executor : Executor
        Where snapshots are predicted.
    chosen_layer : callable
        Returns the tomogram that is chosen as target.
    """

    def __init__(
        self,
        view: LiveView,
        scene: Scene,
        executor: Executor,
        chosen_layer: Callable[[], LayerKey | None],
    ) -> None:
        self._view = view
        self._scene = scene
        self._chosen_layer = chosen_layer
        self._wish: ViewWish | None = None  # while a run goes on
        self._targets: list[tuple[LayerKey, Any]] = []  # of the run
        self._target: LayerKey | None = None
        self._placement: Any = None
        self._layer: LayerKey | None = None
        self._kind: Literal["live", "snapshot"] = "live"
        self._run: Path | None = None
        self._steps = 0
        self._snapshots: list[Snapshot] = []
        self._damaged: set[Path] = set()
        self._chosen: int | None = None  # step of a snapshot; None for now, or the last one
        self._seen: tuple[int, LayerKey, SliceView] | None = None
        self._viewer = SnapshotViewer()
        self._pictures = Newest(executor, self._show, self._failed)

    def begin(
        self,
        key: LayerKey | None,
        placement: Any,
        run: Path,
        steps: int,
        others: Sequence[tuple[LayerKey, Any]] = (),
    ) -> ViewWish | None:
        """Get ready for a run on a layer, or on a folder; return what the run is to look at.

        With `others`, further layers and their places, it is the one of them all that is shown.
        """
        self._remove()
        self._target, self._placement = key, placement
        self._targets = [] if key is None else [(key, placement), *others]
        self._chosen = None
        self._wish = None if key is None else ViewWish()
        self._view.show_note(_NO_LIVE if key is None else "")
        self.show_run(run, steps)
        self._ask()
        try:
            self._make_room()
        except VoxUDAError as error:  # a rotated tomogram, on which no piece can be placed
            self._wish = None
            self._view.show_note(f"There is no live prediction. {error}")
        return self._wish

    def ended(self) -> None:
        """Take the live prediction away; snapshots can be looked at from here on."""
        self._wish = None
        if self._kind == "live":
            self._remove()
            self._view.show_note("")
        self.show_run(self._run, self._steps)

    def show_run(self, run: Path | None, steps: int | None = None) -> None:
        """Show the snapshots of a run folder."""
        if run != self._run:
            self._run, self._chosen, self._seen = run, None, None
            self._damaged.clear()
            if self._kind == "snapshot":
                self._remove()
        self._steps = (steps or _steps_of(run)) if run is not None else 0
        self._list()

    def snapshot_kept(self) -> None:
        """List one snapshot more."""
        self._list()

    def show_piece(self, piece: LivePiece) -> None:
        """Show what the run has predicted, unless another picture is wanted."""
        is_shown = self._wish is not None and self._wish.tomogram == piece.tomogram
        if is_shown and self._chosen is None and self._wanted():
            self._put("live", piece)
            self._view.show_note(f"Shown: the prediction after step {piece.step}.")

    def choose(self, position: int) -> None:
        """Look at the moment at this place of the list."""
        is_last = position >= len(self._snapshots)
        self._chosen = None if is_last else self._snapshots[position].step
        self._pictures.forget()
        self._seen = None
        if self._wish is not None and self._chosen is None:
            self._remove()
            self._ask()
            self._make_room()
        else:
            self._ask()
            self._look_back()

    def view_changed(self) -> None:
        """Follow the view to another slice or region."""
        self._ask()
        if self._kind == "snapshot" and self._layer is not None:
            self._look_back()

    def wanted_changed(self) -> None:
        """Follow the switch of the live prediction."""
        self._ask()
        if not self._view.wanted():
            self._remove()
        elif self._wish is None or self._chosen is not None:
            self._look_back()
        else:
            self._make_room()

    def layers_changed(self) -> None:
        """Notice a layer that the user has removed: it stays away until it is switched on again."""
        if self._layer is not None and not self._scene.has(self._layer):
            self._layer = None
            self._pictures.forget()
            self._seen = None
            self._view.switch_off()
        self._ask()

    def close(self) -> None:
        """Stop; the dock is going away."""
        self._pictures.forget()

    @staticmethod
    def is_own(choice: LayerChoice) -> bool:
        """Whether a layer is such a prediction, which is no target."""
        return choice.name.startswith(tuple(_NAMES.values()))

    def _wanted(self) -> bool:
        there = self._target is not None and self._scene.has(self._target)
        return there and self._view.wanted()

    def _ask(self) -> None:
        """Tell the run what is to be shown of it."""
        if self._wish is not None:
            self._follow(self._wish)
            looks = self._wanted() and self._chosen is None
            self._wish.view = self._slice(self._target) if looks else None

    def _follow(self, wish: ViewWish) -> None:
        """Turn to that of the run's tomograms which is shown."""
        keys = [key for key, _ in self._targets]
        shown = self._scene.shown(keys) if len(keys) > 1 else None
        if shown is not None:
            wish.tomogram = keys.index(shown)
            self._target, self._placement = self._targets[wish.tomogram]

    def _make_room(self) -> None:
        """Add the layer, empty, right after a click: a viewer takes up to 0.3 s for a new one."""
        view = None if self._wish is None else self._wish.view
        if view is None or self._target is None or self._layer is not None:
            return
        picture = SlicePicture(self._scene.volume(self._target).data, mean=0.0, scale=1.0)
        picture.look_at(view)
        self._put("live", picture.piece(0))

    def _slice(self, key: LayerKey | None) -> SliceView | None:
        return None if key is None or not self._scene.has(key) else self._scene.slice_view(key)

    def _look_back(self) -> None:
        """Predict the view with the chosen snapshot."""
        snapshot = self._snapshot()
        if snapshot is None or not self._view.wanted():
            return
        key = self._target if self._wish is not None else self._chosen_layer()
        if key is None or not self._scene.has(key):
            self._view.show_note(_NO_TARGET)
            return
        view = self._scene.slice_view(key)
        if view is None or self._seen == (snapshot.step, key, view):
            return
        try:
            volume, self._placement = self._scene.volume(key), self._scene.placement(key)
        except VoxUDAError as error:
            self._view.show_note(str(error))
            return
        self._seen = (snapshot.step, key, view)
        self._target = key
        self._pictures.request(
            partial(self._viewer.task, volume, snapshot.path, snapshot.step, view)
        )

    def _snapshot(self) -> Snapshot | None:
        if self._chosen is None:
            return self._snapshots[-1] if self._snapshots and self._wish is None else None
        return next((s for s in self._snapshots if s.step == self._chosen), None)

    def _show(self, piece: LivePiece) -> None:
        if self._wanted():
            self._put("snapshot", piece)
            self._view.show_note(f"Shown: the prediction at step {piece.step}.")

    def _failed(self, error: BaseException) -> None:
        snapshot = self._snapshot()
        if isinstance(error, FileFormatError) and snapshot is not None:
            self._damaged.add(snapshot.path)
            self._chosen, self._seen = None, None
            self._list()
            words = f"The snapshot of step {snapshot.step} is damaged and left out. ({error})"
            self._view.show_note(words)
            return
        words = str(error) if isinstance(error, VoxUDAError) else f"{type(error).__name__}: {error}"
        self._view.show_note(f"The snapshot could not be shown. {words}")

    def _put(self, kind: Literal["live", "snapshot"], piece: LivePiece) -> None:
        if self._layer is not None and kind != self._kind:
            self._remove()
        self._kind = kind
        if self._layer is not None and self._scene.has(self._layer):
            self._scene.update_image(self._layer, piece.data, self._placement, piece.offset)
            return
        self._layer = self._scene.add_image(
            piece.data,
            self._placement,
            name=_NAMES[kind],
            offset=piece.offset,
            limits=_LIMITS,
            colormap=_COLORMAP,
            opacity=_OPACITY,
            overlay=True,
        )

    def _remove(self) -> None:
        self._pictures.forget()
        self._seen = None
        key, self._layer = self._layer, None
        if key is not None:
            self._scene.remove(key)

    def _list(self) -> None:
        from napari_voxuda.adaptation.snapshots import snapshots

        found = [] if self._run is None else snapshots(self._run)
        self._snapshots = [s for s in found if s.path not in self._damaged]
        steps = [snapshot.step for snapshot in self._snapshots]
        moments = [f"Step {step} of {self._steps or steps[-1]}" for step in steps]
        if self._wish is not None and moments:
            moments.append("Now")
        at = steps.index(self._chosen) if self._chosen in steps else len(moments) - 1
        self._view.show_moments(moments, max(at, 0))


def _steps_of(run: Path) -> int:
    """Return how many steps a run has in all; 0 where that is not known."""
    from napari_voxuda.adaptation.run_folder import read_record

    try:
        return int(read_record(run)["settings"]["steps"])
    except (VoxUDAError, LookupError, TypeError, ValueError):
        return 0
