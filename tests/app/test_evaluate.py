from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_voxuda.app.evaluate import evaluate, pair_name
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import FileFormatError, InputError
from napari_voxuda.io.mrc import write_mask, write_mrc


def line(*labels: int) -> np.ndarray:
    return np.array(labels, dtype=np.uint8).reshape(1, 1, -1)


def write(path: Path, *labels: int) -> Path:
    path.parent.mkdir(exist_ok=True)
    write_mask(path, Volume(data=line(*labels)))
    return path


def test_two_files_of_any_name(tmp_path: Path) -> None:
    found = evaluate(
        write(tmp_path / "one.mrc", 1, 1, 0, 0), write(tmp_path / "other.map", 0, 1, 1, 0)
    )
    assert found.mean.iou == pytest.approx(1 / 3)
    assert found.mean.dice == pytest.approx(1 / 2)
    assert found.mean.pairs == 1
    assert found.classes["1"] == found.mean


def test_folders_pair_by_name_and_average_over_pairs(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    write(a / "x.mrc", 1, 1, 0, 0)
    write(b / "x.mrc", 1, 1, 0, 0)
    write(a / "y_pred.mrc", 1, 1, 0, 0)
    write(b / "y_mask.mrc", 0, 0, 1, 1)
    (a / "notes.txt").write_text("no mask")
    (a / ".hidden.mrc").write_text("no mask")
    found = evaluate(a, b)
    assert [pair.name for pair in found.pairs] == ["x", "y"]
    assert (found.mean.iou, found.mean.dice, found.mean.pairs) == (0.5, 0.5, 2)


def test_the_mask_is_taken_where_its_subtomogram_lies_beside_it(tmp_path: Path) -> None:
    truth, prediction = tmp_path / "truth", tmp_path / "prediction"
    truth.mkdir()
    image = Volume(data=np.random.default_rng(0).random((1, 1, 4)).astype(np.float32))
    write_mrc(truth / "x_subtomo.mrc", image)
    write_mrc(truth / "y.mrc", image)
    for name in "xy":
        write(truth / f"{name}_mask.mrc", 0, 1, 1, 0)
    write(prediction / "x_mask.mrc", 0, 1, 1, 0)
    write(prediction / "y.mrc", 0, 1, 1, 0)
    found = evaluate(prediction, truth)
    assert found.mean.dice == 1.0
    assert [pair.truth.name for pair in found.pairs] == ["x_mask.mrc", "y_mask.mrc"]


def test_several_labels_are_classes(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    write(a / "x.mrc", 1, 1, 2, 0)
    write(b / "x.mrc", 1, 1, 0, 2)
    write(a / "y.mrc", 1, 0, 0, 0)
    write(b / "y.mrc", 1, 1, 0, 10)
    found = evaluate(a, b)
    assert list(found.classes) == ["1", "2", "10"]
    assert found.classes["1"].pairs == 2
    assert found.classes["1"].iou == pytest.approx((1 + 0.5) / 2)
    assert (found.classes["2"].pairs, found.classes["2"].dice) == (1, 0.0)
    assert found.pairs[0].overlap.foreground.iou == pytest.approx(2 / 4)


def test_classes_by_the_beginning_of_a_name(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    for name, truth in {"ribo1": 1, "ribo2": 0, "ribosome3": 1}.items():
        write(a / f"{name}.mrc", 1, 0)
        write(b / f"{name}.mrc", truth, 0)
    found = evaluate(a, b, classes={"ribo": "70S", "ribosome": "80S"})
    assert {name: score.dice for name, score in found.classes.items()} == {"70S": 0.5, "80S": 1.0}
    assert found.mean.dice == pytest.approx(2 / 3)
    with pytest.raises(InputError, match="ribo1 is of no class; names beginning with one of pro"):
        evaluate(a, b, classes={"pro": "proteasome"})


def test_the_report_is_plain_json(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a.mrc", 1, 2, 0), write(tmp_path / "b.mrc", 1, 0, 2)
    report = json.loads(json.dumps(evaluate(a, b).to_dict()))
    assert report["pairs"][0]["labels"]["1"] == {"iou": 1.0, "dice": 1.0}
    assert report["pairs"][0]["prediction"] == str(a)
    assert report["mean"] == {"pairs": 1, "iou": pytest.approx(1 / 3), "dice": 0.5}
    assert set(report) == {"pairs", "classes", "mean"}


def test_masks_of_one_label_are_reported_once(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a.mrc", 1, 0), write(tmp_path / "b.mrc", 1, 0)
    assert "labels" not in evaluate(a, b).to_dict()["pairs"][0]


@pytest.mark.parametrize(("labels", "score"), [((0, 0), 1.0), ((1, 0), 0.0)])
def test_empty_truth(tmp_path: Path, labels: tuple[int, int], score: float) -> None:
    found = evaluate(write(tmp_path / "a.mrc", *labels), write(tmp_path / "b.mrc", 0, 0))
    assert found.mean.iou == found.mean.dice == score


def test_masks_in_other_dialects_are_understood(tmp_path: Path) -> None:
    a, b = tmp_path / "a.mrc", tmp_path / "b.mrc"
    write_mrc(a, Volume(data=line(0, 255, 255).astype(np.uint16)))
    write_mrc(b, Volume(data=np.array([[[0.0, 1.0, 1.0]]], dtype=np.float32)))
    assert evaluate(a, b).mean.dice == 1.0


def test_another_shape_names_both_files_and_shapes(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a.mrc", 1, 0), write(tmp_path / "b.mrc", 1, 0, 0)
    with pytest.raises(InputError) as caught:
        evaluate(a, b)
    assert all(word in str(caught.value) for word in (str(a), str(b), "(1, 1, 2)", "(1, 1, 3)"))


def test_names_without_partner_are_listed(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    for i in range(9):
        write(a / f"p{i}_mask.mrc", 1)
    write(b / "p0.mrc", 1)
    write(b / "q.mrc", 1)
    with pytest.raises(InputError, match=r"a/p1_mask.mrc, .*a/p6_mask.mrc and 3 more") as caught:
        evaluate(a, b)
    assert "p0" not in str(caught.value)
    (a / "p1_mask.mrc").unlink()
    for i in range(2, 9):
        (a / f"p{i}_mask.mrc").unlink()
    with pytest.raises(InputError, match=r"no partner: b/q.mrc\."):
        evaluate(a, b)


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    folder, empty = tmp_path / "a", tmp_path / "empty"
    file = write(folder / "x.mrc", 1)
    empty.mkdir()
    with pytest.raises(InputError, match="two files or two folders were wanted"):
        evaluate(file, folder)
    with pytest.raises(InputError, match="nowhere: there is no such file or folder"):
        evaluate(tmp_path / "nowhere", file)
    with pytest.raises(InputError, match=r"empty: masks .* were wanted, found none"):
        evaluate(folder, empty)
    probability = tmp_path / "p.mrc"
    write_mrc(probability, Volume(data=np.full((1, 1, 1), 0.5, dtype=np.float32)))
    with pytest.raises(InputError, match="Threshold it first"):
        evaluate(probability, file)
    (tmp_path / "text.mrc").write_text("not a volume")
    with pytest.raises(FileFormatError):
        evaluate(tmp_path / "text.mrc", file)


def test_two_masks_of_one_name_are_refused(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    write(a / "x.mrc", 1)
    write(a / "x.map", 1)
    write(b / "x.mrc", 1)
    with pytest.raises(InputError, match="one mask named x was wanted"):
        evaluate(a, b)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a.mrc", "a"),
        ("a_mask.mrc", "a"),
        ("a_subtomo.rec.gz", "a"),
        ("a_pred.map", "a"),
        ("a_mask_pred.mrc", "a_mask"),
        ("a.b.mrc", "a.b"),
    ],
)
def test_names_of_pairs(path: str, name: str) -> None:
    assert pair_name(Path("folder") / path) == name


def test_real_truths_agree_with_themselves(shared_data: Path) -> None:
    folder = shared_data / "ribosome70S"
    found = evaluate(folder, folder)
    assert (found.mean.pairs, found.mean.iou) == (20, 1.0)
    scene = shared_data / "tomograms" / "scene_instances.mrc"
    mask = shared_data / "tomograms" / "scene_mask.mrc"
    assert evaluate(scene, mask).mean.dice > 0.95
