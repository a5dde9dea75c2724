from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.app.mask.refinement import MaskChoice
from napari_voxuda.app.mask.session import MaskSession
from napari_voxuda.app.provenance import Provenance
from napari_voxuda.app.running import InlineExecutor
from napari_voxuda.data.corrections import Corrections
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError

CHOICE = MaskChoice(threshold=0.5, numbered=True)


class Heard:
    def __init__(self) -> None:
        self.masks, self.marks, self.lists, self.errors = [], [], [], []
        self.choices = []


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
def probability():
    values = np.zeros((6, 8, 8), np.float32)
    values[1:3, 1:3, 1:3] = 0.9
    values[4, 6, 6] = 0.6
    return Volume(data=values, grid=Grid().with_voxel_size(10.0), name="tomo")


@pytest.fixture
def session(scene, heard, probability):
    made = MaskSession(
        scene,
        InlineExecutor(),
        on_mask=heard.masks.append,
        on_marks=heard.marks.append,
        on_particles=heard.lists.append,
        on_choice=heard.choices.append,
        on_error=heard.errors.append,
    )
    made.begin(probability, probability.grid, CHOICE, Corrections.none(probability.shape))
    return made


def _data(scene, name):
    (found,) = [v["volume"].data for v in scene.layers.values() if v["name"] == name]
    return found


def _paint(scene, session, voxel, label):
    where = np.array([np.ravel_multi_index(voxel, (6, 8, 8))])
    scene.edit_labels(session.mask_key, where, np.array([label]))


def test_a_mask_and_a_table_are_made(scene, session, heard):
    assert _data(scene, "tomo mask")[1, 1, 1] == 1
    assert _data(scene, "tomo mask")[4, 6, 6] == 2
    assert [p.label for p in heard.lists[-1].particles] == [1, 2]
    assert heard.marks == [0]
    assert heard.errors == []


def test_what_is_painted_stays_whatever_the_sliders_do(scene, session):
    _paint(scene, session, (5, 0, 0), 9)
    _paint(scene, session, (1, 1, 1), 0)
    for threshold in (0.95, 0.1):
        session.refine(MaskChoice(threshold=threshold, min_size_angstrom3=1e5, numbered=True))
        mask = _data(scene, "tomo mask")
        assert mask[5, 0, 0] > 0
        assert mask[1, 1, 1] == 0
    kept = session.corrections()
    assert kept.positions.tolist() == [[1, 1, 1], [5, 0, 0]]
    assert kept.foreground.tolist() == [False, True]


def test_undo_brings_the_sliders_back(scene, session, heard):
    before = _data(scene, "tomo mask").copy()
    other = MaskChoice(threshold=0.7, numbered=True)
    session.change(other)
    after = _data(scene, "tomo mask").copy()
    (tell,) = scene.layers[session.mask_key]["watchers"]
    for labels, wanted in ((before, CHOICE), (after, other), (np.full_like(after, 3), other)):
        scene.update_labels(session.mask_key, labels)
        tell(None)
        assert session._choice == wanted
    assert heard.choices == [CHOICE, other]


def test_a_new_probability_leaves_the_corrections(scene, session, probability):
    _paint(scene, session, (5, 0, 0), 9)
    session.replace_probability(probability.with_data(np.zeros_like(probability.data)))
    assert np.argwhere(_data(scene, "tomo mask")).tolist() == [[5, 0, 0]]


def test_deleted_particles_do_not_come_back(scene, session, heard):
    session.delete([1])
    session.refine(MaskChoice(threshold=0.4, numbered=True))
    assert np.argwhere(_data(scene, "tomo mask")).tolist() == [[4, 6, 6]]
    assert heard.marks[-1] == 8


def test_merged_particles_stay_one(scene, session, heard):
    session.merge([1, 2])
    session.refine(MaskChoice(threshold=0.4, numbered=True))
    mask = _data(scene, "tomo mask")
    assert mask[1, 1, 1] == mask[4, 6, 6] == 1
    assert session.corrections().joins
    assert len(session.corrections()) == 0
    assert "1 particle," in heard.masks[-1].words


def test_splitting_a_merged_particle_parts_it_again(scene, session):
    session.merge([1, 2])
    session.split(1)
    session.refine(MaskChoice(threshold=0.4, numbered=True))
    mask = _data(scene, "tomo mask")
    assert mask[1, 1, 1] != mask[4, 6, 6]
    assert session.corrections().joins == ()


def test_marks_of_an_earlier_session_are_in_the_first_mask(scene, session, probability):
    labels = np.zeros(probability.shape, np.uint8)
    labels[4, 6, 6], labels[0, 0, 0] = 2, 1
    session.begin(probability, probability.grid, CHOICE, Corrections.from_labels(labels))
    key = session.mask_key
    mask = scene.volume(key).data
    assert mask[4, 6, 6] == 0
    assert mask[0, 0, 0] > 0


def test_other_labels_than_the_two_are_taken_back(scene, session):
    session.paint(1)
    key, label = scene.painting
    assert label == 1
    scene.edit_labels(key, np.array([0, 1]), np.array([3, 2]))
    assert scene.volume(key).data.reshape(-1)[:2].tolist() == [0, 2]


def test_clearing_gives_the_network_the_word_again(scene, session):
    before = _data(scene, "tomo mask").copy()
    session.delete([1])
    session.clear_marks()
    np.testing.assert_array_equal(_data(scene, "tomo mask"), before)
    assert len(session.corrections()) == 0


def test_a_removed_mask_is_made_again_and_a_removed_marks_layer_too(scene, session):
    session.delete([1])
    for key in list(scene.layers):
        scene.remove(key)
    with pytest.raises(InputError, match="gone"):
        session.merge([1, 2])
    session.refine(CHOICE)
    assert _data(scene, "tomo mask")[1, 1, 1] == 0
    session.paint(2)
    assert (_data(scene, "tomo corrections") == 2).sum() == 8


def test_a_forgotten_session_listens_no_more(scene, session, heard):
    key = session.mask_key
    session.forget()
    scene.edit_labels(key, np.array([0]), np.array([1]))
    assert heard.marks == [0]
    assert not session.available


def test_what_is_offered_for_export_knows_what_it_comes_from(scene, session, probability):
    scene.edit_labels(session.mask_key, np.array([0, 1]), np.array([1, 1], np.uint16))
    offer = session.offer(Provenance(task="segment", seed=4))
    assert offer.layers == (session.mask_key,)
    assert offer.probability is probability
    assert offer.provenance.settings["shown"]["threshold"] == 0.5
    assert offer.provenance.settings["corrected_voxels"] == 2
    assert session.offer(None).provenance is None
    scene.remove(session.mask_key)
    with pytest.raises(InputError, match="no mask layer"):
        session.offer(None)
