from __future__ import annotations

import numpy as np
import pytest
from gemmi import cif

from napari_voxuda.data.picks import Picks
from napari_voxuda.errors import FileFormatError, InputError, OutputError
from napari_voxuda.io.star import read_star_picks, star_summary, tomogram_names, write_star_picks

SHAPE = (100, 400, 301)
POSITIONS = np.array([[0.0, 0.0, 0.0], [99.0, 399.0, 300.0], [49.25, 200.5, 150.125]])


def star(tmp_path, text, name="picks.star"):
    path = tmp_path / name
    path.write_text(text)
    return path


def loop(block, tags, *rows):
    lines = [f"data_{block}", "", "loop_", *(f"_rln{t}" for t in tags.split()), *rows, ""]
    return "\n".join(lines) + "\n"


def read(path, voxel=10.0, shape=SHAPE, **keywords):
    return read_star_picks(path, voxel_size_angstrom=voxel, shape=shape, **keywords)


@pytest.mark.parametrize("convention", ["relion5", "relion4"])
@pytest.mark.parametrize("voxel", [10.0, 13.6, (12.0, 11.0, 10.5)])
@pytest.mark.parametrize("pixel", [None, 1.7])
def test_round_trip(tmp_path, convention, voxel, pixel):
    picks = Picks(positions=POSITIONS, scores=np.array([0.0, 1.0, 0.25]))
    write_star_picks(
        tmp_path / "p.star",
        picks,
        tomogram_name="TS_01",
        voxel_size_angstrom=voxel,
        shape=SHAPE,
        convention=convention,
        coordinate_pixel_angstrom=pixel,
    )
    back = read(tmp_path / "p.star", voxel, tomogram_name="TS_01")
    np.testing.assert_allclose(back.positions, POSITIONS, atol=1e-4)
    np.testing.assert_allclose(back.scores, picks.scores)
    assert tomogram_names(tmp_path / "p.star") == ["TS_01"]
    assert star_summary(tmp_path / "p.star") == (convention, 3)


def test_centred_coordinates_worked_by_hand(tmp_path):
    # Tomogram of 301 x 400 x 100 voxels (x, y, z): its middle is at 150.5, 200, 50.
    path = star(
        tmp_path,
        loop(
            "particles",
            "TomoName CenteredCoordinateXAngst CenteredCoordinateYAngst CenteredCoordinateZAngst",
            "TS_01 0 0 0",
            "TS_01 -1505 -2000 -500",
            "TS_01 100 -200 300",
        ),
    )
    expected = [[50, 200, 150.5], [0, 0, 0], [80, 180, 160.5]]
    np.testing.assert_allclose(read(path).positions, expected)


def test_written_numbers_worked_by_hand(tmp_path):
    picks = Picks(positions=np.array([[80.0, 180.0, 160.5]]))
    for convention, expected in [("relion5", (100, -200, 300)), ("relion4", (802.5, 900, 400))]:
        write_star_picks(
            tmp_path / "p.star",
            picks,
            tomogram_name="TS_01",
            voxel_size_angstrom=10.0,
            shape=SHAPE,
            convention=convention,
            coordinate_pixel_angstrom=2.0,
        )
        block = cif.read(str(tmp_path / "p.star")).find_block("particles")
        kind = ("CenteredCoordinate", "Angst") if convention == "relion5" else ("Coordinate", "")
        row = block.find([f"_rln{kind[0]}{axis}{kind[1]}" for axis in "XYZ"])[0]
        assert [float(v) for v in row] == list(expected)
        assert block.find_values("_rlnTomoName")[0] == "TS_01"


@pytest.mark.parametrize(
    ("optics", "particles", "pixel"),
    [
        ({"TomoTiltSeriesPixelSize": 2.0}, {}, 2.0),
        ({"TomoTiltSeriesPixelSize": 2.0, "ImagePixelSize": 10.0}, {}, 2.0),
        ({"ImagePixelSize": 10.0, "TomoSubtomogramBinning": 4.0}, {}, 2.5),
        ({"ImagePixelSize": 5.0}, {}, 5.0),
        ({}, {"DetectorPixelSize": 10.0}, 10.0),
        ({}, {"DetectorPixelSize": 5.0, "Magnification": 10000}, 5.0),
        ({}, {"DetectorPixelSize": 5.0, "Magnification": 25000}, 2.0),
        ({}, {"PixelSize": 4.0}, 4.0),
        ({"MicrographOriginalPixelSize": 2.5}, {}, 2.5),
    ],
)
def test_pixels_are_scaled_by_what_the_file_says(tmp_path, optics, particles, pixel):
    text = ""
    if optics:
        text += loop(
            "optics",
            " ".join(["OpticsGroup", *optics]),
            " ".join(["1", *map(str, optics.values())]),
        )
    text += loop(
        "particles",
        " ".join(["CoordinateX", "CoordinateY", "CoordinateZ", "OpticsGroup", *particles]),
        " ".join(["30", "20", "10", "1", *map(str, particles.values())]),
    )
    positions = read(star(tmp_path, text)).positions
    np.testing.assert_allclose(positions, [[pixel, 2 * pixel, 3 * pixel]])


