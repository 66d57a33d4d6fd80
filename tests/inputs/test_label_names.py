"""What labels are called: tables of BIDS and FreeSurfer, where they lie, and what is wrong with them."""

from pathlib import Path

import pytest

from tractcap.errors import InputError
from tractcap.inputs.label_names import find_label_table, read_label_table


def write(path: Path, text: str = "index\tname\n1\tone\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_dseg_tsv(tmp_path: Path) -> None:
    path = write(
        tmp_path / "dseg.tsv",
        'index\tname\tcolor\tmapping\n17\tLeft Hippocampus\t#DCD814\t1\n53\tright, "odd"\tn/a\t2\nx\ty\t#000000\t\n',
    )
    table = read_label_table(path)
    assert table.names == {17: "Left Hippocampus", 53: 'right, "odd"'}
    assert table.colors == {17: (220, 216, 20)}


def test_columns_as_atlases_of_pennlinc_have_them(tmp_path: Path) -> None:
    assert read_label_table(write(tmp_path / "a.tsv", "index\tlabel\n3\tLH_Vis_1\n")).names == {3: "LH_Vis_1"}


def test_freesurfers_colours(tmp_path: Path) -> None:
    text = (
        "#$Id: FreeSurferColorLUT.txt\n\n#No. Label Name:   R   G   B   A\n0 Unknown 0 0 0 0\n"
        "17  Left-Hippocampus   220 216 20  0\n1 L.BSTS ctx-lh-bankssts 25 100 40 255\n300 wrong 999 0 0 0\n"
        "5 plain words\n"
    )
    table = read_label_table(write(tmp_path / "lut.txt", text))
    assert table.names == {
        0: "Unknown", 17: "Left-Hippocampus", 1: "L.BSTS ctx-lh-bankssts", 300: "wrong", 5: "plain words",
    }  # fmt: skip
    assert table.colors == {0: (0, 0, 0), 17: (220, 216, 20), 1: (25, 100, 40)}


@pytest.mark.parametrize("name", ["x.tsv", "x.txt"])
@pytest.mark.parametrize("content", [b"", b"no table\n", b"\xff\xfe\x00", b"name\tcolor\na\t#ffffff\n"])
def test_what_names_no_label_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=f"{name} (names no label|can't be read as a table)"):
        read_label_table(tmp_path / name)
    with pytest.raises(InputError, match="doesn't exist"):
        read_label_table(tmp_path / "no.tsv")


def test_where_tables_lie(tmp_path: Path) -> None:
    """The image's own comes first, then BIDS's from the nearest folder up to its dataset, then the folder's."""
    root = tmp_path / "data"
    write(root / "dataset_description.json", "{}")
    image = root / "sub-01/anat/sub-01_space-ACPC_seg-4S_dseg.nii.gz"
    write(tmp_path / "seg-4S_dseg.tsv")  # above the dataset
    write(root / "seg-Glasser_dseg.tsv")  # of another segmentation
    assert find_label_table(image) is None
    for place in (
        root / "sub-01/anat/FreeSurferColorLUT.txt",
        root / "sub-01/anat/labels.txt",
        root / "dseg.tsv",
        root / "seg-4S_dseg.tsv",
        root / "sub-01/sub-01_seg-4S_dseg.tsv",
        root / "sub-01/anat/sub-01_space-ACPC_seg-4S_dseg.txt",
        root / "sub-01/anat/sub-01_space-ACPC_seg-4S_dseg.tsv",
    ):
        write(place)
        assert find_label_table(image) == place


def test_a_table_beside_a_volume_of_freesurfers(tmp_path: Path) -> None:
    assert find_label_table(tmp_path / "aseg.mgz") is None
    assert find_label_table(tmp_path / "aseg.mgz") != write(tmp_path / "other.txt")
    assert write(tmp_path / "aseg.txt") == find_label_table(tmp_path / "aseg.mgz")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.tsv", f"index\tname\n{'9' * 5000}\tfar\n"),
        ("b.tsv", f"index\tname\n1\t{'x' * 200_000}\n"),
        ("c.txt", f"{'9' * 5000} far\n"),
    ],
)
def test_a_table_with_what_is_too_long_is_named(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=f"{name} can't be read as a table of labels"):
        read_label_table(tmp_path / name)


def test_a_label_of_two_names_has_none(tmp_path: Path) -> None:
    path = tmp_path / "dseg.tsv"
    path.write_text("index\tname\tcolor\n4\tA\t#ff0000\n5\tB\t\n4\tC\t#00ff00\n5\tB\t#0000ff\n")
    table = read_label_table(path)
    assert (table.names, table.colors) == ({5: "B"}, {5: (0, 0, 255)})
