"""The live preview of *Denoise (IBF)*: which layers it has, and when they come and go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from napari_voxuda.app.denoise.compare import (
    CompareChoice,
    Comparison,
    Divider,
    DividerPlace,
    Picture,
    SideMaker,
    picture_of,
)
from napari_voxuda.app.denoise.names import METHOD_NAMES, Side
from napari_voxuda.app.running import Executor, LatestOnly
from napari_voxuda.app.scene import LayerKey, Scene, SliceView
from napari_voxuda.app.words import Level
from napari_voxuda.errors import VoxUDAError
from napari_voxuda.method.denoising import DenoiseSettings

__all__ = ["PreviewStage", "PreviewView"]


class PreviewView(Protocol):
    """What the preview asks of the dock."""

    def layer(self) -> LayerKey | None:
        """Return the chosen layer."""
        ...

    def settings_of(self, side: Side) -> DenoiseSettings | None:
        """Return the settings of a denoiser; None for the tomogram itself."""
        ...

    def comparison(self) -> CompareChoice:
        """Return what lies on which side."""
        ...

    def preview_wanted(self) -> bool:
        """Whether the live preview is switched on."""
        ...

    def switch_preview_off(self) -> None:
        """Show that the preview is off."""
        ...

    def show_divider(self, place: float) -> None:
        """Show where the user dragged the divider, from 0 to 1, without telling of it."""
        ...

    def say(self, text: str, level: Level = "info") -> None:
        """Show a sentence."""
        ...


class PreviewStage:
    """Shows the comparison as one layer above the tomogram, with the divider on it.

    Parameters
    ----------
    view : PreviewView
        The dock.
    scene : Scene
        The layers.
    divider : Divider
        The line between the sides.
    executor : Executor
        Where the sides are computed.
    on_error : callable
        Gets what a computation raised.
    on_added : callable
        Called when the preview has got its layer.
    """

    def __init__(
        self,
        view: PreviewView,
        scene: Scene,
        divider: Divider,
        executor: Executor,
        on_error: Callable[[BaseException], None],
        on_added: Callable[[], None],
    ) -> None:
        self._view = view
        self._scene = scene
        self._divider = divider
        self._key: LayerKey | None = None
        self._shown: _Preview | None = None
        self._maker = SideMaker()
        self._latest: LatestOnly[_Preview] = LatestOnly(executor, self._finished, on_error)
        self._on_added = on_added
        divider.watch(self._dragged)

    @property
    def key(self) -> LayerKey | None:
        """The layer of the preview."""
        return self._key

    def notice_removed_layers(self) -> None:
        """Switch the preview off if the user has removed its layer, its line or the tomogram."""
        if self._shown is None:
            return
        gone = self._key is None or not self._scene.has(self._key)
        if gone or self._divider.is_lost():
            self.remove()
            self._view.switch_preview_off()

    def refresh(self) -> None:
        """Compute the sides again: a setting, the layer or the shown region has changed."""
        if not self._view.preview_wanted():
            self.remove()
            return
        key = self._view.layer()
        if key is None or not self._scene.has(key):
            self.remove()
            return
        view = self._scene.slice_view(key)
        if view is None:
            self._latest.forget()
            self._view.say("The preview needs a slice of this layer: show it in 2-D.")
            return
        choice = self._view.comparison()
        try:
            sides = [(side, self._view.settings_of(side)) for side in (choice.left, choice.right)]
            volume, placement = self._scene.volume(key), self._scene.placement(key)
        except VoxUDAError as error:
            self._view.say(str(error), "error")
            return
        left, right = sides

        def work() -> _Preview:
            found = self._maker.make(key, volume, view, left, right)
            return _Preview(key=key, placement=placement, view=view, choice=choice, sides=found)

        self._latest.request(work)

    def rearrange(self) -> None:
        """Show the sides that are there with the divider or the difference as chosen now."""
        shown, choice = self._shown, self._view.comparison()
        if shown is None or not self._view.preview_wanted():
            return
        if (choice.left, choice.right) != (shown.choice.left, shown.choice.right):
            self.refresh()
            return
        self._draw(shown, choice)

    def remove(self) -> None:
        """Take every layer of the preview away, and drop what is being computed."""
        self._latest.forget()
        self._shown = None
        self._divider.hide()
        key, self._key = self._key, None
        if key is not None:
            self._scene.remove(key)

    def close(self) -> None:
        """Stop; the dock is going away, and its layers with it."""
        self.remove()
        self._divider.close()

    def _dragged(self, place: float) -> None:
        self._view.show_divider(place)
        self.rearrange()

    def _finished(self, found: _Preview) -> None:
        if not self._view.preview_wanted() or not self._scene.has(found.key):
            return
        choice = self._view.comparison()
        if (choice.left, choice.right) != (found.choice.left, found.choice.right):
            return  # other sides were asked for meanwhile; they are on their way
        self._draw(found, choice)
        self._view.say(_words(found))

    def _draw(self, found: _Preview, choice: CompareChoice) -> None:
        picture = picture_of(found.sides, choice, found.view)
        offset = found.sides.raw.offset
        if self._key is not None and self._scene.has(self._key):
            self._scene.update_image(self._key, picture.data, found.placement, offset)
        else:
            self._key = self._scene.add_image(
                picture.data,
                found.placement,
                name="Denoise preview",
                offset=offset,
                like=found.key,
            )
            self._on_added()
        self._scene.link_contrast(self._key, found.key, shift=-picture.shift)
        self._draw_divider(found, choice, picture)
        self._shown = found

    def _draw_divider(self, found: _Preview, choice: CompareChoice, picture: Picture) -> None:
        if choice.left == choice.right:
            self._divider.hide()
            return
        stop = tuple(a + n for a, n in zip(found.sides.raw.offset, picture.data.shape, strict=True))
        region = SliceView(
            axis=found.view.axis,
            index=found.view.index,
            start=found.sides.raw.offset,
            stop=(stop[0], stop[1], stop[2]),
            horizontal=found.view.horizontal,
        )
        self._divider.show(
            DividerPlace(
                placement=found.placement, view=region, voxel=picture.voxel, names=picture.names
            )
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Preview:
    """Finished sides and where they belong."""

    key: LayerKey
    placement: Any
    view: SliceView
    choice: CompareChoice
    sides: Comparison


def _words(found: _Preview) -> str:
    names = [
        "the tomogram" if side == "raw" else METHOD_NAMES[side]
        for side in dict.fromkeys((found.choice.left, found.choice.right))
    ]
    words = f"Preview: {' | '.join(names)}, slice {'zyx'[found.view.axis]} = {found.view.index}."
    is_exact = found.sides.left.is_exact and found.sides.right.is_exact
    return words if is_exact else f"{words} Approximate: the volume is large."