def test_each_row_is_scaled_by_its_own_optics_group(tmp_path):
    text = loop("optics", "OpticsGroup TomoTiltSeriesPixelSize", "7 2.0", "9 4.0") + loop(
        "particles", "CoordinateX CoordinateY CoordinateZ OpticsGroup", "10 10 10 9", "10 10 10 7"
    )
    np.testing.assert_allclose(read(star(tmp_path, text)).positions[:, 0], [4, 2])


def test_pixel_size_given_by_the_caller_wins(tmp_path):
    text = loop("particles", "CoordinateX CoordinateY CoordinateZ PixelSize", "10 10 10 2")
    picks = read(star(tmp_path, text), coordinate_pixel_angstrom=5.0)
    np.testing.assert_allclose(picks.positions, [[5, 5, 5]])


def test_refined_shifts_are_taken_off(tmp_path):
    tags = "CoordinateX CoordinateY CoordinateZ PixelSize OriginXAngst OriginYAngst OriginZAngst"
    text = loop("particles", tags, "10 10 10 10 5 -10 0")
    np.testing.assert_allclose(read(star(tmp_path, text)).positions, [[10, 11, 9.5]])
    turned = loop("particles", f"{tags} TomoSubtomogramRot", "10 10 10 10 5 -10 0 45")
    np.testing.assert_allclose(read(star(tmp_path, turned)).positions, [[10, 10, 10]])


def test_real_file_of_four_tomograms(shared_data):
    path = shared_data / "formats" / "relion5_particles.star"
    names = tomogram_names(path)
    assert names == [f"Unt_{n}.tomostar" for n in ("083", "050", "076", "088")]
    with pytest.raises(InputError, match=r"holds picks of 4 tomograms .* say which tomogram's"):
        read(path, 12.0, (200, 800, 600))
    picks = read(path, 12.0, (200, 800, 600), tomogram_name="Unt_050")
    assert len(picks) == 10
    # WarpTools writes pixels of the exported subtomograms, here 12 Å; halved in a volume of 24 Å.
    np.testing.assert_allclose(picks.positions[0], [27.755, 86.278, 508.142])
    halved = read(path, 24.0, (100, 400, 300), tomogram_name="Unt_050_24.00Apx.mrc")
    np.testing.assert_allclose(halved.positions * 2, picks.positions)


@pytest.mark.parametrize(
    ("wanted", "row"),
    [
        ("TS_1", 0),
        ("ts_1.mrc", 0),
        ("frames/TS_1.tomostar", 0),
        ("TS_10", 1),
        ("TS_10_8.00Apx", 1),
        ("TS_1_2", 2),
        ("TS_1_2_filtered.rec.gz", 2),
        ("my tomogram", 3),
    ],
)
def test_tomogram_is_found_by_its_name(tmp_path, wanted, row):
    tags = "TomoName CoordinateX CoordinateY CoordinateZ PixelSize"
    names = ("TS_1", "TS_10.tomostar", "TS_1_2", "my_tomogram")
    text = loop("particles", tags, *(f"{n} 1 1 {i} 10" for i, n in enumerate(names)))
    assert read(star(tmp_path, text), tomogram_name=wanted).positions[:, 0].tolist() == [row]


@pytest.mark.parametrize("wanted", ["TS", "TS_11", "other", "TS_"])
def test_tomogram_that_is_not_in_the_file(tmp_path, wanted):
    text = loop(
        "particles", "TomoName CoordinateX CoordinateY CoordinateZ", "TS_1 1 1 1", "TS_2 1 1 1"
    )
    with pytest.raises(
        InputError, match=f"picks of tomogram '{wanted}' were wanted, it holds TS_1, TS_2"
    ):
        read(star(tmp_path, text), tomogram_name=wanted)


def test_rows_without_tomogram_names_are_all_taken(tmp_path):
    text = loop("", "CoordinateX CoordinateY CoordinateZ PixelSize", "1 2 3 10")
    path = star(tmp_path, text)
    assert len(read(path, tomogram_name="TS_1")) == len(read(path)) == 1
    assert tomogram_names(path) == []


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("", FileFormatError, "got an empty file"),
        (" \n\n", FileFormatError, "got an empty file"),
        ("hello", FileFormatError, "a STAR file was wanted, but line 1"),
        ("a\0b", FileFormatError, "got binary data"),
        (
            "data_x\n_rlnA 1\n",
            FileFormatError,
            r"particle coordinates \(rlnCenteredCoordinateXAngst or",
        ),
        ("data_p\nloop_\n_rlnA\n_rlnB\n1\n", FileFormatError, "a STAR file was wanted, but line"),
        ("data_p\n_rlnA 1\ndata_p\n_rlnA 2\n", FileFormatError, "duplicate block name"),
        (
            loop("p", "CoordinateX CoordinateY CoordinateZ PixelSize", "1 x 1 1"),
            FileFormatError,
            "numbers were wanted in rlnCoordinateY",
        ),
        (
            loop("p", "CoordinateX CoordinateY CoordinateZ PixelSize", "1 1 nan 1"),
            FileFormatError,
            "finite numbers were wanted in rlnCoordinateZ",
        ),
        (
            loop("p", "CoordinateX CoordinateY CoordinateZ PixelSize", "1 1 1 0"),
            FileFormatError,
            "positive pixel sizes were wanted",
        ),
        (
            loop("p", "CoordinateX CoordinateY CoordinateZ", "1 1 1"),
            InputError,
            "pixels of unknown size .* give their size in Å",
        ),
        (
            loop("p", "CoordinateX CoordinateY CoordinateZ PixelSize", "1 1 1 100", "9 9 9 1000"),
            None,
            "",
        ),
        (
            loop("p", "CoordinateX CoordinateY CoordinateZ PixelSize", "999 1 1 100"),
            InputError,
            r"got 1 of 1 outside .* check the voxel size",
        ),
        (
            loop("optics", "OpticsGroup ImagePixelSize", "1 2", "2 3")
            + loop("particles", "CoordinateX CoordinateY CoordinateZ", "1 1 1"),
            FileFormatError,
            "several values of rlnImagePixelSize",
        ),
        (
            loop("optics", "OpticsGroup ImagePixelSize", "1 2")
            + loop("particles", "CoordinateX CoordinateY CoordinateZ OpticsGroup", "1 1 1 5"),
            FileFormatError,
            "optics group 5 of the particles is not in the optics table",
        ),
    ],
)
def test_files_that_cannot_be_used(tmp_path, text, error, words):
    path = star(tmp_path, text)
    if error is None:
        assert len(read(path)) == 2
        return
    with pytest.raises(error, match=words) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_missing_file_folder_and_unknown_voxel_size(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        read(tmp_path / "none.star")
    with pytest.raises(FileFormatError, match="got a folder"):
        read(tmp_path)
    path = star(tmp_path, loop("p", "CoordinateX CoordinateY CoordinateZ PixelSize", "1 1 1 1"))
    with pytest.raises(InputError, match="voxel size is unknown; set it in Å"):
        read(path, None)
    with pytest.raises(InputError, match="positive Å values were wanted, got -1"):
        read(path, -1.0)


def test_an_empty_table_gives_no_picks(tmp_path):
    write_star_picks(
        tmp_path / "p.star",
        Picks(positions=np.zeros((0, 3))),
        tomogram_name="TS_1",
        voxel_size_angstrom=10.0,
        shape=SHAPE,
    )
    assert len(read(tmp_path / "p.star")) == 0


@pytest.mark.parametrize(
    ("given", "written"),
    [("TS 1", "TS_1"), ("_x#", "x#"), ("it's", "its"), ("TåÅ", "T__"), ("data_1", "data-1"),
     ("loop_", "loop-"), ("", None), (" \n", None), ("##", None)],
)  # fmt: skip
def test_names_that_a_star_value_cannot_hold(tmp_path, given, written):
    def write():
        write_star_picks(
            tmp_path / "p.star",
            Picks(positions=POSITIONS),
            tomogram_name=given,
            voxel_size_angstrom=10.0,
            shape=SHAPE,
        )

    if written is None:
        with pytest.raises(InputError, match="a name such as TS_01 was wanted"):
            write()
        assert list(tmp_path.iterdir()) == []
        return
    write()
    assert tomogram_names(tmp_path / "p.star") == [written]
    assert len(read(tmp_path / "p.star", tomogram_name=given)) == 3


def test_what_cannot_be_written(tmp_path):
    arguments = {"tomogram_name": "TS_1", "voxel_size_angstrom": 10.0, "shape": SHAPE}
    picks = Picks(positions=POSITIONS)
    with pytest.raises(OutputError, match=r"a name ending in \.star was wanted"):
        write_star_picks(tmp_path / "p.txt", picks, **arguments)
    with pytest.raises(InputError, match="relion5 or relion4 was wanted, got 'dynamo'"):
        write_star_picks(tmp_path / "p.star", picks, **arguments, convention="dynamo")
    with pytest.raises(OutputError, match="does not exist"):
        write_star_picks(tmp_path / "no" / "p.star", picks, **arguments)
    assert list(tmp_path.iterdir()) == []
